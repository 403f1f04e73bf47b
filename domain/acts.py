"""The acts that the ledger records."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


# Of any case, and of the park itself; a programme declares its own.
class Act(StrEnum):
    """What was done; one ledger row for each."""

    SUBMITTED = "submitted"
    REQUEST_REFUSED = "request_refused"
    STARTED = "started"
    ASSESSED = "assessed"
    CORRECTED = "corrected"
    CONTESTED = "contested"
    FACT_RECORDED = "fact_recorded"
    FACT_CONTESTED = "fact_contested"
    EVIDENCE_SEEN = "evidence_seen"
    EVIDENCE_FALLEN = "evidence_fallen"
    # Once only: of the case that takes over, of the one that vouches, and of the person who agrees.
    EVIDENCE_TAKEN_OVER = "evidence_taken_over"
    EVIDENCE_VOUCHED = "evidence_vouched"
    EVIDENCE_RELEASED = "evidence_released"
    EVIDENCE_RELEASE_TAKEN_BACK = "evidence_release_taken_back"
    REMINDED = "reminded"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    CLAIMED = "claimed"
    RELEASED = "released"
    ASSIGNED = "assigned"
    CLAIM_LAPSED = "claim_lapsed"
    CONFLICT_DECLARED = "conflict_declared"
    DECIDED = "decided"
    CONFIRMED = "confirmed"
    SIGNED = "signed"
    REJECTED = "rejected"
    RECALLED = "recalled"
    SETTLED = "settled"
    HELD = "held"
    HOLD_RELEASED = "hold_released"
    ESCALATED = "escalated"
    TASK_ANSWERED = "task_answered"
    ANSWER_RECEIVED = "answer_received"
    ANSWER_APPLIED = "answer_applied"
    ANSWER_HELD = "answer_held"
    ANSWER_PROPOSED = "answer_proposed"
    ANSWER_REFUSED = "answer_refused"
    ANSWER_ATTACH_PROPOSED = "answer_attach_proposed"
    ANSWER_ATTACH_REJECTED = "answer_attach_rejected"
    ANSWER_ATTACHED = "answer_attached"
    DUE_DATE_CHANGED = "due_date_changed"
    NOTICE_QUEUED = "notice_queued"
    NOTICE_SENT = "notice_sent"
    NOTICE_FAILED = "notice_failed"
    RECEIPT_RECORDED = "receipt_recorded"
    PERSONAL_DATA_READ = "personal_data_read"
    STANDING_PROPOSED = "standing_proposed"
    STANDING_SET = "standing_set"
    STANDING_REJECTED = "standing_rejected"
    EMPLOYER_RECORDED = "employer_recorded"
    PREMISES_RECORDED = "premises_recorded"
    CALENDAR_LOADED = "calendar_loaded"
    WEBHOOK_RECORDED = "webhook_recorded"
    ROSTER_RECEIVED = "roster_received"
    INCIDENT_OPENED = "incident_opened"
    INCIDENT_RESUMED = "incident_resumed"
    ROW_FOUND_ALTERED = "row_found_altered"
    CALL_MADE = "call_made"
    CALL_ANSWERED = "call_answered"
    CASE_READ = "case_read"
    RESTORED = "restored"
    SIGNED_IN = "signed_in"
    EXPORTED = "exported"
    SAMPLED = "sampled"
    EVALUATED_AGAIN = "evaluated_again"
    RECONCILED = "reconciled"
    RECEIPT_ISSUED = "receipt_issued"
    CHECKPOINT_COSIGNED = "checkpoint_cosigned"
    HISTORY_ARCHIVED = "history_archived"
    KEY_DESTROYED = "key_destroyed"
    ERASURE_PROPOSED = "erasure_proposed"
    ERASURE_REJECTED = "erasure_rejected"
    ERASURE_REFUSED = "erasure_refused"
    JOINING_PROPOSED = "joining_proposed"
    JOINING_REJECTED = "joining_rejected"
    JOINING_WITHDRAWN = "joining_withdrawn"
    PERSONS_JOINED = "persons_joined"
    PERSONS_PARTED = "persons_parted"
    LEGAL_HOLD_PLACED = "legal_hold_placed"
    LEGAL_HOLD_RELEASED = "legal_hold_released"
    COMPLAINT_RECEIVED = "complaint_received"
    COMPLAINT_ANSWERED = "complaint_answered"
    DISPUTE_RECEIVED = "dispute_received"
    OBJECTION_RECEIVED = "objection_received"
    OBJECTION_WITHDRAWN = "objection_withdrawn"
    OBJECTION_REJECTED = "objection_rejected"
    SET_ASIDE_PROPOSED = "set_aside_proposed"
    SET_ASIDE = "set_aside"
    RENEWAL_ASKED = "renewal_asked"
    RENEWAL_GRANT_PROPOSED = "renewal_grant_proposed"
    RENEWAL_REFUSAL_PROPOSED = "renewal_refusal_proposed"
    RENEWAL_GRANTED = "renewal_granted"
    RENEWAL_RETURNED = "renewal_returned"
    RENEWAL_CORRECTED = "renewal_corrected"
    RENEWAL_LAPSED = "renewal_lapsed"
    RENEWAL_RECALLED = "renewal_recalled"
    RENEWAL_SETTLED = "renewal_settled"
    RENEWAL_WITHDRAWN = "renewal_withdrawn"
    RENEWAL_CLOSED = "renewal_closed"
    CHANGED = "changed"
    CHANGE_ASKED = "change_asked"
    CHANGE_DECLINED = "change_declined"
    TRANSFER_AGREED = "transfer_agreed"
    TRANSFER_TAKEN_BACK = "transfer_taken_back"
    TRANSFER_BEGUN = "transfer_begun"
    DEPARTURE_ASKED = "departure_asked"
    DEPARTURE_DENIED = "departure_denied"
    DEPARTURE_UNANSWERED = "departure_unanswered"
    DEPARTURE_ASKED_NO_MORE = "departure_asked_no_more"
    TRANSFER_ENDED = "transfer_ended"
    TRANSFER_NOT_CONFIRMED = "transfer_not_confirmed"
    TRANSFER_DONE = "transfer_done"
    CHECK_CODE_ISSUED = "check_code_issued"
    CHECK_CODE_WITHDRAWN = "check_code_withdrawn"
    RULE_TRIED = "rule_tried"
    RULE_PROPOSED = "rule_proposed"
    RULE_PUBLISHED = "rule_published"
    RULE_REJECTED = "rule_rejected"


# Acts that say who holds a task from then on, or that nobody does.
HOLDING: Final = frozenset({Act.CLAIMED, Act.ASSIGNED, Act.RELEASED, Act.CLAIM_LAPSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ActMeaning:
    """What an act implies.

    Attributes:
        ruled: whether it rests on the rule version of the case, which its row names with the hash of its content.
        proposes: whether somebody proposes by it what takes effect with a second signature, or decides alone.
        signs: whether it is a second signature, given or withheld.
        judges: whether staff does it to a case by its own judgement, so that a complaint about it is another's to
            answer; what proposes or signs does in any case.
        from_outside: whether an authority outside may be its actor, without a statement of ours.
    """

    ruled: bool = False
    proposes: bool = False
    signs: bool = False
    judges: bool = False
    from_outside: bool = False


_RULED: Final = ActMeaning(ruled=True)
_JUDGED: Final = ActMeaning(judges=True)
ACTS: Final[Mapping[str, ActMeaning]] = {
    **dict.fromkeys(Act, ActMeaning()),
    **dict.fromkeys((Act.SUBMITTED, Act.ASSESSED, Act.SIGNED, Act.EVALUATED_AGAIN, Act.RECEIPT_ISSUED), _RULED),
    **dict.fromkeys(
        (
            Act.HELD,
            Act.HOLD_RELEASED,
            Act.TASK_ANSWERED,
            Act.LEGAL_HOLD_PLACED,
            Act.LEGAL_HOLD_RELEASED,
            Act.ANSWER_ATTACH_PROPOSED,
            Act.ANSWER_ATTACH_REJECTED,
            Act.ANSWER_ATTACHED,
            Act.ERASURE_PROPOSED,
            Act.ERASURE_REJECTED,
            Act.JOINING_PROPOSED,
            Act.JOINING_REJECTED,
            Act.JOINING_WITHDRAWN,
            Act.PERSONS_JOINED,
            Act.PERSONS_PARTED,
            Act.KEY_DESTROYED,
            Act.TRANSFER_ENDED,
            Act.CHANGED,
            Act.CHANGE_DECLINED,
        ),
        _JUDGED,
    ),
    **dict.fromkeys(
        (Act.FACT_RECORDED, Act.EVIDENCE_SEEN, Act.EVIDENCE_FALLEN, Act.RECALLED), ActMeaning(ruled=True, judges=True)
    ),
    Act.OBJECTION_REJECTED: ActMeaning(ruled=True, judges=True),
    Act.SET_ASIDE_PROPOSED: ActMeaning(ruled=True, proposes=True),
    Act.SET_ASIDE: ActMeaning(ruled=True, signs=True),
    Act.DECIDED: ActMeaning(ruled=True, proposes=True),
    **dict.fromkeys(
        (Act.RENEWAL_GRANT_PROPOSED, Act.RENEWAL_REFUSAL_PROPOSED, Act.RENEWAL_GRANTED, Act.RENEWAL_RETURNED),
        ActMeaning(ruled=True, proposes=True),
    ),
    Act.RENEWAL_ASKED: ActMeaning(ruled=True),
    Act.RENEWAL_CORRECTED: ActMeaning(ruled=True),
    Act.RENEWAL_RECALLED: ActMeaning(ruled=True, judges=True),
    Act.CONFIRMED: ActMeaning(ruled=True, signs=True),
    Act.REJECTED: ActMeaning(ruled=True, signs=True),
    Act.ANSWER_PROPOSED: ActMeaning(proposes=True),
    Act.ANSWER_RECEIVED: ActMeaning(from_outside=True),
    Act.ANSWER_HELD: ActMeaning(from_outside=True),
    Act.ANSWER_APPLIED: ActMeaning(from_outside=True, signs=True),
}
