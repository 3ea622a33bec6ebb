"""The Merkle log: RFC 6962 hashing, grown one leaf at a time. Pure.

The frontier of a tree of n leaves is the roots of its full subtrees, largest first: one 32-byte hash for each
bit set in n. It is all that appending needs, and folding it from the right gives the root (RFC 6962, 2.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
HASH_SIZE = 32


# Copying a hash that has taken its prefix costs less than starting a new one.
_LEAF, _NODE = sha256(b"\0"), sha256(b"\1")


def leaf_hash(record: bytes) -> bytes:
    """Hash of a leaf: SHA-256(0x00 || record)."""
    hashed = _LEAF.copy()
    hashed.update(record)
    return hashed.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    hashed = _NODE.copy()
    hashed.update(left)
    hashed.update(right)
    return hashed.digest()


def split(frontier: bytes) -> list[bytes]:
    """The frontier's hashes, largest subtree first, from their concatenation."""
    if len(frontier) % HASH_SIZE:
        raise ValueError(f"a frontier is a multiple of {HASH_SIZE} bytes, got {len(frontier)}")
    return [frontier[i : i + HASH_SIZE] for i in range(0, len(frontier), HASH_SIZE)]


def append(peaks: list[bytes], size: int, leaves: Sequence[bytes]) -> int:
    """Append leaf hashes to `peaks` (changed in place), which stand for `size` leaves; return the new size.

    It works a level at a time: the level's peak, if there is one, and the new nodes pair up into the new nodes of
    the level above; the one left over, if there is one, is the level's new peak.
    """
    total = size + len(leaves)
    level, grown = list(leaves), []
    while level:
        if size & 1:
            level.insert(0, peaks.pop())
        if len(level) & 1:
            grown.append(level.pop())
        level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
        size >>= 1
    peaks.extend(reversed(grown))
    return total


def root(peaks: list[bytes]) -> bytes:
    """Root of the tree whose full subtrees are `peaks`; of an empty tree, SHA-256 of nothing."""
    if not peaks:
        return EMPTY_ROOT
    node = peaks[-1]
    for peak in reversed(peaks[:-1]):
        node = node_hash(peak, node)
    return node
