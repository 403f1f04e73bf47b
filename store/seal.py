"""The rows of the seal: what is to be sequenced, what was, and the nodes that proofs are made of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, insert, text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from proof.merkle import Node, NodeId, leaf_hash
from store.tables import checkpoints

_LOCK: Final = 0x6865_7461_6F5F_6C31  # any number that nothing else locks
# Only rows below the oldest open transaction: those above it may get company that sorts before them. Leaves are in the
# order of (xid, chain, seq), so that the last one says where to go on, and no row is asked for twice.
_NEXT: Final = """
    FROM ledger l
    WHERE l.xid < (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint
      AND (l.xid, l.chain, l.seq) > (
        coalesce((SELECT s.xid FROM seal_leaves s ORDER BY s.index DESC LIMIT 1), -1),
        coalesce((SELECT s.chain FROM seal_leaves s ORDER BY s.index DESC LIMIT 1), ''),
        coalesce((SELECT s.seq FROM seal_leaves s ORDER BY s.index DESC LIMIT 1), 0)
      )
"""
_IS_DUE: Final = text(f"SELECT EXISTS (SELECT {_NEXT} AND l.act <> ALL(:passed_over))")
_UNSEALED: Final = text(f"""
    SELECT l.*,
      (SELECT s.hash FROM seal_leaves s WHERE s.chain = l.chain AND s.seq = l.seq - 1) AS sealed_before,
      (SELECT p.hash FROM ledger p WHERE p.chain = l.chain AND p.seq = l.seq - 1) AS stored_before
    {_NEXT}
    ORDER BY l.xid, l.chain, l.seq
    LIMIT :most
""").columns(detail=JSONB)
_SIZE: Final = text("SELECT coalesce(max(index) + 1, 0) FROM seal_leaves")
_LAST_XID: Final = text("""
    SELECT s.xid >= (pg_snapshot_xmax(pg_current_snapshot())::text)::bigint
    FROM seal_leaves s ORDER BY s.index DESC LIMIT 1
""")
_ADD_LEAVES: Final = text("""
    INSERT INTO seal_leaves (index, chain, seq, xid, hash)
    SELECT * FROM unnest(CAST(:index AS bigint[]), CAST(:chain AS text[]), CAST(:seq AS integer[]),
                         CAST(:xid AS bigint[]), :hash)
""").bindparams(bindparam("hash", type_=ARRAY(BYTEA)))
_ADD_NODES: Final = text("""
    INSERT INTO seal_nodes (level, index, hash)
    SELECT * FROM unnest(CAST(:level AS smallint[]), CAST(:index AS bigint[]), :hash)
""").bindparams(bindparam("hash", type_=ARRAY(BYTEA)))
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


async def is_due(connection: AsyncConnection, passed_over: Collection[str]) -> bool:
    """Say whether a row of another act than those passed over waits to be sealed."""
    return bool((await connection.execute(_IS_DUE, {"passed_over": list(passed_over)})).scalar_one())


async def take_turn(connection: AsyncConnection) -> bool:
    """Become the one that seals until the transaction ends; False where another one is."""
    return bool((await connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK})).scalar_one())


async def is_of_another_cluster(connection: AsyncConnection) -> bool:
    """Say whether the last leaf's transaction has not happened yet: the rows were loaded into a new cluster."""
    return bool((await connection.execute(_LAST_XID)).scalar_one_or_none())


async def unsealed(connection: AsyncConnection, most: int) -> list[dict[str, Any]]:
    """Return the next rows to seal, each with the hash of the row before it in its chain, as sealed and as stored."""
    return [dict(row) for row in (await connection.execute(_UNSEALED, {"most": most})).mappings()]


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


async def add(connection: AsyncConnection, size: int, leaves: Sequence[Leaf], nodes: Sequence[Node]) -> None:
    """Add leaves behind the first `size` ones, and the nodes above them."""
    await connection.execute(
        _ADD_LEAVES,
        {
            "index": list(range(size, size + len(leaves))),
            "chain": [leaf.chain for leaf in leaves],
            "seq": [leaf.seq for leaf in leaves],
            "xid": [leaf.xid for leaf in leaves],
            "hash": [leaf.hash for leaf in leaves],
        },
    )
    higher = [node for node in nodes if node.level]
    if higher:
        given = {
            "level": [n.level for n in higher],
            "index": [n.index for n in higher],
            "hash": [n.hash for n in higher],
        }
        await connection.execute(_ADD_NODES, given)


async def add_checkpoint(connection: AsyncConnection, size: int, root: bytes, note: str, at: datetime) -> None:
    """Keep a checkpoint."""
    await connection.execute(insert(checkpoints).values(tree_size=size, root=root, note=note, at=at))
