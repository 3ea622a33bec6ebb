"""Debits that the bank will not carry out: it says so before their day, in an answer (pain.002) or a letter.

No euros came and none went, so nothing moves: the debit is unpaid, and a file that comes as one sum is expected without
it. If the bank brings it all the same, its statement is right and the rejection is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from ledger.core.ids import derived_id
from ledger.core.model import Note, Posted
from ledger.currency.bank.mandates.index import Item, items
from ledger.currency.bank.mandates.model import noted
from ledger.currency.bank.mandates.tables import COLLECTION, COLLECTION_ITEM
from ledger.currency.bank.reference import plain, shown
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

KIND = "collection_rejected"
_REASON = re.compile(r"(?:[A-Z]{2}[0-9]{2}|[A-Z]{4})?")
_ITEM = COLLECTION_ITEM.c


class Answered(NamedTuple):
    """What a bank's answer to a file came to: debits that are rejected, now or before, and what a person has to see
    to (reference, code, sentence). `number` is the file's; None where it was withdrawn.
    """

    rejected: list[Item]
    left: list[tuple[str, str, str]]
    number: int | None


def rejection_id(item: bytes) -> bytes:
    """Id of the one note that a debit was rejected."""
    return derived_id("patard/collection-rejected", item)


def find(town: Town, reference: str) -> Item:
    """The debit with that end-to-end id, however it was typed. Raises `CurrencyError`: not_found."""
    with town.reading() as connection:
        found = items(connection, _ITEM.reference == (plain(reference) or ""))
    if not found:
        raise CurrencyError("not_found", tell("no debit has this reference, or its file was withdrawn"))
    return found[-1]


def reject(town: Town, item: Item, *, reason: str = "", by: str = CONSOLE) -> Item:
    """The bank will not carry this debit out. Once it did, its statement says what became of it.

    `reason` is a code such as AC04, where it is known. Raises `CurrencyError`: reason_malformed, collection_begun.
    """
    reason = reason.strip().upper()
    if not _REASON.fullmatch(reason):
        raise CurrencyError(
            "reason_malformed", tell("a bank's reason is four capital letters and digits, such as AC04")
        )

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay:
            return
        if not items(connection, _ITEM.id == item.id):
            raise CurrencyError(
                "collection_withdrawn", tell("the file of this debit was withdrawn; no bank has it any more")
            )
        done = update(COLLECTION_ITEM).where(
            _ITEM.id == item.id, _ITEM.credited_by.is_(None), _ITEM.unpaid_by.is_(None)
        )
        if connection.execute(done.values(unpaid_by=posted.id, unpaid_reason=reason)).rowcount != 1:
            raise CurrencyError("collection_begun", tell("a statement says already what became of this debit"))

    named = {"by": by, "debit": f"{item.file}:{item.number}", "reference": item.reference}
    noted(town, Note(rejection_id(item.id), KIND, named), also)
    return find(town, item.reference)


def take(town: Town, message: str, rejected: Iterable[tuple[str, str]], *, by: str = CONSOLE) -> Answered | None:
    """A bank's answer to the file with that message id: the debits (end-to-end id and reason) that it rejects.

    None where it is no file of debits. Taking it again changes nothing.
    """
    with town.reading() as connection:
        columns = (COLLECTION.c.id, COLLECTION.c.number, COLLECTION.c.withdrawn_at)
        file = connection.execute(select(*columns).where(COLLECTION.c.message == message)).first()
    if file is None:
        return None
    answered = Answered([], [], file.number if file.withdrawn_at is None else None)
    for reference, reason in rejected:
        try:
            item = find(town, reference)
            if item.collection != file.id:
                raise CurrencyError("not_found", tell("it is no debit of this file"))
            code = reason if _REASON.fullmatch(reason) else ""
            answered.rejected.append(reject(town, item, reason=code, by=by))
        except CurrencyError as error:
            own = plain(reference)
            answered.left.append((shown(own) if own else reference, error.code, error.detail))
    return answered
