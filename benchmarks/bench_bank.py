"""A bank's file of ten thousand lines: read, taken and booked, line by line; the floor is reading it alone."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from api.home import found_home
from benchmarks.figures import measure
from ledger.currency import parties
from ledger.currency.bank import booking, taking
from ledger.currency.bank.fake.bank import FakeBank, Format, accounts_of
from ledger.currency.bank.formats.read import read
from ledger.currency.bank.reference import member_reference, shown
from ledger.currency.charter import Charter, ReserveAccount, ReserveKind
from ledger.currency.town import Town

LINES = 10_000
MEMBERS = 300
DAYS = 20
FIRST = date(2026, 10, 5)
IBAN = "FR1420041010050500013M02606"
CHARTER = Charter(
    code="PATARD", name="Le Patard", symbol="P", network=b"\0\1\2\3", reconversion_fee_bp=500,
    public_url="http://127.0.0.1:8000", reserve=(ReserveAccount(name="Banque", kind=ReserveKind.BANK, iban=IBAN),),
)  # fmt: skip


def statement(references: list[str]) -> bytes:
    """A month in which every member sends euros many times, and one line in fifty says nothing."""
    bank = FakeBank(accounts_of(CHARTER))
    for number in range(LINES):
        day = FIRST + timedelta(days=number * DAYS // LINES)
        said = f"PATARD {references[number % MEMBERS]}" if number % 50 else "MERCI"
        bank.pay_in(IBAN, day, 1_000 + number % 90, f"MEMBRE {number % MEMBERS}", "FR7630006000011234567890189", said)
    return bank.statement(IBAN, FIRST, FIRST + timedelta(days=DAYS + 10), Format.CAMT_08)


def town(folder: Path) -> Town:
    """A currency with its members, who are the same in each."""
    made = found_home(folder, CHARTER)
    for number in range(MEMBERS):
        parties.admit(made, "person", f"Membre {number}", _id(number))
    return made


def _id(number: int) -> bytes:
    return bytes.fromhex(f"0192a0000000{0x7000 + number:04x}8000000000000000")


def test_bank_import(benchmark: Any, tmp_path: Path) -> None:
    rounds = 3
    made = [town(tmp_path / f"home{n}") for n in range(rounds + 1)]
    found = parties.every(made[0])
    data = statement([shown(member_reference(CHARTER.network, party.account)) for party in found])
    towns = iter(made)

    def work() -> int:
        currency = next(towns)
        taking.take(currency, read(data))
        done = booking.book(currency)
        assert done.kinds == {"conversion": LINES - LINES // 50, "bank_suspense": LINES // 50}, done
        return LINES

    def floor() -> int:
        [one] = read(data)
        return len(one.lines)

    measure(benchmark, "bank_import", "sqlite", work, floor, rounds=rounds)
