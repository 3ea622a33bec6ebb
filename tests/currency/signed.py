"""Signed messages of each kind, and the keys that they are of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ledger.currency.keys import PrivateKey
from ledger.currency.messages import Order, Purpose, Receipt, Request, SignedOrder, SignedReceipt, SignedRequest

NETWORK = b"pata"
TILL = PrivateKey.from_seed(bytes(range(32)))
WALLET = PrivateKey.from_seed(bytes(range(32, 64)))
CURRENCY = PrivateKey.from_seed(b"\x2a" * 32)
Signed: TypeAlias = SignedRequest | SignedOrder | SignedReceipt
PARSERS: dict[str, Callable[[str], Signed]] = {
    "request": SignedRequest.parse,
    "order": SignedOrder.parse,
    "receipt": SignedReceipt.parse,
}

REQUEST = Request(NETWORK, 81985529216486895, bytes(range(8)), 1250, 1_800_000_000, "Table 4", TILL.id)
ORDER = Order(
    NETWORK, Purpose.PAYMENT, REQUEST.payment_id(), 2**62, REQUEST.payee, 1250, "PTD", 1_800_000_000, b"r" * 16
)
RECEIPT = Receipt(NETWORK, ORDER.hash(), ORDER.id, 41, 1_799_999_999_123_456, 42, b"R" * 32)
SIGNED: dict[str, Signed] = {
    "request": REQUEST.sign(TILL),
    "order": ORDER.sign(WALLET),
    "receipt": RECEIPT.sign(CURRENCY),
}
