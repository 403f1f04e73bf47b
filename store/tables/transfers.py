"""Changes of employer: what persons agree to, and what became of it."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text, Uuid, text

from store.tables.base import metadata, moment

transfers = Table(
    "transfers",
    metadata,
    Column("transfer_id", Uuid, primary_key=True),
    Column("person_id", ForeignKey("persons.person_id"), nullable=False),
    Column("programme", Text, nullable=False),
    # The case that ends by it, and the employer to whom the person goes, with its case once that was taken on.
    Column("from_reference", ForeignKey("cases.reference"), nullable=False),
    Column("to_employer", ForeignKey("employers.employer_id"), nullable=False),
    Column("to_reference", ForeignKey("cases.reference")),
    Column("state", Text, nullable=False),
    moment("agreed_at", null=False),
    moment("holds_until", null=False),
    moment("taken_at"),
    moment("over_at"),
    Index("ix_transfers_person", "person_id", "agreed_at"),
    Index("ix_transfers_from", "from_reference"),
    Index("uq_transfers_taken", "from_reference", unique=True, postgresql_where=text("state = 'taken'")),
)
