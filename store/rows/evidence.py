"""Rows of `store.tables.evidence`."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from sqlalchemy import Table

from domain.signatures import Signature
from store.rows.base import TableRow
from store.tables.evidence import evidence


@dataclass(slots=True, kw_only=True)
class EvidenceRow(TableRow):
    """A piece of evidence of a case, and what came of it."""

    TABLE: ClassVar[Table] = evidence
    reference: str
    evidence_id: int
    employer_id: str
    item: str
    kind: str
    state: str
    round: int
    given_at: datetime
    given: bytes
    result: str | None = None
    seen_at: datetime | None = None
    seen: bytes | None = None
    seen_by: list[Signature] = field(default_factory=list)
    fallen_at: datetime | None = None
    fallen_for: list[str] = field(default_factory=list)
    fallen: bytes | None = None
    source_reference: str | None = None
    source_evidence: int | None = None
