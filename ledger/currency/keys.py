"""Ed25519 keys: the devices that act for a party, and the currency's own signing key.

A thin layer over ``cryptography`` that adds what it leaves out. OpenSSL accepts a public key of small order, and
under such a key one signature can be right for any message, made by anybody: an order "signed" by it proves
nothing. So those keys are refused here, where keys enter the currency, and once more at every verification.

Keys are 32 bytes, signatures 64 (RFC 8032). A key id is the first 4 bytes of SHA-256 of the public key: enough to
find a key among those of one party, never enough to trust it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell

KEY_BYTES = 32
SHOWN = 16
"""Hex digits of a key that people see; the same in lists of pages and commands, and in what `check` says."""
SIGNATURE_BYTES = 64
KEY_ID_BYTES = 4

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_Y_BITS = 2**255 - 1

# The y of every encoding, canonical or not, of the 8 points whose order divides 8. The sign bit is left out: with
# these y it only picks among small-order points. The test derives the list from the curve's equation.
_SMALL_ORDER_Y = frozenset(
    (
        0,  # order 4
        1,  # order 1, the neutral point
        _P - 1,  # order 2
        _P,  # 0 written too large
        _P + 1,  # 1 written too large
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,  # order 8
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,  # order 8
    )
)


class KeyRefused(CurrencyError, ValueError):
    """A public key that the currency does not take. ``code`` is stable."""


class KeyMalformed(KeyRefused):
    """Not the one encoding of a point on the curve."""

    def __init__(self, detail: str) -> None:
        super().__init__("key_malformed", detail)


class KeyWeak(KeyRefused):
    """A point of small order: anybody can sign for it."""

    def __init__(self, detail: str) -> None:
        super().__init__("key_weak", detail)


def shown_key(key: bytes) -> str:
    """How people see a key, and type it: its first digits, enough to tell the devices of one party apart."""
    return key.hex()[:SHOWN]


def key_id(public: bytes) -> bytes:
    """The 4 bytes by which messages name a public key."""
    return hashlib.sha256(public).digest()[:KEY_ID_BYTES]


class PublicKey:
    """A public key that passed ``public_key``. Equal by value."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        _check(raw)
        self._raw = raw

    @property
    def raw(self) -> bytes:
        """The 32 bytes."""
        return self._raw

    @property
    def id(self) -> bytes:
        """The 4-byte key id."""
        return key_id(self._raw)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` (64 bytes) of ``message`` was made with this key's private half."""
        return verify(self._raw, signature, message)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self._raw == other._raw

    def __hash__(self) -> int:
        return hash(self._raw)

    def __repr__(self) -> str:
        return f"PublicKey({self._raw.hex()})"


class PrivateKey:
    """A private key. Its text form shows the public half only, so that it may stand in a log."""

    __slots__ = ("_key", "_public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public = key.public_key().public_bytes_raw()

    @classmethod
    def from_seed(cls, seed: bytes) -> PrivateKey:
        """The key of a 32-byte seed (RFC 8032 calls it the private key)."""
        if len(seed) != KEY_BYTES:
            raise ValueError(f"a seed has {KEY_BYTES} bytes, got {len(seed)}")
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    def seed(self) -> bytes:
        """The 32 secret bytes, for a key file or a backup."""
        return self._key.private_bytes_raw()

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public half."""
        return self._public

    @property
    def public_key(self) -> PublicKey:
        """The public half as an object."""
        return PublicKey(self._public)

    @property
    def id(self) -> bytes:
        """The 4-byte key id."""
        return key_id(self._public)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature; the same for the same message (RFC 8032), about 25 us without the GIL."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"PrivateKey(of {self._public.hex()})"


class PublicHalf(PrivateKey):
    """Where a private key belongs and only its public half is: for who reads what the key signed, and signs nothing."""

    __slots__ = ()

    def __init__(self, public: bytes) -> None:
        """Raises ``KeyMalformed`` or ``KeyWeak``."""
        self._public = PublicKey(public).raw

    def seed(self) -> bytes:
        """Raises ``CurrencyError``, key_absent."""
        raise _absent()

    def sign(self, message: bytes) -> bytes:
        """Raises ``CurrencyError``, key_absent."""
        raise _absent()


def _absent() -> CurrencyError:
    return CurrencyError(
        "key_absent", tell("only the public half of the currency's key is here: nothing can be signed")
    )


def public_key(raw: bytes) -> PublicKey:
    """Take in a public key from outside, where keys are registered. Raises ``KeyMalformed`` or ``KeyWeak``.

    Costs about 0.15 ms (it checks that the point lies on the curve). Points with a part of small order beside a part
    of large order are let in: only the holder of the private half can make those, to nobody's harm but their own.
    """
    return PublicKey(raw)


def verify(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` is ``key``'s over ``message``: about 80 us, most of it without the GIL.

    Never raises for bytes of any content or length: a weak or malformed key or signature is just not right.
    """
    parsed = _parsed(key)
    if parsed is None:
        return False
    try:
        parsed.verify(signature, message)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=16_384)
def _parsed(key: bytes) -> Ed25519PublicKey | None:
    """OpenSSL's form of a key, kept for the devices that pay often; ``None`` for a key that must not be used."""
    if len(key) != KEY_BYTES:
        return None
    y = int.from_bytes(key, "little") & _Y_BITS
    if y in _SMALL_ORDER_Y or y >= _P:
        return None
    return Ed25519PublicKey.from_public_bytes(key)


def _check(raw: bytes) -> None:
    if len(raw) != KEY_BYTES:
        raise KeyMalformed(
            tell("a public key has {needed} bytes, this one has {size}", needed=KEY_BYTES, size=len(raw))
        )
    y = int.from_bytes(raw, "little") & _Y_BITS
    if y in _SMALL_ORDER_Y:
        raise KeyWeak(tell("this public key is one of the points for which anybody can sign; make a new key"))
    if y >= _P:
        raise KeyMalformed(tell("this public key is not in its one allowed form"))
    # On the curve: x^2 = (y^2 - 1) / (d y^2 + 1) has a root. u/v and u*v are squares or not together. u is not 0
    # here (y = 1 and y = -1 were refused above) and v never is.
    uv = (y * y - 1) * (_D * y * y + 1) % _P
    if pow(uv, (_P - 1) // 2, _P) != 1:
        raise KeyMalformed(tell("this public key is not a point on the curve"))
