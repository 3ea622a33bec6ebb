"""Signed messages by their vectors: if one of these changes, printed codes and stored receipts are void."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from ledger.core import ids
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import (
    MessageError,
    Order,
    Purpose,
    Receipt,
    Request,
    SignedOrder,
    SignedReceipt,
    SignedRequest,
)
from tests.currency.signed import CURRENCY, NETWORK, ORDER, PARSERS, RECEIPT, REQUEST, SIGNED, TILL, WALLET
from tests.vectors import messages as load_vectors

KEYS = {"till": TILL, "wallet": WALLET, "currency": CURRENCY}
VECTORS = load_vectors()


def build_request(vector: dict[str, Any]) -> Request:
    network, nonce, named = (bytes.fromhex(vector[name]) for name in ("network", "nonce", "key_id"))
    return Request(network, int(vector["payee"]), nonce, vector["amount"], vector["expires_at"], vector["label"], named)


def build_order(vector: dict[str, Any]) -> Order:
    network, id_, reference = (bytes.fromhex(vector[name]) for name in ("network", "id", "reference"))
    parties = int(vector["payer"]), int(vector["payee"])
    money = vector["amount"], vector["unit"]
    return Order(network, Purpose(vector["purpose"]), id_, *parties, *money, vector["expires_at"], reference)


def build_receipt(vector: dict[str, Any]) -> Receipt:
    network, order_hash, id_, root = (bytes.fromhex(vector[name]) for name in ("network", "order_hash", "id", "root"))
    return Receipt(network, order_hash, id_, int(vector["seq"]), int(vector["at"]), int(vector["size"]), root)


@pytest.mark.parametrize("vector", VECTORS["keys"], ids=lambda vector: str(vector["name"]))
def test_key_vectors(vector: dict[str, Any]) -> None:
    key = PrivateKey.from_seed(bytes.fromhex(vector["seed"]))
    assert (key.public.hex(), key.id.hex()) == (vector["public"], vector["key_id"])
    assert key.public == KEYS[vector["name"]].public


def test_text_vectors() -> None:
    for vector in VECTORS["base32"]:
        assert ids.b32encode(bytes.fromhex(vector["hex"])) == vector["text"]
    for vector in VECTORS["accounts"]:
        assert ids.account_text(int(vector["number"])) == vector["text"]


@pytest.mark.parametrize("vector", VECTORS["requests"], ids=lambda vector: str(vector["name"]))
def test_request_vectors(vector: dict[str, Any]) -> None:
    key = KEYS[vector["key"]]
    signed = build_request(vector).sign(key)
    assert signed.request.body().hex() == vector["body"]
    assert signed.signature.hex() == vector["signature"]
    assert signed.text == vector["text"]
    assert signed.reference.hex() == vector["reference"]
    assert (None if signed.request.is_static else signed.request.payment_id().hex()) == vector["payment_id"]
    assert SignedRequest.parse(vector["text"]) == signed
    signed.verify(NETWORK, key.public)


@pytest.mark.parametrize("vector", VECTORS["orders"], ids=lambda vector: str(vector["name"]))
def test_order_vectors(vector: dict[str, Any]) -> None:
    signed = build_order(vector).sign(KEYS[vector["key"]])
    assert signed.order.body().hex() == vector["body"]
    assert signed.order.hash().hex() == vector["hash"]
    assert signed.signature.hex() == vector["signature"]
    assert signed.text == vector["text"]
    assert SignedOrder.parse(vector["text"]) == signed
    assert Order.from_bytes(bytes.fromhex(vector["body"])) == signed.order
    signed.verify(NETWORK)


@pytest.mark.parametrize("vector", VECTORS["receipts"], ids=lambda vector: str(vector["name"]))
def test_receipt_vectors(vector: dict[str, Any]) -> None:
    signed = build_receipt(vector).sign(KEYS[vector["key"]])
    assert signed.receipt.body().hex() == vector["body"]
    assert signed.signature.hex() == vector["signature"]
    assert signed.text == vector["text"]
    assert SignedReceipt.parse(vector["text"]) == signed
    signed.verify(NETWORK, CURRENCY.public)


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: f"{vector['kind']}: {vector['why']}")
def test_refused_vectors(vector: dict[str, Any]) -> None:
    with pytest.raises(MessageError) as error:
        PARSERS[vector["kind"]](vector["text"])
    assert error.value.code == vector["code"]
    assert 10 < len(error.value.detail) < 200


def test_layouts_by_hand() -> None:
    """The layouts as the specification writes them, field by field, without struct."""

    def n(value: int, size: int) -> bytes:
        return value.to_bytes(size, "big")

    label = REQUEST.label.encode()
    request = b"\x01" + NETWORK + n(REQUEST.payee, 8) + REQUEST.nonce + n(1250, 4) + n(1_800_000_000, 4)
    request += bytes([len(label)]) + label + hashlib.sha256(TILL.public).digest()[:4]
    assert REQUEST.body() == request
    assert SIGNED["request"].raw == request + TILL.sign(b"patard/request/1\0" + request)
    digest = bytearray(n(1_800_000_000_000, 6) + hashlib.sha256(b"patard/request-id/1\0" + request).digest()[:10])
    digest[6] = 0x80 | digest[6] & 0x0F
    digest[8] = 0x80 | digest[8] & 0x3F
    assert REQUEST.payment_id() == digest

    order = b"\x02" + NETWORK + b"\x01" + ORDER.id + n(ORDER.payer, 8) + n(ORDER.payee, 8) + n(1250, 4)
    order += b"PTD\0\0\0\0\0" + n(1_800_000_000, 4) + b"r" * 16
    assert ORDER.body() == order and len(order) == 70
    assert SIGNED["order"].raw == order + WALLET.public + WALLET.sign(b"patard/order/1\0" + order)

    receipt = b"\x03" + NETWORK + hashlib.sha256(order).digest() + ORDER.id
    receipt += n(41, 8) + n(1_799_999_999_123_456, 8) + n(42, 8) + b"R" * 32
    assert RECEIPT.body() == receipt and len(receipt) == 109
    assert SIGNED["receipt"].raw == receipt + CURRENCY.sign(b"patard/receipt/1\0" + receipt)
