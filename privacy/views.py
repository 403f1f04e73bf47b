"""What is shown to a person of what is held, who read it, and what they objected to."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from cases.case.views import view
from cases.shared.views import Coded
from domain.person import ObjectionKind
from domain.tracks import TrackKey
from domain.views import Told, View


class SessionView(View):
    """A session that a link opened."""

    token: str = Field(description="Bearer token of the person's calls, shown once.")
    token_type: str
    expires_at: Told


@view
class OwnDecisionView:
    """A decision that is out."""

    outcome: str
    decided_at: datetime
    destination: Annotated[str | None, Coded(TrackKey | None)]
    role: Annotated[str, Field(description="Role of who decided; no person is named.")]
    reasons: list[str]
    rule_version: str | None
    remedy: Annotated[dict[str, Any] | None, Field(description="What one who disagrees can do, and within which time.")]


class AccessView(View):
    """One reading of the person's data."""

    at: Told
    reference: str
    role: str
    organisation: str = Field(description="Who read, as an organisation; no member of staff is named.")
    way: str = Field(description="In which way, in words.")
    purpose: str
    purpose_text: str
    purpose_stated: bool = Field(description="False where the reader's role alone says what for.")
    fields: list[str] = Field(description="Which fields were opened; empty where none was.")
    fields_text: list[str]


class ReadingsView(View):
    """Readings of one reader on one day that are alike."""

    way: str = Field(description="In which way, in words.")
    purpose: str
    purpose_text: str
    purpose_stated: bool = Field(description="False where the reader's role alone says what for.")
    fields: list[str] = Field(description="Which fields were opened; empty where none was.")
    fields_text: list[str]
    references: list[str]
    times: int
    first_at: Told
    last_at: Told


class ReaderView(View):
    """Who read on a day, as a role of an organisation; no member of staff is named."""

    role: str
    organisation: str
    readings: list[ReadingsView] = Field(description="Those that opened data come first.")


class AccessDayView(View):
    """A day in China on which the person's data was read."""

    day: date
    readers: list[ReaderView] = Field(description="Who opened data comes first.")


class OwnFactView(View):
    """One field that was given of the person."""

    field: str
    label: str
    value: Any
    value_text: str | None = Field(description="The value in words.")
    purpose: str
    basis: str
    retention: str


class OwnFactsView(View):
    """One version of what was given, by whom and when."""

    version: int
    given_at: Told
    given_by: str = Field(description="Name of the employer, or that the person did.")
    is_current: bool
    facts: list[OwnFactView]


class OwnRequestView(View):
    """Something that the employer or the person asked for in a case, in their own words."""

    kind: str
    at: Told
    by: str = Field(description="Role of who asked.")
    state: str
    content: Any


class OwnNoticeView(View):
    """A notice to the person."""

    kind: str
    at: Told
    language: str
    status: str
    subject: str | None
    text: str | None = Field(description="The exact text; none of a link to sign in.")
    html: str | None = Field(description="The exact text as a page, where the mail had one.")
    text_salt: str | None = Field(description="What keeps the hash from being guessed; null where there was none.")
    text_hash: str = Field(description="SHA-256 of salt, subject, text and page as a JSON list; stays in the ledger.")


class OwnHoldView(View):
    """A legal hold that stands on a case."""

    reason: str
    says: str
    placed_at: Told


class KeptApartView(View):
    """Something that is kept and not shown."""

    what: str
    says: str
    retention: str


class ObjectionReceipt(View):
    """A complaint or a dispute as it was taken on."""

    id: str
    kind: ObjectionKind
    reference: str
    about: str
    state: str = Field(description="`open` or `answered`.")
    at: Told
    due_at: Told = Field(description="By when it is to be answered; unconfirmed.")


class OwnReleaseView(View):
    """A consent that what one case of a person vouches for is taken over into another, and what became of it."""

    id: str
    reference: str = Field(description="The case into which it is taken over.")
    item: str = Field(description="Of that case.")
    source_reference: str = Field(description="The case that vouches for it.")
    source_programme: str
    source_item: str = Field(description="As what it was verified there.")
    consent: str = Field(description="`person`, or `employer` for what that employer had given itself.")
    state: str = Field(
        description="`released`, `withdrawn`, `taken` (the case stands on it) or `fallen` (it does not hold "
        "any more where it came from)."
    )
    consented_at: Told
    taken_at: Told | None
    over_at: Told | None


class OwnTransferView(View):
    """An agreement of a person that another employer registers them, and what became of it."""

    id: str
    reference: str = Field(description="The case at the employer whom the person leaves.")
    employer_id: str = Field(description="To whom the person goes.")
    employer: str = Field(description="Its name.")
    state: str = Field(
        description="`agreed`, `withdrawn`, `run_out`, `taken` (a registration was taken on by it), `not_confirmed` "
        "(an officer found that the person stays), `given_up` (that registration closed first) or `done`."
    )
    agreed_at: Told
    holds_until: Told = Field(description="By when the employer has to make use of it; unconfirmed.")
    taken_at: Told | None
    over_at: Told | None


class OwnObjectionView(ObjectionReceipt):
    """A complaint or a dispute with its words and what became of it."""

    text: str | None
    outcome: str | None
    answer: str | None
    answered_at: Told | None
    answered_by_role: str | None


class ObjectionView(OwnObjectionView):
    """A complaint or a dispute as staff sees it."""

    answered_by: str | None
    overdue: bool
