"""Release: units go to members once the risk delay is over, each debit's by one entry whose id follows from the debit.

A clock that is wrong for a moment must not end the delay: see `sure`.

It may stop anywhere and go on, and run twice at once: what was released stays so, and a debit that came back is never
released, for that is looked at again within the commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from ledger.core.ids import derived_id
from ledger.core.model import Outcome, Refused, Transaction, Transfer
from ledger.currency.bank.mandates import index
from ledger.currency.bank.mandates.index import RELEASED, Item, items
from ledger.currency.bank.mandates.tables import COLLECTION, COLLECTION_ITEM
from ledger.currency.bank.payouts.index import Overtaken
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.sure import Sure
from ledger.currency.told import tell
from ledger.currency.town import Town

BATCH = 500
_TRIES = 5
_ITEM = COLLECTION_ITEM.c
_MATURING = (_ITEM.release_on.is_not(None), _ITEM.released_seq.is_(None), _ITEM.unpaid_by.is_(None))


class Released(NamedTuple):
    """What a run came to: debits and cents that were released, and those that the engine refused (with its code).

    `once` counts those that look due, and wait for a second look.
    """

    debits: int
    cents: int
    stuck: list[tuple[Item, str]]
    once: int = 0


class Maturing(NamedTuple):
    """Debits whose units are released on one day, and their cents."""

    release_on: date
    debits: int
    cents: int


def release_id(item: bytes) -> bytes:
    """Id of the one entry that releases a debit."""
    return derived_id("patard/collection-released", item)


def maturing(town: Town) -> list[Maturing]:
    """What is still to be released, by its day."""
    query = select(_ITEM.release_on, func.count(), func.sum(_ITEM.amount)).where(*_MATURING)
    with town.reading() as connection:
        rows = connection.execute(query.group_by(_ITEM.release_on).order_by(_ITEM.release_on)).all()
    return [Maturing(date.fromisoformat(day), count, int(cents)) for day, count, cents in rows]


def release(town: Town, sure: Sure, by: str = CONSOLE) -> Released:
    """Give members the units of every debit whose risk delay is over. Raises `CurrencyError`: busy, clock_differs."""
    count = cents = 0
    stuck: list[tuple[Item, str]] = []
    tries = _TRIES
    with town.reading() as connection:
        due = list(connection.execute(select(_ITEM.id).where(*_ready(town)).order_by(_ITEM.id)).scalars())
    found = sure.of(town, RELEASED, due)
    left = [id_ for id_ in due if id_ in found]
    while left:
        with town.reading() as connection:
            ready = items(connection, *_ready(town), _ITEM.id.in_(left[:BATCH]))
        try:
            refused = _post(town, ready, by)
        except Overtaken:
            # One of them came back, or was released, at this moment: look again.
            tries -= 1
            if not tries:
                raise CurrencyError("busy", tell("somebody else releases or takes back right now; try again")) from None
            continue
        tries, left = _TRIES, left[BATCH:]
        stuck += refused
        held = {one.id for one, _code in refused}
        done = [one for one in ready if one.id not in held]
        count, cents = count + len(done), cents + sum(one.amount for one in done)
    return Released(count, cents, stuck, len(due) - len(found))


def _ready(town: Town) -> tuple[ColumnElement[bool], ...]:
    today = town.charter.local_date(town.now())
    return (*_MATURING, _ITEM.release_on <= today.isoformat())


def _post(town: Town, ready: Sequence[Item], by: str) -> list[tuple[Item, str]]:
    """Release these in one commit; gives those that the engine refused. Raises `Overtaken`."""
    chart = town.chart
    with town.reading() as connection:
        files = COLLECTION.c.id.in_(sorted({one.collection for one in ready}))
        months = {row.id: row.month for row in connection.execute(select(COLLECTION).where(files))}
    batch = [
        Transaction(
            release_id(one.id), RELEASED, (Transfer(chart.maturing, one.account, one.amount, chart.unit),),
            evidence={"by": by, "debit": f"{one.file}:{one.number}", "reference": months[one.collection]},
        )
        for one in ready
    ]  # fmt: skip
    refused: list[tuple[Item, str]] = []

    def also(connection: Connection, outcome: Outcome) -> None:
        stood = []
        for one, answer in zip(ready, outcome.answers, strict=True):
            if not isinstance(answer, Refused):
                stood.append((one.id, answer.seq))
            elif answer.code == "id_taken":
                raise Overtaken  # released by somebody else at this moment
            else:
                refused.append((one, answer.code))
        index.released(connection, stood)

    town.commit(batch, also)
    return refused
