"""The chains of some accounts, read back together from their ends to where they were read before.

Each log entry is fetched once, however many of the accounts it moves, and its record is taken apart only where more
than its day has to be known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from heapq import merge
from itertools import groupby, islice
from typing import Any, NamedTuple

import orjson

from ledger.core.rules import LogRow, TransferRow
from ledger.core.store import Reading
from ledger.currency.clocked import Moments
from ledger.currency.days import counted

PAGE = 2_000
BATCH = 2_000
"""Log entries that are fetched at a time."""
_BOOKED_ON = b'"booked_on":"'


class Chain(NamedTuple):
    """An account's chain: the place of its last transfer (0: none), and the log entry up to which it was read."""

    last: int
    after: int


class Entry(NamedTuple):
    """A log entry, and its transfers on the accounts that are read: pairs of account number and transfer."""

    row: LogRow
    legs: list[tuple[int, TransferRow]]

    def change(self, number: int) -> int:
        """What it made of the balance of one of those accounts, which is debit-normal."""
        return sum(leg.amount if leg.debit == number else -leg.amount for of, leg in self.legs if of == number)


def entries(store: Reading, chains: Mapping[int, Chain]) -> Iterator[list[Entry]]:
    """The entries of those accounts, by number, that were not read before: some at a time, newest first."""
    together = merge(*(_back(store, number, chain) for number, chain in chains.items()), reverse=True)
    by_entry = groupby(together, key=lambda found: found[0] >> 8)
    while some := [(seq, [(number, leg) for _place, number, leg in legs]) for seq, legs in islice(by_entry, BATCH)]:
        rows = store.entries([seq for seq, _legs in some])
        yield [Entry(rows[seq], legs) for seq, legs in some]


def _back(store: Reading, number: int, chain: Chain) -> Iterator[tuple[int, int, TransferRow]]:
    place, oldest = chain.last, chain.after * 256 + 255
    while place > oldest:
        rows = store.walk(number, place, PAGE)
        for row in rows:
            if row.place <= oldest:
                return
            yield row.place, number, row
        place = rows[-1].debit_previous if rows[-1].debit == number else rows[-1].credit_previous


def first_of(store: Reading, number: int, last: int) -> LogRow:
    """The oldest entry of an account's chain, which ends at the place `last`."""
    place = last
    while place:
        oldest = store.walk(number, place, PAGE)[-1]
        place = oldest.debit_previous if oldest.debit == number else oldest.credit_previous
    seq = oldest.place >> 8
    return store.entries([seq])[seq]


class Days:
    """The local day of moments and of booking dates, each worked out once."""

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        self._quarters: dict[tuple[str, int], date] = {}
        self._dates: dict[bytes, date] = {}

    def of(self, row: LogRow) -> date:
        """The day an entry counts for: its booking date if it can be, else the day on which the log took it."""
        # A transaction's record begins {"at":...,"booked_on":"2026-11-20": its keys are sorted.
        found = row.record.find(_BOOKED_ON, 0, 48)
        if found > 0:
            text = row.record[found + len(_BOOKED_ON) : found + len(_BOOKED_ON) + 10]
            if (day := self._dates.get(text)) is None:
                day = self._dates[text] = date.fromisoformat(text.decode())
            return counted(day, self.taken(row))
        return self.taken(row)

    def taken(self, row: LogRow) -> date:
        """The day on which the log took an entry."""
        # No time zone changes its day, or its clocks, but at a full quarter of an hour.
        charter, quarter = self._moments.zones.at(row.seq), self._moments.of(row.seq, row.at) // 900_000_000
        if (day := self._quarters.get((charter.timezone, quarter))) is None:
            day = self._quarters[charter.timezone, quarter] = charter.local_date(quarter * 900_000_000)
        return day


class Said(NamedTuple):
    """What the record of a log entry says: records as the book wrote them, which `patard check` proves.

    `transfers` are as in the record: account numbers in hex, cents, unit; `corrects` is hex.
    """

    seq: int
    kind: str
    evidence: dict[str, Any]
    transfers: list[Any]
    corrects: str | None

    def moves(self, number: int) -> bool:
        """Whether it moves something on this account."""
        return any(f"{number:016x}" in transfer for transfer in self.transfers)


def said(record: bytes) -> Said:
    """What a record says."""
    body = orjson.loads(record)
    return Said(
        body["seq"], body["kind"], body.get("evidence") or {}, body.get("transfers") or [], body.get("corrects")
    )


def records_of(store: Reading, ids: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Ids of log entries with their records, some at a time."""
    for start in range(0, len(ids), BATCH):
        yield from store.posted(ids[start : start + BATCH]).items()
