"""The person's own: links to sign in with, the sessions that they opened, and what the person objects to."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import metadata, moment

# No table here has an `employer_id`: none of it is an employer's affair.
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

objections = Table(
    "objections",
    metadata,
    Column("objection_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("person_id", ForeignKey("persons.person_id"), nullable=False),
    Column("key_id", ForeignKey("data_keys.key_id"), nullable=False),
    Column("about", Text, nullable=False),
    # Who objects; an employer objects to decisions alone.
    Column("party", Text, nullable=False, server_default=text("'person'")),
    Column("state", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # Which address said it, and reads the answer; none from before it was kept.
    Column("address_hash", LargeBinary),
    moment("at", null=False),
    moment("due_at", null=False),
    Column("outcome", Text),
    Column("answer", LargeBinary),
    Column("answered_by", JSONB),
    moment("answered_at"),
    Index("ix_objections_person", "person_id", "at"),
    Index("ix_objections_open", "due_at", "objection_id", postgresql_where=text("state = 'open'")),
)
