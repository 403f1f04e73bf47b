"""The toy once more, declared in all that the API makes routes and schemas of: what a second programme may bring."""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NoReturn

from pydantic import BaseModel, Field

from cases.commands.changing import change_command
from cases.programme import Command, effect
from cases.shared.inboxes import Desk, Inbox, Listing, Step
from domain.actors import STAFF, Role
from domain.acts import Act
from domain.bodies import Body
from domain.changes import own_change
from domain.commands import CommandKind
from domain.fields import Label
from domain.incidents import IncidentKind
from domain.pages import PageQuery
from domain.routes import Operation, OwnRoute
from programmes import PROGRAMMES
from tests.programmes.toy.changes import CHANGING
from tests.programmes.toy.programme import TOY
from tests.programmes.toy.requests import ToyChange


class MakerMessage(Body):
    """What a maker of toys says."""

    toy: Label


class MakerView(BaseModel):
    """What became of that."""

    status: str = Field(examples=["taken"])


class BrokenToyRequest(Body):
    """That a toy is broken."""

    reference: str


class BrokenToyView(BaseModel):
    """That this was heard."""

    reference: str
    status: str


class OwnToyChange(ToyChange):
    """What the person may ask to have changed of a toy that an employer asked for."""

    reference: Label


class ShelfItem(BaseModel):
    """What lies on the shelf."""

    id: str


class ShelfPage(BaseModel):
    """A page of the shelf."""

    items: list[ShelfItem]
    next_cursor: str | None


def _nothing(*_: Any) -> NoReturn:
    raise AssertionError("described, and never called")


async def _does(*_: Any) -> NoReturn:
    raise AssertionError("described, and never called")


_SAID: Final[Mapping[str, Any]] = {"summary": "Something about a toy", "says": "Do something about a toy."}
_BROKEN: Final = OwnRoute(
    name="reportBrokenToy", verb="broken-toys", body=BrokenToyRequest, view=BrokenToyView, asks=_nothing,
    tells=_nothing, **_SAID,
)  # fmt: skip
WHOLE: Final = replace(
    TOY,
    check=(Operation(name="tryToy", **_SAID), _does),
    commands={
        **TOY.commands,
        "toy_broken": Command(does=_does, acts=effect(Act.CONTESTED), own=_BROKEN),
        CommandKind.CHANGE: change_command(ToyChange, own=own_change(OwnToyChange, "Change a toy.")),
    },
    changing=replace(CHANGING, own=ToyChange),
    inboxes=(
        Inbox(
            path="makers/messages", name="sendMakerMessage", machine="maker", kind=next(iter(IncidentKind)),
            body=MakerMessage, about=_nothing, view=MakerView, later="Taken.", open=_nothing, **_SAID,
        ),
    ),
    desks=(
        Desk(
            path="shelf",
            named="item_id",
            listing=Listing(name="listShelf", by=STAFF, query=PageQuery, page=ShelfPage, read=_nothing, **_SAID),
            steps=(
                Step(
                    name="takeFromShelf", verb="taking", by=frozenset({Role.OFFICER}), body=MakerMessage,
                    view=ShelfItem, does=_does, **_SAID,
                ),
            ),
        ),
    ),
)  # fmt: skip


def document_with_both() -> dict[str, Any]:
    """Return the document with it beside the programmes of the registry, in a process that has built none before."""
    assert isinstance(PROGRAMMES, dict)
    PROGRAMMES[WHOLE.code] = WHOLE
    from tests.api.routes import published

    return published()


if __name__ == "__main__":
    json.dump(document_with_both(), sys.stdout)
