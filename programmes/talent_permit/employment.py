"""The life of a registration: contract, departure, revocation, changes and the employer's standing (R20 to R34)."""

from datetime import date, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.signers import need_reasons
from cases.decisions import assessing, cooling, renewals, transferring
from cases.decisions.proposals import need_no_proposal
from cases.decisions.reported_days import need_day
from cases.decisions.review import propose
from cases.decisions.versions import keep_version
from cases.moves.moving import move, need_move
from cases.notices.compose import Said
from domain.actors import STAFF, Actor
from domain.acts import Act
from domain.clock import day_of
from domain.decisions import GivenReason, TaskAnswerRequest
from domain.errors import FieldError, Refused, need
from domain.field_errors import MESSAGES, FieldCode, field_errors
from domain.stages import CLOSED, IN_REVIEW, Stage, Standing
from domain.tasks import TaskAction
from programmes.talent_permit import contract, departures, ending, permits, running_on
from programmes.talent_permit.given import given, known
from programmes.talent_permit.permit_requests import RevocationRequest
from programmes.talent_permit.permit_requests import TaskAnswerRequest as PermitTaskAnswer
from programmes.talent_permit.reasons import PermitReason, PermitUse
from programmes.talent_permit.requests import CorrectionRequest, DepartureRequest, RegistrationRequest
from programmes.talent_permit.stages import LifeEvent
from programmes.talent_permit.tables import permit_rows, talent_permit
from programmes.talent_permit.words import PermitAct, PermitAnswer, PermitDeadline, PermitProposal, PermitTask
from store.rows.work import DeadlineRow


def depart(file: CaseFile, actor: Actor, at: datetime, asked: DepartureRequest) -> None:
    """Record the last day of an employment; what an officer reports on proof waits for a second signature (R22)."""
    if actor.role in STAFF:
        _propose_departure(file, actor, at, asked)
        return
    need_move(file, LifeEvent.DEPART, actor)
    departure = departures.read(file, actor, at, asked)
    departures.take(file, departure)
    move(file, LifeEvent.DEPART, actor, at)
    file.record(PermitAct.DEPARTURE_REPORTED, actor, at, reasons=[departure.reason], **departure.as_kept())


def _propose_departure(file: CaseFile, actor: Actor, at: datetime, asked: DepartureRequest) -> None:
    need_move(file, LifeEvent.PROPOSE_DEPARTURE, actor)
    departure = departures.read(file, actor, at, asked)
    need_no_proposal(file)
    file.row.round += 1
    reasons = (GivenReason(code=departure.reason),)
    event = LifeEvent.PROPOSE_DEPARTURE
    propose(file, actor, at, event, PermitProposal.DEPARTURE, reasons, None, **departure.as_kept())


def dispute(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Let an officer look at a departure that the person disputes; the report to the authority waits (R22, R30)."""
    need_move(file, LifeEvent.DISPUTE, actor)
    departure = _need_departure(file)
    move(file, LifeEvent.DISPUTE, actor, at)
    talent_permit(file).departure = departure | {"disputed": True}
    file.record(PermitAct.DEPARTURE_DISPUTED, actor, at)


def refuses_dispute(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse a dispute where no departure is recorded, or this one was disputed before."""
    need_move(file, LifeEvent.DISPUTE, actor)
    _need_departure(file)


def refuses_revocation(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse to revoke an approval that can still be recalled."""
    need_move(file, LifeEvent.REVOKE, actor)
    departures.need_settled(file)


def leave_by_transfer(file: CaseFile, actor: Actor, at: datetime, last_day: date) -> None:
    """Record the last day of a person who goes to another employer, as the employer tells it when asked (R51)."""
    depart(file, actor, at, DepartureRequest(last_day=last_day, reason=PermitReason.MOVED_WITHIN_PARK.value))


def left_by_transfer(file: CaseFile, actor: Actor, at: datetime, asked: TaskAnswerRequest) -> None:
    """Report on proof, for a second signature, the last day that the employer did not tell (R22, R53)."""
    if not isinstance(asked, PermitTaskAnswer) or asked.last_day is None:
        raise transferring.day_missing()
    reason = asked.reason or PermitReason.MOVED_WITHIN_PARK.value
    depart(file, actor, at, DepartureRequest(last_day=asked.last_day, reason=reason))


def _need_departure(file: CaseFile) -> dict[str, Any]:
    departure = talent_permit(file).departure
    if departure is None or file.row.end_reason != departure["reason"]:
        raise Refused("wrong_stage", "No departure is recorded.")
    if departure["disputed"]:
        raise Refused("already_decided", "This departure was disputed before.")
    return departure


def end_employment(file: CaseFile, actor: Actor, at: datetime, _deadline: DeadlineRow | None = None) -> None:
    """End the registration on the day after the last day of work; a pending revocation goes first (R23)."""
    if file.row.pending_act == PermitProposal.REVOKE or file.row.ended_on is None:
        return
    is_disputed = file.find_task(PermitTask.DEPARTURE_DISPUTED) is not None
    _end(file, LifeEvent.EMPLOYMENT_OVER, actor, at, need(file.row.end_reason, "end_reason"))
    waits = file.is_followed and not is_disputed
    permits.registration_ended(file, actor, at, "registration_ended", reports=not (is_disputed or waits))
    if waits:
        running_on.wait(file, at)


def revoke(file: CaseFile, actor: Actor, at: datetime, asked: RevocationRequest) -> None:
    """Propose a revocation, which takes effect with a second signature (R24)."""
    refuses_revocation(file, actor, None, at)
    need_no_proposal(file)
    need_reasons(asked.reasons, PermitUse.REVOKE, file.forms, file.words.reasons)
    file.row.round += 1
    file.row.rejected = None
    propose(file, actor, at, LifeEvent.REVOKE, PermitProposal.REVOKE, asked.reasons, asked.note)


def after_revocation(file: CaseFile, actor: Actor, at: datetime, _key: str | None) -> None:
    """Tell the permits of a registration that was revoked (R25)."""
    permits.registration_ended(file, actor, at, "registration_revoked")


def after_rejected_revocation(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Go on where a revocation that was not signed, or was taken back, had made things wait (R25a, R26)."""
    if file.row.ended_on is not None and file.row.ended_on < day_of(at):
        end_employment(file, actor, at)


async def answer_employment(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: PermitTaskAnswer
) -> None:
    """Record the new contract end, or the departure, once the grace after a contract is over (R29)."""
    if asked.action == PermitAnswer.NEW_CONTRACT_END and asked.contract_end is not None:
        need_contract_to_come(file, at, asked.contract_end)
        end = CorrectionRequest.model_validate({"employment": {"contract_end": asked.contract_end}})
        keep_version(file, at, whole=merged(given(file), end))
        file.record(Act.CHANGED, actor, at, fields=["contract_end"], version=file.row.facts_version)
        take_contract_end(file, actor, at)
    elif asked.action == PermitAnswer.DEPARTED and asked.last_day is not None:
        reason = asked.reason or PermitReason.CONTRACT_ENDED.value
        depart(file, actor, at, DepartureRequest(last_day=asked.last_day, reason=reason))
    else:
        field = "last_day" if asked.action == PermitAnswer.DEPARTED else "contract_end"
        missing = FieldError(field, FieldCode.REQUIRED, MESSAGES[FieldCode.REQUIRED])
        raise Refused("invalid", "Say the new contract end, or the last day of work.", [missing])


def answer_dispute(file: CaseFile, actor: Actor, at: datetime, asked: TaskAnswerRequest) -> None:
    """Uphold a departure that the person disputes, or set it aside; the report to the authority waited for it (R22)."""
    if file.find_task(PermitTask.DEPARTURE_DISPUTED) is None:
        raise Refused("wrong_stage", "No departure is disputed.")
    departures.need_another_than_reported(file, actor)
    move(file, LifeEvent.ANSWER_DISPUTE, actor, at)
    file.record(Act.TASK_ANSWERED, actor, at, outcome=asked.action, kind="departure_disputed")
    if asked.action == TaskAction.UPHOLD:
        if file.stage is Stage.ENDED and not _is_reported(file):
            permits.registration_ended(file, actor, at, "registration_ended")
    elif file.stage is Stage.APPROVED:
        file.row.change(ended_on=None, end_reason=None)
        talent_permit(file).departure = None
        file.cancel_deadlines(PermitDeadline.EMPLOYMENT_OVER)
        contract.plan_contract_end(file, at)


def remind_of_contract(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Tell the employer that a contract ends (R29)."""
    step, ends = deadline.step, talent_permit(file).contract_end
    said = Said(occasion=f"{ends}/{step}", facts={"contract_end": ends, "days_left": step})
    move(file, LifeEvent.CONTRACT_REMINDER_DUE, actor, at, said=said)
    file.record(Act.REMINDED, actor, at, step=step)


def end_contract_grace(file: CaseFile, actor: Actor, at: datetime, deadline: DeadlineRow) -> None:
    """Ask an officer what became of an employment whose contract has ended (R29)."""
    move(file, LifeEvent.CONTRACT_GRACE_OVER, actor, at)
    file.record(Act.REMINDED, actor, at, step=deadline.kind)


async def standing(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, to: Standing) -> None:
    """Let a case feel its employer's standing (R20, R21, R27, R28)."""
    if file.stage in CLOSED:
        return
    if to is Standing.LEFT_PARK:
        await _employer_left(file, connection, actor, at)
        return
    event = LifeEvent.EMPLOYER_SUSPENDED if to is Standing.SUSPENDED else LifeEvent.EMPLOYER_REINSTATED
    move(file, event, actor, at)
    holds = file.stage in (Stage.UNDER_REVIEW, Stage.AWAITING_CONFIRMATION, Stage.APPROVED)
    file.row.standing_hold = to is Standing.SUSPENDED and holds
    file.record(Act.HELD if file.row.standing_hold else Act.HOLD_RELEASED, actor, at, reasons=["employer_standing"])


async def _employer_left(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    file.row.standing_hold = False
    if file.stage is Stage.APPROVED and cooling.take_effect(file, actor, at):
        return  # it was revoked before its employer left, though nobody outside knew yet
    if file.stage is Stage.APPROVED:
        file.row.ended_on = None
        _end(file, LifeEvent.EMPLOYER_LEFT, actor, at, PermitReason.EMPLOYER_LEFT_PARK.value)
        permits.registration_ended(file, actor, at, "employer_left_park", in_batch=True)
        return
    if file.stage in IN_REVIEW:
        move(file, LifeEvent.EMPLOYER_LEFT, actor, at)
    if file.assessment() is None:
        return  # the assessment to come sees the standing by itself
    await assessing.assess_again(file, connection, actor, at, reasons=("employer_left_park",))


def _end(file: CaseFile, event: LifeEvent, actor: Actor, at: datetime, reason: str) -> None:
    need_move(file, event, actor)
    renewals.close(file, actor, at)
    ending.close(file, at, reason)
    move(file, event, actor, at)
    ended_on = need(file.row.ended_on, "ended_on")
    file.record(PermitAct.ENDED, actor, at, reasons=[reason], ended_on=ended_on.isoformat())


def _is_reported(file: CaseFile) -> bool:
    return any(permit.reported_at is not None for permit in permit_rows(file).values())


def need_contract_to_come(file: CaseFile, at: datetime, contract_end: date) -> None:
    """Refuse an end of the contract that is over, which a departure tells of, or before the last day of work."""
    need_day("contract_end", contract_end, earliest=day_of(at), before="contract_over")
    need_day("contract_end", contract_end, earliest=file.row.ended_on, before="before_departure")


def take_contract_end(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Let the reminders follow a new contract end, and close the question about the old one."""
    talent_permit(file).contract_end = known(file).employment.contract_end
    move(file, LifeEvent.CONTRACT_END_TAKEN, actor, at)
    if file.stage is Stage.APPROVED and file.row.settled:
        contract.plan_contract_end(file, at)


def known_anew(file: CaseFile, at: datetime) -> None:
    """Let the end of the contract, by which reminders go, be the one that is known now."""
    ends = known(file).employment.contract_end
    if talent_permit(file).contract_end != ends:
        talent_permit(file).contract_end = ends
        if file.stage is Stage.APPROVED and file.row.settled:
            contract.plan_contract_end(file, at)


def merged(whole: RegistrationRequest, parts: CorrectionRequest) -> RegistrationRequest:
    """Return a registration with the parts that change.

    Raises:
        Refused: `invalid` where the whole does not hold together, or a field that it needs was removed.
    """
    try:
        return whole.corrected(parts)
    except ValidationError as error:
        raise Refused("invalid", "The registration would not hold together.", field_errors(error)) from error
