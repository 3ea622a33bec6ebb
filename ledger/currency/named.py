"""The keys that orders and requests name, looked up among all there are: a key by itself, a till by the 4 bytes of it
that a request carries. A payee may have had thousands of keys; only those that are named are looked at.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, insert, select

from ledger.currency import parties
from ledger.currency.keys import key_id
from ledger.currency.parties import DeviceKey
from ledger.currency.tables import DEVICE_KEY, HOLDING, KEY_NAME, PARTY
from ledger.currency.town import Town

# Built once: it is asked with every batch of orders.
_NAMED = parties.keys_of().where(
    DEVICE_KEY.c.key.in_(bindparam("keys", expanding=True))
    | DEVICE_KEY.c.key.in_(
        select(KEY_NAME.c.key).where(
            KEY_NAME.c.id.in_(bindparam("ids", expanding=True)),
            KEY_NAME.c.account.in_(bindparam("accounts", expanding=True)),
        )
    )
)


def find(connection: Connection, keys: Collection[bytes], tills: Collection[tuple[int, bytes]]) -> list[DeviceKey]:
    """The keys `keys`, and those that `tills` names (account, key id), revoked ones too, in one statement.

    Two tills of one batch may name keys of each other's by chance: whose a key is, stands in it.
    """
    accounts, ids = {account for account, _id in tills}, {id_ for _account, id_ in tills}
    given = {"keys": sorted(keys), "ids": sorted(ids), "accounts": sorted(accounts)}
    return [DeviceKey(*row) for row in connection.execute(_NAMED, given)]


def add(connection: Connection, account: int, key: bytes) -> None:
    """Let `key`, which joins now, be found by its name."""
    connection.execute(insert(KEY_NAME).values(id=key_id(key), account=account, key=key))


def acting_keys(town: Town, kinds: frozenset[str]) -> dict[int, list[bytes]]:
    """The keys that act now for each account of the parties of those kinds, in the order of their bytes."""
    query = (
        select(HOLDING.c.account, DEVICE_KEY.c.key)
        .join(HOLDING, HOLDING.c.party == DEVICE_KEY.c.party)
        .join(PARTY, PARTY.c.id == DEVICE_KEY.c.party)
        .where(PARTY.c.kind.in_(sorted(kinds)), DEVICE_KEY.c.revoked_at.is_(None))
        .order_by(DEVICE_KEY.c.key)
    )
    found: dict[int, list[bytes]] = {}
    with town.reading() as connection:
        for account, key in connection.execute(query):
            found.setdefault(account, []).append(key)
    return found
