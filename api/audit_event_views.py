"""What auditors are shown of the ledger, for the OpenAPI document."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from api.views import Page
from domain.actors import Role
from domain.acts import Act
from record.search import CountBy


class EventView(BaseModel):
    """A row of the ledger: all that its hash covers, the hash, and when it was written."""

    chain: str = Field(description="The chain that the row belongs to: a case's reference, or one of its own.")
    seq: int = Field(description="Its number there, from 1 on.")
    previous: str = Field(description="Hash of the row before it; zeros before the first.")
    act: Act
    at: datetime = Field(description="Business time of the act.")
    actor_issuer: str
    actor_subject: str
    actor_role: Role
    actor_tenant: str | None = Field(description="Employer of the actor; null for the park's own.")
    reference: str | None = Field(description="The case.")
    employer_id: str | None
    destination: str | None
    outcome: str | None
    reason_codes: list[str]
    purpose: str | None
    rule_version: str | None
    rule_hash: str | None = Field(description="SHA-256 of the rule pack's content.")
    before_hash: str | None = Field(description="The case's state before the act, keyed by the person's own key.")
    after_hash: str | None
    statement_hash: str | None = Field(description="SHA-256 of the signed statement by which a person asked for it.")
    workflow_id: str | None
    run_id: str | None
    event_id: int | None = Field(description="Number of the history event after which the step was asked for.")
    correlation_id: str
    detail: dict[str, Any]
    hash: str = Field(description="SHA-256 over the fields above in canonical JSON (RFC 8785).")
    recorded_at: datetime = Field(description="When PostgreSQL wrote the row; not covered by the hash.")


class EventPage(Page):
    """A page of rows, newest first."""

    items: list[EventView]


class CountView(BaseModel):
    """How many rows have one value."""

    key: str | None = Field(description="The value; null for rows that have none.")
    count: int


class CountsView(BaseModel):
    """Rows counted by one thing; a row with two reason codes, or about two cases, counts for each."""

    by: CountBy
    total: int
    items: list[CountView] = Field(description="Most frequent first, at most 500.")
    others: int = Field(description="Rows of the values left out.")


class SampleView(BaseModel):
    """Decisions drawn at random."""

    seed: str
    population: int = Field(description="How many decisions there were to draw from.")
    items: list[EventView]


class BriefRow(BaseModel):
    """Where a decision stands in the ledger."""

    chain: str
    seq: int
    at: datetime
    act: Act
    case: str | None
    outcome: str | None


class PairView(BaseModel):
    """An officer and an employer that meet unusually often."""

    officer: str = Field(description="Issuer and subject.")
    employer_id: str
    seen: int = Field(description="Decisions of the officer on the employer's cases.")
    expected: float = Field(description="Decisions of the officer times those on the employer, divided by all.")
    rows: list[BriefRow]


class ConflictsView(BaseModel):
    """Decisions with a possible conflict of interest."""

    signatures: int = Field(description="Second signatures that were looked at.")
    same_signer: list[BriefRow] = Field(description="Those by the one who proposed; the engine refuses them.")
    decisions: int = Field(description="Decisions that were looked at.")
    pairs: list[PairView] = Field(description="The most unusual first.")
