"""Texts in tables against the salted hashes of them in the log: names, bank details, bank lines, memos.

A text that was erased with its salt is no finding; one that was changed is. What is from before the log held hashes
(before the first note of the charter that says all limits) is counted and told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger.core.tables import LOG
from ledger.currency.audit.lines import Taken
from ledger.currency.audit.story import Notice, Problem, Story
from ledger.currency.bank import unaltered
from ledger.currency.bank.reference import squeezed
from ledger.currency.bank.tables import BANK_LINE, BANK_SQUEEZED
from ledger.currency.messages import MessageError, SignedRequest
from ledger.currency.salted import DETAILS, NAME, details_id, salted
from ledger.currency.tables import BANK_DETAILS, HOLDING, MEMO, PARTY, SALT
from ledger.currency.town import Town

_REFERENCE_HEX = 32
"""Characters of an order's reference: the last of its bytes in hex."""


ERASED = (
    "the texts of statement {number} of {name} were erased: what its lines said, and whose they were, nobody can tell"
)
"""What is said of it; the command has it in French."""


def against(town: Town, story: Story) -> Iterator[Problem]:
    """Where texts are others than the log holds the hashes of."""
    before = Counter[str]()
    with town.reading() as connection:
        yield from _names(connection, story, before)
        yield from _details(connection, story, before)
        yield from _statements(connection, story, before)
        yield from _squeezed(connection)
        yield from _memos(connection, story, before)
    before = +before
    if before:
        told = ", ".join(f"{count} {what}" for what, count in before.items())
        form = (
            "from before the log held hashes of texts: {told}. Whoever may write to the database can change them, and "
            "nobody sees it"
        )
        story.notices.append(Notice(story.demanded, b"", form, {"told": told}))


def _names(connection: Connection, story: Story, before: Counter[str]) -> Iterator[Problem]:
    query = (
        select(HOLDING.c.account, PARTY.c.name, SALT.c.salt)
        .join(HOLDING, HOLDING.c.party == PARTY.c.id)
        .join(SALT, SALT.c.id == PARTY.c.id, isouter=True)
        .order_by(HOLDING.c.account)
    )
    for account, name, salt in connection.execute(query):
        hashed = story.names.get(account)
        if hashed is None:
            before["names of parties"] += account in story.holders
        elif not _is(hashed, NAME, salt, [name], erased=not name):
            yield "name_differs", f"the name {name!r} of account {account:016x} is not the one in the log"


def _details(connection: Connection, story: Story, before: Counter[str]) -> Iterator[Problem]:
    rows = connection.execute(
        select(HOLDING.c.account, BANK_DETAILS.c.party, BANK_DETAILS.c.iban, BANK_DETAILS.c.holder)
        .join(HOLDING, HOLDING.c.party == BANK_DETAILS.c.party)
        .order_by(HOLDING.c.account)
    ).all()
    for account, party, iban, holder in rows:
        if account not in story.details:
            if account in story.names:  # admitted since: somebody would have said so in the log
                yield "details_differ", f"bank details of account {account:016x} stand in the tables and not in the log"
            else:
                before["bank details"] += 1
            continue
        salt = connection.execute(select(SALT.c.salt).where(SALT.c.id == details_id(party))).scalar()
        hashed = story.details[account]
        if hashed is None or not _is(hashed, DETAILS, salt, [iban, holder], erased=False):
            yield "details_differ", f"the IBAN or holder of account {account:016x} is not the one in the log"
    there = {row.account for row in rows}
    for account, hashed in story.details.items():
        if hashed is not None and account not in there:
            yield "details_differ", f"bank details of account {account:016x} stand in the log and not in the tables"


def _statements(connection: Connection, story: Story, before: Counter[str]) -> Iterator[Problem]:
    names = {number: name for name, number in story.chart.reserve.items()}
    notes = {one.id: (one, names[reserve]) for reserve, taken in story.lines.statements.items() for one in taken}
    for one, _name in notes.values():
        before["statements"] += one.content is None
        before["statements that do not say whose they are"] += one.content is not None and one.iban is None
    # Lines of one statement stand together: their places begin with its entry.
    rows = connection.execute(select(BANK_LINE).order_by(BANK_LINE.c.place)).mappings()
    for statement, lines in groupby(rows, key=lambda row: row["statement"]):
        found = notes.get(statement)
        if found is not None and found[0].content is not None:
            yield from _lines(connection, story, found[0], found[1], [dict(line) for line in lines])


def _lines(
    connection: Connection, story: Story, note: Taken, name: str, rows: list[dict[str, Any]]
) -> Iterator[Problem]:
    references = unaltered.references(rows)
    if unaltered.digest(references) != note.digest:
        return  # other lines than were taken, which is found beside
    salt = connection.execute(select(SALT.c.salt).where(SALT.c.id == note.id)).scalar()
    if salt is None and note.content:
        story.notices.append(Notice(note.seq, note.id, ERASED, {"number": note.number, "name": name}))
    if not unaltered.says(note.content or "", salt, references, rows):
        yield (
            "statement_texts",
            f"who paid or was paid by a line of statement {note.number} of {name!r}, their IBAN, text, references or "
            "kind are not what was taken",
        )


def _squeezed(connection: Connection) -> Iterator[Problem]:
    """The index over the bank's references is of the references that stand in the lines."""
    query = select(BANK_LINE.c.bank_ref, BANK_SQUEEZED.c.squeezed).join(
        BANK_SQUEEZED, BANK_SQUEEZED.c.line == BANK_LINE.c.id, full=True
    )
    wrong = sum(
        (squeezed(reference or "") or None) != text
        for reference, text in connection.execution_options(yield_per=1_000).execute(query)
    )
    if wrong:
        yield "statement_texts", f"the index over the banks' references says something else than {wrong} lines do"


def _memos(connection: Connection, story: Story, before: Counter[str]) -> Iterator[Problem]:
    query = (
        select(MEMO.c.id, MEMO.c.text, MEMO.c.request, LOG.c.seq, LOG.c.record)
        .join(LOG, LOG.c.id == MEMO.c.id, isouter=True)
        .order_by(LOG.c.seq)
    )
    for id_, text, request, entry, record in connection.execution_options(yield_per=1_000).execute(query):
        if entry is None:
            yield "memo_differs", f"a memo stands in the tables for {id_.hex()}, which is not in the log"
        elif request is None and entry < story.demanded:
            before["memos of payments"] += 1
        elif not _is_memo(text, request, record):
            yield "memo_differs", f"the memo of payment {id_.hex()} is not what the payee had signed and the payer paid"


def _is_memo(text: str, raw: bytes | None, record: bytes) -> bool:
    if raw is None:
        return False
    try:
        order = orjson.loads(record)["evidence"]["order"]
        request = SignedRequest.from_bytes(raw)
    except (MessageError, KeyError, TypeError, ValueError):
        return False
    return request.request.label == text and request.reference.hex() == order[-_REFERENCE_HEX:]


def _is(hashed: str, domain: str, salt: bytes | None, texts: list[str], *, erased: bool) -> bool:
    """Whether texts are those that were hashed; without a salt, whether they were erased with it."""
    return erased if salt is None else salted(domain, salt, texts) == hashed
