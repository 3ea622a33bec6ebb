"""A first statement that proved wrong is withdrawn, while nothing of it was placed: as if it had never been."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from ledger.core.model import Note
from ledger.currency import parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, claims, standing, suspense, taking, withdrawing
from ledger.currency.bank.lines import lines
from ledger.currency.bank.mandates import release
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import StatementError
from ledger.currency.conversion import conversion_id, convert, correct
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.told import why
from ledger.currency.town import Town
from ledger.i18n import translator
from tests import towns
from tests.currency.bank import monthly
from tests.currency.bank.scene import DAY, bring, line, opened, statement, token
from tests.currency.bank.test_booking import pay
from tests.towns import BANK

NEXT = DAY + timedelta(days=1)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path) as made:
        yield made


def stands(town: Town) -> tuple[int, int, int, list[str]]:
    """The bank by its statements and by the ledger, what waits, and what the audit finds."""
    bank = next(one for one in reserve.report(town).banks if one.name == BANK)
    return bank.statement or 0, bank.ledger, suspense.count(town), [one.code for one in audit(town).findings]


def test_as_if_it_had_never_been(town: Town) -> None:
    alice = parties.admit(town, "person", "Alice")
    wrong = [line(10_000, "don"), line(2_500, token(town, alice), NEXT)]
    bring(town, statement(wrong, 105_000), opening=True)
    assert town.book.balance(alice.account) == 2_500
    true = statement(wrong, 100_000)
    with pytest.raises(StatementError) as caught:
        taking.take(town, [true])
    assert caught.value.code == "statement_gap" and "patard bank withdraw" in caught.value.detail
    keeper = reserve.Keeper(town)
    assert keeper.report().covered

    done = withdrawing.withdraw(town, BANK)
    assert (done.statements, done.lines) == (1, 3)
    assert not lines(town) and town.book.balance(alice.account) == 0
    assert stands(town) == (0, 0, 0, [])
    [row] = taking.statements(town)
    assert withdrawing.withdrawn(town) == {row.id}
    again = withdrawing.withdraw(town, BANK, first=row.id)
    assert again.posted.replay and again[1:] == done[1:]
    with pytest.raises(CurrencyError, match="has no statement"):
        withdrawing.withdraw(town, BANK)

    with pytest.raises(StatementError) as caught:
        taking.take(town, [true])
    assert caught.value.code == "statement_opening"
    bring(town, true, opening=True)
    assert town.book.balance(alice.account) == 2_500
    assert stands(town) == (112_500, 112_500, 2, [])
    assert keeper.report().banks == reserve.report(town).banks
    [took] = taking.take(town, [true])
    assert took.new == 0
    bring(town, statement([line(100, "suite", NEXT + timedelta(days=1))], 112_500))
    assert stands(town) == (112_600, 112_600, 3, [])
    assert withdrawing.withdrawn(town) == {row.id}


def test_all_that_were_taken_go_with_the_first(town: Town) -> None:
    first = statement([line(100, "un")], 5_000)
    second = statement([line(200, "deux", NEXT)], 5_100)
    bring(town, first, second, opening=True)
    [one, two] = taking.statements(town)
    with pytest.raises(CurrencyError, match="not the first statement"):
        withdrawing.withdraw(town, BANK, first=two.id)
    assert withdrawing.withdraw(town, BANK, first=one.id)[1:] == (2, 3)
    bring(town, statement([line(100, "un"), line(200, "deux", NEXT)]))
    assert stands(town) == (300, 300, 2, [])
    # And that one as well: each time, it is the account's first that goes.
    assert withdrawing.withdraw(town, BANK)[1:] == (1, 2)
    bring(town, first, opening=True)
    assert stands(town) == (5_100, 5_100, 2, [])


def test_nothing_in_it_and_nothing_booked_yet(town: Town) -> None:
    taking.take(town, [statement([], 700)], opening=True)
    assert withdrawing.withdraw(town, BANK)[1:] == (1, 1)
    booking.book(town)
    taking.take(town, [statement([])])
    assert withdrawing.withdraw(town, BANK)[1:] == (1, 0)
    assert stands(town) == (0, 0, 0, [])


def test_what_was_placed_is_put_back_first(town: Town) -> None:
    bring(town, statement([line(900, "don"), line(800, "don")]))
    for waits in suspense.open_lines(town):
        suspense.place(town, waits.line.id, Decision(way=Way.OWN))
    size = town.book.head().seq
    with pytest.raises(CurrencyError) as caught:
        withdrawing.withdraw(town, BANK)
    said = why("statement_placed", caught.value.detail, translator("api", "fr"))
    assert caught.value.code == "statement_placed" and "du 10/06/2025 (" in said and "0\u202f€)" in said
    assert said.endswith("` ; 2 lignes de ce genre empêchent le retrait")
    [other] = [one for one in lines(town) if one.id.hex()[-8:] not in said]
    suspense.put_back(town, other.id)
    with pytest.raises(CurrencyError) as caught:
        withdrawing.withdraw(town, BANK)
    assert town.book.head().seq == size + 1 and not withdrawing.withdrawn(town)
    [last] = [one for one in lines(town) if one.id != other.id]
    assert last.id.hex()[-8:] in caught.value.detail and "such lines" not in caught.value.detail
    suspense.put_back(town, last.id)
    withdrawing.withdraw(town, BANK)
    assert stands(town) == (0, 0, 0, [])


@pytest.mark.parametrize("lines_", [1, 2])
def test_units_that_were_spent_stay(town: Town, lines_: int) -> None:
    alice, bob = parties.admit(town, "person", "Alice"), parties.admit(town, "shop", "Bob")
    bring(town, statement([line(500, token(town, alice))] * lines_))
    pay(town, alice, bob, 200)
    size = town.book.head().seq
    with pytest.raises(CurrencyError) as caught:
        withdrawing.withdraw(town, BANK)
    assert caught.value.code == "statement_placed" and "spent" in caught.value.detail
    assert (town.book.head().seq, town.book.balance(alice.account)) == (size, 500 * lines_ - 200)


def test_what_was_typed_waits_for_its_line_again(town: Town) -> None:
    alice = parties.admit(town, "person", "Alice")
    bring(town, statement([]))
    withdrawing.withdraw(town, BANK)
    convert(town, alice, 4_000, reserve=BANK, reference="VIR-77")
    ahead = line(4_000, "don", town.charter.local_date(town.now()), bank_ref="VIR-77")
    bring(town, statement([ahead], 10), opening=True)
    assert lines(town)[-1].became == "bank_line_known"
    withdrawing.withdraw(town, BANK)
    bring(town, statement([ahead]))
    assert lines(town)[-1].became == "bank_line_known"
    assert town.book.balance(alice.account) == 4_000
    assert stands(town) == (4_000, 4_000, 0, [])


def test_a_statement_that_comes_at_the_same_moment(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(town, statement([line(100, "un")], 5_000), opening=True)
    kept = taking._Plans.keep

    def late(plans: taking._Plans, *args: str) -> None:
        monkeypatch.setattr(taking._Plans, "keep", kept)
        withdrawing.withdraw(town, BANK)
        kept(plans, *args)

    monkeypatch.setattr(taking._Plans, "keep", late)
    with pytest.raises(StatementError) as caught:
        taking.take(town, [statement([line(200, "deux", NEXT)], 5_100)])
    assert caught.value.code == "statement_opening"  # it would be the first now
    assert stands(town) == (0, 0, 0, [])


def test_a_line_that_is_booked_at_the_same_moment(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    taking.take(town, [statement([line(100, "un")])])
    post = withdrawing._post

    def late(*args: object) -> object:
        monkeypatch.setattr(withdrawing, "_post", post)
        booking.book(town)
        return post(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(withdrawing, "_post", late)
    assert withdrawing.withdraw(town, BANK)[1:] == (1, 1)
    assert stands(town) == (0, 0, 0, [])


def test_a_line_that_is_placed_at_the_same_moment(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(town, statement([line(100, "un")]))
    [waits] = suspense.open_lines(town)
    post = withdrawing._post

    def late(*args: object) -> object:
        monkeypatch.setattr(withdrawing, "_post", post)
        suspense.place(town, waits.line.id, Decision(way=Way.OWN))
        return post(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(withdrawing, "_post", late)
    with pytest.raises(CurrencyError) as caught:
        withdrawing.withdraw(town, BANK)
    assert caught.value.code == "statement_placed"
    assert stands(town) == (100, 100, 0, [])


@pytest.mark.parametrize("at_once", [False, True])
def test_a_line_that_a_corrected_statement_took_is_undone_first(
    town: Town, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    """It is not among those that stand, and the ledger has what it was placed as."""
    bring(town, statement([line(100, "un")]))
    [waits] = suspense.open_lines(town)
    suspense.place(town, waits.line.id, Decision(way=Way.OWN))
    post = withdrawing._post

    def late(*args: object) -> object:
        taking.take(town, [statement([])], corrected=True)
        monkeypatch.setattr(withdrawing, "_post", post)
        return post(*args)  # type: ignore[arg-type]

    if at_once:
        suspense.put_back(town, waits.line.id)
        monkeypatch.setattr(withdrawing, "_post", late)
    else:
        taking.take(town, [statement([])], corrected=True)
    with pytest.raises(CurrencyError, match="importing that statement again") as caught:
        withdrawing.withdraw(town, BANK)
    assert caught.value.code == "statement_placed" and waits.line.reference in caught.value.detail
    booking.book(town)
    withdrawing.withdraw(town, BANK)
    assert stands(town) == (0, 0, 0, [])


def test_a_line_that_is_gone_and_whose_units_were_spent(town: Town) -> None:
    """It is undone, what was spent is owed, and the statement can be withdrawn."""
    alice, bob = parties.admit(town, "person", "Alice"), parties.admit(town, "shop", "Bob")
    bring(town, statement([line(900, "un"), line(100, "deux")]))
    [waits] = [one for one in suspense.open_lines(town) if one.line.amount == 900]
    shares = (Share(Way.MEMBER, 800, alice.account), Share(Way.OWN, 100))
    suspense.place(town, waits.line.id, Decision(way=Way.SPLIT, shares=shares))
    pay(town, alice, bob, 800)
    true = statement([line(100, "deux")])
    assert bring(town, true, corrected=True).stuck == []
    assert claims.owed(town) == {alice.account: 800} and not reserve.report(town).covered
    withdrawing.withdraw(town, BANK)
    bring(town, true)
    # The payment is none that Alice signed.
    assert stands(town) == (100, 100, 1, ["order_missing"]) and claims.owed(town) == {alice.account: 800}


@pytest.mark.parametrize("then", ["nothing", "back_beside", "back_in_it", "released"])
def test_our_debits_in_it(town: Town, then: str) -> None:
    """A person cannot put them back: they are to be brought again, while what they brought matures."""
    alice, mandate = monthly.sign(town, "Alice")
    sent = [monthly.batch(monthly.collected(town))]
    if then == "back_in_it":
        sent += [monthly.debit(monthly.item_of(town, mandate), sign=-1)]
    bring(town, statement(sent, 500, first=monthly.DUE), opening=True)
    if then == "back_beside":
        sent += [monthly.debit(monthly.item_of(town, mandate), monthly.DUE + timedelta(days=1), sign=-1)]
        monthly.brought(town, sent[-1])
    if then != "nothing":
        if then == "released":
            monthly.until(town, monthly.RELEASED)
            release.release(town, towns.sure(town))
        before = (stands(town), monthly.states(town))
        with pytest.raises(CurrencyError, match="the statement stays") as caught:
            withdrawing.withdraw(town, BANK)
        assert caught.value.code == "statement_placed" and (stands(town), monthly.states(town)) == before
        return
    withdrawing.withdraw(town, BANK)
    assert monthly.states(town) == {"ordered": 1} and stands(town) == (0, 0, 0, [])
    bring(town, statement(sent, first=monthly.DUE))
    assert monthly.states(town) == {"maturing": 1} and stands(town) == (3_000, 3_000, 0, [])
    monthly.until(town, monthly.RELEASED)
    assert release.release(town, towns.sure(town)).debits == 1
    assert town.book.balance(alice.account) == 3_000 and audit(town).clean


# --- what the audit holds -----------------------------------------------------------------------------------


def note(town: Town, **more: str | int) -> Note:
    """The note that withdraws all statements of the bank account, with something else in it."""
    rows = taking.statements(town)
    said = {
        "by": "console", "reserve": f"{town.chart.reserve[BANK]:016x}", "statement": rows[0].id.hex(),
        "statements": len(rows), "lines": len(lines(town)), **more,
    }  # fmt: skip
    return Note(standing.withdrawal_id(rows[0].id), standing.KIND, said)


def found(town: Town) -> set[str]:
    return {one.code for one in audit(town).findings}


def test_lines_that_stay(town: Town) -> None:
    bring(town, statement([line(100, "un")]))
    town.post(note(town))
    assert "line_unlogged" in found(town)


def test_not_all_that_stand(town: Town) -> None:
    bring(town, statement([line(100, "un")]))
    town.post(note(town, statements=2))
    assert "statement_withdrawn" in found(town)


def test_what_was_placed_is_withdrawn_all_the_same(town: Town) -> None:
    bring(town, statement([line(100, "un")]))
    [waits] = suspense.open_lines(town)
    suspense.place(town, waits.line.id, Decision(way=Way.OWN))
    town.post(note(town))
    assert "statement_withdrawn" in found(town)


def test_by_somebody_who_may_not(town: Town) -> None:
    bring(town, statement([line(100, "un")]))
    town.post(note(town, by="00" * 32))
    assert "role_insufficient" in found(town)


# --- what undoes counts for the day of what it undoes ----------------------------------------------------------

AHEAD = DAY + timedelta(days=13)
"""A Monday."""


def friday(town: Town, then: str) -> Party:
    """On Friday evening the bank told of a line of Monday. What became of it; and all is withdrawn on Tuesday."""
    alice = parties.admit(town, "person", "Alice")
    clock = towns.clock(town)
    bring(town, statement([]))
    clock.forward(5 * 86_400 + 3 * 3_600)
    if then in ("known", "placed"):
        convert(town, alice, 5_000, reserve=BANK, reference="VIR-77")
    text = "x" if then == "placed" else token(town, alice)
    bring(town, statement([line(5_000, text, AHEAD, bank_ref="" if then == "placed" else "VIR-77")]))
    clock.forward(4 * 86_400)
    [one] = lines(town)
    if then == "placed":
        [waits] = suspense.open_lines(town)
        suspense.place(town, waits.line.id, waits.proposals[0].decision)
    if then != "booked":
        suspense.put_back(town, one.id)
    withdrawing.withdraw(town, BANK)
    if then in ("known", "placed"):
        correct(town, conversion_id(town, BANK, "VIR-77"))
    assert town.book.balance(town.chart.reserve[BANK]) == 0
    return alice


@pytest.mark.parametrize("first", [AHEAD, AHEAD - timedelta(days=3), AHEAD - timedelta(days=5)])
@pytest.mark.parametrize("then", ["booked", "back", "known", "placed"])
def test_a_line_that_the_bank_dated_ahead(town: Town, then: str, first: date) -> None:
    alice = friday(town, then)
    true = statement([line(5_000, token(town, alice), AHEAD), line(100, "don", AHEAD)], first=first)
    bring(town, true)
    assert stands(town) == (5_100, 5_100, 1, [])
    assert reserve.report(town).covered and town.book.balance(alice.account) == 5_000


@pytest.mark.parametrize("days", [1, 2, 9])
def test_a_conversion_that_was_taken_back_before_the_first_statement(town: Town, days: int) -> None:
    alice = parties.admit(town, "person", "Alice")
    convert(town, alice, 700, reserve=BANK, reference="V-1", booked_on=DAY)
    towns.clock(town).forward(6 * 86_400)
    correct(town, conversion_id(town, BANK, "V-1"))
    bring(town, statement([], first=DAY + timedelta(days=days), last=DAY + timedelta(days=days)))
    assert stands(town) == (0, 0, 0, []) and reserve.report(town).covered


def test_a_book_of_before_began_with_what_each_came_to(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was then is in the statement, and stays so."""
    alice = parties.admit(town, "person", "Alice")
    for number, amount in enumerate((1_000, 700)):
        convert(town, alice, amount, reserve=BANK, reference=f"V-{number}", booked_on=DAY)
    correct(town, conversion_id(town, BANK, "V-1"))
    with monkeypatch.context() as before:
        before.setattr(taking, "with_which", lambda *_: None)
        bring(town, statement([], 1_000, first=NEXT, last=DAY + timedelta(days=6)), opening=True)
    [waits] = suspense.open_lines(town)
    suspense.place(town, waits.line.id, Decision(way=Way.OWN))
    assert stands(town) == (1_000, 300, 0, ["reserve_short"])
    assert [one.why for one in reserve.report(town).banks[0].explanation] == ["not_on_statement"]
