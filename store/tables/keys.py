"""Keys of the service: which there are and where each stands in its rotation, and which process holds which."""

from sqlalchemy import Column, Index, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import changed, metadata, moment, recorded

# Ids and fingerprints, never a key.
service_keys = Table(
    "service_keys",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("state", Text, nullable=False),
    changed("known_at"),
    moment("current_at"),
    moment("retired_at"),
    moment("used_at"),
    Index("uq_service_keys_current", "kind", unique=True, postgresql_where=text("state = 'current'")),
)

key_holders = Table(
    "key_holders",
    metadata,
    Column("holder_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("holds", JSONB, nullable=False),
    changed("seen_at"),
    recorded(),
)
