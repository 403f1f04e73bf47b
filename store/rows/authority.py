"""Rows of what is told to the authority and what it answers."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Table

from domain.signatures import Signature
from store import tables
from store.rows.base import TableRow


@dataclass(slots=True, kw_only=True)
class CallRow(TableRow):
    """A call to the authority; `key` is its idempotency key there."""

    TABLE: ClassVar[Table] = tables.calls
    key: str
    attempt: int
    reference: str | None
    employer_id: str
    destination: str | None
    what: str
    detail: dict[str, Any] = field(default_factory=dict)
    state: str
    at: datetime
    done_at: datetime | None = None
    reason: str | None = None


@dataclass(slots=True, kw_only=True)
class AnswerRow(TableRow):
    """An outcome that the authority answered, its content sealed under the person's key."""

    TABLE: ClassVar[Table] = tables.answers
    answer_id: UUID
    outcome_id: str
    reference: str
    destination: str
    employer_id: str
    outcome: str
    content_hash: bytes
    body: bytes
    source: str
    state: str
    occurred_at: datetime
    received_at: datetime


@dataclass(slots=True, kw_only=True)
class LostAnswerRow(TableRow):
    """An answer about a case that the register does not have; its content goes with its key once it is a case's."""

    TABLE: ClassVar[Table] = tables.lost_answers
    answer_id: UUID
    message_id: str | None = None
    outcome_id: str
    reference: str
    destination: str
    outcome: str
    content_hash: bytes
    key_id: UUID | None = None
    body: bytes | None = None
    source: str
    state: str
    occurred_at: datetime
    received_at: datetime
    attached_to: str | None = None
    proposed_by: Signature | None = None
    proposed_at: datetime | None = None
    decided_by: Signature | None = None
    decided_at: datetime | None = None
