"""How what was given of a toy is changed: what an officer looks at, and the workshop that it goes to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.decisions.changing import wrong
from cases.programme import ChangeTaken, Changing
from domain.actors import Actor
from domain.errors import FieldError
from domain.field_errors import FieldCode
from tests.programmes.toy.making import leave, make_in
from tests.programmes.toy.requests import ToyChange
from tests.programmes.toy.tables import makings
from tests.programmes.toy.words import MakingStage


def _wrong(file: CaseFile, wanted: Mapping[str, Any]) -> Sequence[FieldError]:
    begun = makings(file)
    is_made = any(each.stage == MakingStage.MADE for each in begun.values())
    now = file.application.given_of("wish.workshop")
    if "workshop" in wanted and (is_made or wanted["workshop"] in begun.keys() - {now}):
        return wrong(["workshop"], FieldCode.UNKNOWN_VALUE, "toy_workshop_left")
    return ()


async def _follow(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, taken: ChangeTaken) -> None:
    now, before = (each.given_of("wish.workshop") for each in (file.application, taken.before))
    if now != before and makings(file)[before].stage == MakingStage.MAKING:
        leave(file, actor, at, before)
        make_in(file, actor, at, now)


CHANGING: Final = Changing(
    asks=ToyChange,
    at_once=frozenset({"email", "phone"}),
    ruled=frozenset({"toy"}),
    wrong=_wrong,
    follows=_follow,
)
