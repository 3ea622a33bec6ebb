"""The reserve report adds up, whatever happened before it, and says so when it does not."""

from __future__ import annotations

from ledger.core.model import Account, Opening, Side, Transaction, Transfer
from ledger.currency import conversion, reserve
from ledger.currency.chart import EUR
from ledger.currency.town import Town
from tests import towns
from tests.towns import BANK, CASH


def adds_up(town: Town) -> reserve.Reserve:
    report = reserve.report(town)
    assert report.covered and all(identity.holds for identity in report.identities)
    assert report.guarantee + report.payouts_due + report.suspense + report.fees == report.reserve + report.operations
    head = town.book.head()
    assert (report.seq, report.at, report.root) == (head.seq, head.at, head.root)
    return report


def test_a_new_currency_is_empty_and_covered(town: Town) -> None:
    report = adds_up(town)
    assert report.circulation == report.guarantee == report.reserve == report.imported == 0
    assert [(bank.name, bank.kind) for bank in report.banks] == [(BANK, "bank"), (CASH, "cash")]


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
