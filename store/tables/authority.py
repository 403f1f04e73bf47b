"""What is told to the authority and what it answers."""

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
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

# About cases, or permits, that the register does not have: most often a restore took them away. The body is sealed
# under a key of its own, since whose it is is not known here, and goes with it once the answer is a case's.
lost_answers = Table(
    "lost_answers",
    metadata,
    Column("answer_id", Uuid, primary_key=True),
    Column("message_id", Text),
    Column("outcome_id", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("key_id", ForeignKey("data_keys.key_id")),
    Column("body", LargeBinary),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False),
    moment("occurred_at", null=False),
    moment("received_at", null=False),
    Column("attached_to", Text),
    Column("proposed_by", JSONB),
    moment("proposed_at"),
    Column("decided_by", JSONB),
    moment("decided_at"),
    UniqueConstraint("reference", "destination", "outcome_id", "content_hash"),
)
