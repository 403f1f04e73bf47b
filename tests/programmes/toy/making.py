"""What happens to a toy: begun once its approval has settled, made by its day or by an officer's word; then it ends."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.commands import evidence, objecting, once_only, timers, verbs
from cases.commands.changing import change_commands
from cases.commands.correcting import correct
from cases.decisions import ending
from cases.moves.moving import move, need_move
from cases.notices.compose import Said
from cases.programme import Command, Timer, effect
from domain.actors import Actor
from domain.clock import day_of
from domain.commands import CommandKind
from store.rows.evidence import EvidenceRow
from store.rows.work import DeadlineRow
from tests.programmes.toy import routes
from tests.programmes.toy.calls import GREETING
from tests.programmes.toy.requests import FinishRequest, ToyChange, ToyItem, ToyRequest
from tests.programmes.toy.stages import MAKING, MakingEvent, ToyEvent, making_at
from tests.programmes.toy.tables import MAKINGS, makings
from tests.programmes.toy.words import MakingStage, ToyAct, ToyCommand, ToyDeadline


async def begin(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Let the workshop begin, and greet the world outside."""
    make_in(file, actor, at, file.application.given_of("wish.workshop"))
    file.call(GREETING, at, destination=None)


def make_in(file: CaseFile, actor: Actor, at: datetime, workshop: str) -> None:
    """Let a workshop begin, and know the day by which it has to be done."""
    move(file, MakingEvent.BEGIN, actor, at, track=making_at(workshop))
    file.set_working_days(ToyDeadline.MADE, day_of(at), file.pack.integer("making_days"), destination=workshop)
    file.record(ToyAct.BEGUN, actor, at, destination=workshop)


def leave(file: CaseFile, actor: Actor, at: datetime, workshop: str) -> None:
    """Take a toy that is not made yet out of a workshop."""
    move(file, MakingEvent.LEAVE, actor, at, track=making_at(workshop))
    file.cancel_deadlines(ToyDeadline.MADE, destination=workshop)
    file.record(ToyAct.LEFT, actor, at, destination=workshop)


def _finish(file: CaseFile, actor: Actor, at: datetime, workshop: str) -> None:
    need_move(file, MakingEvent.FINISH, actor, making_at(workshop))
    file.set_track(MAKINGS, workshop, at, made_on=day_of(at))
    file.cancel_deadlines(ToyDeadline.MADE, destination=workshop)
    move(file, MakingEvent.FINISH, actor, at, track=making_at(workshop), said=Said(occasion=workshop))
    ending.close(file, at, ToyAct.MADE)
    move(file, ToyEvent.OVER, actor, at)
    file.record(ToyAct.MADE, actor, at, destination=workshop)


def _on_its_day(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    _finish(file, actor, at, deadline.destination)


async def stop(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, piece: EvidenceRow) -> None:
    """Make no toy whose age was not proved after all, until an officer has looked at it."""
    for workshop, making in makings(file).items():
        if piece.item == ToyItem.AGE and making.stage == MakingStage.MAKING:
            move(file, MakingEvent.STOP, actor, at, track=making_at(workshop))
            file.cancel_deadlines(ToyDeadline.MADE, destination=workshop)
            file.record(ToyAct.STOPPED, actor, at, destination=workshop)


async def _by_word(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    _finish(file, actor, at, body["workshop"])


TIMERS: Final[Mapping[str, Timer]] = {**timers.TIMERS, ToyDeadline.MADE: _on_its_day}
COMMANDS: Final[Mapping[str, Command]] = {
    **verbs.COMMANDS,
    **objecting.COMMANDS,
    **evidence.commands(ToyAct.STOPPED),
    **once_only.commands(ToyAct.STOPPED),
    **change_commands(ToyChange),
    CommandKind.CORRECT: correct("toy", ToyRequest),
    ToyCommand.FINISH: Command(
        does=_by_word,
        route=routes.FINISH,
        track=MAKING,
        events=(MakingEvent.FINISH, ToyEvent.OVER),
        acts=effect(ToyAct.MADE),
        body=FinishRequest,
        named=("workshop",),
    ),
}
