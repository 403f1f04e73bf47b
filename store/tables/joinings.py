"""Joinings of two persons who are one human, and their undoing, as they were proposed and signed."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import metadata, moment

person_joinings = Table(
    "person_joinings",
    metadata,
    Column("joining_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    # The joining that a parting undoes.
    Column("undoes", ForeignKey("person_joinings.joining_id")),
    Column("kept_id", ForeignKey("persons.person_id"), nullable=False),
    Column("joined_id", ForeignKey("persons.person_id"), nullable=False),
    # By which cases the two were named; of a person who has none there is none.
    Column("kept_reference", ForeignKey("cases.reference")),
    Column("joined_reference", ForeignKey("cases.reference")),
    Column("reason", Text, nullable=False),
    # What proves it, in words, under the key of the person who is kept.
    Column("proof", LargeBinary),
    Column("state", Text, nullable=False),
    Column("proposed_by", JSONB, nullable=False),
    moment("proposed_at", null=False),
    Column("decided_by", JSONB),
    moment("decided_at"),
    CheckConstraint("kind IN ('joining', 'parting')", name="kind"),
    Index("uq_person_joinings_kept", "kept_id", unique=True, postgresql_where=text("state = 'proposed'")),
    Index("uq_person_joinings_joined", "joined_id", unique=True, postgresql_where=text("state = 'proposed'")),
    Index("ix_person_joinings_proposed", "proposed_at", "joining_id"),
    Index("ix_person_joinings_pair", "joined_id", "kept_id"),
)
