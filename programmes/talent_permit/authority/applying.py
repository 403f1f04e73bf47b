"""Applying an answer of the authority to a permit, in its order or out of it (P9 to P12, P17 to P26)."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from cases.case.file import CaseFile
from cases.moves.moving import Asked, find_move, move
from cases.notices.compose import Said
from domain.actors import Actor
from domain.acts import Act
from domain.answers import AnswerState
from domain.clock import day_of
from domain.errors import need
from programmes.talent_permit import permits
from programmes.talent_permit.authority import inbox
from programmes.talent_permit.authority.answers import AuthorityAnswer, Outcome
from programmes.talent_permit.limits import limits_in
from programmes.talent_permit.permit_stages import PERMIT_WITH_AUTHORITY, Destination, PermitStage
from programmes.talent_permit.permits import move_permit
from programmes.talent_permit.rules import term_differs
from programmes.talent_permit.stages import PermitEvent, permit_of
from programmes.talent_permit.tables import PermitRow, permit_rows, set_permit
from programmes.talent_permit.words import PermitDeadline
from store.rows.register import AssessmentRow

_EVENTS: Final = {outcome: PermitEvent(outcome.value) for outcome in Outcome}
_AFTER_ISSUE: Final = (Outcome.KEPT, Outcome.REPLACED, Outcome.CANCELLED, Outcome.REVOKED)


def judge(file: CaseFile, answer: AuthorityAnswer) -> AnswerState:
    """Return what is to be done with an answer: apply it, fill in what is empty, keep it for later, or hold it."""
    permit = permit_rows(file).get(answer.destination)
    if permit is None or permit.stage is None:
        return AnswerState.HELD
    stage = PermitStage(permit.stage)
    if _is_renewal(file, permit, answer):
        return AnswerState.RENEWAL
    before_issue = stage in PERMIT_WITH_AUTHORITY or stage is PermitStage.ELIGIBLE
    if answer.outcome is Outcome.ACCEPTED and stage is not PermitStage.ELIGIBLE and stage is not PermitStage.SUBMITTED:
        return AnswerState.RECORDED if _agrees(permit, answer) else AnswerState.HELD
    if before_issue and answer.outcome in _AFTER_ISSUE:
        return AnswerState.EARLY
    move = find_move(file, _EVENTS[answer.outcome], permit_of(answer.destination))
    return AnswerState.APPLIED if move is not None else AnswerState.HELD


def _is_renewal(file: CaseFile, permit: PermitRow, answer: AuthorityAnswer) -> bool:
    """Whether an answer is about a number that follows the one in force, of which nothing else was said before."""
    if permit.stage not in (PermitStage.ISSUED, PermitStage.EXPIRED) or answer.authority_number is None:
        return False
    known = {permit.authority_number, *(term["authority_number"] for term in permit.earlier)}
    said = [(kept.authority_number, kept.outcome) for kept in inbox.renewals(file, answer.destination)]
    if answer.authority_number in known or (answer.authority_number, answer.outcome) in said:
        return False
    if answer.outcome is Outcome.ISSUED:
        return answer.valid_until is not None and answer.valid_until > need(permit.valid_until, "valid_until")
    # An application of before the issue is the one that led to it, whatever number it had.
    decided_on = permit.decided_on
    is_later = decided_on is not None and day_of(answer.occurred_at) > decided_on
    return answer.outcome is Outcome.ACCEPTED and is_later


def keep_renewal(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer, answer_id: UUID) -> None:
    """Keep an answer about the next term beside the one in force, which runs on to its own end."""
    file.record(
        Act.ANSWER_RECEIVED, actor, at, destination=answer.destination.value, outcome=answer.outcome.value,
        outcome_id=answer.outcome_id, answer_id=str(answer_id), renewal=True,
    )  # fmt: skip


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
    _APPLY[answer.outcome](file, actor, at, answer)
    file.record(
        Act.ANSWER_APPLIED,
        actor,
        at,
        destination=destination.value,
        outcome=answer.outcome.value,
        outcome_id=answer.outcome_id,
        answer_id=str(answer_id),
        occurred_at=answer.occurred_at.isoformat(),
    )
    permits.follow_up(file)


def force(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer, answer_id: UUID) -> None:
    """Apply a held answer by two signatures, whatever stage the permit has (P26)."""
    destination = answer.destination
    permit = permit_rows(file)[destination]
    if answer.outcome is Outcome.ISSUED and permit.valid_until is not None:
        set_permit(file, destination, at, earlier=[*permit.earlier, _term_before(permit)])
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
    permit = permit_rows(file)[answer.destination]
    values: dict[str, Any] = {}
    if permit.accepted_on is None:
        values["accepted_on"] = day_of(answer.occurred_at)
    if permit.authority_number is None and answer.authority_number:
        values["authority_number"] = answer.authority_number
    set_permit(file, answer.destination, at, **values)
    file.record(
        Act.ANSWER_RECEIVED, actor, at, destination=answer.destination.value, outcome=answer.outcome.value,
        outcome_id=answer.outcome_id, answer_id=str(answer_id), late=True,
    )  # fmt: skip


def _agrees(permit: PermitRow, answer: AuthorityAnswer) -> bool:
    known = permit.accepted_on
    return known is None or known == day_of(answer.occurred_at)


def _accepted(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> None:
    destination, limits = answer.destination, limits_in(file.context)
    accepted_on = day_of(answer.occurred_at)
    due = file.set_working_days(
        PermitDeadline.AUTHORITY_LATE, accepted_on, limits.authority_answer_days, destination=destination.value, step=1
    )
    file.set_working_days(
        PermitDeadline.AUTHORITY_LATE,
        accepted_on,
        limits.authority_second_alert_days,
        destination=destination.value,
        step=2,
    )
    facts = {"answer_expected_on": day_of(due.at), "due_provisional": due.provisional}
    move_permit(
        file, destination, PermitEvent.ACCEPTED, actor, at, said=Said(occasion=answer.outcome_id, facts=facts),
        accepted_on=accepted_on, due_at=due.at, due_provisional=due.provisional,
        authority_number=answer.authority_number or permit_rows(file)[destination].authority_number,
    )  # fmt: skip
    file.cancel_deadlines(
        PermitDeadline.APPLICANT_REMINDER, PermitDeadline.APPLICANT_INACTIVE, destination=destination.value
    )


def _issued(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> None:
    destination = answer.destination
    term = _term(answer) | {"decided_on": day_of(answer.occurred_at)}
    move_permit(file, destination, PermitEvent.ISSUED, actor, at, said=_said_of_term(answer), **term)
    permits.stop_waiting(file, destination, at)
    _follow_term(file, at, answer)


def _replaced(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> None:
    destination = answer.destination
    permit = permit_rows(file)[destination]
    earlier = [*permit.earlier, _term_before(permit)]
    term = _term(answer) | {"earlier": earlier, "card_lost_on": None}
    move_permit(file, destination, PermitEvent.REPLACED, actor, at, said=_said_of_term(answer), **term)
    _follow_term(file, at, answer)


def _said_of_term(answer: AuthorityAnswer) -> Said:
    facts = {"valid_from": answer.valid_from, "valid_until": answer.valid_until, "stay_days": answer.stay_days}
    return Said(occasion=answer.outcome_id, facts=facts)


def _follow_term(file: CaseFile, at: datetime, answer: AuthorityAnswer) -> None:
    destination = answer.destination
    permits.plan_expiry(file, destination, at)
    pack = file.pack
    differs = term_differs(
        pack,
        valid_from=answer.valid_from,
        valid_until=answer.valid_until,
        stay_days=answer.stay_days,
        entries=answer.entries,
    )
    assessment = file.assessment(destination.value)
    if differs is not None and assessment is not None:
        moved = _moved_facts(file, assessment, destination)
        findings = [*assessment.findings, differs.model_dump(mode="json")]
        file.assess(replace(assessment, facts=moved, findings=findings, at=at))


def _moved_facts(file: CaseFile, assessment: AssessmentRow, destination: Destination) -> bytes:
    """Return the facts of an assessment sealed again for the place of the next one."""
    place = f"{file.reference}/{destination.value}"
    facts = file.open("assessments", "facts", f"{place}/{assessment.seq}", assessment.facts)
    return file.seal("assessments", "facts", f"{place}/{assessment.seq + 1}", facts)


def _refused(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> None:
    destination = answer.destination
    reason = {"code": answer.reason_code, "text": answer.reason_text}
    sealed = file.seal("permits", "reason", f"{file.reference}/{destination.value}", reason)
    facts = {"authority_reason": answer.reason_text, "authority_code": answer.reason_code}
    move_permit(
        file, destination, PermitEvent.REFUSED, actor, at, said=Said(occasion=answer.outcome_id, facts=facts),
        reason=sealed, decided_on=day_of(answer.occurred_at),
        authority_number=answer.authority_number or permit_rows(file)[destination].authority_number,
    )  # fmt: skip
    permits.end_track(file, destination, at)


def _ended(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> None:
    destination = answer.destination
    event, why = _EVENTS[answer.outcome], answer.outcome.value
    said = Said(occasion=answer.outcome_id, facts={"end_reason": why})
    move_permit(file, destination, event, actor, at, end_reason=why, said=said)
    permits.end_track(file, destination, at)


def _kept(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> None:
    destination = answer.destination
    said = Said(occasion=answer.outcome_id, facts={"valid_until": permit_rows(file)[destination].valid_until})
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
    move_permit(file, destination, PermitEvent.REVOKED, actor, at, said=said, reason=sealed, decided_on=on)
    permits.end_track(file, destination, at)


def _term(answer: AuthorityAnswer) -> dict[str, Any]:
    return {
        "authority_number": answer.authority_number,
        "valid_from": answer.valid_from,
        "valid_until": answer.valid_until,
        "stay_days": answer.stay_days,
        "entries": answer.entries,
    }


def _term_before(permit: PermitRow) -> dict[str, Any]:
    """Return number and term of a permit as they are kept beside newer ones."""
    names = ("authority_number", "valid_from", "valid_until", "stay_days", "entries")
    old = {name: getattr(permit, name) for name in names}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in old.items()}


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
