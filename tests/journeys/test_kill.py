"""kill -9 of the server, again and again, while everybody pays.

Each payer keeps an order until an answer came, and sends the same one again to the server that comes up next. In the
end the book must say exactly what was acknowledged: every payment once, nothing besides, and every proof holds.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.home import found_home, open_town
from ledger.core.check import check
from ledger.core.opening import open_book
from ledger.core.replay import rebuild
from ledger.core.tree import append, leaf_hash, root
from ledger.currency.audit import walk as audit
from ledger.currency.messages import Purpose, SignedOrder, SignedReceipt
from ledger.currency.town import Town
from tests import towns
from tests.killable import Killable, killable
from tests.served import PATH, Cast, cast, units_sum_to_zero
from tests.towns import Member

KILLS = 50
"""On each of the two databases."""
START_CENTS = 5_000_000
SETTLE_SECONDS = 60


class Payer(threading.Thread):
    """Pays as fast as it is answered, and never gives an order up."""

    def __init__(self, town: Town, port: int, number: int, stop: threading.Event) -> None:
        super().__init__(name=f"payer {number}")
        self.town, self.port, self.stop = town, port, stop
        self.random = random.Random(number)
        self.acknowledged: dict[bytes, tuple[SignedOrder, SignedReceipt]] = {}
        self.refused: dict[bytes, str] = {}
        self.again = self.replays = 0
        self.error: BaseException | None = None
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                self.turn()
        except BaseException as error:
            self.error = error
        finally:
            if self._connection:
                self._connection.close()

    def turn(self) -> None:
        raise NotImplementedError

    def settle(self, signed: SignedOrder) -> str | None:
        """Send an order until it is answered; the code when it is refused."""
        body = json.dumps({"order": signed.text}).encode()
        deadline: float | None = None
        while True:
            if self.stop.is_set():
                deadline = deadline or time.monotonic() + SETTLE_SECONDS
                assert time.monotonic() < deadline, "no answer though the server stays up"
            try:
                status, answer = self._post(PATH[signed.order.purpose], body)
            except (OSError, http.client.HTTPException, ValueError):
                self._connection = None
                self.again += 1
                time.sleep(0.02)
                continue
            if status in (200, 201):
                receipt = SignedReceipt.parse(answer["receipt"])
                self.replays += answer["replay"]
                self.acknowledged[signed.order.id] = (signed, receipt)
                return None
            if answer["code"] in ("busy", "store_unavailable"):
                time.sleep(0.005)
                continue
            self.refused[signed.order.id] = answer["code"]
            code: str = answer["code"]
            return code

    def _post(self, path: str, body: bytes) -> tuple[int, Any]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())


class Spender(Payer):
    """Pays somebody, one order after another."""

    def __init__(self, *common: Any, payer: Member, payee: Member) -> None:
        super().__init__(*common)
        self.payer, self.payee = payer, payee

    def turn(self) -> None:
        amount = self.random.randint(1, 40)
        assert self.settle(towns.order(self.town, self.payer, self.payee.account, amount, seconds=3_000)) is None


class Refunder(Payer):
    """Is paid 10, gives 4 and 6 back, and is refused one more: whatever dies in between, that is the outcome."""

    def __init__(self, *common: Any, payer: Member, shop: Member) -> None:
        super().__init__(*common)
        self.payer, self.shop = payer, shop

    def turn(self) -> None:
        payment = towns.order(self.town, self.payer, self.shop.account, 10, seconds=3_000)
        assert self.settle(payment) is None
        for amount, code in ((4, None), (6, None), (1, "correction_exceeds")):
            refund = towns.order(
                self.town, self.shop, self.payer.account, amount, purpose=Purpose.REFUND, reference=payment.order.id,
                seconds=3_000,
            )  # fmt: skip
            assert self.settle(refund) == code


def crowd(town: Town, people: Cast, port: int, stop: threading.Event) -> list[Payer]:
    """Six who pay and two who refund; Alice pays from two places at once."""
    alice, bob, shop = people.alice, people.bob, people.shop
    pairs = [(alice, shop), (alice, bob), (bob, shop), (bob, alice), (alice, shop), (bob, shop)]
    made: list[Payer] = [
        Spender(town, port, number, stop, payer=payer, payee=payee) for number, (payer, payee) in enumerate(pairs)
    ]
    made += [Refunder(town, port, 6 + n, stop, payer=payer, shop=shop) for n, payer in enumerate((alice, bob))]
    return made


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Town, Cast]]:
    """A currency whose book no process holds open: what a crash leaves is what the next server finds."""
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    folder = tmp_path / "home"
    town = found_home(folder, towns.charter(), url)
    people = cast(town, cents=START_CENTS)
    town.book.close()
    yield folder, town, people


def balances_of(people: Cast) -> dict[int, int]:
    return {people.alice.account: START_CENTS, people.bob.account: START_CENTS, people.shop.account: 0}


def hold_the_book_against(folder: Path, people: Cast, crowd: list[Payer]) -> None:
    """Every acknowledged order is in the log once, where its receipt says, and nothing else moved."""
    town = open_town(folder)
    try:
        expected = balances_of(people)
        acknowledged = {id_: both for payer in crowd for id_, both in payer.acknowledged.items()}
        for id_, (signed, receipt) in acknowledged.items():
            receipt.verify(town.charter.network, town.key.public)
            assert receipt.is_for(signed.order)
            found = town.book.find(id_)
            assert found is not None, f"acknowledged and lost: {id_.hex()}"
            assert (found.seq, found.at) == (receipt.receipt.seq, receipt.receipt.at)
            expected[signed.order.payer] -= signed.order.amount
            expected[signed.order.payee] += signed.order.amount
        for number, balance in expected.items():
            assert town.book.balance(number) == balance
        for payer in crowd:
            for id_ in payer.refused:
                assert town.book.find(id_) is None
        units_sum_to_zero(town)
        _checkpoints_hold(town, [receipt for _, receipt in acknowledged.values()])
        report = check(town.book.store)
        assert report.ok, report.findings
        assert report.root == town.book.head().root
        copy = open_book("memory:")
        rebuilt = rebuild(town.book.store, copy.store)
        assert (rebuilt.head, rebuilt.different) == (town.book.head(), 0), rebuilt.differences
        found_wrong = audit.audit(town)
        assert found_wrong.total == 0, found_wrong.findings
    finally:
        town.book.close()


def _checkpoints_hold(town: Town, receipts: list[SignedReceipt]) -> None:
    """The root in each receipt is the one that the log had at that size."""
    claims = {(r.receipt.size, r.receipt.root) for r in receipts}
    claimed: dict[int, bytes] = dict(claims)
    assert len(claimed) == len(claims), "two roots for one size"
    peaks: list[bytes] = []
    size = 0
    with town.book.store.reading() as store:
        for row in store.log(0, 10**7):
            size = append(peaks, size, [leaf_hash(row.record)])
            if size in claimed:
                assert root(peaks) == claimed.pop(size)
    assert not claimed, "a receipt names a log longer than what is left of it"


@pytest.mark.slow
def test_killed_again_and_again(home: tuple[Path, Town, Cast]) -> None:
    folder, town, people = home
    began, chance = time.monotonic(), random.Random(4)
    stop = threading.Event()
    with killable(folder) as server:
        payers = crowd(town, people, server.port, stop)
        try:
            _kill_often(server, payers, chance)
        finally:
            stop.set()
            for payer in payers:
                payer.join(SETTLE_SECONDS + 30)
        assert not any(payer.is_alive() for payer in payers)
        assert [payer.error for payer in payers] == [None] * len(payers)
        assert server.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    killed = time.monotonic()
    hold_the_book_against(folder, people, payers)
    acknowledged = sum(len(payer.acknowledged) for payer in payers)
    again, replays = sum(p.again for p in payers), sum(p.replays for p in payers)
    print(
        f"{KILLS} kills in {killed - began:.0f} s: {acknowledged} payments acknowledged, {again} sent again, "
        f"{replays} of them had been posted before the kill; checked in {time.monotonic() - killed:.0f} s"
    )
    assert acknowledged > KILLS
    assert all(len(payer.acknowledged) > 3 for payer in payers)


def _kill_often(server: Killable, payers: list[Payer], chance: random.Random) -> None:
    server.start()
    for payer in payers:
        payer.start()
    for _ in range(KILLS):
        # Long enough for payments to go through at all, short enough to fall into every moment of one.
        time.sleep(0.02 + chance.random() * 0.15)
        assert server.end() == -signal.SIGKILL
        server.start()
    time.sleep(0.1)


@pytest.mark.slow
def test_patard_serve_is_killed(tmp_path: Path) -> None:
    """The same with the command that people run; fewer times, since it has to start like anything in Python."""
    folder = tmp_path / "home"
    town = found_home(folder, towns.charter())
    people = cast(town, cents=START_CENTS)
    town.book.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = shutil.which("patard", path=str(Path(sys.executable).parent))
    assert command, "the package is not installed"
    stop = threading.Event()
    payers = crowd(town, people, port, stop)
    for payer in payers:
        payer.start()
    try:
        for number in range(4):
            server = subprocess.Popen(
                [command, "serve", "--port", str(port)],
                env={**os.environ, "PATARD_HOME": str(folder)},
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                before = sum(len(payer.acknowledged) for payer in payers)
                deadline = time.monotonic() + 60
                while sum(len(payer.acknowledged) for payer in payers) < before + 20:
                    assert server.poll() is None and time.monotonic() < deadline
                    time.sleep(0.01)
                if number == 3:
                    stop.set()
                    for payer in payers:
                        payer.join(SETTLE_SECONDS + 30)
            finally:
                server.send_signal(signal.SIGINT if number == 3 else signal.SIGKILL)
                status = server.wait(30)
            assert status == (0 if number == 3 else -signal.SIGKILL)
    finally:
        stop.set()
    assert [payer.error for payer in payers] == [None] * len(payers)
    hold_the_book_against(folder, people, payers)
