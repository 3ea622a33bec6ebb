"""Whose euros a line says they are, and what may be taken from a member to give euros back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.currency import conversion, parties, reserve, uncovered
from ledger.currency.audit.walk import audit
from ledger.currency.bank import withdrawing
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.suspense import open_lines, place, put_back
from ledger.currency.errors import CurrencyError
from ledger.currency.imported import open_reserve
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, IBAN, SAVINGS, SAVINGS_IBAN, balances, bring, decide, line, statement, token
from tests.threats.test_one_euro import imports, once
from tests.towns import BANK, CASH

DAYS = timedelta(days=1)


@pytest.mark.parametrize("reference", ["2025061600042", "42"])
def test_typed_for_somebody_else_under_the_lines_reference(town: Town, alice: Party, reference: str) -> None:
    """Who reads the bank's page before the statement comes types Alice's transfer as his own."""
    mallory, day = parties.admit(town, "person", "Mallory"), DAY + 6 * DAYS
    bring(town, statement([line(50_000, token(town, alice))]))
    conversion.convert(town, mallory, 9_000, reserve=BANK, reference=reference)
    towns.clock(town).forward(86_400)
    come = line(9_000, token(town, alice), day, bank_ref=reference)
    assert bring(town, statement([come], 50_000, first=DAY + DAYS)).kinds == {"bank_suspense": 1}
    assert not reserve.report(town).covered
    conversion.correct(town, conversion.conversions_of(town, reference)[0].id)
    [one] = open_lines(town)
    place(town, one.line.id, Decision(way=Way.MEMBER, holder=alice.account))
    once(town, 59_000)


def test_a_short_reference_of_another_month(town: Town, alice: Party) -> None:
    """A bank's numbers begin anew: one says nothing without its day."""
    for number, wait in ((1, 0), (2, 60)):
        bring(town, statement([line(5_000, f"{number} {token(town, alice)}", DAY + wait * DAYS)], 5_000 * (number - 1)))
        towns.clock(town).forward(60 * 86_400)
    conversion.convert(town, alice, 5_000, reserve=BANK, reference="77")
    day = DAY + 160 * DAYS
    towns.clock(town).forward(60 * 86_400)
    come = line(5_000, "x", day, bank_ref="77")
    assert bring(town, statement([come], 10_000)).kinds == {"bank_suspense": 1}
    for one in open_lines(town):
        place(town, one.line.id, Decision(way=Way.KNOWN, other=conversion.conversions_of(town, "77")[0].id))
    once(town, 15_000)


def test_two_members_whose_reference_is_one(town: Town) -> None:
    """Whoever admits two members makes up their ids, and finds two of one reference in half a minute."""
    ids = ("01977420dc007e3d85036a191e551c63", "01977420dc007d9a8736ea31f7988776")
    anne, mallory = (parties.admit(town, "person", f"Membre {id_[-4:]}", bytes.fromhex(id_)) for id_ in ids)
    assert token(town, anne) == token(town, mallory)
    assert bring(town, statement([line(9_000, token(town, anne))])).kinds == {"bank_suspense": 1}
    [found] = audit(town).findings
    assert (found.code, "has the reference of" in found.text) == ("reference_shared", True)
    parties.close(town, mallory)
    assert audit(town).clean
    assert bring(town, statement([line(9_000, token(town, anne), DAY + DAYS)], 9_000)).kinds == {"conversion": 1}
    assert audit(town).clean, audit(town).findings


# --- our own account, and files that no bank has ------------------------------------------------------------


@pytest.mark.parametrize("named", ["member", "typed", "payout"])
def test_what_comes_from_our_own_account_is_that(town: Town, alice: Party, named: str) -> None:
    """The text of a transfer between our accounts is written by whoever makes it."""
    bring(town, statement([line(50_000, token(town, alice))]))
    text = token(town, alice) if named == "member" else named
    if named == "typed":
        conversion.convert(town, alice, 9_000, reserve=SAVINGS, reference="2025061600042")
    come = line(9_000, text, DAY + 6 * DAYS, iban=IBAN, bank_ref="2025061600042", kind=LineKind.TRANSFER)
    towns.clock(town).forward(3 * 86_400)
    there = statement([come], account=SAVINGS_IBAN, first=DAY + 6 * DAYS)
    assert bring(town, there, opening=True).kinds == {"bank_transit": 1}
    assert town.book.balance(alice.account) == 50_000 + (9_000 if named == "typed" else 0)


# --- what is taken back ------------------------------------------------------------------------------------


def held(town: Town, tmp_path: Path) -> towns.Member:
    """Bob spent what he converted, and got imported units that no euro is behind."""
    bob, shop = towns.member(town, "person", "Bob"), towns.member(town, "shop", "Boulangerie")
    bring(town, statement([line(5_000, token(town, bob.party), iban="NL91ABNA0417164300")]))
    conversion.convert(town, bob.party, 1_000, reserve=CASH, reference="S1")
    towns.pay(town, bob, shop, 6_000)
    imports(town, tmp_path, "1,2024-02-01,asso,Bob,70.00")
    return bob


def test_units_without_a_euro_pay_nothing_back(town: Town, tmp_path: Path) -> None:
    bob = held(town, tmp_path)
    with towns.nothing_moves(town), pytest.raises(CurrencyError) as caught:
        conversion.correct(town, conversion.conversions_of(town, "S1")[0].id)
    assert caught.value.code == "account_uncovered" and "cover them first" in caught.value.detail
    back = line(-5_000, "VIR RETOURNE", DAY + DAYS, iban="NL91ABNA0417164300", kind=LineKind.RETURN)
    assert bring(town, statement([back], 5_000)).kinds == {"bank_return": 1}
    assert town.book.balance(bob.account) == 7_000 and balances(town)["claims"] == 5_000
    assert audit(town).clean, audit(town).findings
    open_reserve(town, CASH, 7_000, "M1")
    conversion.correct(town, conversion.conversions_of(town, "S1")[0].id)
    assert town.book.balance(bob.account) == 6_000


def test_a_placing_is_not_put_back_from_units_without_a_euro(town: Town, tmp_path: Path) -> None:
    bob, shop = towns.member(town, "person", "Bob"), towns.member(town, "shop", "Boulangerie")
    bring(town, statement([line(5_000, "sans référence")]))
    [one] = open_lines(town)
    place(town, one.line.id, Decision(way=Way.MEMBER, holder=bob.account))
    towns.pay(town, bob, shop, 5_000)
    imports(town, tmp_path, "1,2024-02-01,asso,Bob,70.00")
    with towns.nothing_moves(town), pytest.raises(CurrencyError) as caught:
        put_back(town, one.line.id)
    assert caught.value.code == "account_uncovered"


@pytest.mark.parametrize("what", ["returned", "withdrawn", "gone"])
def test_units_come_without_a_euro_while_the_office_takes_some(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """An import between the look at a balance and the commit: none of its units goes back for a euro."""
    bob, shop = towns.member(town, "person", "Bob"), towns.member(town, "shop", "Boulangerie")
    sent = line(10_000, token(town, bob.party), end_to_end="BOB-000001", kind=LineKind.TRANSFER)
    bring(town, statement([sent]))
    towns.pay(town, bob, shop, 1_000)
    if what == "withdrawn":
        towns.pay(town, shop, bob, 1_000)
    free = uncovered.free
    done: list[object] = []

    def meanwhile(town: Town, account: int) -> int:
        found = free(town, account)
        if not done:
            done.append(imports(town, tmp_path, "1,2024-02-01,asso,Bob,50.00"))
        return found

    monkeypatch.setattr(uncovered, "free", meanwhile)
    if what == "withdrawn":
        with pytest.raises(CurrencyError) as caught:
            withdrawing.withdraw(town, BANK)
        assert caught.value.code == "account_uncovered"
    elif what == "returned":
        back = line(-10_000, "REJET", DAY + DAYS, end_to_end="BOB-000001", kind=LineKind.RETURN)
        assert bring(town, statement([back], 10_000)).kinds == {"bank_return": 1}
    else:
        booked = bring(town, statement([], closing=0), corrected=True)
        assert (booked.kinds, booked.stuck) == ({"bank_withdrawn": 1}, [])
    assert done and town.book.balance(bob.account) == 15_000 - (0 if what == "withdrawn" else 1_000)
    assert balances(town).get("claims", 0) == (0 if what == "withdrawn" else 10_000)
    assert audit(town).clean, audit(town).findings


def test_check_finds_what_was_taken_all_the_same(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = held(town, tmp_path)
    monkeypatch.setattr(uncovered, "held", lambda town, connection, accounts: set())
    taken = conversion.correct(town, conversion.conversions_of(town, "S1")[0].id)
    found = {(one.code, one.id) for one in audit(town).findings}
    assert ("account_uncovered", taken.id) in found, found
    assert town.book.balance(bob.account) == 6_000


@pytest.mark.parametrize("later", [False, True])
def test_the_cover_of_what_was_passed_on_is_not_taken_away(town: Town, tmp_path: Path, later: bool) -> None:
    bob, shop = towns.member(town, "person", "Bob"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, bob.party, 1_000, reserve=CASH, reference="S1")
    imports(town, tmp_path, "1,2024-02-01,asso,Bob,50.00")
    bring(town, statement([line(5_000, "apport")]))
    [one] = open_lines(town)
    place(town, one.line.id, Decision(way=Way.COVER))
    towns.pay(town, bob, shop, 1_100 if later else 1_000)
    if later:
        with towns.nothing_moves(town), pytest.raises(CurrencyError, match="passed on since: without them"):
            put_back(town, one.line.id)
        return
    put_back(town, one.line.id)
    assert towns.refusal(town, towns.order(town, bob, shop.account, 100)).code == "account_uncovered"
    assert audit(town).clean


def test_check_finds_who_paid_after_cover_was_taken_away_again(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, shop = towns.member(town, "person", "Bob"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, bob.party, 1_000, reserve=CASH, reference="S1")
    imports(town, tmp_path, "1,2024-02-01,asso,Bob,50.00")
    bring(town, statement([line(5_000, "apport")]))
    [one] = open_lines(town)
    place(town, one.line.id, Decision(way=Way.COVER))
    put_back(town, one.line.id)
    monkeypatch.setattr(uncovered, "held", lambda town, connection, accounts: set())
    id_ = towns.pay(town, bob, shop, 100)
    assert ("account_uncovered", id_) in {(one.code, one.id) for one in audit(town).findings}


def test_what_is_no_cash_and_what_is_too_much_of_it(town: Town, alice: Party) -> None:
    """Nothing that a bank says is held against a box: what went there is there because somebody said so."""
    office = parties.admit(town, "association", "Bureau")
    key = towns.join(town, office, "operator", "poste")
    bring(town, statement([line(900_000, token(town, alice))]))
    gone = [line(-150_000, "CHEQUE 123"), line(-150_000, "RETRAIT"), line(-60_000, "RETRAIT DAB")]
    bring(town, statement([replace(one, booked_on=DAY + DAYS) for one in gone], 900_000))
    cheque, first, second = (one.line for one in sorted(open_lines(town), key=lambda one: one.line.text))
    in_box = Decision(way=Way.CASH, cash=CASH)
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="no cash"):
        decide(town, key, cheque.id, in_box)
    decide(town, key, first.id, in_box)
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="a day may be placed as cash"):
        decide(town, key, second.id, in_box)
    towns.clock(town).forward(86_400)
    decide(town, key, second.id, in_box)
