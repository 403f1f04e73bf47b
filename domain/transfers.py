"""A change of employer within the Park: what the person agrees to, and what the employer before answers (R50-R57)."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from domain.bodies import Body, example
from domain.fields import Day, Label, refusal


class TransferState(StrEnum):
    """What became of an agreement: stored and published."""

    AGREED = "agreed"
    WITHDRAWN = "withdrawn"
    # The other employer's registration was taken on by it.
    TAKEN = "taken"
    # An officer found that the person goes on working where they did.
    NOT_CONFIRMED = "not_confirmed"
    # The other employer's case closed before it followed.
    GIVEN_UP = "given_up"
    DONE = "done"


# Those in which the case that was taken on still waits for the one before it.
WAITING = frozenset({TransferState.TAKEN, TransferState.NOT_CONFIRMED})


class TransferRequest(Body):
    """A person agrees that another employer registers them, whose case follows that of the employer before."""

    model_config = example({"reference": "HT-7K2M-9QXA-3", "employer": "91440300MA5H0WEY05"})

    reference: Label = Field(description="The case at the employer whom the person leaves.")
    employer: Label = Field(description="The other employer, by its unified social credit code or its id here.")


class TakeBackRequest(Body):
    """An agreement is taken back."""


class DepartureAction(StrEnum):
    """What an employer says of a person who is said to leave it."""

    CONFIRM = "confirm"
    DENY = "deny"


class DepartureAnswerRequest(Body):
    """The answer of the employer before: the last day of work, or that the person goes on working there."""

    model_config = example({"action": "confirm", "last_day": "2026-03-31"})

    action: DepartureAction
    last_day: Day | None = None

    @model_validator(mode="after")
    def _day_where_confirmed(self) -> Self:
        if (self.action is DepartureAction.CONFIRM) != (self.last_day is not None):
            raise refusal("required", "Give last_day with `confirm`, and with nothing else.")
        return self
