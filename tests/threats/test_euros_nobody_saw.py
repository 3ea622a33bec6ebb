"""Euros that nobody saw: a line that the bank took away, a statement between others, what was typed a day early, or
again and again.

The siblings of `test_one_euro`: each would have been units without a euro while everything said that all is covered.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ledger.currency import conversion, parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, claims, taking
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import LineKind, StatementError
from ledger.currency.bank.suspense import OpenLine, open_lines, place, put_back
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.town import Town
from ledger.i18n import translator
from merchants.reserve.shown import show
from tests import towns
from tests.currency.bank.scene import DAY, SAVINGS, balances, bring, line, statement, token
from tests.threats.test_one_euro import check_finds, commit_refuses, once, typed

DAYS = timedelta(days=1)


def waits(town: Town) -> OpenLine:
    [one] = open_lines(town)
    return one


def test_what_was_known_comes_again_with_another_day(town: Town, alice: Party) -> None:
    """The bank corrects the day of a line that somebody had typed ahead."""
    typed(town, alice, 5_000, "V-1")
    first = line(5_000, token(town, alice), bank_ref="V-1")
    assert bring(town, statement([first, line(100, "x")])).kinds == {"bank_line_known": 1, "bank_suspense": 1}
    moved = [line(100, "x"), line(5_000, token(town, alice), DAY + DAYS, bank_ref="V-1")]
    bring(town, statement(moved, first=DAY), corrected=True)
    once(town, 5_000)


# --- a line that the bank took away ------------------------------------------------------------------------


def test_a_line_taken_away_whose_units_were_spent(town: Town) -> None:
    bob, shop = towns.member(town, "person", "Bob"), towns.member(town, "shop", "Boulangerie")
    own = line(9_000, "apport")
    bring(town, statement([own, line(5_000, "Bob")]))
    shares = (Share(Way.MEMBER, 4_500, bob.account), Share(Way.OWN, 500))
    for one in open_lines(town):
        split = one.line.amount == 5_000
        place(town, one.line.id, Decision(way=Way.SPLIT, shares=shares) if split else Decision(way=Way.OWN))
    towns.pay(town, bob, shop, 4_000)
    taking.take(town, [statement([own])], quiet_days=True, corrected=True)
    # Between taking and undoing it is no finding: it is undone in a moment.
    assert audit(town).clean
    towns.clock(town).forward(601)
    check_finds(
        town,
        "bank_suspense 20250610/5000/1 of 5000 cents on 'Banque' (statements to 2025-06-10) rests on a line that the "
        "bank took away",
    )
    assert not booking.book(town).stuck
    assert audit(town).clean and reserve.report(town).covered  # by what is the association's own
    assert claims.owed(town) == {bob.account: 4_000}


# --- a statement between, or before, those that are known -----------------------------------------------------


def test_a_statement_before_the_first_brings_nothing(town: Town, alice: Party) -> None:
    bring(town, statement([line(5_000, token(town, alice))]))
    early = DAY - 9 * DAYS
    for days in (early, DAY - DAYS), (early, DAY):
        more = statement([line(900, token(town, alice), early)], first=days[0], last=days[1])
        with towns.nothing_moves(town), pytest.raises(StatementError) as caught:
            taking.take(town, [more], quiet_days=True)
        assert caught.value.code in ("statement_gap", "statement_differs")
    once(town, 5_000)


def test_a_statement_that_reaches_back_before_the_first(town: Town, alice: Party) -> None:
    """It comes to nothing before, and yet its line was typed when there were no statements."""
    typed(town, alice, 400, "V-1", DAY - 9 * DAYS)
    bring(town, statement([line(100, "x")], 1_000), opening=True)
    more = [line(400, token(town, alice), DAY - 9 * DAYS), line(-400, "LOYER", DAY - 8 * DAYS), line(100, "x")]
    with towns.nothing_moves(town), pytest.raises(StatementError) as caught:
        taking.take(town, [statement(more, 1_000)])
    assert caught.value.code == "statement_differs"


def test_one_day_in_two_formats_with_a_line_that_reads_the_same(town: Town, alice: Party) -> None:
    def told(came: str, went: str) -> Any:
        return statement([line(5_000, came), line(-5_000, went), line(-300, "COMMISSION CARTE")], 1_000)

    bring(town, told(f"VIR SEPA MARTIN ALICE {token(town, alice)}", "PRLV BAILLEUR LOYER JUIN"), opening=True)
    with towns.nothing_moves(town), pytest.raises(StatementError) as caught:
        taking.take(town, [told(f"{token(town, alice)} recharge", "loyer 06/2025")])
    assert caught.value.code == "statement_differs"
    assert balances(town)["members"] == 5_000


def test_days_between_two_statements_come_to_nothing(town: Town, alice: Party) -> None:
    """The balances of both said so; what a statement of the days between brings must, too."""
    bring(town, statement([line(5_000, token(town, alice))]))
    later = DAY + 4 * DAYS
    bring(town, statement([line(100, token(town, alice), later)], 5_000))
    between = statement([line(900, token(town, alice), DAY + DAYS)], 5_000, last=DAY + 2 * DAYS)
    with towns.nothing_moves(town), pytest.raises(StatementError) as caught:
        taking.take(town, [between])
    assert caught.value.code == "statement_differs"
    even = [line(900, "x", DAY + DAYS), line(-900, "y", DAY + DAYS)]
    assert taking.take(town, [statement(even, 5_000, last=DAY + 2 * DAYS)])[0].new == 2
    booking.book(town)
    came, went = open_lines(town)
    place(town, came.line.id, Decision(way=Way.PAIR, other=went.line.id))
    assert audit(town).clean


# --- typed a day early, typed again and again --------------------------------------------------------------


def test_typed_a_day_before_a_first_statement_that_began_otherwise(town: Town, alice: Party) -> None:
    typed(town, alice, 5_000, "V-1", DAY - DAYS)
    bring(town, statement([line(5_000, token(town, alice))], 20_000), opening=True)
    assert balances(town)["members"] == 5_000
    assert {one.line.kind for one in open_lines(town)} == {LineKind.OPENING, LineKind.OTHER}


@pytest.mark.parametrize("whose", ["one member's", "another's each time", "with a cent in between"])
def test_typed_and_taken_back_for_ever(town: Town, alice: Party, whose: str) -> None:
    bring(town, statement([line(5_000, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    balance, most = 5_000, town.charter.limits.ahead_per_day
    for number in range(2):
        day = town.charter.local_date(town.now())
        party = parties.admit(town, "person", f"P{number}") if whose == "another's each time" else alice
        if whose == "with a cent in between":
            bring(town, statement([line(1, token(town, alice), day)], balance))
            balance += 1
            towns.clock(town).forward(86_400)
        conversion.correct(town, typed(town, party, most // 2, f"V-{number}").id)
        towns.clock(town).forward(6 * 86_400)
    commit_refuses("conversion_on_statement", "were typed on this account and taken back within 30 days",
                   town, alice, 1, "V-9")  # fmt: skip
    towns.clock(town).forward(30 * 86_400)
    typed(town, alice, 100, "V-7")


def test_a_mistake_is_put_right(town: Town, alice: Party) -> None:
    bring(town, statement([line(5_000, "don")]))
    conversion.correct(town, typed(town, alice, 7_000, "V-1").id)
    typed(town, alice, 700, "V-1/2")


def test_refused_is_told_what_to_do(town: Town, alice: Party) -> None:
    bring(town, statement([line(5_000, "don")]))
    with pytest.raises(CurrencyError, match="bring the statement that has it"):
        typed(town, alice, 700, "V-1", DAY - 30 * DAYS, SAVINGS)


# --- spent behind what is nobody's ----------------------------------------------------------------------------


def spent(town: Town, alice: Party, *others: int) -> None:
    """Alice's euros back her units; the association paid a bill of 30.00 and had 10.00. `others` nobody placed."""
    own, bill = line(1_000, "don"), line(-3_000, "LOYER")
    bring(town, statement([line(5_000, token(town, alice)), own, bill, *(line(cents, "?") for cents in others)]))
    for one in open_lines(town):
        if one.line.amount in (own.amount, bill.amount):
            place(town, one.line.id, Decision(way=Way.OWN))


def test_what_nobody_placed_covers_nothing_that_was_spent(town: Town, alice: Party) -> None:
    spent(town, alice, 9_000)
    report = reserve.report(town)
    assert (report.operations, report.suspense, report.unplaced) == (2_000, 9_000, 9_000)
    assert (report.covered, report.sound, report.coverage_bp) == (False, False, 6_000)
    short = report.identities[1]
    told = ("guarantee <= reserve accounts - payouts due - unplaced", 5_000, 3_000, False)
    assert (short.name, short.left, short.right, short.holds) == told
    [found] = audit(town).findings
    assert found.code == "reserve_short"
    assert "that the reserve accounts hold, less what is owed to shops and what came and is not placed" in found.text
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    once(town, 5_000)


def test_a_bill_that_nobody_placed_is_not_paid_by_what_came_beside_it(town: Town, alice: Party) -> None:
    bring(town, statement([line(5_000, token(town, alice)), line(-3_000, "LOYER"), line(9_000, "?")]))
    assert [one.code for one in audit(town).findings] == ["reserve_short"]
    assert (reserve.report(town).suspense, reserve.report(town).unplaced) == (6_000, 9_000)
    for one in open_lines(town):
        place(town, one.line.id, Decision(way=Way.OWN))
    once(town, 5_000)


def test_what_somebody_took_is_not_hidden_by_as_much_that_came(town: Town, alice: Party) -> None:
    """A line of the same sum that nobody placed is somebody's: until a person says that they are a pair."""
    bring(town, statement([line(5_000, token(town, alice)), line(900, "?")]))
    once(town, 5_000)
    bring(town, statement([line(-900, "VIR", DAY + timedelta(days=1))], 5_900))
    keeper = reserve.Keeper(town)
    for _ in range(2):
        report = keeper.report()
        assert (report.suspense, report.unplaced, report.missed) == (0, 900, 900)
        assert (report.covered, report.sound, report.coverage_bp) == (False, False, 8_200)
        [found] = audit(town).findings
        assert found.code == "reserve_short" and "(900; 900 went out and are not placed either)" in found.text
        shown = show(report, town.charter, translator("merchants", "en"))
        facts = {fact.name: fact.sum for fact in (*shown.purposes, *shown.places)}
        assert (facts["Not placed yet"], facts["Went out, not placed yet"]) == ("€9.00", "€9.00")
        told = shown.identities[2]
        assert shown.purposes_sum == shown.places_sum == told.left == told.right == "€59.00"
        assert "unplaced + fees" in told.formula and told.formula.endswith("transit + missed")
        one, other = open_lines(town)
        place(town, one.line.id, Decision(way=Way.PAIR, other=other.line.id))
        assert (keeper.report().unplaced, keeper.report().missed) == (0, 0)
        once(town, 5_000)
        put_back(town, one.line.id)
    one, _other = open_lines(town)
    place(town, one.line.id, Decision(way=Way.MEMBER, holder=alice.account))
    assert [found.code for found in audit(town).findings] == ["reserve_short"]
    assert reserve.report(town).coverage_bp == 8_474


def test_what_is_placed_and_put_back_waits_once_more(town: Town, alice: Party) -> None:
    """A server's report reads on where it stopped: the sums are those of the whole log."""
    keeper = reserve.Keeper(town)
    bring(town, statement([line(5_000, token(town, alice)), line(900, "?"), line(900, "??")]))
    told = [keeper.report().unplaced]
    one, _other = open_lines(town)
    place(town, one.line.id, Decision(way=Way.MEMBER, holder=alice.account))
    told.append(keeper.report().unplaced)
    put_back(town, one.line.id)
    told.append(keeper.report().unplaced)
    assert told == [1_800, 900, 1_800] and reserve.report(town).unplaced == 1_800
    once(town, 5_000)
