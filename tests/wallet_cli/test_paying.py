"""Paying with the wallet: links, pictures, codes, accounts; what a shop gives back and changes back."""

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
from tests.wallet_cli.conftest import Run, balance, bill, counter, invite, join_shop, link, number, payments
from tests.wallet_cli.network import Network
from wallet_cli.errors import Exit

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


def test_links_and_texts_in_any_case(wallet: Run, town: Town, people: Cast) -> None:
    link = bill(town, people)
    assert wallet("pay", link.lower(), "--yes").code == 0
    assert wallet("pay", link.upper(), "--yes").code == wallet("pay", link, "--yes").code == Exit.ALREADY_PAID
    assert payments(town, people.alice) == 1
    assert wallet("pay", one_time(town, people.shop, 7).text.lower(), "--yes").code == 0


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
