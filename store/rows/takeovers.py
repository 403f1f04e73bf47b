"""Rows of `store.tables.takeovers`."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Table

from store.rows.base import TableRow
from store.tables.takeovers import takeovers


@dataclass(slots=True, kw_only=True)
class TakeoverRow(TableRow):
    """A consent that what one case vouches for is taken over into another, and what became of it."""

    TABLE: ClassVar[Table] = takeovers
    takeover_id: UUID
    person_id: UUID
    from_reference: str
    from_item: str
    from_evidence: int
    to_reference: str
    to_item: str
    to_evidence: int | None = None
    consent: str
    state: str
    consented_at: datetime
    taken_at: datetime | None = None
    over_at: datetime | None = None
