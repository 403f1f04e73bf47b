"""Objections against decisions: what is asked, what is kept of each with its case, and what one can come to."""

from enum import StrEnum
from typing import Annotated, Literal, NotRequired, TypedDict
from uuid import UUID

from pydantic import Field

from domain.bodies import Body, example
from domain.decisions import GivenReason
from domain.fields import Label, Note

REFUSAL = "refusal"
LAPSE = "lapse"
RENEWAL_REFUSAL = "renewal_refusal"


class ObjectionState(StrEnum):
    """Where an objection stands; the values are stored."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    # The owner asked anew for what had been refused, and all of it is looked at again.
    OVERTAKEN = "overtaken"


class KeptObjection(TypedDict):
    """An objection as the row of its case keeps it: codes, ids and times in ISO form, and nothing of the grounds.

    `decision` is the number of the ledger row of the decision, `track` the key of the track that it is about, and
    `party` the role of who objected.
    """

    id: str
    against: str
    track: str | None
    decision: int
    party: Literal["employer", "person"]
    at: str
    due_at: str
    state: str
    decided_at: NotRequired[str]


_AGAINST = Field(
    description="The decision: `refusal`, `lapse`, or another that the programme names.", examples=["refusal"]
)
_WHERE = Field(description="Of which track, where the decision is about one.", examples=["HK"])
_WHICH = Field(description="The id of the objection.")


class ObjectionRequest(Body):
    """An objection of the owner of a case against a decision that stands, with why it is thought wrong."""

    model_config = example({"against": "refusal", "grounds": "The premises were ours on that day; see our lease."})

    against: Annotated[Label, _AGAINST]
    destination: Annotated[Label | None, _WHERE] = None
    grounds: Note


class OwnObjectionRequest(ObjectionRequest):
    """An objection of a person against a decision in a case of their own."""

    model_config = example(
        {"reference": "HT-7K2M-9QXA-3", "against": "refusal", "grounds": "I have worked there since May."}
    )

    reference: Label


class ObjectionWithdrawal(Body):
    """An objection that is taken back by who made it."""

    model_config = example({"objection": "7b0a5a34-6a0e-4a5a-9d70-0c8c0b8a2f11"})

    objection: Annotated[UUID, _WHICH]


class OwnObjectionWithdrawal(ObjectionWithdrawal):
    """An objection that a person takes back."""

    model_config = example({"reference": "HT-7K2M-9QXA-3", "objection": "7b0a5a34-6a0e-4a5a-9d70-0c8c0b8a2f11"})

    reference: Label


class ObjectionAction(StrEnum):
    """What an officer makes of an objection: proposes to set the decision aside, or lets it stand."""

    UPHOLD = "uphold"
    REJECT = "reject"


class ObjectionDecision(Body):
    """What becomes of an objection: upheld with reasons of use S, or rejected with reasons of use N."""

    model_config = example(
        {
            "objection": "7b0a5a34-6a0e-4a5a-9d70-0c8c0b8a2f11",
            "action": "reject",
            "reasons": [{"code": "grounds_unproved", "note": "The lease that was sent begins after the application."}],
        }
    )

    objection: Annotated[UUID, _WHICH]
    action: ObjectionAction
    reasons: Annotated[tuple[GivenReason, ...], Field(min_length=1, max_length=20)]
    note: Note | None = None


class SetAsideRequest(Body):
    """Why the decision that closed a case, or that about one of its tracks, is to be set aside: codes of use S."""

    model_config = example({"reasons": [{"code": "decided_in_error"}]})

    destination: Annotated[Label | None, _WHERE] = None
    reasons: Annotated[tuple[GivenReason, ...], Field(min_length=1, max_length=20)]
    note: Note | None = None
