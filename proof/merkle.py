"""The Merkle tree of RFC 9162 section 2.1 over SHA-256: roots, proofs and their verification.

A node is named by level and index: level 0 holds the hashes of the leaves, and the node (level, index) covers the
leaves from `index << level` up to `(index + 1) << level`. Only complete subtrees are ever asked for, which never change
once they are full, so that whoever keeps them serves any proof from O(log n) of them.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

NodeId = tuple[int, int]
Reader = Callable[[int, int], bytes]
_Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Node:
    """The hash of a complete subtree."""

    level: int
    index: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Growth:
    """What leaves added to a tree make: the subtrees that became complete, and the edge and root of the new tree."""

    size: int
    nodes: tuple[Node, ...]
    edge: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        """The root of the grown tree."""
        return _folded(self.edge)


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def edge_nodes(size: int) -> list[NodeId]:
    """Return the complete subtrees that a tree of this size consists of, from left to right."""
    return _cover(0, size)


def grow(size: int, edge: Sequence[bytes], leaves: Iterable[bytes]) -> Growth:
    """Add leaves, given by their contents, to a tree of which only the hashes of its `edge_nodes` are known."""
    stack = [(level, digest) for (level, _index), digest in zip(edge_nodes(size), edge, strict=True)]
    nodes: list[Node] = []
    for content in leaves:
        level, index, digest = 0, size, leaf_hash(content)
        nodes.append(Node(level, index, digest))
        while stack and stack[-1][0] == level:
            level, index, digest = level + 1, index // 2, node_hash(stack.pop()[1], digest)
            nodes.append(Node(level, index, digest))
        stack.append((level, digest))
        size += 1
    return Growth(size, tuple(nodes), tuple(digest for _level, digest in stack))


def root(size: int, read: Reader) -> bytes:
    """Return the root of the tree of the first `size` leaves."""
    return _range_hash((0, size), read) if size else EMPTY_ROOT


def inclusion_nodes(index: int, size: int) -> list[NodeId]:
    """Return the complete subtrees that an inclusion proof is made of."""
    return [node for each in _inclusion_ranges(index, size) for node in _cover(*each)]


def consistency_nodes(old: int, new: int) -> list[NodeId]:
    """Return the complete subtrees that a consistency proof is made of."""
    return [node for each in _consistency_ranges(old, new) for node in _cover(*each)]


def inclusion_proof(index: int, size: int, read: Reader) -> list[bytes]:
    """Return the proof that a leaf is in the tree of the first `size` leaves (RFC 9162, 2.1.3.1).

    Raises:
        IndexError: when the leaf is not in that tree.
    """
    return [_range_hash(each, read) for each in _inclusion_ranges(index, size)]


def consistency_proof(old: int, new: int, read: Reader) -> list[bytes]:
    """Return the proof that the tree of `new` leaves continues that of `old` ones (RFC 9162, 2.1.4.1).

    Raises:
        IndexError: when the old tree is larger than the new one.
    """
    return [_range_hash(each, read) for each in _consistency_ranges(old, new)]


def verifies_inclusion(content_hash: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Say whether a proof leads from a leaf's hash to the root of a tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or any(len(each) != HASH_BYTES for each in proof):
        return False
    position, last, digest = index, size - 1, content_hash
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            digest = node_hash(sibling, digest)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            digest = node_hash(digest, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and digest == expected


def verifies_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether a proof shows that a tree continues an older one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new or any(len(each) != HASH_BYTES for each in proof):
        return False
    if old in (0, new):
        # Nothing is to be proved: every tree continues the empty one, and each one itself.
        return not proof and old_root == (EMPTY_ROOT if old == 0 else new_root)
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _cover(start: int, end: int) -> list[NodeId]:
    """Return the complete subtrees of a range whose start is aligned to its size, the largest first."""
    found: list[NodeId] = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def _range_hash(each: _Range, read: Reader) -> bytes:
    return _folded([read(level, index) for level, index in _cover(*each)])


def _folded(hashes: Sequence[bytes]) -> bytes:
    """Return the hash over subtrees that stand side by side, the largest first."""
    if not hashes:
        return EMPTY_ROOT
    *others, digest = hashes
    for left in reversed(others):
        digest = node_hash(left, digest)
    return digest


def _inclusion_ranges(index: int, size: int) -> list[_Range]:
    if not 0 <= index < size:
        raise IndexError("no such leaf in a tree of this size")
    return list(reversed(list(_beside(index, size))))


def _beside(index: int, size: int) -> Iterator[_Range]:
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            yield middle, end
            end = middle
        else:
            yield start, middle
            start = middle


def _consistency_ranges(old: int, new: int) -> list[_Range]:
    if not 0 <= old <= new:
        raise IndexError("the old tree is larger than the new one")
    if old in (0, new):
        return []
    found: list[_Range] = []
    start, end, is_known = 0, new, True
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start, is_known = middle, False
    return [*([] if is_known else [(start, end)]), *reversed(found)]


def _split(size: int) -> int:
    """Return the largest power of two below a size of at least two."""
    return 1 << (size - 1).bit_length() - 1
