"""The tables of payouts against the log, and each file of payouts against what the log says that it orders.

A live book goes on while it is audited: what entries after the audited head did is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, select

from ledger.currency.audit.payout_state import File
from ledger.currency.audit.story import Problem, Story
from ledger.currency.bank.pain import PainError
from ledger.currency.bank.pain_read import read_transfers
from ledger.currency.bank.payouts.batches import batch_reference
from ledger.currency.bank.payouts.index import payout_reference
from ledger.currency.bank.payouts.owed import Payout, payouts
from ledger.currency.bank.payouts.proven import written
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_BATCH, PAYOUT_ORDER, PAYOUT_SIGNATURE
from ledger.currency.salted import ORDERS, salted
from ledger.currency.tables import BANK_DETAILS, HOLDING, KEY_PERSON, PARTY, SALT
from ledger.currency.town import Town

_NOT_YET = (None, None)


def against(town: Town, story: Story) -> Iterator[Problem]:
    """Where the tables and the log say different things."""
    with town.reading() as connection:
        rows = payouts(connection)
        files = connection.execute(select(PAYOUT_BATCH)).all()
        orders = _orders(connection)
        signed = connection.execute(select(PAYOUT_SIGNATURE.c.batch, PAYOUT_SIGNATURE.c.key)).all()
        salts = dict(connection.execute(select(SALT.c.id, SALT.c.salt).where(SALT.c.id.in_(story.payouts.files))).all())
        where = _where(connection)
        persons = dict(connection.execute(select(KEY_PERSON.c.key, KEY_PERSON.c.person)).all())
    yield from _rows(story, rows)
    there = {row.id for row in files}
    for row in files:
        file = story.payouts.files.get(row.id)
        if file is not None:
            yield from _row(story, file, row)
            yield from _to(story, file, salts.get(row.id), orders.get(row.id, {}))
            yield from _file(story, file, bytes(row.file), orders.get(row.id, {}), where)
        else:
            yield "payout_unlogged", f"file {row.id.hex()} stands in the tables and was never ordered in the log"
    for file in story.payouts.files.values():
        if file.id not in there:
            yield "payout_missing", f"file {file.number} was ordered in the log and is not in the tables"
    noted = {(file.id, key) for file in story.payouts.files.values() for key in file.signers}
    for key in {(row.batch, row.key) for row in signed} ^ noted:
        yield "payout_unlogged", f"the signature of key {key[1].hex()[:16]} is in the log or in the tables only"
    for raw, known in story.keys.items():
        if persons.get(raw) != known.person:
            yield "person_wrong", f"key {raw.hex()[:16]} is held by another person in the tables than in the log"


def _rows(story: Story, rows: list[Payout]) -> Iterator[Problem]:
    state, network = story.payouts, story.rules.network
    for row in rows:
        owed = state.owed.get(row.reconversion)
        if owed is None:
            yield "payout_unlogged", f"a payout for entry {row.seq} stands in the tables and not in the log"
            continue
        right = (owed.seq, owed.holder, owed.units, owed.amount, payout_reference(network, owed.id))
        if (row.seq, row.holder, row.units, row.amount, row.reference) != right:
            yield "payout_unlogged", f"the payout of entry {row.seq} is another in the tables than in the log"
        told = (owed.file, owed.paid_by, owed.undone_by, owed.away_by, owed.home_by)
        if (
            row.batch,
            row.paid_by,
            row.undone_by,
            row.away_by,
            row.home_by,
        ) != told:
            yield "payout_unlogged", f"what became of the payout of entry {row.seq} is in the log or in tables only"
    there = {row.reconversion for row in rows}
    for owed in state.owed.values():
        if owed.sound and owed.id not in there:
            yield "payout_missing", f"the payout of entry {owed.seq} is owed in the log and not in the tables"


def _orders(connection: Connection) -> dict[bytes, dict[str, tuple[str, str]]]:
    """Names and IBANs as the tables have them, by file and the payout's reference."""
    query = select(PAYOUT_ORDER.c.batch, PAYOUT.c.reference, PAYOUT_ORDER.c.name, PAYOUT_ORDER.c.iban).join(
        PAYOUT, PAYOUT.c.reconversion == PAYOUT_ORDER.c.reconversion
    )
    found: dict[bytes, dict[str, tuple[str, str]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.batch, {})[row.reference] = (row.name, row.iban)
    return found


def _row(story: Story, file: File, row: Row[Any]) -> Iterator[Problem]:
    """The row that indexes a file says of it what the log says."""
    told = (row.seq, row.number, row.reserve, row.message, row.reference, row.requested_on, row.total, row.transfers,
            row.people, bytes(row.sha256))  # fmt: skip
    right = (file.seq, file.number, file.reserve, file.message, batch_reference(story.rules.network, file.id),
             file.requested_on, file.total, file.transfers, file.people, file.sha256)  # fmt: skip
    if told != right:
        yield "payout_unlogged", f"number, day, sums, people or hash of file {file.number} are others in the tables"
    acts = ((row.made_at, row.made_by), (row.fetched_at, row.fetched_by), (row.withdrawn_at, row.withdrawn_by))
    if acts != (file.made, file.fetched or _NOT_YET, file.withdrawn or _NOT_YET):
        yield "payout_unlogged", f"who made, fetched or withdrew file {file.number}, or when, is not what the log says"


def _to(story: Story, file: File, salt: bytes | None, rows: dict[str, tuple[str, str]]) -> Iterator[Problem]:
    """The names and IBANs of the tables are those of the log; they may be erased, with their salt."""
    if file.to is None or (salt is None and not any(name or iban for name, iban in rows.values())):
        return
    found = (story.payouts.by_place.get(place) for place in file.places)
    references = [payout_reference(story.rules.network, one.id) for one in found if one is not None]
    texts = [text for one in references for text in (one, *rows.get(one, ()))]
    if salt is None or salted(ORDERS, salt, texts) != file.to:
        yield "payout_order_changed", f"the names or IBANs to which file {file.number} goes are others in the tables"


def _file(
    story: Story, file: File, data: bytes, rows: dict[str, tuple[str, str]], where: dict[int, tuple[str, str]]
) -> Iterator[Problem]:
    """The file that was signed orders what shops are owed, to the cent. One that was erased cannot be looked at.

    To whom and where it goes is what the tables say that was ordered; and, where the holder of an account (`where`) has
    said nothing else since, what they say now of that one.
    """
    if not data:
        return
    if sha256(data).digest() != file.sha256:
        yield "payout_file_changed", f"the stored file {file.number} is not the one that was ordered and signed"
        return
    try:
        ordered = read_transfers(data).transfers
    except PainError as error:
        yield "payout_file_wrong", f"file {file.number} cannot be read: {error}"
        return
    orders = sorted((one.end_to_end, one.amount) for one in ordered)
    owed = [story.payouts.by_place[place] for place in file.places if place in story.payouts.by_place]
    network = story.rules.network
    if orders != sorted((payout_reference(network, one.id), one.amount) for one in owed):
        yield "payout_file_wrong", f"file {file.number} orders something else than its payouts"
        return
    if {one.end_to_end: (one.name, one.iban) for one in ordered} != {
        reference: (written(name), iban) for reference, (name, iban) in rows.items()
    }:
        yield (
            "payout_order_changed", f"file {file.number} pays to other names or IBANs than the tables say that it does"
        )  # fmt: skip
    holders = {payout_reference(network, one.id): one.holder for one in owed}
    for one in ordered:
        holder = holders[one.end_to_end]
        then, right = file.said[holder], where.get(holder)
        if then is None and file.to is not None:
            yield "payout_elsewhere", f"file {file.number} pays account {holder:016x}, which had not said where to"
        elif then is not None and story.details[holder] == then and right not in (None, (one.iban, one.name)):
            yield (
                "payout_elsewhere", f"file {file.number} pays account {holder:016x} to another name or IBAN than was "
                "said in the log"
            )  # fmt: skip


def _where(connection: Connection) -> dict[int, tuple[str, str]]:
    """IBANs and names, as a file has them, by account. That they are those of the log is looked at elsewhere."""
    details = (
        select(HOLDING.c.account, BANK_DETAILS.c.iban, BANK_DETAILS.c.holder, PARTY.c.name)
        .join(HOLDING, HOLDING.c.party == BANK_DETAILS.c.party)
        .join(PARTY, PARTY.c.id == BANK_DETAILS.c.party)
    )
    return {account: (iban, written(holder or name)) for account, iban, holder, name in connection.execute(details)}
