"""Connections: silent ones are closed, and never keep anybody from paying."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from api import server
from api.connections import Waiting, allowed
from ledger.currency.caps import STREAMS_PER_KEY
from ledger.currency.town import Town
from tests import towns
from tests.served import Cast, Served, serving, shown


@pytest.fixture
def limits() -> Waiting:
    """Few connections, and little patience."""
    return Waiting(limit=40, seconds=0.6)


@pytest.fixture
def url(town: Town, people: Cast, limits: Waiting, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(server, "Waiting", lambda limit: limits)
    with serving(town) as address:
        yield address


@contextmanager
def connected(url: str, count: int, said: bytes = b"") -> Iterator[list[socket.socket]]:
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    made = []
    try:
        for _ in range(count):
            made.append(socket.create_connection((parts.hostname, parts.port), 5))
            made[-1].sendall(said)
        yield made
    finally:
        for one in made:
            one.close()


def is_closed(one: socket.socket, seconds: float = 5) -> bool:
    """Whether the server closes the connection within so many seconds."""
    one.settimeout(seconds)
    try:
        while one.recv(65_536):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        pass
    return True


def paid(town: Town, people: Cast, url: str) -> int:
    order = towns.order(town, people.alice, people.shop.account, 1)
    return httpx.post(f"{url}/v1/payments", json={"order": order.text}, timeout=10).status_code


@pytest.mark.parametrize("said", [b"", b"\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_more_silent_ones_than_there_may_be_keep_nobody_from_paying(
    town: Town, people: Cast, url: str, limits: Waiting, said: bytes
) -> None:
    limits.seconds = 60
    with connected(url, 3 * limits.limit, said) as silent:
        assert paid(town, people, url) == 201
        assert is_closed(silent[0]) and not is_closed(silent[-1], 0.1)
        assert len(limits) <= limits.limit


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\n",
        b"POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{",
        b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /hea",
    ],
)
def test_a_request_arrives_whole_and_soon(url: str, said: bytes, limits: Waiting) -> None:
    with connected(url, 1, said) as [one]:
        begun = time.monotonic()
        assert is_closed(one, 8)  # an answered one after uvicorn's five seconds
        assert time.monotonic() - begun < 8
    assert not limits


def test_a_connection_that_is_used_is_kept(url: str, limits: Waiting) -> None:
    with httpx.Client(base_url=url) as client:
        for _ in range(4):
            assert client.get("/health").status_code == 200
            time.sleep(limits.seconds / 2)
        stream = next(iter(client._transport._pool.connections))  # type: ignore[attr-defined]
        assert len(client._transport._pool.connections) == 1, stream  # type: ignore[attr-defined]


def test_when_all_are_at_work_a_new_one_is_too_many(town: Town, people: Cast, url: str, limits: Waiting) -> None:
    limits.limit = 6
    with httpx.Client(base_url=url) as client:
        headers = Served(town, client).session(people.bob.key)
    said = f"GET /v1/accounts/{shown(people.bob)}/events HTTP/1.1\r\nHost: x\r\n"
    said += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    with connected(url, 6, said.encode()) as streams:
        for one in streams:
            assert b"200 OK" in one.recv(4_096)
        with connected(url, 1) as [late]:
            assert is_closed(late)
        assert not any(is_closed(one, 0.05) for one in streams)


def test_one_device_has_so_many_streams(town: Town, people: Cast, url: str) -> None:
    with httpx.Client(base_url=url) as client:
        api = Served(town, client)
        said = f"GET /v1/accounts/{shown(people.bob)}/events HTTP/1.1\r\nHost: x\r\n"
        said += "".join(f"{n}: {v}\r\n" for n, v in api.session(people.bob.key).items()) + "\r\n"
        with connected(url, STREAMS_PER_KEY, said.encode()) as first:
            for one in first:
                assert b"200 OK" in one.recv(4_096)
            with connected(url, 2, said.encode()) as later:
                for one in later:
                    assert b"200 OK" in one.recv(4_096)
                assert [is_ended(one) for one in first].count(True) == 2
                assert not any(is_ended(one) for one in later)
    assert paid(town, people, url) == 201


def is_ended(stream: socket.socket) -> bool:
    """Whether a stream's last chunk comes, which is empty."""
    stream.settimeout(0.5)
    told = b""
    try:
        while some := stream.recv(4_096):
            told += some
    except TimeoutError:
        pass
    return told.endswith(b"0\r\n\r\n")


def test_there_are_files_left_for_the_database() -> None:
    assert 16 <= allowed(10_000_000) <= 10_000_000
    assert allowed(16) == 16
