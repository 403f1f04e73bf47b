"""Saved views: filters of lists, each under a name that its owner gave it."""

from sqlalchemy import Column, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import metadata, moment

saved_views = Table(
    "saved_views",
    metadata,
    Column("view_id", Uuid, primary_key=True),
    # Who looks: the organisation, and the subject of the token with its issuer.
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("list", Text, nullable=False),
    Column("filter", JSONB, nullable=False),
    moment("saved_at", null=False),
    Index("ix_saved_views_owner", "owner", "saved_at"),
)
