"""What auditors are shown of the ledger; the order of members is the order in which they are answered."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from cases.case.view import moment
from cases.shared.views import Coded, Time
from domain.actors import Role
from domain.acts import Act
from domain.errors import need
from proof.ledger_rows import content_of
from store.rows.record import LedgerRow


class CountBy(StrEnum):
    """What rows are counted by."""

    ACT = "act"
    ACTOR = "actor"
    ROLE = "role"
    EMPLOYER = "employer_id"
    OUTCOME = "outcome"
    REASON = "reason_code"
    RULE_VERSION = "rule_version"
    DESTINATION = "destination"
    CASE = "case"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, kw_only=True)
class EventView:
    """A row of the ledger: all that its hash covers, the hash, and when it was written."""

    chain: Annotated[
        str, Field(description="The chain that the row belongs to: a case's reference, or one of its own.")
    ]
    seq: Annotated[int, Field(description="Its number there, from 1 on.")]
    previous: Annotated[str, Field(description="Hash of the row before it; zeros before the first.")]
    act: Annotated[str, Coded(Act)]
    at: Annotated[Time, Field(description="Business time of the act.")]
    actor_issuer: str
    actor_subject: str
    actor_role: Annotated[str, Coded(Role)]
    actor_tenant: Annotated[str | None, Field(description="Employer of the actor; null for the park's own.")]
    reference: Annotated[str | None, Field(description="The case.")]
    employer_id: str | None
    destination: str | None
    outcome: str | None
    reason_codes: list[str]
    purpose: str | None
    rule_version: str | None
    rule_hash: Annotated[str | None, Field(description="SHA-256 of the rule pack's content.")]
    before_hash: Annotated[
        str | None, Field(description="The case's state before the act, keyed by the person's own key.")
    ]
    after_hash: str | None
    statement_hash: Annotated[
        str | None, Field(description="SHA-256 of the signed statement by which a person asked for it.")
    ]
    workflow_id: str | None
    run_id: str | None
    event_id: Annotated[
        int | None, Field(description="Number of the history event after which the step was asked for.")
    ]
    correlation_id: str
    detail: dict[str, Any]
    hash: Annotated[str, Field(description="SHA-256 over the fields above in canonical JSON (RFC 8785).")]
    recorded_at: Annotated[Time, Field(description="When PostgreSQL wrote the row; not covered by the hash.")]


def event_view(row: LedgerRow) -> EventView:
    """Return a row as auditors see it."""
    recorded_at = need(moment(row.recorded_at), "recorded_at")
    return EventView(**content_of(row.document()), hash=row.hash.hex(), recorded_at=recorded_at)


@dataclass(frozen=True, kw_only=True)
class CountView:
    """How many rows have one value."""

    key: Annotated[str | None, Field(description="The value; null for rows that have none.")]
    count: int


@dataclass(frozen=True, kw_only=True)
class CountsView:
    """Rows counted by one thing; a row with two reason codes, or about two cases, counts for each."""

    by: CountBy
    total: int
    items: Annotated[list[CountView], Field(description="Most frequent first, at most 500.")]
    others: Annotated[int, Field(description="Rows of the values left out.")]


@dataclass(frozen=True, kw_only=True)
class SampleView:
    """Decisions drawn at random."""

    seed: str
    population: Annotated[int, Field(description="How many decisions there were to draw from.")]
    items: list[EventView]


@dataclass(frozen=True, kw_only=True)
class BriefRow:
    """Where a decision stands in the ledger."""

    chain: str
    seq: int
    at: Time
    act: Annotated[str, Coded(Act)]
    case: str | None
    outcome: str | None


@dataclass(frozen=True, kw_only=True)
class PairView:
    """An officer and an employer that meet unusually often."""

    officer: Annotated[str, Field(description="Issuer and subject.")]
    employer_id: str
    seen: Annotated[int, Field(description="Decisions of the officer on the employer's cases.")]
    expected: Annotated[
        float, Field(description="Decisions of the officer times those on the employer, divided by all.")
    ]
    rows: list[BriefRow]


@dataclass(frozen=True, kw_only=True)
class ConflictsView:
    """Decisions with a possible conflict of interest."""

    signatures: Annotated[int, Field(description="Second signatures that were looked at.")]
    same_signer: Annotated[list[BriefRow], Field(description="Those by the one who proposed; the engine refuses them.")]
    decisions: Annotated[int, Field(description="Decisions that were looked at.")]
    pairs: Annotated[list[PairView], Field(description="The most unusual first.")]
