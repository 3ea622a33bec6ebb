"""Requests: what a till makes, what answers it, and each way in which an order does not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core import ids
from ledger.currency.errors import ERRORS, CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import MessageError, Order, Purpose, Request, SignedRequest
from ledger.currency.text import TextError
from merchants import requests
from merchants.requests import RequestError

NETWORK = b"pata"
SHOP, MEMBER = 1001, 2002
NOW = 1_800_000_000
TILL = PrivateKey.from_seed(bytes(range(32)))
SECOND_TILL = PrivateKey.from_seed(b"\x02" * 32)
WALLET = PrivateKey.from_seed(bytes(range(32, 64)))
CURRENCY = PrivateKey.from_seed(b"\x2a" * 32)
PAYEE_KEYS = [SECOND_TILL.public, TILL.public]
MADE = ids.uuid7(NOW * 1_000_000, bytes(10))


def one_time(amount: int = 1250, label: str = "Table 4", key: PrivateKey = TILL) -> SignedRequest:
    return requests.one_time(NETWORK, SHOP, amount, label, NOW + 120, key, b"12345678")


def answer(signed: SignedRequest, amount: int | None = None) -> Order:
    return requests.order_for(signed, payer=MEMBER, unit="PTD", expires_at=NOW + 3600, id=MADE, amount=amount)


def match(order: Order, signed: SignedRequest, now: int = NOW) -> None:
    requests.match(order, signed, now, PAYEE_KEYS, CURRENCY.public)


def test_one_time() -> None:
    signed = one_time()
    assert signed.request == Request(NETWORK, SHOP, b"12345678", 1250, NOW + 120, "Table 4", TILL.id)
    signed.verify(NETWORK, TILL.public)
    order = answer(signed)
    assert order.id == signed.request.payment_id() != MADE
    assert (order.payee, order.amount, order.expires_at) == (SHOP, 1250, NOW + 120)  # cut to the request's
    match(order, signed)
    match(answer(signed, 1250), signed)


def test_one_time_where_the_payer_chooses() -> None:
    signed = one_time(amount=0)
    match(answer(signed, 777), signed)
    with pytest.raises(MessageError) as error:
        answer(signed)
    assert error.value.code == "amount_out_of_range"


def test_static_codes() -> None:
    signed = requests.static(NETWORK, SHOP, CURRENCY)
    assert signed == requests.static(NETWORK, SHOP, CURRENCY)  # printed again, it is the same picture
    assert signed.request.is_static
    order = answer(signed, 300)
    assert (order.id, order.expires_at) == (MADE, NOW + 3600)
    match(order, signed, NOW + 10**8)
    match(dataclasses.replace(order, id=b"another id, 16 b", amount=1), signed)
    entry = requests.static(NETWORK, SHOP, TILL, amount=500, label="Entrée")
    match(answer(entry), entry)
    assert _refusal(answer(signed, 499), entry) == "request_amount_differs"


def _refusal(order: Order, signed: SignedRequest, now: int = NOW, keys: list[bytes] = PAYEE_KEYS) -> str:
    with pytest.raises(RequestError) as error:
        requests.match(order, signed, now, keys, CURRENCY.public)
    assert error.value.code in ERRORS
    return error.value.code


def test_each_refusal() -> None:
    signed = one_time()
    order = answer(signed)

    def changed(**change: Any) -> Order:
        return dataclasses.replace(order, **change)

    assert _refusal(changed(network=b"town"), signed) == "request_network_differs"
    match(order, signed, NOW + 120)
    assert _refusal(order, signed, NOW + 121) == "request_expired"
    assert _refusal(changed(payee=SHOP + 1), signed) == "request_payee_differs"
    assert _refusal(changed(amount=1249), signed) == "request_amount_differs"
    assert _refusal(changed(amount=1251), signed) == "request_amount_differs"
    assert _refusal(changed(id=MADE), signed) == "order_id_differs"
    assert _refusal(changed(reference=bytes(16)), signed) == "request_hash_differs"
    assert _refusal(changed(reference=b"x" * 16), signed) == "request_hash_differs"
    assert _refusal(changed(purpose=Purpose.REFUND), signed) == "request_hash_differs"
    assert _refusal(order, signed, keys=[]) == "request_signature_invalid"
    assert _refusal(order, signed, keys=[SECOND_TILL.public, WALLET.public]) == "request_signature_invalid"


def test_a_stranger_cannot_ask_in_the_name_of_a_shop() -> None:
    """A code whose payee is the shop's account, or whose text is the shop's, made with a key that is not the shop's."""
    forged = one_time(key=WALLET)
    assert _refusal(answer(forged), forged) == "request_signature_invalid"
    naming_the_till = Request(NETWORK, SHOP, b"12345678", 1, NOW + 120, "", TILL.id)
    forged = SignedRequest(naming_the_till, one_time().signature)
    assert _refusal(answer(forged), forged) == "request_signature_invalid"


def test_another_key_with_the_same_id_does_not_stand_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key ids are short: two keys of a shop may share one, and then both are tried."""
    signed = one_time()
    ids_of = {SECOND_TILL.public: TILL.id, TILL.public: TILL.id, CURRENCY.public: CURRENCY.id}
    monkeypatch.setattr(requests, "key_id", ids_of.__getitem__)
    match(answer(signed), signed)


def test_the_currency_may_sign_for_any_shop() -> None:
    signed = one_time(key=CURRENCY)
    requests.match(answer(signed), signed, NOW, [], CURRENCY.public)


@given(st.sampled_from(["network", "payee", "nonce", "amount", "expires_at", "label"]), st.data())
def test_a_request_changed_after_signing_is_refused(field: str, data: st.DataObject) -> None:
    """Whatever a go-between changes, and however the order follows it, the till's signature is gone."""
    strategies: dict[str, st.SearchStrategy[Any]] = {
        "network": st.binary(min_size=4, max_size=4),
        "payee": st.integers(1, 2**63 - 1),
        "nonce": st.binary(min_size=8, max_size=8),
        "amount": st.integers(1, 2**32 - 1),
        "expires_at": st.integers(NOW, 2**32 - 1),
        "label": st.text("abcé ", max_size=9).map(str.strip).filter(lambda text: "  " not in text),
    }
    signed = one_time()
    value = data.draw(strategies[field].filter(lambda value: value != getattr(signed.request, field)))
    changed = SignedRequest(dataclasses.replace(signed.request, **{field: value}), signed.signature)
    assert _refusal(answer(changed), changed) == "request_signature_invalid"


def test_what_cannot_be_asked() -> None:
    cases: list[tuple[Callable[[], SignedRequest], type[CurrencyError], str]] = [
        (lambda: one_time(amount=-1), MessageError, "amount_out_of_range"),
        (lambda: one_time(amount=2**32), MessageError, "amount_out_of_range"),
        (lambda: one_time(label="x" * 19), TextError, "text_malformed"),
        (lambda: one_time(label="\u202eoops"), TextError, "text_malformed"),
        (lambda: requests.one_time(NETWORK, SHOP, 1, "", 0, TILL, bytes(8)), MessageError, "message_malformed"),
        (lambda: requests.one_time(NETWORK, SHOP, 1, "", NOW, TILL, bytes(7)), MessageError, "message_malformed"),
        (lambda: requests.one_time(NETWORK, 0, 1, "", NOW, TILL, bytes(8)), MessageError, "message_malformed"),
    ]
    for make, kind, code in cases:
        with pytest.raises(kind) as error:
            make()
        assert error.value.code == code


def test_labels_get_their_clean_form() -> None:
    assert one_time(label="  Cafe\u0301  noir ").request.label == "Café noir"


def test_an_amount_that_the_request_does_not_ask_for_is_not_even_signed() -> None:
    with pytest.raises(RequestError) as error:
        answer(one_time(), 1300)
    assert error.value.code == "request_amount_differs"
