"""The employment: its employer is asked when the case starts, answers or is waited for no longer, and tells its end."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.parties import add_confirmer, end_confirmer, need_known
from cases.decisions import assessing, review
from cases.decisions.facts import run_again
from cases.moves.moving import move, need_move
from cases.notices.compose import Said
from domain.actors import Actor, system
from domain.clock import day_of, start_of
from domain.commands import CommandKind
from domain.errors import Refused
from programmes.appraisal import recognising
from programmes.appraisal.parts import CONFIRMER
from programmes.appraisal.requests import EmploymentLeft
from programmes.appraisal.stages import AT_EMPLOYMENT, EmploymentEvent
from programmes.appraisal.tables import EMPLOYMENTS, employment, recognition
from programmes.appraisal.words import AppraisalAct, AppraisalDeadline, AppraisalReason, EmploymentStage
from store.rows.work import DeadlineRow

_KEY = AT_EMPLOYMENT.key


async def start(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    """Start the case, and ask the employer that it names."""
    engine = system("start", actor.correlation_id)
    assessing.start(file, engine, at)
    named = file.application.given_of("employment.employer")
    # Of an application from before unknown employers were refused, an officer finds out what is behind it.
    if await add_confirmer(file, connection, CONFIRMER, named, at, by=CommandKind.START):
        _ask(file, EmploymentEvent.ASK, engine, at)


async def need_employer(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, given: Any) -> None:
    """Refuse a change to an employer whom the Park does not know, before it is stored."""
    asked = given.model_dump() if isinstance(given, BaseModel) else given
    if asked.get("employer") is not None:
        await need_known(file.context, asked["employer"], "employer")


async def ask_another(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Let another employer confirm, once an officer has taken the change; the one before sees nothing more of it."""
    named = file.application.given_of("employment.employer")
    await end_confirmer(file, connection, at)
    file.cancel_deadlines(destination=_KEY)
    file.set_track(EMPLOYMENTS, _KEY, at, answered_on=None, last_day=None)
    if await add_confirmer(file, connection, CONFIRMER, named, at, by=CommandKind.ANSWER_TASK):
        _ask(file, EmploymentEvent.ASK_ANEW, actor, at)


def _ask(file: CaseFile, event: str, actor: Actor, at: datetime) -> None:
    before = employment(file)
    asked = str(1 if before is None else int(before.round or 0) + 1)
    move(file, event, actor, at, track=AT_EMPLOYMENT, said=Said(occasion=asked))
    days = file.pack.integer("confirming_days")
    due = file.set_working_days(AppraisalDeadline.CONFIRMATION, day_of(at), days, destination=_KEY)
    file.set_track(EMPLOYMENTS, _KEY, at, round=asked, due_at=due.at, due_provisional=due.provisional)
    file.record(AppraisalAct.ASKED, actor, at, destination=_KEY)


def _answer(file: CaseFile, event: str, act: str, actor: Actor, at: datetime) -> None:
    need_move(file, event, actor, AT_EMPLOYMENT)
    file.set_track(EMPLOYMENTS, _KEY, at, answered_on=day_of(at), due_at=None, due_provisional=False)
    file.cancel_deadlines(AppraisalDeadline.CONFIRMATION, destination=_KEY)
    move(file, event, actor, at, track=AT_EMPLOYMENT)
    file.record(act, actor, at, destination=_KEY)


async def confirm(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    """Take the employer's word that it is so; what only the employment had suspended is valid again."""
    _answer(file, EmploymentEvent.CONFIRM, AppraisalAct.CONFIRMED, actor, at)
    recognising.employed_again(file, system("confirmed", actor.correlation_id), at)
    await run_again(file, connection, at)


async def deny(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    """Take the employer's word that it is not so."""
    _answer(file, EmploymentEvent.DENY, AppraisalAct.DENIED, actor, at)
    engine = system("denied", actor.correlation_id)
    recognising.fall(file, engine, at, AppraisalReason.EMPLOYMENT_UNCONFIRMED)
    await run_again(file, connection, at)


def over(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Wait for the employer no longer; of somebody who is recognised an officer asks what is behind it."""
    event = EmploymentEvent.OVER if recognition(file) is None else EmploymentEvent.OVER_LATER
    _answer(file, event, AppraisalAct.UNANSWERED, actor, at)


async def leave(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    """Record the last day of work; on the day after it the recognition is suspended."""
    need_move(file, EmploymentEvent.LEAVE, actor, AT_EMPLOYMENT)
    last = EmploymentLeft.model_validate(body).last_day
    file.set_track(EMPLOYMENTS, _KEY, at, last_day=last)
    move(file, EmploymentEvent.LEAVE, actor, at, track=AT_EMPLOYMENT)
    file.record(AppraisalAct.LEAVING, actor, at, destination=_KEY)
    if last < day_of(at):
        _left(file, actor, at)
    else:
        on = start_of(last + timedelta(days=1))
        file.set_deadline(AppraisalDeadline.LEAVING, on, destination=_KEY)


def wait_again(file: CaseFile) -> None:
    """Wait again for what an employment waited for when its case ended."""
    row = employment(file)
    if row is None:
        return
    if row.stage == EmploymentStage.ASKED and row.due_at is not None:
        file.set_deadline(AppraisalDeadline.CONFIRMATION, row.due_at, destination=_KEY)
    if row.stage == EmploymentStage.CONFIRMED and row.last_day is not None:
        file.set_deadline(AppraisalDeadline.LEAVING, start_of(row.last_day + timedelta(days=1)), destination=_KEY)


def left(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Let the employment be over, on the day after its last."""
    _left(file, actor, at)


def _left(file: CaseFile, actor: Actor, at: datetime) -> None:
    file.cancel_deadlines(AppraisalDeadline.LEAVING, destination=_KEY)
    move(file, EmploymentEvent.LEFT, actor, at, track=AT_EMPLOYMENT)
    file.record(AppraisalAct.LEFT, actor, at, destination=_KEY)
    recognising.fall(file, system("left", actor.correlation_id), at, AppraisalReason.EMPLOYMENT_ENDED)


async def withdraw(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    """Withdraw the application; its employer is asked no longer."""
    review.withdraw(file, actor, at)
    asked = employment(file)
    if asked is not None and asked.stage == EmploymentStage.ASKED:
        engine = system("withdraw", actor.correlation_id)
        _answer(file, EmploymentEvent.OVER, AppraisalAct.UNANSWERED, engine, at)


def refuses_decision(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse a decision while the employer is waited for."""
    asked = employment(file)
    if asked is not None and asked.stage == EmploymentStage.ASKED:
        raise Refused("wrong_stage", "The employer has not answered yet; decide once it has, or its time is over.")
    review.refuses_decision(file, actor, track, at)


async def need_answered(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, given: Any) -> None:
    """Refuse a decision while the employer is waited for, before it is stored."""
    refuses_decision(file, actor, None, at)
