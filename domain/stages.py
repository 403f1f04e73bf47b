"""Stages of a case of any programme, and the groups that are derived from them."""

from enum import StrEnum
from typing import Final


class Stage(StrEnum):
    """Where a registration stands."""

    RECEIVED = "received"
    ASSESSING = "assessing"
    CORRECTION_REQUESTED = "correction_requested"
    UNDER_REVIEW = "under_review"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    APPROVED = "approved"
    REFUSED = "refused"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


class PendingAct(StrEnum):
    """A proposal of any case that waits for a second signature; a programme declares others (`signatures`, tracks)."""

    REFUSE = "refuse"
    APPROVE = "approve"
    SET_ASIDE = "set_aside"


class AssessmentOutcome(StrEnum):
    """What the rules make of the facts; a machine never refuses."""

    CLEAR = "clear"
    NEEDS_OFFICER = "needs_officer"
    INCOMPLETE = "incomplete"


class Standing(StrEnum):
    """Standing of an employer with the park."""

    GOOD = "good"
    SUSPENDED = "suspended"
    LEFT_PARK = "left_park"


class Holder(StrEnum):
    """Who has to act next on a case."""

    EMPLOYER = "employer"
    PARK = "park"
    PERSON = "person"
    AUTHORITY = "authority"
    NONE = "none"


class DueKind(StrEnum):
    """Which limit `due_at` states."""

    PARK_DECISION = "park_decision"
    CORRECTION = "correction"
    AUTHORITY_ANSWER = "authority_answer"
    DEPARTURE_ANSWER = "departure_answer"


OPEN: Final = frozenset(
    {
        Stage.RECEIVED,
        Stage.ASSESSING,
        Stage.CORRECTION_REQUESTED,
        Stage.UNDER_REVIEW,
        Stage.AWAITING_CONFIRMATION,
    }
)
CLOSED: Final = frozenset({Stage.REFUSED, Stage.LAPSED, Stage.WITHDRAWN, Stage.ENDED})
LIVE: Final = OPEN | {Stage.APPROVED}
IN_REVIEW: Final = frozenset({Stage.UNDER_REVIEW, Stage.AWAITING_CONFIRMATION})
