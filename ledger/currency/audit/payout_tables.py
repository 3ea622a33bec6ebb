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
from ledger.currency.bank.pain import PainError, written_name
from ledger.currency.bank.pain_read import read_transfers
from ledger.currency.bank.payouts.batches import batch_reference
from ledger.currency.bank.payouts.index import payout_reference
from ledger.currency.bank.payouts.owed import Payout, payouts
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_BATCH, PAYOUT_ORDER, PAYOUT_SIGNATURE
from ledger.currency.tables import KEY_PERSON
from ledger.currency.town import Town

_NOT_YET = (None, None)


def against(town: Town, story: Story) -> Iterator[Problem]:
    """Where the tables and the log say different things."""
    with town.reading() as connection:
        rows = payouts(connection)
        files = connection.execute(select(PAYOUT_BATCH)).all()
        orders = _orders(connection)
        signed = connection.execute(select(PAYOUT_SIGNATURE.c.batch, PAYOUT_SIGNATURE.c.key)).all()
        persons = dict(connection.execute(select(KEY_PERSON.c.key, KEY_PERSON.c.person)).all())
    yield from _rows(story, rows)
    there = {row.id for row in files}
    for row in files:
        file = story.payouts.files.get(row.id)
        if file is not None:
            yield from _row(story, file, row)
            yield from _file(story, file, bytes(row.file), orders.get(row.id, {}))
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


def _file(story: Story, file: File, data: bytes, rows: dict[str, tuple[str, str]]) -> Iterator[Problem]:
    """The file that was signed orders what shops are owed, to the cent. One that was erased cannot be looked at.

    To whom and where it goes is what the tables say that was ordered.
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
        reference: (_written(name), iban) for reference, (name, iban) in rows.items()
    }:
        yield (
            "payout_order_changed", f"file {file.number} pays to other names or IBANs than the tables say that it does"
        )  # fmt: skip


def _written(name: str) -> str:
    try:
        return written_name(name)
    except PainError:
        return name
