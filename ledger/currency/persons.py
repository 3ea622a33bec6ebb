"""Which person holds a key of the association: what takes two people needs to know whose keys are whose."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from ledger.currency.tables import HOLDING, KEY_PERSON, PARTY


def person_of(connection: Connection, key: bytes) -> int | None:
    """The account of the person who holds `key`; None where nobody said so."""
    return connection.execute(select(KEY_PERSON.c.person).where(KEY_PERSON.c.key == key)).scalar()


def persons_of(connection: Connection, keys: Iterable[bytes]) -> dict[bytes, tuple[int, str]]:
    """Account and name of the persons who hold those keys, by key."""
    query = (
        select(KEY_PERSON.c.key, KEY_PERSON.c.person, PARTY.c.name)
        .join(HOLDING, HOLDING.c.account == KEY_PERSON.c.person)
        .join(PARTY, PARTY.c.id == HOLDING.c.party)
        .where(KEY_PERSON.c.key.in_(sorted(keys)))
    )
    return {key: (person, name) for key, person, name in connection.execute(query)}
