"""The seal of the ledger: which row is which leaf, the complete subtrees above them, checkpoints and who co-signed."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, SmallInteger, Table, Text, UniqueConstraint

from store.tables.base import metadata, moment

# The transaction of a row stands here as well: leaves are in the order of (xid, chain, seq), and the next follow on it
# whatever became of the ledger.
seal_leaves = Table(
    "seal_leaves",
    metadata,
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("chain", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("xid", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("chain", "seq"),
)

# Levels from 1 on; those of level 0 follow from the leaves.
seal_nodes = Table(
    "seal_nodes",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    moment("at", null=False),
)

cosignatures = Table(
    "cosignatures",
    metadata,
    Column("tree_size", ForeignKey("checkpoints.tree_size"), primary_key=True),
    Column("witness", Text, primary_key=True),
    Column("line", Text, nullable=False),
    moment("stated_at", null=False),
    moment("at", null=False),
)

# The token of a time-stamping authority (RFC 3161) with the certificates that it came with.
stamps = Table(
    "stamps",
    metadata,
    Column("tree_size", ForeignKey("checkpoints.tree_size"), primary_key=True),
    Column("token", LargeBinary, nullable=False),
    moment("stated_at", null=False),
    moment("at", null=False),
)
