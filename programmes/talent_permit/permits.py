"""The following of talent permits: list entries, reports and what time does (P1 to P22, P28, P29)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from cases.case.file import CaseFile
from cases.case.parts import destinations_of
from cases.case.row import OneCase
from cases.decisions import cooling
from cases.decisions.reported_days import need_day
from cases.moves.moving import Asked, Moved, Spoken, move, need_move
from cases.notices.compose import Said
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of, morning_of, start_of
from domain.deadlines import DeadlineKind
from domain.errors import Refused, need
from domain.stages import DueKind, Holder, Stage
from domain.working_days import Deadline, calendar_days_before
from programmes.talent_permit import renewal_days, terms
from programmes.talent_permit.authority.keys import term_part
from programmes.talent_permit.authority.known_entries import UNASKABLE, Found
from programmes.talent_permit.limits import limits_in
from programmes.talent_permit.notices import PermitNotice
from programmes.talent_permit.permit_stages import PERMIT_FINAL, PERMIT_WITH_AUTHORITY, Destination, PermitStage
from programmes.talent_permit.reasons import PermitReason
from programmes.talent_permit.stages import PermitEvent, permit_of
from programmes.talent_permit.tables import PermitTermRow, permit_rows, set_permit
from programmes.talent_permit.words import PermitAct, PermitDeadline, PermitProposal, PermitTask
from store.rows.authority import CallRow
from store.rows.work import DeadlineRow, TaskRow

_PERMIT_DEADLINES = (
    PermitDeadline.SENDING_EXPECTED,
    PermitDeadline.APPLICANT_REMINDER,
    PermitDeadline.APPLICANT_INACTIVE,
    PermitDeadline.AUTHORITY_LATE,
    DeadlineKind.TAKES_EFFECT,
)
# Where an application is, for the permit or for a further term of it.
_WITH_AUTHORITY: Final = (PermitStage.ACCEPTED, PermitStage.ISSUED, PermitStage.EXPIRED)
_APPLIED_FOR: Final = (PermitStage.ELIGIBLE, PermitStage.SUBMITTED, PermitStage.ACCEPTED)
# What is told of an entry that the authority has, as calls are kept.
ENTRY_CHANGED: Final = "entry_changed"
GIVEN_UP: Final = "destination_given_up"
# What a list entry names of the person that can change.
NAMED_IN_ENTRY: Final = frozenset({"name_zh", "name_en", "permit_card_number"})
# What one names of the employer, told once a permit runs on under the case of another.
EMPLOYER_IN_ENTRY: Final = frozenset({"employer", "registration_number"})
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
    """Make a destination eligible and ask for its list entry (P1).

    One that was sent before and ended has an entry of its own, under the next attempt, for a further term.
    """
    attempt = 1
    if was_sent_before(file, destination):
        attempt = file.next_attempt("list_entry", destination)
        terms.add_term(file, destination, PermitStage.ELIGIBLE)
    move_permit(file, destination, PermitEvent.ELIGIBLE, actor, at)
    file.record(PermitAct.PERMIT_ELIGIBLE, actor, at, destination=destination.value, reasons=reasons)
    file.call("list_entry", at, destination=destination, attempt=attempt)
    days = limits_in(file.context).sending_days
    file.set_working_days(PermitDeadline.SENDING_EXPECTED, day_of(at), days, destination=destination.value)


def was_sent_before(file: CaseFile, destination: Destination) -> bool:
    """Whether the authority had a list entry of a permit that is not sent now: it ended, and is asked for anew."""
    permit = permit_rows(file).get(destination)
    return permit is not None and permit.sent_at is not None and permit.stage in (None, PermitStage.ELIGIBLE)


def sent(file: CaseFile, actor: Actor, at: datetime, destination: Destination, found: Found | None = None) -> None:
    """Record that the authority's system took the list entry, or had it before (P4)."""
    if found is not None and found.entry.case != f"{file.reference}/{destination}":
        set_permit(file, destination, at, entry_case=found.entry.case)
    if permit_rows(file)[destination].stage != PermitStage.ELIGIBLE:
        return
    said = Said(occasion=_occasion(file, destination))
    move_permit(file, destination, PermitEvent.SENT, actor, at, sent_at=at, said=said)
    for term in _asked_anew(file, destination):
        term.change(stage=PermitStage.SUBMITTED.value, sent_at=at)
    file.cancel_deadlines(PermitDeadline.SENDING_EXPECTED, destination=destination.value)
    _expect_applicant(file, at, destination)
    before: dict[str, Any] = {"entry": found.detail()} if found else {}
    file.record(PermitAct.PERMIT_SENT, actor, at, destination=destination.value, **before)
    follow_up(file)


def _asked_anew(file: CaseFile, destination: Destination) -> list[PermitTermRow]:
    """Return the term that was asked for after the permit had ended, while it is not issued yet; none without one."""
    if _stage(file, destination) not in _APPLIED_FOR:
        return []
    pending = terms.find_pending(terms.term_rows(file, destination))
    return [pending] if pending is not None and pending.number > 1 else []


def _occasion(file: CaseFile, destination: Destination, more: str = "") -> str | None:
    """Return what makes a notice about an application one: its term, where that is not the first."""
    terms_asked = [*_asked_anew(file, destination), terms.find_next_pending(file, destination)]
    number = next((f"/term/{term.number}" for term in terms_asked if term is not None), "")
    return f"{file.round}{number}{more}" if number or more else None


def _expect_applicant(file: CaseFile, at: datetime, destination: Destination) -> None:
    """Set the reminders to apply in person, and when an officer asks (P14)."""
    limits, day0 = limits_in(file.context), day_of(at)
    for step, moment in enumerate(file.calendar.mornings(day0, limits.applicant_reminders), start=1):
        file.set_deadline(PermitDeadline.APPLICANT_REMINDER, moment, destination=destination.value, step=step)
    inactive = file.calendar.mornings(day0, (limits.applicant_inactive_days,))[0]
    file.set_deadline(PermitDeadline.APPLICANT_INACTIVE, inactive, destination=destination.value)


def next_term(file: CaseFile, actor: Actor, at: datetime, destination: Destination) -> int:
    """Ask for the list entry of the next term of a permit that was issued, and return the term's number (P28).

    Raises:
        Refused: `wrong_stage` where the permit was never issued or has ended otherwise than by its last day, where the
            registration is not in force, or where a further term is under way already.
    """
    need_next_term(file, actor, destination)
    move_permit(file, destination, PermitEvent.NEXT_ASKED, actor, at)
    term = terms.add_term(file, destination, PermitStage.ELIGIBLE)
    file.record(PermitAct.PERMIT_TERM_ASKED, actor, at, destination=destination.value, term=term.number)
    _send_entry_of(file, at, destination, term.number)
    days = limits_in(file.context).sending_days
    file.set_working_days(PermitDeadline.SENDING_EXPECTED, day_of(at), days, destination=destination.value)
    follow_up(file)
    return term.number


def need_next_term(file: CaseFile, actor: Actor, destination: Destination) -> None:
    """Refuse what `next_term` refuses, and change nothing."""
    if file.stage is not Stage.APPROVED:
        raise Refused("wrong_stage", "The registration is not in force.")
    need_move(file, PermitEvent.NEXT_ASKED, actor, permit_of(destination))
    if terms.find_next_pending(file, destination) is not None:
        raise Refused("wrong_stage", "A further term of this permit is under way already.")


def _send_entry_of(
    file: CaseFile,
    at: datetime,
    destination: Destination,
    term: int,
    attempt: int = 1,
    detail: Mapping[str, object] | None = None,
) -> None:
    told = {**(detail or {}), "term": term}
    part = term_part(term)
    file.call("list_entry", at, destination=destination, attempt=attempt, part=part, detail=told)


def next_sent(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, number: int, found: Found | None = None
) -> None:
    """Record that the authority's system took the list entry of a further term (P29)."""
    term = terms.find_next_pending(file, destination)
    if term is None or term.number != number or term.stage != PermitStage.ELIGIBLE:
        return  # an answer proved it before
    said = Said(occasion=f"{file.round}/term/{number}", facts={"term": number})
    move_permit(file, destination, PermitEvent.NEXT_SENT, actor, at, said=said)
    term.change(stage=PermitStage.SUBMITTED.value, sent_at=at)
    file.cancel_deadlines(PermitDeadline.SENDING_EXPECTED, destination=destination.value)
    _expect_applicant(file, at, destination)
    before: dict[str, Any] = {"entry": found.detail()} if found else {}
    file.record(PermitAct.PERMIT_SENT, actor, at, destination=destination.value, term=number, **before)
    follow_up(file)


def prove_next_sent(file: CaseFile, actor: Actor, at: datetime, destination: Destination) -> None:
    """Take an answer about a further term for the proof that its list entry was taken, where the 2xx was lost (P29)."""
    term = terms.find_next_pending(file, destination)
    if term is not None and term.stage == PermitStage.ELIGIBLE:
        entries = [row for row in file.calls if row.destination == destination and row.what == "list_entry"]
        next_sent(file, actor, at, destination, term.number)
        file.end_calls(at, "done", *(row.key for row in entries), reason="proved_by_answer")
        for row in entries:
            tell_what_changed(file, actor, at, row)


def expect_answer(file: CaseFile, destination: Destination, accepted_on: date) -> Deadline:
    """Count until when the authority's answer is expected, from its acceptance, and wait for no applicant any more."""
    limits, kind = limits_in(file.context), PermitDeadline.AUTHORITY_LATE
    due = file.set_working_days(kind, accepted_on, limits.authority_answer_days, destination=destination.value, step=1)
    file.set_working_days(kind, accepted_on, limits.authority_second_alert_days, destination=destination.value, step=2)
    file.cancel_deadlines(
        PermitDeadline.APPLICANT_REMINDER, PermitDeadline.APPLICANT_INACTIVE, destination=destination.value
    )
    return due


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
        term, attempt = terms.find_next_pending(file, each), file.next_attempt("list_entry", each)
        if term is None:
            file.call("list_entry", at, destination=each, attempt=attempt, detail=detail)
        else:
            _send_entry_of(file, at, each, term.number, attempt, detail)


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
    file.cancel_deadlines(PermitDeadline.MOVE_EXPECTED)
    for destination in permit_rows(file):
        file.close_tasks([PermitTask.PERMIT_ENDED], at, destination=destination)
        if cooling.take_effect(file, actor, at, destination.value):
            continue  # what was signed before the end of the registration stands
        stage = _stage(file, destination)
        if stage in (None, PermitStage.ELIGIBLE):
            _close_unsent(file, actor, at, destination, PermitEvent.REGISTRATION_ENDED, PermitReason.REGISTRATION_ENDED)
            continue
        term = terms.find_next_pending(file, destination)
        if term is not None and term.stage == PermitStage.ELIGIBLE:
            _close_unsent_term(file, actor, at, destination, term)
            term = None
        if (term is not None or stage not in PERMIT_FINAL) and reports:
            report(file, actor, at, destination, what, in_batch=in_batch)
    follow_up(file)


def running(file: OneCase) -> list[Destination]:
    """Return the destinations whose permit the authority has an application for, or has issued, and is not over."""
    rows = permit_rows(file).items()
    return sorted(d for d, permit in rows if permit.stage in (*PERMIT_WITH_AUTHORITY, PermitStage.ISSUED))


def _close_unsent_term(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, term: PermitTermRow
) -> None:
    """Ask for no further term any more; the permit goes on to the end of what it has (P34)."""
    move_permit(file, destination, PermitEvent.NEXT_CLOSED, actor, at)
    term.change(stage=PermitStage.ENDED.value, ended_on=day_of(at), end_reason=PermitReason.REGISTRATION_ENDED.value)
    file.cancel_deadlines(PermitDeadline.SENDING_EXPECTED, destination=destination.value)
    file.end_calls(at, "cancelled", *file.calls_of(destination, "list_entry"))


def _close_unsent(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, event: PermitEvent, why: PermitReason
) -> None:
    said = Said(occasion=_occasion(file, destination), facts={"end_reason": why.value})
    for term in _asked_anew(file, destination):
        term.change(stage=PermitStage.ENDED.value, ended_on=day_of(at), end_reason=why.value)
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
        detail = {"on": on, "reason": file.row.end_reason}
        file.call(what, at, destination=destination, attempt=file.next_attempt(what, destination), detail=detail)
        _expect_report(file, at, destination)


def _expect_report(file: CaseFile, at: datetime, destination: Destination) -> None:
    days = limits_in(file.context).report_days
    file.set_working_days(PermitDeadline.REPORT_EXPECTED, day_of(at), days, destination=destination.value)


def give_up(file: CaseFile, actor: Actor, at: datetime, destination: Destination) -> None:
    """Follow a destination no more that was given up: closed where it was not sent, else withdrawn at the authority.

    What was sent or issued stays as it is until the authority says what becomes of it (P12).
    """
    stage = _stage(file, destination)
    file.close_tasks([PermitTask.PERMIT_ENDED], at, destination=destination)
    if stage in (None, PermitStage.ELIGIBLE):
        _close_unsent(file, actor, at, destination, PermitEvent.GIVEN_UP, PermitReason.WITHDRAWN)
        return
    term = terms.find_next_pending(file, destination)
    if term is not None and term.stage == PermitStage.ELIGIBLE:
        _close_unsent_term(file, actor, at, destination, term)
        term = None
    if term is not None or stage not in PERMIT_FINAL:
        move_permit(file, destination, PermitEvent.GIVEN_UP, actor, at)
        file.record(PermitAct.PERMIT_REPORTED, actor, at, destination=destination.value, what=GIVEN_UP)
        detail = {"on": day_of(at).isoformat(), "reason": PermitReason.WITHDRAWN.value}
        attempt = file.next_attempt(GIVEN_UP, destination)
        file.call(GIVEN_UP, at, destination=destination, attempt=attempt, detail=detail)
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


def tell_employer(file: CaseFile, actor: Actor, at: datetime, destination: Destination) -> None:
    """Tell the authority that another employer registers the person of its entry."""
    _tell_change(file, actor, at, destination, sorted(EMPLOYER_IN_ENTRY))


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
    held = terms.holding(terms.term_rows(file, destination))
    known = [day for term in held for day in (term.issued_on, term.valid_from) if day is not None]
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
    """Set the reminders before the end of the last term, and the end; those already past are skipped (P21, P22)."""
    file.cancel_deadlines(*_TIMED, destination=destination.value)
    until = need(terms.last_day(file, destination), "valid_until")
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


def timers_of(file: CaseFile, destination: Destination) -> list[DeadlineRow]:
    """Return what still runs of a permit that may run on under another case: to its end, and until an answer."""
    kinds = (*_TIMED, *_PERMIT_DEADLINES)
    return [row for row in file.deadlines.values() if row.destination == destination and row.kind in kinds]


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
    said = Said(occasion=_occasion(file, destination, f"/{deadline.step}"))
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
    until = _last_day(file, destination)
    facts = {"valid_until": until, "days_left": deadline.step, "renew_by": renewal_days.renew_by(file, until, at)}
    said = Said(occasion=f"{until}/{deadline.step}", facts=facts)
    spoken = [] if renewal_days.is_renewing(file, destination) else [(PermitNotice.PERMIT_EXPIRING, said)]
    move_permit(file, destination, PermitEvent.EXPIRY_REMINDER_DUE, actor, at, said=spoken)
    file.record(Act.REMINDED, actor, at, destination=destination.value, step=deadline.step)


def _expire(file: CaseFile, actor: Actor, at: datetime, destination: Destination, deadline: DeadlineRow) -> None:
    until = _last_day(file, destination)
    spoken = [(PermitNotice.PERMIT_EXPIRED, Said(occasion=str(until), facts={"valid_until": until}))]
    is_renewing = terms.find_next_pending(file, destination) is not None
    move_permit(file, destination, PermitEvent.EXPIRED, actor, at, said=spoken)
    if is_renewing:
        # The application for a further term goes on, and with it what waits for it.
        file.cancel_deadlines(*_TIMED, destination=destination.value)
    else:
        end_track(file, destination, at)
    file.record(PermitAct.PERMIT_EXPIRED, actor, at, destination=destination.value)


def _last_day(file: CaseFile, destination: Destination) -> date:
    return need(terms.last_day(file, destination), "valid_until")


def _show_unsent(file: CaseFile, actor: Actor, at: datetime, destination: Destination, deadline: DeadlineRow) -> None:
    move_permit(file, destination, PermitEvent.SENDING_DELAYED, actor, at)
    file.unsent.append(destination)


def _show_unreported(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, deadline: DeadlineRow
) -> None:
    file.unsent.append(destination)


def _late(file: CaseFile, actor: Actor, at: datetime, destination: Destination, deadline: DeadlineRow) -> None:
    due = need(permit_rows(file)[destination].due_at, "due_at")
    asked = [*_asked_anew(file, destination), terms.find_next_pending(file, destination)]
    of_term = next((f"term/{term.number}/" for term in asked if term is not None), "")
    said = Said(occasion=f"{of_term}{deadline.step}", facts={"answer_expected_on": day_of(due)})
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


def _is_asked(file: CaseFile) -> bool:
    """Whether an officer says what becomes of a permit: of one that was ended, or that ran under the case before."""
    return _asks_of_ended(file) or file.find_task(PermitTask.PERMIT_MOVE) is not None


def _asks_of_ended(file: CaseFile) -> bool:
    return any(task.kind == PermitTask.PERMIT_ENDED for task in file.tasks)


def follow_up(file: CaseFile) -> None:
    """Say who acts next on an approved case: the authority, the person, or nobody."""
    if file.stage not in (Stage.APPROVED, Stage.ENDED):
        return
    accepted = [p for p in permit_rows(file).values() if p.due_at and p.stage in _WITH_AUTHORITY]
    earliest = min(accepted, key=lambda p: need(p.due_at, "due_at"), default=None)
    stages = {p.stage for p in permit_rows(file).values()}
    further = [terms.find_next_pending(file, destination) for destination in permit_rows(file)]
    stages |= {term.stage for term in further if term is not None}
    holder = Holder.NONE
    if accepted:
        holder = Holder.AUTHORITY
    elif PermitStage.SUBMITTED in stages:
        holder = Holder.PERSON
    elif None in stages or PermitStage.ELIGIBLE in stages or _is_asked(file):
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
