"""What undoes a line that a corrected statement no longer has: its euros were never on the account."""

from __future__ import annotations

from ledger.core.ids import derived_id
from ledger.core.model import Instruction, Note, Transaction, Transfer
from ledger.currency.bank import claims, matching, suspense, topups
from ledger.currency.bank.correcting import is_treasurer
from ledger.currency.bank.indexing import RETURN, SUSPENSE, WITHDRAWN
from ledger.currency.bank.lines import Books, Line
from ledger.currency.bank.mandates import matching as mandates
from ledger.currency.bank.placing import Way


def withdrawn_id(line: bytes) -> bytes:
    """Id of the one entry that undoes this line."""
    return derived_id("patard/bank-line-undone", line)


def entry(books: Books, line: Line) -> Instruction:
    """The entry that undoes a line. What a person placed it as is put back first, where that is not a top-up.

    Raises `CurrencyError` where that cannot be put back, because units were spent or a debt was paid, say.
    """
    made = _made(books, line)
    claims.require_owed(books.town, made)
    return made


def _made(books: Books, line: Line) -> Instruction:
    id_ = withdrawn_id(line.id)
    if line.placed_as == Way.MEMBER or (line.placed_as is None and line.became == topups.CONVERSION):
        return topups.undo(books, line, id_, WITHDRAWN, line)
    debits = mandates.undoing(books, line, id_, WITHDRAWN)
    if debits is not None:
        return debits
    evidence = books.evidence(line, returns=line.id.hex())
    if line.placed_as is None and line.became != SUSPENSE:
        stood = books.town.book.find(line.id)
        assert stood is not None
        if not isinstance(stood.instruction, Transaction):
            # A conversion that was typed by hand: it stays, and waits for the line that is it.
            return Note(id_, WITHDRAWN, evidence, line.booked_on)
        evidence |= claims.undoing(stood.instruction.evidence)
        if stood.instruction.kind == RETURN:
            evidence["reopens"] = str(stood.instruction.evidence["returns"])
        moved = stood.instruction.transfers
    else:
        if line.placed_as is not None:
            suspense.undo(books.town, line, books.by, treasurer=is_treasurer(books.town, books.by))
        moved = matching.suspense(books, line).transfers
    back = tuple(Transfer(t.credit, t.debit, t.amount, t.unit) for t in moved)
    return Transaction(id_, WITHDRAWN, back, line.booked_on, evidence=evidence)
