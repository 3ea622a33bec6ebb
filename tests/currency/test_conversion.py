"""No unit without a euro: conversion, and changing back with its fee."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.core.model import Posted, Transaction, Transfer
from ledger.currency import chartered, conversion, parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.chart import EUR
from ledger.currency.errors import ERRORS, CurrencyError
from ledger.currency.messages import Purpose
from ledger.currency.town import Town
from tests import towns
from tests.towns import BANK, CASH, nothing_moves


def refused(code: str, call, *args, **kwargs) -> CurrencyError:
    with pytest.raises(CurrencyError) as caught:
        call(*args, **kwargs)
    assert caught.value.code == code, caught.value
    assert code in ERRORS
    return caught.value


def convert(town: Town, who: towns.Member, amount: int, reference: str = "SLIP-1", account: str = CASH) -> Posted:
    return conversion.convert(town, who.party, amount, reserve=account, reference=reference)


def test_both_legs_are_one_transaction(town: Town) -> None:
    alice = towns.member(town, "person", "Alice")
    day = date(2025, 4, 1)
    posted = conversion.convert(town, alice.party, 5_000, reserve=BANK, reference="vir 2026/04", booked_on=day)
    assert town.book.balance(alice.account) == 5_000
    assert town.book.balance(town.chart.reserve[BANK]) == 5_000
    assert town.book.balance(town.chart.guarantee) == town.book.balance(town.chart.circulation) == 5_000
    record = town.book.find(posted.id)
    assert record is not None
    assert record.instruction.booked_on == day
    assert record.instruction.evidence["reference"] == "VIR2026/04"
    assert reserve.report(town).covered


def test_a_slip_issues_once(town: Town) -> None:
    alice, bob = towns.member(town, "person", "Alice"), towns.member(town, "person", "Bob")
    first = convert(town, alice, 5_000)
    with nothing_moves(town):
        again = convert(town, alice, 5_000, " slip-1 ")
        assert again == first._replace(replay=True)
        refused("conversion_taken", convert, town, alice, 5_001)
        refused("conversion_taken", convert, town, bob, 5_000)
        # Somebody else of the office types the same slip in: it is the same conversion.
        retried = conversion.convert(town, alice.party, 5_000, reserve=CASH, reference="SLIP-1", by="ab" * 32)
        assert retried == first._replace(replay=True)
        assert "`patard unconvert SLIP-1`" in refused("conversion_taken", convert, town, bob, 5_000).detail
    # The same reference on another account of the reserve is another slip.
    assert not convert(town, bob, 700, "SLIP-1", BANK).replay


def test_a_mistyped_conversion_is_taken_back(town: Town) -> None:
    alice = towns.member(town, "person", "Alice")
    wrong = convert(town, alice, 50_000).id
    first = conversion.correct(town, wrong)
    assert town.book.balance(alice.account) == 0
    report = reserve.report(town)
    assert (report.circulation, report.guarantee, report.reserve, report.covered) == (0, 0, 0, True)
    record = town.book.find(first.id)
    assert record is not None and isinstance(record.instruction, Transaction)
    assert (record.instruction.kind, record.instruction.corrects) == ("conversion_corrected", wrong)
    with nothing_moves(town):
        assert conversion.correct(town, wrong) == first._replace(replay=True)
        assert conversion.correct(town, wrong, by="ab" * 32) == first._replace(replay=True)
        # A try that was on its way must not issue what was just taken back.
        assert "SLIP-1/2" in refused("conversion_taken", convert, town, alice, 50_000).detail
        refused("conversion_taken", convert, town, alice, 5_000)
        refused("not_found", conversion.correct, town, first.id)
        refused("not_found", conversion.correct, town, bytes(15) + b"\1")
    convert(town, alice, 5_000, "SLIP-1/2")
    assert town.book.balance(alice.account) == 5_000


def test_a_conversion_whose_units_were_spent_stays(town: Town) -> None:
    alice, bob = towns.member(town, "person", "Alice"), towns.member(town, "person", "Bob")
    wrong = convert(town, alice, 5_000).id
    towns.pay(town, alice, bob, 1)
    with nothing_moves(town):
        refused("below_floor", conversion.correct, town, wrong)


@pytest.mark.parametrize("amount", [0, -1, 2**32, True, 1.0, "5"])
def test_amounts_that_are_none(town: Town, amount) -> None:
    alice = towns.member(town, "person", "Alice")
    with nothing_moves(town):
        refused("amount_malformed", convert, town, alice, amount)


@pytest.mark.parametrize("reference", ["", "   ", "-A", "A-", "é", "A" * 36, "A_B", "A;B", "A\0", "１２"])
def test_references_that_are_none(town: Town, reference: str) -> None:
    alice = towns.member(town, "person", "Alice")
    with nothing_moves(town):
        refused("reference_malformed", convert, town, alice, 100, reference)


def test_a_reserve_account_that_is_not_in_the_charter(town: Town) -> None:
    alice = towns.member(town, "person", "Alice")
    with nothing_moves(town):
        error = refused("reserve_account_unknown", convert, town, alice, 100, "S", "Coffre")
    assert BANK in error.detail and CASH in error.detail


def test_the_engine_itself_issues_nothing_without_a_euro(town: Town) -> None:
    alice = towns.member(town, "person", "Alice")
    issue = Transfer(town.chart.circulation, alice.account, 1, "PATARD")
    with nothing_moves(town):
        refused("not_covered", town.post, Transaction(town.new_id(), "conversion", (issue,)))
        short = Transfer(town.chart.reserve[CASH], town.chart.guarantee, 99, EUR)
        more = Transfer(town.chart.circulation, alice.account, 100, "PATARD")
        refused("not_covered", town.post, Transaction(town.new_id(), "conversion", (more, short)))


# --- changing back ---------------------------------------------------------------------------------------


@pytest.fixture
def shop(town: Town) -> towns.Member:
    made = towns.member(town, "shop", "Boulangerie")
    convert(town, made, 10_010)
    return made


def test_accepting_destroys_the_units_and_owes_the_euros_less_the_fee(town: Town, shop: towns.Member) -> None:
    id_ = towns.ask_back(town, shop, 10_010)
    assert town.book.balance(shop.account) == 0
    assert town.book.balance(town.chart.waiting) == 10_010
    [asked] = conversion.waiting(town)
    assert (asked.id, asked.account, asked.amount, asked.fee, asked.payout) == (id_, shop.account, 10_010, 501, 9_509)
    first = conversion.accept(town, asked)
    report = reserve.report(town)
    assert (report.circulation, report.guarantee, report.payouts_due, report.fees) == (0, 0, 9_509, 501)
    assert report.waiting == 0 and report.reserve == 10_010 and report.covered
    assert conversion.waiting(town) == []
    with nothing_moves(town):
        assert conversion.accept(town, asked) == first._replace(replay=True)
        refused("reconversion_decided", conversion.refuse, town, asked)
        refused("reconversion_decided", conversion.accept, town, asked, by="somebody else")


def test_a_fee_that_changed_while_the_program_ran(town: Town, shop: towns.Member) -> None:
    asked = conversion.find_asked(town, towns.ask_back(town, shop, 4_000))
    done = conversion.find_asked(town, towns.ask_back(town, shop, 1_000))
    conversion.accept(town, done)
    cheaper = Town(towns.charter(reconversion_fee_bp=100), town.book, town.key, town.engine)
    chartered.keep(cheaper, chartered.latest(cheaper))
    with nothing_moves(town):
        refused("charter_changed", conversion.accept, town, asked)
        assert conversion.accept(town, done).replay
    conversion.accept(cheaper, conversion.find_asked(cheaper, asked.id))
    assert audit(cheaper).clean


def test_a_shop_that_waits_to_change_back_is_not_closed(town: Town, shop: towns.Member) -> None:
    asked = conversion.find_asked(town, towns.ask_back(town, shop, 10_010))
    with nothing_moves(town):
        refused("reconversion_waiting", parties.close, town, shop.party)
    assert parties.by_account(town, shop.account).closed_at is None
    conversion.accept(town, asked)
    parties.close(town, shop.party)
    assert parties.by_account(town, shop.account).closed_at is not None


def test_refusing_gives_the_units_back(town: Town, shop: towns.Member) -> None:
    asked = conversion.find_asked(town, towns.ask_back(town, shop, 4_000))
    first = conversion.refuse(town, asked)
    assert town.book.balance(shop.account) == 10_010
    assert conversion.waiting(town) == []
    with nothing_moves(town):
        assert conversion.refuse(town, asked).replay
        refused("reconversion_decided", conversion.accept, town, asked)
    record = town.book.find(first.id)
    assert record is not None and record.instruction.corrects == asked.id  # type: ignore[union-attr]


def test_a_list_of_those_that_wait_oldest_first(town: Town, shop: towns.Member) -> None:
    ids = [towns.ask_back(town, shop, amount) for amount in (100, 200, 300, 400, 500)]
    conversion.accept(town, conversion.find_asked(town, ids[1]))
    conversion.refuse(town, conversion.find_asked(town, ids[4]))
    later = towns.ask_back(town, shop, 600)
    assert [asked.id for asked in conversion.waiting(town)] == [ids[0], ids[2], ids[3], later]
    assert [asked.amount for asked in conversion.waiting(town)] == [100, 300, 400, 600]


def test_hundreds_that_wait_are_all_found(town: Town, shop: towns.Member) -> None:
    ids = [towns.ask_back(town, shop, 1) for _ in range(250)]
    for id_ in ids[::2]:
        conversion.refuse(town, conversion.find_asked(town, id_))
    assert [asked.id for asked in conversion.waiting(town)] == ids[1::2]


def test_only_what_was_asked_can_be_decided(town: Town, shop: towns.Member) -> None:
    alice = towns.member(town, "person", "Alice")
    payment = towns.pay(town, shop, alice, 100)
    refused("not_found", conversion.find_asked, town, payment)
    refused("not_found", conversion.find_asked, town, bytes(15) + b"\1")


@pytest.mark.parametrize("own", ["waiting", "circulation"])
def test_no_order_pays_the_currencys_own_accounts(town: Town, shop: towns.Member, own: str) -> None:
    """A payment to circulation would destroy units and leave their euros; one to waiting would ask without asking."""
    with nothing_moves(town):
        signed = towns.order(town, shop, getattr(town.chart, own), 100)
        assert towns.refusal(town, signed).code == "payee_unknown"
    assert conversion.waiting(town) == []


def test_a_conversion_cannot_be_refunded(town: Town, shop: towns.Member) -> None:
    converted = conversion.conversion_id(town, CASH, "SLIP-1")
    signed = towns.order(town, shop, town.chart.circulation, 100, purpose=Purpose.REFUND, reference=converted)
    with nothing_moves(town):
        assert towns.refusal(town, signed).code == "payee_unknown"


@pytest.mark.parametrize(("fee_bp", "fee"), [(0, 0), (10_000, 4_000), (1, 0), (13, 5)])
def test_fees_of_every_size(tmp_path, fee_bp: int, fee: int) -> None:
    town = towns.found(tmp_path / "home", towns.charter(reconversion_fee_bp=fee_bp))
    shop = towns.member(town, "shop", "Boulangerie")
    convert(town, shop, 4_000)
    asked = conversion.find_asked(town, towns.ask_back(town, shop, 4_000))
    conversion.accept(town, asked)
    report = reserve.report(town)
    assert (report.payouts_due, report.fees, report.circulation, report.guarantee) == (4_000 - fee, fee, 0, 0)
    assert report.covered
    town.book.close()
