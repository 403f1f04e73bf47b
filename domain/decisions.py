"""Bodies of what staff asks of a case: decisions, second signatures, holds, revocations and what an officer enters."""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from domain.answers import AuthorityAnswer, Outcome
from domain.bodies import Body
from domain.fields import Day, Label, Moment, Note
from domain.references import reference_from
from domain.stages import Destination
from domain.tasks import TaskAction

_SAMPLE: Final = reference_from("HT", bytes(5))  # only to test that a paper holds together
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
    """Why an approval is taken back within the settling time."""

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


class RevocationRequest(Body):
    """Why a registration is to be revoked: codes of use V."""

    reasons: Annotated[tuple[GivenReason, ...], Field(min_length=1, max_length=20)]
    note: Note | None = None


class EligibilityAction(StrEnum):
    """What an officer makes of an eligibility that is not clear."""

    SEND = "send"
    WITHHOLD = "withhold"


class EligibilityRequest(Body):
    """Sending with an override reason (O), or withholding with a reason (W)."""

    action: EligibilityAction
    reasons: Annotated[tuple[GivenReason, ...], Field(min_length=1, max_length=20)]
    note: Note | None = None


class CardLostRequest(Body):
    """The day on which the card was lost."""

    lost_on: Day


class OutcomeRequest(Body):
    """What an officer enters from a numbered paper, or only the `outcome_id` of the held answer to apply."""

    outcome_id: Label
    outcome: Outcome | None = None
    authority_number: Label | None = None
    occurred_at: Moment | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None
    stay_days: Annotated[int, Field(ge=1, le=3650, strict=True)] | None = None
    entries: Label | None = None
    reason_code: Label | None = None
    reason_text: Note | None = None

    @model_validator(mode="after")
    def _holds_as_an_answer(self) -> Self:
        if self.outcome is not None:
            self.paper(_SAMPLE, Destination.HK)
        return self

    def paper(self, reference: str, destination: Destination) -> AuthorityAnswer | None:
        """Return the paper as an answer about a permit, or None where only a held answer is named."""
        if self.outcome is None:
            return None
        given = self.model_dump(exclude_none=True)
        return AuthorityAnswer.model_validate({**given, "case": f"{reference}/{destination.value}"})


class BulkDecision(Body):
    """One case of a bulk approval."""

    reference: Label
    round: Round


class TaskAnswerRequest(Body):
    """The answer to a task that is neither `review` nor `confirm`."""

    action: TaskAction
    contract_end: Day | None = None
    last_day: Day | None = None
    reason: Label | None = None
    note: Note | None = None
    facts: Annotated[
        tuple[Annotated[int, Field(ge=1, le=10_000, strict=True)], ...] | None,
        Field(min_length=1, max_length=50, description="Which of several contested facts are set aside; all without."),
    ] = None
