"""What officers do about a permit: send or withhold, enter or apply an answer, sign a second time (P2, P3, P26)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.signers import (
    given,
    need_not_held,
    need_reasons,
    take_task,
)
from cases.decisions import cooling, finding_answers, proposals
from cases.decisions.proposals import Matter
from cases.decisions.second_signature import SecondSignature, Verdict
from cases.decisions.settling import letter
from cases.moves.moving import Asked, move, need_move
from cases.notices.compose import Said
from cases.programme import Decided
from domain.actors import Actor
from domain.acts import Act
from domain.answers import AnswerState
from domain.clock import day_of
from domain.decisions import GivenReason, PermitConfirmationRequest
from domain.errors import Refused, need
from domain.reasons import Use
from domain.stages import Stage
from domain.tasks import TaskKind
from programmes.talent_permit import eligibility, permits
from programmes.talent_permit.authority import applying, inbox
from programmes.talent_permit.permit_requests import EligibilityAction, EligibilityRequest, OutcomeRequest
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.reasons import PermitReason, PermitUse
from programmes.talent_permit.stages import WAITS_FOR_DESTINATION, PermitEvent, permit_of
from programmes.talent_permit.tables import PermitRow, permit_rows, set_permit
from programmes.talent_permit.words import PermitAct, PermitProposal, PermitTask
from store.case_rows import Row
from store.rows.authority import AnswerRow

_RULE: Final = SecondSignature(one_waits="already_decided", told=WAITS_FOR_DESTINATION)


def settle_eligibility(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, asked: EligibilityRequest
) -> None:
    """Send an entry whose eligibility is not clear, with an override reason, or propose to withhold it.

    What an officer answers by sending holds for the other destination too, where the same is asked about the same
    facts; withholding is proposed for each by itself.
    """
    permit = _permit(file, destination)
    need_move(file, PermitEvent.ELIGIBLE, actor, permit_of(destination))
    _RULE.need_none(permit.pending_act)
    _need_in_force(file)
    take_task(file, actor, at, PermitTask.PERMIT_ELIGIBILITY, destination)
    if asked.action is EligibilityAction.SEND:
        codes = need_reasons(asked.reasons, Use.OVERRIDE, file.forms, file.words.reasons)
        set_permit(file, destination, at, rejected=None)
        finding_answers.keep(file, finding_answers.answers_given(file, destination.value, given(asked.reasons), at))
        permits.make_eligible(file, actor, at, destination, codes)
        eligibility.carry_on(file, at)
        permits.follow_up(file)
        return
    need_reasons(asked.reasons, PermitUse.WITHHOLD, file.forms, file.words.reasons)
    event = PermitEvent.PROPOSE_WITHHOLD
    _propose(file, actor, at, destination, event, PermitProposal.WITHHOLD, asked.reasons, asked.note)
    file.record(
        PermitAct.PERMIT_WITHHOLD_PROPOSED,
        actor,
        at,
        destination=destination.value,
        reasons=[r.code for r in asked.reasons],
    )


def refuses_eligibility(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse an answer about a destination of which nobody is asked, or that another officer works on."""
    destination = _destination(track)
    permit = _permit(file, destination)
    need_move(file, PermitEvent.ELIGIBLE, actor, permit_of(destination))
    _RULE.need_none(permit.pending_act)
    _need_in_force(file)
    need_not_held(file, actor, PermitTask.PERMIT_ELIGIBILITY, destination)


def refuses_signature(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse a second signature on what another officer holds."""
    _permit(file, _destination(track))
    need_not_held(file, actor, TaskKind.CONFIRM, _destination(track))


def refuses_outcome(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse to propose an answer of a permit that is not followed, or that another officer works on."""
    destination = _destination(track)
    _permit(file, destination)
    need_not_held(file, actor, PermitTask.AUTHORITY_CONFLICT, destination)


def _destination(track: At | None) -> Destination:
    return Destination(need(track, "track").key)


def _need_in_force(file: CaseFile) -> None:
    if file.stage is not Stage.APPROVED:
        raise Refused("wrong_stage", "The registration is not in force.")


def confirm(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, asked: PermitConfirmationRequest
) -> None:
    """Give or withhold the second signature on what was proposed for a permit."""
    _permit(file, destination)
    matter = _matter(file, destination)
    verdict = proposals.sign(matter, actor, asked.action)
    act, pending = matter.act, matter.kept
    take_task(file, actor, at, TaskKind.CONFIRM, destination)
    if verdict is Verdict.MORE:
        proposals.add_signature(matter, actor, at, pending["at"], _signature_due(file, at)[1])
        return
    if verdict is Verdict.WITHHELD:
        _reject(matter, actor, at, asked)
        return
    if (cools := cooling.cooling_of(file, act)) is not None:
        cooling.sign(matter, cools, actor, at)
        return
    _apply_held(file, actor, at, destination, pending)


def _reject(matter: Matter, actor: Actor, at: datetime, asked: PermitConfirmationRequest) -> None:
    event = PermitEvent.REJECT_WITHHOLD if matter.act == PermitProposal.WITHHOLD else PermitEvent.REJECT_OUTCOME
    proposals.reject(matter, event, actor, at, asked, occasion=at.isoformat(), due_on=None)


def propose_outcome(
    file: CaseFile, actor: Actor, at: datetime, destination: Destination, asked: OutcomeRequest
) -> None:
    """Propose to apply an answer that is kept: one held for its contradiction, or one entered from a paper."""
    permit = _permit(file, destination)
    _RULE.need_none(permit.pending_act)
    kept = find_held(file, destination, asked.outcome_id)
    if kept is None:
        raise Refused("not_found", "No held answer about this permit has this outcome_id.")
    take_task(file, actor, at, PermitTask.AUTHORITY_CONFLICT, destination)
    proposed = {"outcome_id": asked.outcome_id, "answer_id": str(kept.answer_id)}
    _propose(file, actor, at, destination, PermitEvent.PROPOSE_OUTCOME, PermitProposal.OUTCOME, (), None, **proposed)
    file.record(Act.ANSWER_PROPOSED, actor, at, destination=destination.value, outcome=kept.outcome)


def find_held(
    file: CaseFile, destination: Destination, outcome_id: str, answer_id: str | None = None
) -> AnswerRow | None:
    """Return the answer about a permit that is kept under an id and not applied: the newest where there are several."""
    waiting = (AnswerState.HELD, AnswerState.EARLY)
    return next(
        (
            a
            for a in reversed(file.answers)
            if a.outcome_id == outcome_id and a.destination == destination and a.state in waiting
            if answer_id in (None, str(a.answer_id))
        ),
        None,
    )


def _apply_held(file: CaseFile, actor: Actor, at: datetime, destination: Destination, pending: Row) -> None:
    # Proposals of earlier days name no answer; ids of outcomes were unique then.
    kept = find_held(file, destination, pending["outcome_id"], pending.get("answer_id"))
    if kept is None:
        raise Refused("not_found", "The answer is no longer held.")
    set_permit(file, destination, at, pending_act=None, pending=None)
    file.change_answer(kept, AnswerState.APPLIED.value)
    permits.move_permit(file, destination, PermitEvent.CONFIRM_OUTCOME, actor, at)
    applying.force(file, actor, at, inbox.read_kept(file, kept), kept.answer_id)


def withhold(file: CaseFile, actor: Actor, at: datetime, decided: Decided) -> Mapping[str, Any]:
    """End a permit that two people signed to withhold (P3)."""
    said = letter(file, decided.by, decided.at, decided.reasons)
    event, why = PermitEvent.WITHHELD, PermitReason.NOT_ELIGIBLE.value
    permits.move_permit(file, Destination(need(decided.key, "key")), event, actor, at, end_reason=why, said=said)
    return {}


def after_withholding(file: CaseFile, actor: Actor, at: datetime, key: str | None) -> None:
    """Stop what still runs for a permit that was withheld (P3)."""
    permits.end_track(file, Destination(need(key, "key")), at)


def _propose(
    file: CaseFile,
    actor: Actor,
    at: datetime,
    destination: Destination,
    event: PermitEvent,
    act: str,
    reasons: tuple[GivenReason, ...],
    note: str | None,
    **more: object,
) -> None:
    matter = _matter(file, destination)
    proposals.propose(matter, actor, at, act, reasons, note, **more)
    set_permit(file, destination, at, rejected=None)
    due_at, due = _signature_due(file, at)
    said, wanted = (
        Said(occasion=at.isoformat(), facts={"pending_act": act, **due}),
        Asked(due_at=due_at, detail={"pending_act": act}),
    )
    move(file, event, actor, at, track=matter.track, asked=wanted, said=said)


def _signature_due(file: CaseFile, at: datetime) -> tuple[datetime, dict[str, Any]]:
    """Return until when the second signature of a proposal of now is expected, and what a notice says of it."""
    due = file.calendar.deadline(day_of(at), file.context.limits.signature_days)
    return due.at, {"due_on": day_of(due.at), "due_provisional": due.provisional}


def _matter(file: CaseFile, destination: Destination) -> Matter:
    return proposals.of_track(file, permit_of(destination), _RULE)


def _permit(file: CaseFile, destination: Destination) -> PermitRow:
    permit = permit_rows(file).get(destination)
    if permit is None:
        raise Refused("wrong_stage", "No permit of this destination is followed yet.")
    return permit
