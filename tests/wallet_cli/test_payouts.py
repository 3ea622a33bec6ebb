"""`wallet iban` and `wallet payouts`: where a shop is paid, and what a treasurer sees before signing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.home import found_home
from ledger.currency import conversion, join_codes, parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank.payouts import batches, owed
from ledger.currency.bank.reference import shown
from ledger.currency.charter import BankRules
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import charter
from tests.served import Cast
from tests.towns import BANK
from tests.wallet_cli.conftest import Run, join_shop
from tests.wallet_cli.network import Network
from wallet_cli.errors import Exit

IBAN = "DE89370400440532013000"
SERVER = ("--server", "http://127.0.0.1")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A currency by the clock of this machine, in which two people sign whatever is paid."""
    made = found_home(tmp_path / "town", charter(bank=BankRules(second_signature_above=0)))
    yield made
    made.book.close()


def ordered(town: Town, people: Cast, wallet: Run) -> str:
    """The bakery changed back 100.00 and said where it is paid; the number of the file."""
    join_shop(town, people, wallet)
    assert wallet("iban", IBAN, home="shop").code == 0
    conversion.convert(town, people.shop.party, 10_000, reserve=BANK, reference="S1")
    conversion.accept(town, conversion.find_asked(town, towns.ask_back(town, people.shop, 10_000)))
    return str(batches.order(town).number)


def treasurer(town: Town, people: Cast, wallet: Run, home: str, person: str | None = None) -> None:
    """Make a folder the wallet of a treasurer."""
    who = None if person is None else parties.named(town, person)
    code = join_codes.shown_code(parties.invite(town, people.office, "treasurer", person=who))
    ran = wallet("join", code, *SERVER, home=home)
    assert ran.code == 0, ran


def test_where_a_shop_is_paid(wallet: Run, town: Town, people: Cast) -> None:
    join_shop(town, people, wallet)
    none = wallet("iban", "--json", home="shop")
    assert none.json == {"iban": None, "holder": None}
    told = wallet("iban", "de89 3704 0044 0532 0130 00", "--holder", "Boulangerie SARL", home="shop")
    assert told.code == 0 and "DE89 3704 0044 0532 0130 00" in told.out
    assert wallet("iban", "--json", home="shop").json == {"iban": IBAN, "holder": "Boulangerie SARL"}
    wrong = wallet("iban", IBAN[:-1] + "1", "--json", home="shop")
    assert (wrong.code, wrong.error["code"]) == (Exit.REFUSED, "iban_check")
    outside = wallet("iban", "TN5910006035183598478831", "--json", home="shop")
    assert (outside.code, outside.error["code"]) == (Exit.REFUSED, "iban_outside")
    assert wallet("iban", "--holder", "X", home="shop").code == Exit.USAGE
    assert wallet("iban", "--json", home="shop").json["iban"] == IBAN


def test_two_people_sign_a_file(wallet: Run, town: Town, people: Cast) -> None:
    # Who signs a file for which two people sign was known before it was made.
    treasurer(town, people, wallet, "alice-office", "Alice")
    treasurer(town, people, wallet, "bob-office", "Bob")
    number = ordered(town, people, wallet)
    [listed] = wallet("payouts", "--json", home="alice-office").json["batches"]
    assert (listed["state"], listed["total_cents"], listed["people"], listed["signed_by"]) == ("ordered", 9_500, 2, [])
    listed_for_people = wallet("payouts", home="alice-office").out
    assert f" {number} " in listed_for_people and re.search("aucune signature sur|no signature of", listed_for_people)
    shown = wallet("payouts", "--sign", number, home="alice-office", typed="o\n")
    assert shown.code == 0, shown
    assert "DE89 3704 0044 0532 0130 00" in shown.out and "Boulangerie" in shown.out
    assert re.search(r"95,00|95\.00", shown.out)
    again = wallet("payouts", "--sign", number, "--yes", "--json", home="alice-office")
    assert (again.code, again.json["signed_by"]) == (0, ["Alice"])
    signed = wallet("payouts", "--sign", number, "--yes", "--json", home="bob-office")
    assert (signed.json["state"], signed.json["signed_by"]) == ("signed", ["Alice", "Bob"])
    batches.fetch(town, batches.find(town, number))
    assert wallet("payouts", "--json", home="bob-office").json["batches"][0]["state"] == "fetched"


def test_two_treasurers_say_that_the_bank_will_not_pay(wallet: Run, town: Town, people: Cast) -> None:
    for home, person in (("alice-office", "Alice"), ("bob-office", "Bob")):
        treasurer(town, people, wallet, home, person)
    number = ordered(town, people, wallet)
    for home in ("alice-office", "bob-office"):
        assert wallet("payouts", "--sign", number, "--yes", home=home).code == 0
    batches.fetch(town, batches.find(town, number))
    [due] = owed.due(town)
    reference = shown(due.payout.reference)
    assert wallet("payouts", "--reject", reference, home="alice-office", typed="n\n").code == Exit.DECLINED
    for home, waits in (("alice-office", True), ("alice-office", True), ("bob-office", False)):
        ran = wallet("payouts", "--reject", reference, "--reason", "AC04", "--yes", "--json", home=home)
        assert (ran.code, ran.json["waits"]) == (0, waits)
        assert len(owed.due(town)) is int(waits)
    for typed, code in (("·", Exit.USAGE), ("ABC", Exit.REFUSED)):
        ran = wallet("payouts", "--reject", typed, "--yes", "--json", home="bob-office")
        assert (ran.code, ran.error["code"]) == (code, "not_found")
    assert audit(town).clean


def test_nothing_is_signed_without_a_yes(wallet: Run, town: Town, people: Cast) -> None:
    number = ordered(town, people, wallet)
    treasurer(town, people, wallet, "alice-office", "Alice")
    for typed in ("", "n\n", "\n"):
        assert wallet("payouts", "--sign", number, home="alice-office", typed=typed).code == Exit.DECLINED
    assert batches.find(town, number).signatures == ()


def test_who_may_not_sign(wallet: Run, town: Town, people: Cast) -> None:
    treasurer(town, people, wallet, "nobody-office")
    treasurer(town, people, wallet, "alice-office", "Alice")
    treasurer(town, people, wallet, "alice-phone", "Alice")
    number = ordered(town, people, wallet)
    assert wallet("payouts", "--sign", number, "--yes", home="alice-office").code == 0
    for home, code in (
        ("nobody-office", "signature_person_unknown"), ("alice-phone", "signature_same_person"),
        ("shop", "role_insufficient"), ("alice", "role_insufficient"),
    ):  # fmt: skip
        ran = wallet("payouts", "--sign", number, "--yes", "--json", home=home)
        assert (ran.code, ran.error["code"]) == (Exit.REFUSED, code)
    assert len(batches.find(town, number).signatures) == 1


def test_a_file_that_is_none(wallet: Run, town: Town, people: Cast) -> None:
    treasurer(town, people, wallet, "alice-office", "Alice")
    assert wallet("payouts", home="alice-office").code == 0
    for number, exit_code in (("99", Exit.REFUSED), ("../me", Exit.USAGE), ("١", Exit.USAGE)):
        assert wallet("payouts", "--sign", number, "--yes", home="alice-office").code == exit_code


CHEATS: dict[str, Callable[[dict[str, Any]], None]] = {
    "an account in the file": lambda body: body.update(content=body["content"].replace(IBAN, "BE68539007547034")),
    "a hash": lambda body: body.get("batch", {}).update(sha256="00" * 32),
    "a sum": lambda body: body.get("batch", {}).update(total_cents=9_499),
    "a number": lambda body: body.get("batch", {}).update(transfers=2),
    "a comment in it": lambda body: body.update(content=body["content"].replace("<Cdtr>", "<!-- --><Cdtr>")),
    "a file that is none": lambda body: body.update(content="<Document/>"),
}


@pytest.mark.parametrize("what", CHEATS)
def test_a_server_that_shows_something_else_than_is_signed(
    wallet: Run, town: Town, people: Cast, network: Network, what: str
) -> None:
    number = ordered(town, people, wallet)
    treasurer(town, people, wallet, "alice-office", "Alice")
    of_file = "file" in what or "it" in what.split()

    def cheat(way: Network, request: httpx.Request) -> httpx.Response:
        body = json.loads(way.inner.handle_request(request).read())
        if of_file is request.url.path.endswith("/content"):
            CHEATS[what](body)
        return httpx.Response(200, json=body)

    network.fail(f"/v1/payouts/batches/{number}", cheat)
    ran = wallet("payouts", "--sign", number, "--yes", "--json", home="alice-office")
    assert (ran.code, ran.error["code"]) == (Exit.UNTRUSTED, "file_differs")
    assert batches.find(town, number).signatures == ()


def test_what_is_shown_stands_in_the_file(wallet: Run, town: Town, people: Cast, network: Network) -> None:
    """A list that was edited changes nothing of what a treasurer sees, but that an account is not known."""
    number = ordered(town, people, wallet)
    treasurer(town, people, wallet, "alice-office", "Alice")

    def edited(way: Network, request: httpx.Request) -> httpx.Response:
        body = json.loads(way.inner.handle_request(request).read())
        for one in body.get("transfers", ()):
            one.update(iban="BE68539007547034", name="Somebody else", is_new=False, look="")
        return httpx.Response(200, json=body)

    network.fail(f"/v1/payouts/batches/{number}", edited)
    shown = wallet("payouts", "--sign", number, home="alice-office", typed="n\n")
    assert "DE89 3704 0044 0532 0130 00" in shown.out and "Somebody else" not in shown.out
    assert re.search("à vérifier|to look at", shown.out)


def test_whose_key_it_is_is_confirmed_in_the_wallet_of_a_member(wallet: Run, town: Town, people: Cast) -> None:
    treasurer(town, people, wallet, "bob-office", "Bob")
    bob = wallet("keys", "--json", home="bob-office").json["keys"][-1]["key"]
    code = parties.invite(town, people.office, "treasurer", by=bob, person=people.alice.party)
    assert wallet("join", join_codes.shown_code(code), *SERVER, "--label", "PC", home="alice-office").code == 0
    number = ordered(town, people, wallet)
    early = wallet("payouts", "--sign", number, "--yes", "--json", home="alice-office")
    assert (early.code, early.error["code"]) == (Exit.REFUSED, "signature_person_unknown")
    [waiting] = wallet("keys", "confirm", "--json").json["keys"]
    assert (waiting["role"], waiting["person"], waiting["invited_by"]) == ("treasurer", "Alice", "Bob")
    assert wallet("keys", "confirm", home="bob-office").out != wallet("keys", "confirm", home="shop").out
    told = wallet("keys", "confirm")
    assert waiting["key"][:16] in told.out and "Bob" in told.out
    assert wallet("keys", "confirm", "00000000").code == Exit.USAGE
    assert wallet("keys", "confirm", waiting["key"][:16], typed="n\n").code == Exit.DECLINED
    done = wallet("keys", "confirm", waiting["key_id"], typed="o\n")
    assert done.code == 0 and "Alice" in done.out
    assert wallet("keys", "confirm", "--json").json["keys"] == []
    # It counts for what is ordered from then on.
    late = wallet("payouts", "--sign", number, "--yes", "--json", home="alice-office")
    assert late.error["code"] == "signature_key_newer"
    batches.withdraw(town, batches.find(town, number))
    again = str(batches.order(town).number)
    assert wallet("payouts", "--sign", again, "--yes", "--json", home="alice-office").json["signed_by"] == ["Alice"]
    sponsor = wallet("payouts", "--sign", again, "--yes", "--json", home="bob-office")
    assert (sponsor.code, sponsor.error["code"]) == (Exit.REFUSED, "signature_sponsored")
