"""Euros that came and that nobody placed: somebody's, and not the association's; and euros that went so.

They are added up by direction, never one against the other: what came and is nobody's yet is owed to somebody, however
much went out beside it. Lines of which one gave back what the other brought are a pair, and wait once more or no more
as a person says so.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, or_, select

from ledger.core.model import Note, Transaction
from ledger.currency.bank.indexing import BACK, PAIRED, SUSPENSE
from ledger.currency.bank.reference import read_line_reference
from ledger.currency.bank.tables import BANK_LINE

_LINE = BANK_LINE.c


def came(connection: Connection, seq: int) -> int:
    """What came and waited in suspense at entry `seq` of the log, in cents."""
    query = select(func.coalesce(func.sum(_LINE.amount), 0)).where(
        _LINE.became == SUSPENSE, _LINE.seq <= seq, _LINE.amount > 0,
        or_(_LINE.placed_seq.is_(None), _LINE.placed_seq > seq),
        or_(_LINE.undone_seq.is_(None), _LINE.undone_seq > seq),
    )  # fmt: skip
    return int(connection.execute(query).scalar_one())


def changed(instruction: Transaction | Note, suspense: int) -> int:
    """What an entry made of what came and waits, in cents: it puts a line into the account `suspense`, or takes it out.

    An entry moves a whole line; a pair leaves two lines where they are, and nobody waits for them.
    """
    reference = str(instruction.evidence.get("reference", ""))
    line = read_line_reference(reference)
    amount = line[1] if line is not None else 0
    if isinstance(instruction, Note):
        if instruction.kind not in (PAIRED, BACK):
            return 0
        return max(0, amount) * (1 if instruction.kind == BACK else -1)
    into = sum(t.amount * ((t.credit == suspense) - (t.debit == suspense)) for t in instruction.transfers)
    return into if amount > 0 else 0
