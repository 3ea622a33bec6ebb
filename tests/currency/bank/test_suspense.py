"""Lines in suspense: what is proposed, what a person decides, and how that is put right again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from ledger.core.model import Account, Opening, Side, Transaction, Transfer
from ledger.currency import conversion, parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank import claims, matching
from ledger.currency.bank.booking import book
from ledger.currency.bank.indexing import index
from ledger.currency.bank.lines import Books, Line, lines
from ledger.currency.bank.payouts.index import payout_reference
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.proposals import SENTENCES, Why
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.bank.suspense import OpenLine, count, find_open, open_lines, place, put_back
from ledger.currency.bank.taking import take
from ledger.currency.errors import CurrencyError
from ledger.currency.imported import issuer_number
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import (
    DAY,
    IBAN,
    SAVINGS,
    SAVINGS_IBAN,
    adds_up,
    balances,
    bring,
    bring_in,
    decide,
    line,
    opened,
    statement,
    token,
)  # fmt: skip
from tests.currency.bank.test_booking import pay
from tests.towns import BANK, CASH

NEXT = DAY + timedelta(days=1)
ALICES = "FR7630001007941234567890185"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made
        # Whatever a person decided, the audit follows it; `pay` has no signatures, and some euros are just gone.
        found = [finding for finding in audit(made).findings if finding.code not in ("order_missing", "reserve_short")]
        assert not found


@pytest.fixture
def alice(town: Town) -> Party:
    return parties.admit(town, "person", "Alice Martin")


def waits(town: Town, *found: BankLine, opening: int = 0, **more: Any) -> list[OpenLine]:
    """The lines of a statement, in suspense."""
    bring(town, statement(found, opening), **more)
    return open_lines(town)


def refused(code: str, *args: Any, **how: Any) -> None:
    """Placing so is refused, and nothing moves."""
    town = args[0]
    size = town.book.head().seq
    with pytest.raises(CurrencyError) as caught:
        place(*args, **how)
    assert caught.value.code == code
    assert town.book.head().seq == size


def row(town: Town, id_: bytes) -> Line:
    from ledger.currency.bank.tables import BANK_LINE

    return lines(town, BANK_LINE.c.id == id_)[0]


# --- placing ---------------------------------------------------------------------------------------------


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


def owes(town: Town, member: Party, cents: int) -> None:
    """The member topped up, spent it, and had the bank take it back; 5.00 of somebody else's are there."""
    bob = parties.admit(town, "shop", "Bob")
    text = token(town, member)
    bring(town, statement([line(cents, text), line(500, "autre")]))
    pay(town, member, bob, cents)
    bring(town, statement([line(-cents, text, kind=LineKind.RETURN)], cents + 500))
    for one in open_lines(town):
        place(town, one.line.id, Decision(way=Way.OWN))


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


# --- once ------------------------------------------------------------------------------------------------


def test_two_people_decide_the_same(town: Town, alice: Party) -> None:
    [one] = waits(town, line(900, "a"))
    decision = Decision(way=Way.MEMBER, holder=alice.account)
    office = towns.member(town, "association", "L'association")
    others = towns.join(town, office.party, "treasurer", "other")
    first = decide(town, office.key, one.line.id, decision)
    again = decide(town, others, one.line.id, decision)
    assert (again.id, again.seq, again.replay) == (first.id, first.seq, True)
    refused("line_placed", town, one.line.id, Decision(way=Way.OWN))
    refused("line_placed", town, one.line.id, Decision(way=Way.MEMBER, holder=99))


def test_two_people_at_once(town: Town, alice: Party) -> None:
    bob = parties.admit(town, "person", "Bob")
    found = waits(town, *(line(900 + n, "a") for n in range(8)))
    ready = Barrier(2)
    taken: list[Party] = []

    def decide(party: Party) -> None:
        for one in found:
            ready.wait()
            try:
                place(town, one.line.id, Decision(way=Way.MEMBER, holder=party.account))
                taken.append(party)
            except CurrencyError as error:
                assert error.code == "line_placed"

    both = [Thread(target=decide, args=(party,)) for party in (alice, bob)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(taken) == len(found)
    assert balances(town)["members"] == sum(one.line.amount for one in found)
    assert open_lines(town) == []


def test_a_decision_that_is_sent_again_after_the_line_was_put_back(town: Town, alice: Party) -> None:
    [one] = waits(town, line(900, "a"))
    decision = Decision(way=Way.MEMBER, holder=alice.account)
    place(town, one.line.id, decision, turn=one.turn)
    put_back(town, one.line.id, turn=0)
    assert place(town, one.line.id, decision, turn=one.turn).replay
    assert balances(town) == {BANK: 900, "suspense": 900}
    refused("line_placed", town, one.line.id, Decision(way=Way.OWN), turn=0)
    refused("line_placed", town, one.line.id, Decision(way=Way.OWN), turn=2)
    [again] = open_lines(town)
    assert again.turn == 1
    place(town, one.line.id, decision, turn=again.turn)
    assert balances(town)["members"] == 900


def test_importing_again_leaves_what_was_decided(town: Town, alice: Party) -> None:
    bring(town, statement([line(900, token(town, alice))]))
    [only] = lines(town)
    put_back(town, only.id)
    book(town)
    bring(town, statement([line(900, token(town, alice))]))
    assert [one.line.id for one in open_lines(town)] == [only.id]


def test_a_booking_that_comes_late_brings_back_nothing(town: Town, alice: Party) -> None:
    """Another process read the line before it was booked, and posts the same entry after a person put it back."""
    take(town, [statement([line(900, token(town, alice))])])
    [stale] = lines(town)
    entry = matching.find(Books(town, "console"), stale)
    book(town)
    put_back(town, stale.id)
    town.post_all([entry], lambda connection, answers: index(connection, [(answers[0].seq, entry)]))
    assert [one.line.id for one in open_lines(town)] == [stale.id]


# --- putting back ----------------------------------------------------------------------------------------


def test_a_conversion_that_booking_made_goes_back_to_suspense(town: Town, alice: Party) -> None:
    bob = parties.admit(town, "person", "Bob")
    bring(town, statement([line(2_500, token(town, alice))]))
    [only] = lines(town)
    with pytest.raises(CurrencyError) as caught:
        conversion.correct(town, only.id)
    assert (caught.value.code, only.id.hex()[-8:] in caught.value.detail) == ("conversion_banked", True)
    refused("line_not_open", town, only.id, Decision(way=Way.OWN))
    done = put_back(town, only.id)
    assert put_back(town, only.id) == done._replace(replay=True)
    assert balances(town) == {BANK: 2_500, "suspense": 2_500}
    place(town, only.id, Decision(way=Way.MEMBER, holder=bob.account))
    assert town.book.balance(bob.account) == 2_500
    with pytest.raises(CurrencyError) as caught:
        conversion.correct(town, town.book.statement(bob.account).entries[0].id)
    assert caught.value.code == "conversion_banked"


def test_units_that_were_spent_do_not_go_back(town: Town, alice: Party) -> None:
    bring(town, statement([line(2_500, token(town, alice))]))
    pay(town, alice, parties.admit(town, "shop", "Bob"), 1)
    [only] = lines(town)
    with pytest.raises(CurrencyError) as caught:
        put_back(town, only.id)
    assert caught.value.code == "below_floor"
    assert "Alice Martin holds 24.99" in caught.value.detail
    assert balances(town)["members"] == 2_500


def test_what_was_not_placed_is_not_put_back(town: Town, alice: Party) -> None:
    [one] = waits(town, line(900, "a"))
    with pytest.raises(CurrencyError) as caught:
        put_back(town, one.line.id)
    assert caught.value.code == "line_not_placed"
    with pytest.raises(CurrencyError) as caught:
        put_back(town, bytes(15) + b"x")
    assert caught.value.code == "not_found"


def test_a_conversion_typed_before_is_another_after_all(town: Town, alice: Party) -> None:
    typed = conversion.convert(town, alice, 2_500, reserve=BANK, reference="42").id
    bring(town, statement([line(2_500, "x", bank_ref="42")]))
    [only] = lines(town)
    with pytest.raises(CurrencyError) as caught:
        conversion.correct(town, typed)
    assert caught.value.code == "conversion_banked"
    put_back(town, only.id)
    assert balances(town)["suspense"] == 2_500
    conversion.correct(town, typed)
    assert balances(town) == {BANK: 2_500, "suspense": 2_500}


def test_the_same_bank_reference_twice_is_one_conversion(town: Town, alice: Party) -> None:
    conversion.convert(town, alice, 2_500, reserve=BANK, reference="42")
    done = bring(town, statement([line(2_500, "x", bank_ref="42"), line(2_500, "y", bank_ref="42")]))
    assert done.kinds == {"bank_line_known": 1, "bank_suspense": 1}
    assert bring(town, statement([line(2_500, "z", NEXT, bank_ref="42")], 5_000)).kinds == {"bank_suspense": 1}


def test_a_return_that_was_none(town: Town, alice: Party) -> None:
    text = token(town, alice)
    bring(town, statement([line(2_500, text), line(500, "x"), line(-2_500, text, NEXT, kind=LineKind.RETURN)]))
    back = lines(town)[-1]
    put_back(town, back.id)
    assert balances(town)["members"] == 2_500
    assert row(town, lines(town)[0].id).undone_seq is None
    place(town, back.id, Decision(way=Way.OWN))
    assert balances(town)["operations"] == 2_500


def test_a_placed_top_up_comes_back(town: Town, alice: Party) -> None:
    [one] = waits(town, line(2_500, "x", iban=ALICES))
    place(town, one.line.id, Decision(way=Way.MEMBER, holder=alice.account))
    done = bring(town, statement([line(-2_500, "", NEXT, iban=ALICES, kind=LineKind.RETURN)], 2_500))
    assert done.kinds == {"bank_return": 1}
    assert balances(town) == {}
    with pytest.raises(CurrencyError) as caught:
        put_back(town, one.line.id)
    assert caught.value.code == "line_not_placed"


# --- corrected statements --------------------------------------------------------------------------------


def corrected(town: Town, *found: BankLine) -> dict[str, int]:
    """Take a corrected statement of the day; balances."""
    assert bring(town, statement(found), corrected=True).stuck == []
    return balances(town)


def test_a_placed_line_that_the_bank_withdraws(town: Town, alice: Party) -> None:
    kept, one, two, three = waits(town, line(700, "x"), line(900, "a"), line(800, "b"), line(600, "c"))
    place(town, one.line.id, Decision(way=Way.MEMBER, holder=alice.account))
    place(town, two.line.id, Decision(way=Way.OWN))
    bob = parties.admit(town, "shop", "Bob")
    shares = (Share(Way.MEMBER, 200, bob.account), Share(Way.OWN, 400))
    place(town, three.line.id, Decision(way=Way.SPLIT, shares=shares))
    pay(town, alice, bob, 300)
    assert corrected(town, line(700, "x"), line(5_000, "other")) == {
        BANK: 5_700, "suspense": 5_700, "claims": 300, "members": 300, "circulation": 300, "guarantee": 300
    }  # fmt: skip
    assert kept.line.id in [found.line.id for found in open_lines(town)]


def test_a_split_that_the_bank_withdraws_when_its_units_are_gone(town: Town, alice: Party) -> None:
    [one] = waits(town, line(900, "a"))
    place(town, one.line.id, Decision(way=Way.SPLIT, shares=(Share(Way.MEMBER, 900, alice.account),)))
    bob = parties.admit(town, "shop", "Bob")
    pay(town, alice, bob, 1)
    [stuck] = bring(town, statement([line(5_000, "other")]), corrected=True).stuck
    assert (stuck.code, stuck.line.id) == ("below_floor", one.line.id)
    pay(town, bob, alice, 1)
    operator = towns.member(town, "association", "L'association")
    [stuck] = book(town, by=operator.key.public.hex()).stuck
    assert stuck.code == "role_insufficient"
    assert book(town).stuck == []
    assert balances(town) == {BANK: 5_000, "suspense": 5_000}


def test_known_paired_returned_and_put_back_lines_that_the_bank_withdraws(town: Town, alice: Party) -> None:
    conversion.convert(town, alice, 2_500, reserve=BANK, reference="42")
    text = token(town, alice)
    bring(
        town,
        statement(
            [line(2_500, "x", bank_ref="42"), line(900, "a"), line(-900, "b"), line(1_100, text),
             line(-1_100, text, kind=LineKind.RETURN), line(1_300, text)]
        ),
    )  # fmt: skip
    came, went = open_lines(town)
    place(town, came.line.id, Decision(way=Way.PAIR, other=went.line.id))
    put_back(town, lines(town)[-1].id)
    assert corrected(town, line(50, "all that is left")) == {
        # The conversion that somebody typed stays, and waits for its line.
        BANK: 2_550, "suspense": 50, "circulation": 2_500, "guarantee": 2_500, "members": 2_500
    }  # fmt: skip


# --- proposals -------------------------------------------------------------------------------------------


def best(one: OpenLine) -> tuple[Decision, list[Why]]:
    first = one.proposals[0]
    for reason in first.reasons:
        assert SENTENCES[reason.why].format(**reason.facts)
    return first.decision, [reason.why for reason in first.reasons]


SENDERS: list[tuple[int, str, dict[str, Any], list[Why]]] = [
    (2_601, "{token:.14}", {}, [Why.REFERENCE_CUT]),
    (2_602, "merci", {"iban": ALICES}, [Why.IBAN_SEEN]),
    (2_603, "VIR", {"name": "MME MARTIN ALICE"}, [Why.NAME_PAID]),
    (2_604, "virement d'ALICE  MARTIN pour le patard", {}, [Why.NAME_SAID]),
    (2_605, "x", {"name": "M OU MME MARTIN"}, [Why.NAME_PART]),
    (2_500, "", {"iban": ALICES, "name": "martin alice"}, [Why.IBAN_SEEN, Why.NAME_PAID, Why.AMOUNT_BEFORE]),
]


def test_who_it_is_from(town: Town, alice: Party) -> None:
    parties.admit(town, "person", "Alicia Martinez")
    parties.admit(town, "shop", "Épicerie Dubois")
    mine = token(town, alice)
    bring(town, statement([line(2_500, mine, iban=ALICES)]))
    given = [line(amount, text.format(token=mine), NEXT, **more) for amount, text, more, _why in SENDERS]
    found = {one.line.amount: one for one in waits(town, *given, opening=2_500)}
    for amount, _text, _more, why in SENDERS:
        assert best(found[amount]) == (Decision(way=Way.MEMBER, holder=alice.account), why)


def test_two_references_are_two_proposals(town: Town, alice: Party) -> None:
    bob = parties.admit(town, "person", "Bob")
    [one] = waits(town, line(4_000, f"{token(town, alice)} {token(town, bob)}"))
    assert {proposal.decision.holder for proposal in one.proposals} == {alice.account, bob.account}


def test_who_owes_pays_first(town: Town, alice: Party) -> None:
    owes(town, alice, 1_800)
    less, more = waits(town, line(1_000, "x", NEXT, name="Alice Martin"), line(2_500, "y", NEXT, name="Alice Martin"),
                       opening=500)  # fmt: skip
    assert less.proposals[0].decision == Decision(way=Way.CLAIM, holder=alice.account)
    assert more.proposals[0].decision == Decision(
        way=Way.SPLIT, shares=(Share(Way.CLAIM, 1_800, alice.account), Share(Way.MEMBER, 700, alice.account))
    )
    assert best(more)[1][0] is Why.OWES


KINDS_OF_LINES: list[tuple[int, str, dict[str, Any], dict[str, Any]]] = [
    (-301, "FRAIS TENUE DE COMPTE", {}, {"way": Way.CHARGE}),
    (-302, "", {"kind": LineKind.CHARGE}, {"way": Way.CHARGE}),
    (-303, "cotisation carte", {}, {"way": Way.CHARGE}),
    (304, "Cotisation 2025", {}, {"way": Way.OWN}),
    (-305, "RETRAIT DAB 10/06", {}, {"way": Way.CASH, "cash": CASH}),
    (306, "", {"kind": LineKind.CASH}, {"way": Way.CASH, "cash": CASH}),
    (-307, "vir", {"name": "ASSOCIATION LE PATARD"}, {"way": Way.OWN}),
    (-308, "edf", {"kind": LineKind.DEBIT}, {"way": Way.OWN}),
]


def test_what_it_is(town: Town) -> None:
    given = [line(amount, text, **more) for amount, text, more, _decision in KINDS_OF_LINES]
    found = {one.line.amount: one for one in waits(town, line(9_000, "z"), *given)}
    for amount, text, _more, decision in KINDS_OF_LINES:
        assert best(found[amount])[0] == Decision(**decision), text


def test_what_nothing_is_known_of_has_no_proposals(town: Town, alice: Party) -> None:
    [one] = waits(town, line(4_000, "?", name="Inconnu"))
    assert one.proposals == ()


def test_two_lines_of_one_sum_are_a_pair(town: Town) -> None:
    came, went = waits(town, line(900, "x", iban=ALICES), line(-900, "retour", NEXT, iban=ALICES))
    assert best(came) == (Decision(way=Way.PAIR, other=went.line.id), [Why.SAME_ACCOUNT, Why.OPPOSITE])
    assert best(find_open(town, went.line.id)) == (
        Decision(way=Way.PAIR, other=came.line.id), [Why.SAME_ACCOUNT, Why.OPPOSITE]
    )  # fmt: skip
    assert best(open_lines(town, limit=1)[0])[0] == Decision(way=Way.PAIR, other=went.line.id)


def test_euros_on_their_way_arrive(town: Town) -> None:
    bring(town, statement([line(9_000, "don"), line(-4_000, "placement", iban=SAVINGS_IBAN)]))
    bring(town, statement([line(4_000, "placement")], account=SAVINGS_IBAN))
    _gift, one = open_lines(town)
    assert best(one) == (Decision(way=Way.TRANSIT), [Why.ON_ITS_WAY])
    place(town, one.line.id, Decision(way=Way.TRANSIT))
    assert balances(town) == {"suspense": 9_000, BANK: 5_000, SAVINGS: 4_000}


def test_a_line_is_proposed_as_what_it_was_typed_as(town: Town, alice: Party) -> None:
    conversion.convert(town, alice, 2_500, reserve=BANK, reference="V1", booked_on=DAY)
    taken = conversion.convert(town, alice, 2_500, reserve=BANK, reference="V2").id
    conversion.correct(town, taken)
    [one] = waits(town, line(2_500, "?"))
    assert [(p.decision.way, p.decision.other) for p in one.proposals] == [
        (Way.KNOWN, conversion.conversion_id(town, BANK, "V1"))
    ]
    place(town, one.line.id, one.proposals[0].decision)


def test_a_line_that_is_not_there(town: Town) -> None:
    refused("not_found", town, bytes(15) + b"x", Decision(way=Way.OWN))
    with pytest.raises(CurrencyError) as caught:
        find_open(town, bytes(15) + b"x")
    assert caught.value.code == "not_found"


def test_a_line_that_is_not_booked(town: Town) -> None:
    take(town, [statement([line(900, "a")], account=IBAN)])
    [only] = lines(town)
    refused("line_not_open", town, only.id, Decision(way=Way.OWN))
