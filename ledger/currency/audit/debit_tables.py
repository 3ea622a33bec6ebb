"""The tables of monthly top-ups against the log: mandates and what was signed, files, and what became of each debit.

A live book goes on while it is audited: what entries after the audited head did is left out.
"""

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
from ledger.currency.bank.mandates.tables import (
    COLLECTION,
    COLLECTION_ITEM,
    MANDATE,
    MANDATE_NOTICE,
    MANDATE_VERSION,
)
from ledger.currency.bank.mandates.text import Content, read_text, text_hash
from ledger.currency.bank.pain import written_name
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
    yield from _gone(story, {(row.mandate, row.version) for row in versions if row.text})
    signed: dict[bytes, Content] = {}
    stands = {row.id: row for row in mandates}
    for row in versions:
        yield from _signed(story, row, stands.get(row.mandate), signed)
    there = {row.id for row in files}
    for row in files:
        file = story.debits.files.get(row.number)
        if file is not None and file.id == row.id:
            yield from _file(story, file, row, signed)
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


def _gone(story: Story, there: set[tuple[bytes, int]]) -> Iterator[Problem]:
    """What was signed is there; of those who have left it may be erased, of nobody else (as `vouching.end` says)."""
    for mandate in story.debits.mandates.values():
        if mandate.account not in story.closed and not {(mandate.id, one) for one in mandate.hashes} <= there:
            yield "mandate_text_gone", f"what was signed of mandate {mandate.reference} is not there any more"


def _signed(story: Story, row: Row[Any], stands: Row[Any] | None, signed: dict[bytes, Content]) -> Iterator[Problem]:
    """What was signed is what the log has the hash of, by a key of the party's, and what the mandate's row says.

    Of what was erased that is found beside. `signed` gets what the others say.
    """
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
    content = read_text(row.text, story.rules.network, mandate.id)
    if content is None:
        yield "mandate_text_changed", f"the text of mandate {mandate.reference} is none of a mandate"
        return
    erased = mandate.account in story.closed
    first = signed.setdefault(mandate.id, content)
    yield from _as_signed(mandate.reference, row, content, first, stands, erased=erased)
    if row.key is None and row.signature is None and row.version not in mandate.by_device:
        return
    if row.key is None or row.signature is None:
        yield "mandate_text_changed", f"the key or the signature under mandate {mandate.reference} is not there"
        return
    key = story.keys.get(bytes(row.key))
    if key is None or key.account != mandate.account or key.role not in parties.SPEND:
        yield "mandate_text_changed", f"mandate {mandate.reference} was signed by a key that does not act for its party"
    try:
        proofs.verify_mandate(story.rules.network, bytes(row.key), row.text, bytes(row.signature))
    except MessageError:
        yield "mandate_text_changed", f"the signature of mandate {mandate.reference} is not over its text"


def _as_signed(
    reference: str, row: Row[Any], content: Content, first: Content, stands: Row[Any] | None, *, erased: bool
) -> Iterator[Problem]:
    """Each version, and the mandate's row, say what the text says that was signed; but for what may be erased."""
    named = (content.holder, content.iban)
    told = named if stands is None else (stands.holder, stands.iban)
    if erased and stands is not None:
        told = (stands.holder or content.holder, stands.iban or content.iban)
    if (first.holder, first.iban) != named or told != named:
        yield "mandate_differs", f"holder or IBAN of mandate {reference} is not that of the text that was signed"
    signed_on = content.signed_on.isoformat()
    of_mandate = signed_on if stands is None or content.version > 1 else stands.signed_on
    if (row.version, row.amount, row.signed_on, of_mandate) != (content.version, content.amount, signed_on, signed_on):
        yield "mandate_differs", f"amount or day of mandate {reference} is not that of the text that was signed"


def _file(story: Story, file: DebitFile, row: Row[Any], signed: dict[bytes, Content]) -> Iterator[Problem]:
    if file.withdrawn != (row.withdrawn_at is not None):
        yield "debit_unlogged", f"that file {file.number} was withdrawn is in the log or in the tables only"
    data = bytes(row.file)
    if data:
        yield from _ordered(story, file, data, signed)
    now = {one.number: one for one in story.debits.items_of(file.id)}
    for number, one in file.items.items():
        stands = now.get(number)
        told = stands and stands._replace(unpaid_reason="")
        if told != one:
            yield "debit_unlogged", f"what became of debit {number} of file {file.number} is not what the log says"


def _ordered(story: Story, file: DebitFile, data: bytes, signed: dict[bytes, Content]) -> Iterator[Problem]:
    """The file that goes to the bank orders its debits, to the cent, from the accounts that were signed for."""
    if sha256(data).hexdigest() != file.sha256:
        yield "collection_file_changed", f"the stored file {file.number} is not the one that was ordered"
        return
    try:
        nodes = [node for _parent, node in xml_nodes(data, ["DrctDbtTxInf"])]
        orders = sorted((node.value("PmtId", "EndToEndId"), node.value("InstdAmt")) for node in nodes)
    except StatementError as error:
        yield "collection_file_changed", f"file {file.number} cannot be read: {error}"
        return
    if file.items and orders != sorted((one.reference, decimal_text(one.amount)) for one in file.items.values()):
        yield "collection_file_changed", f"file {file.number} orders something else than its debits"
        return
    mandates = {one.reference: one.mandate for one in file.items.values()}
    for node in nodes:
        own = node.value("PmtId", "EndToEndId")
        content = signed.get(mandates.get(own, b""))
        debited = (node.value("Dbtr", "Nm"), node.value("DbtrAcct", "Id", "IBAN"))
        if content is not None and debited != (written_name(content.holder), content.iban):
            yield (
                "collection_unsigned", f"file {file.number} debits by {own} another account than the mandate that was "
                "signed names",
            )  # fmt: skip
