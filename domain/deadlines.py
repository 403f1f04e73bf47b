"""The deadlines of any case by name, and what their kinds imply."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


# Of any case; a programme declares its own.
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
    OBJECTION_OVER = "objection_over"
    RENEWAL_REMINDER = "renewal_reminder"
    RENEWAL_OVER = "renewal_over"
    RENEWAL_CORRECTION_REMINDER = "renewal_correction_reminder"
    RENEWAL_CORRECTION_OVER = "renewal_correction_over"
    RENEWAL_SETTLED = "renewal_settled"
    TAKES_EFFECT = "takes_effect"
    DEPARTURE_ANSWER = "departure_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineMeaning:
    """What a kind of deadline implies.

    Attributes:
        by_schedule: whether it is set outside a case's workflow, by a claim or by an answer that it need not hear of,
            so that the Schedule that asks outside for answers watches it. All others wake the workflow of their case.
        outlives: whether it may come after the workflow of its case has closed, once the case has ended.
    """

    by_schedule: bool = False
    outlives: bool = False


DEADLINES: Final[Mapping[str, DeadlineMeaning]] = {
    **dict.fromkeys(DeadlineKind, DeadlineMeaning()),
    DeadlineKind.CLAIM_OVER: DeadlineMeaning(by_schedule=True),
    # A case that was refused has no workflow that would wait for it.
    DeadlineKind.OBJECTION_OVER: DeadlineMeaning(by_schedule=True),
}
