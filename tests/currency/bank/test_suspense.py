"""Lines in suspense: what a person decides, how each way of placing is booked, and what cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.core.model import Account, Opening, Side, Transaction, Transfer
from ledger.currency import conversion, parties
from ledger.currency.bank import claims
from ledger.currency.bank.booking import book
from ledger.currency.bank.lines import lines
from ledger.currency.bank.payouts.index import payout_reference
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.proposals import Why
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.suspense import count, open_lines, place, put_back
from ledger.currency.errors import CurrencyError
from ledger.currency.imported import issuer_number
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, SAVINGS, adds_up, balances, bring, bring_in, line, statement, token
from tests.currency.bank.test_booking import pay
from tests.currency.bank.waiting import ALICES, NEXT, audited, best, owes, refused, row, waits
from tests.towns import BANK, CASH


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with audited(tmp_path / "home") as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Party:
    return parties.admit(town, "person", "Alice Martin")


def test_a_member(town: Town, alice: Party) -> None:
    [one] = waits(town, line(2_500, "merci"))
    place(town, one.line.id, Decision(way=Way.MEMBER, holder=alice.account))
    assert balances(town) == {"circulation": 2_500, "guarantee": 2_500, BANK: 2_500, "members": 2_500}
    after = row(town, one.line.id)
    assert (after.became, after.placed_as, after.holder) == ("bank_suspense", "member", alice.account)
    assert after.placed_seq == town.book.head().seq
    [entry] = town.book.statement(alice.account).entries
    assert (entry.kind, entry.booked_on, entry.change) == ("conversion", DAY, 2_500)
    assert open_lines(town) == []
    assert count(town) == 0


def test_several_for_one_transfer(town: Town, alice: Party) -> None:
    bob = parties.admit(town, "person", "Bob")
    [one] = waits(town, line(10_000, "Alice et Bob"))
    shares = (Share(Way.MEMBER, 6_000, alice.account), Share(Way.MEMBER, 3_000, bob.account), Share(Way.OWN, 1_000))
    place(town, one.line.id, Decision(way=Way.SPLIT, shares=shares))
    assert balances(town) == {
        "circulation": 9_000, "guarantee": 9_000, BANK: 10_000, "members": 9_000, "operations": -1_000
    }  # fmt: skip
    assert town.book.balance(bob.account) == 3_000
    assert adds_up(town)
    again = place(town, one.line.id, Decision(way=Way.SPLIT, shares=shares[::-1]))
    assert again.replay


def test_what_is_not_members(town: Town) -> None:
    day = [line(cents, "x") for cents in (9_000, 401, -402, 403, -404, 405, -406)]
    gift, *found = waits(town, *day)
    place(town, gift.line.id, Decision(way=Way.OWN))
    ways = (Way.OWN, Way.OWN, Way.CHARGE, Way.CHARGE, Way.TRANSIT, Way.TRANSIT)
    for one, way in zip(found, ways, strict=True):
        place(town, one.line.id, Decision(way=way))
    assert balances(town) == {
        BANK: 8_997, "operations": -9_000 - 401 + 402, "income": 403 - 404, "transit": -405 + 406
    }  # fmt: skip


def test_fees_are_moved_out_as_far_as_there_are_any(town: Town) -> None:
    shop = towns.member(town, "shop", "Boulangerie")
    bring(town, statement([line(10_000, token(town, shop.party))]))
    conversion.accept(town, conversion.find_asked(town, towns.ask_back(town, shop, 10_000)))
    more, all_ = waits(town, line(-501, "frais vers compte", NEXT), line(-500, "x", NEXT), opening=10_000)
    refused("placing_uneven", town, more.line.id, Decision(way=Way.FEES))
    place(town, all_.line.id, Decision(way=Way.FEES))
    assert "income" not in balances(town)


def test_cash_that_is_taken_out(town: Town) -> None:
    came, went = waits(town, line(9_000, "VERSEMENT ESPECES"), line(-4_000, "RETRAIT DAB", NEXT))
    refused("reserve_account_unknown", town, went.line.id, Decision(way=Way.CASH, cash=SAVINGS))
    place(town, went.line.id, Decision(way=Way.CASH, cash=CASH))
    assert balances(town) == {BANK: 5_000, CASH: 4_000, "suspense": 9_000}
    # What is paid in was in the box before.
    refused("below_floor", town, came.line.id, Decision(way=Way.CASH, cash=CASH))


def test_a_claim_is_paid_back_up_to_what_is_owed(town: Town, alice: Party) -> None:
    owes(town, alice, 1_800)
    [small, large] = waits(town, line(1_000, "x", NEXT), line(2_500, "y", NEXT), opening=500)
    place(town, small.line.id, Decision(way=Way.CLAIM, holder=alice.account))
    assert claims.owed(town) == {alice.account: 800}
    refused("claim_exceeded", town, large.line.id, Decision(way=Way.CLAIM, holder=alice.account))
    shares = (Share(Way.CLAIM, 800, alice.account), Share(Way.MEMBER, 1_700, alice.account))
    place(town, large.line.id, Decision(way=Way.SPLIT, shares=shares))
    assert claims.owed(town) == {}
    assert town.book.balance(alice.account) == 1_700
    put_back(town, large.line.id)
    assert claims.owed(town) == {alice.account: 800}


def test_a_debt_that_was_paid_is_not_undone(town: Town, alice: Party) -> None:
    """What a line made owed stays while what paid it stands, whatever others owe; and when the bank takes it away."""
    bob = parties.admit(town, "person", "Bob Dubois")
    owes(town, alice, 1_800)
    _kept, paid, took = waits(town, line(50, "z", NEXT), line(300, "y", NEXT), line(-300, "x", NEXT), opening=500)
    place(town, took.line.id, Decision(way=Way.DEBT, holder=bob.account))
    place(town, paid.line.id, Decision(way=Way.CLAIM, holder=bob.account))
    with pytest.raises(CurrencyError, match=r"Bob Dubois paid of the 3\.00") as error:
        put_back(town, took.line.id)
    assert error.value.code == "line_not_placed"
    booked = bring(
        town, statement([line(50, "z", NEXT), line(300, "y", NEXT)], 500, first=NEXT, last=NEXT), corrected=True
    )
    assert [stuck.code for stuck in booked.stuck] == ["line_not_placed"]
    assert claims.owed(town) == {alice.account: 1_800}
    put_back(town, paid.line.id)
    book(town)
    assert claims.owed(town) == {alice.account: 1_800}


def test_a_conversion_that_was_typed_by_hand(town: Town, alice: Party) -> None:
    typed = conversion.convert(town, alice, 2_500, reserve=BANK, reference="V1").id
    other = conversion.convert(town, alice, 2_501, reserve=BANK, reference="V2").id
    first, second = waits(town, line(2_500, "a"), line(2_500, "b"), opening=0)
    assert first.proposals[0].decision == Decision(way=Way.KNOWN, other=typed)
    refused("placing_uneven", town, first.line.id, Decision(way=Way.KNOWN, other=other))
    refused("not_found", town, first.line.id, Decision(way=Way.KNOWN, other=first.line.id))
    place(town, first.line.id, Decision(way=Way.KNOWN, other=typed))
    refused("conversion_named", town, second.line.id, Decision(way=Way.KNOWN, other=typed))
    assert balances(town)[BANK] == 2_500 + 2_501 + 2_500
    with pytest.raises(CurrencyError) as caught:
        conversion.correct(town, typed)
    assert caught.value.code == "conversion_banked"
    put_back(town, first.line.id)
    conversion.correct(town, typed)
    refused("conversion_named", town, second.line.id, Decision(way=Way.KNOWN, other=typed))


def test_a_conversion_that_a_line_brought_was_typed_by_nobody(town: Town, alice: Party) -> None:
    """Neither its own, which was put back, nor another line's."""
    bring(town, statement([line(2_500, token(town, alice)), line(2_500, token(town, alice))]))
    one, other = (each.id for each in lines(town))
    put_back(town, one)
    for brought in (one, other):
        refused("not_found", town, one, Decision(way=Way.KNOWN, other=brought))


def test_two_lines_that_explain_each_other(town: Town) -> None:
    came, went, other = waits(town, line(900, "x"), line(-900, "retour", NEXT), line(800, "y", NEXT))
    refused("placing_uneven", town, other.line.id, Decision(way=Way.PAIR, other=went.line.id))
    place(town, came.line.id, Decision(way=Way.PAIR, other=went.line.id))
    assert [one.line.id for one in open_lines(town)] == [other.line.id]
    assert place(town, went.line.id, Decision(way=Way.PAIR, other=came.line.id)).replay
    refused("line_placed", town, went.line.id, Decision(way=Way.OWN))
    put_back(town, went.line.id)
    assert [one.turn for one in open_lines(town)] == [1, 1, 0]


def test_a_top_up_that_the_bank_took_back_without_saying_so(town: Town, alice: Party) -> None:
    bring(town, statement([line(2_500, token(town, alice), iban=ALICES), line(5_000, "z")]))
    pay(town, alice, parties.admit(town, "shop", "Bob"), 1_000)
    topup = lines(town)[0]
    _kept, back = waits(town, line(-2_500, "VIR", NEXT, iban=ALICES), opening=7_500)
    best = back.proposals[0]
    assert best.decision == Decision(way=Way.RETURNED, other=topup.id)
    place(town, back.line.id, best.decision)
    held = balances(town)
    assert (held["claims"], held["members"], held[BANK]) == (1_000, 1_000, 5_000)
    assert row(town, topup.id).undone_seq == town.book.head().seq
    put_back(town, back.line.id)
    held = balances(town)
    assert (held.get("claims"), held["members"], held["suspense"]) == (None, 2_500, 2_500)
    assert row(town, topup.id).undone_seq is None


def asked_back(town: Town, cents: int) -> tuple[towns.Member, bytes]:
    """A shop that changed so many units back, and is owed the euros less the fee; the reconversion's id."""
    shop = towns.member(town, "shop", "Boulangerie")
    bring(town, statement([line(cents, token(town, shop.party))]))
    return shop, conversion.accept(town, conversion.find_asked(town, towns.ask_back(town, shop, cents))).id


def test_a_payout_that_the_bank_shows_without_its_reference(town: Town) -> None:
    shop, payout = asked_back(town, 10_000)
    less, paid = waits(town, line(-400, "?", NEXT), line(-9_500, "VIR BOULANGERIE", NEXT), opening=10_000)
    decision = Decision(way=Way.PAYOUT, other=payout)
    assert best(paid) == (decision, [Why.NAME_PAID, Why.OWED])
    refused("placing_uneven", town, less.line.id, decision)
    refused("not_found", town, less.line.id, Decision(way=Way.PAYOUT, other=paid.line.id))
    place(town, less.line.id, Decision(way=Way.FEES))
    place(town, paid.line.id, decision)
    assert balances(town) == {BANK: 100, "income": 100}
    again, back = waits(town, line(-100, "?", NEXT), line(9_500, "RETOUR", NEXT, kind=LineKind.RETURN), opening=100)
    refused("placing_uneven", town, again.line.id, decision)
    assert best(back) == (decision, [Why.PAID_OUT])
    place(town, again.line.id, Decision(way=Way.OWN))
    place(town, back.line.id, decision)
    assert town.book.balance(shop.account) == 10_000
    assert balances(town)["income"] == -400
    # What came back is not unpaid while it counts as having come back.
    with pytest.raises(CurrencyError) as caught:
        put_back(town, paid.line.id)
    assert caught.value.code == "line_not_placed"
    put_back(town, back.line.id)
    put_back(town, paid.line.id)
    assert balances(town) == {BANK: 9_500, "payouts": 9_500, "income": 100, "operations": 100}
    refused("payout_paid", town, back.line.id, decision)
    place(town, paid.line.id, decision)
    place(town, back.line.id, decision)
    assert town.book.balance(shop.account) == 10_000


def test_a_payout_that_was_recognised_by_mistake(town: Town) -> None:
    _shop, payout = asked_back(town, 10_000)
    reference = payout_reference(town.charter.network, payout)
    bring(town, statement([line(-9_500, reference, NEXT)], 10_000))
    paid = lines(town)[-1]
    assert (paid.became, balances(town).get("payouts")) == ("bank_payout", None)
    put_back(town, paid.id)
    assert (balances(town)["payouts"], balances(town)["suspense"]) == (9_500, -9_500)
    place(town, paid.id, Decision(way=Way.PAYOUT, other=payout))
    assert "payouts" not in balances(town)
    bring(town, statement([line(20_000, "don", NEXT), line(-9_500, "encore", NEXT)], 500))
    refused("payout_paid", town, lines(town)[-1].id, Decision(way=Way.PAYOUT, other=payout))


def test_euros_behind_imported_units(town: Town, alice: Party) -> None:
    code = town.charter.code
    issuer = Account(issuer_number(town.charter.network, "asso"), code, Side.CREDIT, floor=None)
    bring_in(
        town,
        Opening(town.new_id(), issuer, evidence={"issuer": 1}),
        Transaction(town.new_id(), "import", (Transfer(issuer.number, alice.account, 4_000, code),)),
    )
    bring(town, statement([], 4_000), opening=True)
    [one] = open_lines(town)
    assert [proposal.decision.way for proposal in one.proposals] == [Way.COVER, Way.OWN]
    place(town, one.line.id, one.proposals[0].decision)
    assert balances(town) == {
        "circulation": 4_000, "guarantee": 4_000, "members": 4_000, BANK: 4_000
    }  # fmt: skip
    assert adds_up(town)
    [more] = waits(town, line(100, "b"), opening=4_000)
    refused("placing_uneven", town, more.line.id, Decision(way=Way.COVER))


CANNOT: list[tuple[int, dict[str, Any], str]] = [
    (-500, {"way": Way.MEMBER}, "placing_uneven"),
    (500, {"way": Way.FEES}, "placing_uneven"),
    (-500, {"way": Way.CLAIM}, "placing_uneven"),
    (-500, {"way": Way.KNOWN}, "placing_uneven"),
    (-500, {"way": Way.COVER}, "placing_uneven"),
    (500, {"way": Way.COVER}, "placing_uneven"),
    (500, {"way": Way.RETURNED, "other": bytes(16)}, "not_found"),
    (500, {"way": Way.PAIR}, "not_found"),
    (500, {"way": Way.MEMBER, "holder": 99}, "not_found"),
    (500, {"way": Way.SPLIT}, "placing_uneven"),
    (500, {"way": Way.SPLIT, "shares": (Share(Way.OWN, 499),)}, "placing_uneven"),
    (500, {"way": Way.SPLIT, "shares": (Share(Way.OWN, 600), Share(Way.MEMBER, -100, 99))}, "placing_uneven"),
    (500, {"way": Way.SPLIT, "shares": (Share(Way.OWN, 250), Share(Way.OWN, 250))}, "placing_uneven"),
    (500, {"way": Way.SPLIT, "shares": (Share(Way.FEES, 500),)}, "placing_uneven"),
    (-500, {"way": Way.SPLIT, "shares": (Share(Way.OWN, 500),)}, "placing_uneven"),
    (500, {"way": Way.CASH}, "reserve_account_unknown"),
]


def test_what_cannot_be(town: Town, alice: Party) -> None:
    came, went, other = waits(town, line(500, "a"), line(-500, "b"), line(700, "c"))
    for amount, decision, code in CANNOT:
        refused(code, town, (came if amount > 0 else went).line.id, Decision(**decision))
    refused("placing_uneven", town, came.line.id, Decision(way=Way.RETURNED, other=went.line.id))
    refused("placing_uneven", town, went.line.id, Decision(way=Way.RETURNED, other=came.line.id))
    assert [one.line for one in open_lines(town)] == [came.line, went.line, other.line]


def test_a_closed_member_gets_nothing(town: Town, alice: Party) -> None:
    [one] = waits(town, line(900, "a"))
    parties.close(town, alice)
    refused("party_closed", town, one.line.id, Decision(way=Way.MEMBER, holder=alice.account))
