"""Which account of the books each account of the ledger is, and so which lines a transaction makes.

In books kept in euros the units of members are a debt, and `circulation` and `guarantee` are two sides of one thing: a
unit is out, a euro stands behind it. Both, and the accounts of issuers that a currency moved in with, are the one
account `guarantee` of the plan, whose lines within an entry are one sum: nothing, for all that moves as much of the
one as of the other. A debit is as great as its credit in every transfer, in whatever unit, and a unit is a euro: so
every entry balances, of every kind, those that are not invented yet too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ledger.core.ids import account_text
from ledger.currency.accounts import pcg
from ledger.currency.accounts.plan import Plan, PlanAccount, carried, plain
from ledger.currency.chart import EUR
from ledger.currency.town import Town

PARTIES: Final = {"person": "Particulier", "shop": "Commerce", "association": "Association",
                  "public_body": "Collectivité"}  # fmt: skip
WAITING: Final = {"waiting": "Reconversions demandées", "maturing": "Prélèvements encore contestables"}
CHARGES: Final = "charges"
"""Stands for an account that the ledger does not have: what the bank charged is less income there."""

Move = tuple[str, str, int]


class Journal(NamedTuple):
    """Where an entry is entered."""

    code: str
    title: str


class Line(NamedTuple):
    """One line of an entry, in cents; either `debit` or `credit` is 0."""

    account: PlanAccount
    debit: int
    credit: int


PAYMENTS = Journal("MU", "Paiements entre adhérents")
RECONVERSIONS = Journal("RE", "Reconversions")
OTHERS = Journal("OD", "Opérations diverses")


class Accounts:
    """The account of the books that each account of the ledger is. Ledger accounts are 16 hex digits, as in records."""

    def __init__(self, town: Town, plan: Plan, names: Mapping[int, str]) -> None:
        chart = town.chart
        self.town = town
        own = {name: f"{number:016x}" for name, number in chart.own().items()}
        banks = {name: f"{number:016x}" for name, number in chart.reserve.items() if name in plan.reserve}
        self.plan = plan
        self.names = names
        self.holders, self.pot = plan.account("holders"), plan.account("guarantee")
        self.places = {number: plan.reserve_account(name) for name, number in banks.items()}
        self.places[CHARGES] = plan.account("charges")
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

    def moves(self, body: dict[str, Any]) -> list[Move]:
        """What a transaction moves: accounts debited and credited, cents.

        Fees that leave the reserve (perhaps as a line of the bank that nobody could place at first) are not less
        income: the association has them on an account of its own from then on. And what the bank charged is an expense.
        """
        moves = [(debit, credit, cents) for debit, credit, cents, _unit in body["transfers"]]
        income = self.income
        if not any(income in move for move in moves):
            return moves
        way = self._way(body.get("evidence", {}))
        gone = CHARGES if way == "charge" else self.operations
        return [
            (
                gone if debit == income and credit in self.leaving else debit,
                gone if credit == income and debit in self.leaving and way is not None else credit,
                cents,
            )
            for debit, credit, cents in moves
        ]

    def _way(self, evidence: dict[str, Any]) -> str | None:
        """As what a line of the bank was placed, by this transaction or by the one that it undoes."""
        if "undoes" in evidence:
            found = self.town.book.find(bytes.fromhex(evidence["undoes"]))
            evidence = dict(found.instruction.evidence) if found else {}
        return evidence.get("as")

    def entered(self, body: dict[str, Any]) -> tuple[list[Line], Journal]:
        """The lines that a transaction makes, debits first, and the journal that they belong to."""
        debits, credits, places, pot = [], [], self.places, self.pot
        rest = 0
        journal: Journal | None = None
        moves = self.moves(body)
        for debit, credit, cents in moves:
            paid, got = places[debit], places[credit]
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
        return lines, journal or self._journal(moves, lines)

    def _journal(self, moves: list[Move], lines: list[Line]) -> Journal:
        if any(self.waiting in move for move in moves):
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
            sums[carried(result)] = result
        lines = sorted((account, cents) for account, cents in sums.items() if cents)
        return [Line(account, max(0, cents), max(0, -cents)) for account, cents in lines]


def _journal(plan: Plan, name: str) -> Journal:
    """The journal of a reserve account, named by its number."""
    number = plan.reserve[name]
    return Journal(f"{'CA' if number.startswith('53') else 'BQ'}{number}", plain(name))
