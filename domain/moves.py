"""The allowed moves: one row for each event of a registration and of a talent permit (states.md, sections 2 and 3)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.errors import Refused
from domain.notices import NoticeKind
from domain.stages import CLOSED, IN_REVIEW, LIVE, OPEN, PERMIT_WITH_AUTHORITY, PermitStage, Stage


class Event(StrEnum):
    """What can happen to a registration."""

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
    WITHDRAW = "withdraw"
    HOLD = "hold"
    HOLD_REVIEW_DUE = "hold_review_due"
    REVIEW_REMINDER_DUE = "review_reminder_due"
    REVIEW_OVER = "review_over"
    EMPLOYER_SUSPENDED = "employer_suspended"
    EMPLOYER_REINSTATED = "employer_reinstated"
    EMPLOYER_LEFT = "employer_left"
    DEPART = "depart"
    PROPOSE_DEPARTURE = "propose_departure"
    CONFIRM_DEPARTURE = "confirm_departure"
    REJECT_DEPARTURE = "reject_departure"
    DISPUTE = "dispute"
    EMPLOYMENT_OVER = "employment_over"
    REVOKE = "revoke"
    CONFIRM_REVOCATION = "confirm_revocation"
    REJECT_REVOCATION = "reject_revocation"
    CONTRACT_REMINDER_DUE = "contract_reminder_due"
    CONTRACT_GRACE_OVER = "contract_grace_over"
    SETTLED = "settled"
    CHANGE = "change"
    RECORD_FACT = "record_fact"
    CONTEST_FACT = "contest_fact"
    FAULT = "fault"


class PermitEvent(StrEnum):
    """What can happen to the following of a talent permit."""

    ELIGIBLE = "eligible"
    NOT_CLEAR = "not_clear"
    WITHHOLD = "withhold"
    SENT = "sent"
    SENDING_DELAYED = "sending_delayed"
    SENDING_REJECTED = "sending_rejected"
    SENDING_HELD = "sending_held"
    REGISTRATION_ENDED = "registration_ended"
    ACCEPTED = "accepted"
    ISSUED = "issued"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    KEPT = "kept"
    REVOKED = "revoked"
    REPLACED = "replaced"
    APPLICANT_REMINDER_DUE = "applicant_reminder_due"
    AUTHORITY_LATE = "authority_late"
    CARD_LOST = "card_lost"
    EXPIRY_REMINDER_DUE = "expiry_reminder_due"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Move:
    """One row: from which stages, by which event and whom, to which stage (None: it stays), and who is told."""

    no: str
    sources: frozenset[Stage]
    event: Event
    who: str
    to: Stage | None
    notices: tuple[NoticeKind, ...] = ()


@dataclass(frozen=True, slots=True)
class PermitMove:
    """One row of a permit; a source None is a destination that has no stage yet."""

    no: str
    sources: frozenset[PermitStage | None]
    event: PermitEvent
    who: str
    to: PermitStage | None
    notices: tuple[NoticeKind, ...] = ()


_APPROVED = frozenset({Stage.APPROVED})
_CORRECTION = frozenset({Stage.CORRECTION_REQUESTED})
_REVIEW = frozenset({Stage.UNDER_REVIEW})
_CONFIRM = frozenset({Stage.AWAITING_CONFIRMATION})

_ANSWERED = (NoticeKind.CHANGE_TAKEN, NoticeKind.CHANGE_DECLINED)
MOVES: Final[tuple[Move, ...]] = (
    Move("R2", frozenset({Stage.RECEIVED}), Event.STARTED, "engine", Stage.ASSESSING),
    Move("R3", frozenset({Stage.ASSESSING}), Event.ASSESSED_COMPLETE, "engine", Stage.UNDER_REVIEW),
    Move(
        "R4",
        frozenset({Stage.ASSESSING}),
        Event.ASSESSED_INCOMPLETE,
        "engine",
        Stage.CORRECTION_REQUESTED,
        (NoticeKind.CORRECTION_REQUESTED,),
    ),
    Move("R5", _CORRECTION, Event.CORRECT, "employer", Stage.ASSESSING, (NoticeKind.CORRECTION_RECEIVED,)),
    Move("R6", _CORRECTION, Event.CONTEST, "employer", Stage.UNDER_REVIEW, (NoticeKind.CORRECTION_RECEIVED,)),
    Move("R7", _CORRECTION, Event.CORRECTION_REMINDER_DUE, "timer", None, (NoticeKind.CORRECTION_REMINDER,)),
    Move("R8", _CORRECTION, Event.CORRECTION_OVER, "timer", Stage.LAPSED, (NoticeKind.REGISTRATION_LAPSED,)),
    Move("R9", frozenset(Stage), Event.CLAIM, "officer; assign: supervisor", None),
    Move("R10", _REVIEW, Event.APPROVE, "officer", Stage.APPROVED, (NoticeKind.REGISTRATION_APPROVED,)),
    Move("R10a", _APPROVED, Event.RECALL, "who gave the approval effect", Stage.UNDER_REVIEW),
    Move(
        "R11",
        _REVIEW,
        Event.APPROVE_OVER_FAIL,
        "officer",
        Stage.AWAITING_CONFIRMATION,
        (NoticeKind.SECOND_SIGNATURE_REQUESTED,),
    ),
    Move("R12", _REVIEW, Event.RETURN, "officer", Stage.CORRECTION_REQUESTED, (NoticeKind.CORRECTION_REQUESTED,)),
    Move(
        "R13",
        _REVIEW,
        Event.REFUSE,
        "officer",
        Stage.AWAITING_CONFIRMATION,
        (NoticeKind.SECOND_SIGNATURE_REQUESTED,),
    ),
    Move("R14", _CONFIRM, Event.CONFIRM_REFUSAL, "second signer", Stage.REFUSED, (NoticeKind.REGISTRATION_REFUSED,)),
    Move("R14", _CONFIRM, Event.CONFIRM_APPROVAL, "second signer", Stage.APPROVED, (NoticeKind.REGISTRATION_APPROVED,)),
    Move("R15", _CONFIRM, Event.REJECT, "second signer", Stage.UNDER_REVIEW, (NoticeKind.SECOND_SIGNATURE_REJECTED,)),
    Move("R16", OPEN, Event.WITHDRAW, "employer", Stage.WITHDRAWN, (NoticeKind.REGISTRATION_WITHDRAWN,)),
    Move("R17", IN_REVIEW, Event.HOLD, "officer, supervisor", None),
    Move("R17", IN_REVIEW, Event.HOLD_REVIEW_DUE, "timer", None, (NoticeKind.HOLD_REVIEW_DUE,)),
    Move("R18", IN_REVIEW, Event.REVIEW_REMINDER_DUE, "timer", None, (NoticeKind.DUE_SOON,)),
    Move(
        "R19",
        IN_REVIEW,
        Event.REVIEW_OVER,
        "timer",
        None,
        (NoticeKind.ESCALATED, NoticeKind.DECISION_DELAYED),
    ),
    Move("R20, R27", LIVE, Event.EMPLOYER_SUSPENDED, "supervisor", None, (NoticeKind.EMPLOYER_SUSPENDED,)),
    Move("R20, R27", LIVE, Event.EMPLOYER_REINSTATED, "supervisor", None, (NoticeKind.EMPLOYER_REINSTATED,)),
    Move("R21", IN_REVIEW, Event.EMPLOYER_LEFT, "supervisor, signed twice", None),
    Move("R22", _APPROVED, Event.DEPART, "employer", None, (NoticeKind.DEPARTURE_RECORDED,)),
    Move(
        "R22",
        _APPROVED,
        Event.PROPOSE_DEPARTURE,
        "officer on proof",
        None,
        (NoticeKind.SECOND_SIGNATURE_REQUESTED,),
    ),
    Move("R22", _APPROVED, Event.CONFIRM_DEPARTURE, "second signer", None, (NoticeKind.DEPARTURE_RECORDED,)),
    Move("R22", _APPROVED, Event.REJECT_DEPARTURE, "second signer", None, (NoticeKind.SECOND_SIGNATURE_REJECTED,)),
    Move("R22, R30", frozenset({Stage.APPROVED, Stage.ENDED}), Event.DISPUTE, "person", None),
    Move("R23", _APPROVED, Event.EMPLOYMENT_OVER, "timer", Stage.ENDED, (NoticeKind.REGISTRATION_ENDED,)),
    Move("R24", _APPROVED, Event.REVOKE, "officer", None, (NoticeKind.SECOND_SIGNATURE_REQUESTED,)),
    Move("R25", _APPROVED, Event.CONFIRM_REVOCATION, "second signer", Stage.ENDED, (NoticeKind.REGISTRATION_REVOKED,)),
    Move("R26", _APPROVED, Event.REJECT_REVOCATION, "second signer", None, (NoticeKind.SECOND_SIGNATURE_REJECTED,)),
    Move(
        "R28",
        _APPROVED,
        Event.EMPLOYER_LEFT,
        "supervisor, signed twice",
        Stage.ENDED,
        (NoticeKind.REGISTRATION_ENDED,),
    ),
    Move("R29", _APPROVED, Event.CONTRACT_REMINDER_DUE, "timer", None, (NoticeKind.CONTRACT_ENDING,)),
    Move("R29", _APPROVED, Event.CONTRACT_GRACE_OVER, "timer", None),
    Move("R10", _APPROVED, Event.SETTLED, "timer", None, (NoticeKind.REGISTRATION_APPROVED,)),
    Move("R31", frozenset(Stage), Event.FAULT, "engine", None),
    Move("R34", LIVE, Event.CHANGE, "employer", None, (NoticeKind.CONTACT_CHANGED, *_ANSWERED)),
    Move("R35", _REVIEW | _APPROVED, Event.RECORD_FACT, "officer", None, (NoticeKind.FACT_RECORDED,)),
    Move(
        "R36", LIVE, Event.CONTEST_FACT, "employer; person", None, (NoticeKind.FACT_UPHELD, NoticeKind.FACT_SET_ASIDE)
    ),
)

_WITH_AUTHORITY: frozenset[PermitStage | None] = frozenset(PERMIT_WITH_AUTHORITY)
_ISSUED: frozenset[PermitStage | None] = frozenset({PermitStage.ISSUED})
# A 2xx that was lost on the way is proved as well by any answer of the authority (P4).
_SENT: frozenset[PermitStage | None] = _WITH_AUTHORITY | {PermitStage.ELIGIBLE}

PERMIT_MOVES: Final[tuple[PermitMove, ...]] = (
    PermitMove("P1", frozenset({None}), PermitEvent.ELIGIBLE, "engine; officer with a reason", PermitStage.ELIGIBLE),
    PermitMove("P2", frozenset({None}), PermitEvent.NOT_CLEAR, "engine", None),
    PermitMove(
        "P3",
        frozenset({None}),
        PermitEvent.WITHHOLD,
        "officer, second signer",
        PermitStage.ENDED,
        (NoticeKind.PERMIT_WITHHELD,),
    ),
    PermitMove(
        "P4",
        frozenset({PermitStage.ELIGIBLE}),
        PermitEvent.SENT,
        "engine",
        PermitStage.SUBMITTED,
        (NoticeKind.PERMIT_SUBMITTED,),
    ),
    PermitMove("P5", frozenset({PermitStage.ELIGIBLE}), PermitEvent.SENDING_DELAYED, "engine", None),
    PermitMove("P6", frozenset({PermitStage.ELIGIBLE}), PermitEvent.SENDING_REJECTED, "engine", None),
    PermitMove("P7", frozenset({PermitStage.ELIGIBLE}), PermitEvent.SENDING_HELD, "registration", None),
    PermitMove(
        "P8",
        frozenset({None, PermitStage.ELIGIBLE}),
        PermitEvent.REGISTRATION_ENDED,
        "registration",
        PermitStage.ENDED,
        (NoticeKind.PERMIT_CLOSED,),
    ),
    PermitMove(
        "P9",
        frozenset({PermitStage.ELIGIBLE, PermitStage.SUBMITTED}),
        PermitEvent.ACCEPTED,
        "authority",
        PermitStage.ACCEPTED,
        (NoticeKind.PERMIT_ACCEPTED,),
    ),
    PermitMove("P10", _SENT, PermitEvent.ISSUED, "authority", PermitStage.ISSUED, (NoticeKind.PERMIT_ISSUED,)),
    PermitMove("P11", _SENT, PermitEvent.REFUSED, "authority", PermitStage.REFUSED, (NoticeKind.PERMIT_REFUSED,)),
    PermitMove(
        "P12", _WITH_AUTHORITY, PermitEvent.WITHDRAWN, "authority", PermitStage.ENDED, (NoticeKind.PERMIT_CLOSED,)
    ),
    PermitMove("P12", _ISSUED, PermitEvent.CANCELLED, "authority", PermitStage.ENDED, (NoticeKind.PERMIT_CLOSED,)),
    PermitMove("P13", _WITH_AUTHORITY, PermitEvent.REGISTRATION_ENDED, "registration", None),
    PermitMove(
        "P14",
        frozenset({PermitStage.SUBMITTED}),
        PermitEvent.APPLICANT_REMINDER_DUE,
        "timer",
        None,
        (NoticeKind.PERMIT_ACTION_NEEDED,),
    ),
    PermitMove(
        "P15",
        frozenset({PermitStage.ACCEPTED}),
        PermitEvent.AUTHORITY_LATE,
        "timer",
        None,
        (NoticeKind.AUTHORITY_LATE,),
    ),
    PermitMove("P16", _ISSUED, PermitEvent.REGISTRATION_ENDED, "registration", None, (NoticeKind.PERMIT_REPORTED,)),
    PermitMove("P17", _ISSUED, PermitEvent.KEPT, "authority", None, (NoticeKind.PERMIT_KEPT,)),
    PermitMove("P18", _ISSUED, PermitEvent.REVOKED, "authority", PermitStage.REVOKED, (NoticeKind.PERMIT_REVOKED,)),
    PermitMove(
        "P19", _ISSUED, PermitEvent.CARD_LOST, "person, employer, officer", None, (NoticeKind.CARD_LOST_RECORDED,)
    ),
    PermitMove("P20", _ISSUED, PermitEvent.REPLACED, "authority", None, (NoticeKind.PERMIT_ISSUED,)),
    PermitMove("P21", _ISSUED, PermitEvent.EXPIRY_REMINDER_DUE, "timer", None, (NoticeKind.PERMIT_EXPIRING,)),
    PermitMove("P22", _ISSUED, PermitEvent.EXPIRED, "timer", PermitStage.EXPIRED, (NoticeKind.PERMIT_EXPIRED,)),
)

_BY_EVENT: Final = {(source, move.event): move for move in MOVES for source in move.sources}
_PERMIT_BY_EVENT: Final = {(source, move.event): move for move in PERMIT_MOVES for source in move.sources}


def find_move(stage: Stage, event: Event) -> Move | None:
    """Return the row for this stage and event, or None where the pair is not allowed."""
    return _BY_EVENT.get((stage, event))


def get_move(stage: Stage, event: Event) -> Move:
    """Return the row for this stage and event, or refuse with `case_closed` or `wrong_stage`."""
    move = find_move(stage, event)
    if move is None:
        if stage in CLOSED:
            raise Refused("case_closed", f"The case is {stage}; a new registration is possible at once.")
        raise Refused("wrong_stage", f"This cannot be done while the case is {stage}.")
    return move


def find_permit_move(stage: PermitStage | None, event: PermitEvent) -> PermitMove | None:
    """Return the row for this permit stage and event, or None where the pair is not allowed."""
    return _PERMIT_BY_EVENT.get((stage, event))


def get_permit_move(stage: PermitStage | None, event: PermitEvent) -> PermitMove:
    """Return the row for this permit stage and event, or refuse with `wrong_stage`."""
    move = find_permit_move(stage, event)
    if move is None:
        raise Refused("wrong_stage", f"This cannot be done while the permit is {stage or 'not yet eligible'}.")
    return move
