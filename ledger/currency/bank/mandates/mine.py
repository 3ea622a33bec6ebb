"""Monthly top-ups as one member sees them: the terms, the mandate, what is debited next, and what is on its way."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from ledger.currency.bank.mandates import months
from ledger.currency.bank.mandates.index import Item, items
from ledger.currency.bank.mandates.model import Mandate, live, terms
from ledger.currency.bank.mandates.tables import COLLECTION, COLLECTION_ITEM, MANDATE_NOTICE
from ledger.currency.bank.mandates.text import Terms
from ledger.currency.town import Town

LATEST = 12
_ITEM, _NOTICE = COLLECTION_ITEM.c, MANDATE_NOTICE.c


class Next(NamedTuple):
    """The next debit of a mandate; `is_told` says whether it is announced, and so certain."""

    month: str
    due_on: date
    amount: int
    is_told: bool


class Past(NamedTuple):
    """A debit: of which month, and what became of it. `release_on` is the day on which its units arrive or did."""

    month: str
    amount: int
    state: str
    release_on: date | None
    reason: str
    claim: int


class Mine(NamedTuple):
    """All of it. `past` begins with the latest debit."""

    terms: Terms
    mandate: Mandate | None
    next: Next | None
    past: list[Past]


def mine(town: Town, account: int) -> Mine:
    """A member's monthly top-up. Raises `CurrencyError`: mandate_unavailable."""
    said, mandate = terms(town), live(town, account)
    with town.reading() as connection:
        found = items(connection, _ITEM.account == account)[-LATEST:][::-1]
        names = {row.id: row.month for row in connection.execute(select(COLLECTION.c.id, COLLECTION.c.month))}
    past = [_past(one, names[one.collection]) for one in found]
    return Mine(said, mandate, _next(town, said, mandate, {one.month for one in past}), past)


def _past(one: Item, month: str) -> Past:
    day = date.fromisoformat(one.release_on) if one.release_on and one.state != "unpaid" else None
    return Past(month, one.amount, one.state, day, one.unpaid_reason if one.unpaid_by else "", one.claim)


def _next(town: Town, said: Terms, mandate: Mandate | None, done: set[str]) -> Next | None:
    if mandate is None or mandate.state != "active":
        return None
    today = town.charter.local_date(town.now())
    told = select(_NOTICE.month, _NOTICE.due_on).where(
        _NOTICE.mandate == mandate.id, _NOTICE.version == mandate.version, _NOTICE.due_on >= today.isoformat()
    )
    with town.reading() as connection:
        announced = connection.execute(told.order_by(_NOTICE.month)).all()
    for row in announced:
        if row.month not in done:
            return Next(row.month, date.fromisoformat(row.due_on), mandate.amount, True)
    month = months.month_of(today)
    while months.last_notice(said, month) < today or month in done:
        month = months.following(month)
    return Next(month, months.due_on(said, month), mandate.amount, False)
