"""Transfers of several members that a bank books as one sum: to each their own, by one decision, and never more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.currency import conversion, parties
from ledger.currency.bank.lines import Line
from ledger.currency.bank.placing import Share, Way
from ledger.currency.bank.proposals import Why
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.bank.suspense import open_lines, place, put_back
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests.currency.bank.scene import DAY, balances, bring, line, statement, token
from tests.currency.bank.waiting import NEXT, audited, best, owes, refused, row, waits
from tests.towns import BANK, CASH


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with audited(tmp_path) as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Party:
    return parties.admit(town, "person", "Alice Martin")


@pytest.fixture
def bob(town: Town) -> Party:
    return parties.admit(town, "person", "Bob Dubois")


def batch(*parts: tuple[int, str, str], text: str = "", **more: Any) -> BankLine:
    """One sum of transfers: cents, text and name of each."""
    made = tuple(line(cents, said, name=name) for cents, said, name in parts)
    return line(sum(one.amount for one in made), text, parts=made, **more)


def held(town: Town, *members: Party) -> list[int]:
    return [town.book.balance(member.account) for member in members]


def test_each_part_brings_its_units(town: Town, alice: Party, bob: Party) -> None:
    [one] = waits(town, batch((2_000, token(town, alice), ""), (3_000, token(town, bob), "")))
    decision, why = best(one)
    assert why == [Why.PARTS] and one.proposals[0].points >= 90
    shares = (Share(Way.MEMBER, 2_000, alice.account), Share(Way.MEMBER, 3_000, bob.account))
    assert decision == decision.plain() and set(decision.shares) == set(shares)
    place(town, one.line.id, decision, turn=one.turn)
    assert held(town, alice, bob) == [2_000, 3_000]
    assert place(town, one.line.id, decision, turn=one.turn).replay
    assert balances(town) == {BANK: 5_000, "guarantee": 5_000, "circulation": 5_000, "members": 5_000}
    put_back(town, one.line.id)
    assert held(town, alice, bob) == [0, 0]
    [again] = open_lines(town)
    place(town, again.line.id, best(again)[0], turn=again.turn)
    assert held(town, alice, bob) == [2_000, 3_000]


def test_parts_of_one_member_are_a_top_up(town: Town, alice: Party) -> None:
    bring(town, statement([batch((2_000, token(town, alice), ""), (500, token(town, alice), ""))]))
    assert held(town, alice) == [2_500] and not open_lines(town)


@pytest.mark.parametrize("other", ["?", "Loyer"])
def test_one_reference_does_not_take_what_is_others(town: Town, alice: Party, other: str) -> None:
    [one] = waits(town, batch((2_000, token(town, alice), ""), (500, other, "")))
    assert held(town, alice) == [0]
    decision, why = best(one)
    assert why == [Why.PARTS_REST]
    assert set(decision.shares) == {Share(Way.MEMBER, 2_000, alice.account), Share(Way.OWN, 500)}


def test_the_label_of_the_sum_is_not_for_all(town: Town, alice: Party, bob: Party) -> None:
    """A bank that repeats the first transfer's text beside the sum."""
    text = token(town, alice)
    [one] = waits(town, batch((2_000, text, ""), (500, token(town, bob), ""), text=text))
    assert held(town, alice, bob) == [0, 0]
    place(town, one.line.id, best(one)[0])
    assert held(town, alice, bob) == [2_000, 500]


def test_by_their_names(town: Town, alice: Party, bob: Party) -> None:
    [one] = waits(town, batch((2_000, "", "M MARTIN ALICE"), (500, "", "DUBOIS BOB"), (100, token(town, bob), "")))
    decision, why = best(one)
    assert why == [Why.PARTS] and one.proposals[0].points < 90
    assert set(decision.shares) == {Share(Way.MEMBER, 2_000, alice.account), Share(Way.MEMBER, 600, bob.account)}


def test_nobody_is_known(town: Town, alice: Party) -> None:
    [one] = waits(town, batch((2_000, "", "X"), (500, "", "Y")))
    assert not one.proposals


def test_what_is_owed_is_paid_first(town: Town, alice: Party, bob: Party) -> None:
    owes(town, alice, 700)
    bring(
        town,
        statement([batch((1_000, token(town, alice), ""), (300, token(town, bob), ""))], 500, first=NEXT, last=NEXT),
    )
    [one] = open_lines(town)
    decision, _why = best(one)
    assert set(decision.shares) == {
        Share(Way.CLAIM, 700, alice.account), Share(Way.MEMBER, 300, alice.account),
        Share(Way.MEMBER, 300, bob.account),
    }  # fmt: skip
    place(town, one.line.id, decision)
    assert held(town, alice, bob) == [300, 300]


def test_what_was_typed_is_not_brought_once_more(town: Town, alice: Party, bob: Party) -> None:
    bring(town, statement([]))
    day = DAY + timedelta(days=1)
    conversion.convert(town, alice, 2_000, reserve=BANK, reference="VIR-1", booked_on=day)
    sum_ = batch((2_000, token(town, alice), ""), (3_000, token(town, bob), ""))
    bring(town, statement([sum_], first=day, last=day))
    [one] = open_lines(town)
    refused("line_typed", town, one.line.id, best(one)[0])
    [typed] = conversion.conversions_of(town, "VIR-1")
    conversion.correct(town, typed.id)
    place(town, one.line.id, best(one)[0])
    assert held(town, alice, bob) == [2_000, 3_000]


def test_a_sum_of_transfers_is_no_cash_paid_in(town: Town, alice: Party, bob: Party) -> None:
    conversion.convert(town, alice, 2_000, reserve=CASH, reference="BON-1", booked_on=DAY)
    [one] = waits(town, batch((2_000, token(town, alice), ""), (3_000, token(town, bob), "")))
    place(town, one.line.id, best(one)[0])
    assert held(town, alice, bob) == [4_000, 3_000]


def test_the_bank_takes_the_sum_away(town: Town, alice: Party, bob: Party) -> None:
    sum_ = batch((2_000, token(town, alice), ""), (3_000, token(town, bob), ""))
    [one] = waits(town, sum_)
    place(town, one.line.id, best(one)[0])
    bring(town, statement([line(100, "?")]), corrected=True)
    assert held(town, alice, bob) == [0, 0]
    assert [each.line.amount for each in open_lines(town)] == [100]


def test_a_sum_that_came_back_is_nobodys(town: Town, alice: Party, bob: Party) -> None:
    back = batch((2_000, token(town, alice), ""), (3_000, token(town, bob), ""), kind=LineKind.RETURN)
    [one] = waits(town, back)
    assert all(Why.PARTS not in [reason.why for reason in each.reasons] for each in one.proposals)
    found: Line = row(town, one.line.id)
    assert len(found.parts) == 2
