"""What one person let leave alone: files cut small so that each goes with one signature are one large file.

A file that comes to more than the charter's `second_signature_above` is signed by two people, whoever they are. Of one
that comes to less it is for who signs it to be enough: with what they, or anybody in one hand with them, let leave
alone within the last `ALONE_DAYS` it may come to the same amount at most; else another person signs it too.

Pure, over what the log says of files that left: the desk asks in the commit that fetches, and `check` asks again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from ledger.currency.vouching import People

DAY = 86_400_000_000
"""Microseconds."""


class Left(NamedTuple):
    """A file that left at that moment (us), signed by one person with these keys. Without any it may be anybody's.

    Or a line that paid what no file let leave (`beside`), which the key placed.
    """

    at: int
    total: int
    keys: frozenset[bytes]


class Need(NamedTuple):
    """How many people sign a file, and what whoever signed it let leave alone before (cents) where that is too much."""

    people: int
    before: int = 0


def need(total: int, limit: int | None, signers: Collection[bytes], left: Iterable[Left], who: People) -> Need:
    """What a file of `total` cents needs which one person's signature would do for, with the keys that signed it."""
    if limit is None or not signers:
        return Need(1)
    files = list(left)
    before = min(sum(one.total for one in files if _may_be_theirs(key, one, who)) for key in signers)
    return Need(2, before) if before and before + total > limit else Need(1)


def may_alone(total: int, limit: int | None, key: bytes | None, left: Iterable[Left], who: People) -> bool:
    """Whether `total` cents that no file let leave are little enough for one person: for the one with that key.

    None is anybody: then all counts that one person let leave.
    """
    if limit is None:
        return True
    return total + sum(one.total for one in left if key is None or _may_be_theirs(key, one, who)) <= limit


def _may_be_theirs(key: bytes, file: Left, who: People) -> bool:
    return not file.keys or any(who.same_behind(key, other) for other in file.keys)
