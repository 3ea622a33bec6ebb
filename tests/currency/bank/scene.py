"""A town whose reserve lies in a bank, and statements put together by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from ledger.core.ids import account_text
from ledger.core.model import Instruction, Posted
from ledger.currency import imported, parties, reserve
from ledger.currency.bank import booking, suspense, taking
from ledger.currency.bank.placing import Decision
from ledger.currency.bank.reference import member_reference, shown
from ledger.currency.bank.statement import BankLine, Statement
from ledger.currency.charter import BankRules, MandateRules, ReserveAccount, ReserveKind
from ledger.currency.keys import PrivateKey
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.towns import BANK, CASH

IBAN = "FR1420041010050500013M02606"
SAVINGS_IBAN = "FR7630006000011234567890189"
SAVINGS = "Livret"
DAY = date(2025, 6, 10)
"""Five days before the clock of `towns` begins."""


def charter(**changes: Any) -> Any:
    """The charter of `towns`, with IBANs."""
    accounts = (
        ReserveAccount(name=BANK, kind=ReserveKind.BANK, iban=IBAN, bic="PSSTFRPPPAR", holder="ASSOCIATION LE PATARD"),
        ReserveAccount(name=SAVINGS, kind=ReserveKind.BANK, iban=SAVINGS_IBAN, liquid=False),
        ReserveAccount(name=CASH, kind=ReserveKind.CASH),
    )
    values: dict[str, Any] = {
        "reserve": accounts,
        "bank": BankRules(topup=BANK, payout=BANK, second_signature_above=100_000),
        "mandates": MandateRules(creditor_id="FR72ZZZ123456", account=BANK),
    }
    return towns.charter(**{**values, **changes})


@contextmanager
def opened(folder: Path, database_url: str | None = None, **changes: Any) -> Iterator[Town]:
    """A town with a bank, in `folder`."""
    town = towns.found(folder, charter(**changes), database_url)
    try:
        yield town
    finally:
        town.book.close()


def token(town: Town, party: Party) -> str:
    """What a member writes on a transfer."""
    return f"{town.charter.code} {shown(member_reference(town.charter.network, party.account))}"


def line(amount: int, text: str = "", day: date = DAY, **more: Any) -> BankLine:
    return BankLine(booked_on=day, amount=amount, text=text, **more)


def statement(lines: Iterable[BankLine], opening: int = 0, **more: Any) -> Statement:
    """A statement over the days of its lines."""
    kept = tuple(lines)
    days = [one.booked_on for one in kept] or [DAY]
    values: dict[str, Any] = {
        "format": "camt.053", "account": IBAN, "opening": opening, "first": min(days), "last": max(days),
        "closing": opening + sum(one.amount for one in kept), "lines": kept,
    }  # fmt: skip
    return Statement(**{**values, **more})


def bring(town: Town, *statements: Statement, **how: Any) -> booking.Booked:
    """Take the statements of one file, and book."""
    # Tests let days pass on which their bank had nothing; `test_taking` is about those that are missing.
    taking.take(town, statements, **{"quiet_days": True, **how})
    return booking.book(town)


def bring_in(town: Town, *entries: Instruction) -> None:
    """Post what an import brings: somebody at the machine announces it."""
    town.post_all([imported.announcement(town.charter.network, entries), *entries])


def decide(town: Town, key: PrivateKey, line: bytes, decision: Decision) -> Posted:
    """Place a line as a device of the office asks for it, which signs that."""
    asks: dict[str, Any] = {"way": decision.way, **_account(decision.holder)}
    if decision.other is not None:
        asks["other"] = decision.other.hex()
    if decision.cash is not None:
        asks["cash"] = decision.cash
    if decision.shares:
        asks["shares"] = [
            {
                "way": one.way,
                "amount_cents": one.amount,
                **_account(one.holder),
                **({"cash": one.cash} if one.cash else {}),
            }
            for one in decision.shares
        ]
    acting = towns.acting(town, key, f"POST /v1/bank/lines/{line.hex()}/placing", **asks)
    return suspense.place(acting, line, decision, by=key.public.hex())


def _account(holder: int | None) -> dict[str, str]:
    return {} if holder is None else {"account": account_text(holder)}


def undecide(town: Town, key: PrivateKey, line: bytes) -> Posted:
    """Put a line back into suspense as a device of the office asks for it, which signs that."""
    return suspense.put_back(undeciding(town, key, line), line, by=key.public.hex())


def undeciding(town: Town, key: PrivateKey, line: bytes) -> Town:
    """The town while it carries out that a device puts this line back."""
    return towns.acting(town, key, f"POST /v1/bank/lines/{line.hex()}/putting_back")


def balances(town: Town) -> dict[str, int]:
    """Everything that the currency's own accounts hold, by name, and what parties hold together."""
    chart = town.chart
    own = {**chart.own(), **chart.reserve}
    held = {name: town.book.balance(number) for name, number in own.items()}
    held["members"] = sum(town.book.balance(party.account) for party in parties.every(town))
    return {name: cents for name, cents in held.items() if cents}


def adds_up(town: Town) -> bool:
    """Whether the reserve report does."""
    return reserve.report(town).covered
