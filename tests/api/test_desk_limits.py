"""The limits of the charter at the desk: for one payment, for one day, until midnight in Paris."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.currency.errors import CurrencyError
from ledger.currency.messages import Purpose
from ledger.currency.town import Town
from merchants.desk import Desk, Submission, Taken
from tests import towns
from tests.api.orders import balance, limited, pay
from tests.served import refund_order, shown


def _at(town: Town, *when: int) -> None:
    towns.clock(town).now = int(datetime(*when, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc,arg-type]


def test_a_limit_for_one_payment(tmp_path: Path) -> None:
    with limited(tmp_path, 500, None) as (api, people):
        api.taken(pay(api, people, 500))
        api.refused("limit_payment", pay(api, people, 501))
        for _ in range(5):
            api.taken(pay(api, people, 500))
        # Refunds and changing back are no payments.
        big = towns.order(api.town, people.shop, api.town.chart.waiting, 3_000, purpose=Purpose.RECONVERSION)
        api.taken(big)


def test_a_limit_for_one_day(tmp_path: Path) -> None:
    with limited(tmp_path, None, 1_000) as (api, people):
        first = pay(api, people, 600)
        api.taken(first)
        api.refused("limit_day", pay(api, people, 401))
        api.taken(pay(api, people, 400))
        api.refused("limit_day", pay(api, people, 1))
        api.taken(first, replay=True)
        # What comes back does not count as not paid, and another payer is another payer.
        api.taken(refund_order(api.town, people.shop, people.alice, 600, first.order.id))
        api.refused("limit_day", pay(api, people, 1))
        api.taken(towns.order(api.town, people.bob, people.shop.account, 1_000))
        api.taken(towns.order(api.town, people.shop, people.alice.account, 900))


@pytest.mark.parametrize(
    ("before", "midnight"),
    [
        pytest.param((2025, 6, 15, 21, 59, 59), (2025, 6, 15, 22, 0, 0), id="summer"),
        pytest.param((2025, 12, 1, 22, 59, 59), (2025, 12, 1, 23, 0, 0), id="winter"),
        pytest.param((2025, 10, 25, 21, 59, 59), (2025, 10, 25, 22, 0, 0), id="the night before the clocks go back"),
        pytest.param((2025, 10, 26, 22, 59, 59), (2025, 10, 26, 23, 0, 0), id="the day of 25 hours"),
        pytest.param((2026, 3, 29, 21, 59, 59), (2026, 3, 29, 22, 0, 0), id="the day of 23 hours"),
    ],
)
def test_a_day_ends_at_midnight_in_paris(tmp_path: Path, before: tuple[int, ...], midnight: tuple[int, ...]) -> None:
    with limited(tmp_path, None, 1_000) as (api, people):
        _at(api.town, *before)
        api.taken(pay(api, people, 1_000))
        towns.clock(api.town).forward(0.999_999)
        late = pay(api, people, 1)
        api.refused("limit_day", late)
        _at(api.town, *midnight)
        api.taken(late)
        api.taken(pay(api, people, 999))
        api.refused("limit_day", pay(api, people, 1))
        headers = api.session(people.shop.key)
        day = api.client.get(f"/v1/accounts/{shown(people.shop)}/day", headers=headers).json()
        assert (day["count"], day["received_cents"], day["total_cents"]) == (2, 1_000, 1_000)


def test_the_limit_holds_across_desks_and_restarts(tmp_path: Path) -> None:
    with limited(tmp_path, None, 1_000) as (api, people):
        api.taken(pay(api, people, 600))
        other = Desk(api.town)
        for amount, code in ((401, "limit_day"), (400, None), (1, "limit_day")):
            [result] = other.take([Submission(pay(api, people, amount))])
            assert result.code == code if isinstance(result, CurrencyError) else code is None
        api.refused("limit_day", pay(api, people, 1))


def test_a_batch_counts_its_own_payments(tmp_path: Path) -> None:
    """However the writer happens to gather them: a double tap counts once, what stands already not at all."""
    with limited(tmp_path, None, 1_000) as (api, people):
        desk = Desk(api.town)
        standing = pay(api, people, 300)
        api.taken(standing)
        twice, last, over = pay(api, people, 400), pay(api, people, 300), pay(api, people, 1)
        results = desk.take([Submission(s) for s in (standing, twice, twice, standing, last, over, twice, last)])
        codes = [r.code if isinstance(r, CurrencyError) else r.replay for r in results]
        assert codes == [True, False, True, True, False, "limit_day", True, True]
        assert balance(api, people.alice) == 99_000
        # And so it is told when it comes again.
        assert isinstance(desk.take([Submission(last)])[0], Taken)
