"""The front half, which most programmes share: received, assessed, corrected, reviewed, decided and settled."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cases.case.file import CaseFile
from cases.case.moves import ALL, At, Clock, Move, Notice, Opens, Who
from cases.case.signers import EFFECT, PROPOSAL_WAITS, is_same, need_signer
from cases.deadlines.remedies import objection_remedy
from cases.deadlines.stated import case_due, park_due, signature_due, within_decision_days
from cases.moves.apart import need_apart
from domain.actors import STAFF, Actor, Role
from domain.clock import day_of
from domain.errors import Refused, need
from domain.notices import NoticeKind
from domain.stages import IN_REVIEW, LIVE, OPEN, PendingAct, Stage
from domain.tasks import REVIEW_TASKS, TaskKind


class Event(StrEnum):
    """What can happen to a case of any programme."""

    SUBMITTED = "submitted"
    STARTED = "started"
    ASSESSED_COMPLETE = "assessed_complete"
    ASSESSED_INCOMPLETE = "assessed_incomplete"
    CORRECT = "correct"
    CONTEST = "contest"
    CORRECTION_REMINDER_DUE = "correction_reminder_due"
    CORRECTION_OVER = "correction_over"
    CLAIM = "claim"
    APPROVE = "approve"
    APPROVE_OVER_FAIL = "approve_over_fail"
    RECALL = "recall"
    RETURN = "return"
    REFUSE = "refuse"
    CONFIRM_APPROVAL = "confirm_approval"
    CONFIRM_REFUSAL = "confirm_refusal"
    REJECT = "reject"
    SIGN = "sign"
    SIGNATURE_REMINDER_DUE = "signature_reminder_due"
    WITHDRAW = "withdraw"
    HOLD = "hold"
    HOLD_REVIEW_DUE = "hold_review_due"
    REVIEW_REMINDER_DUE = "review_reminder_due"
    REVIEW_OVER = "review_over"
    DEFECTS_NAMED_OVER = "defects_named_over"
    SETTLED = "settled"
    REFUSED = "refused"
    RECORD_FACT = "record_fact"
    REPLACE_FACT = "replace_fact"
    CONTEST_FACT = "contest_fact"
    ANSWER_FACT = "answer_fact"
    FAULT = "fault"


def second_signer(*acts: str, words: str = "second signer") -> Who:
    """Return who may sign what waits of a case: another than those who have signed it.

    Args:
        acts: what may wait; anything where none is named.
        words: as the page says it.
    """

    def need_one(file: CaseFile, actor: Actor, track: At | None) -> None:
        waits = not acts or file.row.pending_act in acts
        need_signer(actor, file.row.pending if waits else None)
        need_apart(file, actor)

    return Who(words, STAFF, need=need_one)


def last_signer(pending_of: Callable[[CaseFile, At | None], Mapping[str, Any] | None]) -> Who:
    """Return who may take a decision back that cools off: whoever gave it its last signature.

    Args:
        pending_of: what is kept of the proposal that was signed, of a case or of a track of it.
    """

    def need_one(file: CaseFile, actor: Actor, track: At | None) -> None:
        kept = pending_of(file, track) or {}
        if EFFECT not in kept:
            raise Refused("wrong_stage", "No decision cools off that could be taken back.")
        if not is_same(actor, kept[EFFECT]):
            raise Refused("role_not_allowed", "Only the one who signed the decision last may take it back.")

    return Who("who signed last", STAFF, need=need_one)


def of_case(file: CaseFile, track: At | None) -> Mapping[str, Any] | None:
    """Return what is kept of the proposal of a case."""
    return file.row.pending


def need_no_proposal(file: CaseFile, actor: Actor, track: At | None) -> None:
    """Refuse a proposal on a case while another one waits."""
    if file.row.pending_act is not None:
        raise Refused("already_decided", PROPOSAL_WAITS)


def _need_decider(file: CaseFile, actor: Actor, track: At | None) -> None:
    if file.row.settled:
        raise Refused("wrong_stage", "The settling time is over; the approval stands.")
    if not is_same(actor, file.row.effect_by):
        raise Refused("role_not_allowed", "Only the one who gave the approval effect may recall it.")


ENGINE: Final = Who("engine", frozenset({Role.SYSTEM}), asked=False)
TIMER: Final = Who("timer", frozenset({Role.SYSTEM}), asked=False)
# Of a decision that cools off: with no time for that, it takes effect with its last signature.
COOLED: Final = Who("timer", frozenset({Role.SYSTEM}) | STAFF, asked=False)
EMPLOYER: Final = Who("employer", frozenset({Role.EMPLOYER}))
PERSON: Final = Who("person", frozenset({Role.PERSON}))
_EITHER: Final = Who("employer, person", EMPLOYER.roles | PERSON.roles)
OFFICER: Final = Who("officer", STAFF)
_DECIDER: Final = Who("officer", STAFF, need=need_apart)

_CORRECTION: Final = frozenset({Stage.CORRECTION_REQUESTED})
_REVIEW: Final = frozenset({Stage.UNDER_REVIEW})
_CONFIRM: Final = frozenset({Stage.AWAITING_CONFIRMATION})
_APPROVED: Final = frozenset({Stage.APPROVED})


def _due(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    return case_due(file)


def _amended(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    return {**case_due(file), "is_amendment": True}


def _park_due(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    return park_due(file)


def _escalated(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    return {"days_over": 1, **park_due(file)}


def _delayed(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    expected = file.calendar.working_day(day_of(at), file.context.limits.park_decision_days)
    return {"missed_on": day_of(need(file.row.due_at, "due_at")), "expected_on": expected}


def _objection(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    return {"objection": objection_remedy(file, at)}


def _pending(file: CaseFile) -> str:
    return need(file.row.pending_act, "pending_act")


def _signature(file: CaseFile, at: datetime) -> Mapping[str, Any]:
    return {"pending_act": _pending(file), **signature_due(file)}


def _of_proposal(file: CaseFile) -> str:
    return f"{file.round}/{_pending(file)}"


def _again(file: CaseFile) -> str:
    return f"{file.round}/{_pending(file)}/again"


TOLD_OF_SIGNATURE: Final = Notice(NoticeKind.SECOND_SIGNATURE_REQUESTED, facts=_signature, occasion=_of_proposal)
TOLD_AGAIN: Final = Notice(NoticeKind.SECOND_SIGNATURE_REQUESTED, facts=_signature, occasion=_again)
_TOLD_REJECTED: Final = Notice(NoticeKind.SECOND_SIGNATURE_REJECTED, facts=_park_due)
_CORRECT_IT: Final = Notice(NoticeKind.CORRECTION_REQUESTED, facts=_due)
_CORRECTED: Final = Notice(NoticeKind.CORRECTION_RECEIVED, facts=_due)
_AMENDED: Final = Notice(NoticeKind.CORRECTION_RECEIVED, facts=_amended)
_APPROVAL: Final = Notice(NoticeKind.REGISTRATION_APPROVED)


def proposed(no: str, sources: frozenset[Stage], event: str, *, to: Stage | None = None, who: Who = OFFICER) -> Move:
    """Return the row by which something is proposed of a case that takes effect with a second signature."""
    return Move(
        no, sources, event, who, to,
        opens=(Opens(TaskKind.CONFIRM),), closes=(TaskKind.REVIEW,), notices=(TOLD_OF_SIGNATURE,),
    )  # fmt: skip


def rejected(
    no: str, sources: frozenset[Stage], event: str, who: Who, *, to: Stage | None = None, opens: str = ""
) -> Move:
    """Return the row by which the second signature on a proposal is not given."""
    return Move(
        no, sources, event, who, to,
        opens=(Opens(opens),) if opens else (), closes=(TaskKind.CONFIRM,), notices=(_TOLD_REJECTED,),
    )  # fmt: skip


def front_half(owner: Who) -> tuple[Move, ...]:
    """Return the rows of the front half of a case.

    Args:
        owner: who asks for the case, corrects and withdraws it.
    """
    return (
        Move(
            "R1", frozenset({None}), Event.SUBMITTED, owner, Stage.RECEIVED,
            notices=(Notice(NoticeKind.REGISTRATION_RECEIVED, facts=_due),),
        ),
        Move("R2", frozenset({Stage.RECEIVED}), Event.STARTED, ENGINE, Stage.ASSESSING),
        Move(
            "R3", frozenset({Stage.ASSESSING}), Event.ASSESSED_COMPLETE, ENGINE, Stage.UNDER_REVIEW,
            opens=(Opens(TaskKind.REVIEW),),
        ),
        Move(
            "R4", frozenset({Stage.ASSESSING}), Event.ASSESSED_INCOMPLETE, ENGINE, Stage.CORRECTION_REQUESTED,
            clock=Clock.STOPS, notices=(_CORRECT_IT,),
        ),
        Move(
            "R5", _CORRECTION, Event.CORRECT, owner, Stage.ASSESSING,
            clock=Clock.GOES_ON, notices=(Notice(NoticeKind.CONTACT_CHANGED, given=True), _CORRECTED),
        ),
        Move(
            "R5a", _REVIEW, Event.CORRECT, owner,
            notices=(Notice(NoticeKind.CONTACT_CHANGED, given=True), _AMENDED),
        ),
        Move(
            "R6", _CORRECTION, Event.CONTEST, owner, Stage.UNDER_REVIEW,
            opens=(Opens(TaskKind.REVIEW),), clock=Clock.GOES_ON, notices=(_CORRECTED,),
        ),
        Move(
            "R7", _CORRECTION, Event.CORRECTION_REMINDER_DUE, TIMER,
            notices=(Notice(NoticeKind.CORRECTION_REMINDER, facts=_due),),
        ),
        Move(
            "R8", _CORRECTION, Event.CORRECTION_OVER, TIMER, Stage.LAPSED,
            closes=(ALL,), clock=Clock.ENDS, notices=(Notice(NoticeKind.REGISTRATION_LAPSED, facts=_objection),),
        ),
        Move("R9", frozenset(Stage), Event.CLAIM, Who("officer; assign: supervisor", STAFF)),
        Move(
            "R10", _REVIEW, Event.APPROVE, _DECIDER, Stage.APPROVED,
            closes=tuple(sorted(REVIEW_TASKS)), clock=Clock.ENDS, notices=(_APPROVAL,),
        ),
        Move(
            "R10a", _APPROVED, Event.RECALL, Who("who gave the approval effect", STAFF, need=_need_decider),
            Stage.UNDER_REVIEW, opens=(Opens(TaskKind.REVIEW),), clock=Clock.RUNS_AGAIN,
        ),
        proposed("R11", _REVIEW, Event.APPROVE_OVER_FAIL, to=Stage.AWAITING_CONFIRMATION, who=_DECIDER),
        Move(
            "R12", _REVIEW, Event.RETURN, OFFICER, Stage.CORRECTION_REQUESTED,
            closes=tuple(sorted(REVIEW_TASKS)), clock=Clock.STOPS, notices=(_CORRECT_IT,),
        ),
        proposed("R13", _REVIEW, Event.REFUSE, to=Stage.AWAITING_CONFIRMATION, who=_DECIDER),
        Move(
            "R14", _CONFIRM, Event.CONFIRM_REFUSAL, second_signer(PendingAct.REFUSE),
            closes=tuple(sorted(REVIEW_TASKS)), clock=Clock.ENDS,
        ),
        Move(
            "R14", _CONFIRM, Event.REFUSED, COOLED, Stage.REFUSED,
            closes=(*sorted(REVIEW_TASKS), ALL), clock=Clock.ENDS, notices=(Notice(NoticeKind.REGISTRATION_REFUSED),),
        ),
        Move(
            "R14a", _CONFIRM, Event.RECALL, last_signer(of_case), Stage.UNDER_REVIEW,
            opens=(Opens(TaskKind.REVIEW),), clock=Clock.RUNS_AGAIN,
        ),
        Move(
            "R14", _CONFIRM, Event.CONFIRM_APPROVAL, second_signer(PendingAct.APPROVE), Stage.APPROVED,
            closes=tuple(sorted(REVIEW_TASKS)), clock=Clock.ENDS, notices=(_APPROVAL,),
        ),
        rejected("R15", _CONFIRM, Event.REJECT, second_signer(), to=Stage.UNDER_REVIEW, opens=TaskKind.REVIEW),
        Move(
            "R14", _CONFIRM | _APPROVED, Event.SIGN, second_signer(words="signer of several"),
            notices=(TOLD_OF_SIGNATURE,),
        ),
        Move("R15", _CONFIRM | _APPROVED, Event.SIGNATURE_REMINDER_DUE, TIMER, notices=(TOLD_AGAIN,)),
        Move(
            "R16", OPEN, Event.WITHDRAW, owner, Stage.WITHDRAWN,
            closes=(ALL,), clock=Clock.ENDS, notices=(Notice(NoticeKind.REGISTRATION_WITHDRAWN),),
        ),
        Move("R17", IN_REVIEW, Event.HOLD, OFFICER),
        Move("R17", IN_REVIEW, Event.HOLD_REVIEW_DUE, TIMER, notices=(Notice(NoticeKind.HOLD_REVIEW_DUE),)),
        Move(
            "R18", IN_REVIEW, Event.REVIEW_REMINDER_DUE, TIMER,
            notices=(Notice(NoticeKind.DUE_SOON, facts=_park_due),),
        ),
        Move(
            "R19", IN_REVIEW, Event.REVIEW_OVER, TIMER,
            notices=(
                Notice(NoticeKind.ESCALATED, facts=_escalated), Notice(NoticeKind.DECISION_DELAYED, facts=_delayed),
            ),
        ),
        Move(
            "R19", OPEN, Event.DEFECTS_NAMED_OVER, TIMER,
            notices=(Notice(NoticeKind.ESCALATED, facts=_park_due, given=True),),
        ),
        Move("R10", _APPROVED, Event.SETTLED, TIMER),
        Move("R31", frozenset(Stage), Event.FAULT, ENGINE),
        Move("R35", _REVIEW | _APPROVED, Event.RECORD_FACT, OFFICER, notices=(Notice(NoticeKind.FACT_RECORDED),)),
        Move("R35", _REVIEW | _APPROVED, Event.REPLACE_FACT, OFFICER, closes=(TaskKind.FACT_CONTESTED,)),
        Move(
            "R36", LIVE, Event.CONTEST_FACT, PERSON if owner.roles == PERSON.roles else _EITHER,
            opens=(Opens(TaskKind.FACT_CONTESTED, due=within_decision_days),),
        ),
        Move(
            "R36", frozenset(Stage), Event.ANSWER_FACT, Who("another officer than who recorded it", STAFF),
            closes=(TaskKind.FACT_CONTESTED,),
            notices=(Notice(NoticeKind.FACT_UPHELD, given=True), Notice(NoticeKind.FACT_SET_ASIDE, given=True)),
        ),
    )  # fmt: skip


FRONT_HALF: Final = front_half(EMPLOYER)
