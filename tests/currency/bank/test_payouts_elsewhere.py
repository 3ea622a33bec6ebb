"""Payouts that a bank shows as gone to another account than the shop's: whoever says that they are paid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.currency.bank import details
from ledger.currency.bank.lines import Line
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.suspense import open_lines, place
from ledger.currency.town import Town
from tests.currency.bank.paying import SHOP_IBANS, Town3, accept, debit, now, sent
from tests.currency.bank.payout_lines import HELD, NEXT, batch_line, clean, refusal
from tests.currency.bank.scene import balances, bring, line, statement

THEIRS, ELSEWHERE = SHOP_IBANS[0], "FR7630001007941234567890185"


@pytest.fixture
def town(paying: Town3) -> Town:
    return paying.town


def waits(town: Town) -> Line:
    [one] = open_lines(town)
    return one.line


@pytest.mark.parametrize("named", ["its reference", "its file", "nothing"])
@pytest.mark.parametrize("ordered", [True, False])
def test_a_payout_to_another_account_is_none(town: Town, paying: Town3, named: str, ordered: bool) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    text = payout.reference if named == "its reference" else "VIR"
    if ordered:
        batch = sent(paying)
        text = batch.message if named == "its file" else text
    assert bring(town, statement([line(-9_500, text, NEXT, iban=ELSEWHERE)], HELD)).kinds == {"bank_suspense": 1}
    meant = [payout.reconversion, *([batch.id] if ordered else [])]
    for other in meant:
        told = refusal("placing_uneven", place, town, waits(town).id, Decision(way=Way.PAYOUT, other=other))
        assert told == "the bank says that this went to another account than the one that is paid to"
    assert now(town, payout).is_due and balances(town)["payouts"] == 9_500
    place(town, waits(town).id, Decision(way=Way.DEBT, holder=paying.shops[0].account))
    clean(town, claimed=9_500)


@pytest.mark.parametrize("moved", [True, False])
def test_a_payout_to_the_account_it_was_ordered_to(town: Town, paying: Town3, moved: bool) -> None:
    """The shop may have said since that it has another: both are its own."""
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    if moved:
        details.put(town, paying.shops[0].party, ELSEWHERE)
    shown = [replace(debit(payout, NEXT), iban=THEIRS)]
    assert bring(town, statement(shown, HELD)).kinds == {"bank_payout": 1}
    clean(town)


def test_a_shop_without_an_account_is_paid_by_hand(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    details.erase(town, paying.shops[0].party)
    bring(town, statement([line(-9_500, "VIR", NEXT, iban=ELSEWHERE)], HELD))
    place(town, waits(town).id, Decision(way=Way.PAYOUT, other=payout.reconversion))
    clean(town)


@pytest.mark.parametrize("iban", [THEIRS, ELSEWHERE])
def test_a_sum_tells_where_each_part_went(town: Town, paying: Town3, iban: str) -> None:
    made = [accept(town, shop, 10_000) for shop in paying.shops]
    batch = sent(paying)
    parts = [debit(payout, NEXT) for payout in made]
    parts[0] = replace(parts[0], iban=iban)
    done = bring(town, statement([batch_line(batch, -28_500, *parts)], HELD))
    assert done.kinds == {"bank_payout" if iban == THEIRS else "bank_suspense": 1}
    clean(town, missing=0 if iban == THEIRS else 28_500)
