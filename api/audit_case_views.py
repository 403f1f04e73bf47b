"""What the answers about the record of a case look like, for the OpenAPI document."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.views import FindingView, Page
from domain.stages import Destination, Holder, PermitStage, Stage
from record.reconciliation.views import KeptDifference


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

    model_config = {"json_schema_extra": {"required": ["for", "seconds", "says"]}}

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


class DifferencePage(Page):
    """A page of differences."""

    items: list[KeptDifference]
