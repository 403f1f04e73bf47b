"""Comparing the seal with what it is of: rows with leaves, leaves with nodes, nodes with the roots that were signed.

Each place is compared with what lies right below it and taken as it is stored from there on, so that what does not
hold is named once, where it stands, and not at every place above it. Where every place holds, every row is proved
into every checkpoint. Nothing here reads a clock or a database.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from proof import merkle
from proof.checkpoints import BrokenNoteError, Checkpoint, VerifierKey, open_checkpoint, parse_note
from proof.declarations import FormerLog
from proof.ledger_rows import GENESIS, counted_hash
from proof.merkle import NodeId, leaf_hash, node_hash
from record.reconciliation.evidence import Difference
from store.rows.seal import CheckpointRow
from store.seal_walk import LeafWithRow, Stretch

Hashes = Mapping[NodeId, bytes]

# A place names single rows only where so few can be meant.
_MOST_ROWS: Final = 4


@dataclass(frozen=True, slots=True)
class Signers:
    """Whose signature a checkpoint must bear: the log's name and its public keys."""

    origin: str
    keys: tuple[VerifierKey, ...]
    former: tuple[FormerLog, ...] = ()

    def of(self, size: int) -> tuple[str, tuple[VerifierKey, ...]]:
        """Return the log's name and keys in a checkpoint of a size: each restore that was declared began a new name."""
        for each in self.former:
            if size <= each.until:
                return each.origin, each.keys
        return self.origin, self.keys


@dataclass(slots=True)
class Held:
    """The size of the last checkpoint whose root was that of the tree, and whether those after it are not."""

    size: int = 0
    is_broken: bool = False


def check_stretch(stretch: Stretch, signers: Signers, held: Held) -> list[Difference]:
    """Return every difference in a stretch of the seal, and carry on what held."""
    found = [each for index in sorted(stretch.leaves) for each in _check_leaf(stretch.leaves[index])]
    for chain, seq in stretch.unsealed:
        found.append(Difference("ledger_row_unsealed", _row_place(chain, seq)))
    found += _check_gaps(stretch)
    found += _check_tree(stretch, signers, held)
    return found


def check_ends(leaves: int, signed: int) -> Iterator[Difference]:
    """Compare where the leaves end with the size that was signed last."""
    if leaves > signed:
        yield Difference("seal_leaf_unsigned", {"table": "seal_leaves", "leaf": signed, "to_leaf": leaves - 1})
    if signed > leaves:
        yield Difference("seal_leaf_missing", {"table": "seal_leaves", "leaf": leaves, "to_leaf": signed - 1})


def check_paths(
    reference: str, leaves: Mapping[int, int], checkpoint: CheckpointRow, known: Hashes, signers: Signers
) -> Iterator[Difference]:
    """Prove the leaves of a case, each with its number in the chain, into the row of a checkpoint.

    `known` holds what `path_nodes` asked for, as far as it is there.
    """
    size = checkpoint.tree_size
    for leaf, seq in leaves.items():
        if leaf >= size:
            yield Difference("seal_leaf_unsigned", {**_row_place(reference, seq), "leaf": leaf})
    for parent in sorted({parent for leaf in leaves for parent in _above(leaf, size)}):
        level, index = parent
        seqs = [leaves[leaf] for leaf in (index * 2, index * 2 + 1) if level == 1 and leaf in leaves]
        rows = [f"{reference} {seq}" for seq in seqs]
        yield from _check_node(parent, rows, known, known.get(parent))
    signed, problem = _signed(checkpoint, signers)
    yield from problem
    counted = _root(size, known)
    if signed is not None and counted is not None and counted != signed.root:
        place: dict[str, str | int] = {"table": "checkpoints", "size": size}
        if size - 1 in leaves and size % 2:
            place |= {"chain": reference, "seq": leaves[size - 1]}
        yield Difference("checkpoint_differs_from_tree", place, signed.root.hex(), counted.hex())


def path_nodes(leaves: Collection[int], size: int) -> set[NodeId]:
    """Return the nodes by which leaves are proved into the tree of one size."""
    wanted = set(merkle.edge_nodes(size))
    for leaf in leaves:
        wanted.add((0, leaf))
        for level, index in _above(leaf, size):
            wanted |= {(level, index), (level - 1, index * 2), (level - 1, index * 2 + 1)}
    return wanted


def _above(leaf: int, size: int) -> Iterator[NodeId]:
    """Yield the complete subtrees of a tree above a leaf, upward."""
    level = 1
    while ((leaf >> level) + 1) << level <= size:
        yield level, leaf >> level
        level += 1


def _check_leaf(leaf: LeafWithRow) -> Iterator[Difference]:
    """Compare a leaf with its row: it is there, has the leaf's hash, and follows on the leaf of the row before it."""
    place, row = _row_place(leaf.chain, leaf.seq), leaf.row
    if row is None:
        yield Difference("sealed_row_missing", place, leaf.hash.hex())
        return
    counted = counted_hash(row.document())
    if counted != leaf.hash:
        yield Difference("ledger_row_differs_from_seal", place, leaf.hash.hex(), counted.hex() if counted else None)
    elif row.hash != leaf.hash:
        yield Difference("ledger_row_altered", place, leaf.hash.hex(), row.hash.hex())
    elif row.xid != leaf.xid:
        yield Difference("ledger_row_differs_from_seal", {**place, "column": "xid"}, str(leaf.xid), str(row.xid))
    before = GENESIS if row.seq == 1 else leaf.before
    # The row before one that was left out of the tree has no leaf; the sealer has named it.
    if before is not None and row.previous != before:
        yield Difference("ledger_chain_broken", place, before.hex(), row.previous.hex())


def _check_gaps(stretch: Stretch) -> Iterator[Difference]:
    """Name leaves that are missing, those side by side as one."""
    first = stretch.start
    for index in (*sorted(stretch.leaves), stretch.end):
        if index > first:
            yield Difference("seal_leaf_missing", {"table": "seal_leaves", "leaf": first, "to_leaf": index - 1})
        first = index + 1


def _check_tree(stretch: Stretch, signers: Signers, held: Held) -> Iterator[Difference]:
    """Compare each subtree that ends in the stretch with the two below it, and each checkpoint with the tree."""
    signed = {row.tree_size: row for row in stretch.checkpoints}
    edge = {node: stretch.nodes.get(node) for node in merkle.edge_nodes(stretch.start)}
    known: dict[NodeId, bytes] = {node: digest for node, digest in edge.items() if digest is not None}
    for index in range(stretch.start, stretch.end):
        leaf = stretch.leaves.get(index)
        if leaf is not None:
            known[0, index] = leaf_hash(leaf.hash)
        for level, above in _ending(index):
            rows = _rows_named(stretch, index - 1, index + 1) if level == 1 else []
            stored = stretch.nodes.get((level, above))
            yield from _check_node((level, above), rows, known, stored)
            counted = _counted_node((level, above), known)
            if (digest := stored or counted) is not None:
                known[level, above] = digest
            known.pop((level - 1, above * 2), None)
            known.pop((level - 1, above * 2 + 1), None)
        if (row := signed.get(index + 1)) is not None:
            yield from _check_checkpoint(stretch, row, known, signers, held)


def _ending(index: int) -> Iterator[NodeId]:
    """Yield the subtrees that are complete with a leaf, upward."""
    level, above = 1, index
    while above & 1:
        above >>= 1
        yield level, above
        level += 1


def _check_node(node: NodeId, rows: Sequence[str], below: Hashes, stored: bytes | None) -> Iterator[Difference]:
    level, index = node
    place: dict[str, str | int] = {"table": "seal_nodes", "level": level, "index": index}
    place |= {"leaf": index << level, "to_leaf": ((index + 1) << level) - 1}
    if rows:
        place["rows"] = ", ".join(rows)
    counted = _counted_node(node, below)
    if stored is None:
        yield Difference("seal_node_missing", place, counted.hex() if counted else None)
    elif counted is not None and stored != counted:
        yield Difference("seal_node_differs", place, counted.hex(), stored.hex())


def _counted_node(node: NodeId, below: Hashes) -> bytes | None:
    """Return the hash over the two subtrees below, or None where one is missing, which is named by itself."""
    level, index = node
    left, right = below.get((level - 1, index * 2)), below.get((level - 1, index * 2 + 1))
    return None if left is None or right is None else node_hash(left, right)


def _check_checkpoint(
    stretch: Stretch, row: CheckpointRow, known: Hashes, signers: Signers, held: Held
) -> Iterator[Difference]:
    """Compare a checkpoint with its signature and with the tree; of several on end that differ, name the first."""
    size = row.tree_size
    checkpoint, problem = _signed(row, signers)
    yield from problem
    counted = _root(size, known)
    if checkpoint is None or counted is None:
        return
    if counted == checkpoint.root:
        held.size, held.is_broken = size, False
        return
    if held.is_broken:
        return
    held.is_broken = True
    place: dict[str, str | int] = {"table": "checkpoints", "size": size, "leaf": held.size, "to_leaf": size - 1}
    # With an odd size the last leaf stands alone: nothing but the root covers it.
    first = held.size if size - held.size <= _MOST_ROWS else size - size % 2
    if rows := _rows_named(stretch, first, size):
        place["rows"] = ", ".join(rows)
    yield Difference("checkpoint_differs_from_tree", place, checkpoint.root.hex(), counted.hex())


def _signed(row: CheckpointRow, signers: Signers) -> tuple[Checkpoint | None, list[Difference]]:
    """Return what was signed, where it was, and the difference where it is not what is kept."""
    altered = Difference("checkpoint_altered", {"table": "checkpoints", "size": row.tree_size})
    try:
        checkpoint = open_checkpoint(parse_note(row.note), *signers.of(row.tree_size)).checkpoint
    except BrokenNoteError:
        return None, [altered]
    if checkpoint.size != row.tree_size:
        return None, [altered]
    return checkpoint, [] if checkpoint.root == row.root else [altered]


def _root(size: int, known: Hashes) -> bytes | None:
    """Return the root over the edge of a tree, or None where a part of it is missing, which is named by itself."""
    if any(node not in known for node in merkle.edge_nodes(size)):
        return None
    return merkle.root(size, lambda level, index: known[level, index])


def _rows_named(stretch: Stretch, first: int, beyond: int) -> list[str]:
    leaves = [stretch.leaves[index] for index in range(first, beyond) if index in stretch.leaves]
    return [f"{leaf.chain} {leaf.seq}" for leaf in leaves]


def _row_place(chain: str, seq: int) -> dict[str, str | int]:
    return {"table": "ledger", "chain": chain, "seq": seq}
