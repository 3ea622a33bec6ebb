"""A fake bank with two accounts of ours, orders to it, and what it tells of November 2026."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from ledger.currency.bank.fake import Account, Answer, FakeBank, Fate, Fates, Format, Manners
from ledger.currency.bank.formats.read import read
from ledger.currency.bank.statement import Statement
from tests.currency.bank.orders import ICS, OURS, debits, transfers

A, B = OURS.iban, "FR7611315000011234567890138"
PAYER = "BE71096123456769"
MONDAY = date(2026, 11, 9)
SATURDAY = MONDAY - timedelta(days=2)
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
CAREFUL = Manners(recase=0, wrap=0, cut=0)


def bank_with(*fates: tuple[str, Fate], opening: int = 1_000_000, **more: Any) -> FakeBank:
    accounts = [
        Account(A, "PSSTFRPPPAR", "Association Le Patard", opening, creditor_id=ICS),
        Account(B, "CEPAFRPP", "Association Le Patard"),
    ]
    return FakeBank(accounts, fate=Fates(fates), **{"manners": CAREFUL, **more})


def statement(bank: FakeBank, format: str = Format.CAMT_08, first: date = FIRST, last: date = LAST) -> Statement:
    (found,) = read(bank.statement(A, first, last, format))
    return found


def lines(bank: FakeBank, iban: str = A) -> list[tuple[date, int]]:
    return [(entry.booked_on, entry.amount) for entry in bank.entries(iban, FIRST, LAST)]


def day(number: int) -> date:
    return date(2026, 11, number)


def order(bank: FakeBank, *orders: Any, on: date = MONDAY, for_: date = day(10), message: str = "PAY-1") -> Answer:
    return bank.submit(transfers(*orders, requested_on=for_, message_id=message), on)


def collect(bank: FakeBank, *orders: Any, on: date = MONDAY, for_: date = day(10), message: str = "DD-1") -> Answer:
    return bank.submit(debits(*orders, collect_on=for_, message_id=message), on)
