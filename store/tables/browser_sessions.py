"""Sessions of browsers at the console; what they hold opens with the browser's own secret alone."""

from sqlalchemy import Column, Index, LargeBinary, Table

from store.tables.base import metadata, moment

browser_sessions = Table(
    "browser_sessions",
    metadata,
    # The keyed hash of the secret in the browser's cookie.
    Column("session_hash", LargeBinary, primary_key=True),
    # The keyed hash of issuer and subject, by which all sessions of one account are ended.
    Column("subject_hash", LargeBinary, nullable=False),
    # Account and token, sealed under a key made of the secret: whoever reads the table can use none of it.
    Column("content", LargeBinary, nullable=False),
    moment("opened_at", null=False),
    moment("seen_at", null=False),
    moment("ends_at", null=False),
    Index("ix_browser_sessions_subject", "subject_hash"),
    Index("ix_browser_sessions_ends", "ends_at"),
)
