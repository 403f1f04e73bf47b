"""Pieces of evidence of cases, those of each numbered from 1."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.tables.base import metadata, moment

evidence = Table(
    "evidence",
    metadata,
    Column("reference", ForeignKey("cases.reference"), primary_key=True),
    Column("evidence_id", Integer, primary_key=True, autoincrement=False),
    Column("employer_id", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("round", Integer, nullable=False),
    moment("given_at", null=False),
    # The piece as it was given.
    Column("given", LargeBinary, nullable=False),
    Column("result", Text),
    moment("seen_at"),
    # What it proves, where it was seen, and a note of who saw it.
    Column("seen", LargeBinary),
    # Who said something of it, the first first.
    Column("seen_by", JSONB, nullable=False, server_default=text("'[]'")),
    moment("fallen_at"),
    Column("fallen_for", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    # The notes of these reasons, and one beside them.
    Column("fallen", LargeBinary),
    # The case and the piece there that this one was taken over from.
    Column("source_reference", Text),
    Column("source_evidence", Integer),
    CheckConstraint("state IN ('given', 'left_out')", name="state"),
    CheckConstraint("result IN ('proved', 'not_proved', 'fallen')", name="result"),
    CheckConstraint("(source_reference IS NULL) = (source_evidence IS NULL)", name="source"),
    Index(
        "ix_evidence_source",
        "source_reference",
        "source_evidence",
        postgresql_where=text("source_reference IS NOT NULL"),
    ),
)
