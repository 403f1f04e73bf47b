"""The residence permit beside the work permit: due within days of the entry, then answered, with its own clock."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.decisions.reported_days import need_day
from cases.moves.moving import move, need_move
from cases.notices.compose import Said
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of, start_of
from domain.errors import need
from programmes.work_permit.requests import (
    ResidenceApplicationRequest,
    ResidenceOutcomeRequest,
    WorkPermitEntryRequest,
    WorkPermitOutcome,
)
from programmes.work_permit.stages import AT_RESIDENCE, RESIDENCE, ResidenceEvent
from programmes.work_permit.tables import RESIDENCES, ResidenceRow, residence
from programmes.work_permit.words import WorkPermitAct, WorkPermitDeadline
from store.rows.work import DeadlineRow

_KEY: Final = AT_RESIDENCE.key


def begin(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Wait for the person's entry."""
    move(file, ResidenceEvent.AWAIT, actor, at, track=AT_RESIDENCE)
    file.record(WorkPermitAct.RESIDENCE_AWAITED, actor, at, destination=_KEY)


async def enter(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    """Count from the day of the entry until when the residence permit is to be applied for; a day may be mended.

    Raises:
        Refused: `wrong_stage`; `invalid` for a day to come.
    """
    entered_on = WorkPermitEntryRequest.model_validate(body).entered_on
    need_move(file, ResidenceEvent.ENTER, actor, AT_RESIDENCE)
    need_day("entered_on", entered_on, latest=day_of(at), after="in_future")
    last = entered_on + timedelta(days=file.pack.integer("residence_application_days"))
    due = start_of(last + timedelta(days=1))
    _expect(file, WorkPermitDeadline.RESIDENCE_DUE, at, due)
    file.set_track(RESIDENCES, _KEY, at, entered_on=entered_on)
    move(file, ResidenceEvent.ENTER, actor, at, track=AT_RESIDENCE, said=Said(facts={"apply_by": last}))
    file.record(WorkPermitAct.ENTERED, actor, at, destination=_KEY)


async def apply(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    """Expect the authority's answer, whose promise counts from the day of the application.

    Raises:
        Refused: `wrong_stage`; `invalid` for a day to come, or before the entry.
    """
    applied_on = ResidenceApplicationRequest.model_validate(body).applied_on
    need_move(file, ResidenceEvent.APPLY, actor, AT_RESIDENCE)
    entered_on = need(_row(file).entered_on, "entered_on")
    need_day("applied_on", applied_on, earliest=entered_on, before="before_entry")
    need_day("applied_on", applied_on, latest=day_of(at), after="in_future")
    days = file.pack.integer("residence_promised_days")
    file.cancel_deadlines(WorkPermitDeadline.RESIDENCE_DUE, destination=_KEY)
    due = file.set_working_days(WorkPermitDeadline.RESIDENCE_EXPECTED, applied_on, days, destination=_KEY)
    values = {"due_at": due.at, "due_provisional": due.provisional}
    file.set_track(RESIDENCES, _KEY, at, applied_on=applied_on, **values)
    move(file, ResidenceEvent.APPLY, actor, at, track=AT_RESIDENCE)
    file.record(WorkPermitAct.APPLIED, actor, at, destination=_KEY)


async def answer(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, body: Any) -> None:
    """Take what the authority answered, as an officer saw it.

    Raises:
        Refused: `wrong_stage`; `invalid` for a day to come, or before the application.
    """
    asked = ResidenceOutcomeRequest.model_validate(body)
    is_issued = asked.outcome is WorkPermitOutcome.ISSUED
    event = ResidenceEvent.ISSUE if is_issued else ResidenceEvent.REFUSE
    need_move(file, event, actor, AT_RESIDENCE)
    applied_on = need(_row(file).applied_on, "applied_on")
    need_day("decided_on", asked.decided_on, earliest=applied_on, before="before_application")
    need_day("decided_on", asked.decided_on, latest=day_of(at), after="in_future")
    file.cancel_deadlines(WorkPermitDeadline.RESIDENCE_EXPECTED, destination=_KEY)
    _rest(file, at, decided_on=asked.decided_on, valid_until=asked.valid_until)
    said = Said(facts={"valid_until": asked.valid_until} if is_issued else {})
    move(file, event, actor, at, track=AT_RESIDENCE, said=said)
    act = WorkPermitAct.RESIDENCE_ISSUED if is_issued else WorkPermitAct.RESIDENCE_REFUSED
    file.record(act, actor, at, destination=_KEY)


def close(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Follow a residence permit no more that is not given yet, since the work permit is over."""
    row = residence(file)
    if row is None or RESIDENCES.is_over(row):
        return
    _rest(file, at, decided_on=day_of(at))
    move(file, ResidenceEvent.CLOSE, actor, at, track=AT_RESIDENCE)
    file.record(WorkPermitAct.RESIDENCE_CLOSED, actor, at, destination=_KEY)


def overdue(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Tell that the residence permit was not applied for in time, and let an officer ask."""
    last = day_of(deadline.at) - timedelta(days=1)
    move(file, ResidenceEvent.OVERDUE, actor, at, track=AT_RESIDENCE, said=Said(facts={"apply_by": last}))
    file.record(Act.ESCALATED, actor, at, destination=_KEY)


def late(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Let an officer ask where the authority's answer is, once its promise has passed."""
    move(file, ResidenceEvent.ANSWER_LATE, actor, at, track=AT_RESIDENCE)
    file.record(Act.ESCALATED, actor, at, destination=_KEY)


def _expect(file: CaseFile, kind: str, at: datetime, due: datetime) -> None:
    file.set_deadline(kind, due, destination=_KEY)
    file.set_track(RESIDENCES, _KEY, at, due_at=due, due_provisional=False)


def _rest(file: CaseFile, at: datetime, **values: date | None) -> None:
    file.set_track(RESIDENCES, _KEY, at, due_at=None, due_provisional=False, **values)


def _row(file: CaseFile) -> ResidenceRow:
    return need(residence(file), RESIDENCE)
