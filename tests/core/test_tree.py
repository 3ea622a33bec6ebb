"""The Merkle log against the published vectors of RFC 6962 and its definition, however the leaves arrive."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core import tree

# The inputs and roots with which the implementations of Certificate Transparency test their trees.
INPUTS = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
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


def defined(leaves: list[bytes]) -> bytes:
    """The tree hash as RFC 6962, section 2.1 writes it down."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\1" + defined(leaves[:k]) + defined(leaves[k:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    peaks: list[bytes] = []
    assert tree.append(peaks, 0, [tree.leaf_hash(data) for data in INPUTS[:size]]) == size
    assert tree.root(peaks).hex() == ROOTS[size]
    assert defined(INPUTS[:size]).hex() == ROOTS[size]


def test_published_leaf_and_node() -> None:
    assert tree.leaf_hash(b"").hex() == ROOTS[1]
    assert tree.leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert tree.node_hash(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    assert tree.EMPTY_ROOT.hex() == ROOTS[0]


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), max_size=12))
def test_the_cut_into_batches_does_not_matter(cuts: list[int]) -> None:
    leaves = [bytes([n % 256, n // 256]) for n in range(sum(cuts))]
    peaks: list[bytes] = []
    size = 0
    for cut in cuts:
        size = tree.append(peaks, size, [tree.leaf_hash(data) for data in leaves[size : size + cut]])
    assert size == len(leaves)
    assert len(peaks) == size.bit_count()
    assert tree.root(peaks) == defined(leaves)
    one: list[bytes] = []
    for n, data in enumerate(leaves):
        tree.append(one, n, [tree.leaf_hash(data)])
    assert one == peaks


@pytest.mark.parametrize("size", range(70))
def test_the_frontier_is_the_roots_of_the_full_subtrees(size: int) -> None:
    leaves = [bytes([n]) for n in range(size)]
    peaks: list[bytes] = []
    tree.append(peaks, 0, [tree.leaf_hash(data) for data in leaves])
    begin = 0
    expected = []
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            expected.append(defined(leaves[begin : begin + (1 << bit)]))
            begin += 1 << bit
    assert tree.split(b"".join(peaks)) == expected == peaks


def test_a_frontier_is_whole_hashes() -> None:
    assert tree.split(b"") == []
    with pytest.raises(ValueError, match="33"):
        tree.split(bytes(33))
