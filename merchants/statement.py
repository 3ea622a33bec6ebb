"""Statements as people read them: the engine's entries with names and memos beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ledger.core.model import Entry, Transaction
from ledger.core.record import Record, parse
from ledger.currency import clocked, parties
from ledger.currency.parties import Party
from ledger.currency.town import Town
from merchants.desk import memos


class Line(NamedTuple):
    """A statement line: the entry, who is on the other side (None for the currency itself), the memo."""

    entry: Entry
    counterparty: Party | None
    memo: str | None

    @property
    def reference(self) -> str | None:
        """The slip or bank line that an entry comes from."""
        found = self.entry.evidence.get("reference")
        return None if found is None else str(found)


class Statement(NamedTuple):
    """A page, newest line first. `next` is the place to go on from; 0 when there is nothing older."""

    lines: list[Line]
    next: int


class Day(NamedTuple):
    """What an account took today, in cents; `date` in the charter's time zone, from its hour to that hour."""

    date: str
    payments: int
    received: int
    refunded: int


def named(town: Town, entries: list[Entry]) -> list[Line]:
    """The entries with names and memos."""
    if not entries:
        return []
    with town.reading() as connection:
        who = parties.by_accounts(connection, {entry.counterparty for entry in entries})
        texts = memos(connection, {id_ for e in entries for id_ in (e.id, e.corrects) if id_ is not None})
    return [
        Line(e, who.get(e.counterparty), texts.get(e.id) or (texts.get(e.corrects) if e.corrects else None))
        for e in entries
    ]


def statement(
    town: Town, account: int, *, limit: int = 50, before: int | None = None, since: int | None = None,
    until: int | None = None,
) -> Statement:  # fmt: skip
    """A page of the account's statement; see `Book.statement`."""
    page = town.book.statement(account, limit=limit, before=before, since=since, until=until)
    return Statement(named(town, page.entries), page.next)


def after(town: Town, account: int, seq: int, *, page: int = 32) -> Iterator[list[Line]]:
    """The account's lines with a sequence number above `seq`, oldest first, in pages that are never empty.

    An account's entries hang together backwards only. So the way back is walked first, over bare rows, and only
    where each page ends is kept: however much there is to tell, it takes a page's worth of memory. Raises
    `UnknownAccount`.
    """
    ends: list[int] = []
    place = town.book.account(account).last
    with town.book.store.reading() as store:
        while place:
            rows = store.walk(account, place, page + 1)
            if rows[0].place >> 8 <= seq:
                break
            ends.append(place)
            place = rows[page].place if len(rows) > page else 0
    for end in reversed(ends):
        entries = town.book.statement(account, limit=page, before=end + 1).entries
        yield named(town, [entry for entry in entries if entry.seq > seq][::-1])


def today(town: Town, account: int) -> Day:
    """What the account was paid since the charter's hour, and what of it was given back."""
    now = town.now()
    date, began = town.charter.till_day_start(now)
    since = clocked.since(town, now, began)
    payments = received = refunded = 0
    before: int | None = None
    while True:
        page = town.book.statement(account, limit=500, before=before, since=since)
        for entry in page.entries:
            if entry.kind == "payment" and entry.change > 0:
                payments += 1
                received += entry.change
            elif entry.kind == "refund" and entry.change < 0:
                refunded -= entry.change
        if not page.next:
            return Day(date.isoformat(), payments, received, refunded)
        before = page.next


def refunded(town: Town, id_: bytes) -> int:
    """Cents given back of a payment so far."""
    with town.book.store.reading() as store:
        original = store.originals([id_]).get(id_)
    if original is None:
        return 0
    total = 0
    for data in original.corrections:
        instruction = parse(data).instruction
        assert isinstance(instruction, Transaction)
        total += sum(t.amount for t in instruction.transfers)
    return total


def sides(found: Record) -> tuple[int, int, int] | None:
    """Payer, payee and cents of a posted payment, refund or request to change back; None for anything else."""
    instruction = found.instruction
    if not isinstance(instruction, Transaction) or "order" not in instruction.evidence:
        return None
    transfer = instruction.transfers[0]
    return transfer.debit, transfer.credit, transfer.amount
