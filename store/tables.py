"""The tables of the register, of the ledger and of what waits to be done, as SQLAlchemy Core describes them.

Every table with an `employer_id` stands under forced row-level security by the tenant of the transaction. Columns of
type BYTEA that hold personal data or free text are sealed (`store.encryption`); `domain.data_map` says what is where.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
registration_number_sequence = Sequence("registration_number_seq", metadata=metadata)


def _moment(name: str, *, null: bool = True) -> Column[object]:
    return Column(name, TIMESTAMP(timezone=True), nullable=null)


def _recorded() -> Column[object]:
    return Column("recorded_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.clock_timestamp())


data_keys = Table(
    "data_keys",
    metadata,
    Column("key_id", Uuid, primary_key=True),
    Column("kek_id", Text, nullable=False),
    Column("wrapped", LargeBinary),
    _moment("destroyed_at"),
)

persons = Table(
    "persons",
    metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("identity_hash", LargeBinary, unique=True),
    Column("key_id", ForeignKey("data_keys.key_id"), nullable=False),
)

employers = Table(
    "employers",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column("key_id", ForeignKey("data_keys.key_id"), nullable=False),
    Column("uscc", Text, nullable=False, unique=True),
    Column("contact", LargeBinary, nullable=False),
    Column("language", Text, nullable=False),
    Column("digest", Boolean, nullable=False, server_default=text("false")),
    Column("turn", BigInteger, nullable=False, server_default=text("0")),
)

employer_versions = Table(
    "employer_versions",
    metadata,
    Column("employer_id", ForeignKey("employers.employer_id"), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text),
    Column("kind", Text, nullable=False),
    Column("premises", ARRAY(Text), nullable=False),
    _recorded(),
)

employer_standings = Table(
    "employer_standings",
    metadata,
    Column("change_id", Uuid, primary_key=True),
    Column("employer_id", ForeignKey("employers.employer_id"), nullable=False),
    Column("standing", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("proposed_by", JSONB, nullable=False),
    Column("confirmed_by", JSONB),
    Column("spread", Boolean, nullable=False, server_default=text("false")),
    _moment("at", null=False),
    Index("ix_employer_standings_employer", "employer_id", "valid_from"),
    Index("ix_employer_standings_unspread", "at", postgresql_where=text("state = 'in_force' AND NOT spread")),
)

premises = Table(
    "premises",
    metadata,
    Column("code", Text, primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date),
    Column("address", Text, nullable=False),
    Column("folded", Text, nullable=False),
)

registrations = Table(
    "registrations",
    metadata,
    Column("reference", Text, primary_key=True),
    Column("employer_id", ForeignKey("employers.employer_id"), nullable=False),
    Column("person_id", ForeignKey("persons.person_id"), nullable=False),
    Column("client_reference", Text),
    Column("correlation_id", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("live", Boolean, Computed("stage NOT IN ('refused', 'lapsed', 'withdrawn', 'ended')", persisted=True)),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("round", Integer, nullable=False, server_default=text("1")),
    Column("destinations", ARRAY(Text), nullable=False),
    Column("undertaking_version", Text, nullable=False),
    Column("facts_version", Integer, nullable=False, server_default=text("1")),
    Column("name_hash", LargeBinary),
    Column("last_four_hash", LargeBinary),
    _moment("accepted_at", null=False),
    Column("policy_version", Text, nullable=False),
    Column("assessment", Text),
    Column("contested", Boolean, nullable=False, server_default=text("false")),
    Column("returns", SmallInteger, nullable=False, server_default=text("0")),
    Column("named_defects", JSONB, nullable=False, server_default=text("'{}'")),
    Column("days_used", SmallInteger, nullable=False, server_default=text("0")),
    Column("clock_since", Date),
    Column("clock", Text, nullable=False),
    Column("holder", Text, nullable=False),
    _moment("due_at"),
    Column("due_kind", Text),
    Column("due_provisional", Boolean, nullable=False, server_default=text("false")),
    Column("overdue", Boolean, nullable=False, server_default=text("false")),
    Column("pending_act", Text),
    Column("pending", JSONB),
    Column("hold", JSONB),
    Column("standing_hold", Boolean, nullable=False, server_default=text("false")),
    Column("registration_number", Text, unique=True),
    Column("effect_by", JSONB),
    _moment("approved_at"),
    _moment("settles_at"),
    Column("settled", Boolean, nullable=False, server_default=text("false")),
    Column("contract_end", Date),
    Column("departure", JSONB),
    Column("ended_on", Date),
    Column("end_reason", Text),
    _moment("started_at"),
    _moment("updated_at", null=False),
    _recorded(),
    Index(
        "uq_registrations_live_person",
        "person_id",
        unique=True,
        postgresql_where=text("live"),
    ),
    Index(
        "uq_registrations_live_client_reference",
        "employer_id",
        "client_reference",
        unique=True,
        postgresql_where=text("live AND client_reference IS NOT NULL"),
    ),
    Index("ix_registrations_employer_updated", "employer_id", "updated_at", "reference"),
    Index("ix_registrations_employer_stage", "employer_id", "stage", "updated_at", "reference"),
    Index("ix_registrations_updated", "updated_at", "reference"),
    Index("ix_registrations_name", "employer_id", "name_hash"),
    Index("ix_registrations_last_four", "employer_id", "last_four_hash"),
    Index("ix_registrations_person", "person_id"),
    Index("ix_registrations_unstarted", "accepted_at", postgresql_where=text("started_at IS NULL")),
)

applications = Table(
    "applications",
    metadata,
    Column("reference", ForeignKey("registrations.reference"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _moment("given_at", null=False),
)

assessments = Table(
    "assessments",
    metadata,
    Column("reference", ForeignKey("registrations.reference"), primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("policy_hash", Text, nullable=False),
    Column("findings", JSONB, nullable=False),
    Column("facts", LargeBinary, nullable=False),
    _moment("at", null=False),
)

permits = Table(
    "permits",
    metadata,
    Column("reference", ForeignKey("registrations.reference"), primary_key=True),
    Column("destination", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("stage", Text),
    Column("authority_number", Text),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("stay_days", SmallInteger),
    Column("entries", Text),
    Column("earlier", JSONB, nullable=False, server_default=text("'[]'")),
    _moment("sent_at"),
    Column("accepted_on", Date),
    _moment("due_at"),
    Column("due_provisional", Boolean, nullable=False, server_default=text("false")),
    Column("reason", LargeBinary),
    Column("card_lost_on", Date),
    _moment("reported_at"),
    Column("answered_for", Boolean, nullable=False, server_default=text("false")),
    Column("decided_on", Date),
    Column("end_reason", Text),
    Column("pending_act", Text),
    Column("pending", JSONB),
    _moment("updated_at", null=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column("task_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("reference", Text),
    Column("employer_id", Text),
    Column("destination", Text),
    Column("round", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("queue", Text, nullable=False),
    _moment("opened_at", null=False),
    _moment("due_at"),
    Column("overdue", Boolean, nullable=False, server_default=text("false")),
    Column("holder", Text),
    _moment("held_since"),
    Column("reserved_for", Text),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    _moment("closed_at"),
    CheckConstraint("state IN ('open', 'done', 'cancelled')", name="state"),
    Index(
        "uq_tasks_open",
        "reference",
        "kind",
        text("coalesce(destination, '')"),
        unique=True,
        postgresql_where=text("state = 'open'"),
    ),
    Index(
        "ix_tasks_inbox",
        text("overdue DESC"),
        "due_at",
        "opened_at",
        "task_id",
        postgresql_where=text("state = 'open'"),
    ),
    Index("ix_tasks_holder", "holder", postgresql_where=text("state = 'open' AND holder IS NOT NULL")),
)

conflicts = Table(
    "conflicts",
    metadata,
    Column("reference", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    _moment("declared_at", null=False),
)

deadlines = Table(
    "deadlines",
    metadata,
    Column("reference", ForeignKey("registrations.reference"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("destination", Text, primary_key=True, server_default=text("''")),
    Column("step", SmallInteger, primary_key=True, server_default=text("0")),
    Column("employer_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    _moment("at", null=False),
    Column("counted_from", Date),
    Column("counted_days", SmallInteger),
    Column("provisional", Boolean, nullable=False, server_default=text("false")),
    Column("calendar_version", Text),
    Index(
        "ix_deadlines_waiting",
        "kind",
        "at",
        postgresql_where=text("state = 'waiting'"),
    ),
    Index("ix_deadlines_provisional", "reference", postgresql_where=text("state = 'waiting' AND provisional")),
)

commands = Table(
    "commands",
    metadata,
    Column("command_id", Uuid, primary_key=True),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("reference", ForeignKey("registrations.reference"), nullable=False),
    Column("employer_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", JSONB, nullable=False),
    Column("statement", Text),
    Column("body", LargeBinary),
    Column("state", Text, nullable=False),
    Column("outcome", JSONB),
    _moment("at", null=False),
    _moment("sent_at"),
    Column("sends", Integer, nullable=False, server_default=text("0")),
    _moment("applied_at"),
    Index("ix_commands_stored", "reference", "seq", postgresql_where=text("state = 'stored'")),
    Index("ix_commands_unsent", "at", postgresql_where=text("state = 'stored'")),
    Index("ix_commands_reference", "reference"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    Column("reference", Text),
    Column("command_id", Uuid),
    Column("status", SmallInteger),
    Column("answer", LargeBinary),
    Column("key_id", Uuid),
    _moment("at", null=False),
    Index("ix_idempotency_at", "at"),
)

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
    _moment("at", null=False),
    UniqueConstraint(
        "reference", "destination", "kind", "recipient", "subject", "occasion", name="uq_notices_occasion"
    ),
    Index(
        "ix_notices_inbox",
        "subject",
        "recipient",
        "at",
        postgresql_where=text("recipient IN ('officers', 'supervisors', 'proposer', 'holder')"),
    ),
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
    Column("digest", Boolean, nullable=False, server_default=text("false")),
    Column("status", Text, nullable=False),
    _moment("next_attempt"),
    _moment("give_up_at", null=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _moment("lease_until"),
    Column("provider_id", Text),
    Column("reason", Text),
    _moment("sent_at"),
    _moment("settled_at"),
    Index("ix_deliveries_notice", "notice_id"),
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
    _moment("at", null=False),
    _recorded(),
    Index("ix_receipts_early", "about", postgresql_where=text("delivery_id IS NULL")),
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
    _moment("at", null=False),
    Index("ix_webhooks_employer", "employer_id"),
)

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
    _moment("at", null=False),
    _moment("lease_until"),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    _moment("done_at"),
    Column("reason", Text),
    Index("ix_calls_reference", "reference"),
)

answers = Table(
    "answers",
    metadata,
    Column("answer_id", Uuid, primary_key=True),
    Column("outcome_id", Text, nullable=False, unique=True),
    Column("reference", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("employer_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False),
    _moment("occurred_at", null=False),
    _moment("received_at", null=False),
    UniqueConstraint("reference", "destination", "content_hash", name="uq_answers_content"),
)

messages_seen = Table(
    "messages_seen",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("answer", JSONB, nullable=False),
    _moment("at", null=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    _moment("at", null=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("incident_id", Uuid, primary_key=True),
    Column("reference", Text),
    Column("employer_id", Text),
    Column("kind", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    _moment("at", null=False),
    _moment("resumed_at"),
    Column("resumed_by", Text),
    Index("ix_incidents_open", "at", "incident_id", postgresql_where=text("state = 'open'")),
    Index("ix_incidents_reference", "reference", postgresql_where=text("state = 'open'")),
)

quotas = Table(
    "quotas",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("count", Integer, nullable=False),
)

calendar_days = Table(
    "calendar_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("working", Boolean, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Text, nullable=False),
)

rosters = Table(
    "rosters",
    metadata,
    Column("roster_id", Uuid, primary_key=True),
    Column("employer_id", ForeignKey("employers.employer_id"), nullable=False),
    Column("act", Text, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("on_defect", Text, nullable=False),
    Column("actor", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("totals", JSONB, nullable=False, server_default=text("'{}'")),
    Column("reason", Text),
    Column("key_id", Uuid, nullable=False),
    _moment("lease_until"),
    _moment("at", null=False),
    Index("ix_rosters_working", "at", postgresql_where=text("status IN ('checking', 'running')")),
)

roster_rows = Table(
    "roster_rows",
    metadata,
    Column("roster_id", ForeignKey("rosters.roster_id"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("result", Text),
    Column("reference", Text),
    Column("errors", JSONB, nullable=False, server_default=text("'[]'")),
    Index("ix_roster_rows_pending", "roster_id", "row", postgresql_where=text("result IS NULL OR result = 'new'")),
)

# COPY cannot write to a table under row-level security, so the sealed rows pass through here within one transaction.
roster_intake = Table(
    "roster_intake",
    metadata,
    Column("roster_id", Uuid, nullable=False),
    Column("row", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    prefixes=["UNLOGGED"],
)

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
    _moment("at", null=False),
    Column("correlation_id", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("xid", BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text)::bigint")),
    _recorded(),
    Index("ix_ledger_reference", "reference", "seq"),
)

# Tables that stand under row-level security by `employer_id`.
TENANT_TABLES: Final = tuple(table.name for table in metadata.sorted_tables if "employer_id" in table.c)
