"""Ids that follow from public things cannot be used up by somebody else's order of one cent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledger.core.ids import derived_id, is_fresh
from ledger.currency import conversion, parties
from ledger.currency.errors import CurrencyError
from ledger.currency.messages import Purpose
from ledger.currency.town import Town
from merchants import asked, requests
from merchants.desk import Desk, Submission
from merchants.statement import named
from tests import towns


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """A small currency."""
    return towns.found(tmp_path)


def funded(town: Town, kind: str, name: str) -> towns.Member:
    """A member with a hundred units."""
    made = towns.member(town, kind, name)
    conversion.convert(town, made.party, 10_000, reserve=towns.BANK, reference=name.upper())
    return made


@pytest.fixture
def mallory(town: Town) -> towns.Member:
    """A member with money and bad intentions."""
    return funded(town, "person", "Mallory")


@pytest.fixture
def shop(town: Town) -> towns.Member:
    """A shop."""
    return funded(town, "shop", "Boulangerie")


def burn(town: Town, mallory: towns.Member, shop: towns.Member, id_: bytes) -> str:
    """Try to take `id_` with a payment of one cent; the refusal's code."""
    return towns.refusal(town, towns.order(town, mallory, shop.account, 1, id_=id_)).code


def test_a_revocation_cannot_be_blocked(town: Town, mallory: towns.Member, shop: towns.Member) -> None:
    key = shop.key.public
    assert burn(town, mallory, shop, derived_id("patard/key", "key_revoked", key)) == "id_reserved"
    parties.revoke(town, parties.device(town, key), last_too=True)
    assert parties.device(town, key).revoked_at is not None


def test_a_decision_cannot_be_blocked(town: Town, mallory: towns.Member, shop: towns.Member) -> None:
    asked_id = towns.ask_back(town, shop, 1_000)
    assert burn(town, mallory, shop, derived_id("patard/reconversion-decided", asked_id)) == "id_reserved"
    conversion.accept(town, conversion.find_asked(town, asked_id))
    assert conversion.waiting(town) == []


def test_a_bank_line_cannot_be_blocked(town: Town, mallory: towns.Member, shop: towns.Member) -> None:
    assert burn(town, mallory, shop, conversion.conversion_id(town, towns.BANK, "LINE-7")) == "id_reserved"
    conversion.convert(town, shop.party, 500, reserve=towns.BANK, reference="LINE-7")


def test_another_code_cannot_be_blocked(town: Town, mallory: towns.Member, shop: towns.Member) -> None:
    """Neither with no request, nor with one of one's own, nor as a refund."""
    now, network = town.now() // 1_000_000, town.charter.network
    signed = requests.one_time(network, shop.account, 450, "", now + 300, shop.key, os.urandom(8))
    wanted = signed.request.payment_id()
    assert not is_fresh(wanted)
    assert burn(town, mallory, shop, wanted) == "id_reserved"
    thief = funded(town, "shop", "Voleurs")
    own = requests.one_time(network, thief.account, 1, "", now + 300, thief.key, os.urandom(8))
    order = towns.order(town, mallory, thief.account, 1, id_=wanted, reference=own.reference)
    [result] = Desk(town).take([Submission(order, own)])
    assert isinstance(result, CurrencyError) and result.code == "order_id_differs"
    payment = towns.pay(town, mallory, thief, 5)
    back = towns.order(town, thief, mallory.account, 1, purpose=Purpose.REFUND, reference=payment, id_=wanted)
    assert towns.refusal(town, back).code == "id_reserved"
    assert not asked.is_paid(town, signed)


@pytest.mark.parametrize("id_", [b"\xff" * 16, bytes(6) + b"\x40" + bytes(9), bytes(6) + b"\x70" + bytes(9)])
def test_ids_of_other_forms_are_nobodys(town: Town, mallory: towns.Member, shop: towns.Member, id_: bytes) -> None:
    assert burn(town, mallory, shop, id_) == "id_reserved"


def test_a_party_cannot_take_one_either(town: Town, shop: towns.Member) -> None:
    asked_id = towns.ask_back(town, shop, 1_000)
    with pytest.raises(CurrencyError) as refused:
        parties.admit(town, "person", "Eve", derived_id("patard/reconversion-decided", asked_id))
    assert refused.value.code == "id_reserved"


def test_a_refund_cannot_be_given_back(town: Town, shop: towns.Member) -> None:
    other = funded(town, "shop", "Librairie")
    payment = towns.pay(town, other, shop, 600)
    refund = towns.refund(town, shop, other, 600, payment)
    again = towns.order(town, other, shop.account, 600, purpose=Purpose.REFUND, reference=refund)
    assert towns.refusal(town, again).code == "correction_unknown"


def test_a_refused_order_leaves_no_memo(town: Town, mallory: towns.Member, shop: towns.Member) -> None:
    """Two orders under one id in one batch: the memo is that of the one that stood."""
    network = town.charter.network
    codes = [requests.static(network, shop.account, shop.key, label=label) for label in ("Table 2", "Table 9")]
    id_ = town.new_id()
    orders = [towns.order(town, mallory, shop.account, 100, id_=id_, reference=code.reference) for code in codes]
    results = Desk(town).take([Submission(o, c) for o, c in zip(orders, codes, strict=True)])
    assert isinstance(results[1], CurrencyError) and results[1].code == "id_taken"
    [line] = named(town, town.book.statement(shop.account, limit=1).entries)
    assert line.memo == "Table 2"
