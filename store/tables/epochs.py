"""Epochs of the register, begun by each declared restore, and the cases that a restore took away."""

from sqlalchemy import BigInteger, Column, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import metadata, moment

# Before the first declared restore there is no row: the epoch is 0. A number is the second in which the restore was
# declared, so that one declared on an older backup is newer than whatever came of a restore that this backup lacks.
epochs = Table(
    "epochs",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    # Name of the log from then on: that of before, where the log lost nothing.
    Column("origin", Text, nullable=False),
    # Size of the tree that the database came back with; larger checkpoints of the epoch before are outside alone.
    Column("tree_size", BigInteger, nullable=False),
    Column("declaration", JSONB, nullable=False),
    moment("at", null=False),
    # Once every workflow that was open has been told.
    moment("told_at"),
)

lost_cases = Table(
    "lost_cases",
    metadata,
    Column("reference", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("known_by", Text, nullable=False),
    moment("at", null=False),
)
