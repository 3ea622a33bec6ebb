"""Whatever happens to an order on its way, the money moves once or not at all, and the next command knows which."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import httpx
import pytest

from ledger.currency import conversion
from ledger.currency.messages import SignedOrder
from ledger.currency.town import Town
from tests import towns
from tests.served import Cast, unmoved
from tests.wallet_cli.conftest import Run, balance, bill, counter, invite, join_shop, number, payments
from tests.wallet_cli.network import (
    Fault,
    Network,
    bad_gateway,
    broken_off,
    login_page,
    lost_answer,
    lost_request,
    problem,
    refused_connection,
)
from wallet_cli import files, outbox, paying
from wallet_cli.errors import Exit

CARRIED_OUT: list[Fault] = [lost_answer, broken_off, bad_gateway]
NOT_CARRIED_OUT: list[Fault] = [
    refused_connection, lost_request, login_page, problem(503, "busy"), problem(500, "internal"),
    problem(503, "store_unavailable"), problem(429, "rate_limited"),
]  # fmt: skip


def waiting(tmp_path: Path, home: str = "alice") -> list[str]:
    return sorted(path.name for path in (tmp_path / home / "outbox").iterdir())


# --- answers that do not come ----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", CARRIED_OUT + NOT_CARRIED_OUT)
@pytest.mark.parametrize("asked_by", ["balance", "history", "outbox settle", "pay"])
def test_the_next_command_settles(
    wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path, fault: Fault, asked_by: str
) -> None:
    text = bill(town, people)
    network.fail("/v1/payments", fault)
    ran = wallet("pay", text, "--yes", "--json")
    assert ran.code == Exit.UNREACHABLE
    assert ran.error["kept"] is True
    assert (ran.error["amount_cents"], ran.error["payee"]["name"]) == (450, "Boulangerie")
    assert waiting(tmp_path) == [f"{ran.error['id']}.json"]
    first = network.orders()[0]

    network.heal()
    command = ("pay", text, "--yes") if asked_by == "pay" else tuple(asked_by.split())
    settled = wallet(*command, "--json")
    assert settled.code == 0, settled
    assert [(note["code"], note["id"]) for note in settled.notes] == [("order_posted", ran.error["id"])]
    if asked_by == "pay":
        assert (settled.json["status"], settled.json["earlier"], settled.json["id"]) == ("paid", True, ran.error["id"])
    assert set(network.orders()) == {first}  # never other bytes
    assert balance(town, people.alice) == 99_550
    assert waiting(tmp_path) == []
    assert wallet("pay", text, "--yes").code == Exit.ALREADY_PAID
    assert payments(town, people.alice) == 1


@pytest.mark.parametrize("fault", [lost_answer, broken_off])
def test_one_lost_answer_is_asked_for_at_once(
    wallet: Run, town: Town, people: Cast, network: Network, fault: Fault
) -> None:
    network.fail("/v1/payments", fault, times=1)
    ran = wallet("pay", bill(town, people), "--yes", "--json")
    assert ran.code == 0
    first, second = network.orders()
    assert first == second
    assert payments(town, people.alice) == 1


def test_the_order_is_on_the_disk_before_it_is_sent(
    wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    fsync = os.fsync

    def note(handle: int) -> None:
        synced.append(handle)
        fsync(handle)

    monkeypatch.setattr("os.fsync", note)
    found: list[SignedOrder] = []

    def look(network: Network, request):
        [name] = waiting(tmp_path)
        data = json.loads((tmp_path / "alice" / "outbox" / name).read_text())
        assert data["order"] == json.loads(request.content)["order"]
        assert len(synced) >= 2  # the file and its folder
        found.append(SignedOrder.parse(data["order"]))
        return network.inner.handle_request(request)

    network.fail("/v1/payments", look)
    assert wallet("pay", bill(town, people), "--yes").code == 0
    assert len(found) == 1


@pytest.mark.parametrize("fault", CARRIED_OUT + NOT_CARRIED_OUT)
def test_a_second_try_of_the_same_amount_pays_once(
    wallet: Run, town: Town, people: Cast, network: Network, fault: Fault
) -> None:
    """A lasting code makes no id: only the wallet can know that the second try means the first."""
    command = ("pay", counter(town, people), "--amount", "3", "--yes", "--json")
    network.fail("/v1/payments", fault)
    first = wallet(*command)
    again = wallet(*command)  # the line is still down
    assert first.code == again.code == Exit.UNREACHABLE
    network.heal()
    settled = wallet(*command)
    assert (settled.code, settled.json["id"], settled.json["earlier"]) == (0, first.error["id"], True)
    assert payments(town, people.alice) == 1
    assert wallet(*command).json["earlier"] is False  # now it is meant
    assert payments(town, people.alice) == 2


def test_another_amount_is_another_payment(wallet: Run, town: Town, people: Cast, network: Network) -> None:
    network.fail("/v1/payments", lost_request)
    wallet("pay", counter(town, people), "--amount", "3", "--yes")
    network.heal()
    ran = wallet("pay", counter(town, people), "--amount", "4", "--yes", "--json")
    assert (ran.code, ran.json["earlier"]) == (0, False)
    assert [note["code"] for note in ran.notes] == ["order_posted"]
    assert balance(town, people.shop) == 700


def test_a_payment_to_an_account_and_a_refund_are_settled_too(
    wallet: Run, town: Town, people: Cast, network: Network
) -> None:
    join_shop(town, people, wallet)
    id = wallet("pay", bill(town, people, 1_000), "--yes", "--json").json["id"]
    commands = {
        ("pay", "--to", number(people.bob), "--amount", "1"): "alice",
        ("refund", id, "--amount", "2"): "shop",
        ("reconvert", "3"): "shop",
    }
    for command, home in commands.items():
        network.fail("/v1/", lost_answer, times=0)
        for path in ("/v1/payments", "/v1/refunds", "/v1/reconversions"):
            network.fail(path, _lost_orders)
        assert wallet(*command, "--yes", home=home).code == Exit.UNREACHABLE
        network.heal()
        ran = wallet(*command, "--yes", "--json", home=home)
        assert (ran.code, ran.json["earlier"]) == (0, True), ran
    assert balance(town, people.bob) == 100_100
    assert balance(town, people.shop) == 500
    assert balance(town, people.alice) == 100_000 - 1_000 - 100 + 200


def _lost_orders(network: Network, request):
    return lost_answer(network, request) if request.method == "POST" else network.inner.handle_request(request)


# --- refusals --------------------------------------------------------------------------------------------


def test_a_refusal_is_the_end_of_an_order(
    wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path
) -> None:
    text = bill(town, people, 100_001)
    assert wallet("pay", text, "--yes", "--json").error["code"] == "below_floor"
    assert waiting(tmp_path) == []
    conversion.convert(town, people.alice.party, 1, reserve=towns.BANK, reference="MORE")
    wallet("balance")  # does not send it again
    assert payments(town, people.alice) == 0
    assert wallet("pay", text, "--yes").code == 0
    assert balance(town, people.alice) == 0


def test_a_refusal_after_a_silence_may_not_be_the_end(
    wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first copy may still be on its way: it is not sent again, and asked after when its time is over."""
    monkeypatch.setattr(paying, "ORDER_SECONDS", 2)
    monkeypatch.setattr(outbox, "GRACE_SECONDS", 0)
    held: list[bytes] = []

    def slow(network: Network, request):
        held.append(request.content)
        return lost_request(network, request)

    network.fail("/v1/payments", slow, times=1)
    ran = wallet("pay", bill(town, people, 100_001), "--yes", "--json")
    assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "below_floor")
    assert len(waiting(tmp_path)) == 1
    sent = len(network.orders())
    ran = wallet("outbox", "list", "--json")
    assert [kept["reason"] for kept in ran.json["pending"]] == ["below_floor"]
    assert wallet("outbox", "settle").code == 0
    assert len(network.orders()) == sent

    conversion.convert(town, people.alice.party, 1, reserve=towns.BANK, reference="MORE")
    late = httpx.Client(base_url="http://127.0.0.1", transport=network.inner)
    late.post("/v1/payments", content=held[0], headers={"content-type": "application/json"}).raise_for_status()
    time.sleep(3)
    ran = wallet("balance", "--json")
    assert [note["code"] for note in ran.notes] == ["order_posted"]
    assert waiting(tmp_path) == []
    assert ran.json["balance_cents"] == balance(town, people.alice) == 0


def test_an_order_that_expired_unbooked(
    wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paying, "ORDER_SECONDS", 0)
    text = counter(town, people)
    network.fail("/v1/payments", lost_request)
    assert wallet("pay", text, "--amount", "1", "--yes").code == Exit.UNREACHABLE
    network.heal()
    time.sleep(1.1)
    with unmoved(town):
        ran = wallet("balance", "--json")
    assert [note["code"] for note in ran.notes] == ["order_expired"]
    assert waiting(tmp_path) == []
    assert len(wallet("outbox", "list", "--failed", "--json").json["failed"]) == 1
    monkeypatch.setattr(paying, "ORDER_SECONDS", 600)
    assert wallet("pay", text, "--amount", "1", "--yes").code == 0
    assert payments(town, people.alice) == 1


@pytest.mark.parametrize("spoil", ["receipt", "other"])
def test_a_receipt_that_proves_nothing_settles_nothing(
    wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path, spoil: str
) -> None:
    earlier = wallet("pay", bill(town, people, 1), "--yes", "--json").json["receipt"]

    def forged(network: Network, request):
        answer = network.inner.handle_request(request)
        answer.read()
        body = answer.json()
        body["receipt"] = earlier if spoil == "other" else body["receipt"][:-4] + "0000"
        return httpx.Response(201, json=body)

    network.fail("/v1/payments", forged)
    ran = wallet("pay", bill(town, people), "--yes", "--json")
    assert (ran.code, ran.error["code"]) == (Exit.UNTRUSTED, "receipt_invalid")
    assert len(waiting(tmp_path)) == 1
    assert wallet("outbox", "settle").code == Exit.UNTRUSTED
    network.heal()
    assert wallet("outbox", "settle").code == 0
    assert waiting(tmp_path) == []


def test_a_full_disk_after_the_payment_hides_nothing(
    wallet: Run, town: Town, people: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = files.write

    def full(path: Path, data: bytes, *, overwrite: bool = True) -> None:
        if path.parent.name == "done" or path.name == "last.json":
            raise files.unusable(path, OSError(28, "No space left on device"))
        write(path, data, overwrite=overwrite)

    monkeypatch.setattr(files, "write", full)
    text = bill(town, people)
    ran = wallet("pay", text, "--yes", "--json")
    assert (ran.code, ran.json["status"], [note["code"] for note in ran.notes]) == (0, "paid", ["file_unusable"])
    assert len(waiting(tmp_path)) == 1
    monkeypatch.setattr(files, "write", write)
    assert wallet("outbox", "settle").code == 0
    assert waiting(tmp_path) == []
    assert wallet("receipt", "--json").json["id"] == ran.json["id"]
    assert payments(town, people.alice) == 1


def test_a_full_disk_before_the_payment_pays_nothing(
    wallet: Run, town: Town, people: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with unmoved(town):
        ran = wallet("pay", bill(town, people), "--yes", "--json")
    assert (ran.code, ran.error["code"]) == (Exit.FILES, "file_unusable")
    assert waiting(tmp_path) == []


def test_settling_needs_no_passphrase(
    wallet: Run, town: Town, people: Cast, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.fail("/v1/payments", lost_request)
    wallet("pay", bill(town, people), "--yes")
    network.heal()
    monkeypatch.setenv("WALLET_PASSPHRASE", "forgotten")
    ran = wallet("outbox", "settle", "--json")
    assert ran.code == 0
    assert [one["status"] for one in ran.json["settled"]] == ["posted"]


def test_a_backup_takes_waiting_orders_along(
    wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path
) -> None:
    network.fail("/v1/payments", lost_request)
    wallet("pay", bill(town, people), "--yes")
    wallet("backup", str(tmp_path / "copy"))
    assert wallet("restore", str(tmp_path / "copy"), home="new").code == 0
    network.heal()
    assert wallet("outbox", "settle", home="new").code == 0
    assert wallet("outbox", "settle").code == 0
    assert payments(town, people.alice) == 1


# --- joining ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [lost_answer, lost_request, broken_off, bad_gateway, problem(503, "busy")])
def test_joining_is_completed_by_the_same_command(
    wallet: Run, town: Town, people: Cast, network: Network, fault: Fault
) -> None:
    code = invite(town, people.bob.party, "member")
    network.fail("/v1/joins", fault)
    assert wallet("join", code, "--server", "http://127.0.0.1", home="bob").code == Exit.UNREACHABLE
    assert wallet("balance", "--json", home="bob").error["code"] == "not_joined"
    network.heal()
    assert wallet("join", code, home="bob").code == 0
    assert wallet("balance", "--json", home="bob").json["name"] == "Bob"


def test_a_second_code_after_a_lost_answer_still_joins_once(
    wallet: Run, town: Town, people: Cast, network: Network
) -> None:
    first, second = invite(town, people.bob.party, "member"), invite(town, people.bob.party, "member")
    network.fail("/v1/joins", lost_answer)
    wallet("join", first, "--server", "http://127.0.0.1", home="bob")
    network.heal()
    assert wallet("join", second, home="bob").code == 0
    assert wallet("join", second, "--server", "http://127.0.0.1", home="bob2").code == 0  # the second was not used up
