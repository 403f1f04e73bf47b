"""Renewals: a case that was approved and whose track runs out is confirmed anew by its owner, and looked at again."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from domain.bodies import Body, example
from domain.decisions import Reasons
from domain.fields import Note
from domain.findings import AssessmentScope

# The scope of what the rules find of a renewal, beside that of the registration and those of its tracks.
RENEWAL_SCOPE: Final = AssessmentScope.RENEWAL.value


class RenewalStage(StrEnum):
    """Where a renewal stands."""

    UNDER_REVIEW = "under_review"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    CORRECTION_REQUESTED = "correction_requested"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


WAITING: Final = frozenset(
    {RenewalStage.UNDER_REVIEW, RenewalStage.AWAITING_CONFIRMATION, RenewalStage.CORRECTION_REQUESTED}
)
DECIDED: Final = frozenset({RenewalStage.GRANTED, RenewalStage.REFUSED})


class RenewalProposal(StrEnum):
    """What is proposed of a renewal, and waits for a second signature."""

    GRANT = "grant_renewal"
    REFUSE = "refuse_renewal"


class RenewalAction(StrEnum):
    """What an officer decides on a renewal."""

    GRANT = "grant"
    REFUSE = "refuse"
    RETURN = "return"


class RenewalDecisionRequest(Body):
    """A decision on the renewal of this number; `reasons[].note` goes to the owner, `note` is for staff alone."""

    model_config = example({"action": "grant", "renewal": 1})

    action: RenewalAction
    renewal: Annotated[
        int, Field(ge=1, le=10_000, strict=True, description="Number of the renewal that was looked at.")
    ]
    reasons: Reasons = ()
    note: Note | None = None
