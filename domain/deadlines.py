"""The deadlines of a case by name, and who watches them."""

from enum import StrEnum
from typing import Final


class DeadlineKind(StrEnum):
    """What ends, or is due, at a deadline."""

    DEFECTS_NAMED = "defects_named"
    CORRECTION_REMINDER = "correction_reminder"
    CORRECTION_OVER = "correction_over"
    REVIEW_REMINDER = "review_reminder"
    REVIEW_OVER = "review_over"
    CLAIM_OVER = "claim_over"
    SIGNATURE_EXPECTED = "signature_expected"
    HOLD_REVIEW = "hold_review"
    SETTLED = "settled"
    SENDING_EXPECTED = "sending_expected"
    REPORT_EXPECTED = "report_expected"
    EARLY_ANSWER = "early_answer"
    APPLICANT_REMINDER = "applicant_reminder"
    APPLICANT_INACTIVE = "applicant_inactive"
    AUTHORITY_LATE = "authority_late"
    PERMIT_EXPIRING = "permit_expiring"
    PERMIT_EXPIRED = "permit_expired"
    CONTRACT_REMINDER = "contract_reminder"
    CONTRACT_GRACE = "contract_grace"
    EMPLOYMENT_OVER = "employment_over"


# Set outside a case's workflow, by a claim or by an answer it need not hear of: watched by the Schedule that asks the
# authority for answers. All others wake the workflow of their case.
WATCHED_BY_SCHEDULE: Final = frozenset(
    {DeadlineKind.AUTHORITY_LATE, DeadlineKind.CLAIM_OVER, DeadlineKind.EARLY_ANSWER}
)
# Of a permit: these may come after the workflow of its case has closed, once the registration has ended.
OUTLIVING: Final = frozenset({DeadlineKind.PERMIT_EXPIRING, DeadlineKind.PERMIT_EXPIRED})
