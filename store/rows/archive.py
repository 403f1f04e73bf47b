"""Rows of the archive of histories, and of the differences that reconciliation found."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Table

from store import tables
from store.rows.base import TableRow


@dataclass(slots=True, kw_only=True)
class ArchivedRow(TableRow):
    """A run as Temporal recorded it: `content` is its history, packed and sealed under a key of the archive."""

    TABLE: ClassVar[Table] = tables.archived_histories
    workflow_id: str
    run_id: str
    workflow_type: str
    reference: str | None = None
    started_at: datetime
    closed_at: datetime
    status: str
    events: int
    next_run_id: str | None = None
    sha256: bytes
    key_id: str
    content: bytes


@dataclass(slots=True, kw_only=True)
class DifferenceRow(TableRow):
    """A place where two records did not agree when it was last looked at, unless it is gone."""

    TABLE: ClassVar[Table] = tables.differences
    difference_id: UUID
    reference: str
    code: str
    place: dict[str, str | int]
    expected: str | None = None
    found: str | None = None
    first_seen_at: datetime
    last_seen_at: datetime
    gone_at: datetime | None = None
