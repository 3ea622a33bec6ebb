"""Reading sessions: a device key signs a challenge and gets an opaque token, of which only the hash is kept.

A challenge is stateless: its first 4 bytes are its last second, 12 are random, 16 authenticate both. It opens
one session; the few that are still good are remembered once used. A session's row is sealed (`seals`): one that this
server did not make opens nothing.

People read while the clock is wrong and nothing is posted. So sessions go by what it would say (`clocked.moment`).
"""

from __future__ import annotations

import hmac
import threading
from collections import OrderedDict
from collections.abc import Collection
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select

from ledger.core.clock import SECOND
from ledger.currency import caps, clocked, parties, proofs, seals
from ledger.currency.errors import CurrencyError
from ledger.currency.messages import MessageError
from ledger.currency.parties import DeviceKey
from ledger.currency.tables import DEVICE_KEY, SESSION
from ledger.currency.told import tell
from ledger.currency.town import Town

CHALLENGE_SECONDS = 120
MAX_USED = 100_000
"""Used challenges that are remembered: of registered keys only, and 120 seconds' worth of them."""
TOKEN_BYTES = 32
AT_ONCE = 500
_APART = 3_600 * SECOND
"""How much a clock that is right may be put back while a session goes on (us)."""


class Session(NamedTuple):
    """A token to send as Bearer, and its end (us)."""

    token: str
    expires_at: int


class Sessions:
    """Opens and finds the sessions of one town."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self._secret = sha256(b"patard/challenge/1\0" + town.key.seed()).digest()
        self._used: OrderedDict[bytes, int] = OrderedDict()
        self._lock = threading.Lock()
        # Built once: it is asked with every request.
        self._device = (
            parties.keys_of()
            .add_columns(SESSION.c.expires_at, SESSION.c.seal)
            .join(SESSION, SESSION.c.key == DEVICE_KEY.c.key)
            .where(
                SESSION.c.token_hash == bindparam("token_hash"),
                SESSION.c.expires_at.between(bindparam("now"), bindparam("furthest")),
                DEVICE_KEY.c.revoked_at.is_(None),
            )
        )  # fmt: skip

    def challenge(self) -> tuple[bytes, int]:
        """32 bytes to sign, and their last second."""
        expires_at = clocked.moment(self.town) // 1_000_000 + CHALLENGE_SECONDS
        start = expires_at.to_bytes(4) + self.town.book.entropy(12)
        return start + self._seal(start), expires_at

    def open(self, key: bytes, challenge: bytes, signature: bytes) -> Session:
        """A session for the holder of `key`; the oldest ends where it or its party has too many (see `caps`).

        Raises `CurrencyError`: signature_invalid, key_unknown.
        """
        now = clocked.moment(self.town)
        stale = CurrencyError(
            "signature_invalid", tell("this challenge is not ours, was used, or is too old; ask for a new one")
        )
        if len(challenge) != 32 or not hmac.compare_digest(self._seal(challenge[:16]), challenge[16:]):
            raise stale
        try:
            proofs.verify_session(self.town.charter.network, key, challenge, signature)
        except MessageError as error:
            raise CurrencyError("signature_invalid", error.detail) from error
        if int.from_bytes(challenge[:4]) < now // 1_000_000:
            raise stale
        device = parties.find_device(self.town, key)
        if device is None or device.revoked_at is not None:
            raise CurrencyError("key_unknown", tell("this key is not registered with the currency, or was revoked"))
        if not self._use(challenge):
            raise stale
        party = parties.by_account(self.town, device.account)
        token = self.town.book.entropy(TOKEN_BYTES).hex()
        expires_at = now + self._longest()
        with self.town.book.store.writing() as store:
            store.connection.execute(delete(SESSION).where(SESSION.c.expires_at < clocked.over(store, now)))
            caps.make_room(store.connection, key, device.party, party.kind)
            store.connection.execute(
                insert(SESSION).values(
                    token_hash=_hash(token), key=key, expires_at=expires_at,
                    seal=seals.of_session(self.town.key, _hash(token), key, expires_at),
                )
            )  # fmt: skip
        return Session(token, expires_at)

    def find(self, token: str) -> DeviceKey:
        """The device whose session this is. Raises `CurrencyError`: session_missing."""
        hashed = _hash(token)
        with self.town.reading() as connection:
            now, furthest = self._ends()
            row = connection.execute(self._device, {"token_hash": hashed, "now": now, "furthest": furthest}).first()
        if row is None or not seals.is_right(
            row.seal, seals.of_session(self.town.key, hashed, row.key, row.expires_at)
        ):
            raise CurrencyError("session_missing", tell("this session has ended; sign a new challenge"))
        return DeviceKey(*row[: len(DeviceKey._fields)])

    def standing(self, tokens: Collection[str]) -> set[str]:
        """Those of many tokens whose session goes on, asked for all of them at once."""
        by_hash = {_hash(token): token for token in tokens}
        query = (
            select(SESSION.c.token_hash)
            .join(DEVICE_KEY, DEVICE_KEY.c.key == SESSION.c.key)
            .where(SESSION.c.expires_at.between(*self._ends()), DEVICE_KEY.c.revoked_at.is_(None))
        )
        hashes, found = sorted(by_hash), set[str]()
        with self.town.reading() as connection:
            for start in range(0, len(hashes), AT_ONCE):
                some = query.where(SESSION.c.token_hash.in_(hashes[start : start + AT_ONCE]))
                found |= {by_hash[hashed] for hashed in connection.scalars(some)}
        return found

    def end(self, token: str) -> None:
        """End a session; one that has ended stays so."""
        with self.town.book.store.writing() as store:
            store.connection.execute(delete(SESSION).where(SESSION.c.token_hash == _hash(token)))

    def _longest(self) -> int:
        return self.town.charter.limits.session_hours * 3_600_000_000

    def _ends(self) -> tuple[int, int]:
        """When a session that goes on ends at the earliest and at the latest: a later one is of a wrong clock."""
        now = clocked.moment(self.town)
        return now, now + self._longest() + _APART

    def _use(self, challenge: bytes) -> bool:
        """Whether `challenge` is used for the first time; it is remembered while it would be good."""
        steady = self.town.steady()
        with self._lock:
            # By a clock that nobody sets: one look at a wrong one would forget them all.
            while self._used and next(iter(self._used.values())) <= steady:
                self._used.popitem(last=False)
            if challenge in self._used:
                return False
            if len(self._used) >= MAX_USED:
                raise CurrencyError("busy", tell("too many sessions are opened at this moment; try again in a minute"))
            self._used[challenge] = steady + (CHALLENGE_SECONDS + 1) * SECOND
            return True

    def _seal(self, start: bytes) -> bytes:
        return hmac.digest(self._secret, start, "sha256")[:16]


def _hash(token: str) -> bytes:
    return sha256(b"patard/session-token/1\0" + token.encode()).digest()
