"""The acts that the ledger records."""

from enum import StrEnum
from typing import Final


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
    REVOCATION_PROPOSED = "revocation_proposed"
    REVOKED = "revoked"
    DEPARTURE_REPORTED = "departure_reported"
    DEPARTURE_PROPOSED = "departure_proposed"
    DEPARTURE_DISPUTED = "departure_disputed"
    ENDED = "ended"
    CHANGED = "changed"
    CHANGE_ASKED = "change_asked"
    CHANGE_DECLINED = "change_declined"
    TASK_ANSWERED = "task_answered"
    PERMIT_ELIGIBLE = "permit_eligible"
    PERMIT_NOT_CLEAR = "permit_not_clear"
    PERMIT_WITHHOLD_PROPOSED = "permit_withhold_proposed"
    PERMIT_WITHHELD = "permit_withheld"
    PERMIT_SENT = "permit_sent"
    PERMIT_REJECTED = "permit_rejected"
    PERMIT_REPORTED = "permit_reported"
    PERMIT_CLOSED = "permit_closed"
    PERMIT_EXPIRED = "permit_expired"
    PERMIT_LATE = "permit_late"
    CARD_LOST = "card_lost"
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
    LEGAL_HOLD_PLACED = "legal_hold_placed"
    LEGAL_HOLD_RELEASED = "legal_hold_released"
    COMPLAINT_RECEIVED = "complaint_received"
    COMPLAINT_ANSWERED = "complaint_answered"
    DISPUTE_RECEIVED = "dispute_received"
    RULE_TRIED = "rule_tried"
    RULE_PROPOSED = "rule_proposed"
    RULE_PUBLISHED = "rule_published"
    RULE_REJECTED = "rule_rejected"


# Acts that say who holds a task from then on, or that nobody does.
HOLDING: Final = frozenset({Act.CLAIMED, Act.ASSIGNED, Act.RELEASED, Act.CLAIM_LAPSED})

# Acts that rest on the rule version of the case, which their rows name with the hash of its content.
RULED: Final = frozenset(
    {
        Act.SUBMITTED,
        Act.ASSESSED,
        Act.FACT_RECORDED,
        Act.DECIDED,
        Act.CONFIRMED,
        Act.SIGNED,
        Act.REJECTED,
        Act.RECALLED,
        Act.REVOCATION_PROPOSED,
        Act.REVOKED,
        Act.PERMIT_ELIGIBLE,
        Act.PERMIT_NOT_CLEAR,
        Act.PERMIT_WITHHOLD_PROPOSED,
        Act.PERMIT_WITHHELD,
        Act.EVALUATED_AGAIN,
        Act.RECEIPT_ISSUED,
    }
)

# What people decide, first and second signatures alike; and which of them propose, and which sign what was proposed.
PROPOSALS: Final = frozenset(
    {
        Act.DECIDED,
        Act.REVOCATION_PROPOSED,
        Act.DEPARTURE_PROPOSED,
        Act.PERMIT_WITHHOLD_PROPOSED,
        Act.ANSWER_PROPOSED,
    }
)
SIGNATURES: Final = frozenset(
    {Act.SIGNED, Act.CONFIRMED, Act.REJECTED, Act.REVOKED, Act.PERMIT_WITHHELD, Act.ANSWER_APPLIED}
)
DECISIONS: Final = PROPOSALS | SIGNATURES

# What staff does to a case by its own judgement, so that a complaint about it is another's to answer.
JUDGEMENTS: Final = DECISIONS | {
    Act.FACT_RECORDED,
    Act.RECALLED,
    Act.HELD,
    Act.HOLD_RELEASED,
    Act.DEPARTURE_REPORTED,
    Act.CHANGED,
    Act.CHANGE_DECLINED,
    Act.TASK_ANSWERED,
    Act.PERMIT_ELIGIBLE,
    Act.CARD_LOST,
    Act.LEGAL_HOLD_PLACED,
    Act.LEGAL_HOLD_RELEASED,
    Act.ANSWER_ATTACH_PROPOSED,
    Act.ANSWER_ATTACH_REJECTED,
    Act.ANSWER_ATTACHED,
    Act.ERASURE_PROPOSED,
    Act.ERASURE_REJECTED,
    Act.KEY_DESTROYED,
}
