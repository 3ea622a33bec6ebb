"""The Merkle log: RFC 6962 hashing, grown one leaf at a time. Pure.

The frontier of a tree of n leaves is the roots of its full subtrees, largest first: one 32-byte hash for each
bit set in n. It is all that appending needs, and folding it from the right gives the root (RFC 6962, 2.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
HASH_SIZE = 32


def leaf_hash(record: bytes) -> bytes:
    """Hash of a leaf: SHA-256(0x00 || record)."""
    return sha256(b"\0" + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\1" + left + right).digest()


def split(frontier: bytes) -> list[bytes]:
    """The frontier's hashes, largest subtree first, from their concatenation."""
    if len(frontier) % HASH_SIZE:
        raise ValueError(f"a frontier is a multiple of {HASH_SIZE} bytes, got {len(frontier)}")
    return [frontier[i : i + HASH_SIZE] for i in range(0, len(frontier), HASH_SIZE)]


def append(peaks: list[bytes], size: int, leaves: Iterable[bytes]) -> int:
    """Append leaf hashes to `peaks` (changed in place), which stand for `size` leaves; return the new size.

    Each leaf merges once for every low bit set in the size before it: on average one inner hash a leaf.
    """
    for node in leaves:
        bits = size
        while bits & 1:
            node = sha256(b"\1" + peaks.pop() + node).digest()
            bits >>= 1
        peaks.append(node)
        size += 1
    return size


def root(peaks: list[bytes]) -> bytes:
    """Root of the tree whose full subtrees are `peaks`; of an empty tree, SHA-256 of nothing."""
    if not peaks:
        return EMPTY_ROOT
    node = peaks[-1]
    for peak in reversed(peaks[:-1]):
        node = node_hash(peak, node)
    return node
