"""Accounting entries out of the log: one for each transaction, in the order of the log, in memory that stays flat.

The log is read twice. First whole, without making anything of it, for the balances with which the year begins; then
what lies in the year.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import select

from ledger.currency.accounts.mapping import Accounts, Journal, Line
from ledger.currency.accounts.periods import Calendar, Closing, Period
from ledger.currency.accounts.plan import Plan, plain
from ledger.currency.clocked import Moments
from ledger.currency.tables import HOLDING, PARTY
from ledger.currency.town import Town

PAGE: Final = 2_000
OPENING: Final = "AN"
KINDS: Final = {
    "conversion": "Change",
    "conversion_corrected": "Change annulé",
    "payment": "Paiement",
    "refund": "Remboursement",
    "reconversion_asked": "Reconversion demandée",
    "reconversion": "Reconversion acceptée",
    "reconversion_refused": "Reconversion refusée",
    "import": "Reprise d'historique",
    "opening": "Ouverture de la réserve",
    "bank_suspense": "Ligne de banque à identifier",
    "bank_placed": "Ligne de banque identifiée",
    "bank_back": "Identification annulée",
    "bank_return": "Change rejeté par la banque",
    "bank_transit": "Virement interne",
    "bank_withdrawn": "Ligne retirée par la banque",
    "bank_payout": "Paiement de reconversions",
    "bank_payout_return": "Reconversion non payée",
    "payout_rejected": "Reconversion annulée",
    "bank_collection": "Change par prélèvement",
    "bank_collection_unpaid": "Prélèvement impayé",
    "monthly_released": "Change par prélèvement, unités remises",
}
"""What an entry is called; a kind that is not here is called by its own name. Part of the form of a FEC: what stands
here stays, and a kind comes in with the first version of the program that has it.
"""
Progress = Callable[[int, int], None]
"""Called with the log entries read and all that are to be."""


class Entry(NamedTuple):
    """An accounting entry. `day` is what it counts for, `valid_on` when the log took it, as ISO texts.

    Numbers are without a gap within each journal, and begin with its code. `piece` is the slip or bank line, else the
    end of the transaction's id.
    """

    number: str
    journal: Journal
    day: str
    valid_on: str
    piece: str
    piece_on: str
    text: str
    lines: list[Line]


@dataclass
class Books:
    """The accounts of one business year. Made by `open_books`; `entries` may be read again and again.

    `earlier` counts the transactions that lie before the year, the oldest on the day `oldest`. `seq` is the last log
    entry looked at, `begun` the day of the first.
    """

    town: Town
    plan: Plan
    period: Period
    closed: list[Closing]
    seq: int
    accounts: Accounts
    begun: str = ""
    earlier: int = 0
    oldest: str = ""
    opening: list[Line] = field(default_factory=list)
    first: int = 0
    last: int = 0
    """The first and the last log entry that lies in the year; 0 for none."""

    @property
    def next_day(self) -> date | None:
        """The first day of the next year, once this one is over."""
        over = self.period.closing or self.period.end < self.town.charter.local_date(self.town.now())
        return self.period.end + timedelta(days=1) if over else None

    def entries(self, progress: Progress | None = None) -> Iterator[Entry]:
        """The year's entries, that of the opening balances first."""
        numbers: Counter[str] = Counter()
        start = self.period.start.isoformat()
        if self.opening:
            journal = Journal(OPENING, "À nouveaux")
            yield Entry(f"{OPENING}-000001", journal, start, start, f"AN{start[:4]}", start, "À nouveaux", self.opening)
        if not self.first:
            return
        end, accounts = self.period.end.isoformat(), self.accounts
        calendar, moments = Calendar(self.plan.timezone, self.closed), Moments(self.town, self.seq)
        for seq, at, body in _log(self.town, self.first - 1, self.last, progress):
            if "transfers" not in body:
                continue
            log_day, booked_on = calendar.log_day(moments.of(seq, at)), body.get("booked_on")
            day = calendar.day(seq, log_day, booked_on)
            if not start <= day <= end:
                continue
            lines, journal = accounts.entered(body)
            if not lines:
                continue
            numbers[journal.code] += 1
            evidence = body.get("evidence", {})
            piece = evidence.get("reference")
            kind = body["kind"]
            yield Entry(
                f"{journal.code}-{numbers[journal.code]:06d}", journal, day, log_day,
                plain(str(piece)) if piece else body["id"][16:], booked_on if piece and booked_on else log_day,
                KINDS.get(kind) or f"Opération {kind}", lines,
            )  # fmt: skip


def open_books(
    town: Town, plan: Plan, period: Period, closed: list[Closing], *, names: Mapping[int, str] | None = None,
    progress: Progress | None = None,
) -> Books:  # fmt: skip
    """Read the log up to its end, or to where the year was closed, for what the year begins with.

    `names` are the names of account holders by account; without them, lines name accounts only.
    """
    seq = period.closing.seq if period.closing else town.book.head().seq
    books = Books(town, plan, period, closed, seq, Accounts(town, plan, names or {}))
    start, end = period.start.isoformat(), period.end.isoformat()
    calendar, accounts = Calendar(plan.timezone, closed), books.accounts
    moments = Moments(town, seq)
    held: Counter[str] = Counter()
    for place, at, body in _log(town, 0, seq, progress):
        log_day = calendar.log_day(moments.of(place, at))
        books.begun = books.begun or log_day
        if "transfers" in body:
            day = calendar.day(place, log_day, body.get("booked_on"))
            if day < start:
                books.earlier += 1
                books.oldest = min(books.oldest or day, day)
                for debit, credit, cents in accounts.moves(body):
                    held[debit] += cents
                    held[credit] -= cents
            elif day <= end:
                books.first = books.first or place
                books.last = place
        elif "account" in body:
            accounts.opened(body)
    books.opening = accounts.opening(held)
    return books


def names_of(town: Town) -> dict[int, str]:
    """The names of account holders as the tables have them now, by account."""
    query = select(HOLDING.c.account, PARTY.c.name).join(PARTY, PARTY.c.id == HOLDING.c.party)
    with town.reading() as connection:
        return {account: name for account, name in connection.execute(query)}


def _log(town: Town, after: int, last: int, progress: Progress | None) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Log entries with their moment and the body of their record, as the book wrote it; `patard check` proves them."""
    first = after
    while after < last:
        with town.book.store.reading() as store:
            rows = store.log(after, min(PAGE, last - after))
        if not rows:
            return
        for row in rows:
            yield row.seq, row.at, orjson.loads(row.record)
        after = rows[-1].seq
        if progress is not None:
            progress(after - first, last - first)
