"""What is said to the exit-entry administration: list entries, reports, and questions for entries."""

from datetime import date
from enum import StrEnum

from pydantic import Field

from domain.outward import Body, Message
from programmes.talent_permit.permit_stages import Destination


class EntryEmployer(Body):
    """The employer as the list names it."""

    name_zh: str
    uscc: str


class EntryPerson(Body):
    """The person as the list names them."""

    name_zh: str = Field(repr=False)
    name_en: str | None = Field(default=None, repr=False)
    identity_number: str = Field(repr=False)
    permit_card_number: str | None = Field(default=None, repr=False)


class ListEntry(Body):
    """One person on the list for one destination."""

    case: str
    destination: Destination
    registration_number: str
    registered_on: date
    employer: EntryEmployer
    person: EntryPerson

    def message(self) -> Message:
        """Return the list entry with where it goes."""
        return Message("/list-entries", self)


class EntryChange(Body):
    """How an entry has to be from now on; `changed` names what is not as it was."""

    case: str
    changed: tuple[str, ...] = Field(min_length=1)
    person: EntryPerson

    def message(self) -> Message:
        """Return the change with where it goes."""
        return Message("/list-entries/changes", self)


class EmployerChange(EntryChange):
    """The same of an entry whose person another employer registers now, under another number."""

    employer: EntryEmployer
    registration_number: str


class ReportedFact(StrEnum):
    """What the park tells the authority of a person already on the list."""

    REGISTRATION_ENDED = "registration_ended"
    REGISTRATION_REVOKED = "registration_revoked"
    EMPLOYER_LEFT_PARK = "employer_left_park"
    REGISTRATION_RESTORED = "registration_restored"
    CARD_LOST = "card_lost"
    DESTINATION_GIVEN_UP = "destination_given_up"


class Report(Body):
    """A fact about one case; `reason` is a code."""

    case: str
    what: ReportedFact
    on: date
    reason: str | None = None

    def message(self) -> Message:
        """Return the report with where it goes."""
        return Message("/reports", self)


class BatchReport(Body):
    """A fact about many cases at once: an employer that left the Park is told once for the whole list."""

    what: ReportedFact
    on: date
    cases: tuple[str, ...] = Field(min_length=1)

    def message(self) -> Message:
        """Return the report with where it goes."""
        return Message("/reports/batch", self)


class EntryQuestion(Body):
    """Which entries are asked for: those of a case, and those of a person, for one destination.

    A body and no address, since it holds a person's number.
    """

    case: str
    destination: Destination
    identity_number: str = Field(repr=False)

    def message(self) -> Message:
        """Return the question with where it goes."""
        return Message("/list-entries/search", self)
