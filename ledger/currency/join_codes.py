"""Join codes: one-time codes with which a device joins a party. Pure.

Whoever invites makes the code and signs its hash; the server keeps the hash only.
"""

from __future__ import annotations

from hashlib import sha256

from ledger.core.ids import b32encode

CODE_BYTES = 6
"""A join code has 48 random bits, lives for days at most, and tries at it are limited."""
_LOOKALIKE = str.maketrans({"-": None, " ": None, "O": "0", "I": "1", "L": "1"})


def code_of(entropy: bytes) -> str:
    """The ten characters that CODE_BYTES random bytes make."""
    return b32encode(entropy)


def code_hash(code: str) -> bytes:
    """What is kept of a code, and what a device that invites signs: 32 bytes."""
    return sha256(b"patard/invite/1\0" + code.encode()).digest()


def plain_code(text: str) -> str:
    """A join code as it was made, from what a person typed: case, blanks, hyphens and look-alikes do not matter."""
    return text.upper().translate(_LOOKALIKE)


def shown_code(code: str) -> str:
    """A join code as it is shown: two groups of five."""
    return f"{code[:5]}-{code[5:]}"
