"""What is taken over from one case into another of the same person, by whose consent, and what became of it."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, Uuid, text

from store.tables.base import metadata, moment

takeovers = Table(
    "takeovers",
    metadata,
    Column("takeover_id", Uuid, primary_key=True),
    Column("person_id", ForeignKey("persons.person_id"), nullable=False),
    # The case that vouches, for what, and the number of the piece of evidence there; 0 for what no piece says.
    Column("from_reference", ForeignKey("cases.reference"), nullable=False),
    Column("from_item", Text, nullable=False),
    Column("from_evidence", Integer, nullable=False),
    # The case that takes it over, for which of its items, and the number of the piece that it became there.
    Column("to_reference", ForeignKey("cases.reference"), nullable=False),
    Column("to_item", Text, nullable=False),
    Column("to_evidence", Integer),
    Column("consent", Text, nullable=False),
    Column("state", Text, nullable=False),
    moment("consented_at", null=False),
    moment("taken_at"),
    moment("over_at"),
    CheckConstraint("state IN ('released', 'withdrawn', 'taken', 'fallen')", name="state"),
    CheckConstraint("consent IN ('person', 'employer')", name="consent"),
    Index("ix_takeovers_to", "to_reference"),
    Index(
        "uq_takeovers_standing",
        "from_reference",
        "from_item",
        "from_evidence",
        "to_reference",
        "to_item",
        unique=True,
        postgresql_where=text("state IN ('released', 'taken')"),
    ),
)
