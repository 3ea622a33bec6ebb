"""Caps a party: how many devices it has, how fast they join, what they may hold open.

One party must not make all others wait, whatever its devices do. These are no rules of a currency but bounds of what
one server carries, so they stand here and in no charter: a shop has a device a counter and some at home, the
association one for each of its people and their browsers. Whoever has more already keeps what there is.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select

from ledger.core.model import Posted
from ledger.currency import clocked
from ledger.currency.charter import PartyKind
from ledger.currency.errors import CurrencyError
from ledger.currency.tables import DEVICE_KEY, SESSION
from ledger.currency.told import tell
from ledger.currency.town import Town

HOUR = 3_600_000_000
"""Microseconds."""
SESSIONS_PER_KEY = 8
"""A device has one; a wallet whose line broke leaves another behind."""
STREAMS_PER_KEY = 8
"""The screens of one device: a till has one. A line that broke leaves its stream behind for a while."""
STREAMS_PER_PARTY = 24
STREAMS = 2_000
"""Of one server: half of the connections that it takes."""


class Caps(NamedTuple):
    """Of one party: keys that act, keys that join in an hour, sessions."""

    keys: int
    joins: int
    sessions: int


OFFICE = Caps(50, 50, 100)
OTHERS = Caps(20, 20, 40)


def of(kind: str) -> Caps:
    """The caps of a party of that kind."""
    return OFFICE if kind == PartyKind.ASSOCIATION else OTHERS


def require_room(town: Town, connection: Connection, party: bytes, kind: str, posted: Posted) -> None:
    """Raise `CurrencyError` unless one more key can join this party with the entry `posted`.

    Asked within the commit that adds the key, or many at once would all find room. Codes: keys_too_many,
    joins_too_many.
    """
    caps, key = of(kind), DEVICE_KEY.c
    mine = select(func.count()).select_from(DEVICE_KEY).where(key.party == party)
    if connection.execute(mine.where(key.revoked_at.is_(None))).scalar_one() >= caps.keys:
        raise CurrencyError(
            "keys_too_many",
            tell("this party has {keys} devices, which is the most: revoke one that is not used", keys=caps.keys),
        )
    now = clocked.judged(town, posted)
    hour = clocked.since(town, now, now - HOUR)
    if connection.execute(mine.where(key.added_at > hour)).scalar_one() >= caps.joins:
        raise CurrencyError("joins_too_many", tell("{joins} devices of this party have joined in an hour; wait a while",
                                                   joins=caps.joins))  # fmt: skip


def make_room(connection: Connection, key: bytes, party: bytes, kind: str) -> None:
    """End the oldest sessions of a device and of its party, where one more would be too many."""
    session = SESSION.c
    of_key = select(session.token_hash).where(session.key == key)
    of_party = (
        select(session.token_hash).join(DEVICE_KEY, DEVICE_KEY.c.key == session.key).where(DEVICE_KEY.c.party == party)
    )
    for mine, most in ((of_key, SESSIONS_PER_KEY), (of_party, of(kind).sessions)):
        newest_first = mine.order_by(session.expires_at.desc(), session.token_hash)
        connection.execute(delete(SESSION).where(session.token_hash.in_(newest_first.offset(most - 1))))
