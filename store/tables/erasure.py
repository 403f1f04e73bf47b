"""Erasures that were proposed or done, and the legal holds that keep a case from them."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import metadata, moment

erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", Uuid, primary_key=True),
    Column("person_id", ForeignKey("persons.person_id"), nullable=False),
    Column("reference", ForeignKey("cases.reference"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("proposed_by", JSONB, nullable=False),
    moment("proposed_at", null=False),
    Column("decided_by", JSONB),
    moment("decided_at"),
    Index("uq_erasures_proposed", "person_id", unique=True, postgresql_where=text("state = 'proposed'")),
    Index("ix_erasures_reference", "reference", "proposed_at"),
)

legal_holds = Table(
    "legal_holds",
    metadata,
    Column("hold_id", Uuid, primary_key=True),
    Column("reference", ForeignKey("cases.reference"), nullable=False),
    Column("employer_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("paper", LargeBinary, nullable=False),
    Column("placed_by", JSONB, nullable=False),
    moment("placed_at", null=False),
    Column("released_by", JSONB),
    Column("release_reason", Text),
    moment("released_at"),
    Index("ix_legal_holds_reference", "reference"),
)
