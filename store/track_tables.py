"""The table of a track, whichever programme it is of: the columns that all have, and what the data map says of them."""

from sqlalchemy import Boolean, Column, ForeignKey, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

from domain.data_map import ALL, STAFF, Basis, DataClass, DataRow, rows
from store.tables.base import metadata, moment
from store.tables.register import cases


def track_table(name: str, key: str, *own: SchemaItem, of: MetaData = metadata) -> Table:
    """Return the table of a track whose rows of one case differ by `key`, with columns and indexes of its own."""
    return Table(
        name,
        of,
        Column("reference", ForeignKey(cases.c.reference), primary_key=True),
        Column(key, Text, primary_key=True),
        Column("employer_id", Text, nullable=False),
        Column("stage", Text),
        *own,
        moment("due_at"),
        Column("due_provisional", Boolean, nullable=False, server_default=text("false")),
        Column("pending_act", Text),
        Column("pending", JSONB),
        Column("rejected", JSONB),
        moment("updated_at", null=False),
    )


def track_rows(table: str, key: str, purpose: str, own: str = "") -> tuple[DataRow, ...]:
    """Return what the data map says of the columns that all have, and of those of its own that say no more than they.

    Proposals and signers are read by staff alone.
    """
    followed = f"reference {key} employer_id stage due_at due_provisional updated_at {own}"
    signed = "proposals and signers, with codes; notes sealed"
    return (
        *rows(table, followed, purpose, ALL),
        *rows(table, "pending_act pending rejected", signed, STAFF, of=DataClass.PERSONAL, basis=Basis.ACCOUNT),
    )
