"""Mandates of which debits come back again and again are suspended; a person resumes them.

Suspended is a mandate of which the last two debits came back, or one for a reason that will not pass by itself: the
account is closed, the mandate is not known there, its holder died or will not be debited. Each suspension is a note in
the log that names the debit which came back last; the bank's reason is personal and stands in the table.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from ledger.core.ids import derived_id
from ledger.core.model import Note, Posted
from ledger.currency.bank.mandates.index import Item, items
from ledger.currency.bank.mandates.model import RESUMED, SUSPENDED, Mandate, ended, find, naming, noted, read
from ledger.currency.bank.mandates.tables import COLLECTION, COLLECTION_ITEM, MANDATE
from ledger.currency.conversion import CONSOLE
from ledger.currency.town import Town

IN_A_ROW = 2
"""Debits that come back one after the other until nobody tries again."""
FINAL = frozenset(
    {
        "AC01", "AC04", "AC06", "AC13", "AG01", "AG02",  # wrong, closed, blocked or no debits on this account
        "BE05", "MD01", "MD02", "MD07", "MS02", "RC01", "SL01",  # no mandate, its holder died or refuses
    }
)  # fmt: skip
"""The bank's reasons (ISO 20022) that will not pass by themselves."""
_MANDATE, _ITEM = MANDATE.c, COLLECTION_ITEM.c


def review(town: Town, *, by: str = CONSOLE) -> list[Mandate]:
    """Suspend the mandates that should be; gives those that were suspended now."""
    failing = select(_ITEM.mandate).where(_ITEM.unpaid_by.is_not(None))
    with town.reading() as connection:
        found = read(connection, _MANDATE.ended_at.is_(None), _MANDATE.suspended_by.is_(None), _MANDATE.id.in_(failing))
        wrong = [(one, last) for one in found if (last := _last_of_too_many(connection, one)) is not None]
    suspended = []
    for mandate, last in wrong:
        try:
            suspended.append(_suspend(town, mandate, last, by))
        except _Passed:
            continue
    return suspended


def resume(town: Town, mandate: Mandate, *, by: str = CONSOLE) -> Mandate:
    """Collect again by a mandate that was suspended; debits that came back before no longer count.

    One that is not suspended stays as it is. Raises `CurrencyError`: mandate_ended.
    """
    if mandate.ended_at is not None:
        raise ended()
    if mandate.suspended_by is None:
        return mandate
    suspension = mandate.suspended_by

    def also(connection: Connection, posted: Posted) -> None:
        if read(connection, _MANDATE.id == mandate.id)[0].ended_at is not None:
            raise ended()
        query = select(COLLECTION.c.number).order_by(COLLECTION.c.number.desc()).limit(1)
        last = connection.execute(query).scalar() or 0
        connection.execute(
            update(MANDATE)
            .where(_MANDATE.id == mandate.id, _MANDATE.suspended_by == suspension)
            .values(suspended_by=None, suspended_why="", resumed_after=last)
        )

    evidence = naming(mandate.id, mandate.reference, mandate.account, by)
    noted(town, Note(resumption_id(suspension), RESUMED, evidence), also)
    return find(town, mandate.id)


class _Passed(Exception):
    """The mandate is not to be suspended any more."""


def suspension_id(item: bytes) -> bytes:
    """Id of the note that suspends a mandate because of this debit."""
    return derived_id("patard/mandate-suspended", item)


def resumption_id(suspension: bytes) -> bytes:
    """Id of the note that ends a suspension."""
    return derived_id("patard/mandate-resumed", suspension)


def _last_of_too_many(connection: Connection, mandate: Mandate) -> Item | None:
    """The debit that came back last, where that is enough to suspend the mandate."""
    found = items(connection, _ITEM.mandate == mandate.id)
    counted = [one for one in found if one.file > mandate.resumed_after]
    # One that the bank has not brought yet says nothing.
    known = [one for one in counted if one.unpaid_by is not None or one.credited_by is not None]
    return _enough(known)


def _enough(known: Sequence[Item]) -> Item | None:
    final = [one for one in known if one.unpaid_by is not None and one.unpaid_reason in FINAL]
    if final:
        return final[-1]
    latest = known[-IN_A_ROW:]
    return latest[-1] if len(latest) == IN_A_ROW and all(one.unpaid_by is not None for one in latest) else None


def _suspend(town: Town, mandate: Mandate, last: Item, by: str) -> Mandate:
    id_ = suspension_id(last.id)
    evidence = {**naming(mandate.id, mandate.reference, mandate.account, by), "debit": f"{last.file}:{last.number}"}

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay:
            return
        # Under the lock of all writing: a mandate that is ended or resumed, a file that is given up, at this moment.
        [now] = read(connection, _MANDATE.id == mandate.id)
        counts = _last_of_too_many(connection, now)
        if now.ended_at is not None or now.suspended_by is not None or counts is None or counts.id != last.id:
            raise _Passed
        values = {"suspended_by": id_, "suspended_why": last.unpaid_reason}
        connection.execute(update(MANDATE).where(_MANDATE.id == mandate.id).values(values))

    noted(town, Note(id_, SUSPENDED, evidence), also)
    return find(town, mandate.id)
