"""The ledger, the marks by which it is searched, and the sign-ins that it has recorded."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

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
    Index("ix_ledger_at", "at"),
    Index("ix_ledger_act_at", "act", "at"),
    Index("ix_ledger_actor_subject_at", "actor_subject", "at"),
    Index("ix_ledger_employer_id_at", "employer_id", "at"),
    Index("ix_ledger_actor_role_at", "actor_role", "at", postgresql_where=text("actor_role <> 'system'")),
    Index("ix_ledger_outcome_at", "outcome", "at", postgresql_where=text("outcome IS NOT NULL")),
    Index("ix_ledger_destination_at", "destination", "at", postgresql_where=text("destination IS NOT NULL")),
    # What says whose turn it was, which load is counted by.
    Index("ix_ledger_held", "at", postgresql_where=text("(detail ? 'held'::text)")),
    Index("ix_ledger_rule_version_at", "rule_version", "at", postgresql_where=text("rule_version IS NOT NULL")),
)

# Which rows have a reason code, and which list a case that was read; a trigger on the ledger writes it.
ledger_marks = Table(
    "ledger_marks",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("at", TIMESTAMP(timezone=True), primary_key=True),
    Column("chain", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("employer_id", Text),
    Index("ix_ledger_marks_at", "kind", "at"),  # a count over all values of a time
)

# Tokens whose first use stands in the ledger.
sign_ins = Table("sign_ins", metadata, Column("token_hash", LargeBinary, primary_key=True), moment("at", null=False))
