"""Check codes: by which hash a case is found by anyone who was given one."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import metadata, moment

check_codes = Table(
    "check_codes",
    metadata,
    Column("code_id", Uuid, primary_key=True),
    # The keyed hash of the code, which is shown once and kept nowhere.
    Column("code_hash", LargeBinary, nullable=False, unique=True),
    Column("reference", ForeignKey("cases.reference"), nullable=False),
    # Which side issued it: `employer`, `person` or `park`.
    Column("party", Text, nullable=False),
    Column("issued_by", JSONB, nullable=False),
    moment("issued_at", null=False),
    moment("withdrawn_at"),
    Index("ix_check_codes_case", "reference", "issued_at", postgresql_where=text("withdrawn_at IS NULL")),
)
