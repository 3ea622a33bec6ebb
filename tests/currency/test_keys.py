"""Keys: RFC 8032 vectors, and every encoding of every small-order point refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.currency import keys
from ledger.currency.keys import KeyMalformed, KeyRefused, KeyWeak, PrivateKey, public_key, verify

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
L = 2**252 + 27742317777372353535851937790883648493

# RFC 8032, section 7.1: seed, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]

# All 14 encodings of the 8 points of small order (sign bit set or not), little-endian hex as on the wire.
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",  # order 1
    "0100000000000000000000000000000000000000000000000000000000000080",  # order 1, "minus zero"
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # order 2
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  # order 2, "minus zero"
    "0000000000000000000000000000000000000000000000000000000000000000",  # order 4
    "0000000000000000000000000000000000000000000000000000000000000080",  # order 4
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  # order 8
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",  # order 8
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",  # order 8
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",  # order 8
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # order 4, y = p
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  # order 4, y = p
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # order 1, y = p + 1
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  # order 1, y = p + 1
]

Point = tuple[int, int]


def add(a: Point, b: Point) -> Point:
    """Affine addition on the twisted Edwards curve, straight from RFC 8032."""
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2
    return (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P


def x_of(y: int, sign: int) -> int | None:
    """The x of a y, or None off the curve."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        return None
    return P - x if x & 1 != sign and x else x


def is_small(point: Point) -> bool:
    for _ in range(3):
        point = add(point, point)
    return point == (0, 1)


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_rfc_8032(seed: str, public: str, message: str, signature: str) -> None:
    key = PrivateKey.from_seed(bytes.fromhex(seed))
    text = bytes.fromhex(message)
    assert key.seed().hex() == seed
    assert key.public.hex() == public
    assert key.sign(text).hex() == signature
    assert verify(key.public, bytes.fromhex(signature), text)
    assert key.public_key.verify(bytes.fromhex(signature), text)
    assert not verify(key.public, bytes.fromhex(signature), text + b"!")


@pytest.mark.parametrize("encoding", SMALL_ORDER)
def test_small_order_keys_are_refused(encoding: str) -> None:
    raw = bytes.fromhex(encoding)
    with pytest.raises(KeyWeak) as error:
        public_key(raw)
    assert error.value.code == "key_weak"
    # The forgery that this is about: R = the key's own point, S = 0 is "signed" for about one message in eight.
    assert not any(verify(raw, raw + bytes(32), bytes([n])) for n in range(64))


def test_the_library_alone_would_accept_forgeries() -> None:
    """Why we refuse: if this ever fails, the library has learnt to refuse by itself, and nothing is lost."""
    neutral = bytes.fromhex(SMALL_ORDER[0])
    Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b"pay a stranger everything")
    assert not verify(neutral, neutral + bytes(32), b"pay a stranger everything")


def test_the_list_holds_every_encoding_of_every_small_order_point() -> None:
    # A point of order 8: any point of the curve times L has small order; the largest such orders are 8.
    point: Point = (0, 1)
    y = 2
    while True:
        x = x_of(y, 0)
        if x is not None:
            base, point, scalar = (x, y), (0, 1), L
            while scalar:
                if scalar & 1:
                    point = add(point, base)
                base, scalar = add(base, base), scalar >> 1
            if add(add(point, point), add(point, point)) != (0, 1):
                break
        y += 1
    points = {(0, 1)}
    while len(points) < 8:
        points |= {add(one, point) for one in points}
    found = set()
    for x, y in points:
        for written in (y, y + P):
            for sign in (0, 1):
                if written < 2**255 and (x == 0 or x & 1 == sign):
                    found.add((written | sign << 255).to_bytes(32, "little").hex())
    assert found == set(SMALL_ORDER)
    assert {int.from_bytes(bytes.fromhex(one), "little") & 2**255 - 1 for one in found} == keys._SMALL_ORDER_Y


def test_every_y_that_is_too_large_is_refused() -> None:
    for y in range(P, 2**255):
        for sign in (0, 1):
            raw = (y | sign << 255).to_bytes(32, "little")
            with pytest.raises(KeyRefused):
                public_key(raw)
            assert not verify(raw, bytes(64), b"")


@settings(deadline=None)
@given(st.integers(0, 2**256 - 1))
def test_a_key_is_taken_when_it_is_on_the_curve_and_of_large_order(number: int) -> None:
    raw = number.to_bytes(32, "little")
    y, sign = number & 2**255 - 1, number >> 255
    x = x_of(y, sign) if y < P else None
    try:
        taken = public_key(raw)
    except KeyRefused as error:
        assert x is None or is_small((x, y)), error
    else:
        assert x is not None and not is_small((x, y))
        assert taken.raw == raw


@pytest.mark.parametrize("size", [0, 1, 31, 33, 64])
def test_wrong_sizes(size: int) -> None:
    with pytest.raises(KeyMalformed) as error:
        public_key(bytes(size))
    assert error.value.code == "key_malformed"
    assert not verify(bytes(size), bytes(64), b"")
    with pytest.raises(ValueError, match="seed"):
        PrivateKey.from_seed(bytes(size))


def test_signatures_of_any_other_length_or_with_a_large_s_are_wrong() -> None:
    key = PrivateKey.from_seed(bytes(range(32)))
    signature = key.sign(b"message")
    assert verify(key.public, signature, b"message")
    for size in (0, 1, 32, 63, 65, 128):
        assert not verify(key.public, (signature * 2)[:size], b"message")
    # S + L is the same number to a careless verifier: a second signature for the same message.
    other = int.from_bytes(signature[32:], "little") + L
    assert not verify(key.public, signature[:32] + other.to_bytes(32, "little"), b"message")


def test_every_flipped_bit_of_key_signature_or_message_fails() -> None:
    key = PrivateKey.from_seed(b"\x07" * 32)
    message = b"amount 1250"
    signature = key.sign(message)

    def flips(data: bytes) -> list[bytes]:
        number = int.from_bytes(data, "big")
        return [(number ^ 1 << bit).to_bytes(len(data), "big") for bit in range(len(data) * 8)]

    assert not any(verify(key.public, one, message) for one in flips(signature))
    assert not any(verify(key.public, signature, one) for one in flips(message))
    assert not any(verify(one, signature, message) for one in flips(key.public))


def test_key_ids() -> None:
    key = PrivateKey.from_seed(bytes(range(32)))
    assert key.public.hex() == "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
    assert key.id == key.public_key.id == keys.key_id(key.public)
    assert key.id.hex() == "56475aa7"


def test_text_forms_show_no_secret() -> None:
    key = PrivateKey.from_seed(b"\x2a" * 32)
    for text in (repr(key), str(key), f"{key}"):
        assert key.seed().hex() not in text and repr(key.seed()) not in text
        assert key.public.hex() in text
    assert repr(key.public_key) == f"PublicKey({key.public.hex()})"


def test_public_keys_are_equal_by_value() -> None:
    one, same = (PrivateKey.from_seed(bytes(32)).public_key for _ in range(2))
    other = PrivateKey.from_seed(bytes(31) + b"\x01").public_key
    assert one == same and hash(one) == hash(same)
    assert one not in (other, one.raw)
