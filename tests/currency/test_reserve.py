"""The reserve report adds up, whatever happened before it, and says so when it does not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ledger.core.model import Account, Opening, Side, Transaction, Transfer
from ledger.currency import conversion, parties, reserve
from ledger.currency.bank.statement import LineKind
from ledger.currency.chart import EUR
from ledger.currency.reserve import Keeper, Year
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import scene
from tests.towns import BANK, CASH

TODAY = date(2025, 6, 15)
"""The day on which the clock of `towns` begins."""


def adds_up(town: Town) -> reserve.Reserve:
    report = reserve.report(town)
    assert report.covered and all(identity.holds for identity in report.identities)
    owed = report.guarantee + report.payouts_due + report.suspense + report.fees
    assert owed == report.reserve + report.operations + report.claims + report.transit
    head = town.book.head()
    assert (report.seq, report.at, report.root) == (head.seq, head.at, head.root)
    return report


def test_a_new_currency_is_empty_and_covered(town: Town) -> None:
    report = adds_up(town)
    assert report.circulation == report.guarantee == report.reserve == report.imported == 0
    assert [(bank.name, bank.kind) for bank in report.banks] == [(BANK, "bank"), (CASH, "cash")]
    assert (report.coverage_bp, report.liquid_bp, report.months, report.year.total) == (None, None, [], 0)


def test_a_town_at_work(town: Town) -> None:
    alice, shop = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, alice.party, 10_000, reserve=BANK, reference="V1")
    conversion.convert(town, alice.party, 2_500, reserve=CASH, reference="S1")
    towns.pay(town, alice, shop, 6_000)
    first, second = towns.ask_back(town, shop, 4_000), towns.ask_back(town, shop, 1_000)
    report = adds_up(town)
    # Units that wait are still out: they go back if the request is refused.
    assert (report.circulation, report.waiting, report.guarantee) == (12_500, 5_000, 12_500)
    conversion.accept(town, conversion.find_asked(town, first))
    conversion.refuse(town, conversion.find_asked(town, second))
    report = adds_up(town)
    assert (report.circulation, report.guarantee, report.payouts_due, report.fees) == (8_500, 8_500, 3_800, 200)
    assert [bank.ledger for bank in report.banks] == [10_000, 2_500]
    out = sum(town.book.balance(who.account) for who in (alice, shop))
    assert out + report.waiting == report.circulation


def test_euros_beside_the_guarantee(town: Town) -> None:
    """A gift to the association on the reserve's bank account, and a line that nobody could place."""
    chart = town.chart
    bank = chart.reserve[BANK]
    town.post(Transaction(town.new_id(), "gift", (Transfer(bank, chart.operations, 700, EUR),)))
    town.post(Transaction(town.new_id(), "bank_line", (Transfer(bank, chart.suspense, 300, EUR),)))
    report = adds_up(town)
    assert (report.reserve, report.suspense, report.operations) == (1_000, 300, -700)


def test_euros_that_are_gone_are_seen(town: Town) -> None:
    """The bank took its fees from the reserve: the books balance, but the guarantee is no longer held."""
    alice = towns.member(town, "person", "Alice")
    conversion.convert(town, alice.party, 1_000, reserve=BANK, reference="V1")
    chart = town.chart
    town.post(Transaction(town.new_id(), "bank_fee", (Transfer(chart.operations, chart.reserve[BANK], 1, EUR),)))
    report = reserve.report(town)
    assert not report.covered
    assert [identity.holds for identity in report.identities] == [True, False, True]


def test_units_that_an_imported_issuer_has_out_count(town: Town) -> None:
    alice = towns.member(town, "person", "Alice")
    issuer = Account(4711, "PATARD", Side.CREDIT, floor=None)
    town.post(Opening(town.new_id(), issuer))
    assert reserve.issuers(town) == [4711]
    assert adds_up(town).imported == 0
    town.post(Transaction(town.new_id(), "import", (Transfer(4711, alice.account, 900, "PATARD"),)))
    report = reserve.report(town)
    assert (report.circulation, report.imported, report.covered) == (0, 900, False)
    assert (report.identities[0].name, report.identities[0].left) == ("circulation + imported <= guarantee", 900)
    # Covered: euros come in, and what the issuer has out moves to circulation.
    cover = (
        Transfer(town.chart.circulation, 4711, 900, "PATARD"),
        Transfer(town.chart.reserve[BANK], town.chart.guarantee, 900, EUR),
    )
    town.post(Transaction(town.new_id(), "opening", cover))
    report = adds_up(town)
    assert (report.circulation, report.imported, report.guarantee) == (900, 0, 900)


# --- months, and the year ------------------------------------------------------------------------------


def months(report: reserve.Reserve) -> list[tuple[str, int, int, int]]:
    return [(f"{m.start:%Y-%m}", m.conversions, m.reconversions, m.circulation) for m in report.months]


def test_months_count_by_booking_date_and_end_with_what_is_out(town: Town) -> None:
    alice, shop = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Boulangerie")
    for reference, amount, day in (("V1", 10_000, date(2025, 3, 31)), ("V2", 500, date(2025, 4, 1)), ("V3", 700, None)):
        conversion.convert(town, alice.party, amount, reserve=BANK, reference=reference, booked_on=day)
    wrong = conversion.convert(town, alice.party, 300, reserve=CASH, reference="S1")
    conversion.correct(town, wrong.id)
    towns.pay(town, alice, shop, 6_000)
    kept, back = towns.ask_back(town, shop, 4_000), towns.ask_back(town, shop, 1_000)
    conversion.refuse(town, conversion.find_asked(town, back))
    conversion.accept(town, conversion.find_asked(town, kept))
    report = adds_up(town)
    assert months(report) == [
        ("2025-03", 10_000, 0, 10_000), ("2025-04", 500, 0, 10_500), ("2025-05", 0, 0, 10_500),
        ("2025-06", 700, 4_000, 7_200),
    ]  # fmt: skip
    assert report.months[-1].circulation == report.circulation
    assert report.year == Year(date(2024, 6, 16), TODAY, 11_200, 4_000)
    # Months without a movement are months all the same.
    towns.clock(town).forward(70 * 86_400)
    assert months(reserve.report(town))[-2:] == [("2025-07", 0, 0, 7_200), ("2025-08", 0, 0, 7_200)]


def test_a_day_is_that_of_the_currency_s_time_zone(town: Town) -> None:
    alice = towns.member(town, "person", "Alice")
    towns.clock(town).now = int(datetime(2025, 6, 30, 21, 59, 59, tzinfo=UTC).timestamp()) * 1_000_000
    conversion.convert(town, alice.party, 100, reserve=CASH, reference="S1")
    towns.clock(town).forward(2)
    conversion.convert(town, alice.party, 250, reserve=CASH, reference="S2")
    assert months(adds_up(town)) == [("2025-06", 100, 0, 100), ("2025-07", 250, 0, 350)]


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2025, 6, 15), date(2024, 6, 16)),
        (date(2025, 12, 31), date(2025, 1, 1)),
        (date(2028, 2, 28), date(2027, 3, 1)),
        (date(2028, 2, 29), date(2027, 3, 1)),
        (date(2028, 3, 1), date(2027, 3, 2)),
    ],
)
def test_the_year_is_the_twelve_months_that_end_today(town: Town, today: date, first: date) -> None:
    alice = towns.member(town, "person", "Alice")
    towns.clock(town).now = int(datetime(today.year, today.month, today.day, 12, tzinfo=UTC).timestamp()) * 1_000_000
    days = {"V1": date.fromordinal(first.toordinal() - 1), "V2": first, "V3": today}
    for number, (reference, day) in enumerate(days.items()):
        conversion.convert(town, alice.party, 10**number, reserve=BANK, reference=reference, booked_on=day)
    assert reserve.report(town).year == Year(first, today, 110, 0)


@pytest.mark.parametrize(
    ("euros", "share"), [(0, 0), (99_999_999, 9_999), (100_000_000, 10_000), (100_000_001, 10_000), (-5, 0)]
)
def test_the_share_of_the_threshold_is_never_more_than_was_reached(euros: int, share: int) -> None:
    assert Year(TODAY, TODAY, euros, 0).share_bp == share


def test_what_an_imported_issuer_made_and_took_back_is_in_the_months(town: Town) -> None:
    alice = towns.member(town, "person", "Alice")
    unit = town.charter.code
    town.post(Opening(town.new_id(), Account(4711, unit, Side.CREDIT, floor=None)))
    keeper = Keeper(town)
    for day, debit, credit, amount in (
        (date(2025, 1, 5), 4711, alice.account, 900), (date(2025, 2, 5), alice.account, 4711, 250),
    ):  # fmt: skip
        town.post(Transaction(town.new_id(), "import", (Transfer(debit, credit, amount, unit),), day))
    before = keeper.report()
    assert months(before)[:2] == [("2025-01", 900, 0, 900), ("2025-02", 0, 250, 650)]
    # Covering them makes no unit and brings no euro in.
    cover = (
        Transfer(town.chart.circulation, 4711, 650, unit),
        Transfer(town.chart.reserve[BANK], town.chart.guarantee, 650, EUR),
    )
    town.post(Transaction(town.new_id(), "opening", cover))
    after = keeper.report()
    assert (months(after), after.year) == (months(before), before.year)
    assert after == reserve.report(town)


# --- a bank, savings, and members who owe ---------------------------------------------------------------


def test_a_bank_with_savings_money_on_its_way_and_a_claim(tmp_path: Path) -> None:
    with scene.opened(tmp_path / "home") as town:
        alice = parties.admit(town, "person", "Alice")
        text = scene.token(town, alice)
        scene.bring(town, scene.statement([scene.line(7_000, text), scene.line(3_000, text)]))
        eleventh = scene.DAY.replace(day=11)
        to_savings = scene.line(-4_000, "VIR", eleventh, iban=scene.SAVINGS_IBAN)
        scene.bring(town, scene.statement([to_savings], 10_000))
        report = adds_up(town)
        # On its way between two accounts of ours, it is there all the same.
        assert (report.transit, report.reserve, report.coverage_bp) == (4_000, 6_000, 10_000)
        assert report.identities[1].name == "guarantee <= reserve accounts + in transit - payouts due"
        arrived = scene.line(4_000, "VIR", eleventh, iban=scene.IBAN)
        scene.bring(town, scene.statement([arrived], account=scene.SAVINGS_IBAN))
        report = adds_up(town)
        assert (report.transit, report.liquid, report.placed, report.liquid_bp) == (0, 6_000, 4_000, 6_000)
        # A top-up goes back when some of its units were spent: the reserve lacks what Alice owes.
        shop = towns.member(town, "shop", "Boulangerie")
        towns.pay(town, towns.Member(alice, towns.join(town, alice, "member", "Alice")), shop, 9_000)
        back = scene.line(-3_000, text, eleventh.replace(day=12), kind=LineKind.RETURN)
        scene.bring(town, scene.statement([back], 6_000))
        report = reserve.report(town)
        assert (report.claims, report.circulation, report.guarantee, report.reserve) == (2_000, 9_000, 9_000, 7_000)
        assert (report.covered, report.coverage_bp) == (False, 7_777)
        assert [identity.holds for identity in report.identities] == [True, False, True]
        assert months(report)[-1] == ("2025-06", 9_000, 0, 9_000)
        assert [bank.difference for bank in report.banks] == [0, 0, None]
