"""Proving the rows of one case again, from the ledger's leaves up to the checkpoint that was signed last."""

from collections.abc import Sequence

from sqlalchemy import select

from cases.shared.context import Context
from cases.shared.epochs import LogEpoch, former_log, log_epochs, log_keys
from record.reconciliation.evidence import Difference
from record.seal.differences import Signers, check_paths, path_nodes
from store.keyring import Keyring
from store.rows.seal import CheckpointRow
from store.seal import read_nodes
from store.tables import checkpoints, seal_leaves


def signers_of(origin: str, keyring: Keyring, names: Sequence[LogEpoch] = ()) -> Signers:
    """Return whose signature the checkpoints of an installation bear: its log's names and the keys it ever had."""
    *before, now = names or [LogEpoch(origin, 0)]
    former = [former_log(keyring, each, after) for each, after in zip(before, names[1:], strict=True)]
    return Signers(now.origin, log_keys(keyring, now.origin), tuple(former))


async def prove_case(context: Context, reference: str) -> list[Difference]:
    """Prove every sealed row of a case's chain into the newest checkpoint, and name what does not hold."""
    s, c = seal_leaves.c, checkpoints.c
    async with context.database.begin() as connection:
        found = await connection.execute(
            select(s.index.label("leaf"), s.seq).where(s.chain == reference).order_by(s.seq)
        )
        leaves = {int(row.leaf): int(row.seq) for row in found}
        newest = select(checkpoints).order_by(c.tree_size.desc()).limit(1)
        checkpoint = CheckpointRow.one_of(await connection.execute(newest))
        if not leaves or checkpoint is None:
            return [Difference("seal_leaf_unsigned", {"chain": reference, "seq": seq}) for seq in leaves.values()]
        known = await read_nodes(connection, path_nodes(leaves, checkpoint.tree_size))
        signers = signers_of(context.log_origin, context.keyring, await log_epochs(connection, context.log_origin))
    return list(check_paths(reference, leaves, checkpoint, known, signers))
