"""Accounting entries out of the log: one for each transaction, in the order of the log, in memory that stays flat.

In books kept in euros the units of members are a debt, and `circulation` and `guarantee` are two sides of one thing: a
unit is out, a euro stands behind it. Both, and the accounts of issuers that a currency moved in with, are the one
account `guarantee` of the plan, whose lines within an entry are one sum: nothing, for all that moves as much of the
one as of the other. A debit is as great as its credit in every transfer, in whatever unit, and a unit is a euro: so
every entry balances, of every kind, those that are not invented yet too.

The log is read twice. First whole, without making anything of it, for the balances with which the year begins; then
what lies in the year.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import select

from ledger.core.ids import account_text
from ledger.currency.accounts import pcg
from ledger.currency.accounts.periods import Calendar, Closing, Period
from ledger.currency.accounts.plan import Plan, PlanAccount, plain
from ledger.currency.chart import EUR
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
    "bank_payout": "Paiement de reconversions",
    "bank_return": "Change rejeté par la banque",
    "bank_collection": "Change par prélèvement",
    "bank_transit": "Virement interne",
    "bank_withdrawn": "Ligne retirée par la banque",
}
"""What an entry is called; a kind that is not here is called by its own name."""
PARTIES: Final = {"person": "Particulier", "shop": "Commerce", "association": "Association",
                  "public_body": "Collectivité"}  # fmt: skip
WAITING: Final = {"waiting": "Reconversions demandées", "maturing": "Prélèvements encore contestables"}

Progress = Callable[[int, int], None]
"""Called with the log entries read and all that are to be."""


class Journal(NamedTuple):
    """Where an entry is entered."""

    code: str
    title: str


class Line(NamedTuple):
    """One line of an entry, in cents; either `debit` or `credit` is 0."""

    account: PlanAccount
    debit: int
    credit: int


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
    accounts: _Accounts
    begun: str = ""
    earlier: int = 0
    oldest: str = ""
    opening: list[Line] = field(default_factory=list)
    first: int = 0
    last: int = 0
    """The first and the last log entry that lies in the year; 0 for none."""

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
        calendar = Calendar(self.plan.timezone, self.closed)
        for seq, at, body in _log(self.town, self.first - 1, self.last, progress):
            if "transfers" not in body:
                continue
            log_day, booked_on = calendar.log_day(at), body.get("booked_on")
            day = calendar.day(seq, log_day, booked_on)
            if not start <= day <= end:
                continue
            lines, journal = accounts.entered(body["transfers"])
            if not lines:
                continue
            numbers[journal.code] += 1
            evidence = body.get("evidence", {})
            piece = evidence.get("line") or evidence.get("reference")
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
    books = Books(town, plan, period, closed, seq, _Accounts(town, plan, names or {}))
    start, end = period.start.isoformat(), period.end.isoformat()
    calendar, accounts = Calendar(plan.timezone, closed), books.accounts
    held: Counter[str] = Counter()
    for place, at, body in _log(town, 0, seq, progress):
        log_day = calendar.log_day(at)
        books.begun = books.begun or log_day
        if "transfers" in body:
            day = calendar.day(place, log_day, body.get("booked_on"))
            if day < start:
                books.earlier += 1
                books.oldest = min(books.oldest or day, day)
                for debit, credit, cents, _unit in body["transfers"]:
                    held[accounts.debited(debit, credit)] += cents
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


class _Accounts:
    """The account of the books that each account of the ledger is. Ledger accounts are 16 hex digits, as in records."""

    def __init__(self, town: Town, plan: Plan, names: Mapping[int, str]) -> None:
        chart = town.chart
        own = {name: f"{number:016x}" for name, number in chart.own().items()}
        banks = {name: f"{number:016x}" for name, number in chart.reserve.items() if name in plan.reserve}
        self.plan = plan
        self.names = names
        self.holders, self.pot = plan.account("holders"), plan.account("guarantee")
        self.places = {number: plan.reserve_account(name) for name, number in banks.items()}
        for name, number in own.items():
            if name in WAITING:
                self.places[number] = self._held(int(number, 16), WAITING[name])
            elif name in ("circulation", "guarantee"):
                self.places[number] = self.pot
            else:
                self.places[number] = plan.account("fees" if name == "income" else name)
        self.waiting, self.income, self.operations = own["waiting"], own["income"], own["operations"]
        self.journals = {number: _journal(plan, name) for name, number in banks.items()}
        self.leaving = {*banks.values(), own["suspense"]}

    def opened(self, body: dict[str, Any]) -> None:
        """Learn of an account that the log opens."""
        shown, evidence = body["account"], body.get("evidence", {})
        number = shown["number"]
        if number in self.places:
            return
        if "party" in evidence:
            account = int(number, 16)
            kind = PARTIES.get(evidence["party"], "Adhérent")
            name = self.names.get(account) or f"{kind} {account_text(account)}"
            self.places[number] = self._held(account, plain(name))
        elif shown["unit"] != EUR:
            self.places[number] = self.pot  # an issuer's: what it has out are units like those of circulation
        else:
            # Euros on an account that is none of the currency's own: the audit finds it, and here it is not lost.
            text = account_text(int(number, 16))
            self.places[number] = self.plan.account("suspense")._replace(auxiliary=text, auxiliary_label="Hors plan")

    def _held(self, account: int, label: str) -> PlanAccount:
        return self.holders._replace(auxiliary=account_text(account), auxiliary_label=label)

    def debited(self, debit: str, credit: str) -> str:
        """The account that a transfer debits. Fees that leave the reserve (perhaps as a line of the bank that nobody
        could place at first) are not less income: the association has them on an account of its own from then on.
        """
        return self.operations if debit == self.income and credit in self.leaving else debit

    def entered(self, transfers: list[tuple[str, str, int, str]]) -> tuple[list[Line], Journal]:
        """The lines that a transaction's transfers make, debits first, and the journal that they belong to."""
        debits, credits, places, pot = [], [], self.places, self.pot
        rest = 0
        journal: Journal | None = None
        for debit, credit, cents, _unit in transfers:
            paid, got = places[self.debited(debit, credit)], places[credit]
            if paid is pot:
                rest += cents
            else:
                debits.append(Line(paid, cents, 0))
            if got is pot:
                rest -= cents
            else:
                credits.append(Line(got, 0, cents))
            journal = journal or self.journals.get(debit) or self.journals.get(credit)
        if rest > 0:
            debits.append(Line(pot, rest, 0))
        elif rest < 0:
            credits.append(Line(pot, 0, -rest))
        lines = debits + credits
        return lines, journal or self._journal(transfers, lines)

    def _journal(self, transfers: list[tuple[str, str, int, str]], lines: list[Line]) -> Journal:
        if any(self.waiting in transfer for transfer in transfers):
            return RECONVERSIONS
        holders = self.holders.number
        return PAYMENTS if all(line.account.number == holders for line in lines) else OTHERS

    def reserve_journals(self) -> list[Journal]:
        """The journals of the reserve accounts."""
        return list(self.journals.values())

    def opening(self, held: Mapping[str, int]) -> list[Line]:
        """The lines with which a year begins: what every account of the balance sheet held, and the results of the
        years before as one sum. Debits less credits are handed in, in cents.
        """
        sums: Counter[PlanAccount] = Counter()
        result = 0
        for number, cents in held.items():
            account = self.places[number]
            if pcg.is_result(account.number):
                result += cents
            else:
                sums[account] += cents
        if result:
            number = pcg.CARRIED[result < 0]
            sums[PlanAccount(number, pcg.title(number))] = result
        lines = sorted((account, cents) for account, cents in sums.items() if cents)
        return [Line(account, max(0, cents), max(0, -cents)) for account, cents in lines]


PAYMENTS = Journal("MU", "Paiements entre adhérents")
RECONVERSIONS = Journal("RE", "Reconversions")
OTHERS = Journal("OD", "Opérations diverses")


def _journal(plan: Plan, name: str) -> Journal:
    """The journal of a reserve account, named by its number."""
    number = plan.reserve[name]
    return Journal(f"{'CA' if number.startswith('53') else 'BQ'}{number}", plain(name))
