"""Rows of rosters."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Table

from store import tables
from store.rows.base import TableRow


@dataclass(slots=True, kw_only=True)
class RosterRow(TableRow):
    """A roster that an employer handed in, without the lease of who works on it."""

    TABLE: ClassVar[Table] = tables.rosters
    roster_id: UUID
    employer_id: str
    act: str
    dry_run: bool
    on_defect: str
    actor: dict[str, Any]
    status: str
    # How many `rows` there are, and how many have each result.
    totals: dict[str, int] = field(default_factory=dict)
    reason: str | None = None
    key_id: UUID
    # The line of the headers and the headers as they were sent, sealed.
    head: bytes | None = None
    resumes_at: datetime | None = None
    at: datetime
    emptied_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class RosterLineRow(TableRow):
    """A row of a roster: its cells sealed, empty once it was emptied, and what became of it."""

    TABLE: ClassVar[Table] = tables.roster_rows
    roster_id: UUID
    row: int
    employer_id: str
    body: bytes
    result: str | None = None
    reference: str | None = None
    # Codes and names of sentences, nothing of what the row holds.
    errors: list[dict[str, Any]] = field(default_factory=list)
