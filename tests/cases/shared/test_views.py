"""A view is told as JSON and described in a schema by its class alone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import TypeAdapter

from cases.shared.views import Coded, document
from domain.clock import to_the_second
from domain.notices import NoticeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a reader sees of it."""

    id: str
    kind: Annotated[str, Coded(NoticeKind)]
    at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownWhole(Shown):
    """The same with more."""

    text: str


AT = datetime(2026, 3, 2, 1, 30, 15, 123456, tzinfo=UTC)


def test_a_view_is_told_by_its_members_in_their_order_with_chinas_time() -> None:
    shown = ShownWhole(id="1", kind="of_a_later_version", at=to_the_second(AT), ended_at=None, text="a")
    told = {"id": "1", "kind": "of_a_later_version", "at": "2026-03-02T09:30:15+08:00", "ended_at": None, "text": "a"}
    assert list(document(shown).items()) == list(told.items())


def test_the_schema_says_what_the_class_says() -> None:
    schema = TypeAdapter(ShownWhole).json_schema(mode="serialization")
    assert (schema["title"], schema["description"]) == ("ShownWhole", "The same with more.")
    assert schema["required"] == ["id", "kind", "at", "ended_at", "text"]
    assert schema["properties"]["kind"]["$ref"] == "#/$defs/NoticeKind"
    assert schema["properties"]["at"]["format"] == "date-time"
