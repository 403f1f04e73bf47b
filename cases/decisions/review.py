"""The review of a case: tasks, decisions, second signatures, recall and holds (R9 to R19)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.file import CaseFile
from cases.case.moves import At
from cases.case.signers import (
    given,
    is_same,
    need_no_hold,
    need_not_held,
    need_reasons,
    need_round,
    need_undecided,
    notes_of,
    nothing_waits,
    signature_of,
    take_task,
)
from cases.deadlines.stated import signature_due
from cases.decisions import cooling, correction, finding_answers, proposals, settling
from cases.decisions.reported_days import need_day
from cases.decisions.second_signature import Verdict
from cases.moves.apart import need_apart
from cases.moves.front_half import Event
from cases.moves.moving import Asked, move, need_move
from cases.moves.transfer import TransferEvent
from cases.programme import Signature, programme_of
from domain.actors import Actor, Role
from domain.acts import Act
from domain.clock import day_of, morning_of
from domain.deadlines import DeadlineKind
from domain.decisions import (
    ConfirmationRequest,
    DecisionAction,
    DecisionRequest,
    GivenReason,
    HoldAction,
    HoldRequest,
)
from domain.errors import Refused, need
from domain.findings import STANDING_IN_THE_WAY
from domain.reasons import Use, checked_reasons
from domain.signatures import KeptReason
from domain.stages import PendingAct, Stage
from domain.tasks import TaskKind
from policy.rerun import REGISTRATION_SCOPE


async def decide(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: DecisionRequest
) -> None:
    """Decide on the registration: approve, return or refuse (R10 to R13)."""
    need_undecided(file)
    need_move(file, Event.REFUSE, actor)
    need_round(file, asked.round)
    need_no_hold(file)
    if asked.action is not DecisionAction.RETURN:
        need_apart(file, actor)
    take_task(file, actor, at, TaskKind.REVIEW)
    file.row.rejected = None
    if asked.action is DecisionAction.RETURN:
        _return(file, actor, at, asked)
    elif asked.action is DecisionAction.REFUSE:
        need_reasons(asked.reasons, Use.REFUSE, file.forms, file.words.reasons)
        propose(file, actor, at, Event.REFUSE, PendingAct.REFUSE, asked.reasons, asked.note)
    elif needs_second_signature(file):
        need_reasons(asked.reasons, Use.OVERRIDE, file.forms, file.words.reasons, at_least_one=_needs_override(file))
        propose(file, actor, at, Event.APPROVE_OVER_FAIL, PendingAct.APPROVE, asked.reasons, asked.note)
    else:
        codes = need_reasons(asked.reasons, Use.OVERRIDE, file.forms, file.words.reasons, at_least_one=False)
        unexplained = _open_questions(file) and not codes
        _keep_answers(file, at, given(asked.reasons))
        await settling.approve(
            file, connection, actor, at, list(codes), note=asked.note, overrides_unexplained=unexplained
        )


def refuses_decision(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse a decision that this actor cannot make now, whatever it is."""
    need_undecided(file)
    need_no_hold(file)
    need_not_held(file, actor, TaskKind.REVIEW)


def refuses_signature(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse a second signature that this actor cannot give now."""
    waits = file.row.pending_act
    if waits is None:
        need_undecided(file)
        raise nothing_waits()
    if waits not in programme_of(file).signatures:
        need_no_hold(file)
    need_not_held(file, actor, TaskKind.CONFIRM)
    need_apart(file, actor)


def refuses_recall(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse to take back a decision that has taken effect: an approval has once its settling time is over."""
    if cooling.signed(file.row.pending) is not None:
        cooling.refuses_recall(file, actor, None, at)
        return
    need_move(file, Event.RECALL, actor)
    if file.stage is not Stage.APPROVED:
        raise Refused("wrong_stage", "Nothing is decided that could be taken back.")
    # Nothing has been sent of what waits for another case to end (R55).
    if file.row.settled or (file.row.settles_at is not None and file.row.settles_at <= at):
        raise Refused("wrong_stage", "The settling time is over; the approval stands.")


def propose(
    file: CaseFile,
    actor: Actor,
    at: datetime,
    event: str,
    act: str,
    reasons: Sequence[GivenReason],
    note: str | None,
    **more: Any,
) -> None:
    """Keep a proposal that takes effect with a second signature; `more` stands with it and in its ledger row."""
    matter = proposals.of_case(file)
    proposals.propose(matter, actor, at, act, reasons, note, **more)
    of_decided = programme_of(file).signatures.get(act)
    proposed = Act.DECIDED if of_decided is None else of_decided.proposed
    expected = file.set_working_days(DeadlineKind.SIGNATURE_EXPECTED, day_of(at), file.context.limits.signature_days)
    due_at = None if of_decided is None else expected.at
    move(file, event, actor, at, asked=Asked(due_at=due_at, detail={"pending_act": str(act)}))
    file.record(
        proposed,
        actor,
        at,
        outcome=str(act),
        reasons=[r.code for r in reasons],
        **more,
    )


async def confirm(
    file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime, asked: ConfirmationRequest
) -> None:
    """Give or withhold the second signature (R14, R15, R22, R25, R26); a decision against somebody then cools off."""
    pending, matter = file.row.pending_act, proposals.of_case(file)
    if pending is None:
        need_undecided(file)
        raise nothing_waits()
    need_round(file, asked.round)
    verdict = proposals.sign(matter, actor, asked.action)
    signed = programme_of(file).signatures.get(pending)
    if signed is None:
        need_no_hold(file)
    elif signed.signer is not None:
        await signed.signer(file, connection, actor, at)
    take_task(file, actor, at, TaskKind.CONFIRM)
    if verdict is Verdict.WITHHELD:
        _reject(file, actor, at, asked, signed)
        return
    if verdict is Verdict.MORE:
        proposals.add_signature(matter, actor, at, f"{file.round}/{pending}", signature_due(file))
        return
    if (cools := cooling.cooling_of(file, pending)) is not None:
        cooling.sign(matter, cools, actor, at)
        return
    if signed is not None:
        await _give(signed, file, connection, actor, at)
        return
    reasons, note = proposal(file)
    _keep_answers(file, at, need(file.row.pending, "pending")["reasons"])
    why = [reason.code for reason in reasons]
    await settling.approve(file, connection, actor, at, why, note=note, confirmed=True)


async def _give(signed: Signature, file: CaseFile, connection: AsyncConnection, actor: Actor, at: datetime) -> None:
    """Let what was proposed of a decided case take effect."""
    if signed.takes is not None:
        await signed.takes(file, connection, actor, at)
    elif signed.given is not None:
        signed.given(file, actor, at)


def proposal(file: CaseFile) -> tuple[tuple[GivenReason, ...], str | None]:
    """Return reasons with their notes, and the staff note, of the proposal that waits."""
    return proposals.read(proposals.of_case(file))


def recall(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Take a decision back before anything was sent (R10a, R14a, R25a)."""
    refuses_recall(file, actor, None, at)
    if cooling.signed(file.row.pending) is not None:
        cooling.recall(file, actor, at)
        return
    effect = need(file.row.effect_by, "effect_by")
    if not is_same(actor, effect):
        raise Refused("role_not_allowed", "Only the one who gave the approval effect may recall it.")
    settling.undo(file)
    move(file, Event.RECALL, actor, at)
    file.record(Act.RECALLED, actor, at)


def refuses_hold(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse a hold on a case whose decision is signed: nothing is left to wait with."""
    need_move(file, Event.HOLD, actor)
    cooling.need_not_signed(file)


def hold(file: CaseFile, actor: Actor, at: datetime, asked: HoldRequest) -> None:
    """Place or release an officer's hold (R17)."""
    refuses_hold(file, actor, None, at)
    if asked.action is HoldAction.RELEASE:
        if not file.row.hold:
            raise Refused("wrong_stage", "No officer's hold stands on this case.")
        file.row.hold = None
        file.cancel_deadlines(DeadlineKind.HOLD_REVIEW)
        file.record(Act.HOLD_RELEASED, actor, at)
        return
    checked_reasons([asked.reason], Use.HOLD, file.words.reasons)
    if file.row.hold:
        raise Refused("on_hold", "An officer's hold stands already; release it first.")
    review_on = asked.review_on or file.calendar.working_day(day_of(at), file.context.limits.hold_review_days)
    _need_review_day(file, at, review_on)
    file.row.hold = {
        "reason": asked.reason, "by": signature_of(actor), "at": at.isoformat(), "review_on": review_on.isoformat(),
        "note": notes_of(file, "registrations", f"{file.reference}/hold", {"note": asked.note}),
    }  # fmt: skip
    file.set_deadline(DeadlineKind.HOLD_REVIEW, morning_of(review_on))
    file.record(Act.HELD, actor, at, reasons=[asked.reason], review_on=review_on.isoformat())


def _need_review_day(file: CaseFile, at: datetime, review_on: date) -> None:
    """Refuse a review of a hold that has no day to come, or one so far off that nobody would look again."""
    today, days = day_of(at), file.context.limits.hold_review_latest_days
    need_day("review_on", review_on, earliest=today + timedelta(days=1), before="not_to_come")
    latest = file.calendar.working_day(today, days)
    need_day("review_on", review_on, latest=latest, after="too_late", limit_days=days)


def _return(file: CaseFile, actor: Actor, at: datetime, asked: DecisionRequest) -> None:
    codes = need_reasons(asked.reasons, Use.RETURN, file.forms, file.words.reasons)
    limits = file.context.limits
    if file.row.returns >= limits.returns_allowed:
        raise Refused("return_not_allowed", f"The case was returned {limits.returns_allowed} times already.")
    if actor.role is not Role.SUPERVISOR:
        _need_known_defects(file, list(codes))
    correction.request_by_officer(file, actor, at, asked.reasons)


def _need_known_defects(file: CaseFile, codes: Sequence[str]) -> None:
    named = file.row.named_defects
    if named.get("complete") and file.row.returns == 0:
        raise Refused("return_not_allowed", "The time for naming defects is over; a supervisor may still return.")
    if file.row.returns == 0:
        return
    assessment = file.assessment()
    findings = assessment.findings if assessment else []
    mended = {f["code"] for f in findings if f["outcome"] == "pass"}
    brought = {f["code"] for f in findings} - mended - set(named.get("found", []))
    if not set(codes) <= (set(named.get("codes", [])) - mended) | brought:
        raise Refused(
            "return_not_allowed",
            "From the second return on only a defect named before, or one that the correction brought; a supervisor may"
            " return it.",
        )


def _reject(file: CaseFile, actor: Actor, at: datetime, asked: ConfirmationRequest, signed: Signature | None) -> None:
    need_reasons(asked.reasons, Use.REJECT, file.forms, file.words.reasons)
    event = Event.REJECT if signed is None else signed.rejected
    need_move(file, event, actor)
    file.row.round += 1
    proposals.reject(proposals.of_case(file), event, actor, at, asked)
    if signed is not None and signed.withheld is not None:
        signed.withheld(file, actor, at)


def _keep_answers(file: CaseFile, at: datetime, reasons: Sequence[KeptReason]) -> None:
    """Keep what the override reasons of an approval answer, so that no permit is asked the same again."""
    finding_answers.keep(file, finding_answers.answers_given(file, REGISTRATION_SCOPE, reasons, at))


def needs_second_signature(file: CaseFile) -> bool:
    """Whether an approval needs two people: over a failed finding, and over one that only a recorded fact turned."""
    assessment = file.assessment()
    turned = assessment.on_facts["turned"] if assessment and assessment.on_facts else []
    return _needs_override(file) or bool(turned)


def comes_to(file: CaseFile, events: Sequence[str]) -> list[str]:
    """Return which rows a decision would be now: of several approvals the one that the findings and the case allow."""
    if needs_second_signature(file):
        approval: str = Event.APPROVE_OVER_FAIL
    else:
        approval = Event.APPROVE if file.row.follows is None else TransferEvent.APPROVE_TO_FOLLOW
    approvals = {Event.APPROVE, Event.APPROVE_OVER_FAIL, TransferEvent.APPROVE_TO_FOLLOW}
    return [event for event in events if event not in approvals or event == approval]


def _needs_override(file: CaseFile) -> bool:
    assessment = file.assessment()
    return assessment is None or any(f["outcome"] in STANDING_IN_THE_WAY for f in assessment.findings)


def _open_questions(file: CaseFile) -> bool:
    assessment = file.assessment()
    return assessment is not None and any(f["outcome"] != "pass" for f in assessment.findings)


def refuses_withdrawal(file: CaseFile, actor: Actor, track: At | None, at: datetime) -> None:
    """Refuse to withdraw a case whose decision is signed, as one that was approved: the first recorded stands."""
    need_move(file, Event.WITHDRAW, actor)
    cooling.need_not_signed(file)


def withdraw(file: CaseFile, actor: Actor, at: datetime) -> None:
    """Withdraw an open case; a proposal not yet confirmed never takes effect (R16), one that is stands."""
    refuses_withdrawal(file, actor, None, at)
    settling.close_unregistered(file)
    move(file, Event.WITHDRAW, actor, at)
    file.record(Act.WITHDRAWN, actor, at)
