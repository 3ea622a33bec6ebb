"""A statement's lines become entries of the log: once each, as what they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.currency import conversion, parties
from ledger.currency.bank.booking import book, waiting
from ledger.currency.bank.statement import LineKind
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests.currency.bank.scene import DAY, SAVINGS, SAVINGS_IBAN, balances, bring, line, opened, statement, token
from tests.towns import BANK


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Party:
    return parties.admit(town, "person", "Alice")


def test_a_transfer_with_a_reference_brings_units(town: Town, alice: Party) -> None:
    done = bring(town, statement([line(2_500, f"VIR {token(town, alice).lower()} merci")]))
    assert (done.kinds, done.stuck) == ({"conversion": 1}, [])
    assert balances(town) == {"circulation": 2_500, "guarantee": 2_500, BANK: 2_500, "members": 2_500}


def test_the_same_file_again_moves_nothing(town: Town, alice: Party) -> None:
    file = statement([line(2_500, token(town, alice)), line(2_500, token(town, alice)), line(-300, "frais")], 0)
    before = bring(town, file)
    stood = balances(town)
    again = bring(town, file)
    assert sum(before.kinds.values()) == 3
    assert again.kinds == {}
    assert balances(town) == stood
    assert stood["members"] == 5_000


def test_what_nobody_can_place_waits_in_suspense(town: Town, alice: Party) -> None:
    bring(town, statement([line(4_000, "LOYER"), line(-1_500, "?")]))
    assert balances(town) == {"suspense": 2_500, BANK: 2_500}


def test_two_references_are_none(town: Town, alice: Party) -> None:
    bob = parties.admit(town, "person", "Bob")
    done = bring(town, statement([line(4_000, f"{token(town, alice)} {token(town, bob)}")]))
    assert done.kinds == {"bank_suspense": 1}


def test_a_closed_party_gets_nothing(town: Town, alice: Party) -> None:
    parties.close(town, alice)
    assert bring(town, statement([line(4_000, token(town, alice))])).kinds == {"bank_suspense": 1}


def test_a_returned_transfer_takes_the_units_back(town: Town, alice: Party) -> None:
    text = token(town, alice)
    back = line(-2_500, text, DAY + timedelta(days=2), kind=LineKind.RETURN, reason="MD06")
    done = bring(town, statement([line(2_500, text), back]))
    assert done.kinds == {"conversion": 1, "bank_return": 1}
    assert balances(town) == {}


def test_units_that_were_spent_become_a_claim(town: Town, alice: Party) -> None:
    text = token(town, alice)
    bring(town, statement([line(2_500, text), line(2_000, "autre")]))
    bob = parties.admit(town, "shop", "Bob")
    pay(town, alice, bob, 1_800)
    back = line(-2_500, text, DAY + timedelta(days=2), kind=LineKind.RETURN)
    bring(town, statement([back], 4_500))
    held = balances(town)
    assert held["claims"] == 1_800
    assert held["circulation"] == held["guarantee"] == held["members"] == 1_800
    assert held[BANK] == 2_000


def test_the_same_top_up_is_taken_back_once(town: Town, alice: Party) -> None:
    text = token(town, alice)
    back = line(-2_500, text, kind=LineKind.RETURN)
    done = bring(town, statement([line(2_500, text), line(5_000, "autre"), back, back]))
    assert done.kinds == {"conversion": 1, "bank_suspense": 2, "bank_return": 1}
    again = line(-2_500, text, DAY + timedelta(days=1), kind=LineKind.RETURN)
    assert bring(town, statement([again], 2_500)).kinds == {"bank_suspense": 1}


def test_euros_between_two_reserve_accounts_are_in_transit(town: Town) -> None:
    bring(town, statement([line(9_000, "don"), line(-4_000, "placement", iban=SAVINGS_IBAN)]))
    assert balances(town) == {"suspense": 9_000, BANK: 5_000, "transit": 4_000}
    bring(town, statement([line(4_000, "placement", iban="FR1420041010050500013M02606")], account=SAVINGS_IBAN))
    assert balances(town) == {"suspense": 9_000, BANK: 5_000, SAVINGS: 4_000}


def test_a_conversion_typed_before_the_statement_came_is_not_booked_again(town: Town, alice: Party) -> None:
    conversion.convert(town, alice, 2_500, reserve=BANK, reference="2025061000042")
    done = bring(town, statement([line(2_500, token(town, alice), bank_ref="2025061000042")]))
    assert done.kinds == {"bank_line_known": 1}
    assert balances(town)["members"] == 2_500


def test_a_corrected_statement_undoes_what_is_gone(town: Town, alice: Party) -> None:
    text = token(town, alice)
    bring(town, statement([line(2_500, text), line(700, "x")]))
    bring(town, statement([line(5_200, text), line(700, "x")]), corrected=True)
    assert balances(town) == {
        "circulation": 5_200, "guarantee": 5_200, "members": 5_200, BANK: 5_900, "suspense": 700
    }  # fmt: skip


def test_booking_goes_on_where_it_stopped(town: Town, alice: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.currency.bank.booking.BATCH", 2)
    file = statement([line(100 + n, token(town, alice)) for n in range(7)])

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    from ledger.currency.bank import taking

    taking.take(town, [file])
    with pytest.raises(KeyboardInterrupt):
        book(town, progress=stop)
    assert waiting(town) == 3
    assert book(town).kinds == {"conversion": 3}
    assert balances(town)["members"] == file.closing


def pay(town: Town, payer: Party, payee: Party, amount: int) -> None:
    """Move units as a payment does, without its signatures."""
    from ledger.core.model import Transaction, Transfer

    transfer = Transfer(payer.account, payee.account, amount, town.charter.code)
    town.post(Transaction(town.new_id(), "payment", (transfer,)))
