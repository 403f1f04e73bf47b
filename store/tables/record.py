"""The ledger."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.tables.base import metadata, moment, recorded

ledger = Table(
    "ledger",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("employer_id", Text),
    Column("reference", Text),
    Column("act", Text, nullable=False),
    Column("actor_issuer", Text, nullable=False),
    Column("actor_subject", Text, nullable=False),
    Column("actor_role", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    moment("at", null=False),
    Column("correlation_id", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("xid", BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text)::bigint")),
    recorded(),
    Column("actor_tenant", Text),
    Column("purpose", Text),
    Column("outcome", Text),
    Column("reason_codes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("destination", Text),
    Column("rule_version", Text),
    Column("rule_hash", LargeBinary),
    Column("before_hash", LargeBinary),
    Column("after_hash", LargeBinary),
    Column("statement_hash", LargeBinary),
    Column("workflow_id", Text),
    Column("run_id", Text),
    Column("event_id", Integer),
    Index("ix_ledger_reference", "reference", "seq"),
    # The order in which rows are sealed.
    Index("ix_ledger_sealing", "xid", "chain", "seq"),
)
