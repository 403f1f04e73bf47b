"""Who has a part in which case, and what the parts of each programme see and may ask."""

from sqlalchemy import CheckConstraint, Column, Computed, ForeignKey, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from store.tables.base import metadata, moment

# Owner and subject follow the row of the case by a trigger; a correction says itself when its person came.
case_parties = Table(
    "case_parties",
    metadata,
    Column("reference", ForeignKey("cases.reference"), primary_key=True),
    Column("part", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("party_id", Text, primary_key=True),
    Column("since", TIMESTAMP(timezone=True), primary_key=True),
    moment("until"),
    Column("programme", Text, nullable=False),
    # The employer that owns the case.
    Column("employer_id", Text),
    # What the party's transactions stand for.
    Column(
        "tenant",
        Text,
        Computed("CASE WHEN kind = 'person' THEN 'person/' || party_id ELSE party_id END", persisted=True),
    ),
    CheckConstraint("part IN ('owner', 'subject', 'confirmer')", name="part"),
    CheckConstraint("kind IN ('employer', 'person')", name="kind"),
    Index(
        "uq_case_parties_one",
        "reference",
        "part",
        unique=True,
        postgresql_where=text("until IS NULL AND part IN ('owner', 'subject')"),
    ),
    # An employer sees what it owns by its id on every row; who else sees a case is looked for here.
    Index(
        "ix_case_parties_seen",
        "tenant",
        "reference",
        postgresql_where=text("until IS NULL AND NOT (part = 'owner' AND kind = 'employer')"),
    ),
)

# Read by the policies; a migration writes what a programme declares (`Programme.parts`), and a test compares the two.
declared_parts = Table(
    "declared_parts",
    metadata,
    Column("programme", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("tables", ARRAY(Text), nullable=False),
    Column("commands", ARRAY(Text), nullable=False),
)
