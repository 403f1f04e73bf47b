"""The talent permit's own words, beside those of any case: stored and published as they stand here, never changed."""

from enum import StrEnum


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
