"""Collecting: one file of direct debits (pain.008) a month, made once; withdrawing it, fetching it.

Its id follows from the month, so whoever asks again gets the file that there is. It holds whoever was told of exactly
what is debited. A file that the bank refused as a whole is withdrawn, and the month can be collected anew.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, func, insert, select, update

from ledger.core.model import Evidence, Note, Posted
from ledger.currency.bank.lead import debits_from
from ledger.currency.bank.mandates import files, months, notices
from ledger.currency.bank.mandates.announced import announced, from_day, stands
from ledger.currency.bank.mandates.files import (
    FETCHED,
    ORDERED,
    WITHDRAWN,
    Collection,
    collection_id,
    digest,
    fetching_id,
    item_id,
    item_reference,
    withdrawal_id,
)
from ledger.currency.bank.mandates.model import collected_on, noted, terms
from ledger.currency.bank.mandates.proven import proven
from ledger.currency.bank.mandates.register import lapse
from ledger.currency.bank.mandates.review import review
from ledger.currency.bank.mandates.tables import COLLECTION, COLLECTION_ITEM
from ledger.currency.bank.mandates.text import Content, Terms, mandate_reference, rum
from ledger.currency.bank.pain import Debit, OwnAccount, PainError, SequenceType, direct_debits
from ledger.currency.bank.reference import reference, shown
from ledger.currency.bank.target import is_open
from ledger.currency.conversion import CONSOLE
from ledger.currency.days import require
from ledger.currency.errors import CurrencyError
from ledger.currency.sure import Said
from ledger.currency.told import tell
from ledger.currency.town import Town

_TRIES = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLLECTION, _ITEM = COLLECTION.c, COLLECTION_ITEM.c


def collect(
    town: Town, *, month: str | None = None, on: date | None = None, by: str = CONSOLE
) -> tuple[Collection, bool]:
    """The file of a month's debits, and whether it is new.

    `on` is the day on which the bank debits, and its month is collected; else it is the month's day by the charter, or
    if the bank could not do it by then the next on which it can. Without both it is the first month that was announced
    and is neither collected nor over. Raises `CurrencyError`: mandate_unavailable, collection_none, collection_early,
    collection_date, month_malformed, date_outside.
    """
    said, today = terms(town), town.charter.local_date(town.now())
    month = months.month(month, today) if month else None
    if on is not None:
        require(on)
    lapse(town, Said(today))  # somebody collects, and knows the month
    review(town)
    if month is None:
        first, following = announced(town), months.following(months.month_of(today))
        # Not a later one: asked again, the file of a month that was just made is given again.
        month = months.month_of(on) if on else min(first.month, following) if first else following
    standing = files.every(town, *stands(month))
    if standing:
        return standing[0], False
    day = _collection_day(town, said, month, on, today)
    for _ in range(_TRIES):
        try:
            made, new = _order(town, said, month, day, by)
        except _Overtaken:
            continue
        return files.every(town, _COLLECTION.id == made)[0], new
    raise CurrencyError("busy", tell("mandates are signed and ended right now; try again in a moment"))


def withdraw(town: Town, collection: Collection, *, by: str = CONSOLE, fetched_too: bool = False) -> Collection:
    """Give a file up that the bank did not carry out. Its month can be collected again. Twice changes nothing.

    `fetched_too`: also when it was fetched, because the bank refused it or never got it. Raises `CurrencyError`:
    collection_begun, collection_fetched.
    """

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay:
            return
        touched = _ITEM.credited_by.is_not(None) | (_ITEM.claim > 0)
        if connection.execute(select(_ITEM.id).where(_ITEM.collection == collection.id, touched)).first():
            raise CurrencyError("collection_begun", tell("the bank has carried out debits of this file: it stays"))
        if files.is_fetched(connection, collection.id) and not fetched_too:
            raise CurrencyError("collection_fetched", tell(
                "the file was fetched and may be at the bank: once the bank has refused it, or if it was never sent, "
                "withdraw it with --refused"
            ))  # fmt: skip
        gone = update(COLLECTION).where(_COLLECTION.id == collection.id)
        connection.execute(gone.values(withdrawn_at=posted.at))

    noted(town, _note(collection, withdrawal_id(collection.id), WITHDRAWN, by), also)
    return files.every(town, _COLLECTION.id == collection.id)[0]


def fetch(town: Town, collection: Collection, *, by: str = CONSOLE, again: bool = False) -> bytes:
    """The file, to be given to the bank; the log notes that it left. `again`: although it was fetched before.

    Raises `CurrencyError`: collection_withdrawn, collection_fetched, collection_changed.
    """
    with town.reading() as connection:
        data = files.content(connection, collection)

    def check(connection: Connection) -> bool:
        """Whether this is the first time. Raises `CurrencyError` unless it may be fetched."""
        [now] = files.of_ids(town, connection, [collection.id])
        if now.withdrawn_at is not None:
            raise CurrencyError("collection_withdrawn", tell("this file was withdrawn; collect its month again"))
        if now.fetched_at is not None and not again:
            day = town.charter.local_date(now.fetched_at)
            raise CurrencyError("collection_fetched", tell(
                "it was fetched on {day}: a bank that gets it twice may debit everybody twice; if it never got there, "
                "fetch it with --again", day=day,
            ))  # fmt: skip
        return now.fetched_at is None

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay:
            check(connection)
            return
        if files.of_ids(town, connection, [collection.id])[0].withdrawn_at is not None:
            raise CurrencyError("collection_withdrawn", tell("this file was withdrawn; collect its month again"))
        first = update(COLLECTION).where(_COLLECTION.id == collection.id)
        connection.execute(first.values(fetched_at=posted.at, fetched_by=by))

    with town.reading() as connection:
        first = check(connection)
    if first:
        try:
            town.post(_note(collection, fetching_id(collection.id), FETCHED, by), also)
        except CurrencyError as error:
            if error.code != "id_taken":
                raise
            with town.reading() as connection:
                check(connection)  # somebody else fetched it at this moment
    return data


def _note(collection: Collection, id_: bytes, kind: str, by: str) -> Note:
    named: Evidence = {
        "by": by,
        "collection": collection.id.hex(),
        "month": collection.month,
        "number": collection.number,
    }
    return Note(id_, kind, named)


class _Overtaken(Exception):
    """Somebody else made the file, or a mandate changed, in between."""


def _collection_day(town: Town, said: Terms, month: str, on: date | None, today: date) -> date:
    with town.reading() as connection:
        due_on = notices.told_on(connection, month)
    if due_on is None:
        late, first = months.last_notice(said, month), notices.to_notice(town)
        more = (
            ""
            if today <= late
            else tell(
                " That was to be done by {late}: the next month that can be told is {first}.", late=late, first=first
            )
        )
        raise CurrencyError("collection_none", tell(
            "nobody was told of a debit in {month}; `patard mandate notices` makes the list.{more}",
            month=month, more=more,
        ))  # fmt: skip
    earliest = from_day(said, due_on)
    if today < earliest:
        raise CurrencyError("collection_early", tell(
            "the debits of {month} are due on {due_on}: members can still join, make the file from {earliest} on",
            month=month, due_on=due_on, earliest=earliest,
        ))  # fmt: skip
    soonest = max(due_on, debits_from(town))
    if on is not None and (on < soonest or not is_open(on)):
        raise CurrencyError("collection_date", tell(
            "on {on} the bank debits nothing: {due_on} was announced, and it can from {soonest} on, on days on which "
            "banks work", on=on, due_on=due_on, soonest=soonest,
        ))  # fmt: skip
    if max(soonest, on or soonest) > months.latest(due_on):
        raise CurrencyError("collection_date", tell(
            "members were told of {due_on}, and the bank would debit on {on}: that is too late",
            due_on=due_on, on=on or soonest,
        ))  # fmt: skip
    return on or soonest


def _order(town: Town, said: Terms, month: str, day: date, by: str) -> tuple[bytes, bool]:
    """Id of the file, and whether it was made now."""
    network = town.charter.network
    with town.reading() as connection:
        standing, attempt = files.standing(town, connection, month)
        if standing is not None:
            return standing, False
        mandates = notices.collectable(connection, month)
        signed = proven(town, connection, mandates)
        number = _counted(connection)
    if not mandates:
        raise CurrencyError(
            "collection_none", tell("of those who were told of a debit in {month}, none can be debited", month=month)
        )
    id_ = collection_id(network, month, attempt)
    found = reference("collections", network, id_)
    message, account = f"{said.code}-{found}", collected_on(town)
    assert account.iban is not None
    own = [item_reference(network, id_, one.id) for one in mandates]
    items = [
        {"id": item_id(id_, one.id), "collection": id_, "number": place, "mandate": one.id, "account": one.account,
         "amount": one.amount, "reference": name, "unpaid_reason": "", "claim": 0}
        for place, (one, name) in enumerate(zip(mandates, own, strict=True), 1)
    ]  # fmt: skip
    debits = [_debit(said, month, signed[one.id], name) for one, name in zip(mandates, own, strict=True)]
    creditor = OwnAccount(said.creditor, account.iban, account.bic)
    moment = _EPOCH + timedelta(microseconds=town.now())
    try:
        data = direct_debits(message, moment, day, creditor, said.creditor_id, debits)
    except PainError as error:
        raise CurrencyError(
            "mandate_unavailable", tell("no bank would take this file: {error}", error=error.told)
        ) from error
    total = sum(one.amount for one in mandates)
    of_items = digest(
        (place, name, one.reference, one.account, one.amount)
        for place, (one, name) in enumerate(zip(mandates, own, strict=True), 1)
    )
    kept: dict[str, str | int] = {
        "number": number, "month": month, "attempt": attempt, "collect_on": day.isoformat(),
        "risk_days": said.risk_days, "total": total, "debits": len(items),
    }  # fmt: skip
    file_hash, reserve = sha256(data).digest(), town.chart.reserve[account.name]
    evidence = {**kept, "by": by, "reserve": f"{reserve:016x}", "sha256": file_hash.hex(), "digest": of_items.hex()}

    def also(connection: Connection, posted: Posted) -> None:
        # Under the lock of all writing: a mandate that was ended, or a list that was made, at this moment.
        # Or a file of the month: this attempt's number would be that of a second one.
        standing, _next = files.standing(town, connection, month)
        changed = notices.collectable(connection, month) != mandates or _counted(connection) != number
        if posted.replay or standing not in (None, id_) or changed:
            raise _Overtaken
        connection.execute(
            insert(COLLECTION).values(
                id=id_, seq=posted.seq, reserve=reserve, message=message, reference=found, digest=of_items,
                sha256=file_hash, file=data, made_at=posted.at, made_by=by, **kept,
            )
        )  # fmt: skip
        connection.execute(insert(COLLECTION_ITEM), items)

    try:
        town.post(Note(id_, ORDERED, evidence), also)
    except CurrencyError as error:
        if error.code == "id_taken":
            return id_, False
        raise
    return id_, True


def _counted(connection: Connection) -> int:
    """The number of the next file."""
    return int(connection.execute(select(func.count()).select_from(COLLECTION)).scalar_one()) + 1


def _debit(said: Terms, month: str, signed: Content, own: str) -> Debit:
    # RCUR for the first one too, as banks take it since 2016: one group, which the bank books as one sum.
    number = rum(said.code, mandate_reference(said.network, signed.id))
    return Debit(
        own, signed.amount, signed.holder, signed.iban, number, signed.signed_on, SequenceType.RECURRENT,
        f"{said.code} {month} {shown(own)}",
    )  # fmt: skip
