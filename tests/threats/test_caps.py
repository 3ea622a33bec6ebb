"""One party that wants to stop all others: hundreds of devices, sessions, screens, keys; and nobody else waits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import event as events
from sqlalchemy import func, select, text

from api.live import Live, Told
from ledger.core import schema, sqlite
from ledger.currency import caps, named, parties, proofs
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey, key_id
from ledger.currency.parties import Party
from ledger.currency.sessions import Session, Sessions
from ledger.currency.tables import DEVICE_KEY, KEY_NAME, SESSION
from ledger.currency.town import Town
from merchants import asked, statement
from merchants.desk import Desk, Submission, Taken
from tests import towns
from tests.loops import run
from tests.served import Cast, Served, cast, one_time, served, serving, shown
from tests.towns import Member


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    made = towns.found(tmp_path / "home", database_url=url)
    yield made
    made.book.close()


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Town]:
    """A town on SQLite, where the database is not what it is about."""
    made = towns.found(tmp_path / "lite")
    yield made
    made.book.close()


@pytest.fixture
def people(lite: Town) -> Cast:
    return cast(lite)


def joined(town: Town, party: Party, role: str, name: str) -> str:
    """Join a device; the code of what refused it, or ""."""
    try:
        towns.join(town, party, role, name)
    except CurrencyError as error:
        return error.code
    return ""


def count(town: Town, table: Any, *where: Any) -> int:
    with town.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())


# Keys.


@pytest.mark.parametrize(("kind", "role", "most"), [("person", "member", 20), ("association", "auditor", 50)])
def test_a_party_has_so_many_live_keys(town: Town, kind: str, role: str, most: int) -> None:
    party, other = parties.admit(town, kind, "Alice"), parties.admit(town, kind, "Bob")
    for number in range(most):
        towns.clock(town).forward(600)  # never too many in an hour
        assert not joined(town, party, role, f"device {number}")
    head = town.book.head()
    assert joined(town, party, role, "one more") == "keys_too_many"
    assert town.book.head() == head and not parties.find_device(town, towns.key_of("one more").public)
    parties.revoke(town, parties.device(town, towns.key_of("device 3").public))
    assert not joined(town, party, role, "one more")
    assert joined(town, party, role, "yet one more") == "keys_too_many"
    assert not joined(town, other, role, "another's")


def test_so_many_join_in_an_hour(town: Town) -> None:
    """Revoking makes room for another key, and not for a storm of them."""
    shop = parties.admit(town, "shop", "Boulangerie")
    towns.join(town, shop, "owner", "the owner's")
    towns.clock(town).forward(1_800)
    for number in range(19):
        assert not joined(town, shop, "cashier", f"till {number}")
        parties.revoke(town, parties.device(town, towns.key_of(f"till {number}").public))
    assert joined(town, shop, "cashier", "till 19") == "joins_too_many"
    towns.clock(town).forward(1_801)  # the owner's was an hour ago
    assert not joined(town, shop, "cashier", "till 20")
    assert joined(town, shop, "cashier", "till 21") == "joins_too_many"


def test_three_hundred_at_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them found room when it looked; the commit looks again. A code that was refused is good later."""
    alice = towns.member(town, "person", "Alice").party
    keys = [towns.key_of(f"device {number}") for number in range(300)]
    monkeypatch.setattr(parties, "MAX_OPEN_INVITES", 300)
    codes = [parties.invite(town, alice, "member") for _ in keys]

    def join(number: int) -> str:
        try:
            parties.join(town, codes[number], keys[number].public, "x")
        except CurrencyError as error:
            return error.code
        return ""

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(join, range(300)))
    assert answers.count("") == 19 and set(answers) == {"", "keys_too_many"}
    assert count(town, DEVICE_KEY, DEVICE_KEY.c.revoked_at.is_(None)) == 20
    late = answers.index("keys_too_many")
    parties.revoke(town, parties.device(town, keys[answers.index("")].public))
    towns.clock(town).forward(3_599)
    assert join(late) == "joins_too_many"
    towns.clock(town).forward(2)
    assert join(late) == ""


def test_what_there_was_before_stays(lite: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = towns.member(lite, "person", "Alice")
    for number in range(4):
        towns.join(lite, alice.party, "member", f"device {number}")
    monkeypatch.setattr(caps, "OTHERS", caps.Caps(2, 2, 2))
    bob = towns.member(lite, "person", "Bob")
    device = towns.key_of("device 3")
    towns.take(lite, towns.order(lite, _funded(lite, alice), bob.account, 5, key=device))
    opened(Sessions(lite), device)
    assert joined(lite, alice.party, "member", "one more") == "keys_too_many"


def _funded(town: Town, member: Member) -> Member:
    from ledger.currency import conversion

    conversion.convert(town, member.party, 1_000, reserve=towns.BANK, reference="FUNDS")
    return member


# Sessions.


def opened(made: Sessions, key: PrivateKey) -> Session:
    challenge, _ = made.challenge()
    return made.open(key.public, challenge, proofs.sign_session(key, made.town.charter.network, challenge))


def good(made: Sessions, tokens: Sequence[str]) -> list[bool]:
    """Which of them stand, one by one and all at once."""
    found = []
    for token in tokens:
        try:
            made.find(token)
            found.append(True)
        except CurrencyError as error:
            assert error.code == "session_missing"
            found.append(False)
    assert {token for token, stands in zip(tokens, found, strict=True) if stands} == made.standing(tokens)
    return found


@pytest.mark.parametrize("still", [False, True])
def test_the_oldest_session_of_a_device_ends(town: Town, still: bool) -> None:
    made = Sessions(town)
    alice, bob = towns.member(town, "person", "Alice"), towns.member(town, "person", "Bob")
    bobs = opened(made, bob.key).token
    tokens = []
    for _ in range(11):
        if not still:
            towns.clock(town).forward(1)
        tokens.append(opened(made, alice.key).token)
    stands = good(made, tokens)
    assert stands.count(True) == 8 and stands[-1] and good(made, [bobs]) == [True]
    assert still or stands == [False] * 3 + [True] * 8
    assert count(town, SESSION, SESSION.c.key == alice.key.public) == 8


def test_the_oldest_session_of_a_party_ends(town: Town) -> None:
    made = Sessions(town)
    shop, bob = towns.member(town, "shop", "Boulangerie"), towns.member(town, "person", "Bob")
    bobs = opened(made, bob.key).token
    tills = [towns.join(town, shop.party, "cashier", f"till {number}") for number in range(8)]
    tokens = []
    for _ in range(6):
        for till in tills:
            towns.clock(town).forward(1)
            tokens.append(opened(made, till).token)
    assert good(made, tokens) == [False] * 8 + [True] * 40
    assert good(made, [bobs]) == [True]


# Requests: one till among very many keys.


def test_only_the_keys_that_are_named_are_looked_at(town: Town) -> None:
    """A payee with a thousand keys costs the desk what one with a single key does."""
    shop = towns.member(town, "shop", "Boulangerie")
    other = towns.member(town, "shop", "Librairie")
    alice = _funded(town, towns.member(town, "person", "Alice"))
    till = towns.join(town, shop.party, "cashier", "till")
    with town.book.store.writing() as store:
        for number in range(1_000):
            key = towns.key_of(f"old {number}").public
            row = {"key": key, "party": shop.party.id, "role": "cashier", "label": "x", "added_at": 1, "revoked_at": 2}
            store.connection.execute(DEVICE_KEY.insert(), row)
            named.add(store.connection, shop.account, key)
    request = one_time(town, shop, 250, key=till)
    with town.reading() as connection:
        found = named.find(connection, [alice.key.public], [(shop.account, request.request.key_id)])
        assert {one.key for one in found} == {alice.key.public, till.public}
        # Another's key, named as if it were this one's, is not found under its name.
        assert named.find(connection, [], [(other.account, request.request.key_id)]) == []
    from tests.served import answer

    [taken] = Desk(town).take([Submission(answer(town, alice, request), request)])
    assert isinstance(taken, Taken)
    assert asked.look(town, request).state is asked.State.PAID
    old = one_time(town, shop, 250, key=towns.key_of("old 3"))
    [refused] = Desk(town).take([Submission(answer(town, alice, old), old)])
    assert isinstance(refused, CurrencyError) and refused.code == "request_signature_invalid"


def test_keys_of_before_are_found_by_their_names(tmp_path: Path) -> None:
    """The upgrade of a book fills the names in."""
    engine = sqlite.open_engine(tmp_path / "old.db")
    keys = [towns.key_of(f"key {number}").public for number in range(1_500)]
    # Only these tables are of interest: not the log in which the account was opened.
    events.listen(engine, "connect", lambda driver, _record: driver.execute("PRAGMA foreign_keys = OFF"))
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema.MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        connection.execute(text("INSERT INTO party VALUES (x'00112233445566778899aabbccddeeff','shop','B',1,NULL)"))
        connection.execute(text("INSERT INTO holding VALUES (4711, x'00112233445566778899aabbccddeeff')"))
        query = "INSERT INTO device_key VALUES (:key, x'00112233445566778899aabbccddeeff', 'owner', 'x', 1, NULL)"
        connection.execute(text(query), [{"key": key} for key in keys])
        connection.commit()
    engine.dispose()
    schema.upgrade(engine)
    with engine.connect() as connection:
        rows = connection.execute(select(KEY_NAME.c.id, KEY_NAME.c.account, KEY_NAME.c.key)).all()
        assert {tuple(row) for row in rows} == {(key_id(key), 4711, key) for key in keys}
        assert [one.key for one in named.find(connection, [], [(4711, key_id(keys[7]))])] == [keys[7]]
    engine.dispose()


# Screens.


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


# Uploads.


def test_imports_keep_counts(lite: Town, people: Cast) -> None:
    """Fifty files of a hundred thousand lines each would not fit into memory."""
    import gc

    from ledger.currency.bank.statement import BankLine, Statement
    from tests.api.test_bank import camt, finished, upload

    def kept() -> list[object]:
        gc.collect()
        return [one for one in gc.get_objects() if isinstance(one, (BankLine, Statement))]

    others = {id(one) for one in kept()}  # of tests that ran before in this process
    with served(lite) as api:
        office = api.session(people.operator)
        lines = [(100 + number, f"line {number}") for number in range(50)]
        made = upload(api, office, camt(*lines, opening=200_000), name="releve.xml", opening="true")
        assert made.status_code == 201, made.text
        told = finished(api, office, made.json()["id"])
        assert told["statements"][0]["lines"] == told["statements"][0]["new"] - 1 == 50
        assert told["statements"][0]["closing_cents"] == 200_000 + sum(cents for cents, _ in lines)
        assert [one for one in kept() if id(one) not in others] == []
