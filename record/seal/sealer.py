"""The sealer: takes rows of the ledger into the Merkle tree, in the background, and signs what the tree is then.

Writing an act never waits for it: rows are sequenced in tables beside the ledger, by one sealer at a time, a batch a
transaction. While nothing was done it only looks, now and then.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from domain.actors import system
from domain.acts import Act
from domain.errors import Defect, Unavailable
from proof import checkpoints, merkle
from proof.ledger_rows import GENESIS, counted_hash
from store import seal as rows_of
from store.incident_rows import new_incident, opening
from store.ledger import Entry, append
from store.seal import Leaf, Look, Unsealed
from store.tables import ledger

CHAIN: Final = "seal"
MOST: Final = 500
# The log's own acts are sealed with the next others: a checkpoint for each cosignature would ask for another one.
PASSED_OVER: Final = (Act.CHECKPOINT_COSIGNED.value,)
EVERY: Final = 4.0
_LONGEST_PAUSE: Final = 8.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that is not what it was when it was written, or does not follow on the one before it."""

    chain: str
    seq: int
    reference: str | None
    employer_id: str | None
    why: str

    @property
    def is_left_out(self) -> bool:
        """Whether the row itself is false, and so is no leaf; where the one before is, the row still counts."""
        return self.why == "content"


class Sealer:
    """Seals batch after batch, and remembers the edge of the tree that it made last."""

    def __init__(self, context: Context) -> None:
        if context.sealer_database is None:
            raise ValueError("only a process that knows PostgreSQL as the sealer seals")
        self._context, self._database = context, context.sealer_database
        self._edges: dict[tuple[int, bytes | None], Sequence[bytes]] = {}

    async def seal(self, most: int = MOST) -> int:
        """Seal one batch and return how many rows it took; none where there are none, or another one seals.

        A look is one statement, and so is the writing: what is hashed in between is hashed without a transaction, and
        the writing does nothing where the tree has grown since.

        Raises:
            Defect: `seal_of_another_cluster` where the database was loaded into a cluster that counts anew;
                `seal_nodes_missing` where the leaves are more, or the nodes fewer, than a sealer left.
        """
        database = self._database
        async with database.statement() as connection:
            look = await rows_of.look(connection, PASSED_OVER, most)
        if look.is_elsewhere:
            raise Defect("seal_of_another_cluster")
        if not look.rows:
            return 0
        # Hashing holds the loop of the worker no longer than a thread's turn.
        if await asyncio.to_thread(examine, look.rows):
            return await self._seal_altered(most)
        if (edge := self._edges.get((look.tree_size, look.last_leaf))) is None:
            async with database.statement() as connection:
                edge = await _read_edge(connection, look.tree_size)
        leaves = [_leaf(each) for each in look.rows]
        try:
            async with database.statement() as connection:
                grown = await self._extend(connection, look, edge, leaves)
        except IntegrityError:
            return 0  # another one ended between the beginning of the statement and its lock
        if grown is None:
            return 0
        self._edges = {(grown.size, leaves[-1].hash): grown.edge}
        return len(look.rows)

    async def _seal_altered(self, most: int) -> int:
        """Seal a batch with rows that are not what they were, and name them in the same transaction.

        Batches of false rows alone are passed over: they would come again and again, and nothing behind them would
        ever be sealed.
        """
        async with self._database.begin(locks=(rows_of.LOCK,)) as connection:
            named = await _named(connection)
            look = await rows_of.look(connection, PASSED_OVER, most)
            while look.rows:
                findings = await asyncio.to_thread(examine, look.rows)
                await _name(connection, findings, named, self._context.clock())
                false = {(each.chain, each.seq) for each in findings if each.is_left_out}
                leaves = [_leaf(each) for each in look.rows if (each.row.chain, each.row.seq) not in false]
                if leaves:
                    edge = await _read_edge(connection, look.tree_size)
                    await self._extend(connection, look, edge, leaves)
                    return len(look.rows)
                look = await rows_of.look(connection, PASSED_OVER, most, behind=look.rows[-1].row)
        return 0

    async def _extend(
        self, connection: AsyncConnection, look: Look, edge: Sequence[bytes], leaves: Sequence[Leaf]
    ) -> merkle.Growth | None:
        context, size = self._context, look.tree_size
        grown = merkle.grow(size, edge, [leaf.hash for leaf in leaves])
        checkpoint = checkpoints.Checkpoint(look.origin or context.log_origin, grown.size, grown.root)
        note = checkpoints.sign(checkpoint, context.keyring.sealing_key())
        is_added = await rows_of.add(connection, size, leaves, grown.nodes, checkpoint, str(note), context.clock())
        return grown if is_added else None


async def seal(context: Context, most: int = MOST) -> int:
    """Seal one batch as a sealer that was not there before."""
    return await Sealer(context).seal(most)


def _leaf(each: Unsealed) -> Leaf:
    return Leaf(each.row.chain, each.row.seq, each.row.xid, each.row.hash)


async def _read_edge(connection: AsyncConnection, size: int) -> list[bytes]:
    wanted = merkle.edge_nodes(size)
    known = await rows_of.read_nodes(connection, wanted) if wanted else {}
    if len(known) < len(wanted):
        raise Defect("seal_nodes_missing")
    return [known[node] for node in wanted]


def examine(rows: Sequence[Unsealed]) -> list[Finding]:
    """Count the hash of every row again, and look whether it names the row before it in its chain."""
    found: list[Finding] = []
    for each in rows:
        row, why = each.row, _what_is_wrong(each)
        if why is not None:
            found.append(Finding(row.chain, row.seq, row.reference, row.employer_id, why))
    return found


async def keep_sealing(context: Context, *, is_stopping: Callable[[], bool], every: float = EVERY) -> None:
    """Seal until the worker stops; what goes wrong is logged, and tried again.

    Args:
        context: the collaborators.
        is_stopping: whether to end.
        every: seconds between two batches while there is work; while there is none, the looks become rarer.
    """
    sealer, pause, longest = Sealer(context), every, max(every, _LONGEST_PAUSE)
    while not is_stopping():
        try:
            sealed = await sealer.seal()
            pause = every if sealed else min(pause * 2, longest)
            if sealed == MOST:
                continue
        except Unavailable:
            pause = longest
        except Defect as error:
            _log.error("seal_failed", error=error.reason)
            pause = longest
        except Exception as error:  # noqa: BLE001 - an error of one round must not end the seal
            _log.error("seal_failed", error=type(error).__name__)
            pause = longest
        await asyncio.sleep(pause)


def _what_is_wrong(each: Unsealed) -> str | None:
    row = each.row
    if counted_hash(row.document()) != row.hash:
        return "content"
    before = GENESIS if row.seq == 1 else each.sealed_before or each.stored_before
    return None if before == row.previous else "previous"


async def _named(connection: AsyncConnection) -> set[tuple[str, int]]:
    query = select(ledger.c.detail).where(ledger.c.chain == CHAIN, ledger.c.act == Act.ROW_FOUND_ALTERED.value)
    return {(detail["chain"], detail["seq"]) for detail in (await connection.execute(query)).scalars()}


async def _name(
    connection: AsyncConnection, findings: Sequence[Finding], named: Collection[tuple[str, int]], at: datetime
) -> None:
    """Put altered rows before the operator, and into the ledger, where the finding itself is sealed."""
    # A row that is left out comes again until a later one is a leaf.
    findings = [each for each in findings if (each.chain, each.seq) not in named]
    if not findings:
        return
    actor = system("seal")
    opened = [
        new_incident(
            at,
            kind="ledger_altered",
            step="seal",
            reason=f"{each.why}: row {each.seq} of {each.chain}",
            reference=each.reference,
            employer_id=each.employer_id,
        )
        for each in findings
    ]
    await connection.execute(opening(opened))
    entries = [
        Entry(
            act=Act.ROW_FOUND_ALTERED,
            actor=actor,
            at=at,
            employer_id=each.employer_id,
            detail={"chain": each.chain, "seq": each.seq, "why": each.why},
        )
        for each in findings
    ]
    await append(connection, CHAIN, entries)
