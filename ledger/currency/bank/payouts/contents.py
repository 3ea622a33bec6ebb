"""What a file of payouts orders, read from its bytes: those whose hash the log has, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger.core.model import Transaction
from ledger.core.record import Record
from ledger.currency import logged
from ledger.currency.bank.pain import PainError
from ledger.currency.bank.pain_read import Ordered as Orders
from ledger.currency.bank.pain_read import read_transfers
from ledger.currency.bank.payouts import payees, proven
from ledger.currency.bank.payouts.alone import DAY
from ledger.currency.bank.payouts.index import payout_reference, unpacked
from ledger.currency.bank.payouts.noted import Noted, noted
from ledger.currency.bank.payouts.payees import Payee
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_BATCH, PAYOUT_ORDER
from ledger.currency.chartered import ALONE_DAYS
from ledger.currency.clocked import Moments
from ledger.currency.errors import CurrencyError
from ledger.currency.persons import held
from ledger.currency.told import tell
from ledger.currency.town import Town

_PAYOUT, _ORDER = PAYOUT.c, PAYOUT_ORDER.c


class Ordered(NamedTuple):
    """One transfer of a file: the payout's reference, and to whom and where it goes, as the bank reads it.

    `look` says why this IBAN has to be looked at before somebody signs, "" where it need not be: the party was never
    paid to it (`new`); it is not the party's any more (`changed`); the office typed it within the last `ALONE_DAYS`
    (`office`); it was paid to by files alone that fewer people signed (`fewer`); or the file was `erased`.
    """

    reference: str
    reconversion: bytes
    holder: int
    amount: int
    name: str
    iban: str
    look: str
    state: str
    """due, paid or undone."""
    payee: Payee | None = None
    """What the bank found of its account's holder, where it told."""

    @property
    def is_new(self) -> bool:
        """Whether there is anything to look at."""
        return self.look != ""


def content(connection: Connection, file: Noted) -> bytes:
    """The bytes of a file. Raises `CurrencyError`, payouts_changed, unless they are those that were ordered."""
    data = _stored(connection, file.id)
    if sha256(data).digest() != file.sha256:
        raise CurrencyError("payouts_changed", tell(
            "the stored file is not the one that was ordered and signed: it was changed in the database, or erased. "
            "Withdraw it, `patard payouts withdraw {number}`, have the database looked at (`patard check`), and order "
            "its payouts anew", number=file.number,
        ))  # fmt: skip
    return data


def shown(connection: Connection, file: Noted) -> bytes:
    """The bytes for whoever signs, which order what the log says. Raises `CurrencyError`: payouts_changed."""
    data = content(connection, file)
    found = read(data)
    if found is None or (len(found.transfers), found.total) != (file.transfers, file.total):
        raise CurrencyError("payouts_changed", tell(
            "the file does not come to the sum and the number of transfers that were ordered: do not sign it; "
            "withdraw it, `patard payouts withdraw {number}`", number=file.number,
        ))  # fmt: skip
    return data


def read(data: bytes) -> Orders | None:
    """What these bytes order; None where they are no file of ours."""
    try:
        return read_transfers(data)
    except PainError:
        return None


def transfers_of(town: Town, id_: bytes, people: int = 1) -> list[Ordered]:
    """The transfers of a file, in its order, which so many people sign. Of one that was erased, as tables have them.

    Raises `CurrencyError`: payouts_changed.
    """
    with town.reading() as connection:
        file = noted(connection, [id_])[id_]
        query = (
            select(_ORDER.reconversion, _ORDER.name, _ORDER.iban, _PAYOUT.holder, _PAYOUT.amount, _PAYOUT.seq,
                   _PAYOUT.paid_by, _PAYOUT.undone_by)
            .join(PAYOUT, _PAYOUT.reconversion == _ORDER.reconversion)
            .where(_ORDER.batch == id_)
            .order_by(_PAYOUT.seq)
        )  # fmt: skip
        rows = connection.execute(query).all()
        network = town.charter.network
        places = {row.reconversion: row for row in rows}
        told = payees.told(connection, [id_])
        if not _stored(connection, id_):
            return [
                Ordered(payout_reference(network, row.reconversion), row.reconversion, row.holder, row.amount, row.name,
                        row.iban, "erased", _state(row.paid_by, row.undone_by), told.get((id_, row.reconversion)))
                for row in rows
            ]  # fmt: skip
        orders = read(content(connection, file))
        logged_at = logged.by_places(connection, file.places)
        owners = _holders(connection, logged_at.values())
        names = {payout_reference(network, one): one for one in owners}
        wanted = {
            (owners[names[one.end_to_end]], one.iban) for one in (orders.transfers if orders else ())
            if one.end_to_end in names
        }  # fmt: skip
        paid = _paid_before(connection, network, id_, wanted, 1)
        enough = _paid_before(connection, network, id_, paid, max(people, file.people)) if paid else set()
        whose = _whose(town, connection, file, wanted)
    found = []
    for one in orders.transfers if orders else ():
        reconversion = names.get(one.end_to_end, b"")
        holder, row = owners.get(reconversion, 0), places.get(reconversion)
        state = _state(row.paid_by, row.undone_by) if row is not None else "due"
        pair = (holder, one.iban)
        look = "new" if pair not in paid else whose.get(pair, "changed") or ("" if pair in enough else "fewer")
        payee = told.get((id_, reconversion))
        found.append(Ordered(one.end_to_end, reconversion, holder, one.amount, one.name, one.iban, look, state, payee))
    return found


def _state(paid_by: bytes | None, undone_by: bytes | None) -> str:
    return "undone" if undone_by else "paid" if paid_by else "due"


def _stored(connection: Connection, id_: bytes) -> bytes:
    return bytes(connection.execute(select(PAYOUT_BATCH.c.file).where(PAYOUT_BATCH.c.id == id_)).scalar_one())


def _holders(connection: Connection, accepted: Iterable[Record]) -> dict[bytes, int]:
    """Who changed back what those entries accepted, by their ids: whoever asked, as the log has it."""
    asked = {
        record.instruction.id: bytes.fromhex(str(record.instruction.evidence.get("asked", ""))) for record in accepted
    }
    requests = logged.by_ids(connection, asked.values())
    found = {}
    for id_, request in asked.items():
        instruction = requests[request].instruction if request in requests else None
        if isinstance(instruction, Transaction):
            found[id_] = instruction.transfers[0].debit
    return found


def _paid_before(
    connection: Connection, network: bytes, batch: bytes, wanted: set[tuple[int, str]], people: int
) -> set[tuple[int, str]]:
    """Which of these holders were paid to these IBANs by another file: one that so many people signed at the least,
    that was fetched, and whose bytes say so.

    The tables say where to look, and are believed for nothing.
    """
    query = (
        select(_PAYOUT.reconversion, _PAYOUT.seq, _PAYOUT.paid_by, _ORDER.batch, _PAYOUT.holder, _ORDER.iban)
        .join(PAYOUT_ORDER, _ORDER.reconversion == _PAYOUT.reconversion)
        .where(
            _PAYOUT.holder.in_(sorted({holder for holder, _iban in wanted})), _ORDER.batch == _PAYOUT.batch,
            _ORDER.batch != batch, _PAYOUT.paid_by.is_not(None), _PAYOUT.undone_by.is_(None),
        )
        .order_by(_PAYOUT.seq.desc())
    )  # fmt: skip
    known: set[tuple[int, str]] = set()
    files: dict[bytes, dict[str, str]] = {}
    for row in connection.execute(query).all():
        pair = (row.holder, row.iban)
        if pair not in wanted or pair in known:
            continue
        if row.batch not in files:
            files[row.batch] = _fetched(connection, row.batch, people)
        if files[row.batch].get(payout_reference(network, row.reconversion)) == row.iban and _was_paid(connection, row):
            known.add(pair)
    return known


def _whose(town: Town, connection: Connection, file: Noted, wanted: set[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """Which of these IBANs are the holders' still: "" where they said so, or the office did some weeks before."""
    there = proven.said(connection, {holder for holder, _iban in wanted})
    keys = held(town, connection, {raw for one in there.values() if (raw := _key(one.by))})
    moments, found = Moments(town, town.book.head().seq), {}
    before = moments.then(file.ordered.seq, file.ordered.at) - ALONE_DAYS * DAY
    for holder, iban in wanted:
        goes = there.get(holder)
        if goes is None or not goes.is_proven or goes.iban != iban:
            continue
        key = keys.get(_key(goes.by))
        theirs = key is None or key.account == holder or moments.then(goes.seq, goes.at) <= before
        found[holder, iban] = "" if theirs else "office"
    return found


def _key(by: str) -> bytes:
    """The key that acted; none where somebody at the machine did."""
    try:
        return bytes.fromhex(by)
    except ValueError:
        return b""


def _fetched(connection: Connection, batch: bytes, people: int) -> dict[str, str]:
    """IBANs by reference of a file that left, signed by so many; none of one that did not, or that was changed since.

    That as many signed as its note says was looked at when it left.
    """
    file = noted(connection, [batch]).get(batch)
    if file is None or file.fetched is None or file.people < people:
        return {}
    data = _stored(connection, batch)
    found = read(data) if sha256(data).digest() == file.sha256 else None
    return {one.end_to_end: one.iban for one in found.transfers} if found else {}


def _was_paid(connection: Connection, row: object) -> bool:
    """Whether the entry that is said to have paid it says so, and it is the holder's."""
    reconversion, seq, paid_by, holder = (getattr(row, name) for name in ("reconversion", "seq", "paid_by", "holder"))
    found = logged.by_ids(connection, [paid_by, reconversion])
    if paid_by not in found or reconversion not in found or found[reconversion].seq != seq:
        return False
    said = found[paid_by].instruction.evidence
    named = said.get("payout") == reconversion.hex() or ("payouts" in said and seq in unpacked(str(said["payouts"])))
    return named and _holders(connection, [found[reconversion]]).get(reconversion) == holder
