"""The Merkle tree: the published vectors of RFC 6962, and the laws that hold for every tree and every proof."""

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof import merkle

# The eight leaves of the certificate-transparency tests (transparency-dev/merkle, testonly/constants.go), the roots of
# their trees, and proofs of testonly/reference_test.go.
LEAVES = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
_L0, _L1, _L4 = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
)
_N10, _N11, _N12, _N13 = (
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
)
_N20, _N21 = (
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
INCLUSION = [
    (0, 1, []),
    (0, 2, [_L1]),
    (1, 2, [_L0]),
    (2, 3, [_N10]),
    (1, 5, [_L0, _N11, _L4]),
    (0, 8, [_L1, _N11, _N21]),
    (5, 8, [_L4, _N13, _N20]),
]
CONSISTENCY = [(1, 1, []), (1, 8, [_L1, _N11, _N21]), (2, 5, [_N11, _L4]), (6, 8, [_N12, _N13, _N20])]


class Tree:
    """A tree that keeps complete subtrees only, as the store does."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.size, self.edge, self.reads = 0, tuple[bytes, ...](), 0
        self.add(leaves)

    def add(self, leaves: list[bytes]) -> None:
        grown = merkle.grow(self.size, self.edge, leaves)
        assert not self.nodes.keys() & {(node.level, node.index) for node in grown.nodes}
        self.nodes.update({(node.level, node.index): node.hash for node in grown.nodes})
        self.size, self.edge = grown.size, grown.edge

    def read(self, level: int, index: int) -> bytes:
        self.reads += 1
        return self.nodes[level, index]


def _plain_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + _plain_root(leaves[:k]) + _plain_root(leaves[k:])).digest()


def _flipped(parts: list[bytes], where: int) -> list[bytes]:
    """Turn one bit of one of the parts round."""
    each, bit = divmod(where, 8 * 32)
    content = int.from_bytes(parts[each], "big") ^ 1 << bit
    return [*parts[:each], content.to_bytes(32, "big"), *parts[each + 1 :]]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    tree = Tree(LEAVES)
    assert merkle.root(size, tree.read).hex() == ROOTS[size]
    assert merkle.grow(0, (), LEAVES[:size]).root.hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_inclusion_proofs_are_the_published_ones(index: int, size: int, proof: list[str]) -> None:
    found = merkle.inclusion_proof(index, size, Tree(LEAVES).read)
    assert [each.hex() for each in found] == proof
    leaf = merkle.leaf_hash(LEAVES[index])
    assert merkle.verifies_inclusion(leaf, index, size, found, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(old: int, new: int, proof: list[str]) -> None:
    found = merkle.consistency_proof(old, new, Tree(LEAVES).read)
    assert [each.hex() for each in found] == proof
    roots = [bytes.fromhex(each) for each in ROOTS]
    assert merkle.verifies_consistency(old, roots[old], new, roots[new], found)


@settings(max_examples=150, deadline=None)
@given(acts=st.lists(st.binary(max_size=40), min_size=1, max_size=130), data=st.data())
def test_random_acts_and_prefixes_give_proofs_that_no_altered_bit_survives(
    acts: list[bytes], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(acts)))
    tree = Tree(acts[:cut])
    tree.add(acts[cut:])
    new = data.draw(st.integers(1, len(acts)))
    old = data.draw(st.integers(0, new))
    index = data.draw(st.integers(0, new - 1))
    root, old_root = merkle.root(new, tree.read), merkle.root(old, tree.read)
    assert root == _plain_root(acts[:new])

    leaf = merkle.leaf_hash(acts[index])
    inclusion = merkle.inclusion_proof(index, new, tree.read)
    assert merkle.verifies_inclusion(leaf, index, new, inclusion, root)
    consistency = merkle.consistency_proof(old, new, tree.read)
    assert merkle.verifies_consistency(old, old_root, new, root, consistency)

    where = data.draw(st.integers(0, 8 * 32 * (len(inclusion) + 2) - 1))
    parts = _flipped([leaf, root, *inclusion], where)
    assert not merkle.verifies_inclusion(parts[0], index, new, parts[2:], parts[1])
    where = data.draw(st.integers(0, 8 * 32 * (len(consistency) + 2) - 1))
    parts = _flipped([old_root, root, *consistency], where)
    # The root of the new tree plays no part where the old one is empty.
    assert old == 0 or not merkle.verifies_consistency(old, parts[0], new, parts[1], parts[2:])
    assert not merkle.verifies_inclusion(leaf, index, new, [*inclusion, root], root)
    assert not merkle.verifies_consistency(old, old_root, new, root, [*consistency, root])
    if inclusion:
        assert not merkle.verifies_inclusion(leaf, index, new, inclusion[:-1], root)


def test_another_leaf_place_or_size_is_refused() -> None:
    acts = [bytes([number]) for number in range(37)]
    tree = Tree(acts)
    root = merkle.root(37, tree.read)
    proof = merkle.inclusion_proof(11, 37, tree.read)
    leaf = merkle.leaf_hash(acts[11])
    for index in range(-1, 40):
        assert merkle.verifies_inclusion(leaf, index, 37, proof, root) is (index == 11)
    assert not merkle.verifies_inclusion(merkle.leaf_hash(acts[12]), 11, 37, proof, root)
    assert not merkle.verifies_consistency(37, root, 36, root, [])
    with pytest.raises(IndexError):
        merkle.inclusion_proof(37, 37, tree.read)
    with pytest.raises(IndexError):
        merkle.consistency_proof(38, 37, tree.read)


def test_proofs_in_a_tree_of_ten_million_read_few_nodes() -> None:
    size, draw = 10_000_000, random.Random(9162)
    for _ in range(300):
        index, old = draw.randrange(size), draw.randrange(1, size)
        assert len(merkle.inclusion_nodes(index, size)) <= 48
        assert len(merkle.consistency_nodes(old, size)) <= 48
