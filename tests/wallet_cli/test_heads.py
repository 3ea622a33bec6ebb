"""A wallet keeps the newest signed end of the book that it saw, and says when the book no longer continues it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger.currency import heads, proofs
from ledger.currency.messages import SignedReceipt
from ledger.currency.town import Town
from tests import towns
from tests.served import Cast
from tests.wallet_cli.conftest import Run, bill
from tests.wallet_cli.network import Network
from wallet_cli.errors import Exit


def kept(tmp_path: Path, home: str = "alice") -> Any:
    path = tmp_path / home / "head.json"
    return json.loads(path.read_text()) if path.exists() else None


def said(town: Town, size: int, root: bytes, *, key: Any = None) -> Any:
    """An end of the book as a server would say it, whatever the book is."""
    at = town.book.head().at
    signature = proofs.sign_head(key or town.key, town.charter.network, size, at, root)
    answer = {"size": size, "root": root.hex(), "at": "2025-06-15T15:06:40Z", "at_us": at, "signature": signature.hex()}
    return lambda network, request: httpx.Response(200, json=answer)


def test_a_wallet_keeps_the_newest_head_that_it_saw(wallet: Run, town: Town, people: Cast, tmp_path: Path) -> None:
    assert wallet("balance").code == 0
    first = kept(tmp_path)
    assert (first["size"], first["root"]) == (town.book.head().seq, town.book.head().root.hex())
    paid = wallet("pay", bill(town, people, 450), "--yes", "--json")
    assert paid.code == 0, paid
    receipt = SignedReceipt.parse(paid.json["receipt"]).receipt
    second = kept(tmp_path)
    assert (second["size"], second["root"]) == (receipt.size, receipt.root.hex())
    assert second["receipt"] == paid.json["receipt"] and second["size"] > first["size"]
    assert heads.at_size(town, receipt.size).root == receipt.root
    towns.member(town, "person", "Carla")
    assert wallet("balance", "--json").code == 0
    assert kept(tmp_path)["size"] == town.book.head().seq


@pytest.mark.parametrize("way", ["another root then", "another root now", "shorter"])
def test_a_book_that_does_not_go_on_is_told(
    wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path, way: str
) -> None:
    assert wallet("balance").code == 0
    before, other = kept(tmp_path), b"\1" * 32
    size = before["size"]
    if way == "another root then":
        towns.member(town, "person", "Carla")
        network.fail("/v1/log", said(town, size + 3, other), times=1)
        network.fail("/v1/log", said(town, size, other))
    elif way == "another root now":
        network.fail("/v1/log", said(town, size, other))
    else:
        network.fail("/v1/log", said(town, size - 1, other))
    ran = wallet("balance", "--json")
    # The balance can be read all the same.
    assert ran.json["balance_cents"] == 100_000
    assert (ran.code, ran.error["code"]) == (Exit.UNTRUSTED, "book_differs")
    assert ran.error["kept"]["size"] == size and ran.error["told"]["root"] == other.hex()
    assert kept(tmp_path) == before  # the proof stays
    told = wallet("balance")
    assert told.code == Exit.UNTRUSTED and "n'est pas celui que ce portefeuille a vu" in told.err
    network.heal()
    assert wallet("balance").code == 0


def test_a_payment_goes_through_and_the_book_is_told_of(
    wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path
) -> None:
    assert wallet("balance").code == 0
    before = kept(tmp_path)
    network.fail("/v1/log", said(town, before["size"], b"\1" * 32))
    ran = wallet("pay", bill(town, people, 450), "--yes", "--json")
    assert ran.json["status"] == "paid"
    assert (ran.code, ran.error["code"]) == (Exit.UNTRUSTED, "book_differs")
    assert kept(tmp_path) == before


def test_a_head_that_the_currency_did_not_sign(
    wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path
) -> None:
    network.fail("/v1/log", said(town, 900, bytes(32), key=towns.key_of("thief")))
    ran = wallet("balance", "--json")
    assert ran.json["balance_cents"] == 100_000
    assert (ran.code, ran.error["code"], kept(tmp_path)) == (Exit.UNTRUSTED, "book_unsigned", None)


def test_without_an_answer_nothing_is_said(wallet: Run, network: Network, tmp_path: Path) -> None:
    network.fail("/v1/log", lambda network, request: httpx.Response(503, text="busy"))
    ran = wallet("balance", "--json")
    assert (ran.code, ran.err) == (0, "")
