"""What answers to a person look like, for the OpenAPI document."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from api.fact_views import OwnOpenedFactView, OwnRecordedFactView
from api.views import Page, PermitView
from cases.case.views import OBJECT_OR_NULL, AuthorityReasonView, FindingView, OpenPointView, view
from domain.notices import Channel
from domain.stages import Destination, DueKind, Holder, Stage
from privacy.views import (
    AccessDayView,
    AccessView,
    DepartureView,
    KeptApartView,
    ObjectionView,
    OwnDecisionView,
    OwnFactsView,
    OwnHoldView,
    OwnNoticeView,
    OwnObjectionView,
    OwnRequestView,
)


class LinkAskedView(BaseModel):
    """The one answer to whoever asks for a link, whether or not the case has the address."""

    status: str = Field(examples=["asked"])
    message: str = Field(description="What happens now, in the caller's language.")


@view
class OwnPermitView(PermitView):
    """A talent permit as its person reads it."""

    place: str
    stage_text: str | None
    end_reason_text: str | None
    authority_reason: Annotated[
        AuthorityReasonView | None,
        OBJECT_OR_NULL,
        Field(title="Authority Reason", description="Why the authority refused or revoked, in its own words."),
    ] = None


class ContactChangeView(BaseModel):
    """An address that somebody else put on the case, and that does not sign in yet."""

    channel: Channel
    address: str | None = Field(description="As it is shown masked; null where one was taken away.")
    serves_from: date = Field(description="From when it signs in, and the one before it no longer; unconfirmed.")
    says: str


class OwnCaseView(BaseModel):
    """A case as its person reads it."""

    reference: str = Field(examples=["HT-7K2M-9QXA-J"])
    programme: str = Field(examples=["talent_permit"], description="The programme that the case is of.")
    employer_id: str
    employer: str = Field(description="Name of the employer.")
    stage: Stage
    stage_text: str = Field(description="Where the case stands, in the caller's language.")
    round: int
    destinations: list[Destination]
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
    departure: DepartureView | None
    recorded_facts: list[OwnRecordedFactView] = Field(description="What officers saw; each can be contested once.")
    contact_changes: list[ContactChangeView]
    findings: list[FindingView]
    open_points: list[OpenPointView] = Field(description="What the employer is asked to mend.")
    permits: list[OwnPermitView]
    decisions: list[OwnDecisionView]
    remedies: list[str] = Field(description="What the person can do now, in words.")


class OwnCasesView(BaseModel):
    """The person's cases at every employer on which the proved address stands."""

    items: list[OwnCaseView]


class AccessDays(Page):
    """A page of days, the newest first."""

    items: list[AccessDayView]


class AccessPage(Page):
    """A page of readings, the newest first."""

    items: list[AccessView]


class OwnDataCaseView(OwnCaseView):
    """All that is held under one case."""

    facts: list[OwnFactsView]
    recorded_facts: list[OwnOpenedFactView]  # type: ignore[assignment]  # the same with their content
    requests: list[OwnRequestView]
    notices: list[OwnNoticeView]
    legal_holds: list[OwnHoldView] = Field(
        description="What keeps the data from being erased; empty where nothing does."
    )


class OwnDataView(BaseModel):
    """All that is held about the person, under the cases that the session opens."""

    format: str
    at: datetime
    cases: list[OwnDataCaseView]
    kept_apart: list[KeptApartView]


class OwnObjectionsView(BaseModel):
    """What the person objected to, the newest first."""

    items: list[OwnObjectionView]


class ObjectionPage(Page):
    """A page of what waits for an answer."""

    items: list[ObjectionView]
