"""The sealer: takes rows of the ledger into the Merkle tree, in the background, and signs what the tree is then.

Writing an act never waits for it: rows are sequenced in tables beside the ledger, by one sealer at a time, a batch a
transaction. While nothing was done it only looks, now and then.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import structlog
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.context import Context
from domain.actors import system
from domain.acts import Act
from domain.errors import Defect, Unavailable
from proof import checkpoints, merkle
from proof.ledger_rows import GENESIS, row_hash
from store import seal as rows_of
from store.ledger import Entry, append
from store.seal import Leaf
from store.tables import incidents, ledger

CHAIN: Final = "seal"
MOST: Final = 500
# The log's own acts are sealed with the next others: a checkpoint for each cosignature would ask for another one.
PASSED_OVER: Final = (Act.CHECKPOINT_COSIGNED.value,)
_PAUSE: Final = 2.0
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


async def seal(context: Context, most: int = MOST) -> int:
    """Seal one batch and return how many rows it took; none where there are none, or another one seals.

    Raises:
        Defect: `seal_of_another_cluster` where the database was loaded into a cluster that counts anew.
    """
    async with context.database.begin() as connection:
        if not await rows_of.is_due(connection, PASSED_OVER):
            return 0
    async with context.database.begin() as connection:
        if not await rows_of.take_turn(connection):
            return 0
        if await rows_of.is_of_another_cluster(connection):
            raise Defect("seal_of_another_cluster")
        rows = await rows_of.unsealed(connection, most)
        if not rows:
            return 0
        # Hashing holds the loop of the worker no longer than a thread's turn.
        findings = await asyncio.to_thread(examine, rows)
        at = context.clock()
        await _name(connection, findings, at)
        false = {(each.chain, each.seq) for each in findings if each.is_left_out}
        leaves = [
            Leaf(row["chain"], row["seq"], row["xid"], bytes(row["hash"]))
            for row in rows
            if (row["chain"], row["seq"]) not in false
        ]
        if leaves:
            await _extend(context, connection, leaves, at)
    return len(rows)


def examine(rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Count the hash of every row again, and look whether it names the row before it in its chain."""
    found: list[Finding] = []
    for row in rows:
        why = _what_is_wrong(row)
        if why is not None:
            found.append(Finding(row["chain"], row["seq"], row["reference"], row["employer_id"], why))
    return found


async def keep_sealing(context: Context, *, is_stopping: Callable[[], bool]) -> None:
    """Seal until the worker stops; what goes wrong is logged, and tried again."""
    pause = _PAUSE
    while not is_stopping():
        try:
            sealed = await seal(context)
            pause = _PAUSE if sealed else min(pause * 2, _LONGEST_PAUSE)
            if sealed == MOST:
                continue
        except Unavailable:
            pause = _LONGEST_PAUSE
        except Defect as error:
            _log.error("seal_failed", error=error.reason)
            pause = _LONGEST_PAUSE
        except Exception as error:  # noqa: BLE001 - an error of one round must not end the seal
            _log.error("seal_failed", error=type(error).__name__)
            pause = _LONGEST_PAUSE
        await asyncio.sleep(pause)


def _what_is_wrong(row: Mapping[str, Any]) -> str | None:
    if row_hash(row) != bytes(row["hash"]):
        return "content"
    before = row["sealed_before"] or row["stored_before"]
    if row["seq"] == 1:
        return None if bytes(row["previous"]) == GENESIS else "previous"
    return None if before is not None and bytes(before) == bytes(row["previous"]) else "previous"


async def _extend(context: Context, connection: AsyncConnection, leaves: Sequence[Leaf], at: datetime) -> None:
    size = await rows_of.tree_size(connection)
    wanted = merkle.edge_nodes(size)
    known = await rows_of.read_nodes(connection, wanted)
    grown = merkle.grow(size, [known[node] for node in wanted], [leaf.hash for leaf in leaves])
    await rows_of.add(connection, size, leaves, grown.nodes)
    checkpoint = checkpoints.Checkpoint(context.log_origin, grown.size, grown.root)
    note = checkpoints.sign(checkpoint, context.keyring.sealing_key())
    await rows_of.add_checkpoint(connection, grown.size, grown.root, str(note), at)


async def _named(connection: AsyncConnection) -> set[tuple[str, int]]:
    query = select(ledger.c.detail).where(ledger.c.chain == CHAIN, ledger.c.act == Act.ROW_FOUND_ALTERED.value)
    return {(detail["chain"], detail["seq"]) for detail in (await connection.execute(query)).scalars()}


async def _name(connection: AsyncConnection, findings: Sequence[Finding], at: datetime) -> None:
    """Put altered rows before the operator, and into the ledger, where the finding itself is sealed."""
    named = await _named(connection) if findings else set()
    # A row that is left out comes again until a later one is a leaf.
    findings = [each for each in findings if (each.chain, each.seq) not in named]
    if not findings:
        return
    actor = system("seal")
    await connection.execute(
        insert(incidents),
        [
            {
                "incident_id": uuid4(),
                "reference": each.reference,
                "employer_id": each.employer_id,
                "kind": "ledger_altered",
                "step": "seal",
                "reason": f"{each.why}: row {each.seq} of {each.chain}"[:200],
                "state": "open",
                "at": at,
            }
            for each in findings
        ],
    )
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
