"""The archive of what Temporal recorded, and the differences that reconciliation found."""

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import metadata, moment, recorded

archived_histories = Table(
    "archived_histories",
    metadata,
    Column("workflow_id", Text, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("workflow_type", Text, nullable=False),
    Column("reference", Text),
    moment("started_at", null=False),
    moment("closed_at", null=False),
    Column("status", Text, nullable=False),
    Column("events", Integer, nullable=False),
    Column("next_run_id", Text),
    Column("sha256", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    recorded(),
    Index("ix_archived_histories_reference", "reference", postgresql_where=text("reference IS NOT NULL")),
    Index("ix_archived_histories_closed", "closed_at"),
)

differences = Table(
    "differences",
    metadata,
    Column("difference_id", Uuid, primary_key=True),
    Column("reference", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("place", JSONB, nullable=False),
    Column("expected", Text),
    Column("found", Text),
    moment("first_seen_at", null=False),
    moment("last_seen_at", null=False),
    moment("gone_at"),
    Index("ix_differences_open", "first_seen_at", "difference_id", postgresql_where=text("gone_at IS NULL")),
    Index("ix_differences_reference", "reference", postgresql_where=text("gone_at IS NULL")),
)
