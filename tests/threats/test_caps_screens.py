"""Hundreds of screens: so many for a party, for a server; news are read once; nobody waits for a slow one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event as events

from api.live import Live, Told
from ledger.currency import caps, parties
from ledger.currency.keys import PrivateKey
from ledger.currency.sessions import Sessions
from ledger.currency.town import Town
from merchants import statement
from tests import towns
from tests.loops import run
from tests.served import Cast, Served, cast, serving, shown
from tests.threats.test_caps import opened


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Town]:
    """A town on SQLite, where the database is not what it is about."""
    made = towns.found(tmp_path / "lite")
    yield made
    made.book.close()


@pytest.fixture
def people(lite: Town) -> Cast:
    return cast(lite)


class Screens:
    """Streams of a `Live`, without a server, read in one event loop."""

    def __init__(self, town: Town, sessions: Sessions) -> None:
        self.live = Live(town, sessions)
        self.live.heartbeat_seconds = 60
        self.told: list[list[bytes]] = []
        self.ended: list[bool] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, account: int, key: PrivateKey, seq: int | None = None) -> int:
        """Open one, and wait until it is connected; its number."""
        number = len(self.told)
        self.told.append([])
        self.ended.append(False)
        sessions = self.live.sessions
        token = opened(sessions, key).token
        stream = self.live.stream(account, seq, token, sessions.find(token))
        assert b"connected" in await anext(aiter(stream))

        async def read() -> None:
            async for event in stream:
                self.told[number].append(event)
            self.ended[number] = True

        self._tasks.append(asyncio.create_task(read()))
        return number

    async def until(self, what: Any, seconds: float = 10) -> None:
        """Wait until `what()` is true."""
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, (self.ended, [len(one) for one in self.told])
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self.live.close()
        await asyncio.wait_for(asyncio.gather(*self._tasks), 10)


def test_a_party_has_so_many_screens(lite: Town, people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    tills = [towns.join(lite, people.shop.party, "cashier", f"till {number}") for number in range(13)]

    async def story() -> None:
        screens = Screens(lite, Sessions(lite))
        others = await screens.open(people.bob.account, people.bob.key)
        for till in tills:
            await screens.open(people.shop.account, till)
            await screens.open(people.shop.account, till)
        await screens.until(lambda: sum(screens.ended) == 2)
        assert screens.ended[1:3] == [True, True] and not screens.ended[others]
        assert len(screens.live._screens) == caps.STREAMS_PER_PARTY + 1
        await screens.close()

    run(story())


def test_a_server_has_so_many_screens(lite: Town, people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has most makes room: a shop's one till never goes for somebody's twentieth screen."""
    monkeypatch.setattr("api.live.STREAMS", 6)

    async def story() -> None:
        screens = Screens(lite, Sessions(lite))
        alone = await screens.open(people.bob.account, people.bob.key)
        for _ in range(8):
            await screens.open(people.alice.account, people.alice.key)
        await screens.until(lambda: sum(screens.ended) == 3)
        late = await screens.open(people.shop.account, people.cashier)
        await screens.until(lambda: sum(screens.ended) == 4)
        assert not screens.ended[alone] and not screens.ended[late]
        assert len(screens.live._screens) == 6
        await screens.close()

    run(story())


def test_news_are_read_once_for_all_screens(lite: Town, people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look at the account and one at all sessions, however many screens show it."""
    reads: list[int] = []
    whole, looks = statement.after, [0]

    def after(town: Town, account: int, seq: int) -> Any:
        reads.append(account)
        return whole(town, account, seq)

    monkeypatch.setattr(statement, "after", after)
    tills = [towns.join(lite, people.shop.party, "cashier", f"till {number}") for number in range(6)]

    async def story() -> None:
        sessions = Sessions(lite)
        screens = Screens(lite, sessions)
        for till in tills:
            for _ in range(4):
                await screens.open(people.shop.account, till)
        standing = sessions.standing

        def counted(tokens: Any) -> set[str]:
            looks[0] += 1
            return standing(tokens)

        monkeypatch.setattr(sessions, "standing", counted)
        reads.clear()
        for number in range(1, 4):
            await asyncio.to_thread(towns.pay, lite, people.alice, people.shop, 5)
            screens.live.wake()
            await screens.until(lambda number=number: all(len(one) == number for one in screens.told))
        assert 1 <= len(reads) <= 6 and set(reads) == {people.shop.account}
        assert looks[0] <= 6
        assert len({tuple(one) for one in screens.told}) == 1
        await screens.close()

    run(story())


def test_a_slow_screen_misses_nothing(lite: Town, people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is too slow for waits up to a bound, then it reads for itself: in order, each once."""
    monkeypatch.setattr("api.live.MOST_WAITING", 5)

    async def story() -> None:
        sessions = Sessions(lite)
        live = Live(lite, sessions)
        tokens = [opened(sessions, people.shop.key).token for _ in range(2)]
        slow, quick = (live.stream(people.shop.account, None, t, sessions.find(t)) for t in tokens)
        assert b"connected" in await anext(slow) and b"connected" in await anext(quick)
        paid = []
        for number in range(40):
            await asyncio.to_thread(towns.pay, lite, people.alice, people.shop, 1)
            paid.append(f"id: {lite.book.head().seq}\n".encode())
            live.wake()
            assert (await asyncio.wait_for(anext(quick), 10)).startswith(paid[-1])
            if number in (9, 25):
                assert (await asyncio.wait_for(anext(slow), 10)).startswith(paid[0 if number == 9 else 1])
        assert all(len(screen.waiting) <= 5 for screen in live._screens)
        for wanted in paid[2:]:
            assert (await asyncio.wait_for(anext(slow), 10)).startswith(wanted)
        await live.close()

    run(story())


def test_two_moves_of_one_entry_are_both_told(lite: Town, people: Cast) -> None:
    """An entry may touch an account twice; a screen that stopped between the two goes on with the second."""
    from api.live import _after

    one, two = Told(7 * 256, b"one"), Told(7 * 256 + 1, b"two")
    assert list(_after([one, two], 6 * 256 + 255)) == [b"one", b"two"]
    assert list(_after([one, two], one.place)) == [b"two"]


def test_nothing_is_told_after_the_session(lite: Town, people: Cast) -> None:
    async def story() -> None:
        sessions = Sessions(lite)
        screens = Screens(lite, sessions)
        tills = [towns.join(lite, people.shop.party, "cashier", f"till {number}") for number in range(2)]
        gone, stays = [await screens.open(people.shop.account, till) for till in tills]
        parties.revoke(lite, parties.device(lite, tills[0].public))
        await asyncio.to_thread(towns.pay, lite, people.alice, people.shop, 5)
        screens.live.wake()
        await screens.until(lambda: len(screens.told[stays]) == 1 and screens.ended[gone])
        assert screens.told[gone] == [] and not screens.ended[stays]
        # One that comes back and asks for what was before is told nothing either.
        token = opened(sessions, tills[1]).token
        back = screens.live.stream(people.shop.account, 0, token, sessions.find(token))
        await anext(back)
        sessions.end(token)
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(back), 10)
        await screens.close()

    run(story())


@contextmanager
def stuck(monkeypatch: pytest.MonkeyPatch, target: Any, name: str) -> Iterator[threading.Event]:
    """A function that does not return until the context is left; the event says that somebody waits in it."""
    waiting, free, whole = threading.Event(), threading.Event(), getattr(target, name)

    def wait(*given: Any, **more: Any) -> Any:
        waiting.set()
        assert free.wait(60)
        return whole(*given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(target, name, wait)
        try:
            yield waiting
        finally:
            free.set()


@pytest.mark.parametrize("where", ["news", "sessions", "missed"])
def test_reading_never_waits_for_screens(lite: Town, people: Cast, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Every thread that works for screens hangs; whoever asks for a balance has the answer at once."""
    targets: dict[str, tuple[Any, str]] = {
        "news": (statement, "after"), "sessions": (Sessions, "standing"), "missed": (statement, "after"),
    }  # fmt: skip
    monkeypatch.setattr(caps, "OTHERS", caps.Caps(200, 200, 200))
    monkeypatch.setattr("api.live.STREAMS_PER_PARTY", 200)
    tills = [towns.join(lite, people.shop.party, "cashier", f"till {number}") for number in range(10)]
    towns.pay(lite, people.alice, people.shop, 5)
    with serving(lite) as url, httpx.Client(base_url=url, timeout=20) as client:
        api = Served(lite, client)
        headers = api.session(people.bob.key)
        sessions = [api.session(till) for till in tills for _ in range(6)]
        with stuck(monkeypatch, *targets[where]) as waiting:
            streams = [
                client.stream(
                    "GET", f"/v1/accounts/{shown(people.shop)}/events", headers=one,
                    params={"after": 0} if where == "missed" else None,
                )
                for one in sessions
            ]  # fmt: skip
            for stream in streams:
                assert stream.__enter__().status_code == 200
            api.taken(towns.order(lite, people.alice, people.shop.account, 5))
            assert waiting.wait(10)
            time.sleep(0.2)
            for _ in range(20):
                assert client.get(f"/v1/accounts/{shown(people.bob)}", headers=headers, timeout=5).status_code == 200
                assert client.get("/v1/me", headers=headers, timeout=5).status_code == 200
        for stream in streams:
            stream.__exit__(None, None, None)


def test_a_request_of_a_session_is_one_look(lite: Town, people: Cast) -> None:
    """Finding whose session it is: one statement, with every request."""
    made = Sessions(lite)
    token = opened(made, people.bob.key).token
    asked_: list[str] = []
    events.listen(lite.engine, "before_cursor_execute", lambda *given: asked_.append(given[2]))
    assert made.find(token).account == people.bob.account
    assert len([sql for sql in asked_ if "SELECT" in sql]) == 1
