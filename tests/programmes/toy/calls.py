"""The one outward call of a toy: a greeting, after which the case has come to its end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.programme import Call
from domain.actors import Actor
from domain.acts import Act
from domain.outward import Body, CallOf, Known, Message
from store.rows.authority import CallRow

GREETING: Final = "greeting"


class Greeting(Body):
    """What is said."""

    case: str
    toy: str


def _key(of: CallOf) -> str:
    return f"greeting/{of.place}{of.since}"


def _greet(file: CaseFile, row: CallRow, at: datetime) -> Message:
    return Message("/greetings", Greeting(case=file.reference, toy=file.application.given_of("wish.toy")))


async def _heard(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, row: CallRow, known: Known | None
) -> None:
    file.record(Act.REMINDED, actor, at, step="greeted")


async def _refused(
    file: CaseFile,
    connection: AsyncConnection,
    actor: Actor,
    at: datetime,
    row: CallRow,
    reason: str,
    known: Known | None,
) -> None:
    file.record(Act.REMINDED, actor, at, step="not greeted", reasons=[reason])


def _late(file: CaseFile, actor: Actor, at: datetime, row: CallRow) -> None:
    file.record(Act.REMINDED, actor, at, step="greeted late")


CALLS: Final[Mapping[str, Call]] = {GREETING: Call(key=_key, sends=_greet, taken=_heard, refused=_refused, late=_late)}
