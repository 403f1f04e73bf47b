"""What a person asks for without an employer: a link to sign in with, its session, disputes, complaints, lost cards."""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import StringConstraints, model_validator

from domain.bodies import Body, example
from domain.fields import Email, Label, Note, Phone, refusal
from domain.notices import Channel

SESSION_PREFIX: Final = "hps_"  # tells a session from a JWT, whose first character is another
LINK_BYTES: Final = 24
SESSION_BYTES: Final = 32
_SECRET: Final = r"^[A-Za-z0-9_-]+$"


class SignInLinkRequest(Body):
    """A link is asked for: the case, and the mail address or mobile number that stands on it."""

    model_config = example({"reference": "HT-7K2M-9QXA-3", "email": "li@example.com"})

    reference: Label
    email: Email | None = None
    phone: Phone | None = None

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.email is None) == (self.phone is None):
            raise refusal("required", "Give either email or phone.")
        return self

    @property
    def channel(self) -> Channel:
        """How the link is sent."""
        return Channel.SMS if self.email is None else Channel.MAIL

    @property
    def address(self) -> str:
        """The address that the caller says is on the case."""
        return same_address(self.email or self.phone or "")


class SessionRequest(Body):
    """The secret of a link, which stands behind the `#` of its address."""

    model_config = example({"link": "cJx0zEw1oYc3mQe5k2vXbq8sT4uLr7aN"})

    link: Annotated[str, StringConstraints(min_length=16, max_length=100, pattern=_SECRET)]


class ObjectionKind(StrEnum):
    """What a person objects to: how they or their data were treated, a report about them, or a decision."""

    COMPLAINT = "complaint"
    DISPUTE = "dispute"
    OBJECTION = "objection"


class ComplaintAbout(StrEnum):
    """What a complaint is about."""

    HANDLING = "handling"
    FACTS_WRONG = "facts_wrong"
    READING = "reading"
    ERASURE = "erasure"
    OTHER = "other"


class ComplaintOutcome(StrEnum):
    """What the park made of a complaint."""

    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    NOT_UPHELD = "not_upheld"


class ComplaintRequest(Body):
    """A complaint about a case of one's own, in one's own words."""

    model_config = example({"reference": "HT-7K2M-9QXA-3", "about": "facts_wrong", "text": "My name is misspelt."})

    reference: Label
    about: ComplaintAbout
    text: Note


class ComplaintAnswer(Body):
    """The park's answer to a complaint; `text` is for the person."""

    model_config = example({"outcome": "upheld", "text": "The name was corrected on 2 March."})

    outcome: ComplaintOutcome
    text: Note


def same_address(address: str) -> str:
    """Return an address in the form in which two of them are compared: nobody tells two mailboxes by their case."""
    return address.strip().casefold()
