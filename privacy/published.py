"""How a case that its person reads is told in the OpenAPI document: in parts, between which a programme's own stand."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from cases.case.views import FindingView, OpenPointView, RecordedFactView, view
from domain.notices import Channel
from domain.stages import DueKind, Holder, Stage
from privacy.views import OwnDecisionView, OwnFactsView, OwnHoldView, OwnNoticeView, OwnRequestView


@view
class OwnRecordedFactView(RecordedFactView):
    """A recorded fact as the person reads it."""

    label: str
    state_text: str
    may_contest: Annotated[bool, Field(description="Whether the person may still say that it is wrong.")]


@view
class OwnOpenedFact:
    """What is shown of a recorded fact with its content, among all that is held about a person."""

    value: Any
    value_text: Annotated[str | None, Field(description="The value in words.")]
    seen_in: str
    given: Annotated[Any, Field(description="What had been given of the field when it was recorded.")]
    purpose: str
    basis: str
    retention: str


class ContactChangeView(BaseModel):
    """An address that somebody else put on the case, and that does not sign in yet."""

    channel: Channel
    address: str | None = Field(description="As it is shown masked; null where one was taken away.")
    serves_from: date = Field(description="From when it signs in, and the one before it no longer; unconfirmed.")
    says: str


class OwnCaseHead(BaseModel):
    """Which case it is, and where it stands."""

    reference: str = Field(examples=["HT-7K2M-9QXA-J"])
    programme: str = Field(description="The programme that the case is of.")
    employer_id: str
    employer: str = Field(description="Name of the employer.")
    stage: Stage
    stage_text: str = Field(description="Where the case stands, in the caller's language.")
    round: int


class OwnCaseDates(BaseModel):
    """Since when it is there, what it waits for, and what became of it."""

    accepted_at: datetime
    due_at: datetime | None
    due_kind: DueKind | None
    due_text: str | None
    due_provisional: bool
    clock: str | None
    holder: Holder
    waits_for: str
    registration_number: str | None = Field(examples=["HR-2026-000123-P"])
    end_reason: str | None
    end_reason_text: str | None
    ended_on: date | None
    in_force: bool
    updated_at: datetime


class OwnCaseFacts(BaseModel):
    """What was seen and found."""

    recorded_facts: list[OwnRecordedFactView] = Field(description="What officers saw; each can be contested once.")
    contact_changes: list[ContactChangeView]
    findings: list[FindingView]
    open_points: list[OpenPointView] = Field(description="What the employer is asked to mend.")


class OwnCaseEnd(BaseModel):
    """What was decided, and what can be done."""

    decisions: list[OwnDecisionView]
    remedies: list[str] = Field(description="What the person can do now, in words.")


class OwnDataFacts(BaseModel):
    """What was given."""

    facts: list[OwnFactsView]


class OwnDataRest(BaseModel):
    """What was asked and told, and what keeps the data."""

    requests: list[OwnRequestView]
    notices: list[OwnNoticeView]
    legal_holds: list[OwnHoldView] = Field(
        description="What keeps the data from being erased; empty where nothing does."
    )
