"""Once only: what was verified in one case is offered to the next of the same person, and taken over with consent."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from domain.bodies import Body, example
from domain.fields import Label

_ID = "0b6f6c1e-6a0e-5a53-9d0b-3f1f0c9e2a11"


class TakeoverState(StrEnum):
    """What became of a consent: stored and published."""

    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    TAKEN = "taken"
    # What was vouched for does not hold any more.
    FALLEN = "fallen"


class Consent(StrEnum):
    """Who agreed that a fact is taken over: the person, or the employer that had given it itself."""

    PERSON = "person"
    EMPLOYER = "employer"


class OnceOnlyCommand(StrEnum):
    """What is asked about what is taken over; all but the first by the engine alone, of either case."""

    TAKE_OVER = "take_over"
    VOUCH = "vouch"
    SOURCE_FELL = "source_fell"


class TakeOverRequest(Body):
    """Which of the offers is taken over, as a piece of evidence that needs not be seen again."""

    model_config = example({"offer": _ID})

    offer: UUID = Field(description="From the list of offers.")


class ReleaseRequest(Body):
    """A person agrees that one fact of theirs is taken over into a case that an employer owns."""

    model_config = example({"reference": "HT-7K2M-9QXA-3", "offer": _ID})

    reference: Label = Field(description="The case into which it may be taken over.")
    offer: UUID = Field(description="From the list of the person's own offers for that case.")


class ReleaseBackRequest(Body):
    """A release is taken back that nobody has made use of."""
