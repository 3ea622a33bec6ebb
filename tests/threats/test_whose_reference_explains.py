"""What came with a member's reference explains nothing of others; of a sum each gets what its parts say is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.core.model import Account, Opening, Side, Transaction, Transfer
from ledger.currency import conversion, parties
from ledger.currency.audit.charged import FORMS
from ledger.currency.audit.walk import audit
from ledger.currency.bank import elses, said
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.bank.suspense import open_lines
from ledger.currency.errors import CurrencyError
from ledger.currency.imported import issuer_number
from ledger.currency.keys import PrivateKey
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import monthly, paying
from tests.currency.bank.payout_lines import HELD, NEXT
from tests.currency.bank.scene import DAY, bring, bring_in, decide, line, statement, token
from tests.threats.test_cash_of_the_box import officer
from tests.towns import CASH

ONE = timedelta(days=1)
ELSE, CAME_BACK = FORMS["elses"], FORMS["payout"]
IBAN = "NL91ABNA0417164300"
Made = tuple[Town, dict[int, Decision], bool]
"""A town, what is said of the lines that wait by their sums, and whether an operator may say so."""


def bob_in(town: Town) -> Party:
    return parties.admit(town, "person", "Bob Dubois")


def as_cash(town: Town, mallory: Party, text: str, *, split: bool = False) -> dict[int, Decision]:
    """A slip of Mallory's, and 50.00 that somebody paid in."""
    bob = bob_in(town)
    conversion.convert(town, mallory, 5_000, reserve=CASH, reference="S-1")
    said_ = text.format(bob=token(town, bob), mallory=token(town, mallory))
    bring(town, statement([line(5_000, said_, kind=LineKind.CASH)]))
    shares = (Share(Way.CASH, 4_999, cash=CASH), Share(Way.MEMBER, 1, bob.account))
    return {5_000: Decision(way=Way.SPLIT, shares=shares).plain() if split else Decision(way=Way.CASH, cash=CASH)}


def as_pair(town: Town, mallory: Party, went: BankLine, *, iban: str = "") -> dict[int, Decision]:
    """Bob's 50.00, and as much that went back after a top-up of Mallory's."""
    came = line(5_000, f"VERSEMENT {token(town, bob_in(town))}", kind=LineKind.CASH, iban=iban)
    bring(town, statement([came, line(9_000, "don")]))
    bring(town, statement([went], 14_000))
    there = {one.line.amount: one.line.id for one in open_lines(town)}
    return {-5_000: Decision(way=Way.PAIR, other=there[5_000])}


def back(text: str = "REJET", **more: str) -> BankLine:
    return line(-5_000, text, DAY + ONE, kind=LineKind.RETURN, **more)


def said_by(town: Town, mallory: Party, what: str) -> tuple[dict[int, Decision], bool]:
    if what.startswith("cash"):
        text = "VERSEMENT {bob}" if "his" in what else "VERSEMENT" if "nobody" in what else "VERSEMENT {mallory} {bob}"
        return as_cash(town, mallory, text, split="share" in what), "his" not in what
    if what == "pair, of another":
        return as_pair(town, mallory, back()), False
    if what == "pair, of one account":
        return as_pair(town, mallory, back(iban=IBAN), iban=IBAN), True
    bob = parties.admit(town, "person", "Zoe")
    went = back(f"REJET {token(town, bob)}")
    return as_pair(town, mallory, went), False


@pytest.mark.parametrize("what", [
    "cash, his", "cash, a share of his", "cash, nobody's", "cash, the giver's too",
    "pair, of another", "pair, of one account", "pair, names another",
])  # fmt: skip
def test_it_explains_another(town: Town, alice: Party, what: str) -> None:
    decisions, may = said_by(town, alice, what)
    [(amount, decision)] = decisions.items()
    [one] = [each.line for each in open_lines(town) if each.line.amount == amount]
    operator, treasurer = officer(town, "operator"), officer(town, "treasurer")
    if may:
        decide(town, operator, one.id, decision)
    else:
        with towns.nothing_moves(town), pytest.raises(CurrencyError, match="reference of another") as refused:
            decide(town, operator, one.id, decision)
        assert refused.value.code == "role_insufficient"
        decide(town, treasurer, one.id, decision)
    done = audit(town)
    assert not [found for found in done.findings if found.code != "reserve_short"]
    assert [told.values["amount"] for told in done.notices if told.form == ELSE] == ([] if may else [abs(amount)])


def test_check_finds_an_operators_word(town: Town, alice: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    [(_amount, decision)] = as_cash(town, alice, "VERSEMENT {bob}").items()
    with monkeypatch.context() as patched:
        patched.setattr(elses, "is_elses", lambda *_given: False)
        decide(town, officer(town, "operator"), open_lines(town)[0].line.id, decision)
    assert [one.code for one in audit(town).findings] == ["role_insufficient"]


@pytest.mark.parametrize(("name", "text", "may"), [
    ("", "VERSEMENT MENSUEL", True), ("BOB DUBOIS", "versement mensuel", True), ("BOB", "mon versement", False),
])  # fmt: skip
def test_a_payers_word_is_not_the_banks(town: Town, alice: Party, name: str, text: str, may: bool) -> None:
    """A bank's own words are at the start of what it writes; OFX gives the payer's name, and then what they wrote."""
    conversion.convert(town, alice, 5_000, reserve=CASH, reference="S-1")
    bring(town, statement([line(5_000, text, name=name)]))
    decision, [one] = Decision(way=Way.CASH, cash=CASH), open_lines(town)
    operator = officer(town, "operator")
    if not may:
        with towns.nothing_moves(town), pytest.raises(CurrencyError, match="does not call this cash"):
            decide(town, operator, one.line.id, decision)
    decide(town, operator if may else officer(town, "treasurer"), one.line.id, decision)
    assert audit(town).clean


# --- parts of a sum ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mine", "hers", "may"), [
    (50_500, 0, False), (1_501, 48_999, False), (1_500, 49_000, True), (1_000, 49_500, True), (1_000, 49_000, True),
])  # fmt: skip
def test_each_gets_what_the_parts_of_a_sum_say(town: Town, alice: Party, mine: int, hers: int, may: bool) -> None:
    """490.00 of hers, 10.00 of his, and 5.00 that name nobody."""
    bob = bob_in(town)
    parts = tuple(
        line(cents, text, kind=LineKind.TRANSFER)
        for cents, text in ((49_000, token(town, alice)), (1_000, token(town, bob)), (500, "VIR X"))
    )
    bring(town, statement([line(50_500, "REMISE", kind=LineKind.TRANSFER, parts=parts)]))
    [one] = open_lines(town)
    shares = [Share(Way.MEMBER, mine, bob.account), Share(Way.MEMBER, hers, alice.account)]
    shares += [Share(Way.OWN, 50_500 - mine - hers)] if mine + hers < 50_500 else []
    decision = Decision(way=Way.SPLIT, shares=tuple(share for share in shares if share.amount)).plain()
    operator = officer(town, "operator")
    if not may:
        with towns.nothing_moves(town), pytest.raises(CurrencyError, match="reference of another"):
            decide(town, operator, one.line.id, decision)
    decide(town, operator if may else officer(town, "treasurer"), one.line.id, decision)
    done = audit(town)
    assert done.clean and len([told for told in done.notices if told.form == ELSE]) == (not may)


def test_what_names_nobody_in_a_sum_is_an_operators_to_give(town: Town, alice: Party) -> None:
    bob = bob_in(town)
    parts = tuple(
        line(cents, text, kind=LineKind.TRANSFER) for cents, text in ((49_000, token(town, alice)), (500, "VIR X"))
    )
    bring(town, statement([line(49_500, "REMISE", kind=LineKind.TRANSFER, parts=parts)]))
    [one] = open_lines(town)
    shares = (Share(Way.MEMBER, 49_000, alice.account), Share(Way.MEMBER, 500, bob.account))
    decide(town, officer(town, "operator"), one.line.id, Decision(way=Way.SPLIT, shares=shares).plain())
    done = audit(town)
    assert done.clean and not [told for told in done.notices if told.form == ELSE]


# --- debits, and cover ---------------------------------------------------------------------------------------


def only_a_treasurer(town: Town, decision: Decision) -> None:
    [one], operator = open_lines(town), officer(town, "operator")
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="reference of another"):
        decide(town, operator, one.line.id, decision)
    decide(town, officer(town, "treasurer"), one.line.id, decision)
    done = audit(town)
    assert done.clean and len([told for told in done.notices if told.form == ELSE]) == 1


def test_it_is_no_debit_of_anothers(town: Town) -> None:
    bob, (mallory, _mandate) = bob_in(town), monthly.sign(town, "Mallory", 3_000, number=7)
    made = monthly.collected(town)
    his = line(3_000, f"VERSEMENT {token(town, bob)}", monthly.DUE, kind=LineKind.CASH)
    assert monthly.brought(town, his).kinds == {"bank_suspense": 1} and mallory != bob
    only_a_treasurer(town, Decision(way=Way.DEBITS, other=made.id))


def test_it_is_no_cover_of_imported_units(town: Town, alice: Party) -> None:
    code, bob = town.charter.code, bob_in(town)
    issuer = Account(issuer_number(town.charter.network, "asso"), code, Side.CREDIT, floor=None)
    units = Transaction(town.new_id(), "import", (Transfer(issuer.number, alice.account, 4_000, code),))
    bring_in(town, Opening(town.new_id(), issuer, evidence={"issuer": 1}), units)
    bring(town, statement([line(4_000, f"VERSEMENT {token(town, bob)}", kind=LineKind.CASH)]))
    only_a_treasurer(town, Decision(way=Way.COVER))


# --- payouts -----------------------------------------------------------------------------------------------


@pytest.fixture
def town_paid(paying_folder: Path, tmp_path: Path) -> Iterator[paying.Town3]:
    with paying.copied(paying_folder, tmp_path / "copy") as made:
        yield made


@pytest.fixture(scope="module")
def paying_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return paying.founded(tmp_path_factory.mktemp("paying") / "home")


@pytest.mark.parametrize(("how", "may", "form"), [
    ("cash of another's", False, ELSE), ("transfer of another's", False, CAME_BACK), ("the bank says so", True, None),
])  # fmt: skip
def test_a_payout_came_back(town_paid: paying.Town3, how: str, may: bool, form: str | None) -> None:
    town = town_paid.town
    bob, operator = bob_in(town), officer(town, "operator")
    payout = paying.accept(town, town_paid.shops[0], 10_000)
    paying.sent(town_paid)
    bring(town, statement([paying.debit(payout, NEXT)], HELD))
    came = {
        "cash of another's": line(9_500, token(town, bob), NEXT + ONE, kind=LineKind.CASH),
        "transfer of another's": line(9_500, "VIR", NEXT + ONE, kind=LineKind.TRANSFER, iban=IBAN, name="BOB"),
        "the bank says so": line(9_500, "REJET", NEXT + ONE, kind=LineKind.RETURN),
    }[how]
    bring(town, statement([came], HELD - 9_500))
    [one] = [each.line for each in open_lines(town) if each.line.amount > 0]
    decision = Decision(way=Way.PAYOUT, other=payout.reconversion)
    by: PrivateKey = operator
    if not may:
        with towns.nothing_moves(town), pytest.raises(CurrencyError) as refused:
            decide(town, operator, one.id, decision)
        assert refused.value.code == "role_insufficient"
        by = officer(town, "treasurer", "2")
    decide(town, by, one.id, decision)
    done = audit(town)
    forms = {told.form for told in done.notices} & {ELSE, CAME_BACK}
    assert not done.findings and (form in forms if form else not forms)


def test_check_finds_that_an_operator_said_it_came_back(
    town_paid: paying.Town3, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = town_paid.town
    payout = paying.accept(town, town_paid.shops[0], 10_000)
    paying.sent(town_paid)
    came = line(9_500, "VIR", NEXT + ONE, kind=LineKind.TRANSFER, iban=IBAN)
    bring(town, statement([paying.debit(payout, NEXT), came], HELD))
    [one] = [each.line for each in open_lines(town) if each.line.amount > 0]
    with monkeypatch.context() as patched:
        patched.setattr(said, "explains", lambda *_given, **_named: True)
        decide(town, officer(town, "operator"), one.id, Decision(way=Way.PAYOUT, other=payout.reconversion))
    assert [found.code for found in audit(town).findings] == ["role_insufficient"]
