"""Notices, their deliveries, receipts and webhook subscriptions."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from store.tables.base import metadata, moment, recorded

notices = Table(
    "notices",
    metadata,
    Column("notice_id", Uuid, primary_key=True),
    Column("reference", Text, nullable=False),
    Column("employer_id", Text, nullable=False),
    Column("destination", Text, nullable=False, server_default=text("''")),
    Column("kind", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("subject", Text, nullable=False, server_default=text("''")),
    Column("occasion", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("key_id", ForeignKey("data_keys.key_id"), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("text_hash", Text, nullable=False),
    moment("at", null=False),
    UniqueConstraint(
        "reference", "destination", "kind", "recipient", "subject", "occasion", name="uq_notices_occasion"
    ),
    Index(
        "ix_notices_inbox",
        "subject",
        "recipient",
        "at",
        postgresql_where=text("recipient IN ('officers', 'supervisors', 'proposer', 'holder', 'park')"),
    ),
    Index(
        "ix_notices_employer",
        "employer_id",
        "at",
        "notice_id",
        postgresql_where=text("recipient = 'employer'"),
    ),
)

# By whom a notice was read, a reader named as the holder of a task is.
notice_reads = Table(
    "notice_reads",
    metadata,
    Column("notice_id", ForeignKey("notices.notice_id"), primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    moment("read_at", null=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    Column("notice_id", ForeignKey("notices.notice_id"), nullable=False),
    Column("employer_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("webhook_id", Uuid),
    Column("after", Uuid),
    # The delivery whose message carries this one's notice too, and the hash of a mail that carries several.
    Column("carried_by", Uuid),
    Column("message_hash", Text),
    Column("digest", Boolean, nullable=False, server_default=text("false")),
    Column("status", Text, nullable=False),
    moment("next_attempt"),
    moment("give_up_at", null=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    moment("lease_until"),
    Column("provider_id", Text),
    Column("reason", Text),
    moment("sent_at"),
    moment("settled_at"),
    # Where in which trace it was caused, so that its sending joins that trace.
    Column("traceparent", Text),
    Index("ix_deliveries_notice", "notice_id"),
    Index("ix_deliveries_carried", "carried_by", postgresql_where=text("carried_by IS NOT NULL")),
    Index(
        "ix_deliveries_due",
        "channel",
        "next_attempt",
        postgresql_where=text("status = 'queued'"),
    ),
    Index(
        "ix_deliveries_fair",
        "channel",
        "employer_id",
        "next_attempt",
        postgresql_where=text("status = 'queued'"),
    ),
    Index("ix_deliveries_provider", "provider_id", postgresql_where=text("provider_id IS NOT NULL")),
    Index(
        "ix_deliveries_webhook",
        "webhook_id",
        "give_up_at",
        "delivery_id",
        postgresql_where=text("webhook_id IS NOT NULL"),
    ),
    Index("ix_deliveries_digest", "next_attempt", postgresql_where=text("status = 'queued' AND digest")),
    Index("ix_deliveries_sent", "channel", "sent_at", postgresql_where=text("sent_at IS NOT NULL")),
    Index("ix_deliveries_failed", "channel", "settled_at", postgresql_where=text("status = 'failed'")),
)

receipts = Table(
    "receipts",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("about", Text, nullable=False),
    Column("delivery_id", Uuid),
    Column("status", Text, nullable=False),
    moment("at", null=False),
    recorded(),
    Index("ix_receipts_early", "about", postgresql_where=text("delivery_id IS NULL")),
    Index("ix_receipts_delivery", "delivery_id"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook_id", Uuid, primary_key=True),
    Column("employer_id", ForeignKey("employers.employer_id"), nullable=False),
    Column("url", LargeBinary, nullable=False),
    Column("secrets", LargeBinary, nullable=False),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("state", Text, nullable=False),
    moment("at", null=False),
    Index("ix_webhooks_employer", "employer_id"),
)
