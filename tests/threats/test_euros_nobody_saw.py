"""Euros that nobody saw: cash paid in at the bank, an account without statements, a line that the bank took away, what
was typed a day early or again and again.

The siblings of `test_one_euro`: each would have been units without a euro while everything said that all is covered.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.core.model import Posted
from ledger.currency import conversion, parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import ahead, booking, taking
from ledger.currency.bank.lines import lines
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import LineKind, StatementError
from ledger.currency.bank.suspense import OpenLine, open_lines, place
from ledger.currency.errors import CurrencyError
from ledger.currency.imported import open_reserve
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import scene
from tests.currency.bank.scene import DAY, SAVINGS, SAVINGS_IBAN, balances, bring, line, statement, token
from tests.threats.test_one_euro import TODAY, check_finds, commit_refuses, once, typed
from tests.towns import BANK, CASH

DAYS = timedelta(days=1)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    with scene.opened(tmp_path / "home", url) as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Party:
    return parties.admit(town, "person", "Alice Martin")


def slip(town: Town, party: Party, amount: int, reference: str) -> Posted:
    return typed(town, party, amount, reference, None, CASH)


def waits(town: Town) -> OpenLine:
    [one] = open_lines(town)
    return one


# --- cash --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (LineKind.CASH, ""),
        (LineKind.OTHER, "VERSEMENT ESPECES "),
        (LineKind.OTHER, "Dépôt espèces, "),
        (LineKind.OTHER, ""),
    ],
)
def test_cash_of_a_slip_that_was_paid_in(town: Town, alice: Party, kind: LineKind, said: str) -> None:
    slip(town, alice, 5_000, "S-1")
    bring(town, statement([line(5_000, said + token(town, alice), kind=kind)]))
    assert balances(town)["members"] == 5_000
    one = waits(town)
    shares = (Share(Way.MEMBER, 4_000, alice.account), Share(Way.OWN, 1_000))
    for wrong in (Decision(way=Way.MEMBER, holder=alice.account), Decision(way=Way.SPLIT, shares=shares)):
        with towns.nothing_moves(town), pytest.raises(CurrencyError, match="place it as cash") as caught:
            place(town, one.line.id, wrong)
        assert caught.value.code == "line_typed"
    place(town, one.line.id, Decision(way=Way.CASH, cash=CASH))
    assert balances(town)[BANK] == 5_000 and CASH not in balances(town)
    once(town, 5_000)


def test_cash_that_several_slips_gave(town: Town, alice: Party) -> None:
    """Of whoever it says to be, whatever the sum: what a bank calls cash brings no units by itself."""
    for number, amount in enumerate((2_000, 3_000)):
        slip(town, alice, amount, f"S-{number}")
    bring(town, statement([line(5_000, token(town, alice), kind=LineKind.CASH)]))
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="place it as cash"):
        place(town, waits(town).line.id, Decision(way=Way.MEMBER, holder=alice.account))
    [best, *_others] = waits(town).proposals
    assert best.decision == Decision(way=Way.CASH, cash=CASH)
    place(town, waits(town).line.id, best.decision)
    once(town, 5_000)


@pytest.mark.parametrize("kind", [LineKind.CASH, LineKind.OTHER])
def test_cash_that_a_member_paid_in_is_typed_no_more(town: Town, alice: Party, kind: LineKind) -> None:
    bring(town, statement([line(5_000, f"VERSEMENT ESPECES {token(town, alice)}", kind=kind)]))
    place(town, waits(town).line.id, Decision(way=Way.MEMBER, holder=alice.account))
    commit_refuses(
        "conversion_on_statement", "it may be the line 20250610/5000/1, which was for Alice Martin",
        town, alice, 5_000, "S-1", None, CASH,
    )  # fmt: skip
    once(town, 5_000)


@pytest.mark.parametrize("how", ["from an account", "a transfer", "another day", "another member"])
def test_cash_is_no_reason_to_doubt_a_transfer(town: Town, alice: Party, how: str) -> None:
    giver = parties.admit(town, "person", "Bob") if how == "another member" else alice
    slip(town, giver, 5_000, "S-1")
    if how == "another day":
        towns.clock(town).forward(30 * 86_400)
    day = town.charter.local_date(town.now())
    says: dict[str, dict[str, Any]] = {
        "from an account": {"iban": "DE89370400440532013000"}, "a transfer": {"kind": LineKind.TRANSFER}
    }  # fmt: skip
    done = bring(town, statement([line(5_000, token(town, alice), day, **says.get(how, {}))]))
    assert done.kinds == {"conversion": 1}


@pytest.mark.parametrize("amount", [5_000, -5_000])
def test_what_a_bank_calls_a_transfer_is_no_cash(town: Town, amount: int) -> None:
    bring(town, statement([line(9_000, "don"), line(amount, "LOYER", kind=LineKind.TRANSFER)]))
    [one] = [one for one in open_lines(town) if one.line.amount == amount]
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="this is no cash"):
        place(town, one.line.id, Decision(way=Way.CASH, cash=CASH))


def test_one_slip_written_in_several_ways(town: Town, alice: Party) -> None:
    slip(town, alice, 5_000, "S-0117")
    for again in ("S0117", "S/0117", "S-O117"):
        commit_refuses("conversion_taken", f"S-0117 on this account has issued units before: {again} is the same",
                       town, alice, 5_000, again, None, CASH)  # fmt: skip
    once(town, 5_000)


def test_what_was_known_comes_again_with_another_day(town: Town, alice: Party) -> None:
    """The bank corrects the day of a line that somebody had typed ahead."""
    typed(town, alice, 5_000, "V-1")
    first = line(5_000, token(town, alice), bank_ref="V-1")
    assert bring(town, statement([first, line(100, "x")])).kinds == {"bank_line_known": 1, "bank_suspense": 1}
    moved = [line(100, "x"), line(5_000, token(town, alice), DAY + DAYS, bank_ref="V-1")]
    bring(town, statement(moved, first=DAY), corrected=True)
    once(town, 5_000)


@pytest.mark.parametrize("way", [Way.PAIR, Way.RETURNED])
def test_what_went_to_another_account_gives_nothing_back(town: Town, alice: Party, way: Way) -> None:
    said = token(town, alice) if way is Way.RETURNED else "inconnu"
    came = line(5_000, said, iban="DE89370400440532013000")
    went = line(-5_000, "VIR", DAY + DAYS, iban="NL91ABNA0417164300")
    bring(town, statement([came, went]))
    [other, *_rest] = lines(town)
    one = next(one for one in open_lines(town) if one.line.amount < 0)
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="names another account for each"):
        place(town, one.line.id, Decision(way=way, other=other.id))


# --- between two accounts of the reserve -------------------------------------------------------------------


def left(town: Town, alice: Party, text: str = "VIR", **more: Any) -> None:
    """Alice's euros came, and left the account again."""
    bring(town, statement([line(5_000, token(town, alice))]))
    bring(town, statement([line(-5_000, text, DAY + DAYS, **more)], 5_000))


def test_what_is_said_to_be_on_its_way_is_no_cover(town: Town, alice: Party) -> None:
    left(town, alice)
    place(town, waits(town).line.id, Decision(way=Way.TRANSIT))
    report = reserve.report(town)
    assert (report.covered, report.sound, report.awaited, report.coverage_bp) == (False, True, 5_000, 0)
    assert audit(town).clean
    towns.clock(town).forward(11 * 86_400)
    check_finds(town, "bank_placed 20250611/-5000/1 of 5000 cents left an account of the reserve on 2025-06-11, and by "
                "2025-06-25 it arrived on none")  # fmt: skip
    bring(town, statement([line(5_000, "x", DAY + 2 * DAYS)], account=SAVINGS_IBAN))
    place(town, waits(town).line.id, Decision(way=Way.TRANSIT))
    once(town, 5_000)


def test_what_went_to_an_account_of_ours_and_never_came(town: Town, alice: Party) -> None:
    left(town, alice, iban=SAVINGS_IBAN)
    assert audit(town).clean and reserve.report(town).covered  # the bank says where it went
    towns.clock(town).forward(101 * 86_400)
    check_finds(town, "bank_transit 20250611/-5000/1 of 5000 cents left an account of the reserve on 2025-06-11")


def test_what_went_elsewhere_is_not_on_its_way(town: Town, alice: Party) -> None:
    left(town, alice, iban="DE89370400440532013000")
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="not to or from another account of the reserve"):
        place(town, waits(town).line.id, Decision(way=Way.TRANSIT))


@pytest.mark.parametrize("placed_first", [True, False])
def test_what_arrives_with_the_members_label_is_no_topup(town: Town, alice: Party, placed_first: bool) -> None:
    left(town, alice, f"VIR VERS LIVRET {token(town, alice)}")
    if placed_first:
        place(town, waits(town).line.id, Decision(way=Way.TRANSIT))
    arrives = statement([line(5_000, f"VIR DE COMPTE {token(town, alice)}", DAY + DAYS)], account=SAVINGS_IBAN)
    assert bring(town, arrives).kinds == {"bank_suspense": 1}
    for one in open_lines(town):
        place(town, one.line.id, Decision(way=Way.TRANSIT))
    once(town, 5_000)


def test_what_arrived_and_became_units_did_not_leave(town: Town, alice: Party) -> None:
    arrives = statement([line(5_000, token(town, alice), DAY + DAYS)], account=SAVINGS_IBAN)
    assert bring(town, arrives).kinds == {"conversion": 1}
    bring(town, statement([line(5_000, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    bring(town, statement([line(-5_000, "VIR VERS LIVRET", DAY + DAYS)], 5_000))
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="put that line back into suspense first"):
        place(town, waits(town).line.id, Decision(way=Way.TRANSIT))


def test_a_first_statement_begins_with_what_was_on_its_way(town: Town, alice: Party) -> None:
    left(town, alice, iban=SAVINGS_IBAN)
    day = DAY + 2 * DAYS
    bring(town, statement([], 5_700, account=SAVINGS_IBAN, first=day, last=day), opening=True)
    arrived, own = sorted(open_lines(town), key=lambda one: -one.line.amount)
    assert (arrived.line.amount, own.line.amount) == (5_000, 700)
    for way in (Decision(way=Way.MEMBER, holder=alice.account), Decision(way=Way.OWN)):
        with towns.nothing_moves(town), pytest.raises(CurrencyError, match="place it as transit"):
            place(town, arrived.line.id, way)
    place(town, arrived.line.id, Decision(way=Way.TRANSIT))
    place(town, own.line.id, Decision(way=Way.OWN))
    once(town, 5_000)


def test_an_opening_on_an_account_without_statements(town: Town) -> None:
    bring(town, statement([line(5_000, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="has none yet: its euros come by its first one"):
        open_reserve(town, SAVINGS, 5_000, "M1")


# --- an account without statements -------------------------------------------------------------------------


def test_typed_on_an_account_without_a_statement_is_awaited(town: Town, alice: Party) -> None:
    bring(town, statement([line(5_000, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    id_ = typed(town, alice, 700, "V-1", None, SAVINGS).id
    assert ahead.expected_until(town, id_) == TODAY + 10 * DAYS
    report = reserve.report(town)
    assert (report.covered, report.sound, report.awaited, report.proved) == (True, True, 700, 5_000)
    towns.clock(town).forward(11 * 86_400)
    check_finds(
        town,
        f"conversion V-1 of 700 cents on {SAVINGS!r} (no statement yet): a statement should have had it by 2025-06-25, "
        "and none has",
    )
    assert bring(town, statement([line(700, "x", TODAY, bank_ref="V-1")], account=SAVINGS_IBAN)).kinds == {
        "bank_line_known": 1
    }
    assert audit(town).clean and reserve.report(town).covered


def test_typed_there_for_another_month(town: Town, alice: Party) -> None:
    """The month is mistyped, on the account that the statements are not of: the line has doubts all the same."""
    bring(town, statement([line(100, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    commit_refuses(
        "conversion_on_statement", "other accounts have: 2025-05-11 is longer ago than the 10 days",
        town, alice, 5_000, "V-1", DAY - 30 * DAYS, SAVINGS,
    )  # fmt: skip
    typed(town, alice, 5_000, "V-2", TODAY - 10 * DAYS, SAVINGS)
    towns.clock(town).forward(8 * 86_400)
    day = TODAY + 8 * DAYS
    assert bring(town, statement([line(5_000, token(town, alice), day)], 100)).kinds == {"bank_suspense": 1}
    assert balances(town)["members"] == 5_000


def test_typed_there_before_any_statement_is_believed(town: Town, alice: Party) -> None:
    typed(town, alice, 700, "V-1", DAY - 30 * DAYS, SAVINGS)
    bring(town, statement([line(5_000, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    towns.clock(town).forward(20 * 86_400)
    report = reserve.report(town)
    assert audit(town).clean and (report.covered, report.awaited) == (True, 0)


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
    assert [one.code for one in booking.book(town).stuck] == ["below_floor"]
    towns.clock(town).forward(601)
    check_finds(
        town,
        "bank_suspense 20250610/5000/1 of 5000 cents on 'Banque' (statements to 2025-06-10) rests on a line that the "
        "bank took away",
    )
    towns.pay(town, shop, bob, 4_000)
    assert not booking.book(town).stuck
    assert audit(town).clean and reserve.report(town).covered


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
