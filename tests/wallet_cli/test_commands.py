"""The commands as a member or a script meets them: results, exit codes, JSON; against a real server's routes."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from ledger.currency import parties
from ledger.currency.messages import SignedReceipt
from ledger.currency.town import Town
from merchants import codes
from tests import towns
from tests.served import Cast, one_time, unmoved
from tests.wallet_cli.conftest import PASSPHRASE, Run, balance, bill, counter, invite, join_shop, link, number, payments
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


# --- paying ----------------------------------------------------------------------------------------------


def test_paying_a_link(wallet: Run, town: Town, people: Cast) -> None:
    ran = wallet("pay", bill(town, people, 450, label="2 baguettes"), "--yes", "--json")
    assert ran.code == 0, ran
    paid = ran.json
    assert balance(town, people.alice) == 99_550
    assert balance(town, people.shop) == 450
    receipt = SignedReceipt.parse(paid["receipt"])
    receipt.verify(town.charter.network, town.key.public)
    assert paid == {
        "status": "paid", "id": receipt.receipt.id.hex(), "purpose": "payment",
        "payee": {"account": number(people.shop), "name": "Boulangerie"}, "amount_cents": 450, "unit": "PATARD",
        "label": "2 baguettes", "made_at": paid["made_at"], "expires_at": paid["expires_at"],
        "seq": receipt.receipt.seq, "at": paid["at"], "receipt": paid["receipt"], "earlier": False,
        "balance_after_cents": 99_550,
    }  # fmt: skip
    assert ran.err == ""


def test_a_code_is_paid_once(wallet: Run, town: Town, people: Cast, tmp_path: Path) -> None:
    text = bill(town, people)
    paid = wallet("pay", text, "--yes", "--json").json
    for _ in range(2):
        with unmoved(town):
            ran = wallet("pay", text, "--yes", "--json")
        assert (ran.code, ran.error["code"], ran.error["id"]) == (Exit.ALREADY_PAID, "already_paid", paid["id"])
        assert ran.out == ""
    for path in (tmp_path / "alice" / "done").iterdir():  # a wallet that does not know it any more
        path.unlink()
    with unmoved(town):
        ran = wallet("pay", text, "--yes", "--json")
    assert (ran.code, ran.error["code"], ran.error["id"]) == (Exit.ALREADY_PAID, "already_paid", paid["id"])


def test_a_code_that_somebody_else_paid(wallet: Run, town: Town, people: Cast) -> None:
    text = bill(town, people)
    code = invite(town, people.bob.party, "member")
    assert wallet("join", code, "--server", "http://127.0.0.1", home="bob").code == 0
    assert wallet("pay", text, "--yes", home="bob").code == 0
    with unmoved(town):
        assert wallet("pay", text, "--yes").code == Exit.ALREADY_PAID


def test_a_code_that_somebody_else_paid_while_the_question_stood(
    wallet: Run, town: Town, people: Cast, network: Network
) -> None:
    """The server says "not paid" and takes somebody else's payment before ours arrives."""
    request = one_time(town, people.shop, 450)
    asked = request.request
    bobs = towns.order(town, people.bob, people.shop.account, 450, reference=request.reference, id_=asked.payment_id())
    towns.take(town, bobs, request)
    shop = {"account": number(people.shop), "name": "Boulangerie", "kind": "shop"}
    state = {
        "payment_id": request.request.payment_id().hex(), "payee": shop, "amount_cents": 450, "label": "",
        "expires_at": None, "paid": False, "expired": False,
    }  # fmt: skip
    network.fail("/v1/requests/", lambda *_: httpx.Response(200, json=state))
    ran = wallet("pay", link(town, request), "--yes", "--json")
    assert (ran.code, ran.error["code"]) == (Exit.ALREADY_PAID, "already_paid")
    assert balance(town, people.alice) == 100_000


@pytest.mark.parametrize("answer", ["o\n", "oui\n", "Y\n", "yes\n", " O \n"])
def test_a_clear_yes_pays(wallet: Run, town: Town, people: Cast, answer: str) -> None:
    ran = wallet("pay", bill(town, people), typed=answer)
    assert ran.code == 0
    for shown in ("Boulangerie", number(people.shop), "4,50"):
        assert shown in ran.err.replace("4.50", "4,50")
    assert balance(town, people.alice) == 99_550


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "non\n", "ok\n", "ouais\n", "4,50\n"])
def test_anything_else_does_not(wallet: Run, town: Town, people: Cast, answer: str, tmp_path: Path) -> None:
    with unmoved(town):
        ran = wallet("pay", bill(town, people), typed=answer)
    assert ran.code == Exit.DECLINED
    assert not list((tmp_path / "alice" / "outbox").iterdir())
    assert (
        json.loads(wallet("pay", bill(town, people), "--json", typed=answer).err.splitlines()[-1])["error"]["exit"] == 7
    )


def test_paying_an_open_amount(wallet: Run, town: Town, people: Cast) -> None:
    assert wallet("pay", bill(town, people, 0), "--yes", "--amount", "12,34").code == 0
    assert balance(town, people.shop) == 1_234
    assert wallet("pay", counter(town, people), typed="2,5\no\n").code == 0
    assert balance(town, people.shop) == 1_484
    ran = wallet("pay", counter(town, people), typed="deux\n0\n7\no\n")
    assert ran.code == 0
    assert balance(town, people.shop) == 2_184
    with unmoved(town):
        assert wallet("pay", counter(town, people), "--yes", "--json").error["code"] == "amount_empty"
        assert wallet("pay", counter(town, people), typed="\n").code == Exit.DECLINED


@pytest.mark.parametrize("amount", ["0", "-1", "1,234", "1e3", "12.345", "٣", "100000000", "abc", "0,00"])
def test_an_amount_that_is_none(wallet: Run, town: Town, people: Cast, amount: str) -> None:
    with unmoved(town):
        ran = wallet("pay", counter(town, people), "--yes", "--json", f"--amount={amount}")
    assert ran.code == Exit.USAGE
    assert ran.error["code"].startswith("amount_")


def test_another_amount_than_the_code_asks_for(wallet: Run, town: Town, people: Cast) -> None:
    with unmoved(town):
        ran = wallet("pay", bill(town, people, 450), "--yes", "--amount", "4", "--json")
    assert (ran.code, ran.error["code"]) == (Exit.USAGE, "request_amount_differs")
    assert wallet("pay", bill(town, people, 450), "--yes", "--amount", "4.5").code == 0


def test_a_static_code_is_paid_again_and_again(wallet: Run, town: Town, people: Cast) -> None:
    for n in range(1, 4):
        assert wallet("pay", counter(town, people), "--yes", "--amount", "1").code == 0
        assert balance(town, people.shop) == n * 100


def test_paying_an_account(wallet: Run, town: Town, people: Cast) -> None:
    ran = wallet("pay", "--to", number(people.bob).lower(), "--amount", "5", "--yes", "--json")
    assert ran.code == 0
    assert ran.json["payee"] == {"account": number(people.bob), "name": "Bob"}
    assert balance(town, people.bob) == 100_500


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        (("--to", "ABC", "--amount", "1"), Exit.USAGE, "account_malformed"),
        (("--to", "00000-00000-0010", "--amount", "1"), Exit.USAGE, "account_check_wrong"),
        (("--to", "ZZZZZ", "--amount", "1", "x"), Exit.USAGE, "usage"),
        ((), Exit.USAGE, "usage"),
        (("no-such-file.png",), Exit.USAGE, "target_unknown"),
        (("https://example.org/",), Exit.REFUSED, "link_malformed"),
        (("https://example.org/P/ABC",), Exit.REFUSED, "message_malformed"),
        (("-",), Exit.USAGE, "target_empty"),
    ],
)
def test_what_cannot_be_paid(wallet: Run, town: Town, args: tuple[str, ...], code: Exit, error: str) -> None:
    with unmoved(town):
        ran = wallet("pay", *args, "--yes", "--json")
    assert (ran.code, ran.error["code"]) == (code, error)


def test_what_the_currency_refuses(wallet: Run, town: Town, people: Cast) -> None:
    with unmoved(town):
        refused = {
            "below_floor": bill(town, people, 100_001),
            "request_expired": bill(town, people, seconds=-1),
            "same_account": link(town, one_time(town, people.alice, 1)),
            # signed by a key that is not the payee's: somebody pasted their own code over the shop's
            "request_signature_invalid": link(town, one_time(town, people.shop, 1, key=people.bob.key)),
        }
        for code, text in refused.items():
            ran = wallet("pay", text, "--yes", "--json")
            assert (ran.code, ran.error["code"]) == (Exit.REFUSED, code), ran
    assert wallet("outbox", "--json").json == wallet("outbox", "list", "--json").json == {"pending": []}
    [lost] = wallet("outbox", "list", "--failed", "--json").json["failed"]  # the others were not even signed
    assert (lost["reason"], lost["amount_cents"]) == ("below_floor", 100_001)


def test_a_code_of_another_currency(wallet: Run, town: Town, people: Cast) -> None:
    from merchants import requests

    signed = requests.one_time(b"else", people.shop.account, 1, "", 2**31, people.shop.key, bytes(8))
    ran = wallet("pay", link(town, signed), "--yes", "--json")
    assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "message_wrong_network")


def test_a_till_whose_key_was_revoked(wallet: Run, town: Town, people: Cast) -> None:
    text = bill(town, people, key=people.cashier)
    key = parties.find_device(town, people.cashier.public)
    assert key is not None
    parties.revoke(town, key)
    with unmoved(town):
        ran = wallet("pay", text, "--yes", "--json")
    assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "request_signature_invalid")


def test_a_directory_that_the_currency_did_not_sign(wallet: Run, town: Town, people: Cast, network: Network) -> None:
    """A server in the middle shows another name for the account: nothing is paid."""
    from api.client import Client

    with Client("http://127.0.0.1", transport=network) as client:
        signed = client.directory(number(people.shop))
    for content, signature in (
        (signed.content.replace("Boulangerie", "Croix-Rouge"), signed.signature.hex()),
        (signed.content, bytes(64).hex()),
        ("{}", signed.signature.hex()),
    ):
        answer = {"content": content, "signature": signature}
        network.fail("/v1/directory/", lambda *_, answer=answer: httpx.Response(200, json=answer))
        with unmoved(town):
            ran = wallet("pay", bill(town, people), "--yes", "--json")
        assert (ran.code, ran.error["code"]) == (Exit.UNTRUSTED, "directory_invalid")
        network.heal()
    with Client("http://127.0.0.1", transport=network) as client:
        other = client.directory(number(people.bob))
    answer = {"content": other.content, "signature": other.signature.hex()}
    network.fail("/v1/directory/", lambda *_: httpx.Response(200, json=answer))
    ran = wallet("pay", bill(town, people), "--yes", "--json")
    assert (ran.code, ran.error["code"]) == (Exit.UNTRUSTED, "directory_invalid")


# --- pictures --------------------------------------------------------------------------------------------


def test_paying_a_picture(wallet: Run, town: Town, people: Cast, tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    path.write_bytes(codes.png(bill(town, people)))
    assert wallet("pay", str(path), "--yes").code == 0
    assert wallet("pay", str(path), "--yes").code == Exit.ALREADY_PAID
    assert payments(town, people.alice) == 1


def test_paying_what_stands_on_the_standard_input(
    wallet: Run, town: Town, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wallet("pay", "-", "--yes", typed=f"  {bill(town, people)}\n").code == 0
    picture = codes.png(bill(town, people)).decode("utf-8", "surrogateescape")
    assert wallet("pay", "-", "--yes", typed=picture).code == 0
    assert payments(town, people.alice) == 2


def test_the_text_of_a_request_without_its_link(wallet: Run, town: Town, people: Cast) -> None:
    assert wallet("pay", one_time(town, people.shop, 7).text, "--yes").code == 0
    assert balance(town, people.shop) == 7


def test_pictures_that_cannot_be_paid(wallet: Run, town: Town, people: Cast, tmp_path: Path) -> None:
    def error_of(data: bytes) -> tuple[int, str]:
        (tmp_path / "picture").write_bytes(data)
        ran = wallet("pay", str(tmp_path / "picture"), "--yes", "--json")
        return ran.code, ran.error["code"]

    with unmoved(town):
        assert error_of(codes.png("https://example.org/")) == (Exit.REFUSED, "link_malformed")
        assert error_of(codes.png(bill(town, people))[:200]) == (Exit.REFUSED, "image_unreadable")
        assert error_of(b"\xff\xfenot a picture") == (Exit.REFUSED, "image_unreadable")
        assert error_of(b"  \n") == (Exit.USAGE, "target_empty")
        assert error_of(_side_by_side(codes.png(bill(town, people)), codes.png(bill(town, people)))) == (
            Exit.USAGE,
            "codes_many",
        )


def _side_by_side(left: bytes, right: bytes) -> bytes:
    import io

    from PIL import Image

    one, two = (Image.open(io.BytesIO(data)).convert("L") for data in (left, right))
    both = Image.new("L", (one.width + two.width + 40, max(one.height, two.height)), 255)
    both.paste(one, (0, 0))
    both.paste(two, (one.width + 40, 0))
    out = io.BytesIO()
    both.save(out, "PNG")
    return out.getvalue()


# --- shops -----------------------------------------------------------------------------------------------


def test_giving_back_in_parts(wallet: Run, town: Town, people: Cast) -> None:
    join_shop(town, people, wallet)
    id = wallet("pay", bill(town, people, 1_000), "--yes", "--json").json["id"]
    part = wallet("refund", id, "--amount", "4", "--yes", "--json", home="shop")
    assert part.code == 0
    assert (part.json["purpose"], part.json["amount_cents"], part.json["payee"]["name"]) == ("refund", 400, "Alice")
    assert balance(town, people.alice) == 99_400
    with unmoved(town):
        ran = wallet("refund", id, "--amount", "6,01", "--yes", "--json", home="shop")
        assert (ran.code, ran.error["code"], ran.error["rest_cents"]) == (Exit.REFUSED, "correction_exceeds", 600)
    assert wallet("refund", id[-8:], "--yes", home="shop").code == 0
    assert balance(town, people.alice) == 100_000
    with unmoved(town):
        ran = wallet("refund", id, "--yes", "--json", home="shop")
        assert (ran.code, ran.error["code"]) == (Exit.ALREADY_PAID, "already_refunded")
        ran = wallet("refund", id, "--yes", "--json")
        assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "correction_unrelated")
        ran = wallet("refund", "00" * 16, "--yes", "--json", home="shop")
        assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "not_found")
        ran = wallet("refund", "deadbeef", "--yes", "--json", home="shop")
        assert (ran.code, ran.error["code"]) == (Exit.USAGE, "id_unknown")


def test_changing_back(wallet: Run, town: Town, people: Cast) -> None:
    join_shop(town, people, wallet)
    wallet("pay", bill(town, people, 1_000), "--yes")
    ran = wallet("reconvert", "6", "--json", home="shop", typed="o\n")
    assert ran.code == 0, ran
    assert (ran.json["purpose"], ran.json["amount_cents"]) == ("reconversion", 600)
    assert balance(town, people.shop) == 400
    assert town.book.balance(town.chart.waiting) == 600
    with unmoved(town):
        ran = wallet("reconvert", "1", "--yes", "--json")
        assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "reconversion_not_allowed")
        assert wallet("reconvert", "4,01", "--yes", "--json", home="shop").error["code"] == "below_floor"


def test_a_cashier_gives_back_and_does_not_pay(wallet: Run, town: Town, people: Cast) -> None:
    join_shop(town, people, wallet, "cashier")
    id = wallet("pay", bill(town, people, 1_000), "--yes", "--json").json["id"]
    ran = wallet("pay", "--to", number(people.bob), "--amount", "1", "--yes", "--json", home="shop")
    assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "role_insufficient")
    assert wallet("refund", id, "--yes", home="shop").code == 0


# --- receipts, devices, backup ---------------------------------------------------------------------------


def test_receipts(wallet: Run, town: Town, people: Cast, network: Network, tmp_path: Path) -> None:
    assert wallet("receipt", "--json").error["code"] == "not_found"
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
