"""Renewals of cases, those of each numbered from 1."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.tables.base import metadata, moment

renewals = Table(
    "renewals",
    metadata,
    Column("reference", ForeignKey("cases.reference"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("employer_id", Text, nullable=False),
    Column("stage", Text, nullable=False),
    # What runs out, each track with its last day.
    Column("ends", JSONB, nullable=False),
    moment("asked_at", null=False),
    Column("fields", ARRAY(Text), nullable=False),
    Column("changes", LargeBinary),
    Column("assessment", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("policy_hash", Text, nullable=False),
    moment("due_at"),
    Column("due_provisional", Boolean, nullable=False, server_default=text("false")),
    Column("overdue", Boolean, nullable=False, server_default=text("false")),
    # How often it was sent back, and the park's limit, which stands meanwhile; empty where it never was.
    Column("returned_times", Integer),
    Column("limit_used", Integer),
    Column("limit_since", Date),
    Column("decided_on", Date),
    Column("decided_by", JSONB),
    moment("settles_at"),
    Column("settled", Boolean, nullable=False, server_default=text("false")),
    Column("ended_on", Date),
)
