"""What answers to a person look like, for the OpenAPI document."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.fact_views import OwnOpenedFactView, OwnRecordedFactView
from api.views import Page, PermitView
from cases.case.views import OBJECT_OR_NULL, AuthorityReasonView, FindingView, OpenPointView, view
from domain.notices import Channel
from domain.person import ObjectionKind
from domain.stages import Destination, DueKind, Holder, Stage


class LinkAskedView(BaseModel):
    """The one answer to whoever asks for a link, whether or not the case has the address."""

    status: str = Field(examples=["asked"])
    message: str = Field(description="What happens now, in the caller's language.")


class SessionView(BaseModel):
    """A session that a link opened."""

    token: str = Field(description="Bearer token of the person's calls, shown once.")
    token_type: str
    expires_at: datetime


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


class DepartureView(BaseModel):
    """A departure as it was reported."""

    last_day: date | None
    reason: str
    reported_by: str = Field(description="Role of who reported it.")
    late: bool
    disputed: bool


class OwnDecisionView(BaseModel):
    """A decision that is out."""

    outcome: str
    decided_at: datetime
    destination: Destination | None
    role: str = Field(description="Role of who decided; no person is named.")
    reasons: list[str]
    rule_version: str | None
    remedy: dict[str, Any] | None = Field(description="What one who disagrees can do, and within which time.")


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


class AccessView(BaseModel):
    """One reading of the person's data."""

    at: datetime
    reference: str
    role: str
    organisation: str = Field(description="Who read, as an organisation; no member of staff is named.")
    way: str = Field(description="In which way, in words.")
    purpose: str
    purpose_text: str
    purpose_stated: bool = Field(description="False where the reader's role alone says what for.")
    fields: list[str] = Field(description="Which fields were opened; empty where none was.")
    fields_text: list[str]


class ReadingsView(BaseModel):
    """Readings of one reader on one day that are alike."""

    way: str = Field(description="In which way, in words.")
    purpose: str
    purpose_text: str
    purpose_stated: bool = Field(description="False where the reader's role alone says what for.")
    fields: list[str] = Field(description="Which fields were opened; empty where none was.")
    fields_text: list[str]
    references: list[str]
    times: int
    first_at: datetime
    last_at: datetime


class ReaderView(BaseModel):
    """Who read on a day, as a role of an organisation; no member of staff is named."""

    role: str
    organisation: str
    readings: list[ReadingsView] = Field(description="Those that opened data come first.")


class AccessDayView(BaseModel):
    """A day in China on which the person's data was read."""

    day: date
    readers: list[ReaderView] = Field(description="Who opened data comes first.")


class AccessDays(Page):
    """A page of days, the newest first."""

    items: list[AccessDayView]


class AccessPage(Page):
    """A page of readings, the newest first."""

    items: list[AccessView]


class OwnFactView(BaseModel):
    """One field that was given of the person."""

    field: str
    label: str
    value: Any
    value_text: str | None = Field(description="The value in words.")
    purpose: str
    basis: str
    retention: str


class OwnFactsView(BaseModel):
    """One version of what was given, by whom and when."""

    version: int
    given_at: datetime
    given_by: str = Field(description="Name of the employer.")
    is_current: bool
    facts: list[OwnFactView]


class OwnRequestView(BaseModel):
    """Something that the employer or the person asked for in a case, in their own words."""

    kind: str
    at: datetime
    by: str = Field(description="Role of who asked.")
    state: str
    content: Any


class OwnNoticeView(BaseModel):
    """A notice to the person."""

    kind: str
    at: datetime
    language: str
    status: str
    subject: str | None
    text: str | None = Field(description="The exact text; none of a link to sign in.")
    html: str | None = Field(description="The exact text as a page, where the mail had one.")
    text_hash: str = Field(description="SHA-256 of salt, subject, text and page as a JSON list; stays in the ledger.")
    text_salt: str | None = Field(description="What keeps the hash from being guessed; null where there was none.")


class OwnHoldView(BaseModel):
    """A legal hold that stands on a case."""

    reason: str
    says: str
    placed_at: datetime


class OwnDataCaseView(OwnCaseView):
    """All that is held under one case."""

    facts: list[OwnFactsView]
    recorded_facts: list[OwnOpenedFactView]  # type: ignore[assignment]  # the same with their content
    requests: list[OwnRequestView]
    notices: list[OwnNoticeView]
    legal_holds: list[OwnHoldView] = Field(
        description="What keeps the data from being erased; empty where nothing does."
    )


class KeptApartView(BaseModel):
    """Something that is kept and not shown."""

    what: str
    says: str
    retention: str


class OwnDataView(BaseModel):
    """All that is held about the person, under the cases that the session opens."""

    format: str
    at: datetime
    cases: list[OwnDataCaseView]
    kept_apart: list[KeptApartView]


class ObjectionReceipt(BaseModel):
    """A complaint or a dispute as it was taken on."""

    id: str
    kind: ObjectionKind
    reference: str
    about: str
    state: str = Field(description="`open` or `answered`.")
    at: datetime
    due_at: datetime = Field(description="By when it is to be answered; unconfirmed.")


class OwnObjectionView(ObjectionReceipt):
    """A complaint or a dispute with its words and what became of it."""

    text: str | None
    outcome: str | None
    answer: str | None
    answered_at: datetime | None
    answered_by_role: str | None


class OwnObjectionsView(BaseModel):
    """What the person objected to, the newest first."""

    items: list[OwnObjectionView]


class ObjectionView(OwnObjectionView):
    """A complaint or a dispute as staff sees it."""

    answered_by: str | None
    overdue: bool


class ObjectionPage(Page):
    """A page of what waits for an answer."""

    items: list[ObjectionView]


class LostCardView(BaseModel):
    """A report of a lost card that was taken on."""

    reference: str
    destination: Destination
    status: str = Field(examples=["received"])


class DisputeView(BaseModel):
    """A dispute that was taken on."""

    reference: str
    status: str = Field(examples=["received"])
