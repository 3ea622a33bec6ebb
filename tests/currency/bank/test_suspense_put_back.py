"""Decisions on lines in suspense hold once, are put back, and follow a corrected statement."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest

from ledger.currency import conversion, parties
from ledger.currency.bank import matching
from ledger.currency.bank.booking import book
from ledger.currency.bank.indexing import index
from ledger.currency.bank.lines import Books, lines
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.bank.suspense import open_lines, place, put_back
from ledger.currency.bank.taking import take
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import balances, bring, decide, line, statement, token
from tests.currency.bank.test_booking import pay
from tests.currency.bank.waiting import ALICES, NEXT, audited, refused, row, waits
from tests.towns import BANK


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with audited(tmp_path / "home") as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Party:
    return parties.admit(town, "person", "Alice Martin")


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
    assert corrected(town, line(5_000, "other")) == {
        BANK: 5_000, "suspense": 5_000, "claims": 1, "members": 1, "circulation": 1, "guarantee": 1
    }  # fmt: skip


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
