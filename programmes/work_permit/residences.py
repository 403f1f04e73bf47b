"""The residence permit beside the work permit: due within days of the entry, then answered, with its own clock.

An extension of the work permit begins that clock anew.
"""

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
from programmes.work_permit.tables import RESIDENCES, ResidenceRow, residence, work_permit
from programmes.work_permit.words import ResidenceStage, WorkPermitAct, WorkPermitDeadline
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

    What was refused may be applied for again.

    Raises:
        Refused: `wrong_stage`; `invalid` for a day to come, before the entry, or before the answer that came last.
    """
    applied_on = ResidenceApplicationRequest.model_validate(body).applied_on
    need_move(file, ResidenceEvent.APPLY, actor, AT_RESIDENCE)
    row = _row(file)
    entered_on = need(row.entered_on, "entered_on")
    need_day("applied_on", applied_on, earliest=entered_on, before="before_entry")
    if row.stage in (ResidenceStage.EXTENSION_DUE, ResidenceStage.REFUSED):
        need_day("applied_on", applied_on, earliest=row.decided_on, before="before_last_answer")
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
    # One that was given before keeps its days where another is refused.
    until = asked.valid_until if is_issued else _row(file).valid_until
    _rest(file, at, decided_on=asked.decided_on, valid_until=until)
    facts: dict[str, date | None] = {"valid_until": until, "decided_on": asked.decided_on}
    if not is_issued and (last := _last_to_apply(file)) >= day_of(at):
        facts["apply_by"] = last
    move(file, event, actor, at, track=AT_RESIDENCE, said=Said(facts=facts))
    act = WorkPermitAct.RESIDENCE_ISSUED if is_issued else WorkPermitAct.RESIDENCE_REFUSED
    file.record(act, actor, at, destination=_KEY)
    if is_issued and need(work_permit(file), "work_permit").earlier:
        follow_anew(file, actor, at)


def _last_to_apply(file: CaseFile) -> date:
    """Return the last day on which one that was refused can be applied for again."""
    row = _row(file)
    if row.valid_until is not None:
        return row.valid_until
    return need(row.entered_on, "entered_on") + timedelta(days=file.pack.integer("residence_application_days"))


def follow_anew(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Count until when a residence permit is to be extended that runs out before the work permit that was extended.

    By the law so many days before its last one, as for the permit itself; where that has passed, by its last day.
    """
    row, permit = _row(file), need(work_permit(file), "work_permit")
    until, needed = row.valid_until, need(permit.valid_until, "valid_until")
    if row.stage != ResidenceStage.ISSUED or (until is not None and until >= needed):
        return
    if until is None:
        last = day_of(at) + timedelta(days=file.pack.integer("residence_application_days"))
    else:
        in_time = until - timedelta(days=file.pack.integer("extension_closes_days"))
        last = in_time if in_time >= day_of(at) else until
    _expect(file, WorkPermitDeadline.RESIDENCE_DUE, at, start_of(last + timedelta(days=1)))
    said = Said(facts={"apply_by": last, "valid_until": until})
    move(file, ResidenceEvent.EXTEND, actor, at, track=AT_RESIDENCE, said=said)
    file.record(WorkPermitAct.RESIDENCE_EXTENSION_DUE, actor, at, destination=_KEY)


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
