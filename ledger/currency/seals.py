"""Seals of rows: what whoever can write to the database, and has not the currency's key, cannot make.

A row of a session or an invitation opens something by itself. Its seal is a MAC over all that it opens, under a secret
that follows from the currency's key; a row without its right seal opens nothing, and `check` names it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from ledger.currency.keys import PrivateKey

SESSION = b"patard/session-seal/1\0"
INVITE = b"patard/invite-seal/1\0"
_INVITED = ("code_hash", "party", "role", "made_by", "person", "expires_at")


def seal(key: PrivateKey, what: bytes, *content: bytes | str | int | None) -> bytes:
    """The 32-byte seal of a row of that kind. `key` is the currency's."""
    secret = sha256(what + key.seed()).digest()
    # Each value with its length, so that none runs into the next; None is not the empty text.
    values = b"".join(_sized(value) for value in content)
    return hmac.digest(secret, values, "sha256")


def of_session(key: PrivateKey, token_hash: bytes, device: bytes, expires_at: int) -> bytes:
    """The seal of a session's row."""
    return seal(key, SESSION, token_hash, device, expires_at)


def of_invite(key: PrivateKey, row: Mapping[Any, Any]) -> bytes:
    """The seal of an invitation's row, over all that it lets in."""
    return seal(key, INVITE, *(row[name] for name in _INVITED))


def lets_in(key: PrivateKey, row: Mapping[Any, Any], device: bytes) -> bool:
    """Whether an invitation is this device's already, or nobody's yet and made by this server."""
    if row["used_by"] is not None:
        return bool(row["used_by"] == device)
    return is_right(row["seal"], of_invite(key, row))


def is_right(found: bytes | None, right: bytes) -> bool:
    """Whether a row has its seal."""
    return found is not None and hmac.compare_digest(found, right)


def _sized(value: bytes | str | int | None) -> bytes:
    if value is None:
        return b"\xff" * 4
    if isinstance(value, int):
        value = str(value)
    raw = value.encode() if isinstance(value, str) else value
    return len(raw).to_bytes(4) + raw
