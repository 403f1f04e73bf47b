"""The seal read from its first leaf to its last, a stretch at a time, with the rows of the ledger that it is of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from proof import merkle
from proof.merkle import NodeId
from store.rows.record import LedgerRow
from store.rows.seal import CheckpointRow
from store.seal import read_nodes

_ENDS: Final = text(
    "SELECT coalesce((SELECT max(index) + 1 FROM seal_leaves), 0) AS leaves,"
    " coalesce((SELECT max(tree_size) FROM checkpoints), 0) AS signed"
)
# With the leaf before the stretch: it says from where on rows of the ledger must have a leaf in it.
_LEAVES: Final = text("""
    SELECT s.index AS leaf, s.chain AS leaf_chain, s.seq AS leaf_seq, s.xid AS leaf_xid, s.hash AS leaf_hash,
      b.hash AS leaf_before, l.*
    FROM seal_leaves s
    LEFT JOIN ledger l ON l.chain = s.chain AND l.seq = s.seq
    LEFT JOIN seal_leaves b ON b.chain = s.chain AND b.seq = s.seq - 1
    WHERE s.index >= :start - 1 AND s.index < :end
    ORDER BY s.index
""").columns(detail=JSONB)
_NODES: Final = text("""
    SELECT n.level, n.index, n.hash
    FROM unnest(CAST(:level AS smallint[]), CAST(:first AS bigint[]), CAST(:beyond AS bigint[]))
      AS wanted (level, first, beyond)
    JOIN seal_nodes n ON n.level = wanted.level AND n.index >= wanted.first AND n.index < wanted.beyond
""")
_CHECKPOINTS: Final = text(
    "SELECT tree_size, root, note, at FROM checkpoints"
    " WHERE tree_size > :start AND tree_size <= :end ORDER BY tree_size"
)
_LEAFLESS: Final = text(
    "SELECT count(*) FROM ledger l"
    " WHERE NOT EXISTS (SELECT FROM seal_leaves s WHERE s.chain = l.chain AND s.seq = l.seq)"
)
_UNSEALED: Final = text("""
    SELECT l.chain, l.seq FROM ledger l
    WHERE (l.xid, l.chain, l.seq) > (CAST(:xid AS bigint), CAST(:chain AS text), CAST(:seq AS integer))
      AND (l.xid, l.chain, l.seq) <= (CAST(:last_xid AS bigint), CAST(:last_chain AS text), CAST(:last_seq AS integer))
      AND NOT EXISTS (SELECT FROM seal_leaves s WHERE s.chain = l.chain AND s.seq = l.seq)
    ORDER BY l.xid, l.chain, l.seq LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class LeafWithRow:
    """A leaf with the row of the ledger that it is of, None where there is none, and the leaf of the row before it."""

    index: int
    chain: str
    seq: int
    xid: int
    hash: bytes
    before: bytes | None
    row: LedgerRow | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is kept of the leaves from `start` up to, and without, `end`.

    `leaves` holds each by its index; `nodes` the complete subtrees that end in the stretch and those that stand before
    it; `unsealed` the rows of the ledger that lie between its first leaf and its last and have none.
    """

    start: int
    end: int
    leaves: Mapping[int, LeafWithRow]
    nodes: Mapping[NodeId, bytes]
    checkpoints: Sequence[CheckpointRow]
    unsealed: Sequence[tuple[str, int]]


async def read_ends(connection: AsyncConnection) -> tuple[int, int]:
    """Return the number of leaves, and the size that was signed last."""
    found = (await connection.execute(_ENDS)).one()
    return int(found.leaves), int(found.signed)


async def count_leafless(connection: AsyncConnection) -> int:
    """Return how many rows of the ledger are no leaf, which no look at the seal looks at."""
    return int((await connection.execute(_LEAFLESS)).scalar_one())


async def read_stretch(connection: AsyncConnection, start: int, end: int) -> Stretch:
    """Return what is kept of a stretch of leaves."""
    bounds = {"start": start, "end": end}
    found = {row["leaf"]: _leaf(dict(row)) for row in (await connection.execute(_LEAVES, bounds)).mappings()}
    before = found.pop(start - 1, None)
    return Stretch(
        start=start,
        end=end,
        leaves=found,
        nodes={**await _read_edge(connection, start), **await _read_ending(connection, start, end)},
        checkpoints=[
            CheckpointRow.from_mapping(row) for row in (await connection.execute(_CHECKPOINTS, bounds)).mappings()
        ],
        unsealed=await _read_unsealed(connection, before, list(found.values()), end - start),
    )


async def _read_edge(connection: AsyncConnection, size: int) -> Mapping[NodeId, bytes]:
    wanted = merkle.edge_nodes(size)
    return await read_nodes(connection, wanted) if wanted else {}


async def _read_ending(connection: AsyncConnection, start: int, end: int) -> Mapping[NodeId, bytes]:
    """Return the complete subtrees above the leaves that became complete within a stretch."""
    levels = range(1, end.bit_length())
    given = {
        "level": list(levels),
        "first": [start >> level for level in levels],
        "beyond": [end >> level for level in levels],
    }
    rows = await connection.execute(_NODES, given)
    return {(level, index): bytes(digest) for level, index, digest in rows}


async def _read_unsealed(
    connection: AsyncConnection, before: LeafWithRow | None, leaves: Collection[LeafWithRow], most: int
) -> Sequence[tuple[str, int]]:
    if not leaves:
        return ()
    *_, last = leaves
    first = (-1, "", 0) if before is None else _place(before)
    given = dict(zip(("xid", "chain", "seq"), first, strict=True))
    given |= dict(zip(("last_xid", "last_chain", "last_seq"), _place(last), strict=True))
    return [(row.chain, row.seq) for row in await connection.execute(_UNSEALED, given | {"most": most})]


def _leaf(found: Mapping[str, Any]) -> LeafWithRow:
    return LeafWithRow(
        index=found["leaf"],
        chain=found["leaf_chain"],
        seq=found["leaf_seq"],
        xid=found["leaf_xid"],
        hash=found["leaf_hash"],
        before=found["leaf_before"],
        row=None if found["chain"] is None else LedgerRow.from_mapping(found),
    )


def _place(leaf: LeafWithRow) -> tuple[int, str, int]:
    return leaf.xid, leaf.chain, leaf.seq
