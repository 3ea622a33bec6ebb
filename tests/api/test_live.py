"""Live events: told within a second of the commit, in order, each once, and to nobody who may not hear them."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from api import live
from ledger.currency import conversion, parties
from ledger.currency.keys import PrivateKey
from ledger.currency.town import Town
from merchants import statement
from tests import towns
from tests.served import Cast, Headers, Served, cast, is_problem, refund_order, serving, shown
from tests.towns import BANK, Member

SOON = 1.0
"""Seconds within which the shop must see a payment; the best of a few, for a machine that is busy with other things."""


class Event(NamedTuple):
    """One event as a browser would see it, and when it came (monotonic)."""

    id: int
    entry: dict[str, Any]
    at: float


class Listener:
    """Reads one stream in a thread."""

    def __init__(self, url: str, account: str, headers: Headers, params: dict[str, int] | None = None) -> None:
        self.events: queue.Queue[Event] = queue.Queue()
        self.comments: list[str] = []
        self.connected = threading.Event()
        self.ended = threading.Event()
        self.response: httpx.Response | None = None
        self._client = httpx.Client(timeout=httpx.Timeout(5, read=60))
        sent = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        self._arguments: Any = (url, account, sent, params)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        assert self.connected.wait(5), "no answer"

    def _read(self) -> None:
        url, account, headers, params = self._arguments
        try:
            with self._client.stream(
                "GET", f"{url}/v1/accounts/{account}/events", headers=headers, params=params
            ) as response:
                self.response = response
                fields: dict[str, str] = {}
                for line in response.iter_lines():
                    if line.startswith(":"):
                        self.comments.append(line)
                        self.connected.set()
                    elif line:
                        name, _, value = line.partition(": ")
                        fields[name] = value
                    elif "data" in fields:
                        assert fields["event"] == "entry"
                        entry = json.loads(fields["data"])
                        self.events.put(Event(int(fields["id"]), entry, time.monotonic()))
                        fields = {}
        except (httpx.ReadError, httpx.RemoteProtocolError, httpx.StreamError):
            pass
        finally:
            self.ended.set()
            self.connected.set()

    def next(self, seconds: float = 5) -> Event:
        return self.events.get(timeout=seconds)

    def nothing(self, seconds: float = 0.3) -> None:
        with pytest.raises(queue.Empty):
            self.events.get(timeout=seconds)

    def hang_up(self) -> None:
        if self.response is not None:
            # From another thread: shutting the socket down makes the reader return.
            stream = self.response.extensions["network_stream"]
            try:
                stream.get_extra_info("socket").shutdown(2)
            except OSError:
                pass
        self._thread.join(5)
        assert not self._thread.is_alive()
        self._client.close()


class Shop:
    """A town behind a real server, and the shop's screens."""

    def __init__(self, town: Town, people: Cast, url: str) -> None:
        self.town, self.people, self.url = town, people, url
        self.api = Served(town, httpx.Client(base_url=url))
        self.screens: list[Listener] = []

    def listen(self, headers: Headers | None = None, after: int | None = None, last: int | None = None) -> Listener:
        sent = dict(headers or self.api.session(self.people.shop.key))
        if last is not None:
            sent["Last-Event-ID"] = str(last)
        params = None if after is None else {"after": after}
        screen = Listener(self.url, shown(self.people.shop), sent, params)
        self.screens.append(screen)
        return screen

    def pay(self, amount: int, payer: Member | None = None) -> int:
        """Pay the shop; the place in the log."""
        order = towns.order(self.town, payer or self.people.alice, self.people.shop.account, amount)
        return self.api.taken(order).receipt.seq

    def hang_up(self) -> None:
        while self.screens:
            self.screens.pop().hang_up()


@contextmanager
def opened(town: Town, people: Cast, **settings: float) -> Iterator[Shop]:
    with serving(town, **settings) as url:
        shop = Shop(town, people, url)
        try:
            yield shop
        finally:
            shop.hang_up()
            shop.api.client.close()


@pytest.fixture(scope="module")
def open_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    town = towns.found(tmp_path_factory.mktemp("live") / "home")
    with opened(town, cast(town, cents=10_000_000)) as shop:
        yield shop
    town.book.close()


@pytest.fixture
def shop(open_shop: Shop) -> Iterator[Shop]:
    """One town and server for all; each test has screens of its own."""
    yield open_shop
    open_shop.hang_up()


def test_a_payment_is_seen_within_a_second(shop: Shop) -> None:
    screen = shop.listen()
    assert screen.response is not None
    assert screen.response.headers["content-type"].startswith("text/event-stream")
    assert screen.response.headers["cache-control"] == "no-store"
    waits = []
    for amount in (450, 1, 99_000):
        seq = shop.pay(amount)
        answered = time.monotonic()
        event = screen.next()
        waits.append(event.at - answered)
        assert (event.id, event.entry["seq"], event.entry["change_cents"]) == (seq, seq, amount)
        assert event.entry["counterparty"]["name"] == "Alice"
    assert min(waits) < SOON


def test_an_event_is_the_entry_of_the_statement(shop: Shop) -> None:
    headers = shop.api.session(shop.people.shop.key)
    screen = shop.listen(headers)
    shop.pay(450)
    page = shop.api.client.get(f"/v1/accounts/{shown(shop.people.shop)}/entries", headers=headers).json()
    assert screen.next().entry == page["entries"][0]


def test_only_what_touches_the_account_is_told(shop: Shop) -> None:
    screen = shop.listen()
    shop.api.taken(towns.order(shop.town, shop.people.alice, shop.people.bob.account, 5))
    screen.nothing()
    seq = shop.pay(7)
    assert screen.next().id == seq
    shop.api.taken(refund_order(shop.town, shop.people.shop, shop.people.alice, 7, bytes.fromhex(_last_id(shop))))
    assert screen.next().entry["kind"] == "refund"
    screen.nothing(0.1)


def _last_id(shop: Shop) -> str:
    page = shop.town.book.statement(shop.people.shop.account, limit=1)
    return page.entries[0].id.hex()


def test_what_another_process_committed_is_seen_within_a_second(shop: Shop) -> None:
    """The console converts, a second server takes payments: neither tells this one."""
    from api.home import open_town

    elsewhere = open_town(
        Path(str(_database_file(shop.town))).parent, clock=towns.clock(shop.town), entropy=towns.Entropy("elsewhere")
    )
    try:
        screen = shop.listen()
        waits = []
        for number in range(3):
            posted = conversion.convert(
                elsewhere, shop.people.shop.party, 1_000, reserve=BANK, reference=f"ELSEWHERE-{number}"
            )
            committed = time.monotonic()
            event = screen.next()
            assert (event.id, event.entry["kind"]) == (posted.seq, "conversion")
            waits.append(event.at - committed)
        assert min(waits) < SOON
    finally:
        elsewhere.book.close()


def _database_file(town: Town) -> str:
    connection = town.engine.raw_connection()
    try:
        return str(connection.cursor().execute("PRAGMA database_list").fetchone()[2])
    finally:
        connection.close()


@pytest.mark.parametrize("missed", [1, 31, 32, 33, 100])
def test_a_screen_that_comes_back_misses_nothing_and_sees_nothing_twice(shop: Shop, missed: int) -> None:
    headers = shop.api.session(shop.people.shop.key)
    screen = shop.listen(headers)
    first = shop.pay(1)
    assert screen.next().id == first
    screen.hang_up()
    paid = [shop.pay(2) for _ in range(missed)]
    for how in ({"last": first}, {"after": first}):
        back = shop.listen(headers, **how)
        assert [back.next().id for _ in paid] == paid
        back.nothing(0.1)
        back.hang_up()
    back = shop.listen(headers, last=paid[-1], after=0)  # what the browser saw last goes before the address
    now = shop.pay(3)
    assert back.next().id == now
    back.nothing(0.1)


def test_everything_from_the_beginning(shop: Shop) -> None:
    """More than one page, and in order."""
    for _ in range(70):
        shop.pay(1)
    page = shop.town.book.statement(shop.people.shop.account, limit=1_000)
    assert len(page.entries) >= 70 and not page.next
    screen = shop.listen(after=0)
    assert [screen.next().id for _ in page.entries] == [entry.seq for entry in page.entries][::-1]


def test_nothing_is_lost_while_payments_come_and_the_screen_reconnects(shop: Shop) -> None:
    headers = shop.api.session(shop.people.shop.key)
    start = shop.town.book.head().seq
    paid: list[int] = []

    def pay() -> None:
        for _ in range(150):
            paid.append(shop.pay(1))

    payer = threading.Thread(target=pay)
    payer.start()
    seen: list[int] = []
    while payer.is_alive() or len(seen) < len(paid):
        screen = shop.listen(headers, last=seen[-1] if seen else start)
        try:
            for _ in range(7):
                seen.append(screen.next(1).id)
        except queue.Empty:
            pass
        screen.hang_up()
    payer.join()
    assert seen == paid


@pytest.mark.parametrize("sent", ["", "abc", "-5", "1.5", "²", "9" * 40, "1e3"])
def test_a_last_event_id_that_is_none(shop: Shop, sent: str) -> None:
    """A header that a browser keeps for us must not lock the screen out."""
    screen = shop.listen(shop.api.session(shop.people.shop.key) | {"Last-Event-ID": sent})
    seq = shop.pay(4)
    assert screen.next().id == seq


def test_a_screen_ahead_of_the_log_hears_what_comes(shop: Shop) -> None:
    """The book was put back from a backup: the screen knows places that are not there any more."""
    screen = shop.listen(last=10_000)
    seq = shop.pay(4)
    assert screen.next().id == seq


@pytest.mark.parametrize("after", ["", "-1", "1.0", "+1", "1_0", "１", "x", "9007199254740992", "1e3"])
def test_a_place_that_is_none(shop: Shop, after: str) -> None:
    headers = shop.api.session(shop.people.shop.key)
    url = f"/v1/accounts/{shown(shop.people.shop)}/events"
    is_problem(shop.api.client.get(url, params={"after": after}, headers=headers), "body_malformed")


def test_many_screens(shop: Shop) -> None:
    tills = [towns.join(shop.town, shop.people.shop.party, "cashier", f"Caisse, une de {n}") for n in range(4)]
    screens = [shop.listen(headers) for headers in map(shop.api.session, tills) for _ in range(5)]
    seq = shop.pay(4)
    answered = time.monotonic()
    events = [screen.next() for screen in screens]
    assert {event.id for event in events} == {seq}
    assert max(event.at for event in events) - answered < SOON


def _end_session(shop: Shop, key: PrivateKey, headers: Headers) -> None:
    assert shop.api.client.delete("/v1/sessions/current", headers=headers).status_code == 204


def _revoke_key(shop: Shop, key: PrivateKey, headers: Headers) -> None:
    parties.revoke(shop.town, parties.device(shop.town, key.public))


def _expire(shop: Shop, key: PrivateKey, headers: Headers) -> None:
    towns.clock(shop.town).forward(shop.town.charter.limits.session_hours * 3600 + 1)


@pytest.mark.parametrize("end", [_end_session, _revoke_key, _expire], ids=["ended", "revoked", "expired"])
def test_a_stream_ends_with_its_session(shop: Shop, end: Callable[[Shop, PrivateKey, Headers], None]) -> None:
    """A till that was stolen is told nothing more, though its stream was open already."""
    till = towns.join(shop.town, shop.people.shop.party, "cashier", f"Caisse{end.__name__}")
    headers = shop.api.session(till)
    screen = shop.listen(headers)
    shop.pay(1)
    screen.next()
    end(shop, till, headers)
    shop.pay(2)
    assert screen.ended.wait(5)
    screen.nothing(0)
    is_problem(
        shop.api.client.get(f"/v1/accounts/{shown(shop.people.shop)}/events", headers=headers), "session_missing"
    )


def test_silence_has_a_heartbeat_and_ends_with_the_session(town: Town, people: Cast) -> None:
    with opened(town, people, heartbeat_seconds=0.2) as shop:
        headers = shop.api.session(people.shop.key)
        screen = shop.listen(headers)
        time.sleep(0.7)
        assert screen.comments[0] == ": connected"
        assert 1 <= screen.comments.count(": still here") <= 4
        _end_session(shop, people.shop.key, headers)
        assert screen.ended.wait(2)
    assert live.HEARTBEAT_SECONDS == 15


def test_streams_end_when_the_server_does(town: Town, people: Cast) -> None:
    with serving(town) as url:
        shop = Shop(town, people, url)
        screens = [shop.listen() for _ in range(3)]
        shop.api.client.close()
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert all(screen.ended.wait(1) for screen in screens)
    for screen in screens:
        screen.hang_up()


def test_screens_that_left_are_forgotten(town: Town, people: Cast) -> None:
    with serving(town) as url:
        shop = Shop(town, people, url)
        headers = shop.api.session(people.shop.key)
        for _ in range(5):
            shop.listen(headers).hang_up()
        screen = shop.listen(headers)
        seq = shop.pay(4)
        assert screen.next().id == seq
        screen.hang_up()
        shop.api.client.close()


def test_pages_of_what_came_after(town: Town, people: Cast) -> None:
    """The reading behind the stream: oldest first, whole, and in pages of any size."""
    ids = [towns.pay(town, people.alice, people.shop, 1) for _ in range(10)]
    account = people.shop.account
    places = [entry.seq for entry in town.book.statement(account).entries][::-1]
    for page in (1, 2, 3, 10, 11):
        for skipped in range(len(ids) + 1):
            seq = places[skipped - 1] if skipped else 0
            pages = list(statement.after(town, account, seq, page=page))
            assert all(0 < len(lines) <= page for lines in pages)
            assert [line.entry.id for lines in pages for line in lines] == ids[skipped:]
