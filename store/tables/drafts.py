"""Drafts of forms and of decisions, sealed, for a time."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from store.tables.base import metadata, moment

drafts = Table(
    "drafts",
    metadata,
    Column("draft_id", Uuid, primary_key=True),
    # Whose it is: an employer's id, `document/` and the keyed hash of a person's document, or `staff/` and a subject.
    Column("owner", Text, nullable=False),
    Column("programme", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reference", ForeignKey("cases.reference")),
    # The employer's key, or one of the draft's own, which goes with it.
    Column("key_id", ForeignKey("data_keys.key_id"), nullable=False),
    Column("body", LargeBinary, nullable=False),
    # The keyed hashes of documents in it, by which it goes when their person is erased.
    Column("document_hashes", ARRAY(LargeBinary), nullable=False),
    Column("version", Integer, nullable=False),
    moment("begun_at", null=False),
    moment("changed_at", null=False),
    Index("ix_drafts_owner", "owner", "changed_at"),
    Index("ix_drafts_changed", "changed_at"),
    Index("ix_drafts_documents", "document_hashes", postgresql_using="gin"),
)
