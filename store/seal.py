"""The rows of the seal: what is to be sequenced, what was, and the nodes that proofs are made of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.spellings import SEAL_LOCK
from proof.checkpoints import Checkpoint
from proof.merkle import Node, NodeId, leaf_hash
from store.rows.record import LedgerRow

LOCK: Final = f"SELECT pg_advisory_xact_lock({SEAL_LOCK})"
# Only rows below the oldest open transaction: those above it may get company that sorts before them. Leaves are in the
# order of (xid, chain, seq), so that the last one says where to go on, and no row is asked for twice.
# Each value is a subquery and nothing around it: under row-level security any other expression, such as a
# function of a subquery, keeps the comparison from the index, and every look would read the whole ledger.
_NEXT: Final = """
    FROM ledger l
    WHERE l.xid < (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
      AND (l.xid, l.chain, l.seq) > ((SELECT xid FROM edge), (SELECT chain FROM edge), (SELECT seq FROM edge))
"""
# One statement, so that a look with nothing to do is one round trip. The rows below are read only where one is due.
_LOOK: Final = text(f"""
    WITH last AS MATERIALIZED (SELECT index, xid, chain, seq, hash FROM seal_leaves ORDER BY index DESC LIMIT 1),
    edge AS MATERIALIZED (
        SELECT coalesce(CAST(:xid AS bigint), (SELECT xid FROM last), -1) AS xid,
          coalesce(CAST(:chain AS text), (SELECT chain FROM last), '') AS chain,
          coalesce(CAST(:seq AS integer), (SELECT seq FROM last), 0) AS seq
    ),
    next AS (
        SELECT l.*,
          (SELECT s.hash FROM seal_leaves s WHERE s.chain = l.chain AND s.seq = l.seq - 1) AS sealed_before,
          (SELECT p.hash FROM ledger p WHERE p.chain = l.chain AND p.seq = l.seq - 1) AS stored_before
        {_NEXT} AND (SELECT EXISTS (SELECT {_NEXT} AND l.act <> ALL(:passed_over)))
        ORDER BY l.xid, l.chain, l.seq
        LIMIT :most
    )
    SELECT coalesce((SELECT index + 1 FROM last), 0) AS tree_size, (SELECT hash FROM last) AS last_leaf,
      (SELECT e.origin FROM epochs e ORDER BY e.number DESC LIMIT 1) AS epoch_origin,
      coalesce((SELECT xid FROM last) >= (pg_snapshot_xmax(pg_current_snapshot())::text)::bigint, false)
        AS is_elsewhere,
      next.*
    FROM (SELECT) AS always LEFT JOIN next ON true
    ORDER BY next.xid, next.chain, next.seq
""").columns(detail=JSONB)
_SIZE: Final = text("SELECT coalesce(max(index) + 1, 0) FROM seal_leaves")
# Everything in one statement, and nothing where another sealer is at it or was since the look.
_ADD: Final = text("""
    WITH turn AS MATERIALIZED (
        SELECT WHERE pg_try_advisory_xact_lock(:lock)
          AND coalesce((SELECT max(tree_size) FROM checkpoints), 0) = :before
    ), leaves AS (
        INSERT INTO seal_leaves (index, chain, seq, xid, hash)
        SELECT x.* FROM turn, unnest(CAST(:indexes AS bigint[]), CAST(:chains AS text[]), CAST(:seqs AS integer[]),
                                     CAST(:xids AS bigint[]), :hashes) x
    ), nodes AS (
        INSERT INTO seal_nodes (level, index, hash)
        SELECT x.* FROM turn, unnest(CAST(:node_levels AS smallint[]), CAST(:node_indexes AS bigint[]), :node_hashes) x
    )
    INSERT INTO checkpoints (tree_size, root, note, at)
    SELECT :size, :root, :note, :at FROM turn RETURNING tree_size
""").bindparams(
    bindparam("hashes", type_=ARRAY(BYTEA)), bindparam("node_hashes", type_=ARRAY(BYTEA)),
    bindparam("root", type_=BYTEA), bindparam("note", type_=Text), bindparam("at", type_=TIMESTAMP(timezone=True)),
    bindparam("size", type_=BigInteger), bindparam("before", type_=BigInteger), bindparam("lock", type_=BigInteger),
)  # fmt: skip
_NODES: Final = text("""
    SELECT n.level, n.index, n.hash
    FROM unnest(CAST(:level AS smallint[]), CAST(:index AS bigint[])) AS wanted (level, index)
    JOIN seal_nodes n ON (n.level, n.index) = (wanted.level, wanted.index)
    UNION ALL
    SELECT 0, s.index, s.hash FROM seal_leaves s WHERE s.index = ANY(CAST(:leaves AS bigint[]))
""")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A row of the ledger as it goes into the tree."""

    chain: str
    seq: int
    xid: int
    hash: bytes


class Unsealed(NamedTuple):
    """A row of the ledger that is no leaf yet, and the hash of the one before it in its chain: as sealed, as stored."""

    row: LedgerRow
    sealed_before: bytes | None
    stored_before: bytes | None


@dataclass(frozen=True, slots=True)
class Look:
    """What a sealer finds: the size of the tree, the hash of its last leaf, and the next rows.

    `origin` is the log's name since the last declared restore, None before any. `is_elsewhere` says that the last
    leaf's transaction has not happened yet: the rows were loaded into a new cluster.
    """

    tree_size: int
    last_leaf: bytes | None
    is_elsewhere: bool
    origin: str | None
    rows: Sequence[Unsealed]


async def look(
    connection: AsyncConnection, passed_over: Collection[str], most: int, *, behind: LedgerRow | None = None
) -> Look:
    """Return the next rows to seal, and none where only acts that are passed over wait.

    They are those behind the last leaf, or behind a row that was looked at and is none.
    """
    xid, chain, seq = (behind.xid, behind.chain, behind.seq) if behind is not None else (None, None, None)
    given = {"passed_over": list(passed_over), "most": most, "xid": xid, "chain": chain, "seq": seq}
    found = (await connection.execute(_LOOK, given)).mappings().all()
    rows = [
        Unsealed(LedgerRow.from_mapping(row), row["sealed_before"], row["stored_before"])
        for row in found
        if row["chain"] is not None
    ]
    first = found[0]
    return Look(int(first["tree_size"]), first["last_leaf"], bool(first["is_elsewhere"]), first["epoch_origin"], rows)


async def tree_size(connection: AsyncConnection) -> int:
    """Return the number of leaves."""
    return int((await connection.execute(_SIZE)).scalar_one())


async def read_nodes(connection: AsyncConnection, wanted: Collection[NodeId]) -> Mapping[NodeId, bytes]:
    """Return the hashes of complete subtrees."""
    higher = [node for node in wanted if node[0]]
    leaves = [index for level, index in wanted if not level]
    given = {"level": [level for level, _ in higher], "index": [index for _, index in higher], "leaves": leaves}
    rows = await connection.execute(_NODES, given)
    return {(level, index): bytes(digest) if level else leaf_hash(bytes(digest)) for level, index, digest in rows}


async def add(
    connection: AsyncConnection,
    before: int,
    leaves: Sequence[Leaf],
    nodes: Sequence[Node],
    checkpoint: Checkpoint,
    note: str,
    at: datetime,
) -> bool:
    """Add leaves behind the first `before` ones, the nodes above them, and the checkpoint of the tree as it is then.

    Returns False, and writes nothing, where the tree has another size by now or another one seals.
    """
    higher = [node for node in nodes if node.level]
    given = {
        "lock": SEAL_LOCK,
        "before": before,
        "indexes": list(range(before, before + len(leaves))),
        "chains": [leaf.chain for leaf in leaves],
        "seqs": [leaf.seq for leaf in leaves],
        "xids": [leaf.xid for leaf in leaves],
        "hashes": [leaf.hash for leaf in leaves],
        "node_levels": [node.level for node in higher],
        "node_indexes": [node.index for node in higher],
        "node_hashes": [node.hash for node in higher],
        "size": checkpoint.size,
        "root": checkpoint.root,
        "note": note,
        "at": at,
    }
    return (await connection.execute(_ADD, given)).first() is not None
