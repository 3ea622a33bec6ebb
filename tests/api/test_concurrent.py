"""Many at once, over real connections, on both databases: one id moves money once, one balance is spent once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger.currency import conversion
from ledger.currency.messages import SignedOrder, SignedRequest
from ledger.currency.town import Town
from tests import towns
from tests.served import (
    PATH,
    Cast,
    answer,
    balances,
    cast,
    one_time,
    refund_order,
    serving,
    units_sum_to_zero,
)
from tests.towns import BANK

# One for all, since making one takes as long as a payment; without a limit, so that nobody waits for a connection.
CLIENT = httpx.Client(timeout=60, limits=httpx.Limits(max_connections=None, max_keepalive_connections=0))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    made = towns.found(tmp_path / "home", database_url=url)
    yield made
    made.book.close()


@pytest.fixture
def people(town: Town) -> Cast:
    return cast(town)


@pytest.fixture
def servers(town: Town, tmp_path: Path) -> Iterator[list[str]]:
    """Two servers over one book, which `patard serve` refuses: even so no id moves money twice, and no balance is
    spent twice, as commands of the office post beside a server and nothing of that may rest on one's memory."""
    from api.home import open_town

    second = open_town(tmp_path / "home", clock=towns.clock(town), entropy=towns.Entropy("second"))
    with serving(town) as one, serving(second) as two:
        yield [one, two]
    second.book.close()


def at_once(calls: Sequence[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """Every call in a thread of its own, begun together."""
    gate = threading.Barrier(len(calls))
    answers: list[httpx.Response | None] = [None] * len(calls)

    def run(index: int) -> None:
        gate.wait()
        answers[index] = calls[index]()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(answer is not None for answer in answers)
    return [answer for answer in answers if answer is not None]


def sending(url: str, signed: SignedOrder, request: SignedRequest | None = None) -> Callable[[], httpx.Response]:
    body = {"order": signed.text} | ({"request": request.text} if request else {})
    return lambda: CLIENT.post(url + PATH[signed.order.purpose], json=body)


def tally(answers: Sequence[httpx.Response]) -> Counter[Any]:
    return Counter(a.json().get("code", a.status_code) for a in answers)


def test_one_id_sent_twenty_times_at_once(town: Town, people: Cast, servers: list[str]) -> None:
    before = town.book.head().seq
    order = towns.order(town, people.alice, people.shop.account, 450)
    answers = at_once([sending(servers[n % 2], order) for n in range(20)])
    assert tally(answers) == {201: 1, 200: 19}
    assert len({(a.json()["seq"], a.json()["at"]) for a in answers}) == 1
    assert town.book.head().seq == before + 1
    assert town.book.balance(people.shop.account) == 450


def test_two_servers_take_turns(town: Town, people: Cast, servers: list[str]) -> None:
    """What one has just read is old as soon as the other has posted."""
    for turn in range(12):
        payer, payee = (people.alice, people.bob) if turn % 3 else (people.bob, people.alice)
        response = sending(servers[turn % 2], towns.order(town, payer, payee.account, 1_000))()
        assert response.status_code == 201, response.text
    assert town.book.balance(people.alice.account) == 96_000
    units_sum_to_zero(town)


def test_fifty_orders_spend_one_balance(town: Town, people: Cast, servers: list[str]) -> None:
    """There is enough for ten of them."""
    calls = [sending(servers[n % 2], towns.order(town, people.alice, people.shop.account, 10_000)) for n in range(50)]
    answers = at_once(calls)
    assert tally(answers) == {201: 10, "below_floor": 40}
    assert (town.book.balance(people.alice.account), town.book.balance(people.shop.account)) == (0, 100_000)
    units_sum_to_zero(town)


def test_ten_payers_for_one_code(town: Town, people: Cast, servers: list[str]) -> None:
    payers = [towns.member(town, "person", f"Payeur {n}") for n in range(10)]
    for number, payer in enumerate(payers):
        conversion.convert(town, payer.party, 1_000, reserve=BANK, reference=f"P-{number}")
    request = one_time(town, people.shop, 450)
    answers = at_once([sending(servers[n % 2], answer(town, p, request), request) for n, p in enumerate(payers)])
    assert tally(answers) == {201: 1, "id_taken": 9}
    assert sorted(town.book.balance(p.account) for p in payers) == [550] + [1_000] * 9


def test_refunds_at_once_give_back_what_was_paid_and_no_more(town: Town, people: Cast, servers: list[str]) -> None:
    payment = towns.order(town, people.alice, people.shop.account, 450)
    towns.take(town, payment)
    towns.pay(town, people.bob, people.shop, 10_000)
    orders = [refund_order(town, people.shop, people.alice, 100, payment.order.id) for _ in range(20)]
    answers = at_once([sending(servers[n % 2], order) for n, order in enumerate(orders)])
    assert tally(answers) == {201: 4, "correction_exceeds": 16}
    assert town.book.balance(people.alice.account) == 99_950


def test_there_and_back_at_once(town: Town, people: Cast, servers: list[str]) -> None:
    """Orders against each other's direction, which deadlocks whoever locks the two accounts in turn."""
    calls = []
    for number in range(24):
        payer, payee = (people.alice, people.bob) if number % 2 else (people.bob, people.alice)
        calls.append(sending(servers[number // 2 % 2], towns.order(town, payer, payee.account, 7)))
    assert tally(at_once(calls)) == {201: 24}
    after = balances(town)
    assert after[people.alice.account] == after[people.bob.account] == 100_000
