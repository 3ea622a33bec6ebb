"""Wallets that joined a small currency whose server runs in this process, over a network that can be made to fail."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from api.home import found_home
from ledger.core.ids import account_text
from ledger.currency import join_codes, parties
from ledger.currency.links import make_link
from ledger.currency.messages import SignedRequest
from ledger.currency.parties import Party
from ledger.currency.town import Town
from merchants import requests
from tests import towns
from tests.served import Cast, cast, one_time, served
from tests.wallet_cli.network import Network
from wallet_cli import keyfile
from wallet_cli.main import run
from wallet_cli.opened import Wallet

PASSPHRASE = "une phrase à moi"


class Ran(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The result of `--json`."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error of `--json`."""
        found: dict[str, Any] = self.lines[-1]["error"]
        return found

    @property
    def notes(self) -> list[dict[str, Any]]:
        """The notes of `--json`."""
        return [line["note"] for line in self.lines if "note" in line]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.err.splitlines()]


Run = Callable[..., Ran]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key file that costs nothing to open; the real cost is tested with the key file itself."""
    monkeypatch.setattr(keyfile, "PASSES", 1)
    monkeypatch.setattr(keyfile, "MEMORY_KIB", 64)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A currency by the clock of this machine: a wallet's orders expire by it."""
    made = found_home(tmp_path / "town", towns.charter())
    yield made
    made.book.close()


@pytest.fixture
def people(town: Town) -> Cast:
    return cast(town)


@pytest.fixture
def network(town: Town, people: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """The way to the server. Every wallet command of the test takes it."""
    with served(town) as desk:
        way = Network(desk.client._transport)
        monkeypatch.setattr(Wallet, "transport", way)
        yield way


@pytest.fixture
def wallet(
    town: Town, people: Cast, network: Network, quick: None, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> Run:  # fmt: skip
    """`wallet("balance", "--json")` runs a command of Alice's wallet; `home=` names another folder."""
    monkeypatch.setenv("WALLET_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr("api.client.wire.RETRY_SECONDS", (0.0, 0.0))

    def command(*args: str, home: str = "alice", typed: str = "") -> Ran:
        monkeypatch.setenv("WALLET_HOME", str(tmp_path / home))
        monkeypatch.setattr("sys.stdin", _Typed(typed))
        monkeypatch.setattr("wallet_cli.paying.STARTED", time.time())
        monkeypatch.setattr("wallet_cli.terminal.TERMINAL.stdin_used", False)
        capsys.readouterr()
        code = run(args)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    joined = command(
        "join", invite(town, people.alice.party, "member"), "--server", "http://127.0.0.1", "--label", "Tour"
    )
    assert joined.code == 0, joined
    return command


class _Typed:
    """A standard input that is no terminal."""

    def __init__(self, text: str) -> None:
        self.buffer = io.BytesIO(text.encode("utf-8", "surrogateescape"))
        self._lines = io.StringIO(text)

    def readline(self) -> str:
        return self._lines.readline()

    def isatty(self) -> bool:
        return False


def invite(town: Town, party: Party, role: str) -> str:
    """A join code, as the association writes it."""
    return join_codes.shown_code(parties.invite(town, party, role))


def join_shop(town: Town, people: Cast, wallet: Run, role: str = "owner") -> None:
    """Make the folder `shop` a wallet of the bakery."""
    ran = wallet("join", invite(town, people.shop.party, role), "--server", "http://127.0.0.1", home="shop")
    assert ran.code == 0, ran


def link(town: Town, signed: SignedRequest) -> str:
    """The link of a request."""
    return make_link(town.charter.public_url, signed)


def bill(town: Town, people: Cast, cents: int = 450, **more: Any) -> str:
    """The link of a till's request for one payment."""
    return link(town, one_time(town, people.shop, cents, **more))


def counter(town: Town, people: Cast, cents: int = 0) -> str:
    """The link of the bakery's lasting code."""
    shop = people.shop
    return link(town, requests.static(town.charter.network, shop.account, shop.key, amount=cents, label="Comptoir"))


def balance(town: Town, member: towns.Member) -> int:
    """What the book says."""
    return town.book.balance(member.account)


def payments(town: Town, member: towns.Member) -> int:
    """How many payments this account made."""
    entries = town.book.statement(member.account, limit=500).entries
    return sum(entry.kind == "payment" and entry.change < 0 for entry in entries)


def number(member: towns.Member) -> str:
    return account_text(member.account)
