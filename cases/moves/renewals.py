"""Renewals, as rows of the table of an approved case: asked, decided, settled, withdrawn, closed (R37 to R43)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cases.case.file import CaseFile
from cases.case.moves import At, Closes, Condition, Move, Notice, Opens, Who
from cases.case.renewals import under_way
from cases.case.signers import is_same
from cases.deadlines.stated import signature_due
from cases.moves.front_half import EMPLOYER, OFFICER, TIMER, second_signer
from cases.moves.objecting import ANSWERED, set_aside
from domain.actors import STAFF, Actor, Role
from domain.clock import day_of
from domain.errors import Refused, need
from domain.notices import NoticeKind
from domain.renewals import RenewalProposal
from domain.stages import DueKind, Stage
from domain.tasks import TaskKind


class RenewalEvent(StrEnum):
    """What can happen to a renewal."""

    ASK_RENEWAL = "ask_renewal"
    GRANT_RENEWAL = "grant_renewal"
    PROPOSE_RENEWAL_GRANT = "propose_renewal_grant"
    PROPOSE_RENEWAL_REFUSAL = "propose_renewal_refusal"
    CONFIRM_RENEWAL_GRANT = "confirm_renewal_grant"
    CONFIRM_RENEWAL_REFUSAL = "confirm_renewal_refusal"
    REJECT_RENEWAL = "reject_renewal"
    RECALL_RENEWAL = "recall_renewal"
    RENEWAL_GRANT_SETTLED = "renewal_grant_settled"
    RENEWAL_REFUSAL_SETTLED = "renewal_refusal_settled"
    RETURN_RENEWAL = "return_renewal"
    CORRECT_RENEWAL = "correct_renewal"
    RENEWAL_REMINDER_DUE = "renewal_reminder_due"
    RENEWAL_CORRECTION_REMINDER_DUE = "renewal_correction_reminder_due"
    RENEWAL_CORRECTION_OVER = "renewal_correction_over"
    RENEWAL_OVER = "renewal_over"
    WITHDRAW_RENEWAL = "withdraw_renewal"
    CLOSE_RENEWAL = "close_renewal"
    SET_ASIDE_RENEWAL_REFUSAL = "set_aside_renewal_refusal"


def occasion(file: CaseFile) -> str:
    """Return what makes a notice about a renewal one notice: its number."""
    return f"renewal/{need(under_way(file), 'renewal').number}"


def _need_decider(file: CaseFile, actor: Actor, track: At | None) -> None:
    renewal = under_way(file)
    if renewal is None or not is_same(actor, renewal.decided_by):
        raise Refused("role_not_allowed", "Only the one who gave the decision effect may recall it.")


def _due(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    renewal = need(under_way(file), "renewal")
    due_on = day_of(need(renewal.due_at, "due_at"))
    return {"renewal": renewal.number, "due_on": due_on, "due_provisional": renewal.due_provisional}


def _signature(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    return {"pending_act": need(file.row.pending_act, "pending_act"), **signature_due(file)}


def _of_proposal(file: CaseFile) -> str:
    return f"{file.round}/{need(file.row.pending_act, 'pending_act')}"


def _of_decision(file: CaseFile) -> str:
    """Return what makes a notice of a decision one notice: a refusal that was set aside may be decided again."""
    number, again = occasion(file), need(under_way(file), "renewal").limit_since
    return number if again is None else f"{number}/{file.round}"


def _of_limit(file: CaseFile) -> str:
    """Return what makes a notice about a limit one notice: where it began anew, the day on which it ended."""
    renewal = need(under_way(file), "renewal")
    number = occasion(file)
    return number if renewal.limit_since is None else f"{number}/{day_of(need(renewal.due_at, 'due_at'))}"


def _of_round(file: CaseFile) -> str:
    """Return what makes a notice about a return one notice: the renewal, and how often it was sent back."""
    renewal = need(under_way(file), "renewal")
    return f"renewal/{renewal.number}/{renewal.returned_times or 0}"


def _escalated(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    return {"days_over": 1, **_due(file, at)}


def _delayed(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    expected = file.calendar.working_day(day_of(at), file.context.limits.park_decision_days)
    due = _due(file, at)
    return {"renewal": due["renewal"], "missed_on": due["due_on"], "expected_on": expected}


def _decided_anew(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    return {**_due(file, at), "due_kind": DueKind.PARK_DECISION.value}


def _number(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    return {"renewal": need(under_way(file), "renewal").number}


def _until(file: CaseFile, at: datetime) -> datetime:
    return need(need(under_way(file), "renewal").due_at, "due_at")


def _waits(file: CaseFile, track: At | None) -> bool:
    return file.row.pending_act in frozenset(RenewalProposal)


_APPROVED: Final = frozenset({Stage.APPROVED})
_TOLD: Final = Notice(NoticeKind.SECOND_SIGNATURE_REQUESTED, facts=_signature, occasion=_of_proposal)
_SIGNER: Final = second_signer(*RenewalProposal)
_SIGNED: Final = (TaskKind.CONFIRM,)
_SIGNS: Final = (Opens(TaskKind.CONFIRM),)
_OF_RENEWAL: Final = (TaskKind.RENEWAL, Closes(TaskKind.CONFIRM, Condition("where a decision on it waits", _waits)))
# Whoever ends the case: time, a step, or the one who signs its end last where nothing cools off.
_CASE_ENDS: Final = Who("end of the case", frozenset({Role.SYSTEM}) | STAFF, asked=False)
_LOOK: Final = (Opens(TaskKind.RENEWAL, due=_until),)


def renewal_moves(asks: Who) -> tuple[Move, ...]:
    """Return the rows of renewals.

    Args:
        asks: who asks for one and withdraws it.
    """
    return (
        Move(
            "R37", _APPROVED, RenewalEvent.ASK_RENEWAL, asks,
            opens=_LOOK, closes=(ANSWERED,),
            notices=(Notice(NoticeKind.RENEWAL_RECEIVED, facts=_due, occasion=occasion),),
        ),
        Move("R38", _APPROVED, RenewalEvent.GRANT_RENEWAL, OFFICER, closes=(TaskKind.RENEWAL,)),
        Move(
            "R39", _APPROVED, RenewalEvent.PROPOSE_RENEWAL_GRANT, OFFICER,
            opens=_SIGNS, closes=(TaskKind.RENEWAL,), notices=(_TOLD,),
        ),
        Move(
            "R39", _APPROVED, RenewalEvent.PROPOSE_RENEWAL_REFUSAL, OFFICER,
            opens=_SIGNS, closes=(TaskKind.RENEWAL,), notices=(_TOLD,),
        ),
        Move("R40", _APPROVED, RenewalEvent.CONFIRM_RENEWAL_GRANT, _SIGNER, closes=_SIGNED),
        Move("R40", _APPROVED, RenewalEvent.CONFIRM_RENEWAL_REFUSAL, _SIGNER, closes=_SIGNED),
        Move(
            "R40", _APPROVED, RenewalEvent.REJECT_RENEWAL, _SIGNER,
            opens=_LOOK, closes=_SIGNED, notices=(Notice(NoticeKind.SECOND_SIGNATURE_REJECTED, facts=_due),),
        ),
        Move(
            "R41", _APPROVED, RenewalEvent.RECALL_RENEWAL,
            Who("who gave the decision effect", STAFF, need=_need_decider), opens=_LOOK,
        ),
        Move(
            "R41", _APPROVED, RenewalEvent.RENEWAL_GRANT_SETTLED, TIMER,
            notices=(Notice(NoticeKind.RENEWAL_GRANTED, facts=_number, occasion=_of_decision),),
        ),
        Move(
            "R41", _APPROVED, RenewalEvent.RENEWAL_REFUSAL_SETTLED, TIMER,
            notices=(Notice(NoticeKind.RENEWAL_REFUSED, facts=_number, occasion=_of_decision),),
        ),
        Move(
            "R42", _APPROVED, RenewalEvent.RENEWAL_OVER, TIMER,
            notices=(
                Notice(NoticeKind.ESCALATED, facts=_escalated, occasion=_of_limit),
                Notice(NoticeKind.DECISION_DELAYED, facts=_delayed, occasion=_of_limit),
            ),
        ),
        Move(
            "R43", _APPROVED, RenewalEvent.WITHDRAW_RENEWAL, asks,
            closes=_OF_RENEWAL, notices=(Notice(NoticeKind.RENEWAL_WITHDRAWN, facts=_number, occasion=occasion),),
        ),
        Move("R43", _APPROVED, RenewalEvent.CLOSE_RENEWAL, _CASE_ENDS, closes=_OF_RENEWAL),
        Move(
            "R44", _APPROVED, RenewalEvent.RETURN_RENEWAL, OFFICER, closes=(TaskKind.RENEWAL,),
            notices=(Notice(NoticeKind.RENEWAL_CORRECTION_REQUESTED, facts=_due, occasion=_of_round),),
        ),
        Move(
            "R45", _APPROVED, RenewalEvent.CORRECT_RENEWAL, asks, opens=_LOOK,
            notices=(Notice(NoticeKind.RENEWAL_CORRECTION_RECEIVED, facts=_due, occasion=_of_round),),
        ),
        Move(
            "R46", _APPROVED, RenewalEvent.RENEWAL_REMINDER_DUE, TIMER,
            notices=(Notice(NoticeKind.DUE_SOON, facts=_due),),
        ),
        Move(
            "R46", _APPROVED, RenewalEvent.RENEWAL_CORRECTION_REMINDER_DUE, TIMER,
            notices=(Notice(NoticeKind.RENEWAL_CORRECTION_REMINDER, facts=_due),),
        ),
        Move(
            "R47", _APPROVED, RenewalEvent.RENEWAL_CORRECTION_OVER, TIMER,
            notices=(Notice(NoticeKind.RENEWAL_LAPSED, facts=_number, occasion=occasion),),
        ),
        set_aside("R70", _APPROVED, RenewalEvent.SET_ASIDE_RENEWAL_REFUSAL, opens=_LOOK, states=_decided_anew),
        # It was wrong, and there is nothing to renew any more.
        set_aside("R70", frozenset({Stage.ENDED}), RenewalEvent.SET_ASIDE_RENEWAL_REFUSAL),
    )  # fmt: skip


RENEWAL_MOVES: Final = renewal_moves(EMPLOYER)
