"""What is told to the authority and what it answers."""

from sqlalchemy import Column, Index, LargeBinary, SmallInteger, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import metadata, moment

calls = Table(
    "calls",
    metadata,
    Column("key", Text, primary_key=True),
    Column("attempt", SmallInteger, primary_key=True),
    Column("reference", Text),
    Column("employer_id", Text, nullable=False),
    Column("destination", Text),
    Column("what", Text, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    Column("state", Text, nullable=False),
    moment("at", null=False),
    moment("done_at"),
    Column("reason", Text),
    Index("ix_calls_reference", "reference"),
    Index("ix_calls_due", "at", postgresql_where=text("state = 'due'")),
)

answers = Table(
    "answers",
    metadata,
    Column("answer_id", Uuid, primary_key=True),
    Column("outcome_id", Text, nullable=False, index=True),
    Column("reference", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("employer_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False),
    moment("occurred_at", null=False),
    moment("received_at", null=False),
    UniqueConstraint("reference", "destination", "content_hash", name="uq_answers_content"),
)

messages_seen = Table(
    "messages_seen",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("answer", JSONB, nullable=False),
    moment("at", null=False),
)
