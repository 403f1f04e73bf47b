"""The end of the contract: both are told by when the permit is to be cancelled, and its cancellation is asked for.

Whoever employs has so many working days after the last day of the contract (S69); the person may ask where the employer
has left, is suspended, or let that time pass (S70). A paper of the authority ends the permit (`permit`).
"""

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.renewals import under_way
from cases.decisions.reported_days import need_day
from cases.moves.moving import move, need_move
from cases.notices.compose import Said
from domain.actors import Actor, Role, system
from domain.acts import Act
from domain.clock import day_of, over_at, start_of
from domain.errors import FieldError, Refused, need
from domain.field_errors import FieldCode
from domain.forms import need_form
from domain.languages import Language
from domain.stages import Standing
from programmes.work_permit.life_requests import WorkPermitCancellationRequest, WorkPermitEndRequest
from programmes.work_permit.requests import WorkPermitJob, WorkPermitRequest
from programmes.work_permit.stages import AT_PERMIT, PermitEvent
from programmes.work_permit.tables import WORK_PERMITS, work_permit
from programmes.work_permit.words import WorkPermitAct, WorkPermitDeadline, WorkPermitStage, WorkPermitTask
from store.rows.work import DeadlineRow
from texts.problems import particular_sentence

_KEY: Final = AT_PERMIT.key


def plan(file: CaseFile) -> None:
    """Know when the contract is over, by what is known of it; an end that was reported stays."""
    if file.row.ended_on is None and work_permit(file) is not None:
        over = start_of(_job(file).contract_end + timedelta(days=1))
        file.set_deadline(WorkPermitDeadline.CONTRACT_OVER, over, destination=_KEY)


def is_extending(file: CaseFile) -> bool:
    """Whether an extension waits, for the park or for the authority, so that no day that passes ends anything."""
    row = work_permit(file)
    return under_way(file) is not None or (row is not None and row.stage == WorkPermitStage.EXTENDING)


def contract_over(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Count from the last day of the contract until when the permit is to be cancelled, unless an extension waits."""
    if is_extending(file):
        tomorrow = start_of(day_of(at) + timedelta(days=1))
        file.set_deadline(WorkPermitDeadline.CONTRACT_OVER, tomorrow, destination=_KEY)
        return
    _count(file, actor, at, PermitEvent.CONTRACT_OVER, _job(file).contract_end)


def refuses_end(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse an end where there is no permit, or its cancellation is asked for already."""
    need_move(file, PermitEvent.REPORT_END, actor, AT_PERMIT)
    _need_not_asked(file)


async def report(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    """Take the last day of the contract, which may lie ahead, and tell both until when the permit is to be cancelled.

    Raises:
        Refused: `wrong_stage`, `already_decided`; `invalid` for a day outside the contract.
    """
    refuses_end(file, actor, None, at)
    ended_on = WorkPermitEndRequest.model_validate(body).ended_on
    _need_within_contract(file, ended_on)
    _count(file, actor, at, PermitEvent.REPORT_END, ended_on)


def refuses_cancellation(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse a cancellation that is asked for already, or by the person while the employer is there to ask.

    Raises:
        Refused: `wrong_stage`, `already_decided`; `role_not_allowed` to the person, with what to do.
    """
    need_move(file, PermitEvent.ASK_CANCELLATION, actor, AT_PERMIT)
    _need_not_asked(file)
    is_gone = file.standing_on(day_of(at)) is not Standing.GOOD
    if actor.role is Role.PERSON and not (is_gone or _is_over(file, at)):
        raise Refused("role_not_allowed", words="work_permit_employer_cancels")


async def cancel(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    """Take on that a permit is to be cancelled; later than it should have been it is taken all the same, as late.

    Raises:
        Refused: as `refuses_cancellation`; `invalid` without a last day of the contract, or with one outside of it.
    """
    refuses_cancellation(file, actor, None, at)
    ended_on = WorkPermitCancellationRequest.model_validate(body).ended_on
    if file.row.ended_on is None or (ended_on not in (None, file.row.ended_on) and actor.role is not Role.PERSON):
        if ended_on is None:
            said = particular_sentence("work_permit_end_unknown", Language.EN)
            wrong = FieldError("ended_on", FieldCode.REQUIRED, said, words="work_permit_end_unknown")
            raise Refused("invalid", errors=[wrong], words="work_permit_end_unknown")
        _need_within_contract(file, ended_on)
        _count(file, system("cancel", actor.correlation_id), at, PermitEvent.CONTRACT_OVER, ended_on)
    late = _is_over(file, at)
    waits = file.deadlines.get((WorkPermitDeadline.CANCELLATION_DUE.value, _KEY, 0))
    if late and waits is not None:
        file.pass_deadline(waits)
        overdue(file, system("cancel", actor.correlation_id), at, waits)
    file.cancel_deadlines(WorkPermitDeadline.CANCELLATION_DUE, destination=_KEY)
    move(file, PermitEvent.ASK_CANCELLATION, actor, at, track=AT_PERMIT)
    file.record(WorkPermitAct.CANCELLATION_ASKED, actor, at, destination=_KEY, late=late)


def overdue(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Let an officer look where nobody asked in time, and tell both, of whom the person may ask from now on."""
    said = Said(facts={"apply_by": day_of(deadline.at), "ended_on": need(file.row.ended_on, "ended_on")})
    move(file, PermitEvent.CANCELLATION_OVER, actor, at, track=AT_PERMIT, said=said)
    file.record(Act.ESCALATED, actor, at, destination=_KEY)


def _count(file: CaseFile, actor: Actor, at: datetime, event: PermitEvent, ended_on: date) -> None:
    """Count the working days from the last day of the contract; nothing is said of the window any more."""
    file.row.change(ended_on=ended_on)
    over, window = WorkPermitDeadline.CONTRACT_OVER, WorkPermitDeadline.WINDOW
    file.cancel_deadlines(over, window, WorkPermitDeadline.CANCELLATION_DUE, destination=_KEY)
    days = file.pack.integer("cancellation_days")
    due = file.set_working_days(WorkPermitDeadline.CANCELLATION_DUE, ended_on, days, destination=_KEY)
    file.set_track(WORK_PERMITS, _KEY, at, due_at=due.at, due_provisional=due.provisional)
    facts = {"apply_by": day_of(due.at), "ended_on": ended_on}
    move(file, event, actor, at, track=AT_PERMIT, said=Said(facts=facts))
    file.record(WorkPermitAct.END_REPORTED, actor, at, destination=_KEY)


def _is_over(file: CaseFile, at: datetime) -> bool:
    """Whether the end is known and the time for its cancellation has passed."""
    due = need(work_permit(file), "work_permit").due_at
    return file.row.ended_on is not None and due is not None and over_at(due) <= at


def _need_not_asked(file: CaseFile) -> None:
    if file.find_task(WorkPermitTask.CANCELLATION, _KEY) is not None:
        raise Refused("already_decided", words="work_permit_cancellation_asked")


def _need_within_contract(file: CaseFile, ended_on: date) -> None:
    job = _job(file)
    need_day("ended_on", ended_on, earliest=job.contract_start, before="before_contract")
    need_day("ended_on", ended_on, latest=job.contract_end, after="after_contract")


def _job(file: CaseFile) -> WorkPermitJob:
    return need_form(file.application, WorkPermitRequest).job
