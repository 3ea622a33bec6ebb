"""What a file of payouts may order, by the log: what is owed and to whom, that nobody paid it, and where it goes.

The tables are an index, and whoever may write to the database may change them for the moment in which a file is made,
or fetched. So both is held against the log: the reconversion that is owed, what paid or undid it, the files that order
it, and the salted hash of what its shop said last of where it is paid. Entries by their kind are looked for in the log
itself, which no index finds: that is done for each file, not for each payment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import count
from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger.core.model import Opening, Transaction
from ledger.core.record import Record
from ledger.currency import logged, salted
from ledger.currency.bank import details
from ledger.currency.bank.pain import PainError, written_name
from ledger.currency.bank.pain_read import Ordered as Orders
from ledger.currency.bank.payouts.index import PAID, REJECTED, RETURNED, payout_reference, unpacked
from ledger.currency.bank.payouts.noted import BACK, TAKEN, Noted, batch_id, noted
from ledger.currency.bank.payouts.owed import Due
from ledger.currency.bank.payouts.tables import PAYOUT
from ledger.currency.errors import CurrencyError
from ledger.currency.tables import BANK_DETAILS, HOLDING, PARTY, SALT
from ledger.currency.told import tell
from ledger.currency.town import Town

ACCEPTED = "reconversion"
_FILES = 64
"""So many files are asked for at a time."""


class Owed(NamedTuple):
    """What the log owes for the reconversion at a place: to whom, units and cents."""

    id: bytes
    place: int
    holder: int
    units: int
    amount: int


class Said(NamedTuple):
    """Where the holder of an account is paid, as its row says.

    `seq`, `at` (us) and `by` are those of the note that said so last. `is_proven`: name and IBAN are those that the log
    holds the hashes of.
    """

    seq: int
    at: int
    by: str
    iban: str
    name: str
    is_proven: bool


def require_due(town: Town, connection: Connection, ready: Sequence[Due]) -> None:
    """Raise `CurrencyError`, payout_changed, unless the log owes just these, to these names and IBANs."""
    places = {one.payout.seq for one in ready}
    found = owed(town, connection, places)
    gone = settled(connection, found.values()) | elsewhere(town, connection, places, b"")
    there = said(connection, {one.payout.holder for one in ready})
    for due in ready:
        payout = due.payout
        right = Owed(payout.reconversion, payout.seq, payout.holder, payout.units, payout.amount)
        if found.get(payout.seq) != right or payout.reference != payout_reference(town.charter.network, right.id):
            raise _changed(due.name, tell("holder, sum or reference of what it is owed are others than in the log"))
        if payout.seq in gone:
            raise _changed(due.name, tell("what it is owed was paid, undone or ordered before, by the log"))
        goes = there.get(payout.holder)
        if goes is None or not goes.is_proven or (goes.iban, goes.name) != (due.iban, due.to):
            raise _changed(due.name, tell("the IBAN, or the name, is not what was said in the log"))


def require_file(town: Town, connection: Connection, file: Noted, orders: Orders | None) -> None:
    """Raise `CurrencyError`, payout_changed, unless the log owes what a file orders, and to where it goes.

    Where a shop said since that it is paid elsewhere, what was ordered before goes where it was ordered to.
    """
    name, found = f"file {file.number}", owed(town, connection, file.places)
    right = {payout_reference(town.charter.network, one.id): one for one in found.values()}
    transfers = orders.transfers if orders else ()
    if len(right) != len(file.places) or sorted((one.end_to_end, one.amount) for one in transfers) != sorted(
        (reference, one.amount) for reference, one in right.items()
    ):
        raise _changed(name, tell("it orders something else than the log owes"))
    there = said(connection, {one.holder for one in found.values()})
    for one in transfers:
        goes = there.get(right[one.end_to_end].holder)
        if goes is not None and goes.seq > file.seq:
            continue
        if goes is None or not goes.is_proven or (one.iban, one.name) != (goes.iban, written(goes.name)):
            raise _changed(name, tell(
                "the payout {end_to_end} goes to another name or IBAN than its shop had said",
                end_to_end=one.end_to_end,
            ))  # fmt: skip


def require_open(town: Town, connection: Connection, file: Noted) -> None:
    """Raise `CurrencyError` if the log paid or undid some of a file, or another one orders it: payouts_overtaken where
    the tables say so too, else payout_changed."""
    name = f"file {file.number}"
    if gone := settled(connection, owed(town, connection, file.places).values()):
        open_ = (PAYOUT.c.seq.in_(sorted(gone)), PAYOUT.c.paid_by.is_(None), PAYOUT.c.undone_by.is_(None))
        if not connection.execute(select(PAYOUT.c.seq).where(*open_)).first():
            raise CurrencyError("payouts_overtaken", tell(
                "something of file {number} was paid by a line of the bank, or given back, since the file was ordered: "
                "it would be paid twice, so the file is not given. If anything is left of it, `patard payouts "
                "withdraw {number}`, then order that anew", number=file.number,
            ))  # fmt: skip
        raise _changed(name, tell("some of it was paid or undone since, by the log: withdraw it, and order anew"))
    if elsewhere(town, connection, file.places, file.id):
        raise _changed(name, tell("another file orders some of it, by the log"))


def owed(town: Town, connection: Connection, places: Collection[int]) -> dict[int, Owed]:
    """What the log owes for the reconversions at those places."""
    accepted = logged.by_places(connection, places)
    asked = {place: _id(record, "asked") for place, record in accepted.items()}
    requests = logged.by_ids(connection, asked.values())
    found = {}
    for place, record in accepted.items():
        made, request = record.instruction, requests.get(asked[place])
        wants = request.instruction if request is not None else None
        if isinstance(made, Transaction) and made.kind == ACCEPTED and isinstance(wants, Transaction):
            amount = sum(t.amount for t in made.transfers if t.credit == town.chart.payouts)
            found[place] = Owed(made.id, place, wants.transfers[0].debit, wants.transfers[0].amount, amount)
    return found


def settled(connection: Connection, payouts: Iterable[Owed]) -> set[int]:
    """The places of those that an entry paid or undid, which stands."""
    by_id = {one.id: one.place for one in payouts}
    if not by_id:
        return set()
    done: dict[bytes, set[int]] = {}
    back: set[bytes] = set()
    for record in logged.of_kinds(connection, (PAID, RETURNED, REJECTED, BACK, TAKEN), after=min(by_id.values())):
        evidence = record.instruction.evidence
        if getattr(record.instruction, "kind", "") in (BACK, TAKEN):
            back |= {_id(record, "undoes"), _id(record, "returns")}
        elif "payout" in evidence:
            done[record.instruction.id] = {by_id[one] for one in [_id(record, "payout")] if one in by_id}
        elif "payouts" in evidence:
            done[record.instruction.id] = {*unpacked(str(evidence["payouts"]))} & {*by_id.values()}
    return {place for entry, places in done.items() if entry not in back for place in places}


def elsewhere(town: Town, connection: Connection, places: Collection[int], but: bytes) -> set[int]:
    """Those of the places that a file orders which was not withdrawn, other than `but`."""
    wanted, found = {*places}, set[int]()
    for first in count(1, _FILES):
        ids = [batch_id(town.charter.network, number) for number in range(first, first + _FILES)]
        files = noted(connection, ids)
        found |= {
            place for file in files.values() if file.withdrawn is None and file.id != but for place in file.places
        } & wanted
        if len(files) < _FILES:
            break
    return found


def said(connection: Connection, accounts: Collection[int]) -> dict[int, Said]:
    """Where the holders of these accounts are paid; those who never said so are not in it."""
    last: dict[int, Record] = {}
    for record in logged.of_kinds(connection, (details.KIND,)):
        last[int(str(record.instruction.evidence["account"]), 16)] = record
    query = (
        select(HOLDING.c.account, PARTY.c.id, PARTY.c.name, BANK_DETAILS.c.iban, BANK_DETAILS.c.holder)
        .join(HOLDING, HOLDING.c.party == PARTY.c.id)
        .join(BANK_DETAILS, BANK_DETAILS.c.party == PARTY.c.id)
        .where(HOLDING.c.account.in_(sorted(accounts)))
    )
    rows = connection.execute(query).all()
    parties = logged.by_ids(connection, [bytes(row.id) for row in rows])
    ids = [id_ for row in rows for id_ in (bytes(row.id), salted.details_id(row.id))]
    salts = dict(connection.execute(select(SALT.c.id, SALT.c.salt).where(SALT.c.id.in_(ids))).all())
    # A note without its row: what it said was taken out of the table, or is forgotten.
    found = {
        account: Said(note.seq, note.at, str(note.instruction.evidence.get("by")), "", "", False)
        for account, note in last.items()
        if account in accounts
    }
    for row in rows:
        note = last.get(row.account)
        said_so = note.instruction.evidence if note is not None else {}
        salt = salts.get(salted.details_id(row.id), b"")
        is_right = said_so.get("hash") == salted.salted(salted.DETAILS, salt, [row.iban, row.holder])
        if not row.holder:
            is_right &= _is_named(parties.get(bytes(row.id)), row.account, row.name, salts.get(bytes(row.id), b""))
        there = found.get(row.account, Said(0, 0, "", "", "", False))
        found[row.account] = there._replace(iban=row.iban, name=row.holder or row.name, is_proven=is_right)
    return found


def written(name: str) -> str:
    """A name as a file of payouts has it."""
    try:
        return written_name(name)
    except PainError:
        return name


def _is_named(record: Record | None, account: int, name: str, salt: bytes) -> bool:
    """Whether the party whose account that record opens is called so; one of before the log held names may be."""
    made = record.instruction if record is not None else None
    if not isinstance(made, Opening) or made.account.number != account:
        return False
    return "name" not in made.evidence or made.evidence["name"] == salted.salted(salted.NAME, salt, [name])


def _id(record: Record, key: str) -> bytes:
    try:
        return bytes.fromhex(str(record.instruction.evidence.get(key, "")))
    except ValueError:
        return b""


def _changed(whose: str, why: str) -> CurrencyError:
    return CurrencyError("payout_changed", tell(
        "{whose}: {why}. Somebody changed the database: have it looked at (`patard check`); nothing was done",
        whose=whose, why=why,
    ))  # fmt: skip
