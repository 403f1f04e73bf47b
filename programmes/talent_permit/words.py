"""The talent permit's own words, beside those of any case: stored and published as they stand here, never changed."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from domain.deadlines import DeadlineMeaning
from domain.words import CORE_WORDS, Words


class PermitCommand(StrEnum):
    """What is asked of a talent permit and of no other case."""

    REVOKE = "revoke"
    DEPART = "depart"
    DISPUTE = "dispute"
    CHANGE = "change"
    CARD_LOST = "card_lost"
    ELIGIBILITY = "eligibility"
    PERMIT_CONFIRM = "permit_confirm"
    ENTER_OUTCOME = "enter_outcome"
    ANSWER = "answer"


class PermitDeadline(StrEnum):
    """What ends, or is due, at a deadline of a talent permit."""

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


DEADLINES: Final[Mapping[str, DeadlineMeaning]] = {
    **dict.fromkeys(PermitDeadline, DeadlineMeaning()),
    **dict.fromkeys((PermitDeadline.EARLY_ANSWER, PermitDeadline.AUTHORITY_LATE), DeadlineMeaning(by_schedule=True)),
    **dict.fromkeys((PermitDeadline.PERMIT_EXPIRING, PermitDeadline.PERMIT_EXPIRED), DeadlineMeaning(outlives=True)),
}

WORDS: Final = CORE_WORDS | Words(deadlines=DEADLINES)
