"""The audit of what the association does: issuing, fees, decisions, the reserve, the charter."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.core.ids import derived_id
from ledger.core.model import Account, Opening, Side, Transaction, Transfer
from ledger.currency import chartered, conversion
from ledger.currency.audit.walk import audit
from ledger.currency.chart import EUR
from ledger.currency.charter import BankRules, Limits
from ledger.currency.town import Town
from tests import towns
from tests.currency.wrongs import UNIT, clean, finds
from tests.towns import BANK, CASH, Member


@pytest.fixture
def people(town: Town) -> tuple[Member, Member]:
    """Alice, who has 100.00, and a bakery."""
    alice, shop = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, alice.party, 10_000, reserve=CASH, reference="S1")
    return alice, shop


# --- the association -------------------------------------------------------------------------------------


def issue(town: Town, to: int, amount: int = 100, **evidence: Any) -> Transaction:
    chart = town.chart
    known = {"by": "console", "reference": "S9", "reserve": f"{chart.reserve[CASH]:016x}"}
    kept = {key: value for key, value in {**known, **evidence}.items() if value}
    return Transaction(
        conversion.conversion_id(town, CASH, "S9"), "conversion",
        (Transfer(chart.circulation, to, amount, UNIT), Transfer(chart.reserve[CASH], chart.guarantee, 100, EUR)),
        evidence=kept,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "evidence"),
    [
        ("reference_missing", {"reference": ""}),
        ("reference_missing", {"reserve": ""}),
        ("id_not_derived", {"reference": "S10"}),
        ("role_insufficient", {"by": "ab" * 32}),
        ("role_insufficient", {"by": "nobody"}),
    ],
)
def test_a_conversion_without_what_proves_it(
    town: Town, people: tuple[Member, Member], code: str, evidence: dict[str, Any]
) -> None:
    posted = town.post(issue(town, people[0].account, **evidence))
    assert code in [finding.code for finding in audit(town).findings]
    assert {finding.id for finding in audit(town).findings} == {posted.id}


def test_a_conversion_of_fewer_units_than_euros(town: Town, people: tuple[Member, Member]) -> None:
    posted = town.post(issue(town, people[0].account, 99))
    finds(town, "conversion_shape", id_=posted.id)


@pytest.mark.parametrize(("fee", "payout"), [(0, 1_000), (51, 949), (1_000, 0)])
def test_a_fee_that_is_not_the_charters(town: Town, people: tuple[Member, Member], fee: int, payout: int) -> None:
    alice, shop = people
    towns.pay(town, alice, shop, 1_000)
    asked = towns.ask_back(town, shop, 1_000)
    chart = town.chart
    moves = [(chart.waiting, chart.circulation, 1_000, UNIT), (chart.guarantee, chart.payouts, payout, EUR),
             (chart.guarantee, chart.income, fee, EUR)]  # fmt: skip
    transfers = tuple(Transfer(*move) for move in moves if move[2])
    decided = derived_id("patard/reconversion-decided", asked)
    town.post(Transaction(decided, "reconversion", transfers, evidence={"asked": asked.hex(), "by": "console"}))
    finds(town, "reconversion_shape", id_=decided)


def test_the_fee_is_that_of_its_time(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    towns.pay(town, alice, shop, 2_000)
    conversion.accept(town, conversion.find_asked(town, towns.ask_back(town, shop, 1_000)))
    cheaper = Town(towns.charter(reconversion_fee_bp=100), town.book, town.key, town.engine, town.machine)
    chartered.keep(cheaper, chartered.latest(cheaper))
    conversion.accept(cheaper, conversion.find_asked(cheaper, towns.ask_back(cheaper, shop, 1_000)))
    clean(cheaper)


@pytest.mark.parametrize("kind", ["reconversion", "reconversion_refused"])
def test_a_decision_that_nobody_asked_for(town: Town, people: tuple[Member, Member], kind: str) -> None:
    alice, shop = people
    towns.pay(town, alice, shop, 1_000)
    asked = towns.ask_back(town, shop, 1_000)
    back = (Transfer(town.chart.waiting, alice.account, 1_000, UNIT),)
    for evidence in ({"asked": "00" * 16, "by": "console"}, {"by": "console"}):
        moved = (Transfer(town.chart.waiting, shop.account, 1, UNIT),)
        town.post(Transaction(town.new_id(), kind, moved, evidence=evidence))
    assert [f.code for f in audit(town).findings] == ["reconversion_unasked"] * 2
    stolen = town.new_id()
    rest = (Transfer(town.chart.waiting, alice.account, 998, UNIT),)
    town.post(Transaction(stolen, kind, rest, evidence={"asked": asked.hex(), "by": "console"}))
    codes = [f.code for f in audit(town).findings if f.id == stolen]
    assert codes == ["id_not_derived", "reconversion_shape"], back


def test_euros_that_left_the_reserve(town: Town, people: tuple[Member, Member]) -> None:
    id_ = town.new_id()
    gone = (Transfer(town.chart.operations, town.chart.reserve[CASH], 1, EUR),)
    town.post(Transaction(id_, "bank_fee", gone))
    finds(town, "kind_unknown", "reserve_short", id_=id_)
    back = (Transfer(town.chart.reserve[CASH], town.chart.operations, 1, EUR),)
    town.post(Transaction(town.new_id(), "bank_fee", back))
    assert [finding.code for finding in audit(town).findings] == ["kind_unknown"] * 2


def test_the_guarantee_is_nobodys_till(town: Town, people: tuple[Member, Member]) -> None:
    id_ = town.new_id()
    up = (Transfer(town.chart.reserve[CASH], town.chart.guarantee, 5, EUR),)
    town.post(Transaction(id_, "gift", up))
    finds(town, "kind_unknown", "movement_unexplained", id_=id_)


def test_euros_of_an_account_that_is_in_no_report(town: Town, people: tuple[Member, Member]) -> None:
    opened, moved = town.new_id(), town.new_id()
    town.post(Opening(opened, Account(99, EUR, Side.CREDIT, floor=None)))
    finds(town, "account_rules", "act_missing", id_=opened)
    town.post(Transaction(moved, "misc", (Transfer(town.chart.reserve[BANK], 99, 1_000_000, EUR),)))
    done = audit(town)
    assert [(f.code, f.id) for f in done.findings] == [
        ("account_rules", opened), ("act_missing", opened), ("kind_unknown", moved), ("euros_unexplained", moved)
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["reconversion", "reconversion_refused"])
@pytest.mark.parametrize("role", ["operator", "auditor", "treasurer"])
def test_the_treasurer_decides_what_is_changed_back(
    town: Town, people: tuple[Member, Member], role: str, kind: str
) -> None:
    alice, shop = people
    office = towns.member(town, "association", "L'association", role)
    towns.pay(town, alice, shop, 1_000)
    asked = conversion.find_asked(town, towns.ask_back(town, shop, 1_000))
    decide = conversion.accept if kind == "reconversion" else conversion.refuse
    what = "acceptance" if kind == "reconversion" else "refusal"
    acting = towns.acting(town, office.key, f"POST /v1/reconversions/{asked.id.hex()}/{what}")
    id_ = decide(acting, asked, by=office.key.public.hex()).id
    if role == "treasurer":
        clean(town)
    else:
        finds(town, "role_insufficient", id_=id_)


# --- conversions taken back ------------------------------------------------------------------------------


def test_a_conversion_taken_back_by_the_treasurer_is_clean(town: Town, people: tuple[Member, Member]) -> None:
    treasurer = towns.member(town, "association", "L'association", "treasurer").key
    wrong = conversion.conversion_id(town, CASH, "S1")
    acting = towns.acting(town, treasurer, f"POST /v1/conversions/{wrong.hex()}/correction")
    conversion.correct(acting, wrong, by=treasurer.public.hex())
    clean(town)


@pytest.mark.parametrize("code", ["id_not_derived", "conversion_shape", "role_insufficient", "correction_unrelated"])
def test_a_conversion_taken_back_wrong(town: Town, people: tuple[Member, Member], code: str) -> None:
    alice, _ = people
    chart, wrong = town.chart, conversion.conversion_id(town, CASH, "S1")
    operator = towns.member(town, "association", "L'association").key.public.hex()
    cents = 9_999 if code == "conversion_shape" else 10_000
    back = (Transfer(alice.account, chart.circulation, cents, UNIT),
            Transfer(chart.guarantee, chart.reserve[CASH], cents, EUR))  # fmt: skip
    id_ = town.new_id() if code == "id_not_derived" else conversion.corrected_id(wrong)
    by = operator if code == "role_insufficient" else "console"
    corrects = None if code == "correction_unrelated" else wrong
    town.post(Transaction(id_, conversion.CORRECTED, back, corrects=corrects, evidence={"by": by}))
    finds(town, code, id_=id_)


# --- the charter -----------------------------------------------------------------------------------------


def test_charters_follow_one_another(town: Town, people: tuple[Member, Member]) -> None:
    first = chartered.latest(town)
    assert first is not None
    rogue = town.post(chartered.note_of(first._replace(version=99, fee_bp=9_000))).id
    finds(town, "charter_version", id_=rogue)
    # Its fee was in force for nobody.
    alice, shop = people
    towns.pay(town, alice, shop, 1_000)
    conversion.accept(town, conversion.find_asked(town, towns.ask_back(town, shop, 1_000)))
    finds(town, "charter_version", id_=rogue)


def test_the_key_of_the_currency_stays(town: Town) -> None:
    first = chartered.latest(town)
    assert first is not None
    id_ = town.post(chartered.note_of(first._replace(version=2, key="ab" * 32))).id
    finds(town, "charter_changed", id_=id_)


def test_the_charter_in_use_is_the_last_one_noted(town: Town) -> None:
    dearer = Town(towns.charter(reconversion_fee_bp=900), town.book, town.key, town.engine, town.machine)
    finds(dearer, "charter_differs")
    chartered.keep(dearer, chartered.latest(dearer))
    clean(dearer)
    finds(town, "charter_differs")


def test_a_bound_that_goes_up_and_down_again_is_a_notice(town: Town) -> None:
    """Whoever has charter and machine raises a limit for an hour: others see that it was so."""
    first = chartered.latest(town)
    for number in (None, 9_000_000, None):
        rules = towns.charter(
            bank=BankRules(second_signature_above=number), limits=Limits(cash_per_day=number or 1_000)
        )
        other = Town(rules, town.book, town.key, town.engine, town.machine)
        first = chartered.keep(other, first)
    told = [one.text for one in audit(other).notices if one.text.startswith("the charter changed")]
    assert told[1:] == [
        "the charter changed: second_signature_above none -> 9000000, cash_per_day 1000 -> 9000000",
        "the charter changed: second_signature_above 9000000 -> none, cash_per_day 9000000 -> 1000",
    ]
    assert audit(other).clean
