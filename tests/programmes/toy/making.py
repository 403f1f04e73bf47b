"""What happens to a toy: begun once its approval has settled, made by its day or by an officer's word."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.commands import timers, verbs
from cases.decisions import correction
from cases.decisions.versions import keep_version
from cases.moves.front_half import Event
from cases.moves.moving import move, need_move
from cases.notices.compose import Said
from cases.programme import Command, Timer, effect
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of
from domain.commands import CommandKind
from domain.forms import need_form
from domain.stages import Standing
from store.rows.work import DeadlineRow
from tests.programmes.toy import routes
from tests.programmes.toy.calls import GREETING
from tests.programmes.toy.requests import FinishRequest, ToyCorrection, ToyRequest
from tests.programmes.toy.stages import MAKING, MakingEvent, making_at
from tests.programmes.toy.tables import MAKINGS
from tests.programmes.toy.words import ToyAct, ToyCommand, ToyDeadline


async def begin(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Let the workshop begin, and greet the world outside."""
    workshop = file.application.given_of("wish.workshop")
    move(file, MakingEvent.BEGIN, actor, at, track=making_at(workshop))
    file.set_working_days(ToyDeadline.MADE, day_of(at), file.pack.integer("making_days"), destination=workshop)
    file.record(ToyAct.BEGUN, actor, at, destination=workshop)
    file.call(GREETING, at, destination=None)


def _finish(file: CaseFile, actor: Actor, at: datetime, workshop: str) -> None:
    need_move(file, MakingEvent.FINISH, actor, making_at(workshop))
    file.set_track(MAKINGS, workshop, at, made_on=day_of(at))
    file.cancel_deadlines(ToyDeadline.MADE, destination=workshop)
    move(file, MakingEvent.FINISH, actor, at, track=making_at(workshop), said=Said(occasion=workshop))
    file.record(ToyAct.MADE, actor, at, destination=workshop)


def _on_its_day(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    _finish(file, actor, at, deadline.destination)


async def _by_word(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    _finish(file, actor, at, body["workshop"])


async def _correct(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    whole = need_form(file.application, ToyRequest).corrected(ToyCorrection.model_validate(body))
    keep_version(file, at, whole=whole)
    correction.take_correction(file, actor, at)


async def _standing(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    file.row.standing_hold = file.standing_on(day_of(at)) is Standing.SUSPENDED
    act = Act.HELD if file.row.standing_hold else Act.HOLD_RELEASED
    file.record(act, actor, at, reasons=["employer_standing"])


TIMERS: Final[Mapping[str, Timer]] = {**timers.TIMERS, ToyDeadline.MADE: _on_its_day}
COMMANDS: Final[Mapping[str, Command]] = {
    **verbs.COMMANDS,
    CommandKind.CORRECT: Command(
        does=_correct,
        route=routes.CORRECT,
        events=(Event.CORRECT,),
        acts=effect(Act.CORRECTED),
        body=ToyCorrection,
        writes_by_itself=True,
    ),
    CommandKind.STANDING: Command(does=_standing, acts=effect(Act.HELD, Act.HOLD_RELEASED)),
    ToyCommand.FINISH: Command(
        does=_by_word,
        route=routes.FINISH,
        track=MAKING,
        events=(MakingEvent.FINISH,),
        acts=effect(ToyAct.MADE),
        body=FinishRequest,
        named=("workshop",),
    ),
}
