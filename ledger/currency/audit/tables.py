"""The tables of parties, holdings, keys and of who waits against the log, both ways: no row too many, none missing.

Money is nowhere in these tables, but who may sign for it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import select

from ledger.currency.audit.story import Problem, Story
from ledger.currency.tables import DEVICE_KEY, HOLDING, PARTY, UNCOVERED_ACCOUNT
from ledger.currency.town import Town


class PartyRow(NamedTuple):
    """A party as the tables have it. `account` is None where no holding names the party."""

    id: bytes
    account: int | None
    kind: str
    closed_at: int | None


class KeyRow(NamedTuple):
    """A key as the tables have it. `account` is None where no holding names its party."""

    key: bytes
    account: int | None
    role: str
    revoked_at: int | None


class Rows(NamedTuple):
    """Every row that the log must explain."""

    parties: list[PartyRow]
    keys: list[KeyRow]


def rows_of(town: Town) -> Rows:
    """Read the tables."""
    party, key = PARTY.c, DEVICE_KEY.c
    parties = (
        select(party.id, HOLDING.c.account, party.kind, party.closed_at)
        .join(HOLDING, HOLDING.c.party == party.id, isouter=True)
        .order_by(party.id, HOLDING.c.account)
    )
    keys = (
        select(key.key, HOLDING.c.account, key.role, key.revoked_at)
        .join(HOLDING, HOLDING.c.party == key.party, isouter=True)
        .order_by(key.key, HOLDING.c.account)
    )
    with town.reading() as connection:
        return Rows(
            [PartyRow(*row) for row in connection.execute(parties)], [KeyRow(*row) for row in connection.execute(keys)]
        )


def against(town: Town, story: Story) -> Iterator[Problem]:
    """Where the tables and the log say different things."""
    rows = rows_of(town)
    for party in rows.parties:
        yield from _party(party, story)
    for key in rows.keys:
        yield from _key(key, story)
    held = {party.account for party in rows.parties}
    for account, kind in story.holders.items():
        if account not in held and account not in story.closed:
            yield "party_missing", f"account {account:016x} is a {kind}'s in the log and nobody's in the tables"
    there = {key.key for key in rows.keys}
    for raw, known in story.keys.items():
        if raw not in there and known.revoked_at is None and known.account not in story.closed:
            yield "key_missing", f"key {raw.hex()[:16]} was registered in the log and is not in the tables"


def waiting(town: Town, story: Story) -> Iterator[Problem]:
    """Where the tables and the log say different things of who does not pay until imported units are covered."""
    with town.reading() as connection:
        there = set(connection.scalars(select(UNCOVERED_ACCOUNT.c.account)))
    for account in sorted(there ^ story.uncovered):
        where = "tables" if account in there else "log"
        yield "uncovered_differs", f"{story.name(account)} waits for euros behind imported units in the {where} only"


def _party(row: PartyRow, story: Story) -> Iterator[Problem]:
    if row.account is None:
        yield "party_unlogged", f"party {row.id.hex()} holds no account in the tables"
        return
    name = f"account {row.account:016x}"
    if story.parties.get(row.account) != row.id or story.holders.get(row.account) != row.kind:
        yield "party_unlogged", f"{name} is a {row.kind}'s in the tables, not in the log"
        return
    if row.closed_at != story.closed.get(row.account):
        told = "open" if row.closed_at is None else "closed, or at another moment"
        yield "party_unlogged", f"the party of {name} is {told} in the tables; the log says otherwise"


def _key(row: KeyRow, story: Story) -> Iterator[Problem]:
    name, known = row.key.hex()[:16], story.keys.get(row.key)
    if known is None:
        yield "key_unlogged", f"key {name} stands in the tables and was never noted in the log"
        return
    if (known.account, known.role) != (row.account, row.role):
        yield "key_unlogged", f"key {name} stands in the tables with another account or role than in the log"
        return
    revoked, closed = known.revoked_at, story.closed.get(known.account)
    right = min((moment for moment in (revoked, closed) if moment is not None), default=None)
    if row.revoked_at == right:
        return
    if row.revoked_at is None:
        yield "key_unlogged", f"key {name} was revoked in the log and stands in the tables as good"
    else:
        yield "key_unlogged", f"key {name} stands in the tables as revoked, and the log does not say so, or not then"
