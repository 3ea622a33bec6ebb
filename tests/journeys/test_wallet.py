"""The real `wallet` against the real server, each a process of its own: a day in town, and `kill -9` at any moment."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from api.home import found_home, open_town
from ledger.core.ids import account_text
from ledger.currency import parties
from ledger.currency.links import make_link
from ledger.currency.messages import SignedRequest
from ledger.currency.town import Town
from merchants import codes, requests
from tests import towns
from tests.served import Cast, cast, units_sum_to_zero

SCRIPTS = Path(sys.executable).parent
KILLS = 14
PASSPHRASE = "correct cheval batterie"


class Street:
    """A currency with a `patard serve` process that can be stopped, and wallets in folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        town = found_home(folder / "town", towns.charter(public_url=self.url))
        self.people: Cast = cast(town)
        self.codes = {
            "alice": parties.invite(town, self.people.alice.party, "member"),
            "shop": parties.invite(town, self.people.shop.party, "owner"),
        }
        town.book.close()
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._server = subprocess.Popen(
            [SCRIPTS / "patard", "serve", "--port", str(self.port)],
            env=os.environ | {"PATARD_HOME": str(self.folder / "town")},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            assert self._server.poll() is None and time.monotonic() < deadline, "the server did not start"
            try:
                httpx.get(f"{self.url}/health", trust_env=False).raise_for_status()
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(30)
            self._server = None

    def freeze(self, frozen: bool) -> None:
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def environ(self, home: str) -> dict[str, str]:
        more = {"WALLET_HOME": str(self.folder / home), "WALLET_PASSPHRASE": PASSPHRASE, "PATARD_LANG": "en"}
        return os.environ | more

    def spawn(self, *args: str, home: str = "alice") -> subprocess.Popen[str]:
        return subprocess.Popen(
            [SCRIPTS / "wallet", *args], env=self.environ(home), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def wallet(self, *args: str, home: str = "alice", typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SCRIPTS / "wallet", *args], env=self.environ(home), input=typed, capture_output=True, text=True, timeout=90
        )

    def json(self, *args: str, home: str = "alice") -> Any:
        ran = self.wallet(*args, "--json", home=home)
        assert ran.returncode == 0, ran
        return json.loads(ran.stdout)

    def bill(self, cents: int, label: str = "") -> str:
        """The link of a till's request for one payment."""
        shop, last = self.people.shop, int(time.time()) + 1_200
        return self._link(requests.one_time(towns.NETWORK, shop.account, cents, label, last, shop.key, os.urandom(8)))

    def counter(self) -> str:
        """The link of the shop's lasting code."""
        return self._link(requests.static(towns.NETWORK, self.people.shop.account, self.people.shop.key))

    def _link(self, signed: SignedRequest) -> str:
        return make_link(self.url, signed)

    def book(self) -> Town:
        """The town, read beside the server."""
        return open_town(self.folder / "town", read_only=True)


@pytest.fixture
def street(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Street]:
    """Wallets whose keys lie open, unless asked for others: to unseal one takes longer than the rest of a command."""
    made = Street(tmp_path)
    sealed = () if getattr(request, "param", "") == "sealed" else ("--no-passphrase",)
    made.start()
    try:
        for name, code in made.codes.items():
            ran = made.wallet("join", code, "--server", made.url, "--label", name, *sealed, home=name)
            assert ran.returncode == 0, ran
        yield made
    finally:
        made.stop(signal.SIGKILL)


@pytest.mark.parametrize("street", ["sealed"], indirect=True)
def test_a_day_in_town(street: Street, tmp_path: Path) -> None:
    assert "P1,000.00" in street.wallet("balance").stdout.replace("\u00a0", "")
    picture = tmp_path / "shot.png"
    picture.write_bytes(codes.png(street.bill(450, "2 baguettes")))

    asked = street.wallet("pay", str(picture), typed="n\n")
    assert asked.returncode == 7
    for shown in ("Boulangerie (shop)", account_text(street.people.shop.account), "4.50", "2 baguettes", "995.50"):
        assert shown in asked.stderr
    assert street.json("balance")["balance_cents"] == 100_000

    paid = street.wallet("pay", str(picture), typed="y\n")
    assert paid.returncode == 0 and "Paid" in paid.stdout
    for _ in range(2):
        again = street.wallet("pay", str(picture), "--yes")
        assert again.returncode == 4 and "Already paid" in again.stderr
    assert street.json("balance")["balance_cents"] == 99_550

    [sold] = [e for e in street.json("history", home="shop")["entries"] if e["kind"] == "payment"]
    assert street.wallet("refund", sold["id"][-8:], "--amount", "1.50", "--yes", home="shop").returncode == 0
    assert street.wallet("reconvert", "2", "--yes", home="shop").returncode == 0
    assert street.json("balance", home="shop")["balance_cents"] == 100
    receipt = street.json("receipt", sold["id"])
    assert receipt["order_checked"] is True

    code = street.json("keys", "add")["link"]
    assert street.wallet("join", code, home="phone").returncode == 0
    assert (
        street.wallet(
            "pay", "--to", account_text(street.people.bob.account), "--amount", "5", "--yes", home="phone"
        ).returncode
        == 0
    )
    assert [e["change_cents"] for e in street.json("history")["entries"]] == [-500, 150, -450, 100_000]
    backup = tmp_path / "backup.wallet"
    assert street.wallet("backup", str(backup)).returncode == 0
    assert street.wallet("restore", str(backup), home="restored").returncode == 0
    assert street.json("balance", home="restored")["balance_cents"] == 99_200


def test_the_server_goes_away_and_comes_back(street: Street) -> None:
    known = street.json("balance")
    link = street.bill(450)
    street.stop()
    ran = street.wallet("balance", "--json")
    assert (ran.returncode, json.loads(ran.stdout)) == (3, known | {"stale": True})
    assert street.wallet("history").returncode == street.wallet("pay", link, "--yes").returncode == 3
    assert street.wallet("outbox", "list", "--json").stdout.replace("\n", "") == '{  "pending": []}'
    street.start()
    assert street.wallet("pay", link, "--yes").returncode == 0


def test_a_server_that_hangs_in_the_middle(street: Street) -> None:
    """Frozen at the moment of the order: the wallet gives up and keeps it; thawed, the server books it by itself."""
    wallet = street.spawn("pay", street.bill(450), "--yes", "--json")
    outbox = street.folder / "alice" / "outbox"
    while not list(outbox.glob("*.json")):
        assert wallet.poll() is None, wallet.communicate()
        time.sleep(0.0005)
    street.freeze(True)
    out, err = wallet.communicate(timeout=60)
    if wallet.returncode == 3:  # else the answer was quicker than the frost
        assert json.loads(err.splitlines()[-1])["error"]["kept"] is True
        assert out == ""
    street.freeze(False)
    settled = street.wallet("outbox", "settle")
    assert settled.returncode == 0, settled
    assert street.json("balance")["balance_cents"] == 99_550
    assert not list(outbox.iterdir())


class Killed(NamedTuple):
    """How a command ended: whether the kill found it running, and whether it had said that it paid."""

    alive: bool
    told: bool


def _kill_under_way(street: Street, *args: str) -> Killed:
    """Run a wallet command and kill it while its order lies with a server that has not read it yet.

    Ten of ten were under way when tried: unlike a delay, this does not hang on how fast disk and server are.
    """
    outbox = street.folder / "alice" / "outbox"
    before = {path.name for path in outbox.iterdir()}
    wallet = street.spawn(*args)
    while wallet.poll() is None and before >= {path.name for path in outbox.iterdir()}:
        time.sleep(0.0002)
    street.freeze(True)
    time.sleep(0.05)
    wallet.kill()
    out, _ = wallet.communicate()
    street.freeze(False)
    return Killed(wallet.returncode == -signal.SIGKILL, "Paid" in out)


def _kill(street: Street, chance: random.Random, longest: float, *args: str) -> Killed:
    """Run a wallet command and kill it at some moment."""
    wallet = street.spawn(*args)
    assert wallet.stdout is not None
    outbox = street.folder / "alice" / "outbox"
    before = {path.name for path in outbox.iterdir()}
    if chance.random() < 0.6:
        # From when the order is on the disk: between there and the answer lies what this is about.
        while wallet.poll() is None and before >= {path.name for path in outbox.iterdir()}:
            time.sleep(0.0002)
        time.sleep(chance.uniform(0, 0.03))
    else:
        select.select([wallet.stdout], [], [], chance.uniform(0, longest))
    wallet.kill()
    out, _ = wallet.communicate()
    return Killed(wallet.returncode == -signal.SIGKILL, "Paid" in out)


@pytest.mark.slow
def test_a_wallet_killed_at_any_moment_pays_once(street: Street) -> None:
    """Fourteen payments, each killed on its way and asked for again, as a person would: each is booked exactly once."""
    chance = random.Random(20261123)
    began = time.monotonic()
    assert street.wallet("pay", street.bill(1), "--yes").returncode == 0
    longest = (time.monotonic() - began) * 1.1
    intended = [1]
    killed = earlier = 0
    for cents in range(2, KILLS + 2):
        # Each amount is paid once: by a bill, whose id is its own, or by the lasting code, which only the wallet
        # can tell from a second payment.
        command: tuple[str, ...] = ("pay", street.bill(cents), "--yes")
        if cents % 2:
            command = ("pay", street.counter(), "--amount", f"0,{cents:02d}", "--yes")
        run = _kill_under_way(street, *command) if cents % 3 == 0 else _kill(street, chance, longest, *command)
        killed += run.alive
        intended.append(cents)
        if run.told:
            continue  # nobody who read that asks again
        ran = street.wallet(*command, "--json")
        assert ran.returncode == 0, (cents, ran)
        earlier += json.loads(ran.stdout)["earlier"]
    assert street.wallet("outbox", "settle").returncode == 0
    assert killed >= KILLS // 2, "the moments were badly chosen"
    assert earlier >= 1, "no order was ever under way when its wallet died"

    statement = street.json("history", "--all")
    assert statement["adds_up"] is True
    paid = [-e["change_cents"] for e in statement["entries"] if e["kind"] == "payment"]
    assert sorted(paid) == intended
    home = street.folder / "alice"
    assert not list((home / "outbox").iterdir())
    assert {path.stem for path in (home / "done").iterdir()} == {
        e["id"] for e in statement["entries"] if e["kind"] == "payment"
    }
    town = street.book()
    try:
        assert town.book.balance(street.people.alice.account) == 100_000 - sum(intended)
        units_sum_to_zero(town)
    finally:
        town.book.close()


def test_a_wallet_at_work_locks_the_others_out(street: Street) -> None:
    """While one command is sending, a second waits a little and then says who is in the way."""
    home = street.folder / "alice"
    script = (
        "import sys, time, pathlib; from wallet_cli import files\n"
        "with files.locked(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    ran = street.wallet("pay", street.bill(1), "--yes")
    assert ran.returncode == 8
    assert str(holder.pid) in ran.stderr
    holder.kill()  # the system takes the lock away from whoever dies
    holder.wait()
    holder.stdout.close()
    assert street.wallet("pay", street.bill(1), "--yes").returncode == 0
