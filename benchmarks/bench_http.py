"""Signed payments over HTTP, each durable before its answer, beside an empty FastAPI route of the same process.

The load is another process's work in life and shares two cores here, in both halves of a round alike. Orders
are signed beforehand; every one is new, of a random payer to one shop, and answers a one-time request of its
till (two signatures to verify) or, as `http_plain`, none (one).
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from api.home import found_home
from benchmarks.figures import measure
from ledger.currency import conversion, parties
from ledger.currency.charter import Charter, ReserveAccount, ReserveKind
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import NO_REFERENCE, Order, Purpose
from ledger.currency.parties import Party
from ledger.currency.town import Town
from merchants import requests

PAYERS = 200
EMPTY = b"GET /empty HTTP/1.1\r\nHost: bench\r\n\r\n"


class Fair:
    """A town with payers and a shop, served by another process."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        charter = Charter(
            code="PATARD", name="Le Patard", symbol="P", network=b"\0\1\2\3", reconversion_fee_bp=500,
            public_url=f"http://127.0.0.1:{self.port}", reserve=(ReserveAccount(name="Banque", kind=ReserveKind.BANK),),
        )  # fmt: skip
        self.town: Town = found_home(folder / "home", charter)
        self.shop, self.till = self._party("shop", "Boulangerie", "owner", 0)
        self.payers = [self._party("person", f"Payeuse {n}", "member", n) for n in range(1, PAYERS + 1)]
        for number, (payer, _) in enumerate(self.payers):
            conversion.convert(self.town, payer, 100_000_000, reserve="Banque", reference=f"B{number}")
        self.server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.http_server", str(folder / "home"), str(self.port)]
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the server did not start")

    def _party(self, kind: str, name: str, role: str, number: int) -> tuple[Party, PrivateKey]:
        party, key = parties.admit(self.town, kind, name), PrivateKey.from_seed(number.to_bytes(32))
        parties.join(self.town, parties.invite(self.town, party, role), key.public, "bench")
        return party, key

    def close(self) -> None:
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(10)
        self.town.book.close()

    def payment(self, with_request: bool) -> bytes:
        """One HTTP request that pays."""
        payer, key = random.choice(self.payers)
        network, last = self.town.charter.network, int(time.time()) + 3_000
        if with_request:
            asked = requests.one_time(network, self.shop.account, 5, "Table 4", last, self.till, os.urandom(8))
            order = requests.order_for(
                asked, payer=payer.account, unit="PATARD", expires_at=last, id=self.town.new_id()
            ).sign(key)
            body = {"order": order.text, "request": asked.text}
        else:
            order = Order(
                network, Purpose.PAYMENT, self.town.new_id(), payer.account, self.shop.account, 5, "PATARD", last,
                NO_REFERENCE,
            ).sign(key)  # fmt: skip
            body = {"order": order.text}
        data = json.dumps(body).encode()
        lines = (
            "POST /v1/payments HTTP/1.1",
            "Host: bench",
            "Content-Type: application/json",
            f"Content-Length: {len(data)}",
        )
        return "\r\n".join((*lines, "", "")).encode() + data

    def load(self, todo: list[bytes], connections: int) -> int:
        """Send `todo` over so many connections, one at a time on each; every answer must be a success."""

        async def everything() -> None:
            waiting = iter(todo)

            async def connection() -> None:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                for request in waiting:
                    writer.write(request)
                    head = await reader.readuntil(b"\r\n\r\n")
                    size = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
                    body = await reader.readexactly(size)
                    if head[9:12] not in (b"200", b"201"):
                        raise AssertionError(f"{head!r} {body!r}")
                writer.close()

            await asyncio.gather(*(connection() for _ in range(connections)))

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(everything())
        return len(todo)


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fair]:
    """One town and one server for the whole file."""
    made = Fair(tmp_path_factory.mktemp("http"))
    yield made
    made.close()


@pytest.mark.parametrize(("connections", "count"), [(1, 200), (16, 1_000), (64, 2_000)])
@pytest.mark.parametrize(("name", "with_request"), [("http", True), ("http_plain", False)])
def test_payments(benchmark: Any, fair: Fair, connections: int, count: int, name: str, with_request: bool) -> None:
    rounds = 5
    batches = iter([[fair.payment(with_request) for _ in range(count)] for _ in range(rounds + 1)])
    measure(
        benchmark,
        f"{name}/{connections}",
        "sqlite",
        lambda: fair.load(next(batches), connections),
        lambda: fair.load([EMPTY] * count, connections),
        rounds=rounds,
    )
