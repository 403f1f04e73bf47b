"""What happens to a badge: its employer is asked when the case starts, and answers or is waited for no longer."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.parties import add_confirmer
from cases.commands import evidence, once_only, timers, verbs
from cases.commands.correcting import correct
from cases.decisions import assessing, review
from cases.moves.moving import move, need_move
from cases.notices.compose import Said
from cases.programme import Command, Timer, effect
from domain.actors import Actor, system
from domain.acts import Act
from domain.clock import day_of
from domain.commands import CommandKind
from domain.errors import Refused
from store.rows.work import DeadlineRow
from tests.programmes.badge import routes
from tests.programmes.badge.parts import CONFIRMER
from tests.programmes.badge.requests import BadgeRequest, EmploymentAnswer
from tests.programmes.badge.stages import AT, EMPLOYMENT, EmploymentEvent
from tests.programmes.badge.tables import EMPLOYMENTS, employment
from tests.programmes.badge.words import BadgeAct, BadgeCommand, BadgeDeadline, EmploymentStage


async def _start(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    engine = system("start", actor.correlation_id)
    assessing.start(file, engine, at)
    named = file.application.given_of("employment.employer")
    # Of an employer that the register does not have, an officer finds out what is behind it.
    if await add_confirmer(file, connection, CONFIRMER, named, at, by=CommandKind.START):
        move(file, EmploymentEvent.ASK, engine, at, track=AT, said=Said(occasion="1"))
        days = file.pack.integer("confirming_days")
        due = file.set_working_days(BadgeDeadline.CONFIRMATION, day_of(at), days, destination=AT.key)
        file.set_track(EMPLOYMENTS, AT.key, at, due_at=due.at, due_provisional=due.provisional)
        file.record(BadgeAct.ASKED, engine, at, destination=AT.key)


def _answer(file: CaseFile, event: str, act: str, actor: Actor, at: datetime) -> None:
    need_move(file, event, actor, AT)
    file.set_track(EMPLOYMENTS, AT.key, at, answered_on=day_of(at), due_at=None, due_provisional=False)
    file.cancel_deadlines(BadgeDeadline.CONFIRMATION, destination=AT.key)
    move(file, event, actor, at, track=AT)
    file.record(act, actor, at, destination=AT.key)


async def _confirm(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    _answer(file, EmploymentEvent.CONFIRM, BadgeAct.CONFIRMED, actor, at)


async def _deny(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    _answer(file, EmploymentEvent.DENY, BadgeAct.DENIED, actor, at)


def _over(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    _answer(file, EmploymentEvent.OVER, BadgeAct.UNANSWERED, actor, at)


async def _withdraw(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    review.withdraw(file, actor, at)
    asked = employment(file)
    if asked is not None and asked.stage == EmploymentStage.ASKED:
        _answer(file, EmploymentEvent.OVER, BadgeAct.UNANSWERED, system("withdraw", actor.correlation_id), at)


async def _no_standing(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    raise Refused("wrong_stage", "A person has no standing.")


def _refuses_decision(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse a decision while the employer is waited for."""
    asked = employment(file)
    if asked is not None and asked.stage == EmploymentStage.ASKED:
        raise Refused("wrong_stage", "The employer has not answered yet.")
    review.refuses_decision(file, actor, track, at)


async def _need_answered(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, given: Any) -> None:
    _refuses_decision(file, actor, None, at)


TIMERS: Final[Mapping[str, Timer]] = {**timers.TIMERS, BadgeDeadline.CONFIRMATION: _over}
_CORE: Final = verbs.owned_by_persons({**verbs.COMMANDS, **evidence.commands(), **once_only.commands()})
COMMANDS: Final[Mapping[str, Command]] = {
    **_CORE,
    CommandKind.START: replace(
        _CORE[CommandKind.START], does=_start, acts=effect(Act.STARTED, further=(BadgeAct.ASKED,))
    ),
    CommandKind.WITHDRAW: replace(
        _CORE[CommandKind.WITHDRAW], does=_withdraw, acts=effect(Act.WITHDRAWN, further=(BadgeAct.UNANSWERED,))
    ),
    CommandKind.DECIDE: replace(_CORE[CommandKind.DECIDE], refuses=_refuses_decision, before=_need_answered),
    CommandKind.CORRECT: correct("badge", BadgeRequest, routes.CORRECT),
    CommandKind.STANDING: Command(does=_no_standing, acts=effect(Act.HELD)),
    BadgeCommand.CONFIRM: Command(
        does=_confirm,
        route=routes.CONFIRM,
        track=EMPLOYMENT,
        events=(EmploymentEvent.CONFIRM,),
        acts=effect(BadgeAct.CONFIRMED),
        body=EmploymentAnswer,
    ),
    BadgeCommand.DENY: Command(
        does=_deny,
        route=routes.DENY,
        track=EMPLOYMENT,
        events=(EmploymentEvent.DENY,),
        acts=effect(BadgeAct.DENIED),
        body=EmploymentAnswer,
    ),
}
