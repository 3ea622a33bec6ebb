"""`wallet topup`: where to send euros, in clear and as a code that a banking app reads; then the units arrive."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from ledger.currency.bank import booking, taking
from ledger.currency.bank.statement import BankLine, Statement
from ledger.currency.town import Town
from merchants import codes
from tests.served import Cast, cast
from tests.towns import CASH, IBAN
from tests.wallet_cli.conftest import Run, balance

DAY = date(2025, 6, 13)


@pytest.fixture
def people(town: Town) -> Cast:
    """By cash: what was typed on the bank account would be awaited on its statements."""
    return cast(town, account=CASH)


def test_a_top_up_from_the_command_to_the_history(wallet: Run, town: Town, people: Cast, tmp_path: Path) -> None:
    told = json.loads(wallet("topup", "50", "--json").out)
    assert (told["iban"], told["amount_cents"], told["holder"]) == (IBAN, 5_000, "ASSOCIATION LE PATARD")
    before = balance(town, people.alice)
    line = BankLine(booked_on=DAY, amount=5_000, text=f"VIR SEPA {told['text'].lower()}")
    statement = Statement(
        format="camt.053", account=IBAN, opening=0, closing=5_000, first=DAY, last=DAY, lines=(line,)
    )  # fmt: skip
    for _ in range(2):
        taking.take(town, [statement])
        booking.book(town)
    assert balance(town, people.alice) == before + 5_000
    shown = " ".join(wallet("history", "-n", "1").out.split())
    assert "Change d'euros · virement du" in shown and "13/06/2025" in shown
    entry = json.loads(wallet("history", "-n", "1", "--json").out)["entries"][0]
    assert (entry["change_cents"], entry["reference"]) == (5_000, "20250613/5000/1")


def test_the_code_says_what_is_written(wallet: Run, tmp_path: Path) -> None:
    picture = tmp_path / "topup.png"
    shown = wallet("topup", "12,34", "--png", str(picture)).out
    [text] = codes.read(picture.read_bytes())
    told = json.loads(wallet("topup", "12.34", "--json").out)
    assert text == told["epc"]
    assert told["text"] in shown and "FR14 2004 1010 0505 0001 3M02 606" in shown and "12,34" in shown
    assert text.splitlines()[6:8] == [IBAN, "EUR12.34"]


def test_an_amount_that_is_none(wallet: Run) -> None:
    assert wallet("topup", "x").code == 2
    assert "BCD" in wallet("topup", "--json").out
