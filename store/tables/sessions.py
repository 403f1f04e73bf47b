"""The person's sign-in: links sent, of which one can be used once, and the sessions that they opened."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text, Uuid

from store.tables.base import metadata, moment

# Neither table has an `employer_id`: a person's sign-in is no employer's affair.
sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("link_id", Uuid, primary_key=True),
    Column("link_hash", LargeBinary, nullable=False, unique=True),
    Column("person_id", ForeignKey("persons.person_id"), nullable=False),
    Column("reference", Text, nullable=False),
    Column("address_hash", LargeBinary, nullable=False),
    moment("at", null=False),
    moment("expires_at", null=False),
    moment("ended_at"),
    Index("ix_sign_in_links_person", "person_id", "at"),
)

person_sessions = Table(
    "person_sessions",
    metadata,
    Column("session_hash", LargeBinary, primary_key=True),
    Column("person_id", ForeignKey("persons.person_id"), nullable=False),
    Column("address_hash", LargeBinary, nullable=False),
    moment("at", null=False),
    moment("expires_at", null=False),
    moment("ended_at"),
    Index("ix_person_sessions_person", "person_id", "at"),
)
