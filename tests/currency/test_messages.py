"""Signed messages: one text each, and no other text, no other bit, is taken."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core import ids
from ledger.currency.keys import key_id
from ledger.currency.messages import (
    MAX_AMOUNT,
    NO_REFERENCE,
    MessageError,
    Order,
    Purpose,
    Receipt,
    Request,
    SignedOrder,
    SignedReceipt,
    SignedRequest,
)
from ledger.currency.text import TextError, check_text
from tests.currency.signed import CURRENCY, NETWORK, ORDER, PARSERS, RECEIPT, REQUEST, SIGNED, TILL, WALLET, Signed


def verify(signed: Signed, network: bytes = NETWORK) -> None:
    """Verify a message with the key that it should be of."""
    if isinstance(signed, SignedRequest):
        signed.verify(network, TILL.public)
    elif isinstance(signed, SignedReceipt):
        signed.verify(network, CURRENCY.public)
    else:
        signed.verify(network)
        if signed.key != WALLET.public:  # a caller looks the key up; here the payer has one only
            raise MessageError("signature_invalid", "not the payer's key")


# --- round trips ---


def _is_label(text: str) -> bool:
    try:
        check_text(text, max_chars=18, max_bytes=18, empty=True)
    except TextError:
        return False
    return True


accounts = st.integers(1, 2**63 - 1)
u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**63 - 1)
seconds = st.integers(1, 2**32 - 1)


def blob(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


labels = st.text(max_size=18).filter(_is_label)
requests = st.builds(Request, blob(4), accounts, blob(8), u32, u32, labels, st.just(TILL.id))
ids_ = blob(16).filter(any)
units = st.from_regex(r"[A-Z][A-Z0-9]{1,7}", fullmatch=True)
amounts = st.integers(1, MAX_AMOUNT)
purposes = st.sampled_from(
    [(Purpose.PAYMENT, NO_REFERENCE), (Purpose.PAYMENT, b"x" * 16), (Purpose.REFUND, b"x" * 16)]
) | (st.just((Purpose.RECONVERSION, NO_REFERENCE)))
orders = st.builds(
    lambda purpose, network, id_, payer, payee, amount, unit, end: Order(
        network, purpose[0], id_, payer, payee, amount, unit, end, purpose[1]
    ),
    *(purposes, blob(4), ids_, accounts, accounts, amounts, units, seconds),
)
receipts = st.builds(Receipt, blob(4), blob(32), blob(16), u64, u64, u64, blob(32))


@given(requests)
def test_requests_come_back(request: Request) -> None:
    signed = request.sign(TILL)
    assert 98 <= len(signed.raw) == 98 + len(request.label.encode()) <= 116
    assert 157 <= len(signed.text) <= 186
    again = SignedRequest.parse(signed.text)
    assert again == signed and again.text == signed.text
    again.verify(request.network, TILL.public)


@given(orders)
def test_orders_come_back(order: Order) -> None:
    signed = order.sign(WALLET)
    assert (len(signed.raw), len(signed.text)) == (166, 266)
    again = SignedOrder.parse(signed.text)
    assert again == signed and again.text == signed.text
    again.verify(order.network)


@given(receipts)
def test_receipts_come_back(receipt: Receipt) -> None:
    signed = receipt.sign(CURRENCY)
    assert (len(signed.raw), len(signed.text)) == (173, 277)
    again = SignedReceipt.parse(signed.text)
    assert again == signed and again.text == signed.text
    again.verify(receipt.network, CURRENCY.public)


@settings(max_examples=300)
@given(st.sampled_from(sorted(PARSERS)), st.binary(min_size=90, max_size=180), st.integers(0, 4))
def test_what_is_read_is_written_the_same(kind: str, raw: bytes, tag: int) -> None:
    """Random bytes are refused with the one error, or read and written back unchanged."""
    text = ids.b32encode(bytes([tag]) + raw)
    try:
        signed = PARSERS[kind](text)
    except MessageError:
        return
    assert signed.text == text


# --- attacks ---


@pytest.mark.parametrize("kind", PARSERS)
def test_every_flipped_bit_is_refused(kind: str) -> None:
    raw = SIGNED[kind].raw
    verify(SIGNED[kind])
    number = int.from_bytes(raw, "big")
    for bit in range(len(raw) * 8):
        text = ids.b32encode((number ^ 1 << bit).to_bytes(len(raw), "big"))
        with pytest.raises(MessageError):
            verify(PARSERS[kind](text))


@pytest.mark.parametrize("kind", PARSERS)
def test_every_truncation_and_every_trailing_byte_is_refused(kind: str) -> None:
    signed = SIGNED[kind]
    cut = [signed.text[:end] for end in range(len(signed.text))]
    cut += [ids.b32encode(signed.raw[:end]) for end in range(len(signed.raw))]
    longer = [signed.text + char for char in ids.ALPHABET]
    longer += [ids.b32encode(signed.raw + bytes([byte])) for byte in range(256)]
    longer += [ids.b32encode(bytes([byte]) + signed.raw) for byte in range(256)]
    longer += [signed.text * 2, signed.text * 100_000]
    for text in cut + longer:
        with pytest.raises(MessageError) as error:
            PARSERS[kind](text)
        assert error.value.code == "message_malformed"


@pytest.mark.parametrize("kind", PARSERS)
def test_every_changed_character_is_refused(kind: str) -> None:
    text = SIGNED[kind].text
    for place, right in enumerate(text):
        for wrong in (ids.ALPHABET[ids.ALPHABET.index(right) ^ 1], "0" if right != "0" else "Z", "O", "\u0660", " "):
            with pytest.raises(MessageError):
                verify(PARSERS[kind](text[:place] + wrong + text[place + 1 :]))


@pytest.mark.parametrize("kind", PARSERS)
def test_no_kind_passes_for_another(kind: str) -> None:
    """Neither the text nor the signature of one kind serves as another."""
    for other, parse in PARSERS.items():
        if other != kind:
            with pytest.raises(MessageError):
                parse(SIGNED[kind].text)
    body = ORDER.body()
    forged = SignedOrder(ORDER, WALLET.public, WALLET.sign(b"patard/request/1\0" + body))
    for order in (forged, SignedOrder(ORDER, WALLET.public, WALLET.sign(body))):
        with pytest.raises(MessageError) as error:
            order.verify(NETWORK)
        assert error.value.code == "signature_invalid"


@pytest.mark.parametrize("kind", PARSERS)
def test_another_currency_is_told_apart(kind: str) -> None:
    with pytest.raises(MessageError) as error:
        verify(SIGNED[kind], b"town")
    assert error.value.code == "message_wrong_network"
    assert b"town".hex() in error.value.detail and NETWORK.hex() in error.value.detail


def test_another_key_is_not_right() -> None:
    with pytest.raises(MessageError) as error:
        REQUEST.sign(TILL).verify(NETWORK, WALLET.public)
    assert error.value.code == "signature_invalid"
    with pytest.raises(MessageError) as error:
        RECEIPT.sign(CURRENCY).verify(NETWORK, WALLET.public)
    assert error.value.code == "signature_invalid"
    with pytest.raises(MessageError) as error:
        SignedOrder(ORDER, TILL.public, SIGNED["order"].signature).verify(NETWORK)
    assert error.value.code == "signature_invalid"
    with pytest.raises(ValueError, match="another key"):
        REQUEST.sign(WALLET)


def test_weak_and_malformed_keys_are_named() -> None:
    neutral = b"\x01" + bytes(31)
    with pytest.raises(MessageError) as error:
        SignedOrder(ORDER, neutral, neutral + bytes(32)).verify(NETWORK)
    assert error.value.code == "key_weak"
    with pytest.raises(MessageError) as error:
        SignedOrder(ORDER, b"\xff" * 32, bytes(64)).verify(NETWORK)
    assert error.value.code == "key_malformed"
    request = Request(NETWORK, 1, bytes(8), 1, 1, "", key_id(neutral))
    with pytest.raises(MessageError) as error:
        SignedRequest(request, neutral + bytes(32)).verify(NETWORK, neutral)
    assert error.value.code == "key_weak"


# --- meaning ---


def test_payment_ids_follow_from_the_whole_request() -> None:
    seen = {REQUEST.payment_id()}
    for change in (
        {"network": b"patb"},
        {"payee": 2},
        {"nonce": b"another1"},
        {"amount": 1251},
        {"expires_at": 1_800_000_001},
        {"label": "Table 5"},
        {"key_id": b"mine"},
    ):
        fields = {name: getattr(REQUEST, name) for name in Request.__slots__} | change
        seen.add(Request(**fields).payment_id())
    assert len(seen) == 8
    static = Request(NETWORK, 1, bytes(8), 0, 0, "", TILL.id)
    assert static.is_static and not REQUEST.is_static
    with pytest.raises(ValueError, match="static"):
        static.payment_id()


def test_the_last_second_counts() -> None:
    assert not REQUEST.is_expired(1_800_000_000) and REQUEST.is_expired(1_800_000_001)
    assert not ORDER.is_expired(1_800_000_000) and ORDER.is_expired(1_800_000_001)
    assert not Request(NETWORK, 1, bytes(8), 0, 0, "", TILL.id).is_expired(2**32)


def test_a_receipt_is_for_one_order() -> None:
    signed = RECEIPT.sign(CURRENCY)
    assert signed.is_for(ORDER)
    fields = {name: getattr(ORDER, name) for name in Order.__slots__}
    for change in (
        {"amount": 1251},
        {"network": b"patb"},
        {"id": b"i" * 16},
        {"payee": 1},
        {"reference": NO_REFERENCE},
    ):
        assert not signed.is_for(Order(**(fields | change)))
    lying = Receipt(NETWORK, ORDER.hash(), b"i" * 16, 41, 0, 42, b"R" * 32).sign(CURRENCY)
    assert not lying.is_for(ORDER)


@pytest.mark.parametrize(
    ("make", "change", "code"),
    [
        (REQUEST, {"network": b"pat"}, "message_malformed"),
        (REQUEST, {"network": "pata"}, "message_malformed"),
        (REQUEST, {"payee": 0}, "message_malformed"),
        (REQUEST, {"payee": 2**63}, "message_malformed"),
        (REQUEST, {"payee": True}, "message_malformed"),
        (REQUEST, {"nonce": bytes(7)}, "message_malformed"),
        (REQUEST, {"nonce": bytearray(8)}, "message_malformed"),
        (REQUEST, {"amount": -1}, "amount_out_of_range"),
        (REQUEST, {"amount": 2**32}, "amount_out_of_range"),
        (REQUEST, {"amount": 12.5}, "amount_out_of_range"),
        (REQUEST, {"amount": True}, "amount_out_of_range"),
        (REQUEST, {"expires_at": 2**32}, "message_malformed"),
        (REQUEST, {"expires_at": -1}, "message_malformed"),
        (REQUEST, {"label": "x" * 19}, "message_malformed"),
        (REQUEST, {"label": "é" * 10}, "message_malformed"),
        (REQUEST, {"label": "a\u202eb"}, "message_malformed"),
        (REQUEST, {"label": "\ud800"}, "message_malformed"),
        (REQUEST, {"key_id": bytes(5)}, "message_malformed"),
        (ORDER, {"purpose": 1}, "message_malformed"),
        (ORDER, {"id": bytes(16)}, "message_malformed"),
        (ORDER, {"id": b"x" * 15}, "message_malformed"),
        (ORDER, {"amount": 0}, "amount_out_of_range"),
        (ORDER, {"amount": 2**32}, "amount_out_of_range"),
        (ORDER, {"unit": "P"}, "message_malformed"),
        (ORDER, {"unit": "PATARDPAT"}, "message_malformed"),
        (ORDER, {"unit": "PTD\n"}, "message_malformed"),
        (ORDER, {"unit": "PTÉ"}, "message_malformed"),
        (ORDER, {"expires_at": 0}, "message_malformed"),
        (ORDER, {"reference": bytes(15)}, "message_malformed"),
        (ORDER, {"purpose": Purpose.REFUND, "reference": NO_REFERENCE}, "message_malformed"),
        (ORDER, {"purpose": Purpose.RECONVERSION}, "message_malformed"),
        (RECEIPT, {"order_hash": bytes(31)}, "message_malformed"),
        (RECEIPT, {"seq": -1}, "message_malformed"),
        (RECEIPT, {"size": 2**63}, "message_malformed"),
        (RECEIPT, {"root": bytes(33)}, "message_malformed"),
    ],
)
def test_constructors_refuse_what_no_reader_would_take(make: Any, change: dict[str, Any], code: str) -> None:
    fields = {name: getattr(make, name) for name in type(make).__slots__} | change
    with pytest.raises(MessageError) as error:
        type(make)(**fields)
    assert error.value.code == code


def test_an_amount_too_large_says_what_the_limit_is() -> None:
    with pytest.raises(MessageError, match="4294967295"):
        Request(NETWORK, 1, bytes(8), 5_000_000_000, 1, "", TILL.id)


@pytest.mark.parametrize("size", [0, 63, 65])
def test_signatures_and_keys_have_their_size(size: int) -> None:
    for make in (
        lambda: SignedRequest(REQUEST, bytes(size)),
        lambda: SignedOrder(ORDER, WALLET.public, bytes(size)),
        lambda: SignedOrder(ORDER, bytes(size), bytes(64)),
        lambda: SignedReceipt(RECEIPT, bytes(size)),
    ):
        with pytest.raises(MessageError):
            make()
