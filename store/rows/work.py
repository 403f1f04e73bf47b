"""Rows of what waits to be done: tasks, conflicts, deadlines, commands and incidents."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Table

from store import tables
from store.rows.base import TableRow


@dataclass(slots=True, kw_only=True)
class TaskRow(TableRow):
    """Something that staff is asked to do."""

    TABLE: ClassVar[Table] = tables.tasks
    task_id: UUID
    kind: str
    reference: str | None
    employer_id: str | None
    destination: str | None = None
    round: int
    state: str
    queue: str
    opened_at: datetime
    due_at: datetime | None = None
    overdue: bool = False
    holder: str | None = None
    held_since: datetime | None = None
    reserved_for: str | None = None
    # Codes that the task's kind needs; what people wrote is sealed in it, in hex.
    detail: dict[str, Any] = field(default_factory=dict)
    closed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class ConflictRow(TableRow):
    """Who declared a conflict of interest with a case; `subject` is an issuer and a subject."""

    TABLE: ClassVar[Table] = tables.conflicts
    reference: str
    subject: str
    employer_id: str
    declared_at: datetime


@dataclass(slots=True, kw_only=True)
class DeadlineRow(TableRow):
    """A time at which something happens to a case; one counted in working days knows its day 0 and their number."""

    TABLE: ClassVar[Table] = tables.deadlines
    reference: str
    kind: str
    destination: str = ""
    step: int = 0
    employer_id: str
    state: str
    at: datetime
    counted_from: date | None = None
    counted_days: int | None = None
    provisional: bool = False
    calendar_version: str | None = None


@dataclass(slots=True, kw_only=True)
class CommandRow(TableRow):
    """What was asked of a case, signed by who asked; its body is sealed under the person's key."""

    TABLE: ClassVar[Table] = tables.commands
    command_id: UUID
    seq: int | None = None
    reference: str
    employer_id: str
    kind: str
    actor: dict[str, Any]
    statement: str | None = None
    resealed: str | None = None
    body: bytes | None = None
    state: str
    outcome: dict[str, Any] | None = None
    at: datetime
    sent_at: datetime | None = None
    sends: int = 0
    applied_at: datetime | None = None
    unanswered: bool = False
    start_taken_at: datetime | None = None
    traceparent: str | None = None


@dataclass(slots=True, kw_only=True)
class IncidentRow(TableRow):
    """A line for the operator."""

    TABLE: ClassVar[Table] = tables.incidents
    incident_id: UUID
    reference: str | None = None
    employer_id: str | None = None
    kind: str
    step: str
    reason: str
    state: str
    at: datetime
    resumed_at: datetime | None = None
    resumed_by: str | None = None
    place: str | None = None
    correlation_id: str | None = None
    times: int = 1
    last_at: datetime | None = None
    closed_reason: str | None = None
    resume_asked_at: datetime | None = None
    resume_asked_by: dict[str, Any] | None = None
    still_wrong: str | None = None


@dataclass(slots=True, kw_only=True)
class SavedViewRow(TableRow):
    """A filter of a list, under the name that its owner gave it."""

    TABLE: ClassVar[Table] = tables.saved_views
    view_id: UUID
    owner: str
    name: str
    list: str
    filter: dict[str, str]
    saved_at: datetime
