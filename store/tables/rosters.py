"""Rosters and their rows."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import metadata, moment

rosters = Table(
    "rosters",
    metadata,
    Column("roster_id", Uuid, primary_key=True),
    Column("employer_id", ForeignKey("employers.employer_id"), nullable=False),
    Column("act", Text, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("on_defect", Text, nullable=False),
    Column("actor", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("totals", JSONB, nullable=False, server_default=text("'{}'")),
    Column("reason", Text),
    Column("key_id", Uuid, nullable=False),
    # The line of the headers and the headers as they were sent, sealed.
    Column("head", LargeBinary),
    moment("lease_until"),
    # Until when its rows wait for the limit of the day to be over.
    moment("resumes_at"),
    moment("at", null=False),
    # When its rows were emptied and its key destroyed.
    moment("emptied_at"),
    Index("ix_rosters_kept", "at", postgresql_where=text("emptied_at IS NULL")),
    Index("ix_rosters_working", "at", postgresql_where=text("status IN ('checking', 'running')")),
)

roster_rows = Table(
    "roster_rows",
    metadata,
    Column("roster_id", ForeignKey("rosters.roster_id"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("result", Text),
    Column("reference", Text),
    Column("errors", JSONB, nullable=False, server_default=text("'[]'")),
    Index("ix_roster_rows_pending", "roster_id", "row", postgresql_where=text("result IS NULL OR result = 'new'")),
)

# COPY cannot write to a table under row-level security, so the sealed rows pass through here within one transaction.
roster_intake = Table(
    "roster_intake",
    metadata,
    Column("roster_id", Uuid, nullable=False),
    Column("row", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    prefixes=["UNLOGGED"],
)
