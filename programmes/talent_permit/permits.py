"""The following of talent permits: list entries, reports and what time does (P1 to P22)."""

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from cases.case.file import CaseFile
from cases.case.parts import destinations_of
from cases.decisions.reported_days import need_day
from cases.moves.moving import Asked, Moved, Spoken, move, need_move
from cases.notices.compose import Said
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of, morning_of, start_of
from domain.deadlines import DeadlineKind
from domain.errors import need
from domain.stages import DueKind, Holder, Stage
from domain.working_days import calendar_days_before
from programmes.talent_permit import renewal_days
from programmes.talent_permit.authority import inbox
from programmes.talent_permit.authority.answers import Outcome
from programmes.talent_permit.authority.known_entries import UNASKABLE, Found
from programmes.talent_permit.limits import limits_in
from programmes.talent_permit.notices import PermitNotice
from programmes.talent_permit.permit_stages import PERMIT_FINAL, Destination, PermitStage
from programmes.talent_permit.reasons import PermitReason
from programmes.talent_permit.stages import PermitEvent, permit_of
from programmes.talent_permit.tables import permit_rows, set_permit
from programmes.talent_permit.words import PermitAct, PermitDeadline, PermitProposal, PermitTask
from store.rows.authority import CallRow
from store.rows.work import DeadlineRow, TaskRow

_PERMIT_DEADLINES = (
    PermitDeadline.SENDING_EXPECTED,
    PermitDeadline.APPLICANT_REMINDER,
    PermitDeadline.APPLICANT_INACTIVE,
    PermitDeadline.AUTHORITY_LATE,
)
# What is told of an entry that the authority has, as calls are kept.
ENTRY_CHANGED: Final = "entry_changed"
GIVEN_UP: Final = "destination_given_up"
# What a list entry names of the person that can change.
NAMED_IN_ENTRY: Final = frozenset({"name_zh", "name_en", "permit_card_number"})
_TIMED = (PermitDeadline.PERMIT_EXPIRING, PermitDeadline.PERMIT_EXPIRED)


def move_permit(
    file: CaseFile,
    destination: Destination,
    event: PermitEvent,
    actor: Actor,
    at: datetime,
    *,
    asked: Asked | None = None,
    said: Said | Spoken | None = None,
    **values: Any,
) -> Moved:
    """Move a permit as its table says, once columns of it are set, or refuse and set none."""
    track = permit_of(destination)
    need_move(file, event, actor, track)
    set_permit(file, destination, at, **values)
    return move(file, event, actor, at, track=track, asked=asked or Asked(), said=Said() if said is None else said)


def make_eligible(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, reasons: tuple[str, ...]
) -> None:
    """Make a destination eligible and ask for its list entry (P1)."""
    move_permit(file, destination, PermitEvent.ELIGIBLE, actor, at)
    file.record(PermitAct.PERMIT_ELIGIBLE, actor, at, destination=destination.value, reasons=reasons)
    file.call("list_entry", at, destination=destination)
    days = limits_in(file.context).sending_days
    file.set_working_days(PermitDeadline.SENDING_EXPECTED, day_of(at), days, destination=destination.value)


def sent(file: CaseFile, actor: Actor, at: datetime, destination: Destination, found: Found | None = None) -> None:
    """Record that the authority's system took the list entry, or had it before (P4)."""
    if found is not None and found.entry.case != f"{file.reference}/{destination}":
        set_permit(file, destination, at, entry_case=found.entry.case)
    if permit_rows(file)[destination].stage != PermitStage.ELIGIBLE:
        return
    move_permit(file, destination, PermitEvent.SENT, actor, at, sent_at=at)
    file.cancel_deadlines(PermitDeadline.SENDING_EXPECTED, destination=destination.value)
    limits, day0 = limits_in(file.context), day_of(at)
    for step, moment in enumerate(file.calendar.mornings(day0, limits.applicant_reminders), start=1):
        file.set_deadline(PermitDeadline.APPLICANT_REMINDER, moment, destination=destination.value, step=step)
    inactive = file.calendar.mornings(day0, (limits.applicant_inactive_days,))[0]
    file.set_deadline(PermitDeadline.APPLICANT_INACTIVE, inactive, destination=destination.value)
    before: dict[str, Any] = {"entry": found.detail()} if found else {}
    file.record(PermitAct.PERMIT_SENT, actor, at, destination=destination.value, **before)
    follow_up(file)


def rejected(
    file: CaseFile,
    actor: Actor,
    at: datetime,
    destination: Destination,
    reason: str,
    found: Found | None = None,
) -> None:
    """Open a task for a list entry that the authority's system could not read (P6), or has another's in its place."""
    detail: dict[str, Any] = {"reason": reason}
    if found is not None:
        own = {"case": f"{file.reference}/{destination}", "registration_number": file.row.registration_number}
        detail |= {"differs": list(found.differs), "entry": found.detail(), "own": own}
    move_permit(file, destination, PermitEvent.SENDING_REJECTED, actor, at, asked=Asked(detail=detail))
    file.record(PermitAct.PERMIT_REJECTED, actor, at, destination=destination.value, reasons=[reason])


def next_term(file: CaseFile, actor: Actor, at: datetime, destination: Destination) -> None:
    file.call("list_entry", at, destination=destination, attempt=2)


def send_again(file: CaseFile, actor: Actor, at: datetime, task: TaskRow) -> None:
    """Send the mended list entries, or changes of them, that a task is about, each with the next attempt number (P6).

    An entry of the authority's that the officer saw to be another's keeps none from being sent again.
    """
    served = [Destination(each) for each in destinations_of(task)]
    for destination in served:
        need_move(file, PermitEvent.SEND_AGAIN, actor, permit_of(destination))
    alone = task.destination
    file.close_tasks([PermitTask.AUTHORITY_REJECTED], at, destination=Destination(alone) if alone else None)
    file.record(Act.TASK_ANSWERED, actor, at, outcome="send_again", destination=alone, kind="authority_rejected")
    if task.detail.get("what") == ENTRY_CHANGED:
        for each in served:
            _call_changed(file, at, each, task.detail.get("changed", ()), file.next_attempt(ENTRY_CHANGED, each))
        return
    seen, detail = task.detail, dict[str, Any]()
    if entry_id := seen.get("entry", {}).get("entry_id"):
        detail["passed_over"] = [entry_id]
    if str(seen.get("reason", "")).startswith(UNASKABLE):
        detail["unasked"] = True
    for each in served:
        file.call("list_entry", at, destination=each, attempt=file.next_attempt("list_entry", each), detail=detail)


def registration_ended(
    file: CaseFile, actor: Actor, at: datetime, what: str, *, in_batch: bool = False, reports: bool = True
) -> None:
    """Tell every permit that its registration ended: one not sent is closed, any other reported (P8, P13, P16).

    Args:
        file: the case.
        actor: who ended the registration.
        at: when.
        what: the fact that the authority is told; its answer decides.
        in_batch: whether it is told with one list for the whole employer.
        reports: whether it is told now; a disputed departure waits.
    """
    for destination in permit_rows(file):
        stage = _stage(file, destination)
        if stage in (None, PermitStage.ELIGIBLE):
            _close_unsent(file, actor, at, destination, PermitEvent.REGISTRATION_ENDED, PermitReason.REGISTRATION_ENDED)
        elif stage not in PERMIT_FINAL and reports:
            report(file, actor, at, destination, what, in_batch=in_batch)
    follow_up(file)


def _close_unsent(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, event: PermitEvent, why: PermitReason
) -> None:
    said = Said(facts={"end_reason": why.value})
    move_permit(file, destination, event, actor, at, end_reason=why.value, said=said)
    stop_waiting(file, destination, at)
    file.end_calls(at, "cancelled", *file.calls_of(destination))
    file.record(PermitAct.PERMIT_CLOSED, actor, at, destination=destination.value)


def report(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, what: str, *, in_batch: bool = False
) -> None:
    """Report once to the authority that a registration ended, and tell the person of an issued permit (P13, P16)."""
    move_permit(file, destination, PermitEvent.REGISTRATION_ENDED, actor, at, reported_at=at)
    file.record(PermitAct.PERMIT_REPORTED, actor, at, destination=destination.value, what=what)
    if not in_batch:
        on = (file.row.ended_on or day_of(at)).isoformat()
        file.call(what, at, destination=destination, detail={"on": on, "reason": file.row.end_reason})
        _expect_report(file, at, destination)


def _expect_report(file: CaseFile, at: datetime, destination: Destination) -> None:
    days = limits_in(file.context).report_days
    file.set_working_days(PermitDeadline.REPORT_EXPECTED, day_of(at), days, destination=destination.value)


def give_up(file: CaseFile, actor: Actor, at: datetime, destination: Destination) -> None:
    """Follow a destination no more that was given up: closed where it was not sent, else withdrawn at the authority.

    What was sent or issued stays as it is until the authority says what becomes of it (P12).
    """
    stage = _stage(file, destination)
    if stage in (None, PermitStage.ELIGIBLE):
        _close_unsent(file, actor, at, destination, PermitEvent.GIVEN_UP, PermitReason.WITHDRAWN)
    elif stage not in PERMIT_FINAL:
        move_permit(file, destination, PermitEvent.GIVEN_UP, actor, at)
        file.record(PermitAct.PERMIT_REPORTED, actor, at, destination=destination.value, what=GIVEN_UP)
        detail = {"on": day_of(at).isoformat(), "reason": PermitReason.WITHDRAWN.value}
        file.call(GIVEN_UP, at, destination=destination, detail=detail)
        _expect_report(file, at, destination)


def tell_entry(file: CaseFile, actor: Actor, at: datetime, destination: Destination, fields: Collection[str]) -> None:
    """Tell the authority what changed of what its entry names, where it has one.

    An entry that is still to be sent has what is known when it is sent. Whether one under way had it nobody knows, so
    that it is told once that entry was taken (`tell_what_changed`).
    """
    named, stage = sorted(NAMED_IN_ENTRY & set(fields)), _stage(file, destination)
    if not named or stage is None or stage in PERMIT_FINAL:
        return
    if stage is PermitStage.ELIGIBLE:
        for row in file.calls:
            if row.what == "list_entry" and row.destination == destination:
                file.change_call(row, detail=row.detail | {"changed": sorted({*row.detail.get("changed", ()), *named})})
        return
    _tell_change(file, actor, at, destination, named)


def tell_what_changed(file: CaseFile, actor: Actor, at: datetime, row: CallRow) -> None:
    """Tell the authority what changed while its list entry was under way."""
    destination = Destination(need(row.destination, "destination"))
    if named := row.detail.get("changed"):
        _tell_change(file, actor, at, destination, named)


def _tell_change(file: CaseFile, actor: Actor, at: datetime, destination: Destination, named: Sequence[str]) -> None:
    # What is told is how the entry has to be from now on, so that of two changes the second says it all.
    earlier = [each for each in file.calls if each.destination == destination and each.what == ENTRY_CHANGED]
    named = sorted({*named, *(name for each in earlier for name in each.detail["changed"])})
    file.end_calls(at, "cancelled", *(each.key for each in earlier))
    _call_changed(file, at, destination, named)
    file.record(
        PermitAct.PERMIT_REPORTED, actor, at, destination=destination.value, what=ENTRY_CHANGED, fields=list(named)
    )
    _expect_report(file, at, destination)


def _call_changed(
    file: CaseFile, at: datetime, destination: Destination, named: Sequence[str], attempt: int = 1
) -> None:
    detail = {"on": str(file.row.facts_version), "changed": list(named)}
    file.call(ENTRY_CHANGED, at, destination=destination, attempt=attempt, detail=detail)


def change_rejected(file: CaseFile, actor: Actor, at: datetime, row: CallRow, reason: str) -> None:
    """Open a task for a change of an entry that the authority's system could not take."""
    destination = Destination(need(row.destination, "destination"))
    file.cancel_deadlines(PermitDeadline.REPORT_EXPECTED, destination=destination.value)
    if _stage(file, destination) in PERMIT_FINAL:
        return  # the entry holds nothing any more
    detail = {"reason": reason, "what": ENTRY_CHANGED, "changed": row.detail["changed"]}
    move_permit(file, destination, PermitEvent.CHANGE_REJECTED, actor, at, asked=Asked(detail=detail))
    file.record(PermitAct.PERMIT_REJECTED, actor, at, destination=destination.value, reasons=[reason])


def need_lost_day(file: CaseFile, actor: Actor, at: datetime, destination: Destination, lost_on: date) -> None:
    """Refuse a card lost in the future, or before the permit was issued on it (P19)."""
    need_move(file, PermitEvent.CARD_LOST, actor, permit_of(destination))
    permit = permit_rows(file)[destination]
    known = [day for day in (permit.decided_on, permit.valid_from) if day is not None]
    need_day("lost_on", lost_on, latest=day_of(at), after="in_future")
    need_day("lost_on", lost_on, earliest=min(known, default=None), before="before_issue")


def card_lost(file: CaseFile, actor: Actor, at: datetime, destination: Destination, lost_on: date) -> None:
    """Record a lost card and report it to the authority (P19)."""
    said = Said(occasion=f"{file.round}/{lost_on}", facts={"card_lost_on": lost_on})
    move_permit(file, destination, PermitEvent.CARD_LOST, actor, at, card_lost_on=lost_on, said=said)
    if file.is_finished():
        # The workflow that would tell the authority has closed: the operator does (P17, P19).
        file.unsent.append(destination)
    else:
        file.call("card_lost", at, destination=destination, detail={"on": lost_on.isoformat(), "reason": "card_lost"})
    file.record(PermitAct.CARD_LOST, actor, at, destination=destination.value, lost_on=lost_on.isoformat())


def plan_expiry(file: CaseFile, destination: Destination, at: datetime) -> None:
    """Set the reminders before the end of an issued permit and its end; those already past are skipped (P21, P22)."""
    file.cancel_deadlines(*_TIMED, destination=destination.value)
    until = need(permit_rows(file)[destination].valid_until, "valid_until")
    numbers = limits_in(file.context).permit_reminders
    for left, day in zip(sorted(numbers, reverse=True), calendar_days_before(until, numbers), strict=True):
        if morning_of(day) > at:
            file.set_deadline(PermitDeadline.PERMIT_EXPIRING, morning_of(day), destination=destination.value, step=left)
    ends = start_of(until + timedelta(days=1))
    file.set_deadline(PermitDeadline.PERMIT_EXPIRED, ends, destination=destination.value)


def stop_waiting(file: CaseFile, destination: Destination, at: datetime) -> None:
    """Stop what runs until the authority's answer beside tasks: reminders, limits and a proposal to withhold."""
    file.cancel_deadlines(*_PERMIT_DEADLINES, destination=destination.value)
    set_permit(file, destination, at, due_at=None, due_provisional=False)
    if permit_rows(file)[destination].pending_act == PermitProposal.WITHHOLD:
        set_permit(file, destination, at, pending_act=None, pending=None)


def end_track(file: CaseFile, destination: Destination, at: datetime) -> None:
    """Stop whatever still runs for a permit that has its end; a proposal about an answer still waits to be signed."""
    stop_waiting(file, destination, at)
    file.cancel_deadlines(*_TIMED, PermitDeadline.REPORT_EXPECTED, destination=destination.value)
    follow_up(file)


def pass_deadline(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Do what is due for a permit."""
    _ON_TIME[deadline.kind](file, actor, at, Destination(deadline.destination), deadline)


def _remind_applicant(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, deadline: DeadlineRow
) -> None:
    said = Said(occasion=f"{file.round}/{deadline.step}")
    move_permit(file, destination, PermitEvent.APPLICANT_REMINDER_DUE, actor, at, said=said)
    file.record(Act.REMINDED, actor, at, destination=destination.value, step=deadline.step)


def _ask_about_applicant(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, deadline: DeadlineRow
) -> None:
    move_permit(file, destination, PermitEvent.APPLICANT_INACTIVE, actor, at)
    file.record(Act.REMINDED, actor, at, destination=destination.value, step=deadline.kind)


def _remind_of_expiry(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, deadline: DeadlineRow
) -> None:
    until = permit_rows(file)[destination].valid_until
    facts = {"valid_until": until, "days_left": deadline.step, "renew_by": renewal_days.renew_by(file, until, at)}
    said = Said(occasion=f"{until}/{deadline.step}", facts=facts)
    is_told = not (is_renewed(file, destination) or renewal_days.is_renewed(file, destination, until))
    spoken = [(PermitNotice.PERMIT_EXPIRING, said)] if is_told else []
    move_permit(file, destination, PermitEvent.EXPIRY_REMINDER_DUE, actor, at, said=spoken)
    file.record(Act.REMINDED, actor, at, destination=destination.value, step=deadline.step)


def _expire(file: CaseFile, actor: Actor, at: datetime, destination: Destination, deadline: DeadlineRow) -> None:
    until = permit_rows(file)[destination].valid_until
    said = Said(occasion=str(until), facts={"valid_until": until})
    spoken = [] if is_renewed(file, destination) else [(PermitNotice.PERMIT_EXPIRED, said)]
    move_permit(file, destination, PermitEvent.EXPIRED, actor, at, said=spoken)
    end_track(file, destination, at)
    file.record(PermitAct.PERMIT_EXPIRED, actor, at, destination=destination.value)


def is_renewed(file: CaseFile, destination: Destination) -> bool:
    """Whether the authority has issued the next term, so that nobody is told that the permit ends."""
    return any(answer.outcome is Outcome.ISSUED for answer in inbox.renewals(file, destination))


def _show_unsent(file: CaseFile, actor: Actor, at: datetime, destination: Destination, deadline: DeadlineRow) -> None:
    move_permit(file, destination, PermitEvent.SENDING_DELAYED, actor, at)
    file.unsent.append(destination)


def _show_unreported(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, deadline: DeadlineRow
) -> None:
    file.unsent.append(destination)


def _late(file: CaseFile, actor: Actor, at: datetime, destination: Destination, deadline: DeadlineRow) -> None:
    due = need(permit_rows(file)[destination].due_at, "due_at")
    said = Said(occasion=str(deadline.step), facts={"answer_expected_on": day_of(due)})
    event = PermitEvent.AUTHORITY_LATE
    moved = move_permit(file, destination, event, actor, at, asked=Asked(due_at=due), said=said)
    file.change_task(moved.task, overdue=True)
    file.record(PermitAct.PERMIT_LATE, actor, at, destination=destination.value, step=deadline.step)


_ON_TIME: Final[dict[str, Callable[[CaseFile, Actor, datetime, Destination, DeadlineRow], None]]] = {
    PermitDeadline.APPLICANT_REMINDER: _remind_applicant,
    PermitDeadline.APPLICANT_INACTIVE: _ask_about_applicant,
    PermitDeadline.PERMIT_EXPIRING: _remind_of_expiry,
    PermitDeadline.PERMIT_EXPIRED: _expire,
    PermitDeadline.SENDING_EXPECTED: _show_unsent,
    PermitDeadline.REPORT_EXPECTED: _show_unreported,
    PermitDeadline.AUTHORITY_LATE: _late,
}
DEADLINES: Final = frozenset(_ON_TIME)


def _stage(file: CaseFile, destination: Destination) -> PermitStage | None:
    stage = permit_rows(file)[destination].stage
    return None if stage is None else PermitStage(stage)


def follow_up(file: CaseFile) -> None:
    """Say who acts next on an approved case: the authority, the person, or nobody."""
    if file.stage not in (Stage.APPROVED, Stage.ENDED):
        return
    accepted = [p for p in permit_rows(file).values() if p.stage == PermitStage.ACCEPTED and p.due_at]
    earliest = min(accepted, key=lambda p: need(p.due_at, "due_at"), default=None)
    stages = {p.stage for p in permit_rows(file).values()}
    holder = Holder.NONE
    if accepted:
        holder = Holder.AUTHORITY
    elif PermitStage.SUBMITTED in stages:
        holder = Holder.PERSON
    elif None in stages or PermitStage.ELIGIBLE in stages:
        holder = Holder.PARK
    asked = file.deadlines.get((DeadlineKind.DEPARTURE_ANSWER.value, "", 0))
    if asked is not None:
        return  # the employer is asked first
    file.row.change(
        due_at=earliest.due_at if earliest else None,
        due_kind=DueKind.AUTHORITY_ANSWER.value if earliest else None,
        due_provisional=earliest.due_provisional if earliest else False,
        holder=holder.value,
    )
