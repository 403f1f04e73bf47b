"""Rows of the register: cases, what was given and found, and facts that officers saw."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Table

from domain.amendments import Amendment
from domain.objections import KeptObjection
from domain.signatures import EffectSignature, FindingAnswer, Signature
from store import tables
from store.rows.base import TableRow


@dataclass(slots=True, kw_only=True)
class CaseRow(TableRow):
    """A case in the register, without what PostgreSQL derives (`live`) or notes of the write (`recorded_at`)."""

    TABLE: ClassVar[Table] = tables.cases
    reference: str
    employer_id: str
    person_id: UUID
    # Under which key it is sealed, where not under the person's own.
    joined_key: UUID | None = None
    # The transfer by which it waits for the person's case before it to end.
    follows: UUID | None = None
    client_reference: str | None = None
    correlation_id: str
    # The code of its programme, by which its declaration is found.
    programme: str
    stage: str
    version: int = 1
    round: int = 1
    facts_version: int = 1
    name_hash: bytes | None = None
    last_four_hash: bytes | None = None
    accepted_at: datetime
    policy_version: str
    assessment: str | None = None
    contested: bool = False
    returns: int = 0
    # Codes of the defects that were named, by field.
    named_defects: dict[str, Any] = field(default_factory=dict)
    # `points`, the `round` that they are of, and sealed `notes` in hex.
    open_points: dict[str, Any] | None = None
    # What was given again under review, oldest first, as codes.
    amendments: list[Amendment] | None = None
    days_used: int = 0
    clock_since: date | None = None
    clock: str
    holder: str
    # Since when it has been the holder's turn; unknown in a case whose holder last changed before this was kept.
    holder_since: datetime | None = None
    due_at: datetime | None = None
    due_kind: str | None = None
    due_provisional: bool = False
    overdue: bool = False
    pending_act: str | None = None
    # The proposal that waits for a second signature: `by`, `at`, `reasons`, sealed `notes` in hex, and its own values.
    pending: dict[str, Any] | None = None
    rejected: dict[str, Any] | None = None
    hold: dict[str, Any] | None = None
    standing_hold: bool = False
    registration_number: str | None = None
    effect_by: EffectSignature | None = None
    # What officers answered about findings: codes, and the keyed hash of the facts that each answer is about.
    answered_findings: list[FindingAnswer] | None = None
    approved_at: datetime | None = None
    settles_at: datetime | None = None
    settled: bool = False
    ended_on: date | None = None
    end_reason: str | None = None
    started_at: datetime | None = None
    # Objections against its decisions, each as `domain.objections.KeptObjection` says.
    objections: list[KeptObjection] | None = None
    erased_at: datetime | None = None
    earlier_addresses: bytes | None = None
    # By PostgreSQL's clock; the write sets it anew.
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class ApplicationRow(TableRow):
    """A version of what was given of a person and an employment, sealed under the person's key."""

    TABLE: ClassVar[Table] = tables.applications
    reference: str
    version: int
    employer_id: str
    body: bytes
    given_at: datetime


@dataclass(slots=True, kw_only=True)
class AssessmentRow(TableRow):
    """What the rules found, of the registration or of a destination (`scope`)."""

    TABLE: ClassVar[Table] = tables.assessments
    reference: str
    scope: str
    seq: int = 1
    employer_id: str
    round: int
    policy_version: str
    policy_hash: str
    findings: list[dict[str, Any]]
    facts: bytes
    on_facts: dict[str, Any] | None = None
    # For which day the rules looked at the facts, where it is not that of acceptance.
    evaluated_on: date | None = None
    at: datetime


@dataclass(slots=True, kw_only=True)
class FactRow(TableRow):
    """A fact that an officer recorded of a case."""

    TABLE: ClassVar[Table] = tables.case_facts
    reference: str
    number: int
    employer_id: str
    field: str
    state: str
    contest: str | None = None
    contested_by: list[str]
    facts_version: int
    round: int
    body: bytes
    seen_by: Signature
    at: datetime
