"""What a template may say: the facts of one notice, in the reader's language where they are sentences."""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.actors import Role
from domain.stages import DueKind, Stage


class Reason(BaseModel):
    """One coded reason or point to mend: its sentence, what it is about and the note, in the reader's language.

    Code and paths of fields are for machines; people read the sentence, the fields' names and the note.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    sentence: str
    fields: tuple[str, ...] = ()
    field_names: str | None = None
    note: str | None = None


class ObjectionRemedy(BaseModel):
    """How one objects to the park itself: so many days from delivery, until this day at the least, by this call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: int = Field(gt=0)
    not_before: date
    path: str
    is_confirmed: bool = False


class Remedy(BaseModel):
    """Where a letter sends a reader who disagrees; unconfirmed until the park says otherwise (states, section 6)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reconsideration_days: int = Field(gt=0)
    lawsuit_months: int = Field(gt=0)
    is_confirmed: bool = False


# What a mail subject, an SMS or an inbox line may name: no person, no employer, no free text.
CODES: Final = frozenset(
    {
        "reference",
        "registration_number",
        "destination",
        "pending_act",
        "due_on",
        "review_on",
        "days_over",
        "is_amendment",
    }
)


class NoticeFacts(BaseModel):
    """What may be said of any case; a template that needs a fact which is None is a defect.

    A programme whose notices say more declares a kind of its own (`Programme.notice_facts`). What was said is kept
    under these names, which never change.

    Attributes:
        codes: what may be named where others read along.
        of_track: what differs where the same is said of several tracks.
        for_person: what is for the person and staff alone, and not for whom an employer named as the address.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    codes: ClassVar[frozenset[str]] = CODES
    of_track: ClassVar[frozenset[str]] = frozenset({"destination"})
    for_person: ClassVar[frozenset[str]] = frozenset()

    # Codes, the only facts that a webhook, an SMS or a mail subject may use.
    reference: str | None = None
    registration_number: str | None = None
    destination: str | None = None
    employer_id: str | None = None
    occurred_at: AwareDatetime | None = None
    stage: Stage | None = None
    round: int | None = None
    end_reason: str | None = None

    # Personal data and free text, for bodies only.
    employer_name: str | None = None
    person_name: str | None = None
    reasons: tuple[Reason, ...] = ()
    points: tuple[Reason, ...] = ()
    note: str | None = None

    # Dates and counts.
    due_on: date | None = None
    due_kind: DueKind | None = None
    due_provisional: bool = False
    days_left: int | None = None
    missed_on: date | None = None
    expected_on: date | None = None
    old_on: date | None = None
    new_on: date | None = None
    from_on: date | None = None
    review_on: date | None = None
    days_over: int | None = None

    # Decisions.
    role: Role | None = None
    decided_on: date | None = None
    rule_version: str | None = None
    remedy: Remedy | None = None
    objection: ObjectionRemedy | None = None
    pending_act: str | None = None
    against: str | None = Field(default=None, description="A decision that was objected to, or set aside.")
    about_track: str | None = Field(default=None, description="The track that such a decision is about.")
    objected_on: date | None = None
    handed_kind: str | None = None
    is_handed_whole: bool = Field(default=False, description="With all that it says to the person.")
    fact_field: str | None = None
    is_overtaken: bool = Field(default=False, description="A renewal asked anew answers the reader's objection.")
    renewal: int | None = Field(default=None, description="Number of the renewal that it is about.")
    changed_fields: tuple[str, ...] = Field(default=(), description="What was asked to have changed.")
    asked_by_person: bool = False
    is_amendment: bool = Field(default=False, description="Given again under review, without being asked for.")
    link: str | None = None
    webhook_id: str | None = None
    webhook_url: str | None = None
    valid_minutes: int | None = None
    contact: str | None = Field(default=None, description="Addresses as they are shown masked.")

    def published(self) -> Mapping[str, object]:
        """Return what a webhook says beside what it says of any case: codes, and nothing that is None is sent."""
        return {"fields": list(self.changed_fields) or None}
