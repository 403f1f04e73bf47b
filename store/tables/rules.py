"""Rule packs that were proposed and published, and what a trial of each on past cases showed."""

from sqlalchemy import Column, Date, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import metadata, moment, recorded

rule_packs = Table(
    "rule_packs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("report_hash", Text, nullable=False),
    Column("proposed_by", JSONB, nullable=False),
    Column("confirmed_by", JSONB),
    moment("at", null=False),
    recorded(),
    Index(
        "uq_rule_packs_effective_from",
        "name",
        "effective_from",
        unique=True,
        postgresql_where=text("state <> 'rejected'"),
    ),
)

rule_trials = Table(
    "rule_trials",
    metadata,
    Column("report_hash", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("since", Date, nullable=False),
    Column("cases", Integer, nullable=False),
    Column("flipped", Integer, nullable=False),
    Column("report", JSONB, nullable=False),
    moment("at", null=False),
    recorded(),
)
