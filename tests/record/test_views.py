"""Views: the documents that they become, what the OpenAPI document tells of them, and rows that somebody altered."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field, TypeAdapter

from cases.shared.views import Coded, Filled, Time, document
from domain.acts import Act
from domain.spellings import LEDGER_ROW
from proof.ledger_rows import row_hash
from record.event_views import EventView, event_view
from store.rows.record import LedgerRow


@dataclass(frozen=True, kw_only=True)
class _Part(Filled):
    for_: Annotated[str, Field(alias="for")]
    at: Time | None = None
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Whole:
    parts: list[_Part]
    none: str | None = None
    act: Annotated[str, Coded(Act)] = "no_act"


def test_a_view_becomes_a_document_in_the_order_of_its_members_without_what_does_not_apply() -> None:
    shown = document(_Whole(parts=[_Part(for_="park"), _Part(for_="person", at="now", left=["x"])]))
    assert shown == {
        "parts": [{"for": "park"}, {"for": "person", "at": "now", "left": ["x"]}], "none": None, "act": "no_act",
    }  # fmt: skip
    assert list(shown) == ["parts", "none", "act"]
    assert document(None) is None


def test_what_is_written_out_already_is_told_as_what_it_says() -> None:
    told = TypeAdapter(_Whole).json_schema(by_alias=True)["$defs"]
    part = told["_Part"]["properties"]
    assert set(part) == {"for", "at", "left"}
    assert part["at"]["anyOf"][0]["format"] == "date-time"
    assert told["Act"]["enum"]


def test_a_row_is_shown_in_the_order_that_its_hash_takes_whatever_somebody_made_of_it() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    row = LedgerRow(
        chain="HT-1", seq=1, act="never_was", actor_issuer="i", actor_subject="s", actor_role="r", detail={}, at=at,
        correlation_id="c", previous=bytes(32), hash=b"", xid=1, recorded_at=at,
    )  # fmt: skip
    row.hash = row_hash(row.document())
    view = event_view(row)
    assert isinstance(view, EventView)
    assert list(document(view)) == [*LEDGER_ROW, "hash", "recorded_at"]
    assert (view.act, view.at, view.recorded_at) == (
        "never_was", "2026-03-01T08:00:00.000000+08:00", "2026-03-01T08:00:00+08:00",
    )  # fmt: skip
