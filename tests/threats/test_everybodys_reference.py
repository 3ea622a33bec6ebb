"""An end-to-end id that everybody writes, or a member's own reference, on a payment that is no return: the rent of a
member who once topped up as much must not take units from anybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.currency import parties
from ledger.currency.bank.aligning import Timeline, align
from ledger.currency.bank.known import Known
from ledger.currency.bank.reference import names_order, same_order
from ledger.currency.bank.statement import BankLine, LineKind, StatementError
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests.currency.bank.scene import DAY, balances, bring, line, opened, statement, token

NEXT = DAY + timedelta(days=2)
ALICES, LANDLORDS = "FR7610011000201234567890188", "FR7630004000031234567890143"
NOTHING = [
    "0", "00000000", "NA", "N/A", "NOTPROVIDED", "Not Provided", "VIREMENT", "Virement SEPA", "VIR INST", "1", "X",
    "XXXXXXXXXX", "LOYER", "loyer 0", "LOYER-2025", "NONREF", "NON REF", "-", "...", "REF", "REFERENCE", "12345",
    "NULL", "none", "Sans objet", "SALAIRE", "E2E-1", "endtoendid", "VIREMENT PERMANENT", "11111111",
]  # fmt: skip
SOMETHING = ["7F3K9Q2M4T", "ALICE-2025-11", "550e8400e29b41d4a716446655440000", "VIR-20251123-00042", "100000000001"]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Party:
    return parties.admit(town, "person", "Alice Martin")


@pytest.mark.parametrize("text", NOTHING)
def test_what_everybody_writes_names_no_order(text: str) -> None:
    assert not names_order(text) and not same_order(text, text)


@pytest.mark.parametrize("text", SOMETHING)
def test_what_names_one(text: str) -> None:
    assert same_order(text, text)
    assert not same_order(text, text + "X") and not same_order(text, "") and not same_order("", "")


@pytest.mark.parametrize("kind", [LineKind.TRANSFER, LineKind.OTHER, LineKind.DEBIT])
@pytest.mark.parametrize("end_to_end", ["0", "NA", "VIREMENT", "ALICE-2025-11"])
@pytest.mark.parametrize("iban", ["", LANDLORDS])
def test_a_rent_takes_no_units_back(town: Town, alice: Party, kind: LineKind, end_to_end: str, iban: str) -> None:
    came = line(50_000, token(town, alice), iban=ALICES, end_to_end=end_to_end)
    rent = line(-50_000, "loyer", NEXT, kind=kind, end_to_end=end_to_end, iban=iban)
    assert bring(town, statement([came, rent])).kinds == {"conversion": 1, "bank_suspense": 1}
    assert balances(town)["members"] == 50_000


@pytest.mark.parametrize("iban", [LANDLORDS, ""])
@pytest.mark.parametrize("kind", [LineKind.TRANSFER, LineKind.OTHER])
def test_a_payment_that_names_a_member_takes_no_units_back(town: Town, alice: Party, kind: LineKind, iban: str) -> None:
    """The association pays somebody and writes which member it was about."""
    text = token(town, alice)
    paid = line(-50_000, f"subvention {text}", NEXT, kind=kind, iban=iban)
    assert bring(town, statement([line(50_000, text, iban=ALICES), paid])).kinds == {
        "conversion": 1,
        "bank_suspense": 1,
    }
    assert balances(town)["members"] == 50_000


def test_a_payment_to_the_same_account_alone_takes_no_units_back(town: Town, alice: Party) -> None:
    """A member may be paid a salary."""
    salary = line(-50_000, "salaire", NEXT, kind=LineKind.TRANSFER, iban=ALICES, end_to_end="VIREMENT")
    came = line(50_000, token(town, alice), iban=ALICES, end_to_end="VIREMENT")
    assert bring(town, statement([came, salary])).kinds == {"conversion": 1, "bank_suspense": 1}


@pytest.mark.parametrize(
    "how",
    [
        {"kind": LineKind.RETURN, "end_to_end": "ALICE-2025-11"},
        {"kind": LineKind.RETURN, "iban": ALICES},
        {"kind": LineKind.RETURN, "text": "TOKEN"},
        {"kind": LineKind.TRANSFER, "iban": ALICES, "end_to_end": "ALICE-2025-11"},
        {"kind": LineKind.OTHER, "iban": ALICES, "text": "TOKEN"},
    ],
    ids=["return, order", "return, account", "return, member", "account, order", "account, member"],
)
def test_two_things_together_do(town: Town, alice: Party, how: dict[str, Any]) -> None:
    text = token(town, alice)
    back = line(-50_000, how.pop("text", "").replace("TOKEN", text), NEXT, **how)
    came = line(50_000, text, iban=ALICES, end_to_end="ALICE-2025-11")
    assert bring(town, statement([came, back])).kinds == {"conversion": 1, "bank_return": 1}
    assert balances(town) == {}


@pytest.mark.parametrize("end_to_end", ["NA", "VIREMENT", "0"])
def test_a_return_with_such_an_id_takes_nobodys(town: Town, alice: Party, end_to_end: str) -> None:
    """Somebody else's transfer comes back with the same words."""
    came = line(50_000, token(town, alice), iban=ALICES, end_to_end=end_to_end)
    back = line(-50_000, "retour", NEXT, kind=LineKind.RETURN, end_to_end=end_to_end, iban=LANDLORDS)
    assert bring(town, statement([came, back])).kinds == {"conversion": 1, "bank_suspense": 1}


def test_such_an_id_does_not_say_that_two_lines_are_one() -> None:
    """A day's lines sum to nothing, so names and references alone tell whether a file repeats them."""

    def lines(*names: str, end_to_end: str = "") -> list[BankLine]:
        return [line(cents, name, end_to_end=end_to_end) for name, cents in zip(names, (500, -500), strict=True)]

    before = lines("Alice Martin", "EDF")
    known = [
        Known(bytes([n]) * 16, DAY, DAY, one.amount, end_to_end="NA", text=one.text) for n, one in enumerate(before)
    ]
    timeline = Timeline(known, 1_000, [(DAY - timedelta(days=3), DAY)])
    told = statement(lines("Bob Petit", "Orange", end_to_end="NA"), opening=1_000)
    with pytest.raises(StatementError) as doubtful:  # not two that are known
        align(told, timeline)
    assert doubtful.value.code == "statement_differs"
    named = [one._replace(end_to_end="ALICE-2025-11") for one in known]
    same = statement(lines("Bob Petit", "Orange", end_to_end="ALICE-2025-11"), opening=1_000)
    assert align(same, timeline._replace(lines=named)).new == []
