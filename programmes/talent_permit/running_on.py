"""Permits that run on under the case of another employer, where the days of the two employments touch (R58, R59).

Their end is reported to nobody until an officer has said what holds, or the days for that are over. What is moved keeps
its number, its days and the name that the authority has for its entry; whether the authority issues anew for another
employer is unconfirmed, and said so wherever it is asked or told.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case import terms as any_terms
from cases.case.file import CaseFile, load_case
from cases.moves.moving import Asked
from cases.moves.moving import move as move_case
from cases.shared import transfers
from domain.actors import Actor, system
from domain.acts import Act
from domain.answers import AnswerState
from domain.clock import day_of
from domain.errors import Refused, need
from domain.stages import Stage
from programmes.talent_permit import permits, terms
from programmes.talent_permit.given import known
from programmes.talent_permit.permit_stages import PERMIT_WITH_AUTHORITY, Destination, PermitStage
from programmes.talent_permit.reasons import PermitReason
from programmes.talent_permit.stages import LifeEvent, PermitEvent
from programmes.talent_permit.tables import PERMIT_TERMS, PermitRow, PermitTermRow, destinations_of, permit_rows
from programmes.talent_permit.words import PermitAct, PermitAnswer, PermitDeadline, PermitTask
from store.rows.work import DeadlineRow

_WAITS: Final = (PermitDeadline.MOVE_EXPECTED.value, "", 0)
_MOVED: Final = PermitReason.MOVED_WITHIN_PARK.value
_UNREAD: Final = (AnswerState.STORED, AnswerState.EARLY, AnswerState.HELD, AnswerState.RENEWAL)
_ISSUES_ANEW: Final = "unconfirmed"
# What the row of a permit takes with it, beside its stage.
_TAKEN: Final = (
    *terms.GIVEN, "sent_at", "accepted_on", "due_at", "due_provisional", "decided_on", "card_lost_on", "answered_for",
)  # fmt: skip
_COMES: Final = {
    PermitStage.SUBMITTED: PermitEvent.SUBMITTED_ELSEWHERE,
    PermitStage.ACCEPTED: PermitEvent.ACCEPTED_ELSEWHERE,
    PermitStage.ISSUED: PermitEvent.ISSUED_ELSEWHERE,
}


# --- The case that ends -----------------------------------------------------------------------------------------------


def gap(before: CaseFile, after: CaseFile) -> int:
    """Return the calendar days between the last day of one employment and the first of the other."""
    last = need(before.row.ended_on, "ended_on")
    return max((known(after).employment.contract_start - last).days - 1, 0)


def wait(file: CaseFile, at: datetime) -> None:
    """Let the permits of a registration that ended wait for what an officer says of them under the next one."""
    if permits.running(file):
        days = file.context.limits.park_decision_days
        file.set_working_days(PermitDeadline.MOVE_EXPECTED, day_of(at), days)


def rest(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Report the end of the registration for each permit that waited and runs on under no other."""
    if _WAITS in file.deadlines:
        permits.registration_ended(file, actor, at, "registration_ended")


def move_missed(file: CaseFile, actor: Actor, at: datetime, _deadline: DeadlineRow) -> None:
    """Report the same where nobody said in time what becomes of the permits."""
    if file.stage is Stage.ENDED:
        permits.registration_ended(file, actor, at, "registration_ended")


def has_moved(permit: PermitRow) -> bool:
    """Whether a permit runs on under another case."""
    return permit.stage == PermitStage.ENDED and permit.end_reason == _MOVED


# --- The case that follows --------------------------------------------------------------------------------------------


async def find_before(file: CaseFile, connection: AsyncConnection, *, lock: bool = False) -> CaseFile | None:
    """Return the case that ended so that this one follows it, where permits of it wait to be moved; else None."""
    side = await transfers.find_followed(connection, file.reference)
    if side is None:
        return None
    before = await load_case(file.context, connection, side.reference, lock=lock)
    return before if _WAITS in before.deadlines and offered(file, before) else None


def offered(file: CaseFile, before: CaseFile | None) -> list[Destination]:
    """Return the destinations of a case whose permit runs under the one before."""
    return [] if before is None else [each for each in permits.running(before) if each in destinations_of(file)]


def waiting(file: CaseFile) -> list[Destination]:
    """Return the destinations of which an officer is still asked whether their permit runs on."""
    task = file.find_task(PermitTask.PERMIT_MOVE)
    return [] if task is None else [Destination(each) for each in task.detail["permits"]]


def ask(file: CaseFile, actor: Actor, at: datetime, before: CaseFile) -> None:
    """Ask an officer whether the permits of the case before run on under this one, or begin anew (R58)."""
    wanted = offered(file, before)
    detail = {
        "permits": {each.value: _shown(before, each, day_of(at)) for each in wanted},
        "last_day": need(before.row.ended_on, "ended_on").isoformat(),
        "first_day": known(file).employment.contract_start.isoformat(),
        "gap_days": gap(before, file),
        "issues_anew": _ISSUES_ANEW,
    }
    move_case(file, LifeEvent.ASK_MOVE, actor, at, asked=Asked(detail=detail))
    told = [each.value for each in wanted]
    file.record(PermitAct.PERMIT_MOVE_ASKED, actor, at, permits=told, gap_days=detail["gap_days"])


def _shown(before: CaseFile, destination: Destination, on: date) -> dict[str, str | None]:
    permit, term = permit_rows(before)[destination], terms.find_shown(before, destination, on)
    given = permit if term is None else term
    days = {"valid_from": given.valid_from, "valid_until": given.valid_until}
    return {
        "stage": permit.stage,
        "authority_number": given.authority_number,
        **{name: day.isoformat() if day else None for name, day in days.items()},
    }


async def start_anew(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Let the permits of the case before be reported there as at any end (R59)."""
    _answered(file, actor, at, PermitAnswer.START_ANEW)
    if not file.previewed:
        await transfers.let_rest(connection, file.reference, at)


async def move(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, wanted: Collection[Destination]
) -> None:
    """Let permits of the case before run on under this one, in one transaction with their end there (R59, P60, P61).

    Raises:
        Refused: `wrong_stage` where the case before waits no more, or a permit is not as the officer saw it;
            `already_decided` where an answer or a proposal about one waits there.
    """
    before = await find_before(file, connection, lock=True)
    moved = offered(file, before)
    if before is None or not set(moved) <= set(wanted):
        raise Refused("wrong_stage", words="permit_not_running")
    for destination in moved:
        _need_settled(before, destination)
    _answered(file, actor, at, PermitAnswer.MOVE)
    engine = system("permit_move")
    for destination in moved:
        _take_over(file, before, actor, at, destination)
        _end_there(before, engine, at, destination)
    # What runs there and is not asked for here is reported, and nothing waits any more.
    rest(before, engine, at)
    permits.follow_up(file)
    if not file.previewed:
        await before.save(connection)
        await transfers.let_rest(connection, file.reference, at)


def _answered(file: CaseFile, actor: Actor, at: datetime, outcome: str) -> None:
    move_case(file, LifeEvent.ANSWER_MOVE, actor, at)
    file.record(Act.TASK_ANSWERED, actor, at, outcome=outcome, kind="permit_move")


def _need_settled(before: CaseFile, destination: Destination) -> None:
    """Refuse to move a permit about which something waits that belongs to the case where it was said."""
    unread = any(each.destination == destination and each.state in _UNREAD for each in before.answers)
    if unread or permit_rows(before)[destination].pending_act is not None:
        raise Refused("already_decided", words="permit_answer_waits")


def _take_over(file: CaseFile, before: CaseFile, actor: Actor, at: datetime, destination: Destination) -> None:
    permit = permit_rows(before)[destination]
    stage = PermitStage(need(permit.stage, "stage"))
    values = {name: getattr(permit, name) for name in _TAKEN}
    name = permit.entry_case or f"{before.reference}/{destination.value}"
    permits.move_permit(
        file, destination, _COMES[stage], actor, at, **values, entry_case=name, earlier=list(permit.earlier)
    )
    kept = _running_terms(terms.term_rows(before, destination))
    for row in kept:
        here = replace(row, reference=file.reference, employer_id=file.employer_id)
        any_terms.add_term(file, PERMIT_TERMS, here)
    for deadline in permits.timers_of(before, destination):
        file.set_deadline(deadline.kind, deadline.at, destination=destination.value, step=deadline.step)
    told = max((row.number for row in kept), default=0)
    file.record(
        PermitAct.PERMIT_TAKEN_OVER, actor, at, destination=destination.value, outcome=stage.value, terms=told,
        issues_anew=_ISSUES_ANEW,
    )  # fmt: skip
    permits.tell_employer(file, actor, at, destination)


def _end_there(before: CaseFile, actor: Actor, at: datetime, destination: Destination) -> None:
    for row in _running_terms(terms.kept_terms(before, destination)):
        row.change(stage=PermitStage.ENDED.value, ended_on=day_of(at), end_reason=_MOVED)
    # Its entry is called so under the case that it runs on in.
    event, today = PermitEvent.MOVED_AWAY, day_of(at)
    permits.move_permit(before, destination, event, actor, at, entry_case=None, end_reason=_MOVED, decided_on=today)
    permits.end_track(before, destination, at)
    before.record(PermitAct.PERMIT_MOVED_AWAY, actor, at, destination=destination.value, reasons=[_MOVED])


def _running_terms(rows: Sequence[PermitTermRow]) -> list[PermitTermRow]:
    return [row for row in rows if row.stage in (*PERMIT_WITH_AUTHORITY, PermitStage.ISSUED)]
