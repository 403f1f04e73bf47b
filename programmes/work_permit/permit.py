"""The permit after the approval: awaited, given by a paper that two people sign, running out; then the case ends."""

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.decisions import renewals, review
from cases.decisions.ending import close as close_case
from cases.decisions.proposals import need_no_proposal
from cases.decisions.reported_days import need_day
from cases.moves.moving import move, need_move
from cases.notices.compose import Said
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of, morning_of, start_of
from domain.errors import need
from domain.forms import need_form
from programmes.work_permit import ending, residences
from programmes.work_permit.requests import WorkPermitAnswer, WorkPermitOutcomeRequest, WorkPermitRequest
from programmes.work_permit.stages import AT_PERMIT, PermitEvent, WorkPermitEvent
from programmes.work_permit.tables import WORK_PERMITS, with_earlier, work_permit, work_permits
from programmes.work_permit.words import WorkPermitAct, WorkPermitDeadline, WorkPermitProposal, WorkPermitStage
from store.rows.work import DeadlineRow
from store.tables import cases

_KEY: Final = AT_PERMIT.key
_BY_ANSWER: Final = {
    WorkPermitAnswer.ISSUED: PermitEvent.ISSUE,
    WorkPermitAnswer.REFUSED: PermitEvent.REFUSE,
    WorkPermitAnswer.CANCELLED: PermitEvent.CANCEL,
}


async def begin(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Wait for the authority's answer once the approval has settled, and for the person's entry beside it."""
    move(file, PermitEvent.AWAIT, actor, at, track=AT_PERMIT)
    days = file.pack.integer("promised_decision_days")
    due = file.set_working_days(WorkPermitDeadline.OUTCOME_EXPECTED, day_of(at), days, destination=_KEY)
    file.set_track(WORK_PERMITS, _KEY, at, due_at=due.at, due_provisional=due.provisional)
    file.record(WorkPermitAct.AWAITED, actor, at, destination=_KEY)
    residences.begin(file, actor, at)


def refuses_outcome(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse an answer where none is awaited."""
    need_move(file, WorkPermitEvent.PROPOSE_OUTCOME, actor)
    need_move(file, PermitEvent.ISSUE, actor, AT_PERMIT)


async def propose_outcome(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: WorkPermitOutcomeRequest
) -> None:
    """Keep what a paper says for a second signature, with what of it should be looked at twice.

    Raises:
        Refused: `wrong_stage`, `already_decided`; `invalid` for a permit whose days are over.
    """
    refuses_outcome(file, actor, None, at)
    need_no_proposal(file)
    need_move(file, _BY_ANSWER[asked.outcome], actor, AT_PERMIT)
    if asked.valid_until is not None:
        need_day("valid_until", asked.valid_until, earliest=day_of(at), before="work_permit_over")
    kept = asked.model_dump(mode="json") | {"unusual": await _unusual(file, connection, asked)}
    file.row.round += 1
    file.set_track(WORK_PERMITS, _KEY, at, entered=kept)
    review.propose(file, actor, at, WorkPermitEvent.PROPOSE_OUTCOME, WorkPermitProposal.OUTCOME, (), None)


async def _unusual(file: CaseFile, connection: AsyncConnection, asked: WorkPermitOutcomeRequest) -> list[str]:
    """Return the fields that whoever signs should compare with the paper; a bound that is not law refuses nothing."""
    found = []
    if asked.category is not None and asked.category != need_form(file.application, WorkPermitRequest).category:
        found.append("category")
    if asked.valid_from and asked.valid_until and asked.category:
        years = file.pack.integer(f"{asked.category.value.lower()}_longest_years")
        if asked.valid_until >= _years_after(asked.valid_from, years):
            found.append("valid_until")
    known = {need(work_permit(file), "work_permit").number, asked.number, None}
    if asked.number is not None and (len(known) > 2 or await _numbers_of_person(file, connection) - {asked.number}):
        found.append("number")
    return found


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # of 29 February
        return date(day.year + years, 3, 1)


async def _numbers_of_person(file: CaseFile, connection: AsyncConnection) -> set[str]:
    """Return the numbers of the person's other permits: a foreigner has one for life."""
    same = select(cases.c.reference).where(cases.c.person_id == file.row.person_id, cases.c.reference != file.reference)
    query = select(work_permits.c.number).where(work_permits.c.reference.in_(same), work_permits.c.number.is_not(None))
    return set((await connection.execute(query)).scalars())


def confirm_outcome(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Take what the paper says, by the second signature: the permit is given, or refused and the case over."""
    need_move(file, WorkPermitEvent.CONFIRM_OUTCOME, actor)
    row = need(work_permit(file), "work_permit")
    kept = need(row.entered, "entered")
    entered = WorkPermitOutcomeRequest.model_validate({name: kept[name] for name in kept if name != "unusual"})
    file.row.change(pending_act=None, pending=None)
    move(file, WorkPermitEvent.CONFIRM_OUTCOME, actor, at)
    file.record(Act.CONFIRMED, actor, at, outcome=WorkPermitProposal.OUTCOME)
    file.cancel_deadlines(WorkPermitDeadline.OUTCOME_EXPECTED, destination=_KEY)
    file.set_track(WORK_PERMITS, _KEY, at, entered=None, due_at=None, due_provisional=False)
    if entered.outcome is WorkPermitAnswer.CANCELLED:
        end(file, actor, at, PermitEvent.CANCEL, WorkPermitAct.CANCELLED)
    elif entered.outcome is WorkPermitAnswer.ISSUED:
        give(file, actor, at, entered)
    elif row.stage == WorkPermitStage.EXTENDING:
        not_extended(file, actor, at)
    else:
        end(file, actor, at, PermitEvent.REFUSE, WorkPermitAct.REFUSED)


def give(file: CaseFile, actor: Actor, at: datetime, paper: WorkPermitOutcomeRequest) -> None:
    """Let a permit be given, or given anew, as a paper says, and plan its window and its end, and the contract's."""
    row = need(work_permit(file), "work_permit")
    act = WorkPermitAct.ISSUED
    if row.valid_until is not None:
        act = WorkPermitAct.EXTENDED
        file.set_track(WORK_PERMITS, _KEY, at, earlier=with_earlier(row))
    values = {"number": paper.number, "category": need(paper.category, "category").value}
    days = {"valid_from": paper.valid_from, "valid_until": paper.valid_until}
    file.set_track(WORK_PERMITS, _KEY, at, **values, **days)
    said = Said(facts={**days, "permit_number": paper.number})
    move(file, PermitEvent.ISSUE, actor, at, track=AT_PERMIT, said=said)
    plan_window(file, at)
    ending.plan(file)
    file.record(act, actor, at, destination=_KEY)
    if act == WorkPermitAct.EXTENDED:
        residences.follow_anew(file, actor, at)


def not_extended(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Let a permit that the authority did not extend run to its last day, or end where that has passed."""
    until = need(need(work_permit(file), "work_permit").valid_until, "valid_until")
    if until < day_of(at):
        end(file, actor, at, PermitEvent.EXPIRE, WorkPermitAct.EXPIRED)
        return
    move(file, PermitEvent.REFUSE, actor, at, track=AT_PERMIT, said=Said(facts={"valid_until": until}))
    ending.plan(file)
    file.record(WorkPermitAct.EXTENSION_REFUSED, actor, at, destination=_KEY)


def withhold_outcome(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Forget what the paper was entered to say, where the second signature is not given."""
    file.set_track(WORK_PERMITS, _KEY, at, entered=None)


def window_of(file: CaseFile) -> tuple[date, date]:
    """Return the first and the last day on which an extension of the permit is asked for in time, both of them in."""
    until = need(need(work_permit(file), "work_permit").valid_until, "valid_until")
    opens, closes = (file.pack.integer(name) for name in ("extension_opens_days", "extension_closes_days"))
    return until - timedelta(days=opens), until - timedelta(days=closes)


def plan_window(file: CaseFile, at: datetime) -> None:
    """Set when people are told of the window, and when the permit expires; of days that are past only the last."""
    file.cancel_deadlines(WorkPermitDeadline.WINDOW, WorkPermitDeadline.EXPIRED, destination=_KEY)
    until = need(need(work_permit(file), "work_permit").valid_until, "valid_until")
    opens, closes = window_of(file)
    mornings = [morning_of(day) for day in (opens, opens + (closes - opens) / 2, closes)]
    past = sum(moment <= at for moment in mornings)
    for step, moment in list(enumerate(mornings, start=1))[max(0, past - 1) :]:
        file.set_deadline(WorkPermitDeadline.WINDOW, max(moment, at), destination=_KEY, step=step)
    file.set_deadline(WorkPermitDeadline.EXPIRED, start_of(until + timedelta(days=1)), destination=_KEY)


def tell_window(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Tell when an extension can be asked for, and open the window the first time."""
    row = need(work_permit(file), "work_permit")
    until, (_, closes) = need(row.valid_until, "valid_until"), window_of(file)
    days = {"valid_until": until, "apply_by": closes, "days_left": (until - day_of(at)).days}
    opens = row.stage == WorkPermitStage.ISSUED
    event = PermitEvent.OPEN_WINDOW if opens else PermitEvent.REMIND
    said = Said(occasion=f"{until}/{deadline.step}", facts=days)
    move(file, event, actor, at, track=AT_PERMIT, said=said)
    act = WorkPermitAct.WINDOW_OPENED if opens else Act.REMINDED
    file.record(act, actor, at, destination=_KEY, step=deadline.step)


def expire(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Let a permit expire that was not extended: it is void, and another is a case of its own.

    While an extension waits it is looked at again each day.
    """
    if ending.is_extending(file):
        tomorrow = start_of(day_of(at) + timedelta(days=1))
        file.set_deadline(WorkPermitDeadline.EXPIRED, tomorrow, destination=_KEY)
        return
    end(file, actor, at, PermitEvent.EXPIRE, WorkPermitAct.EXPIRED)


def end(file: CaseFile, actor: Actor, at: datetime, event: str, act: str) -> None:
    """End the permit by an event of its table, and with it the residence permit that is not given yet, and the case."""
    row = need(work_permit(file), "work_permit")
    until = row.valid_until
    ended_on = until if act == WorkPermitAct.EXPIRED else day_of(at)
    file.set_track(WORK_PERMITS, _KEY, at, ended_on=ended_on, end_reason=str(act), entered=None)
    move(file, event, actor, at, track=AT_PERMIT, said=Said(facts={"valid_until": until} if until else {}))
    renewals.close(file, actor, at)
    residences.close(file, actor, at)
    file.row.change(ended_on=ended_on)
    close_case(file, at, str(act), *WorkPermitDeadline)
    move(file, WorkPermitEvent.OVER, actor, at)
    file.record(act, actor, at, destination=_KEY)


def late(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Let an officer ask where the authority's answer is, once its promise has passed."""
    move(file, PermitEvent.OUTCOME_LATE, actor, at, track=AT_PERMIT)
    file.record(Act.ESCALATED, actor, at, destination=_KEY)
