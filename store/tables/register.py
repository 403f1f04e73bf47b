"""The register: cases, what was given and found."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.tables.base import changed, metadata, moment, recorded

registration_number_sequence = Sequence("registration_number_seq", metadata=metadata)

# The stage as outsiders see it, broken into lines as PostgreSQL does, since the two are compared.
_SHOWN_STAGE = text(
    "(\nCASE\n    WHEN stage = 'awaiting_confirmation'::text OR stage = 'approved'::text AND NOT settled"
    " THEN 'under_review'::text\n    ELSE stage\nEND)"
)

cases = Table(
    "cases",
    metadata,
    Column("reference", Text, primary_key=True),
    # Whose case it is: an employer, or `person/` and the id of its person; a trigger looks for them (migration 0047).
    Column("employer_id", Text, nullable=False),
    Column("person_id", ForeignKey("persons.person_id"), nullable=False),
    # Under which key it is sealed, where not under the person's own: it came with a person who was joined.
    Column("joined_key", ForeignKey("data_keys.key_id")),
    # The transfer by which it waits for the person's case before it to end; a trigger empties it then (migration 0054).
    Column("follows", Uuid),
    Column("client_reference", Text),
    Column("correlation_id", Text, nullable=False),
    Column("programme", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("live", Boolean, Computed("stage NOT IN ('refused', 'lapsed', 'withdrawn', 'ended')", persisted=True)),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("round", Integer, nullable=False, server_default=text("1")),
    Column("facts_version", Integer, nullable=False, server_default=text("1")),
    Column("name_hash", LargeBinary),
    Column("last_four_hash", LargeBinary),
    moment("accepted_at", null=False),
    Column("policy_version", Text, nullable=False),
    Column("assessment", Text),
    Column("contested", Boolean, nullable=False, server_default=text("false")),
    Column("returns", SmallInteger, nullable=False, server_default=text("0")),
    Column("named_defects", JSONB, nullable=False, server_default=text("'{}'")),
    Column("open_points", JSONB),
    # What was given again under review: rounds, versions, paths of fields and codes of findings, oldest first.
    Column("amendments", JSONB),
    Column("days_used", SmallInteger, nullable=False, server_default=text("0")),
    Column("clock_since", Date),
    Column("clock", Text, nullable=False),
    Column("holder", Text, nullable=False),
    moment("holder_since"),
    moment("due_at"),
    Column("due_kind", Text),
    Column("due_provisional", Boolean, nullable=False, server_default=text("false")),
    Column("overdue", Boolean, nullable=False, server_default=text("false")),
    Column("pending_act", Text),
    Column("pending", JSONB),
    Column("rejected", JSONB),
    Column("hold", JSONB),
    Column("standing_hold", Boolean, nullable=False, server_default=text("false")),
    Column("registration_number", Text, unique=True),
    Column("effect_by", JSONB),
    # What officers answered about findings: codes, and the keyed hash of the facts that each answer is about.
    Column("answered_findings", JSONB),
    moment("approved_at"),
    moment("settles_at"),
    Column("settled", Boolean, nullable=False, server_default=text("false")),
    Column("ended_on", Date),
    Column("end_reason", Text),
    moment("started_at"),
    # Objections against its decisions: ids, codes and times; the grounds are sealed in `objections`.
    Column("objections", JSONB),
    # When what is known of the person became unreadable for good.
    moment("erased_at"),
    # What its person signs in with for a while in place of the addresses that others put on the case.
    Column("earlier_addresses", LargeBinary),
    # By PostgreSQL's clock and not in business time: who asks for changes since a time must not miss a late one.
    changed("updated_at"),
    recorded(),
    Index(
        "uq_cases_live_person",
        "person_id",
        "programme",
        unique=True,
        postgresql_where=text("live AND follows IS NULL"),
    ),
    Index(
        "uq_cases_following_person",
        "person_id",
        "programme",
        unique=True,
        postgresql_where=text("live AND follows IS NOT NULL"),
    ),
    Index(
        "uq_cases_live_client_reference",
        "employer_id",
        "programme",
        "client_reference",
        unique=True,
        postgresql_where=text("live AND client_reference IS NOT NULL"),
    ),
    # Lists are of one programme.
    Index("ix_cases_employer_updated", "employer_id", "programme", "updated_at", "reference"),
    Index("ix_cases_shown_stage", "employer_id", "programme", _SHOWN_STAGE, "updated_at", "reference"),
    Index("ix_cases_stage", "stage", "programme", "updated_at", "reference"),
    Index(
        "ix_cases_needs_employer",
        "employer_id",
        "updated_at",
        "reference",
        postgresql_where=text("holder = 'employer'"),
    ),
    Index("ix_cases_needs", "updated_at", "reference", postgresql_where=text("holder = 'employer'")),
    Index(
        "ix_cases_client_reference",
        "client_reference",
        "employer_id",
        postgresql_where=text("client_reference IS NOT NULL"),
    ),
    Index("ix_cases_updated", "programme", "updated_at", "reference"),
    Index("ix_cases_name", "employer_id", "name_hash"),
    Index("ix_cases_last_four", "employer_id", "last_four_hash"),
    Index("ix_cases_person", "person_id"),
    Index("ix_cases_joined", "joined_key", postgresql_where=text("joined_key IS NOT NULL")),
    # What the nightly round of retention walks.
    Index("ix_cases_kept", "accepted_at", postgresql_where=text("NOT live AND erased_at IS NULL")),
    Index("ix_cases_unstarted", "accepted_at", postgresql_where=text("started_at IS NULL")),
)

applications = Table(
    "applications",
    metadata,
    Column("reference", ForeignKey("cases.reference"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    moment("given_at", null=False),
)

assessments = Table(
    "assessments",
    metadata,
    Column("reference", ForeignKey("cases.reference"), primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("policy_hash", Text, nullable=False),
    Column("findings", JSONB, nullable=False),
    Column("facts", LargeBinary, nullable=False),
    # Where officers recorded facts: the numbers of those it rests on, and what they turned from a failure.
    Column("on_facts", JSONB),
    # For which day the rules looked at the facts, where it is not that of acceptance.
    Column("evaluated_on", Date),
    moment("at", null=False),
)

case_facts = Table(
    "case_facts",
    metadata,
    Column("reference", ForeignKey("cases.reference"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("contest", Text),
    Column("contested_by", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("facts_version", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("seen_by", JSONB, nullable=False),
    moment("at", null=False),
    CheckConstraint("state IN ('stands', 'replaced', 'set_aside')", name="state"),
    CheckConstraint("contest IN ('open', 'answered')", name="contest"),
)
