"""Signed messages: what a till asks, what a payer orders, what the currency confirms.

Each message is one fixed byte layout, all integers big-endian, and one text: upper-case Crockford base32. A reader
takes exactly the texts that a writer makes; anything else, be it one trailing byte, is refused. Every signature is
Ed25519 over a domain prefix and the body, so that none can be passed off as another kind.

    request   01 | network 4 | payee 8 | nonce 8 | amount 4 | expires_at 4 | label length 1 | label | key id 4
              then signature 64 (the till's)
    order     02 | network 4 | purpose 1 | id 16 | payer 8 | payee 8 | amount 4 | unit 8 | expires_at 4 | reference 16
              then key 32 | signature 64 (the payer's device)
    receipt   03 | network 4 | order hash 32 | id 16 | seq 8 | at 8 | size 8 | root 32
              then signature 64 (the currency's)

A class without ``Signed`` is the body, made by whoever acts; ``sign`` gives its ``Signed`` form, which has ``text``
and ``parse``. ``parse`` checks the form and ``verify`` the signature: neither looks at a clock or a book.

Amounts are whole cents, at most 2**32 - 1; ``expires_at`` is in seconds since the epoch, the last second included.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from enum import IntEnum

from ledger.core.ids import MAX_ACCOUNT_NUMBER, b32encode, timed_id
from ledger.currency.keys import KEY_BYTES, KEY_ID_BYTES, SIGNATURE_BYTES, PrivateKey, key_id
from ledger.currency.text import TextError, check_text
from ledger.currency.told import tell
from ledger.currency.wire import (
    MAX_AMOUNT,
    NETWORK_BYTES,
    MessageError,
    check_amount,
    check_bytes,
    check_int,
    check_network,
    check_signature,
    check_tag,
    decode,
    wrong_length,
)

__all__ = [
    "MAX_AMOUNT",
    "MAX_LABEL_BYTES",
    "NETWORK_BYTES",
    "NO_REFERENCE",
    "MessageError",
    "Order",
    "Purpose",
    "Receipt",
    "Request",
    "SignedOrder",
    "SignedReceipt",
    "SignedRequest",
]

REQUEST_DOMAIN = b"patard/request/1\0"
ORDER_DOMAIN = b"patard/order/1\0"
RECEIPT_DOMAIN = b"patard/receipt/1\0"
_PAYMENT_ID_DOMAIN = b"patard/request-id/1\0"

MAX_LABEL_BYTES = 18
NO_REFERENCE = bytes(16)

_MAX_U32 = 2**32 - 1
_MAX_U64 = 2**63 - 1  # databases count to here
_UNIT = re.compile(r"[A-Z][A-Z0-9]{1,7}\Z")

_REQUEST = struct.Struct(">B4sQ8sIIB")
_ORDER = struct.Struct(">B4sB16sQQI8sI16s")
_RECEIPT = struct.Struct(">B4s32s16sQQQ32s")
_REQUEST_FIXED = _REQUEST.size + KEY_ID_BYTES + SIGNATURE_BYTES


class Purpose(IntEnum):
    """What an order is for."""

    PAYMENT = 1
    REFUND = 2
    RECONVERSION = 3


# --- the till asks ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """A payment request. ``amount`` 0: the payer chooses. ``expires_at`` 0: a static code, paid any number of times."""

    network: bytes
    payee: int
    nonce: bytes
    amount: int
    expires_at: int
    label: str
    key_id: bytes

    def __post_init__(self) -> None:
        check_bytes("network", self.network, NETWORK_BYTES)
        check_int("payee", self.payee, 1, MAX_ACCOUNT_NUMBER)
        check_bytes("nonce", self.nonce, 8)
        check_amount(self.amount, 0)
        check_int("expires_at", self.expires_at, 0, _MAX_U32)
        check_bytes("key id", self.key_id, KEY_ID_BYTES)
        try:
            check_text(self.label, max_chars=MAX_LABEL_BYTES, max_bytes=MAX_LABEL_BYTES, empty=True)
        except TextError as error:
            raise MessageError("message_malformed", tell("label: {reason}", reason=error.detail)) from None

    @property
    def is_static(self) -> bool:
        """Whether this is a shop's lasting code, which many payments may answer."""
        return self.expires_at == 0

    def is_expired(self, now: int) -> bool:
        """Whether the last second has passed at ``now`` (seconds since the epoch). A static code never expires."""
        return 0 < self.expires_at < now

    def body(self) -> bytes:
        """The bytes that are signed, without the domain prefix."""
        label = self.label.encode()
        fixed = _REQUEST.pack(1, self.network, self.payee, self.nonce, self.amount, self.expires_at, len(label))
        return fixed + label + self.key_id

    def payment_id(self) -> bytes:
        """The id that the one payment of this request will have. ``ValueError`` for a static code.

        It is derived from the whole body: nobody can make another request with the same id, and so nobody who saw
        the code can use its id up with a payment of their own.
        """
        if self.is_static:
            raise ValueError("many payments may answer a static code: each payer makes an id")
        digest = hashlib.sha256(_PAYMENT_ID_DOMAIN + self.body()).digest()
        return timed_id(self.expires_at * 1_000_000, digest[:10])

    def sign(self, key: PrivateKey) -> SignedRequest:
        """Sign as the till whose ``key_id`` this names; ``ValueError`` with another key."""
        if key.id != self.key_id:
            raise ValueError("this request names another key than the one it would be signed with")
        return SignedRequest(self, key.sign(REQUEST_DOMAIN + self.body()))


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it stands in a QR code."""

    request: Request
    signature: bytes

    def __post_init__(self) -> None:
        check_bytes("signature", self.signature, SIGNATURE_BYTES)

    @property
    def raw(self) -> bytes:
        """Body and signature, 98 to 116 bytes."""
        return self.request.body() + self.signature

    @property
    def text(self) -> str:
        """``raw`` in base32, 157 to 186 characters."""
        return b32encode(self.raw)

    @property
    def reference(self) -> bytes:
        """What an order that answers this request carries: the first 16 bytes of SHA-256 of ``raw``."""
        return hashlib.sha256(self.raw).digest()[:16]

    def verify(self, network: bytes, key: bytes) -> None:
        """Raise ``MessageError`` unless this is of ``network`` and signed by the public ``key`` that it names."""
        check_network(self.request.network, network)
        if key_id(key) != self.request.key_id:
            raise MessageError("signature_invalid", tell("this request names another key"))
        check_signature(key, self.signature, REQUEST_DOMAIN + self.request.body())

    @classmethod
    def from_bytes(cls, raw: bytes) -> SignedRequest:
        """Read ``raw``, strictly. Raises ``MessageError``."""
        if not 0 <= len(raw) - _REQUEST_FIXED <= MAX_LABEL_BYTES:
            raise wrong_length(tell("request"), len(raw))
        tag, network, payee, nonce, amount, expires_at, label_size = _REQUEST.unpack_from(raw)
        check_tag(tell("request"), tag, 1)
        if len(raw) != _REQUEST_FIXED + label_size:
            raise wrong_length(tell("request"), len(raw))
        label_end = _REQUEST.size + label_size
        try:
            label = raw[_REQUEST.size : label_end].decode()
        except UnicodeDecodeError:
            raise MessageError("message_malformed", tell("label: not UTF-8")) from None
        key_id = raw[label_end : label_end + KEY_ID_BYTES]
        request = Request(network, payee, nonce, amount, expires_at, label, key_id)
        return cls(request, raw[label_end + KEY_ID_BYTES :])

    @classmethod
    def parse(cls, text: str) -> SignedRequest:
        """Read ``text``, strictly. Raises ``MessageError``; ``verify`` is another step."""
        return cls.from_bytes(decode(tell("request"), text))


# --- the payer orders ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """A payment order: this amount from me to them, under that id, before that time.

    ``reference`` is ``SignedRequest.reference`` for a payment that answers a request and zeros for one that does not;
    the id of the refunded payment for a refund; zeros for a reconversion.
    """

    network: bytes
    purpose: Purpose
    id: bytes
    payer: int
    payee: int
    amount: int
    unit: str
    expires_at: int
    reference: bytes

    def __post_init__(self) -> None:
        check_bytes("network", self.network, NETWORK_BYTES)
        if type(self.purpose) is not Purpose:
            raise MessageError("message_malformed", tell("purpose: not one of those that there are"))
        check_bytes("id", self.id, 16)
        if not any(self.id):
            raise MessageError("message_malformed", tell("id: all zero"))
        check_int("payer", self.payer, 1, MAX_ACCOUNT_NUMBER)
        check_int("payee", self.payee, 1, MAX_ACCOUNT_NUMBER)
        check_amount(self.amount, 1)
        if not _UNIT.match(self.unit):
            raise MessageError("message_malformed", tell("unit: 2 to 8 characters of A-Z and 0-9, a letter first"))
        check_int("expires_at", self.expires_at, 1, _MAX_U32)
        check_bytes("reference", self.reference, 16)
        if self.purpose is not Purpose.PAYMENT and (self.purpose is Purpose.REFUND) is (self.reference == NO_REFERENCE):
            raise MessageError("message_malformed", tell("reference: a refund names a payment, a reconversion nothing"))

    def is_expired(self, now: int) -> bool:
        """Whether the last second has passed at ``now`` (seconds since the epoch)."""
        return self.expires_at < now

    def body(self) -> bytes:
        """The 70 bytes that are signed, without the domain prefix."""
        unit = self.unit.encode("ascii")  # struct fills up with NUL
        parties = (self.id, self.payer, self.payee)
        return _ORDER.pack(2, self.network, self.purpose, *parties, self.amount, unit, self.expires_at, self.reference)

    def hash(self) -> bytes:
        """SHA-256 of the body: what a receipt confirms."""
        return hashlib.sha256(self.body()).digest()

    def sign(self, key: PrivateKey) -> SignedOrder:
        """Sign as the payer's device."""
        return SignedOrder(self, key.public, key.sign(ORDER_DOMAIN + self.body()))

    @classmethod
    def from_bytes(cls, body: bytes) -> Order:
        """Read a body, strictly. Raises ``MessageError``."""
        if len(body) != _ORDER.size:
            raise wrong_length(tell("order"), len(body))
        tag, network, purpose, id_, payer, payee, amount, unit, expires_at, reference = _ORDER.unpack(body)
        check_tag(tell("order"), tag, 2)
        try:
            known = Purpose(purpose)
        except ValueError:
            raise MessageError("message_malformed", tell("purpose: {purpose} is none", purpose=purpose)) from None
        # latin-1 never fails, and the unit's own rule refuses whatever is not ASCII or has a NUL inside.
        name = unit.rstrip(b"\0").decode("latin-1")
        return cls(network, known, id_, payer, payee, amount, name, expires_at, reference)


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """An order as it is sent: with the public key of the payer's device and its signature."""

    order: Order
    key: bytes
    signature: bytes

    def __post_init__(self) -> None:
        check_bytes("key", self.key, KEY_BYTES)
        check_bytes("signature", self.signature, SIGNATURE_BYTES)

    @property
    def raw(self) -> bytes:
        """Body, key and signature, 166 bytes."""
        return self.order.body() + self.key + self.signature

    @property
    def text(self) -> str:
        """``raw`` in base32, 266 characters."""
        return b32encode(self.raw)

    def verify(self, network: bytes) -> None:
        """Raise ``MessageError`` unless this is of ``network`` and signed by the key that it carries.

        Whether that key acts for the payer is for the caller to look up.
        """
        check_network(self.order.network, network)
        check_signature(self.key, self.signature, ORDER_DOMAIN + self.order.body())

    @classmethod
    def from_bytes(cls, raw: bytes) -> SignedOrder:
        """Read ``raw``, strictly. Raises ``MessageError``."""
        if len(raw) != _ORDER.size + KEY_BYTES + SIGNATURE_BYTES:
            raise wrong_length(tell("order"), len(raw))
        order = Order.from_bytes(raw[: _ORDER.size])
        return cls(order, raw[_ORDER.size : -SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:])

    @classmethod
    def parse(cls, text: str) -> SignedOrder:
        """Read ``text``, strictly. Raises ``MessageError``; ``verify`` is another step."""
        return cls.from_bytes(decode(tell("order"), text))


# --- the currency confirms -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Receipt:
    """The currency's word that an order is in the log.

    ``seq`` is its place and ``at`` its time (microseconds since the epoch); ``size`` and ``root`` are a checkpoint of
    the log that includes it.
    """

    network: bytes
    order_hash: bytes
    id: bytes
    seq: int
    at: int
    size: int
    root: bytes

    def __post_init__(self) -> None:
        check_bytes("network", self.network, NETWORK_BYTES)
        check_bytes("order hash", self.order_hash, 32)
        check_bytes("id", self.id, 16)
        check_int("seq", self.seq, 0, _MAX_U64)
        check_int("at", self.at, 0, _MAX_U64)
        check_int("size", self.size, 0, _MAX_U64)
        check_bytes("root", self.root, 32)

    def body(self) -> bytes:
        """The 109 bytes that are signed, without the domain prefix."""
        return _RECEIPT.pack(3, self.network, self.order_hash, self.id, self.seq, self.at, self.size, self.root)

    def sign(self, key: PrivateKey) -> SignedReceipt:
        """Sign as the currency."""
        return SignedReceipt(self, key.sign(RECEIPT_DOMAIN + self.body()))


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A receipt as the payer keeps it."""

    receipt: Receipt
    signature: bytes

    def __post_init__(self) -> None:
        check_bytes("signature", self.signature, SIGNATURE_BYTES)

    @property
    def raw(self) -> bytes:
        """Body and signature, 173 bytes."""
        return self.receipt.body() + self.signature

    @property
    def text(self) -> str:
        """``raw`` in base32, 277 characters."""
        return b32encode(self.raw)

    def is_for(self, order: Order) -> bool:
        """Whether it is this order, and not another, that the receipt confirms."""
        receipt = self.receipt
        return (receipt.network, receipt.id, receipt.order_hash) == (order.network, order.id, order.hash())

    def verify(self, network: bytes, currency_key: bytes) -> None:
        """Raise ``MessageError`` unless this is of ``network`` and signed by the currency's public key."""
        check_network(self.receipt.network, network)
        check_signature(currency_key, self.signature, RECEIPT_DOMAIN + self.receipt.body())

    @classmethod
    def from_bytes(cls, raw: bytes) -> SignedReceipt:
        """Read ``raw``, strictly. Raises ``MessageError``."""
        if len(raw) != _RECEIPT.size + SIGNATURE_BYTES:
            raise wrong_length(tell("receipt"), len(raw))
        tag, *fields = _RECEIPT.unpack_from(raw)
        check_tag(tell("receipt"), tag, 3)
        return cls(Receipt(*fields), raw[_RECEIPT.size :])

    @classmethod
    def parse(cls, text: str) -> SignedReceipt:
        """Read ``text``, strictly. Raises ``MessageError``; ``verify`` is another step."""
        return cls.from_bytes(decode(tell("receipt"), text))
