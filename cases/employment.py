"""The life of an approved registration: contract, departure, revocation, changes and the employer's standing (R20 to R34)."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cases import assessing, permits, settling
from cases.case_file import CaseFile
from cases.notify import Telling, tell
from cases.review import propose
from cases.signers import need_no_conflict, need_reasons, signature_of
from domain.actors import Actor
from domain.acts import Act
from domain.clock import day_of, start_of
from domain.deadlines import DeadlineKind
from domain.decisions import RevocationRequest, TaskAction, TaskAnswerRequest
from domain.errors import FieldError, Refused
from domain.findings import outcome_of
from domain.moves import Event, get_move
from domain.notices import NoticeKind
from domain.reasons import ReasonCode, Use, departure_reason
from domain.registration import ChangeRequest, DepartureRequest, RegistrationRequest
from domain.stages import CLOSED, OPEN, PendingAct, Stage, Standing
from domain.tasks import TaskKind
from policy.talent_permit import assess
from store.tables import applications


def depart(file: CaseFile, actor: Actor, at: datetime, asked: DepartureRequest) -> None:
    """Record the last day of an employment; a later report before that day replaces it (R22)."""
    get_move(file.stage, Event.DEPART)
    reason = departure_reason(asked.reason)
    if (
        file.row["ended_on"] is not None
        and file.row["ended_on"] < day_of(at)
        and asked.last_day >= file.row["ended_on"]
    ):
        raise Refused("wrong_stage", "The employment has ended by an earlier report.")
    file.move(Event.DEPART)
    is_late = file.calendar.working_days_between(asked.last_day, day_of(at)) > file.context.limits.departure_report_days
    file.row["departure"] = {"by": signature_of(actor), "reason": reason.value, "late": is_late, "disputed": False}
    file.row.update(ended_on=asked.last_day, end_reason=reason.value)
    file.cancel_deadlines(DeadlineKind.CONTRACT_REMINDER, DeadlineKind.CONTRACT_GRACE)
    file.close_tasks([TaskKind.EMPLOYMENT_CHECK], at)
    file.set_deadline(DeadlineKind.EMPLOYMENT_OVER, start_of(asked.last_day + timedelta(days=1)))
    detail = {"last_day": asked.last_day.isoformat(), "reasons": [reason.value], "late": is_late}
    file.record(Act.DEPARTURE_REPORTED, actor, at, **detail)
    facts = {"last_day": asked.last_day, "end_reason": reason.value}
    tell(file, Telling(NoticeKind.DEPARTURE_RECORDED, at, f"{file.round}/{asked.last_day}", facts=facts))


def end_employment(file: CaseFile, actor: Actor, at: datetime) -> None:
    """End the registration on the day after the last day of work; a pending revocation goes first (R23)."""
    if file.row["pending_act"] == PendingAct.REVOKE or file.row["ended_on"] is None:
        return
    file.move(Event.EMPLOYMENT_OVER)
    reason = file.row["end_reason"]
    file.record(Act.ENDED, actor, at, reasons=[reason], ended_on=file.row["ended_on"].isoformat())
    settling.close(file, at, reason)
    facts = {"ended_on": file.row["ended_on"], "end_reason": reason}
    tell(file, Telling(NoticeKind.REGISTRATION_ENDED, at, str(file.round), facts=facts))
    if file.find_task(TaskKind.DEPARTURE_DISPUTED) is None:
        permits.registration_ended(file, actor, at, "registration_ended")


def revoke(file: CaseFile, actor: Actor, at: datetime, asked: RevocationRequest) -> None:
    """Propose a revocation, which takes effect with a second signature (R24)."""
    get_move(file.stage, Event.REVOKE)
    if file.row["pending_act"] is not None:
        raise Refused("already_decided", "A revocation waits for its second signature.")
    need_no_conflict(file, actor)
    need_reasons(asked.reasons, Use.REVOKE)
    file.move(Event.REVOKE)
    file.row["round"] += 1
    propose(file, actor, at, PendingAct.REVOKE, asked.reasons, asked.note)


def after_rejected_revocation(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Go on where a pending revocation had made things wait (R26)."""
    if file.row["ended_on"] is not None and file.row["ended_on"] < day_of(at):
        end_employment(file, actor, at)


async def change(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: ChangeRequest) -> None:
    """Change contact and language at once, and ask an officer for the rest (R34)."""
    file.move(Event.CHANGE)
    if asked.at_once:
        await keep_version(file, connection, at, person=asked.at_once)
        file.record(Act.CHANGED, actor, at, fields=sorted(asked.at_once), version=file.row["facts_version"])
    if asked.for_review:
        sealed = file.seal("tasks", "detail", f"{file.reference}/change", asked.for_review).hex()
        task = file.open_task(TaskKind.CHANGE, at)
        file.change_task(task, detail={"fields": sorted(asked.for_review), "change": sealed, "by": signature_of(actor)})
        file.record(Act.CHANGE_ASKED, actor, at, fields=sorted(asked.for_review))


async def answer_change(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: TaskAnswerRequest
) -> None:
    """Take or decline what an employer asked to have changed (R34)."""
    task = file.find_task(TaskKind.CHANGE)
    if task is None:
        raise Refused("wrong_stage", "No change waits for an answer.")
    if asked.action is TaskAction.TAKE:
        place = f"{file.reference}/change"
        wanted = file.open("tasks", "detail", place, bytes.fromhex(task["detail"]["change"]))
        contract = {"contract_end": wanted.pop("contract_end")} if "contract_end" in wanted else {}
        await keep_version(file, connection, at, person=wanted, employment=contract)
        if contract:
            file.row["contract_end"] = file.application.employment.contract_end
            settling.plan_contract_end(file)
        file.record(Act.CHANGED, actor, at, fields=task["detail"]["fields"], version=file.row["facts_version"])
    elif asked.action is TaskAction.DECLINE:
        file.record(Act.CHANGE_DECLINED, actor, at, fields=task["detail"]["fields"])
    else:
        raise Refused(
            "invalid", "Answer with take or decline.", [FieldError("action", "unknown_value", "Not allowed here.")]
        )
    file.close_tasks([TaskKind.CHANGE], at)


def answer_employment(file: CaseFile, actor: Actor, at: datetime, asked: TaskAnswerRequest) -> None:
    """Record the new contract end, or the departure, once the grace after a contract is over (R29)."""
    if asked.action is TaskAction.NEW_CONTRACT_END and asked.contract_end is not None:
        file.row["contract_end"] = asked.contract_end
        file.close_tasks([TaskKind.EMPLOYMENT_CHECK], at)
        file.record(Act.CHANGED, actor, at, fields=["contract_end"])
        settling.plan_contract_end(file)
    elif asked.action is TaskAction.DEPARTED and asked.last_day is not None:
        reason = asked.reason or ReasonCode.CONTRACT_ENDED.value
        depart(file, actor, at, DepartureRequest(last_day=asked.last_day, reason=reason))
    else:
        missing = FieldError("action", "unknown_value", "new_contract_end needs contract_end; departed needs last_day.")
        raise Refused("invalid", "Say the new contract end, or the last day of work.", [missing])


def answer_dispute(file: CaseFile, actor: Actor, at: datetime, asked: TaskAnswerRequest) -> None:
    """Uphold a departure that the person disputes, or set it aside; the report to the authority waited for it (R22)."""
    if file.find_task(TaskKind.DEPARTURE_DISPUTED) is None:
        raise Refused("wrong_stage", "No departure is disputed.")
    if asked.action not in (TaskAction.UPHOLD, TaskAction.SET_ASIDE):
        raise Refused(
            "invalid", "Answer with uphold or set_aside.", [FieldError("action", "unknown_value", "Not allowed here.")]
        )
    file.close_tasks([TaskKind.DEPARTURE_DISPUTED], at)
    file.record(Act.TASK_ANSWERED, actor, at, kind="departure_disputed", action=asked.action.value)
    if asked.action is TaskAction.UPHOLD:
        if file.stage is Stage.ENDED:
            permits.registration_ended(file, actor, at, "registration_ended")
    elif file.stage is Stage.APPROVED:
        file.row.update(ended_on=None, end_reason=None, departure=None)
        file.cancel_deadlines(DeadlineKind.EMPLOYMENT_OVER)
        settling.plan_contract_end(file)


def remind_of_contract(file: CaseFile, actor: Actor, at: datetime, step: int) -> None:
    """Tell the employer that a contract ends (R29)."""
    file.move(Event.CONTRACT_REMINDER_DUE)
    file.record(Act.REMINDED, actor, at, step=step)
    facts = {"contract_end": file.row["contract_end"], "days_left": step}
    tell(file, Telling(NoticeKind.CONTRACT_ENDING, at, f"{file.row['contract_end']}/{step}", facts=facts))


def end_contract_grace(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Ask an officer what became of an employment whose contract has ended (R29)."""
    file.move(Event.CONTRACT_GRACE_OVER)
    due = file.calendar.deadline(day_of(at), file.context.limits.park_decision_days)
    file.open_task(TaskKind.EMPLOYMENT_CHECK, at, due_at=due.at)


async def standing(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, to: Standing) -> None:
    """Let a case feel its employer's standing (R20, R21, R27, R28)."""
    if file.stage in CLOSED:
        return
    if to is Standing.LEFT_PARK:
        await _employer_left(file, connection, actor, at)
        return
    event = Event.EMPLOYER_SUSPENDED if to is Standing.SUSPENDED else Event.EMPLOYER_REINSTATED
    file.move(event)
    holds = file.stage in (Stage.UNDER_REVIEW, Stage.AWAITING_CONFIRMATION, Stage.APPROVED)
    file.row["standing_hold"] = to is Standing.SUSPENDED and holds
    file.record(Act.HELD if file.row["standing_hold"] else Act.HOLD_RELEASED, actor, at, reasons=["employer_standing"])


async def _employer_left(file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    was_open = file.stage in OPEN
    file.move(Event.EMPLOYER_LEFT)
    file.row["standing_hold"] = False
    if not was_open:
        reason = ReasonCode.EMPLOYER_LEFT_PARK.value
        file.row["ended_on"] = day_of(at)
        file.record(Act.ENDED, actor, at, reasons=[reason], ended_on=day_of(at).isoformat())
        settling.close(file, at, reason)
        facts = {"ended_on": day_of(at), "end_reason": reason}
        tell(file, Telling(NoticeKind.REGISTRATION_ENDED, at, str(file.round), facts=facts))
        permits.registration_ended(file, actor, at, "employer_left_park", in_batch=True)
        return
    if file.assessment() is None:
        return
    known = await assessing.gather_facts(
        connection, file.application, file.row, on=file.accepted_on, today=day_of(at), other_live=False
    )
    findings = assess(known, file.context.packs.version(file.row["policy_version"]), file.accepted_on)
    assessing.keep_assessment(file, assessing.REGISTRATION_SCOPE, findings, known, at)
    file.row["assessment"] = outcome_of(findings).value
    file.record(Act.ASSESSED, actor, at, outcome=file.row["assessment"], reasons=["employer_left_park"])


async def keep_version(
    file: CaseFile,
    connection: AsyncConnection,
    at: datetime,
    *,
    person: dict[str, Any] | None = None,
    employment: dict[str, Any] | None = None,
    whole: RegistrationRequest | None = None,
) -> None:
    """Keep a new version of what was given, beside the earlier ones."""
    if whole is None:
        body = file.application.model_dump(mode="json", exclude_none=True)
        body["person"] = _without_none(body["person"] | (person or {}))
        body["employment"] = _without_none(body["employment"] | (employment or {}))
        whole = RegistrationRequest.model_validate(body)
    version = file.row["facts_version"] + 1
    content = whole.model_dump_json(exclude_none=True).encode()
    await connection.execute(
        insert(applications).values(
            reference=file.reference,
            version=version,
            employer_id=file.employer_id,
            body=file.person_key.seal("applications", "body", f"{file.reference}/{version}", content),
            given_at=at,
        )
    )
    file.application = whole
    file.row["facts_version"] = version
    file.row["name_hash"] = file.context.keyring.lookup_hash(f"name/{file.employer_id}", whole.person.name_zh)


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
