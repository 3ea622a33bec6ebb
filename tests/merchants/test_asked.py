"""What became of a request: open, expired, paid, forged; and that only its own payment pays it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.currency import conversion, parties
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import SignedRequest
from ledger.currency.town import Town
from merchants import asked, requests
from merchants.asked import State
from merchants.desk import Desk, Submission, Taken
from tests import towns
from tests.towns import Member


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = towns.found(tmp_path / "home")
    yield made
    made.book.close()


@pytest.fixture
def shop(town: Town) -> Member:
    return towns.member(town, "shop", "Boulangerie")


@pytest.fixture
def alice(town: Town) -> Member:
    made = towns.member(town, "person", "Alice")
    conversion.convert(town, made.party, 10_000, reserve=towns.BANK, reference="A")
    return made


def one_time(town: Town, shop: Member, key: PrivateKey | None = None) -> SignedRequest:
    last = town.now() // 1_000_000 + 60
    return requests.one_time(town.charter.network, shop.account, 500, "", last, key or shop.key, b"12345678")


def pay(town: Town, payer: Member, signed: SignedRequest) -> None:
    order = requests.order_for(
        signed, payer=payer.account, unit=town.charter.code, expires_at=town.now() // 1_000_000 + 60, id=town.new_id()
    ).sign(payer.key)
    [result] = Desk(town).take([Submission(order, signed)])
    assert isinstance(result, Taken), result


def test_open_then_paid_whatever_becomes_of_its_key(town: Town, shop: Member, alice: Member) -> None:
    till = towns.join(town, shop.party, "cashier", "Caisse")
    signed = one_time(town, shop, till)
    assert asked.look(town, signed) == (shop.party, State.OPEN)
    pay(town, alice, signed)
    assert asked.look(town, signed).state is State.PAID
    towns.clock(town).forward(3600)
    parties.revoke(town, parties.device(town, till.public))
    assert asked.look(town, signed).state is State.PAID


def test_expired_after_its_last_second(town: Town, shop: Member) -> None:
    signed = one_time(town, shop)
    towns.clock(town).forward(60)
    assert asked.look(town, signed).state is State.OPEN
    towns.clock(town).forward(1)
    assert asked.look(town, signed).state is State.EXPIRED


def test_a_lasting_code_stays_open(town: Town, shop: Member, alice: Member) -> None:
    signed = requests.static(town.charter.network, shop.account, shop.key, amount=300)
    pay(town, alice, signed)
    assert asked.look(town, signed).state is State.OPEN
    printed = requests.static(town.charter.network, shop.account, town.key)  # by the association
    assert asked.look(town, printed).state is State.OPEN


def test_another_payment_under_its_id_does_not_pay_it(town: Town, shop: Member, alice: Member) -> None:
    """Whoever saw the code may send an order of their own with the id that follows from it."""
    bob = towns.member(town, "person", "Bob")
    signed = one_time(town, shop)
    stolen = towns.order(town, alice, bob.account, 1, id_=signed.request.payment_id())
    Desk(town).take([Submission(stolen)])
    assert not asked.is_paid(town, signed)
    assert asked.look(town, signed).state is State.OPEN


@pytest.mark.parametrize("role", [None, "revoked", "auditor"])
def test_only_a_till_of_the_payee_makes_its_codes(town: Town, shop: Member, role: str | None) -> None:
    key = towns.key_of("somebody")
    if role == "revoked":
        towns.join(town, shop.party, "cashier", "somebody")
        parties.revoke(town, parties.device(town, key.public))
    elif role == "auditor":
        towns.join(town, parties.admit(town, "association", "Bureau"), "auditor", "somebody")
    with pytest.raises(CurrencyError) as caught:
        asked.look(town, one_time(town, shop, key))
    assert caught.value.code == "request_signature_invalid"


def test_payees_who_are_none(town: Town, shop: Member) -> None:
    nobody = requests.one_time(town.charter.network, 12345, 500, "", 2**31, shop.key, b"12345678")
    foreign = requests.one_time(b"else", shop.account, 500, "", 2**31, shop.key, b"12345678")
    parties.close(town, shop.party)
    for signed, code in (
        (nobody, "payee_unknown"),
        (foreign, "message_wrong_network"),
        (one_time(town, shop), "payee_unknown"),
    ):
        with pytest.raises(CurrencyError) as caught:
            asked.look(town, signed)
        assert caught.value.code == code
