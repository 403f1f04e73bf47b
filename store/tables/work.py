"""What waits to be done: tasks, deadlines, commands, incidents, and the rows that make callers' writes repeatable."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.incident_causes import CAUSE_ID, CAUSE_PLACE, CAUSE_REASON, CAUSE_STEP
from store.tables.base import metadata, moment

_OPEN = text("state = 'open'")
# Overdue, then due (last where nothing is due), then received; not by `coalesce`, which row-level security keeps away
# from an index.
_URGENCY = (
    text("(overdue IS FALSE)"),
    # Broken into lines as PostgreSQL does, since the two are compared.
    text("(\nCASE\n    WHEN due_at IS NULL THEN 'infinity'::timestamp with time zone\n    ELSE due_at\nEND)"),
    "opened_at",
    "task_id",
)

tasks = Table(
    "tasks",
    metadata,
    Column("task_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("reference", Text),
    Column("employer_id", Text),
    Column("destination", Text),
    Column("round", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("queue", Text, nullable=False),
    moment("opened_at", null=False),
    moment("due_at"),
    Column("overdue", Boolean, nullable=False, server_default=text("false")),
    Column("holder", Text),
    moment("held_since"),
    Column("reserved_for", Text),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    moment("closed_at"),
    CheckConstraint("state IN ('open', 'done', 'cancelled')", name="state"),
    Index(
        "uq_tasks_open",
        "reference",
        "kind",
        text("coalesce(destination, '')"),
        unique=True,
        postgresql_where=text("state = 'open'"),
    ),
    Index("ix_tasks_reference", "reference"),
    # Each walks the inbox's order (`cases/tasks/queries.py`) for one choice of what it shows.
    Index("ix_tasks_inbox", "queue", *_URGENCY, postgresql_where=_OPEN),
    Index("ix_tasks_kind", "queue", "kind", *_URGENCY, postgresql_where=_OPEN),
    Index("ix_tasks_employer", "employer_id", "queue", *_URGENCY, postgresql_where=_OPEN),
    Index("ix_tasks_holder", "holder", *_URGENCY, postgresql_where=text("state = 'open' AND holder IS NOT NULL")),
)

conflicts = Table(
    "conflicts",
    metadata,
    Column("reference", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    moment("declared_at", null=False),
)

deadlines = Table(
    "deadlines",
    metadata,
    Column("reference", ForeignKey("cases.reference"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("destination", Text, primary_key=True, server_default=text("''")),
    Column("step", SmallInteger, primary_key=True, server_default=text("0")),
    Column("employer_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    moment("at", null=False),
    Column("counted_from", Date),
    Column("counted_days", SmallInteger),
    Column("provisional", Boolean, nullable=False, server_default=text("false")),
    Column("calendar_version", Text),
    Index(
        "ix_deadlines_waiting",
        "kind",
        "at",
        postgresql_where=text("state = 'waiting'"),
    ),
    Index("ix_deadlines_provisional", "reference", postgresql_where=text("state = 'waiting' AND provisional")),
)

commands = Table(
    "commands",
    metadata,
    Column("command_id", Uuid, primary_key=True),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("reference", ForeignKey("cases.reference"), nullable=False),
    Column("employer_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", JSONB, nullable=False),
    Column("statement", Text),
    # By the step that sealed the body again under another person's key; the statement above stays as it was signed.
    Column("resealed", Text),
    Column("body", LargeBinary),
    Column("state", Text, nullable=False),
    Column("outcome", JSONB),
    moment("at", null=False),
    moment("sent_at"),
    Column("sends", Integer, nullable=False, server_default=text("0")),
    moment("applied_at"),
    # Its update has not answered yet: the workflow may not know of what was applied, and is told once more.
    Column("unanswered", Boolean, nullable=False, server_default=false()),
    # Temporal has the workflow, which applies its start in its first step; it is not started again meanwhile.
    moment("start_taken_at"),
    # Where in which trace it was asked for (W3C Trace Context), so that what is done for it later joins that trace.
    Column("traceparent", Text),
    Index("ix_commands_stored", "reference", "seq", postgresql_where=text("state = 'stored'")),
    Index("ix_commands_unsent", "at", postgresql_where=text("state = 'stored' OR unanswered")),
    Index("ix_commands_reference", "reference"),
)

# Cases that had something due for longer than it should take: when their workflow was looked for, and what was found.
revivals = Table(
    "revivals",
    metadata,
    Column("reference", ForeignKey("cases.reference"), primary_key=True),
    Column("employer_id", Text, nullable=False),
    moment("looked_at", null=False),
    # Also the lease of the worker that looks.
    moment("next_at", null=False),
    Column("looks", Integer, nullable=False, server_default=text("0")),
    Column("found", Text),
    moment("revived_at"),
    Column("times", Integer, nullable=False, server_default=text("0")),
    Index("ix_revivals_next_at", "next_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    Column("reference", Text),
    Column("command_id", Uuid),
    Column("status", SmallInteger),
    Column("answer", LargeBinary),
    Column("key_id", Uuid),
    moment("at", null=False),
    Index("ix_idempotency_at", "at"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("incident_id", Uuid, primary_key=True),
    Column("reference", Text),
    Column("employer_id", Text),
    Column("kind", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    moment("at", null=False),
    moment("resumed_at"),
    Column("resumed_by", Text),
    Column("place", Text),
    Column("correlation_id", Text),
    Column("times", Integer, nullable=False, server_default=text("1")),
    moment("last_at"),
    # What alike incidents share (`store/incident_causes.py`); computed here, so that no writer can have it otherwise.
    Column("cause_step", Text, Computed(CAUSE_STEP, persisted=True)),
    Column("cause_reason", Text, Computed(CAUSE_REASON, persisted=True)),
    Column("cause_place", Text, Computed(CAUSE_PLACE, persisted=True)),
    Column("cause_id", Uuid, Computed(CAUSE_ID, persisted=True)),
    # Why the engine closed it by itself.
    Column("closed_reason", Text),
    # An operator lets all cases of a cause go on; each is taken in its turn (`cases/commands/resume.py`).
    moment("resume_asked_at"),
    Column("resume_asked_by", JSONB),
    Column("still_wrong", Text),
    Index(
        "uq_incidents_repeated",
        "kind",
        "step",
        "reason",
        text("coalesce(place, '')"),
        text("coalesce(reference, '')"),
        unique=True,
        postgresql_where=text(
            "state = 'open' AND (kind = 'defect' OR kind = 'workflow_ended' OR reason = 'signature_invalid')"
        ),
    ),
    Index("ix_incidents_open", "at", "incident_id", postgresql_where=text("state = 'open'")),
    Index("ix_incidents_reference", "reference", postgresql_where=text("state = 'open'")),
    Index("ix_incidents_cause", "cause_id", "state", "at", "incident_id"),
    Index(
        "ix_incidents_resuming",
        "resume_asked_at",
        "incident_id",
        postgresql_where=text("state = 'open' AND resume_asked_at IS NOT NULL"),
    ),
)

quotas = Table(
    "quotas",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("count", Integer, nullable=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    moment("at", null=False),
)

calendar_days = Table(
    "calendar_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("working", Boolean, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Text, nullable=False),
)
