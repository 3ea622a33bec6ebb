"""The tables of monthly top-ups against the log: mandates and what was signed, files, and what became of each debit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, select

from ledger.currency import parties, proofs
from ledger.currency.audit.debit_state import DebitFile
from ledger.currency.audit.story import Problem, Story
from ledger.currency.bank.formats.nodes import xml_nodes
from ledger.currency.bank.mandates.index import Item
from ledger.currency.bank.mandates.register import text_hash
from ledger.currency.bank.mandates.tables import (
    COLLECTION,
    COLLECTION_ITEM,
    MANDATE,
    MANDATE_NOTICE,
    MANDATE_VERSION,
)
from ledger.currency.bank.statement import StatementError
from ledger.currency.money import decimal_text
from ledger.currency.town import Town
from ledger.currency.wire import MessageError

_ITEM = COLLECTION_ITEM.c


def lend(town: Town, story: Story) -> None:
    """Let the story read from the tables what the log holds digests of."""
    columns = [COLLECTION.c.number if name == "file" else _ITEM[name] for name in Item._fields]
    of_file = select(*columns).join(COLLECTION, COLLECTION.c.id == _ITEM.collection).order_by(_ITEM.number)
    notice = MANDATE_NOTICE.c

    def items_of(id_: bytes) -> list[Item]:
        with town.reading() as connection:
            return [Item(*row) for row in connection.execute(of_file.where(_ITEM.collection == id_))]

    def told_in(seq: int) -> list[tuple[bytes, int]]:
        query = select(notice.mandate, notice.amount).where(notice.seq == seq)
        with town.reading() as connection:
            return [(row.mandate, row.amount) for row in connection.execute(query)]

    story.debits.items_of, story.debits.told_in = items_of, told_in


def against(town: Town, story: Story, maturing: int) -> Iterator[Problem]:
    """Where the tables and the log say different things; `maturing` is that account's balance."""
    ripe = [one for file in story.debits.files.values() for one in file.items.values() if one.state == "maturing"]
    if sum(one.amount for one in ripe) != maturing:
        yield "maturing_unexplained", f"{maturing} units mature; the debits whose units do come to another sum"
    with town.reading() as connection:
        mandates = connection.execute(select(MANDATE)).all()
        versions = connection.execute(select(MANDATE_VERSION)).all()
        files = connection.execute(select(COLLECTION)).all()
    yield from _mandates(mandates, story)
    for row in versions:
        yield from _signed(story, row)
    there = {row.id for row in files}
    for row in files:
        file = story.debits.files.get(row.number)
        if file is not None and file.id == row.id:
            yield from _file(story, file, row)
        else:
            yield "debit_unlogged", f"file {row.number} stands in the tables and was never ordered in the log"
    for file in story.debits.files.values():
        if file.id not in there:
            yield "debit_missing", f"file {file.number} was ordered in the log and is not in the tables"


def _mandates(rows: Sequence[Row[Any]], story: Story) -> Iterator[Problem]:
    state = story.debits
    for row in rows:
        known = state.mandates.get(row.id)
        if known is None:
            yield "mandate_unlogged", f"mandate {row.reference} stands in the tables and was never signed"
            continue
        if (row.account, row.reference) != (known.account, known.reference):
            yield "mandate_unlogged", f"mandate {row.reference} is another's in the tables than in the log"
        stands = (known.version, known.amount, known.suspended_by, known.ended_at)
        if (row.version, row.amount, row.suspended_by, row.ended_at) != stands:
            yield "mandate_unlogged", f"amount or state of mandate {row.reference} is in the log or in the tables only"
    there = {row.id for row in rows}
    for known in state.mandates.values():
        if known.id not in there:
            yield "mandate_missing", f"mandate {known.reference} was signed in the log and is not in the tables"


def _signed(story: Story, row: Row[Any]) -> Iterator[Problem]:
    """What was signed is what the log has the hash of, by a key of the party's. What was erased cannot be looked at."""
    mandate = story.debits.mandates.get(row.mandate)
    hashed = mandate and mandate.hashes.get(row.version)
    if mandate is None or hashed is None:
        yield "mandate_unlogged", f"an amount of mandate {row.mandate.hex()} was signed in the tables only"
        return
    if not row.text:
        return
    if text_hash(bytes(row.salt), row.text) != hashed:
        yield "mandate_text_changed", f"the text of mandate {mandate.reference} is not the one that was signed"
        return
    if row.key is None:
        return
    key = story.keys.get(bytes(row.key))
    if key is None or key.account != mandate.account or key.role not in parties.SPEND:
        yield "mandate_text_changed", f"mandate {mandate.reference} was signed by a key that does not act for its party"
    try:
        proofs.verify_mandate(story.rules.network, bytes(row.key), row.text, bytes(row.signature))
    except MessageError:
        yield "mandate_text_changed", f"the signature of mandate {mandate.reference} is not over its text"


def _file(story: Story, file: DebitFile, row: Row[Any]) -> Iterator[Problem]:
    if file.withdrawn != (row.withdrawn_at is not None):
        yield "debit_unlogged", f"that file {file.number} was withdrawn is in the log or in the tables only"
    data = bytes(row.file)
    if data:
        yield from _ordered(story, file, data)
    now = {one.number: one for one in story.debits.items_of(file.id)}
    for number, one in file.items.items():
        stands = now.get(number)
        told = stands and stands._replace(unpaid_reason="")
        if told != one:
            yield "debit_unlogged", f"what became of debit {number} of file {file.number} is not what the log says"


def _ordered(story: Story, file: DebitFile, data: bytes) -> Iterator[Problem]:
    """The file that goes to the bank orders its debits, to the cent."""
    if sha256(data).hexdigest() != file.sha256:
        yield "collection_file_changed", f"the stored file {file.number} is not the one that was ordered"
        return
    try:
        orders = sorted(
            (node.value("PmtId", "EndToEndId"), node.value("InstdAmt"))
            for _parent, node in xml_nodes(data, ["DrctDbtTxInf"])
        )
    except StatementError as error:
        yield "collection_file_changed", f"file {file.number} cannot be read: {error}"
        return
    if file.items and orders != sorted((one.reference, decimal_text(one.amount)) for one in file.items.values()):
        yield "collection_file_changed", f"file {file.number} orders something else than its debits"
