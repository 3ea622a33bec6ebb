"""Which payouts are owed, ordered, paid or undone: an index over the log, written in the commits that make them so.

Every function here runs inside a commit, under the lock of all writing, and says so by raising `Overtaken` when a
payout is no longer as it was when the caller decided: then nothing of that commit happened, and it is decided anew.
Each may run again for an entry that stood already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate

from sqlalchemy import ColumnElement, Connection, insert, or_, select, update

from ledger.core.model import Evidence, Posted, Transaction
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_BATCH
from ledger.currency.bank.reference import reference

PAID, RETURNED, REJECTED = "bank_payout", "bank_payout_return", "payout_rejected"
"""Kinds of the entries that settle or undo payouts; see the package."""
ORDERED, SIGNED, FETCHED, WITHDRAWN = "payouts_ordered", "payouts_signed", "payouts_fetched", "payouts_withdrawn"
"""Kinds of the notes about a file of payouts."""
REJECTING = "payout_rejecting"
"""Kind of the note that the bank will not execute a payout, as somebody says to whom another has to agree."""
_PAYOUT = PAYOUT.c


class Overtaken(Exception):
    """A payout was paid, undone, ordered or withdrawn by somebody else in between."""


def payout_reference(network: bytes, reconversion: bytes) -> str:
    """What tells a payout in the bank's texts: its end-to-end id."""
    return reference("payout", network, reconversion)


def packed(places: Iterable[int]) -> str:
    """Places of reconversions in the log, as evidence holds them: the first, then what is added to it each time."""
    ordered = sorted(places)
    return ",".join(str(place - before) for before, place in zip([0, *ordered], ordered, strict=False))


def unpacked(text: str) -> list[int]:
    """The places that `packed` wrote. Raises `ValueError` for a text that it would not write."""
    steps = [int(step) for step in text.split(",")]
    places = list(accumulate(steps))
    if min(steps) < 1 or packed(places) != text:
        raise ValueError("not places of the log, each once and in order")
    return places


def owed(connection: Connection, network: bytes, posted: Posted, holder: int, units: int, amount: int) -> None:
    """From `posted` on, the holder of the account is owed `amount` cents for `units` changed back."""
    connection.execute(
        insert(PAYOUT).values(
            reconversion=posted.id, seq=posted.seq, holder=holder, units=units, amount=amount,
            reference=payout_reference(network, posted.id),
        )
    )  # fmt: skip


def ordered(connection: Connection, places: Collection[int], batch: bytes) -> None:
    """These are in a live batch from now on. Raises `Overtaken` unless each is due and in none."""
    _all(connection, places, _PAYOUT.batch.is_(None), _PAYOUT.paid_by.is_(None), batch=batch)


def withdrawn(connection: Connection, batch: bytes) -> None:
    """What the batch did not pay may go into another."""
    connection.execute(update(PAYOUT).where(_PAYOUT.batch == batch, _PAYOUT.paid_by.is_(None)).values(batch=None))


def paid(connection: Connection, places: Collection[int], entry: bytes) -> None:
    """The entry paid these. Raises `Overtaken` unless each was due."""
    _all(connection, places, _PAYOUT.paid_by.is_(None) | (_PAYOUT.paid_by == entry), paid_by=entry)


def undone(connection: Connection, places: Collection[int], entry: bytes, *, were_paid: bool) -> None:
    """The entry gave these shops their units back. Raises `Overtaken` unless each was paid, or each was not."""
    right = _PAYOUT.paid_by.is_not(None) if were_paid else _PAYOUT.paid_by.is_(None)
    _all(connection, places, right, undone_by=entry)


def away(connection: Connection, places: Collection[int], entry: bytes) -> None:
    """The entry took the euros of these in a sum of several, though their shops have their units again."""
    _gone(connection, places, or_(_PAYOUT.away_by.is_(None), _PAYOUT.away_by == entry), away_by=entry)


def home(connection: Connection, places: Collection[int], entry: bytes) -> None:
    """The entry brought the euros of these back."""
    free = or_(_PAYOUT.home_by.is_(None), _PAYOUT.home_by == entry)
    _gone(connection, places, _PAYOUT.away_by.is_not(None), free, home_by=entry)


def taken_back(connection: Connection, entry: bytes) -> None:
    """The entry counts no more: its line was withdrawn, or put back into suspense."""
    for column in (_PAYOUT.paid_by, _PAYOUT.undone_by, _PAYOUT.away_by, _PAYOUT.home_by):
        connection.execute(update(PAYOUT).where(column == entry).values({column.name: None}))
    # What a file had paid when it was withdrawn stayed in it; due again, it may go into another.
    gone = select(PAYOUT_BATCH.c.id).where(PAYOUT_BATCH.c.withdrawn_at.is_not(None))
    connection.execute(update(PAYOUT).where(_PAYOUT.paid_by.is_(None), _PAYOUT.batch.in_(gone)).values(batch=None))


def stood(connection: Connection, transaction: Transaction) -> None:
    """Keep what a transaction of a bank line did to payouts, where it did something."""
    if transaction.kind not in (PAID, RETURNED):
        return
    evidence, entry = transaction.evidence, transaction.id
    places = named(connection, evidence)
    back = given_back(evidence)
    if transaction.kind == PAID:
        paid(connection, places, entry)
        away(connection, back, entry)
    else:
        undone(connection, places, entry, were_paid=True)
        home(connection, back, entry)


def naming(payouts: Sequence[tuple[bytes, int]]) -> dict[str, str]:
    """How evidence names payouts, given as (reconversion, place): one by its reconversion's id, several by places."""
    if not payouts:
        return {}
    if len(payouts) == 1:
        return {"payout": payouts[0][0].hex()}
    return {"payouts": packed(place for _reconversion, place in payouts)}


def named(connection: Connection, evidence: Evidence) -> list[int]:
    """The places of the payouts that evidence names."""
    if "payouts" in evidence:
        return unpacked(str(evidence["payouts"]))
    if "payout" not in evidence:
        return []
    one = bytes.fromhex(str(evidence["payout"]))
    return list(connection.scalars(select(_PAYOUT.seq).where(_PAYOUT.reconversion == one)))


def given_back(evidence: Evidence) -> list[int]:
    """The places of those whose shops have their units already, that evidence names beside them."""
    return unpacked(str(evidence["given_back"])) if "given_back" in evidence else []


def _all(connection: Connection, places: Collection[int], *right: ColumnElement[bool], **values: bytes) -> None:
    stands = or_(_PAYOUT.undone_by.is_(None), _PAYOUT.undone_by == values.get("undone_by", b""))
    _update(connection, places, stands, *right, **values)


def _gone(connection: Connection, places: Collection[int], *right: ColumnElement[bool], **values: bytes) -> None:
    _update(connection, places, _PAYOUT.undone_by.is_not(None), _PAYOUT.paid_by.is_(None), *right, **values)


def _update(connection: Connection, places: Collection[int], *right: ColumnElement[bool], **values: bytes) -> None:
    if not places:
        return
    query = update(PAYOUT).where(_PAYOUT.seq.in_(sorted(places)), *right).values(values)
    if connection.execute(query).rowcount != len(places):
        raise Overtaken
