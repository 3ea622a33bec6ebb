"""Files of direct debits as the log has them: what was ordered, fetched, withdrawn. The tables only index it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from ledger.core.ids import derived_id
from ledger.core.record import Record
from ledger.currency import logged
from ledger.currency.bank.mandates.announced import stands
from ledger.currency.bank.mandates.tables import COLLECTION, COLLECTION_ITEM, MANDATE
from ledger.currency.bank.reference import reference
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

ORDERED, WITHDRAWN, FETCHED = "collection_ordered", "collection_withdrawn", "collection_fetched"
_COLLECTION, _ITEM = COLLECTION.c, COLLECTION_ITEM.c


class Collection(NamedTuple):
    """A file of direct debits as the log has it, without its bytes; how many debits were brought, released, came back.

    `open` counts those that are neither released nor came back.
    """

    id: bytes
    seq: int
    number: int
    month: str
    attempt: int
    reserve: int
    message: str
    reference: str
    collect_on: date
    risk_days: int
    total: int
    debits: int
    sha256: bytes
    digest: bytes
    made_at: int
    made_by: str
    fetched_at: int | None
    fetched_by: str | None
    withdrawn_at: int | None
    credited: int
    released: int
    unpaid: int
    open: int

    @property
    def state(self) -> str:
        """withdrawn, ordered, fetched, credited (the bank brought some) or settled (all were released or came back)."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if not self.open:
            return "settled"
        if self.credited:
            return "credited"
        return "ordered" if self.fetched_at is None else "fetched"


def collection_id(network: bytes, month: str, attempt: int) -> bytes:
    """Id of the note that orders that month's debits; `attempt` is 1, and more after a file that was withdrawn."""
    return derived_id("patard/collection", network, month, str(attempt))


def withdrawal_id(collection: bytes) -> bytes:
    """Id of the note that withdraws a file."""
    return derived_id("patard/collection-withdrawn", collection)


def fetching_id(collection: bytes) -> bytes:
    """Id of the note that a file was fetched for the first time."""
    return derived_id("patard/collection-fetched", collection)


def item_id(collection: bytes, mandate: bytes) -> bytes:
    """Id of a mandate's debit in a file."""
    return derived_id("patard/collection-item", collection, mandate)


def item_reference(network: bytes, collection: bytes, mandate: bytes) -> str:
    """What tells a debit in the bank's texts: its end-to-end id."""
    return reference("collection", network, collection + mandate)


def digest(items: Iterable[tuple[int, str, str, int, int]]) -> bytes:
    """What the log holds of a file's debits: SHA-256 over number, reference, mandate's reference, account, amount."""
    lines = (f"{number} {own} {mandate} {account:016x} {amount}\n" for number, own, mandate, account, amount in items)
    return sha256("".join(lines).encode()).digest()


def every(town: Town, *where: ColumnElement[bool]) -> list[Collection]:
    """The files, the latest first. A row that the log has no file for is none."""
    left = func.count().filter(_ITEM.released_seq.is_(None), _ITEM.unpaid_by.is_(None))
    counted = select(
        _ITEM.collection, func.count(_ITEM.credited_by), func.count(_ITEM.released_seq), func.count(_ITEM.unpaid_by),
        left,
    ).group_by(_ITEM.collection)  # fmt: skip
    with town.reading() as connection:
        ids = [bytes(id_) for id_ in connection.scalars(select(_COLLECTION.id).where(*where))]
        counts = {row[0]: tuple(row[1:]) for row in connection.execute(counted)}
        found = of_ids(town, connection, ids)
    return sorted(
        (one._replace(**dict(zip(_COUNTS, counts.get(one.id, (0, 0, 0, 0)), strict=True))) for one in found),
        key=lambda one: -one.number,
    )


def find(town: Town, text: str) -> Collection:
    """The file with that number, or of that month. Raises `CurrencyError`: not_found."""
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        found = every(town, _COLLECTION.number == int(text))
    else:
        found = every(town, *stands(text))
    if not found:
        raise CurrencyError(
            "not_found", tell("there is no such file of debits; `patard mandate collections` shows them")
        )
    return found[0]


def standing(town: Town, connection: Connection, month: str) -> tuple[bytes | None, int]:
    """The file of a month that was not withdrawn, by the log; and the number of the next attempt at it."""
    attempt = 1
    while True:
        id_ = collection_id(town.charter.network, month, attempt)
        notes = logged.by_ids(connection, [id_, withdrawal_id(id_)])
        if logged.note(notes.get(id_), ORDERED) is None:
            return None, attempt
        if logged.note(notes.get(withdrawal_id(id_)), WITHDRAWN) is None:
            return id_, attempt + 1
        attempt += 1


def is_fetched(connection: Connection, id_: bytes) -> bool:
    """Whether the log has it that this file left."""
    return logged.note(logged.by_ids(connection, [fetching_id(id_)]).get(fetching_id(id_)), FETCHED) is not None


def content(connection: Connection, file: Collection) -> bytes:
    """The bytes of a file. Raises `CurrencyError`, collection_changed, unless they, and its debits, were ordered so."""
    row = connection.execute(select(_COLLECTION.file).where(_COLLECTION.id == file.id)).scalar_one()
    query = (
        select(_ITEM.number, _ITEM.reference, MANDATE.c.reference, _ITEM.account, _ITEM.amount)
        .join(MANDATE, MANDATE.c.id == _ITEM.mandate)
        .where(_ITEM.collection == file.id)
        .order_by(_ITEM.number)
    )
    items = [
        (place, own, mandate, account, amount) for place, own, mandate, account, amount in connection.execute(query)
    ]
    if sha256(row).digest() != file.sha256 or digest(items) != file.digest:
        raise CurrencyError("collection_changed", tell(
            "the stored file, or what its debits are, is not what was ordered: it was changed in the database. "
            "Withdraw it, `patard mandate withdraw {number}`, have the database looked at (`patard check`), and "
            "collect the month anew", number=file.number,
        ))  # fmt: skip
    return bytes(row)


_COUNTS = ("credited", "released", "unpaid", "open")


def of_ids(town: Town, connection: Connection, ids: Sequence[bytes]) -> list[Collection]:
    """The files with those ids, without their counts."""
    notes = logged.by_ids(connection, [id_ for one in ids for id_ in (one, fetching_id(one), withdrawal_id(one))])
    found = []
    for id_ in ids:
        if logged.note(notes.get(id_), ORDERED) is not None:
            fetched, withdrawn = notes.get(fetching_id(id_)), notes.get(withdrawal_id(id_))
            found.append(_read(town, notes[id_], fetched, withdrawn))
    return found


def _read(town: Town, record: Record, fetched: Record | None, withdrawn: Record | None) -> Collection:
    said, id_ = record.instruction.evidence, record.instruction.id
    number, attempt, risk_days, total, debits = (
        int(said[name]) for name in ("number", "attempt", "risk_days", "total", "debits")
    )
    found = reference("collections", town.charter.network, id_)
    left = fetched if logged.note(fetched, FETCHED) is not None else None
    gone = withdrawn if logged.note(withdrawn, WITHDRAWN) is not None else None
    return Collection(
        id_, record.seq, number, str(said["month"]), attempt, int(str(said["reserve"]), 16),
        f"{town.charter.code}-{found}", found, date.fromisoformat(str(said["collect_on"])), risk_days, total, debits,
        bytes.fromhex(str(said["sha256"])), bytes.fromhex(str(said["digest"])), record.at, str(said["by"]),
        left and left.at, left and str(left.instruction.evidence.get("by")), gone and gone.at, 0, 0, 0, 0,
    )  # fmt: skip
