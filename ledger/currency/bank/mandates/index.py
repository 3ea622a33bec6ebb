"""What became of each debit: an index over the log, written in the commits that make it so.

Every function that writes runs inside a commit, under the lock of all writing, and raises `Overtaken` when a debit is
no longer as it was when the caller decided: then nothing of that commit happened, and it is decided anew. Each may run
again for an entry that stood already.

Evidence names debits (`places`): those that the entry brought are `items`, those that it took back `unpaid`. Of them
`released` says which had been released, and `early` which came back before they were brought. `owed` tells whose debts
changed, and by how many cents, where that is not one `holder`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, func, or_, select, update

from ledger.core.model import Instruction, Transaction
from ledger.currency.bank.mandates.places import packed, places, size, unpacked
from ledger.currency.bank.mandates.tables import COLLECTION, COLLECTION_ITEM, MANDATE
from ledger.currency.bank.payouts.index import Overtaken
from ledger.currency.bank.reference import found_in
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.chart import EUR

BROUGHT, UNPAID, RELEASED = "bank_collection", "bank_collection_unpaid", "monthly_released"
"""Kinds of the entries that do something to debits; see the package."""
MAX_NAMED = 7_000
"""Characters of what an entry may say of debits, so that it fits into its evidence."""
_AT_ONCE = 100
_ITEM = COLLECTION_ITEM.c


class Item(NamedTuple):
    """A debit as it stands. `file` is the number of its file, `number` its own in it."""

    id: bytes
    collection: bytes
    file: int
    number: int
    mandate: bytes
    account: int
    amount: int
    reference: str
    credited_by: bytes | None
    release_on: str | None
    released_seq: int | None
    unpaid_by: bytes | None
    unpaid_reason: str
    claim: int

    @property
    def place(self) -> tuple[int, int]:
        """What names it in evidence."""
        return self.file, self.number

    @property
    def is_early(self) -> bool:
        """Whether it came back before it was brought, and is owed until then."""
        return self.unpaid_by is not None and self.credited_by is None and self.claim > 0

    @property
    def is_rejected(self) -> bool:
        """Whether the bank said that it will not carry it out."""
        return self.unpaid_by is not None and self.credited_by is None and not self.claim

    @property
    def state(self) -> str:
        """unpaid, released (the member has the units), maturing or ordered (the bank has not brought it yet)."""
        if self.unpaid_by is not None:
            return "unpaid"
        if self.released_seq is not None:
            return "released"
        return "ordered" if self.credited_by is None else "maturing"


def items(connection: Connection, *where: ColumnElement[bool], limit: int | None = None) -> list[Item]:
    """The debits that fit, in the order of their files and numbers; those of files that were withdrawn are none."""
    columns = [COLLECTION.c.number if name == "file" else _ITEM[name] for name in Item._fields]
    query = (
        select(*columns)
        .join(COLLECTION, COLLECTION.c.id == _ITEM.collection)
        .where(COLLECTION.c.withdrawn_at.is_(None), *where)
        .order_by(COLLECTION.c.number, _ITEM.number)
        .limit(limit)
    )
    return [Item(*row) for row in connection.execute(query)]


def named(connection: Connection, text: object, *where: ColumnElement[bool]) -> list[Item]:
    """The debits that a text of evidence names, where they fit."""
    return [
        one
        for file, within in _spans_of(text)
        for one in items(connection, COLLECTION.c.number == file, within, *where)
    ]


def _spans_of(text: object) -> Iterator[tuple[int, ColumnElement[bool]]]:
    """File, and rows within it: a few at a time, for a database takes no condition of a thousand parts."""
    for file, pairs in unpacked(str(text)).items():
        for start in range(0, len(pairs), _AT_ONCE):
            some = pairs[start : start + _AT_ONCE]
            yield file, or_(*(_ITEM.number.between(first, last) for first, last in some))


def stood(connection: Connection, transaction: Transaction) -> None:
    """Keep what the transaction of a bank line did to debits, where it did something. Raises `Overtaken`."""
    if transaction.kind in (BROUGHT, UNPAID):
        evidence = transaction.evidence
        if "items" in evidence:
            _brought(connection, transaction)
        if "unpaid" in evidence:
            found = named(connection, evidence["unpaid"])
            if len(found) != size(unpacked(str(evidence["unpaid"]))):
                raise Overtaken  # their file was withdrawn at this moment
            _unpaid(connection, transaction, found)


def taken_back(connection: Connection, transaction: Instruction, line: bytes) -> None:
    """A corrected statement no longer has the line, and the transaction undid it. Raises `Overtaken`.

    What the line brought is to be brought again; but what was released since came back by that. What it took back is
    unpaid no more.
    """
    if not isinstance(transaction, Transaction) or not {"items", "unpaid"} & transaction.evidence.keys():
        return
    brought = [one for one in items(connection, _ITEM.credited_by == line) if one.unpaid_by != transaction.id]
    back = items(connection, _ITEM.unpaid_by == line)
    evidence = transaction.evidence
    for text, found in ((evidence.get("items", ""), brought), (evidence.get("unpaid", ""), back)):
        if found and packed(one.place for one in found) != text:
            raise Overtaken
    early = packed(one.place for one in back if one.credited_by is None)
    after = [one for one in brought if one.released_seq is not None and one.unpaid_by is None]
    if any(one.unpaid_by not in (None, line) for one in brought) or early != evidence.get("early", ""):
        raise Overtaken
    if packed(one.place for one in after) != evidence.get("released", "") and brought:
        raise Overtaken
    _unpaid(connection, transaction, after)
    rest = _ITEM.unpaid_by.is_(None) | (_ITEM.unpaid_by == line)
    gone = update(COLLECTION_ITEM).where(_ITEM.credited_by == line, rest)
    connection.execute(gone.values(credited_by=None, release_on=None))
    kept = update(COLLECTION_ITEM).where(_ITEM.unpaid_by == line)
    connection.execute(kept.values(unpaid_by=None, unpaid_reason="", claim=0))


def put_back(connection: Connection, entry: bytes) -> None:
    """A person put a line back that the entry had placed: what it did to debits counts no more. Raises `Overtaken`."""
    brought = items(connection, _ITEM.credited_by == entry)
    if any(one.released_seq is not None or one.unpaid_by is not None for one in brought):
        raise Overtaken
    gone = update(COLLECTION_ITEM).where(_ITEM.credited_by == entry)
    connection.execute(gone.values(credited_by=None, release_on=None))
    kept = update(COLLECTION_ITEM).where(_ITEM.unpaid_by == entry)
    connection.execute(kept.values(unpaid_by=None, unpaid_reason="", claim=0))


def released(connection: Connection, entries: Sequence[tuple[bytes, int]]) -> None:
    """These debits (id and place of the entry) were released. Raises `Overtaken` if one had come back."""
    rows = [{"item": id_, "entry": seq} for id_, seq in entries]
    good = select(func.count()).where(
        _ITEM.id.in_([id_ for id_, _seq in entries]), _ITEM.unpaid_by.is_(None), _ITEM.credited_by.is_not(None)
    )
    if connection.execute(good).scalar_one() != len(rows):
        raise Overtaken
    if rows:
        done = update(COLLECTION_ITEM).where(_ITEM.id == bindparam("item"))
        connection.execute(done.values(released_seq=bindparam("entry")), rows)


def _brought(connection: Connection, transaction: Transaction) -> None:
    text = transaction.evidence["items"]
    wanted = size(unpacked(str(text)))
    if _credit(connection, transaction, text, _ITEM.credited_by.is_(None), _ITEM.unpaid_by.is_(None)) == wanted:
        return
    # Not all as they mostly are: some came back early, or were said to be rejected; or the entry stood already.
    came_back = named(connection, text, _ITEM.credited_by.is_(None), _ITEM.unpaid_by.is_not(None), _ITEM.claim > 0)
    early = places(transaction.evidence.get("early", ""))
    if any(one.place not in early for one in came_back):
        raise Overtaken
    # What was said to be rejected was not: the bank brought it. Why it was stays: many take it back on the same day.
    wrong = (_ITEM.credited_by.is_(None), _ITEM.unpaid_by.is_not(None), _ITEM.claim == 0)
    _credit(connection, transaction, text, *wrong, unpaid_by=None)
    free = _ITEM.credited_by.is_(None) | (_ITEM.credited_by == transaction.id)
    if _credit(connection, transaction, text, free) != wanted:
        raise Overtaken


def _credit(
    connection: Connection, transaction: Transaction, text: object, *where: ColumnElement[bool], **more: None
) -> int:
    """The transaction brought the debits named, where they fit; gives how many. Raises `Overtaken`."""
    assert transaction.booked_on is not None
    done = 0
    of_file = select(COLLECTION.c.id, COLLECTION.c.risk_days).where(COLLECTION.c.withdrawn_at.is_(None))
    for file, within in _spans_of(text):
        row = connection.execute(of_file.where(COLLECTION.c.number == file)).first()
        if row is None:
            raise Overtaken
        release_on = (transaction.booked_on + timedelta(days=row.risk_days)).isoformat()
        query = update(COLLECTION_ITEM).where(_ITEM.collection == row.id, within, *where)
        values = {"credited_by": transaction.id, "release_on": release_on, "claim": 0, **more}
        done += connection.execute(query.values(values)).rowcount
    return done


def _unpaid(connection: Connection, transaction: Transaction, found: Sequence[Item]) -> None:
    """These came back by the transaction, which says in what state they were."""
    evidence = transaction.evidence
    was_released, was_early = places(evidence.get("released", "")), places(evidence.get("early", ""))
    units = {t.debit: t.amount for t in transaction.transfers if t.unit != EUR}
    line = evidence.get("line")
    told = _reasons(connection, bytes.fromhex(str(line)) if line else transaction.id)
    for one in found:
        if one.unpaid_by == transaction.id:
            continue
        right = (one.released_seq is not None) == (one.place in was_released)
        right &= (one.credited_by is None) == (one.place in was_early)
        if one.unpaid_by is not None or not right:
            raise Overtaken
        claim = one.amount if one.credited_by is None else 0
        if one.released_seq is not None:
            back = min(one.amount, units.get(one.account, 0))
            units[one.account] = units.get(one.account, 0) - back
            claim = one.amount - back
        gone = update(COLLECTION_ITEM).where(_ITEM.id == one.id)
        connection.execute(
            gone.values(unpaid_by=transaction.id, unpaid_reason=told(one) or one.unpaid_reason, claim=claim)
        )


def _reasons(connection: Connection, line: bytes) -> Callable[[Item], str]:
    """What the bank gave as the reason, for each debit that a line or one of its parts names."""
    row = connection.execute(select(BANK_LINE.c.reason, BANK_LINE.c.parts).where(BANK_LINE.c.id == line)).first()
    if row is None:
        return lambda one: ""
    mandates = select(MANDATE.c.id, MANDATE.c.reference)
    parts = [part for part in json.loads(row.parts) if part["amount"] < 0]

    def reason(one: Item) -> str:
        mandate = connection.execute(mandates.where(MANDATE.c.id == one.mandate)).one().reference
        names = {one.reference: True, mandate: True}
        for part in parts:
            if found_in((part["text"], part["end_to_end"], part["mandate"], part["name"]), names):
                return str(part["reason"] or row.reason)
        return str(row.reason)

    return reason
