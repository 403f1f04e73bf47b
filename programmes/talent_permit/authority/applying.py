"""Applying an answer of the authority to a permit, in its order or out of it (P9 to P12, P17 to P26, P30 to P33)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from cases.case.file import CaseFile
from cases.moves.moving import Asked, find_move, move
from cases.notices.compose import Said
from domain.actors import Actor, system
from domain.acts import Act
from domain.answers import AnswerState
from domain.clock import day_of
from domain.stages import Stage
from programmes.talent_permit import asking_anew, permits, terms
from programmes.talent_permit.authority import term_answers
from programmes.talent_permit.authority.answers import AuthorityAnswer, Outcome
from programmes.talent_permit.limits import limits_in
from programmes.talent_permit.permit_stages import PERMIT_WITH_AUTHORITY, Destination, PermitStage
from programmes.talent_permit.permits import move_permit
from programmes.talent_permit.stages import PermitEvent, permit_of
from programmes.talent_permit.tables import PERMIT_TERMS, PermitRow, PermitTermRow, permit_rows, set_permit
from programmes.talent_permit.terms import RENEWABLE
from programmes.talent_permit.words import PermitDeadline

_EVENTS: Final = {outcome: PermitEvent(outcome.value) for outcome in Outcome}
_AFTER_ISSUE: Final = (Outcome.KEPT, Outcome.REPLACED, Outcome.CANCELLED, Outcome.REVOKED)


def judge(file: CaseFile, answer: AuthorityAnswer) -> AnswerState:
    """Return what is to be done with an answer: apply it, fill in what is empty, keep it for later, or hold it.

    The engine opens no further term for a case that has ended: an officer looks at what brings one.
    """
    state = _judge(file, answer)
    if state is AnswerState.APPLIED and _brings_next(file, answer) and file.stage is not Stage.APPROVED:
        return AnswerState.HELD
    return state


def _judge(file: CaseFile, answer: AuthorityAnswer) -> AnswerState:
    permit = permit_rows(file).get(answer.destination)
    if permit is None or permit.stage is None:
        return AnswerState.HELD
    stage = PermitStage(permit.stage)
    if stage in RENEWABLE:
        return _JUDGED[answer.outcome](file, permit, answer)
    before_issue = stage in PERMIT_WITH_AUTHORITY or stage is PermitStage.ELIGIBLE
    if answer.outcome is Outcome.ACCEPTED and stage is not PermitStage.ELIGIBLE and stage is not PermitStage.SUBMITTED:
        return _late(permit.accepted_on, answer)
    if before_issue and _is_of_before(permit, terms.term_rows(file, answer.destination), answer):
        return AnswerState.HELD
    if before_issue and answer.outcome in _AFTER_ISSUE:
        return AnswerState.EARLY
    move = find_move(file, _EVENTS[answer.outcome], permit_of(answer.destination))
    return AnswerState.APPLIED if move is not None else AnswerState.HELD


def _is_of_before(permit: PermitRow, rows: Sequence[PermitTermRow], answer: AuthorityAnswer) -> bool:
    """Whether an answer is about an application that ended, and not about the one that was made anew since."""
    about, over = _named(permit, rows, answer), [row.ended_on for row in rows if row.ended_on is not None]
    if about is not None:
        return about.stage not in PERMIT_TERMS.pending
    return any(day_of(answer.occurred_at) < day for day in over)


def _brings_next(file: CaseFile, answer: AuthorityAnswer) -> bool:
    """Whether an answer that can be applied opens a further term, or issues one."""
    stage = permit_rows(file)[answer.destination].stage
    return stage in RENEWABLE and answer.outcome in (Outcome.ACCEPTED, Outcome.ISSUED)


def _late(known: date | None, answer: AuthorityAnswer) -> AnswerState:
    """Return what is to be done with `accepted` of what was issued already: it fills in, or contradicts."""
    agrees = known is None or known == day_of(answer.occurred_at)
    return AnswerState.RECORDED if agrees else AnswerState.HELD


def _is_after_issue(rows: Sequence[PermitTermRow], answer: AuthorityAnswer) -> bool:
    """Whether something happened after the newest term was issued: what did before led to that one."""
    issued = terms.issued_on(rows)
    return issued is not None and day_of(answer.occurred_at) > issued


def _judge_accepted(file: CaseFile, permit: PermitRow, answer: AuthorityAnswer) -> AnswerState:
    rows = terms.term_rows(file, answer.destination)
    about, pending = _named(permit, rows, answer), terms.find_pending(rows)
    if about is not None and about is not pending:
        return _late(about.accepted_on, answer)
    if pending is not None and pending.accepted_on is not None:
        is_other = None not in (answer.authority_number, pending.authority_number) and about is not pending
        return AnswerState.HELD if is_other else _late(pending.accepted_on, answer)
    is_named = answer.authority_number is not None
    if pending is not None or is_named:
        # An application of before the issue is the one that led to it, whatever number it had.
        return AnswerState.APPLIED if _is_after_issue(rows, answer) else _late(_accepted_on(permit, rows), answer)
    return _late(_accepted_on(permit, rows), answer)


def _accepted_on(permit: PermitRow, rows: Sequence[PermitTermRow]) -> date | None:
    issued = terms.holding(rows)
    return issued[-1].accepted_on if issued else permit.accepted_on


def _judge_issued(file: CaseFile, permit: PermitRow, answer: AuthorityAnswer) -> AnswerState:
    rows = terms.term_rows(file, answer.destination)
    about, pending = _named(permit, rows, answer), terms.find_pending(rows)
    is_new = about is None or about is pending
    return AnswerState.APPLIED if is_new and terms.ends_after_all(rows, answer.valid_until) else AnswerState.HELD


def _judge_not_issued(file: CaseFile, permit: PermitRow, answer: AuthorityAnswer) -> AnswerState:
    """An application that was refused or withdrawn: the one that waits, or one whose acceptance is still to come."""
    rows = terms.term_rows(file, answer.destination)
    about, pending = _named(permit, rows, answer), terms.find_pending(rows)
    if pending is not None and about is None:
        fits = None in (answer.authority_number, pending.authority_number)
        return AnswerState.APPLIED if fits and _is_after_issue(rows, answer) else AnswerState.HELD
    if about is not None:
        return AnswerState.APPLIED if about is pending else AnswerState.HELD
    is_named = answer.authority_number is not None
    return AnswerState.EARLY if is_named and _is_after_issue(rows, answer) else AnswerState.HELD


def _judge_after_issue(file: CaseFile, permit: PermitRow, answer: AuthorityAnswer) -> AnswerState:
    """What comes after an issue is about the term that it names, and where it names none about the permit."""
    if find_move(file, _EVENTS[answer.outcome], permit_of(answer.destination)) is None:
        return AnswerState.HELD
    if answer.outcome is Outcome.REPLACED:
        return AnswerState.APPLIED
    rows = terms.term_rows(file, answer.destination)
    about = _named(permit, rows, answer)
    if about is None:
        # A number that nobody knows, where more than one is known of: it may be that of a term still to come.
        is_unclear = answer.authority_number is not None and len(rows) > 1
        return AnswerState.EARLY if is_unclear else AnswerState.APPLIED
    if about is terms.find_pending(rows):
        return AnswerState.EARLY
    return AnswerState.APPLIED if about in terms.holding(rows) else AnswerState.HELD


def _named(permit: PermitRow, rows: Sequence[PermitTermRow], answer: AuthorityAnswer) -> PermitTermRow | None:
    return terms.find_numbered(permit, rows, answer.authority_number)


_JUDGED: Final[Mapping[Outcome, Callable[[CaseFile, PermitRow, AuthorityAnswer], AnswerState]]] = {
    Outcome.ACCEPTED: _judge_accepted,
    Outcome.ISSUED: _judge_issued,
    Outcome.REFUSED: _judge_not_issued,
    Outcome.WITHDRAWN: _judge_not_issued,
    **dict.fromkeys(_AFTER_ISSUE, _judge_after_issue),
}


def apply(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer, answer_id: UUID) -> None:
    """Apply an answer whose turn it is."""
    destination = answer.destination
    if permit_rows(file)[destination].stage == PermitStage.ELIGIBLE:
        # The 2xx of the list entry was lost; any answer proves that it was taken (P4).
        entries = [row for row in file.calls if row.destination == destination and row.what == "list_entry"]
        permits.sent(file, actor, at, destination)
        file.end_calls(at, "done", *(row.key for row in entries), reason="proved_by_answer")
        for row in entries:
            permits.tell_what_changed(file, actor, at, row)
    term = term_answers.apply(file, actor, at, answer)
    if term is None:
        _APPLY[answer.outcome](file, actor, at, answer)
    # Of a term beside which the permit goes on as it was; what it says is said of that term alone.
    told: dict[str, Any] = (
        {} if term is None else {"term": term.number, "goes_on": answer.outcome is not Outcome.ISSUED}
    )
    file.record(
        Act.ANSWER_APPLIED,
        actor,
        at,
        destination=destination.value,
        outcome=answer.outcome.value,
        outcome_id=answer.outcome_id,
        answer_id=str(answer_id),
        occurred_at=answer.occurred_at.isoformat(),
        **told,
    )
    permits.follow_up(file)


def force(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer, answer_id: UUID) -> None:
    """Apply a held answer by two signatures, whatever stage the permit has (P26).

    What fits as it stands is applied as it would have been; anything else sets the permit right as it says.
    """
    destination = answer.destination
    if _judge(file, answer) is AnswerState.APPLIED:
        apply(file, actor, at, answer, answer_id)
        return
    permit, rows = permit_rows(file)[destination], terms.kept_terms(file, destination)
    if answer.outcome is Outcome.ISSUED and permit.valid_until is not None:
        changed = _named(permit, rows, answer) or rows[-1]
        set_permit(file, destination, at, earlier=[*permit.earlier, terms.before(changed)])
    if find_move(file, _EVENTS[answer.outcome], permit_of(destination)) is None:
        basis = PermitStage.ISSUED if answer.outcome in _AFTER_ISSUE else PermitStage.SUBMITTED
        set_permit(file, destination, at, stage=basis.value, end_reason=None)
    apply(file, actor, at, answer, answer_id)


def hold(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer, answer_id: UUID) -> None:
    """Keep an answer that contradicts what is known, and let an officer look (P26)."""
    due = file.calendar.deadline(day_of(at), limits_in(file.context).early_answer_days)
    asked = Asked(detail={"outcome": answer.outcome.value, "outcome_id": answer.outcome_id})
    said = Said(occasion=str(answer_id), facts={"answer_expected_on": day_of(due.at)})
    move(file, PermitEvent.ANSWER_HELD, actor, at, track=permit_of(answer.destination), asked=asked, said=said)
    file.record(
        Act.ANSWER_HELD, actor, at, destination=answer.destination.value, outcome=answer.outcome.value,
        outcome_id=answer.outcome_id, answer_id=str(answer_id),
    )  # fmt: skip


def keep_early(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer, answer_id: UUID) -> None:
    """Keep an answer that came before the one it follows; it is shown when that does not come (P25)."""
    days = limits_in(file.context).early_answer_days
    file.set_working_days(PermitDeadline.EARLY_ANSWER, day_of(at), days, destination=answer.destination.value)
    file.record(
        Act.ANSWER_RECEIVED, actor, at, destination=answer.destination.value, outcome=answer.outcome.value,
        outcome_id=answer.outcome_id, answer_id=str(answer_id), early=True,
    )  # fmt: skip


def fill_in(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer, answer_id: UUID) -> None:
    """Fill what is empty from a late lower step; the stage does not go back (P24)."""
    permit, rows = permit_rows(file)[answer.destination], terms.kept_terms(file, answer.destination)
    values: dict[str, Any] = {}
    if permit.accepted_on is None:
        values["accepted_on"] = day_of(answer.occurred_at)
    if permit.authority_number is None and answer.authority_number:
        values["authority_number"] = answer.authority_number
    set_permit(file, answer.destination, at, **values)
    term = _named(permit, rows, answer) or next(iter(reversed(terms.holding(rows) or rows)), None)
    if term is not None:
        term.change(
            accepted_on=term.accepted_on or day_of(answer.occurred_at),
            authority_number=term.authority_number or answer.authority_number,
        )
    file.record(
        Act.ANSWER_RECEIVED, actor, at, destination=answer.destination.value, outcome=answer.outcome.value,
        outcome_id=answer.outcome_id, answer_id=str(answer_id), late=True,
    )  # fmt: skip


def _accepted(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> None:
    destination, accepted_on = answer.destination, day_of(answer.occurred_at)
    term = _term_of(file, answer, PermitStage.ACCEPTED)
    due = permits.expect_answer(file, destination, accepted_on)
    facts = {"answer_expected_on": day_of(due.at), "due_provisional": due.provisional}
    permit, number = permit_rows(file)[destination], answer.authority_number or term.authority_number
    # The permit keeps the number of its last card until it is given another.
    shown = number if permit.valid_until is None else permit.authority_number
    move_permit(
        file, destination, PermitEvent.ACCEPTED, actor, at, said=Said(occasion=answer.outcome_id, facts=facts),
        accepted_on=accepted_on, due_at=due.at, due_provisional=due.provisional, authority_number=shown,
    )  # fmt: skip
    term.change(accepted_on=accepted_on, authority_number=number, sent_at=permit_rows(file)[destination].sent_at)


def _issued(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> None:
    destination, issued_on = answer.destination, day_of(answer.occurred_at)
    term = _term_of(file, answer, PermitStage.ISSUED)
    given = term_answers.given(answer)
    said = term_answers.said_of(answer)
    move_permit(file, destination, PermitEvent.ISSUED, actor, at, said=said, decided_on=issued_on, **given)
    term.change(issued_on=issued_on, sent_at=term.sent_at or permit_rows(file)[destination].sent_at, **given)
    permits.stop_waiting(file, destination, at)
    term_answers.follow(file, at, answer)


def _term_of(file: CaseFile, answer: AuthorityAnswer, stage: PermitStage) -> PermitTermRow:
    """Return the term that an answer about a permit which was not issued yet, or has to be set right, is about."""
    permit, rows = permit_rows(file)[answer.destination], terms.kept_terms(file, answer.destination)
    stands = [row for row in rows if row.stage == PermitStage.ISSUED]
    term = _named(permit, rows, answer) or terms.find_pending(rows) or next(iter(reversed(stands)), None)
    if term is None:
        return terms.add_term(file, answer.destination, stage)
    term.change(stage=stage.value, ended_on=None, end_reason=None)
    return term


def _replaced(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> None:
    destination = answer.destination
    permit, rows = permit_rows(file)[destination], terms.kept_terms(file, destination)
    term = _named(permit, rows, answer)
    if term is None:
        term = terms.find_replaced(rows, answer.valid_until, day_of(answer.occurred_at))
    earlier, given = [*permit.earlier, terms.before(term)], term_answers.given(answer)
    term.change(**given)
    said = term_answers.said_of(answer)
    event = PermitEvent.REPLACED
    move_permit(file, destination, event, actor, at, said=said, earlier=earlier, card_lost_on=None, **given)
    term_answers.follow(file, at, answer)


def _refused(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> None:
    destination, on = answer.destination, day_of(answer.occurred_at)
    reason = {"code": answer.reason_code, "text": answer.reason_text}
    sealed = file.seal("permits", "reason", f"{file.reference}/{destination.value}", reason)
    facts = {"authority_reason": answer.reason_text, "authority_code": answer.reason_code}
    rows, permit = terms.kept_terms(file, destination), permit_rows(file)[destination]
    number = permit.authority_number if permit.valid_until is not None else answer.authority_number
    move_permit(
        file, destination, PermitEvent.REFUSED, actor, at, said=Said(occasion=answer.outcome_id, facts=facts),
        reason=sealed, decided_on=on, authority_number=number or permit.authority_number,
    )  # fmt: skip
    for term in rows[-1:]:
        term.change(stage=PermitStage.REFUSED.value, ended_on=on, end_reason=answer.outcome.value)
    permits.end_track(file, destination, at)


def _after_all(file: CaseFile, at: datetime, destination: Destination) -> None:
    """Ask an officer about what the authority ended after it was told that the registration stands."""
    if asking_anew.was_restored(file, destination):
        asking_anew.ask_about_ended(file, system("setting_aside"), at, destination)
        permits.follow_up(file)


def _ended(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> None:
    destination = answer.destination
    event, why = _EVENTS[answer.outcome], answer.outcome.value
    said = Said(occasion=answer.outcome_id, facts={"end_reason": why})
    rows = terms.kept_terms(file, destination)
    move_permit(file, destination, event, actor, at, end_reason=why, said=said)
    _end_terms(rows, PermitStage.ENDED, answer)
    permits.end_track(file, destination, at)
    _after_all(file, at, destination)


def _end_terms(rows: Sequence[PermitTermRow], stage: PermitStage, answer: AuthorityAnswer) -> None:
    """End what was issued or waits, with the permit; the last day of an earlier one was its end."""
    on = day_of(answer.occurred_at)
    open_ones = [row for row in rows if row.stage in (*PERMIT_TERMS.holds, *PERMIT_TERMS.pending)]
    for term in [row for row in open_ones if row.valid_until is None or row.valid_until >= on] or open_ones[-1:]:
        term.change(stage=stage.value, ended_on=on, end_reason=answer.outcome.value)


def _kept(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> None:
    destination = answer.destination
    until = terms.last_day(file, destination) or permit_rows(file)[destination].valid_until
    said = Said(occasion=answer.outcome_id, facts={"valid_until": until})
    move_permit(file, destination, PermitEvent.KEPT, actor, at, answered_for=True, said=said)
    file.cancel_deadlines(PermitDeadline.REPORT_EXPECTED, destination=destination.value)


def _revoked(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> None:
    destination = answer.destination
    on = day_of(answer.occurred_at)
    sealed = file.seal(
        "permits", "reason", f"{file.reference}/{destination.value}",
        {"code": answer.reason_code, "text": answer.reason_text},
    )  # fmt: skip
    facts = {"revoked_on": on, "authority_reason": answer.reason_text, "authority_code": answer.reason_code}
    said = Said(occasion=answer.outcome_id, facts=facts)
    rows = terms.kept_terms(file, destination)
    move_permit(file, destination, PermitEvent.REVOKED, actor, at, said=said, reason=sealed, decided_on=on)
    _end_terms(rows, PermitStage.REVOKED, answer)
    permits.end_track(file, destination, at)
    _after_all(file, at, destination)


_APPLY: Final = {
    Outcome.ACCEPTED: _accepted,
    Outcome.ISSUED: _issued,
    Outcome.REPLACED: _replaced,
    Outcome.REFUSED: _refused,
    Outcome.WITHDRAWN: _ended,
    Outcome.CANCELLED: _ended,
    Outcome.KEPT: _kept,
    Outcome.REVOKED: _revoked,
}
