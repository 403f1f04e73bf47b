"""What the authority says of a further term, while the permit goes on as it was (P30 to P33), and of any term given."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from cases.case.file import CaseFile
from cases.notices.compose import Said
from domain.actors import Actor
from domain.clock import day_of
from programmes.talent_permit import permits, terms
from programmes.talent_permit.authority.answers import AuthorityAnswer, Outcome
from programmes.talent_permit.notices import PermitNotice
from programmes.talent_permit.permit_stages import Destination, PermitStage
from programmes.talent_permit.permits import move_permit
from programmes.talent_permit.rules import term_differs
from programmes.talent_permit.stages import PermitEvent
from programmes.talent_permit.tables import PermitTermRow, permit_rows
from programmes.talent_permit.terms import GIVEN, RENEWABLE
from store.rows.register import AssessmentRow

_ENDS_ONE: Final = (Outcome.CANCELLED, Outcome.REVOKED)
_STAGES: Final = {
    Outcome.REFUSED: PermitStage.REFUSED,
    Outcome.WITHDRAWN: PermitStage.ENDED,
    Outcome.CANCELLED: PermitStage.ENDED,
    Outcome.REVOKED: PermitStage.REVOKED,
}


def apply(file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer) -> PermitTermRow | None:
    """Apply what is said of one term of a permit that was issued, and return the term.

    Returns:
        None where nothing of the kind is said, and the answer is about the permit.
    """
    destination = answer.destination
    permit = permit_rows(file)[destination]
    if permit.stage not in RENEWABLE:
        return None
    rows = terms.kept_terms(file, destination)
    pending = terms.find_pending(rows)
    if answer.outcome is Outcome.ACCEPTED:
        return _accepted(file, actor, at, answer, pending)
    if answer.outcome is Outcome.ISSUED:
        return _issued(file, actor, at, answer, pending)
    if answer.outcome in (Outcome.REFUSED, Outcome.WITHDRAWN) and pending is not None:
        return _not_issued(file, actor, at, answer, pending)
    about = terms.find_numbered(permit, rows, answer.authority_number)
    others = [row for row in terms.holding(rows) if row is not about and _lasts(row, at)]
    if answer.outcome in _ENDS_ONE and about is not None and others:
        return _one_ended(file, actor, at, answer, about)
    return None


def _lasts(row: PermitTermRow, at: datetime) -> bool:
    return row.valid_until is not None and row.valid_until >= day_of(at)


def _accepted(
    file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer, pending: PermitTermRow | None
) -> PermitTermRow:
    destination, accepted_on = answer.destination, day_of(answer.occurred_at)
    term = pending or terms.add_term(file, destination, PermitStage.ACCEPTED)
    permits.prove_next_sent(file, actor, at, destination)
    due = permits.expect_answer(file, destination, accepted_on)
    facts = {
        "answer_expected_on": day_of(due.at),
        "due_provisional": due.provisional,
        **_beside(file, at, destination, term),
    }
    said = Said(occasion=answer.outcome_id, facts=facts)
    event = PermitEvent.NEXT_ACCEPTED
    move_permit(file, destination, event, actor, at, said=said, due_at=due.at, due_provisional=due.provisional)
    term.change(
        stage=PermitStage.ACCEPTED.value,
        accepted_on=accepted_on,
        authority_number=answer.authority_number or term.authority_number,
    )
    return term


def _issued(
    file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer, pending: PermitTermRow | None
) -> PermitTermRow:
    destination, issued_on = answer.destination, day_of(answer.occurred_at)
    term = pending or terms.add_term(file, destination, PermitStage.ISSUED)
    permits.prove_next_sent(file, actor, at, destination)
    term.change(stage=PermitStage.ISSUED.value, issued_on=issued_on, **given(answer))
    gap = terms.find_gap(terms.term_rows(file, destination), term)
    facts: dict[str, Any] = {"term": term.number}
    if gap is not None and gap.last >= day_of(at):
        facts |= {"gap_from": gap.first, "gap_until": gap.last}
    event, said = PermitEvent.NEXT_ISSUED, said_of(answer, facts)
    move_permit(file, destination, event, actor, at, said=said, decided_on=issued_on, **given(answer))
    permits.stop_waiting(file, destination, at)
    follow(file, at, answer)
    return term


def _not_issued(
    file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer, term: PermitTermRow
) -> PermitTermRow:
    """Leave the permit as it is where its next term was refused, or its application withdrawn."""
    destination, is_refused = answer.destination, answer.outcome is Outcome.REFUSED
    permits.prove_next_sent(file, actor, at, destination)
    number = term.authority_number or answer.authority_number
    _end(file, answer, term)
    term.change(authority_number=number)
    facts = _beside(file, at, destination, term)
    if is_refused:
        facts |= {"authority_reason": answer.reason_text, "authority_code": answer.reason_code}
    else:
        facts |= {"end_reason": answer.outcome.value}
    event = PermitEvent.NEXT_REFUSED if is_refused else PermitEvent.NEXT_WITHDRAWN
    move_permit(file, destination, event, actor, at, said=Said(occasion=answer.outcome_id, facts=facts))
    permits.stop_waiting(file, destination, at)
    return term


def _one_ended(
    file: CaseFile, actor: Actor, at: datetime, answer: AuthorityAnswer, term: PermitTermRow
) -> PermitTermRow:
    """End one of several terms; the permit goes on with the others, and time counts to the last of them."""
    destination, on = answer.destination, day_of(answer.occurred_at)
    days = {"valid_from": term.valid_from, "valid_until": term.valid_until}
    _end(file, answer, term)
    facts = _beside(file, at, destination, term) | days
    kind = PermitNotice.PERMIT_CLOSED
    if answer.outcome is Outcome.REVOKED:
        kind = PermitNotice.PERMIT_REVOKED
        facts |= {"revoked_on": on, "authority_reason": answer.reason_text, "authority_code": answer.reason_code}
    else:
        facts |= {"end_reason": answer.outcome.value}
    spoken = [(kind, Said(occasion=answer.outcome_id, facts=facts))]
    move_permit(file, destination, PermitEvent.TERM_ENDED, actor, at, said=spoken)
    permits.plan_expiry(file, destination, at)
    return term


def _end(file: CaseFile, answer: AuthorityAnswer, term: PermitTermRow) -> None:
    reason = None
    if answer.reason_code is not None or answer.reason_text is not None:
        content = {"code": answer.reason_code, "text": answer.reason_text}
        reason = file.seal("permit_terms", "reason", terms.reason_place(term), content)
    term.change(
        stage=_STAGES[answer.outcome].value,
        ended_on=day_of(answer.occurred_at),
        end_reason=answer.outcome.value,
        reason=reason,
    )


def _beside(file: CaseFile, at: datetime, destination: Destination, term: PermitTermRow) -> dict[str, Any]:
    """Return what a notice about one term says of the others: the last day of what is, or will be, in force."""
    until = terms.last_day(file, destination)
    return {"term": term.number} | ({"held_until": until} if until is not None and until >= day_of(at) else {})


def given(answer: AuthorityAnswer) -> dict[str, Any]:
    """Return number and days of a term as the authority gave them."""
    return {name: getattr(answer, name) for name in GIVEN}


def said_of(answer: AuthorityAnswer, more: dict[str, Any] | None = None) -> Said:
    """Return what is told of a term that was given."""
    facts = {"valid_from": answer.valid_from, "valid_until": answer.valid_until, "stay_days": answer.stay_days}
    return Said(occasion=answer.outcome_id, facts=facts | (more or {}))


def follow(file: CaseFile, at: datetime, answer: AuthorityAnswer) -> None:
    """Count to the end of what was given, and show where it is not what the pack says (P10)."""
    destination = answer.destination
    permits.plan_expiry(file, destination, at)
    differs = term_differs(
        file.pack,
        valid_from=answer.valid_from,
        valid_until=answer.valid_until,
        stay_days=answer.stay_days,
        entries=answer.entries,
    )
    assessment = file.assessment(destination.value)
    if differs is not None and assessment is not None:
        moved = _moved_facts(file, assessment, destination)
        before = [each for each in assessment.findings if each.get("code") != differs.code]
        findings = [*before, differs.model_dump(mode="json")]
        file.assess(replace(assessment, facts=moved, findings=findings, at=at))


def _moved_facts(file: CaseFile, assessment: AssessmentRow, destination: Destination) -> bytes:
    """Return the facts of an assessment sealed again for the place of the next one."""
    place = f"{file.reference}/{destination.value}"
    facts = file.open("assessments", "facts", f"{place}/{assessment.seq}", assessment.facts)
    return file.seal("assessments", "facts", f"{place}/{assessment.seq + 1}", facts)
