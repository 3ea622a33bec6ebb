"""Names of things: account numbers, transaction ids, and bytes written as text.

Everything here is pure. Clock and randomness are handed in by the caller, so that a run can be repeated
byte for byte.

* An *account number* is an ``int`` from 1 to 2**63 - 1. People see it as 13 Crockford base32 characters and
  one check character, ``XXXXX-XXXXX-XXXX``, which can be read out over the phone.
* A *transaction id* is 16 bytes: a UUIDv7 (RFC 9562) made from a time and random bytes, or a UUIDv8 derived
  from something outside the ledger, such as a bank's own reference.
* Signed messages travel as upper-case Crockford base32 without padding, one text for each run of bytes.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O (taken for digits) and no U."""

MAX_ACCOUNT_NUMBER = 2**63 - 1
ID_BYTES = 16

_DATA_CHARS = 13
_ALPHABET_BYTES = ALPHABET.encode()
_DIGIT = {char: value for value, char in enumerate(ALPHABET)}
# What a reader may type for a character that looks the same, and what is skipped: blanks and hyphens, also
# the non-breaking kinds that word processors and web pages put in their place.
_LOOKALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SKIPPED = str.maketrans(dict.fromkeys(" \t\r\n-\u00a0\u202f\u2010\u2011"))


class AccountNumberError(ValueError):
    """A text that is not an account number. ``code`` is ``account_malformed`` or ``account_check_wrong``."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


# --- account numbers -------------------------------------------------------------------------------------


def new_account_number(random8: bytes) -> int:
    """An account number from 8 random bytes (the top bit is cleared). ``ValueError`` on the one draw that gives 0."""
    if len(random8) != 8:
        raise ValueError(f"an account number is made from 8 random bytes, got {len(random8)}")
    number = int.from_bytes(random8, "big") & MAX_ACCOUNT_NUMBER
    if number == 0:
        raise ValueError("these random bytes give account number 0: draw again")
    return number


def account_text(number: int) -> str:
    """The one written form of an account number, ``XXXXX-XXXXX-XXXX``. ``ValueError`` out of 1..2**63-1."""
    if not 1 <= number <= MAX_ACCOUNT_NUMBER:
        raise ValueError(f"an account number is from 1 to 2**63 - 1, got {number}")
    digits = [(number >> shift) & 31 for shift in range(5 * (_DATA_CHARS - 1), -1, -5)]
    text = "".join([ALPHABET[digit] for digit in digits]) + ALPHABET[_check_digit(digits)]
    return f"{text[:5]}-{text[5:10]}-{text[10:]}"


def account_number(text: str) -> int:
    """Read an account number as a person writes it: any case, O for 0, I or L for 1, blanks and hyphens anywhere.

    Raises ``AccountNumberError``: ``account_malformed`` when it cannot be one, ``account_check_wrong`` when its check
    character shows a mistake (every single wrong character and every swap of two is found).
    """
    # Cap before work, and refuse non-ASCII before upper(): some foreign letters turn into ASCII ones there.
    if len(text) > 64:
        raise AccountNumberError("account_malformed", "an account number has 14 characters; this text is far longer")
    plain = text.translate(_SKIPPED)
    if not plain.isascii():
        raise AccountNumberError("account_malformed", "an account number has only digits and the letters A to Z")
    plain = plain.upper().translate(_LOOKALIKE)
    wrong = next((char for char in plain if char not in _DIGIT), None)
    if wrong is not None:
        raise AccountNumberError("account_malformed", f"the character {wrong!r} does not occur in account numbers")
    if len(plain) != _DATA_CHARS + 1:
        raise AccountNumberError("account_malformed", f"an account number has 14 characters, this one has {len(plain)}")
    digits = [_DIGIT[char] for char in plain]
    if _check_digit(digits[:-1]) != digits[-1]:
        raise AccountNumberError("account_check_wrong", "there is a mistake in this account number: read it once more")
    number = 0
    for digit in digits[:-1]:
        number = number << 5 | digit
    if not 1 <= number <= MAX_ACCOUNT_NUMBER:
        raise AccountNumberError("account_malformed", "this account number is out of range")
    return number


def times_alpha(value: int) -> int:
    """Multiply by x in GF(32) = GF(2)[x] / (x^5 + x^2 + 1)."""
    value <<= 1
    return value ^ 0b100101 if value & 32 else value


def _weight_rows() -> tuple[tuple[int, ...], ...]:
    """Row i holds alpha^(i+1) * d for each digit d."""
    rows: list[tuple[int, ...]] = []
    row = tuple(range(32))
    for _ in range(_DATA_CHARS):
        row = tuple(times_alpha(value) for value in row)
        rows.append(row)
    return tuple(rows)


_WEIGHTED = _weight_rows()


def _check_digit(digits: list[int]) -> int:
    """Sum over GF(32) of alpha^(i+1) * digit i.

    The weights are distinct, none is 0, and none is 1 (the weight of the check character itself): hence a single
    wrong digit, or two digits swapped wherever they stand, always changes the sum.
    """
    check = 0
    for row, digit in zip(_WEIGHTED, digits, strict=True):
        check ^= row[digit]
    return check


# --- transaction ids -------------------------------------------------------------------------------------


def uuid7(at_us: int, random10: bytes) -> bytes:
    """A time-ordered id (UUIDv7): the milliseconds of ``at_us`` (microseconds since the epoch), then 74 random bits."""
    if len(random10) != 10:
        raise ValueError(f"an id is made from 10 random bytes, got {len(random10)}")
    return _versioned(_milliseconds(at_us) + random10, 7)


def timed_id(at_us: int, digest10: bytes) -> bytes:
    """An id (UUIDv8) that follows from something with a time: its milliseconds, then 74 bits of a digest of it."""
    if len(digest10) != 10:
        raise ValueError(f"a timed id is made from 10 bytes of a digest, got {len(digest10)}")
    return _versioned(_milliseconds(at_us) + digest10, 8)


def is_fresh(id_: bytes) -> bool:
    """Whether an id is one that a caller makes (UUIDv7), and none that follows from something (UUIDv8).

    Ids that follow from public things can be worked out by anybody. Were callers free to use them, a payment of one
    cent could take the id of a bank line, a revocation or another payer's code, and shut them out for good.
    """
    return id_[6] >> 4 == 7 and id_[8] >> 6 == 2


def _milliseconds(at_us: int) -> bytes:
    at_ms = at_us // 1000
    if not 0 <= at_ms < 1 << 48:
        raise ValueError(f"the time {at_us} us does not fit an id")
    return at_ms.to_bytes(6, "big")


def derived_id(domain: str, *parts: bytes | str) -> bytes:
    """An id (UUIDv8) that follows from ``parts``: the same parts give the same id, so a bank line imports once.

    The domain and the parts are hashed with SHA-256, each after its length in 4 bytes, so that no two lists of parts
    run into each other. Text counts as its UTF-8 bytes.
    """
    state = hashlib.sha256()
    for part in (domain, *parts):
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(4, "big"))
        state.update(data)
    return _versioned(state.digest()[:ID_BYTES], 8)


def _versioned(sixteen: bytes, version: int) -> bytes:
    """Put the version and variant bits of RFC 9562 in their places."""
    value = bytearray(sixteen)
    value[6] = value[6] & 0x0F | version << 4
    value[8] = value[8] & 0x3F | 0x80
    return bytes(value)


# --- bytes as text ---------------------------------------------------------------------------------------

# int() reads base 32 in C and in linear time, but with the digits 0-9A-V.
_TO_INT_DIGITS = bytes.maketrans(_ALPHABET_BYTES, b"0123456789ABCDEFGHIJKLMNOPQRSTUV")
_TO_ALPHABET = _ALPHABET_BYTES + bytes(256 - 32)
# Longer data are written block by block: a whole number of characters each, and the masks stay small.
_BLOCK_BYTES = 320


def b32encode(data: bytes) -> str:
    """Upper-case Crockford base32 without padding; the bits left over in the last character are 0."""
    if len(data) > _BLOCK_BYTES:
        return "".join([b32encode(data[at : at + _BLOCK_BYTES]) for at in range(0, len(data), _BLOCK_BYTES)])
    chars = (len(data) * 8 + 4) // 5
    value = int.from_bytes(data, "big") << (chars * 5 - len(data) * 8)
    # Spread the 5-bit groups to bytes in log2(chars) steps on one big int: ten times as fast as the loop of
    # base64.b32encode, and a receipt is written for every payment.
    for low, high, shift in _spread_steps(chars):
        value = value & low | (value & high) << shift
    return value.to_bytes(chars, "big").translate(_TO_ALPHABET).decode("ascii")


def b32decode(text: str) -> bytes:
    """The bytes that ``b32encode`` turns into exactly ``text``. Strict: ``ValueError`` for every other text."""
    if not text.isascii():
        raise ValueError("only digits and upper-case letters are allowed")
    raw = text.encode("ascii")
    wrong = raw.translate(None, _ALPHABET_BYTES)
    if wrong:
        raise ValueError(f"the character {chr(wrong[0])!r} is not allowed (upper case only, no I, L, O, U)")
    size, spare_bits = divmod(len(raw) * 5, 8)
    if spare_bits >= 5:
        raise ValueError(f"a text of {len(raw)} characters holds no whole number of bytes")
    if not raw:
        return b""
    value = int(raw.translate(_TO_INT_DIGITS), 32)
    if value & ((1 << spare_bits) - 1):
        raise ValueError("the last character is not in its one allowed form")
    return (value >> spare_bits).to_bytes(size, "big")


@lru_cache(maxsize=64)
def _spread_steps(chars: int) -> tuple[tuple[int, int, int], ...]:
    """Masks and shifts that move ``chars`` 5-bit groups, packed from the low end, to one byte each.

    Each step halves the blocks: what was a block of 2k groups becomes two blocks of k, the upper one moved up by the
    3k bits that its new place needs.
    """
    steps = []
    half = 1
    while half * 2 < chars:
        half *= 2
    while half >= 1 and chars > 1:
        low = high = 0
        ones = (1 << 5 * half) - 1
        for start in range(0, chars, half * 2):
            low |= ones << 8 * start
            high |= ones << 8 * start + 5 * half
        steps.append((low, high, 3 * half))
        half //= 2
    return tuple(steps)
