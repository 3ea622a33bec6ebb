"""The commands as a member or a script meets them: results, exit codes, JSON; against a real server's routes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.currency import parties
from ledger.currency.town import Town
from tests import towns
from tests.served import Cast, unmoved
from tests.wallet_cli.conftest import PASSPHRASE, Run, balance, bill, invite, join_shop, number
from tests.wallet_cli.network import Network, problem
from wallet_cli.errors import Exit

# --- joining ---------------------------------------------------------------------------------------------


def test_joining_makes_a_wallet_for_its_owner_only(wallet: Run, people: Cast, tmp_path: Path, town: Town) -> None:
    home = tmp_path / "alice"
    assert home.stat().st_mode & 0o777 == 0o700
    for path in home.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    settings = json.loads((home / "wallet.json").read_text())
    assert (settings["account"], settings["name"], settings["role"]) == (number(people.alice), "Alice", "member")
    assert settings["currency_key"] == town.key.public.hex()
    assert settings["pending_code"] == ""
    [mine] = [k for k in parties.devices(town, people.alice.party) if k.key.hex() == settings["key"]]
    assert mine.label == "Tour"


def test_joining_says_whose_key_it_trusts(network: Network, wallet: Run, town: Town, people: Cast) -> None:
    code = invite(town, people.bob.party, "member")
    ran = wallet("join", code, "--server", "http://localhost", "--json", home="bob")
    assert ran.code == 0
    [pinned] = ran.notes
    assert pinned["code"] == "currency_pinned"
    assert pinned["currency_key"] == ran.json["currency_key"] == town.key.public.hex()
    assert ran.json["account"] == number(people.bob)


def test_a_code_joins_as_link_in_lower_case_and_with_look_alikes(wallet: Run, town: Town, people: Cast) -> None:
    code = parties.invite(town, people.bob.party, "member")
    typed = code.lower().replace("0", "o").replace("1", "l")
    ran = wallet("join", f"http://127.0.0.1/J/{typed}", home="bob")
    assert ran.code == 0, ran


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        (("ABCDE-FGHJK", "--server", "http://127.0.0.1"), Exit.REFUSED, "join_code_invalid"),
        (("ABCDE-FGHJK",), Exit.USAGE, "server_missing"),
        (("ABCDE-FGHJK", "--server", "http://example.org"), Exit.USAGE, "server_insecure"),
        (("ABCDE-FGHJK", "--server", "ftp://example.org"), Exit.USAGE, "server_malformed"),
        (("http://127.0.0.1/P/ABCDE", "--server", "http://127.0.0.1"), Exit.REFUSED, "join_code_invalid"),
        (("ABCDE-FGHJK", "--server", "http://127.0.0.1", "--label", "a\u202eb"), Exit.USAGE, "text_malformed"),
    ],
)
def test_joining_that_fails_leaves_no_wallet(
    wallet: Run, tmp_path: Path, args: tuple[str, ...], code: Exit, error: str
) -> None:
    ran = wallet("join", *args, "--json", home="new")
    assert (ran.code, ran.error["code"]) == (code, error)
    assert ran.error["exit"] == code
    assert ran.out == ""
    assert not (tmp_path / "new" / "wallet.json").exists()
    assert not (tmp_path / "new" / "key.json").exists()
    assert wallet("balance", home="new").code == Exit.NOT_JOINED


def test_a_wallet_is_not_joined_over(wallet: Run, town: Town, people: Cast, tmp_path: Path) -> None:
    before = (tmp_path / "alice" / "key.json").read_bytes()
    ran = wallet("join", invite(town, people.bob.party, "member"), "--server", "http://127.0.0.1", "--json")
    assert (ran.code, ran.error["code"]) == (Exit.USAGE, "already_joined")
    assert (tmp_path / "alice" / "key.json").read_bytes() == before


def test_an_empty_passphrase_is_refused_unless_that_is_wanted(
    wallet: Run, town: Town, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WALLET_PASSPHRASE", "")
    code = invite(town, people.bob.party, "member")
    assert wallet("join", code, "--server", "http://127.0.0.1", home="bob").code == Exit.PASSPHRASE
    assert wallet("join", code, "--server", "http://127.0.0.1", "--no-passphrase", home="bob").code == 0
    monkeypatch.delenv("WALLET_PASSPHRASE")
    assert wallet("balance", home="bob").code == 0


# --- reading ---------------------------------------------------------------------------------------------


def test_balance(wallet: Run, people: Cast) -> None:
    found = wallet("balance", "--json").json
    assert found == {
        "account": number(people.alice), "name": "Alice", "balance_cents": 100_000, "unit": "PATARD",
        "at": found["at"], "stale": False,
    }  # fmt: skip
    shown = wallet("balance").out
    assert "000" in shown and number(people.alice) in shown
    assert "\x1b" not in shown


def test_every_command_needs_a_wallet(wallet: Run) -> None:
    for command in (
        ("balance",), ("history",), ("pay", "x"), ("pay", "--to", "x", "--amount", "1"), ("receipt",), ("refund", "x"),
        ("reconvert", "1"), ("keys",), ("keys", "list"), ("keys", "add"), ("keys", "revoke", "x"), ("outbox",),
        ("outbox", "list"), ("outbox", "settle"), ("backup",),
    ):  # fmt: skip
        ran = wallet(*command, home="none")
        assert ran.code == Exit.NOT_JOINED, (command, ran)
        assert ran.out == ""


def test_a_wrong_passphrase(
    wallet: Run, town: Town, people: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WALLET_PASSPHRASE", "autre chose")
    for command in (("balance",), ("history",), ("pay", bill(town, people), "--yes"), ("backup", str(tmp_path / "b"))):
        ran = wallet(*command, "--json")
        assert (ran.code, ran.error["code"]) == (Exit.PASSPHRASE, "passphrase_wrong")
    assert balance(town, people.alice) == 100_000
    monkeypatch.delenv("WALLET_PASSPHRASE")
    (tmp_path / "secret").write_text(PASSPHRASE + "\nnot this line\n")
    monkeypatch.setenv("WALLET_PASSPHRASE_FILE", str(tmp_path / "secret"))
    assert wallet("balance").code == 0
    monkeypatch.setenv("WALLET_PASSPHRASE_FILE", str(tmp_path / "gone"))
    assert wallet("balance", "--json").error["code"] == "passphrase_missing"


def test_with_the_server_away_the_last_known_balance(wallet: Run, network: Network) -> None:
    seen = wallet("balance", "--json").json
    network.fail("/", problem(503, "store_unavailable"))
    ran = wallet("balance", "--json")
    assert ran.code == Exit.UNREACHABLE
    assert ran.json == seen | {"stale": True}
    assert ran.error["code"] == "store_unavailable"


def test_a_server_that_signs_with_another_key_is_not_read(wallet: Run, tmp_path: Path) -> None:
    path = tmp_path / "alice" / "wallet.json"
    settings = json.loads(path.read_text())
    path.write_text(json.dumps(settings | {"currency_key": towns.key_of("another").public.hex()}))
    ran = wallet("balance", "--json")
    assert (ran.code, ran.error["code"]) == (Exit.UNTRUSTED, "currency_key_differs")


# --- receipts, devices, backup ---------------------------------------------------------------------------


def test_receipts(wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path) -> None:
    none = wallet("receipt", "--json").error
    assert none["code"] == "not_found" and "wallet receipt N" in none["message"] and "wallet history" in none["message"]
    first = wallet("pay", bill(town, people, 100, label="Pain"), "--yes", "--json").json
    second = wallet("pay", bill(town, people, 200), "--yes", "--json").json
    network.seen.clear()
    assert wallet("receipt", "--json").json["id"] == second["id"]
    found = wallet("receipt", first["id"][-8:], "--json").json
    assert network.seen == []  # no server is needed to check one's own receipts
    assert (found["id"], found["amount_cents"], found["label"]) == (first["id"], 100, "Pain")
    assert found["verified"] is found["order_checked"] is True
    assert found["receipt"] == first["receipt"]

    join_shop(town, people, wallet)
    other = wallet("receipt", first["id"], "--json", home="shop").json
    assert (other["verified"], other["order_checked"], other["payer"]["name"]) == (True, False, "Alice")
    assert wallet("receipt", first["id"], home="shop").code == 0

    kept = tmp_path / "alice" / "done" / f"{first['id']}.json"
    data = json.loads(kept.read_text())
    kept.write_text(json.dumps(data | {"receipt": second["receipt"]}))
    ran = wallet("receipt", first["id"], "--json")
    assert (ran.code, ran.error["code"]) == (Exit.UNTRUSTED, "receipt_invalid")


def test_devices(wallet: Run, town: Town, people: Cast) -> None:
    keys = wallet("keys", "list", "--json").json["keys"]
    assert [k["label"] for k in keys if k["this"]] == ["Tour"]
    made = wallet("keys", "add", "--json").json
    assert made["role"] == "member"
    assert wallet("join", made["link"], "--server", "http://127.0.0.1", "--label", "Poche", home="phone").code == 0
    assert wallet("pay", bill(town, people), "--yes", home="phone").code == 0
    shown = wallet("keys", "add").out
    assert "█" in shown and "wallet join" in shown
    assert wallet("keys", "revoke", "Poche", typed="n\n").code == Exit.DECLINED
    [phone] = [k for k in wallet("keys", "list", "--json").json["keys"] if k["label"] == "Poche"]
    assert phone["revoked_at"] is None
    assert wallet("keys", "revoke", phone["key_id"], "--yes", "--json").json["revoked"] is True
    with unmoved(town):
        ran = wallet("pay", bill(town, people), "--yes", "--json", home="phone")
    assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "key_unknown")
    assert wallet("keys", "revoke", "nobody", "--yes", "--json").error["code"] == "key_not_found"
    assert wallet("keys").code == wallet("keys", "list").code == 0


def test_backup_and_restore(wallet: Run, town: Town, people: Cast, tmp_path: Path) -> None:
    file = tmp_path / "copy.wallet"
    assert wallet("backup", str(file), "--json").json["file"] == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert wallet("backup", str(file), "--json").error["code"] == "file_exists"
    ran = wallet("restore", str(file), "--json")
    assert (ran.code, ran.error["code"]) == (Exit.FILES, "already_joined")
    assert wallet("restore", str(file), home="again").code == 0
    assert wallet("balance", "--json", home="again").json["account"] == number(people.alice)
    assert wallet("pay", bill(town, people), "--yes", home="again").code == 0
    for path in (tmp_path / "again").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_restoring_what_is_no_backup(wallet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert wallet("restore", str(tmp_path / "gone"), home="new").code == Exit.USAGE
    key_file = tmp_path / "alice" / "key.json"  # sealed with the same passphrase, and something else
    assert wallet("restore", str(key_file), "--json", home="new").error["code"] == "file_damaged"
    wallet("backup", str(tmp_path / "copy"))
    monkeypatch.setenv("WALLET_PASSPHRASE", "autre")
    assert wallet("restore", str(tmp_path / "copy"), home="new").code == Exit.PASSPHRASE
    assert wallet("balance", home="new").code == Exit.NOT_JOINED


def test_damaged_files_are_named(wallet: Run, tmp_path: Path) -> None:
    home = tmp_path / "alice"
    for name, text in (("key.json", "{}"), ("wallet.json", "{"), ("wallet.json", '{"v": 1}')):
        before = (home / name).read_bytes()
        (home / name).write_text(text)
        ran = wallet("balance", "--json")
        assert (ran.code, ran.error["code"]) == (Exit.FILES, "file_damaged")
        assert name in ran.error["message"]
        (home / name).write_bytes(before)
    (home / "key.json").chmod(0o644)
    assert wallet("balance").code == 0
    assert (home / "key.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "args",
    [("pay", "--nope"), ("nope",), ("history", "--limit", "x"), ("history", "--limit", "-1"), ("join",), ("keys", "x")],
)
def test_usage(wallet: Run, args: tuple[str, ...]) -> None:
    ran = wallet(*args)
    assert ran.code == Exit.USAGE
    assert ran.out == ""
    assert "--help" in ran.err or "--limit" in ran.err
    ran = wallet(*args, "--json")
    assert (ran.code, ran.error["code"]) == (Exit.USAGE, "usage")
