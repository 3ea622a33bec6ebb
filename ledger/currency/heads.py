"""Signed heads: the currency's word, again and again, of how its log stood.

Whoever may write to the database can make a whole other book of it, hashes and all; nobody without the currency's key
can sign that book's root, nor take back what was signed before. So the end of the log is signed whenever it grew and a
while has passed, and kept in two places: a table, and a file beside the book (`heads_file`). `check` holds both against
the log; wallets keep what they saw.

The time of a head is that of its last entry, so that for one size there is one text to sign, whenever it is signed.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, insert, select

from ledger.core import tree
from ledger.core.store import Reading
from ledger.currency import proofs
from ledger.currency.errors import CurrencyError
from ledger.currency.tables import SIGNED_HEAD
from ledger.currency.told import tell
from ledger.currency.town import Town

STEP = 16_384
"""Entries between two kept heads, at the most: what has to be hashed to tell the root of any size."""
_HEAD = SIGNED_HEAD.c


class SignedHead(NamedTuple):
    """A signed end of the log. `at` is the time of its last entry (us)."""

    size: int
    at: int
    root: bytes
    signature: bytes


class _Place(NamedTuple):
    """A size of the log with what it takes to go on from there."""

    size: int
    at: int
    frontier: bytes


def sign(town: Town, size: int, at: int, root: bytes) -> SignedHead:
    """The head, signed by the currency."""
    return SignedHead(size, at, root, proofs.sign_head(town.key, town.charter.network, size, at, root))


def newest(town: Town) -> SignedHead:
    """The end of the log as it is now. Raises `CurrencyError` (log_shorter) for an empty log."""
    head = town.book.head()
    if not head.seq:
        raise _shorter(0)
    return sign(town, head.seq, head.at, head.root)


def at_size(town: Town, size: int) -> SignedHead:
    """The log's head when it had `size` entries. Raises `CurrencyError`: log_shorter when it never had so many."""
    with town.reading() as connection:
        query = select(_HEAD.size, _HEAD.at, _HEAD.frontier).where(_HEAD.size <= size).order_by(_HEAD.size.desc())
        row = connection.execute(query.limit(1)).first()
    with town.book.store.reading() as store:
        if not 1 <= size <= store.head().seq:
            raise _shorter(store.head().seq)
        place = _grown(store, _Place(*row) if row else _Place(0, 0, b""), size)
    return sign(town, place.size, place.at, tree.root(tree.split(place.frontier)))


def kept(town: Town) -> SignedHead | None:
    """The last head in the table."""
    query = select(_HEAD.size, _HEAD.at, _HEAD.root, _HEAD.signature).order_by(_HEAD.size.desc()).limit(1)
    with town.reading() as connection:
        row = connection.execute(query).first()
    return SignedHead(*row) if row else None


def keep(town: Town) -> list[SignedHead]:
    """Sign the end of the log and keep it in the table, if the log grew since the last one; gives what is new.

    Where many entries came since, some between are signed too (see `STEP`): each is a commit of its own, so nobody
    waits for them.
    """
    made: list[SignedHead] = []
    with town.reading() as connection:
        last = connection.execute(select(func.max(_HEAD.size))).scalar() or 0
        row = connection.execute(select(_HEAD.size, _HEAD.at, _HEAD.frontier).where(_HEAD.size == last)).first()
    place = _Place(*row) if row else _Place(0, 0, b"")
    while True:
        with town.book.store.reading() as store:
            end = store.head()
            if end.seq - place.size > STEP:
                place = _grown(store, place, place.size + STEP)
            elif end.seq > place.size:
                place = _Place(end.seq, end.at, end.frontier)
            else:
                return made
        root = tree.root(tree.split(place.frontier))
        head = sign(town, place.size, place.at, root)
        with town.book.store.writing() as writing:
            there = select(_HEAD.size).where(_HEAD.size == place.size)
            if writing.connection.execute(there).first() is None:  # another process may have been quicker
                writing.connection.execute(insert(SIGNED_HEAD).values(**head._asdict(), frontier=place.frontier))
                made.append(head)
        if place.size == end.seq:
            return made


def _grown(store: Reading, place: _Place, size: int) -> _Place:
    """The log's place at `size`, by the leaves after `place`."""
    peaks, done, at = tree.split(place.frontier), place.size, place.at
    while done < size:
        rows = store.log(done, min(4_096, size - done))
        if not rows:
            raise _shorter(done)
        done, at = tree.append(peaks, done, [row.leaf for row in rows]), rows[-1].at
    return _Place(size, at, b"".join(peaks))


def _shorter(size: int) -> CurrencyError:
    return CurrencyError("log_shorter", tell("the log has {size} entries, and never had as many as that", size=size))
