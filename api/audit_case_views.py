"""What the answers about the record of a case look like, for the OpenAPI document."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.views import FindingView, Page
from domain.stages import Destination, Holder, PermitStage, Stage


class StoodPermit(BaseModel):
    """Where the permit of a destination stood."""

    destination: Destination
    stage: PermitStage
    pending_act: str | None
    waits_for: Holder


class DueView(BaseModel):
    """Until when somebody was to act."""

    at: datetime
    kind: str


class TaskThen(BaseModel):
    """A task that was open."""

    kind: str
    destination: Destination | None
    round: int
    opened_at: datetime
    holder: str | None = Field(description="Issuer and subject; null where it was free.")


class FindingsThen(BaseModel):
    """What the newest assessment of a scope of rules had found."""

    scope: Literal["registration", "HK", "MO"]
    seq: int
    round: int
    at: datetime
    rule_version: str
    rule_hash: str
    findings: list[FindingView]


class StoodView(BaseModel):
    """Where a case stood."""

    stage: Stage
    round: int
    pending_act: str | None
    holds: list[str] = Field(description="`officer`, `employer_standing`.")
    registration_number: str | None
    waits_for: Holder
    permits: list[StoodPermit]
    facts_version: int | None = Field(description="Which version of the application held.")
    due: DueView | None = Field(description="The limit on the registration, by the ledger; null where none ran.")
    tasks: list[TaskThen]
    findings: list[FindingsThen]


class WaitView(BaseModel):
    """For whom was waited, and how long."""

    whom: str = Field(alias="for", description="For whom: `park`, `employer`, `authority` …")
    seconds: int
    says: str


class RunView(BaseModel):
    """One run of the case's workflow."""

    run_id: str
    status: str
    started_at: datetime
    closed_at: datetime | None
    events: int
    sha256: str | None = Field(description="Of the whole history in its written form; null while the run is open.")
    problem: str | None = Field(description="Why its history cannot be shown.")


class EndedWaitView(WaitView):
    """A wait that was over."""

    since: datetime


class SaidReason(BaseModel):
    """A reason with its sentence."""

    code: str
    says: str | None = Field(description="In the caller's language; null for a code without a sentence.")


class StoryItem(BaseModel):
    """One thing that happened; what does not apply is left out."""

    at: datetime
    placed_at: datetime | None = Field(
        default=None, description="Where it stands in the order, for an act that was asked for before rows it follows."
    )
    source: str = Field(description="`ledger`, `history` or `notice`.")
    what: str = Field(description="Code of the act, the event or the notice.")
    says: str = Field(description="In the caller's language.")
    place: dict[str, Any] = Field(description="Chain and number in the ledger, run and event, or notice.")
    who: dict[str, Any] | None = Field(default=None, description="Role, subject and issuer of who acted.")
    stage: str | None = Field(default=None, description="The stage that it led to.")
    round: int | None = None
    outcome: str | None = None
    destination: str | None = None
    reasons: list[SaidReason] = Field(default=[], description="Codes, each with its sentence.")
    purpose: str | None = Field(default=None, description="What data was opened for.")
    rule_version: str | None = None
    detail: dict[str, Any] | None = None
    waited: EndedWaitView | None = Field(default=None, description="The wait that it ended.")
    deliveries: list[dict[str, Any]] = Field(default=[], description="How far a notice got, channel by channel.")


class StoryView(BaseModel):
    """A page of the story of a case."""

    reference: str
    as_of: datetime | None
    state: StoodView | None = Field(description="Where the case stood then, or stands now; null before it was there.")
    waits: list[WaitView]
    runs: list[RunView]
    complete: bool = Field(description="False while a history can be neither read live nor from the archive.")
    items: list[StoryItem]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


class DifferenceView(BaseModel):
    """A place where two records do not agree."""

    code: str
    says: str = Field(description="In the caller's language.")
    place: dict[str, Any]
    expected: str | None
    found: str | None


class ReconciliationView(BaseModel):
    """What the comparison of a case's records came to."""

    reference: str
    at: datetime
    complete: bool = Field(description="False while Temporal does not answer.")
    compared: dict[str, Any] = Field(description="How much of each record was compared.")
    differences: list[DifferenceView]


class KeptDifference(DifferenceView):
    """A difference that a nightly round found and that still stands."""

    reference: str = Field(description="The case, or `seal` where it is of the seal and of no single case.")
    first_seen_at: datetime
    last_seen_at: datetime


class DifferencePage(Page):
    """A page of differences."""

    items: list[KeptDifference]
