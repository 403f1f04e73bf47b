"""Bodies of what staff asks of a case: decisions, second signatures, holds, revocations and what an officer enters."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain.bodies import Body
from domain.fields import Day, Label, Note

Round = Annotated[int, Field(ge=1, le=10_000, strict=True)]


class DecisionAction(StrEnum):
    """What an officer decides on a registration."""

    APPROVE = "approve"
    RETURN = "return"
    REFUSE = "refuse"


class ConfirmationAction(StrEnum):
    """What a second signer says to a proposal."""

    CONFIRM = "confirm"
    REJECT = "reject"


class GivenReason(Body):
    """A coded reason; its note is written for the employer and the person and goes into the letter."""

    code: Label
    field: Label | None = None
    note: Note | None = None


Reasons = Annotated[tuple[GivenReason, ...], Field(max_length=20)]


class DecisionRequest(Body):
    """A decision; `note` is for staff and auditors only."""

    action: DecisionAction
    round: Round
    reasons: Reasons = ()
    note: Note | None = None


class ConfirmationRequest(Body):
    """A second signature, or its rejection with a code of use C."""

    action: ConfirmationAction
    round: Round
    reasons: Reasons = ()
    note: Note | None = None


class PermitConfirmationRequest(Body):
    """A second signature on what was proposed for a permit."""

    action: ConfirmationAction
    reasons: Reasons = ()
    note: Note | None = None


class RecallRequest(Body):
    """Why a decision is taken back before it takes effect."""

    reason: Note


class HoldAction(StrEnum):
    """Placing or releasing a hold."""

    PLACE = "place"
    RELEASE = "release"


class HoldRequest(Body):
    """A hold with a reason code of use H and a day on which it is looked at again."""

    action: HoldAction
    reason: Label
    review_on: Day | None = None
    note: Note | None = None


class BulkDecision(Body):
    """One case of a bulk approval."""

    reference: Label
    round: Round


class TaskAnswerRequest(Body):
    """The answer to a task that is neither `review` nor `confirm`.

    A programme whose tasks are answered with more has a class of its own below this one.
    """

    action: Label
    note: Note | None = None
    facts: Annotated[
        tuple[Annotated[int, Field(ge=1, le=10_000, strict=True)], ...] | None,
        Field(min_length=1, max_length=50, description="Which of several contested facts are set aside; all without."),
    ] = None


class ChangeAnswerRequest(TaskAnswerRequest):
    """The answer to a task of a programme whose cases take changes: all of one that waits, or some of its fields."""

    reasons: Annotated[
        Reasons,
        Field(description="Why a change is declined (R), or is taken although a rule would fail by it (O)."),
    ] = ()
    fields: Annotated[
        tuple[Label, ...] | None,
        Field(min_length=1, max_length=20, description="Which of the fields of a change are answered; all without."),
    ] = None
