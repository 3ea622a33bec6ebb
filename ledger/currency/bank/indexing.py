"""What became of each line, in the bank's table: an index over the log, written in the commit of the entry itself.

An entry books a line (its id is the line's), places a line that was in suspense, puts a placed line back into suspense,
or takes a line back for good, because the bank withdrew it or a later line returned its euros. Whoever decided by what
a line was a moment ago, and finds that it is something else by now, is told so by `Overtaken`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from ledger.core.model import Instruction, Transaction
from ledger.core.tables import LOG
from ledger.currency.bank import typed
from ledger.currency.bank.mandates import index as debit_index
from ledger.currency.bank.payouts import index as payout_index
from ledger.currency.bank.tables import BANK_LINE

RETURN = "bank_return"
"""Kind of the entry that gives a top-up back: its euros went back to whoever sent them."""
WITHDRAWN = "bank_withdrawn"
"""Kind of the entry that undoes a line which a corrected statement no longer has."""
SUSPENSE, BACK = "bank_suspense", "bank_back"
"""Kinds of the entries that put a line into suspense: as it is booked, or again, because it was placed wrongly."""
PAIRED = "bank_paired"
"""Kind of the notes that two lines explain each other."""
Overtaken = payout_index.Overtaken
"""Raised within a commit: a line or payout is not what it was when this was decided. Nothing of the commit stands."""
_LINE = BANK_LINE.c

_BECAME = (
    update(BANK_LINE)
    # Only the first time: a booking that is repeated must not bring back what a person has changed since.
    .where(_LINE.id == bindparam("line"), _LINE.seq.is_(None))
    .values(became=bindparam("of_kind"), seq=bindparam("entry"), holder=bindparam("account"))
)


def index(connection: Connection, entries: Sequence[tuple[int, Instruction]]) -> None:
    """Note in the bank's table what these entries of the log (seq and instruction) made of lines.

    May run again for an entry that books, returns or withdraws a line; for placing or putting back it runs once.
    Raises `Overtaken`.
    """
    became = []
    for seq, one in entries:
        kind, evidence = kind_of(one), one.evidence
        if "line" in evidence:
            _decided(connection, seq, one)
        elif kind != WITHDRAWN:
            became.append({"line": one.id, "of_kind": kind, "entry": seq, "account": holder_of(one)})
        if "conversion" in evidence:
            _known(connection, one)
        elif kind in (BACK, WITHDRAWN):
            typed.free(connection, bytes.fromhex(str(evidence["line" if kind == BACK else "returns"])))
        if isinstance(one, Transaction):
            payout_index.stood(connection, one)
            debit_index.stood(connection, one)
        if kind == WITHDRAWN:
            stood = bytes.fromhex(str(evidence.get("undoes", evidence["returns"])))
            payout_index.taken_back(connection, stood)
            debit_index.taken_back(connection, one, stood)
        if kind in (RETURN, WITHDRAWN):
            _undo(connection, seq, one)
        if "undoes" in evidence and kind != WITHDRAWN:
            payout_index.taken_back(connection, bytes.fromhex(str(evidence["undoes"])))
            debit_index.put_back(connection, bytes.fromhex(str(evidence["undoes"])))
        if "reopens" in evidence:
            stands_again = update(BANK_LINE).where(_LINE.id == bytes.fromhex(str(evidence["reopens"])))
            connection.execute(stands_again.values(undone_seq=None))
    if became:
        connection.execute(_BECAME, became)


def _decided(connection: Connection, seq: int, one: Instruction) -> None:
    """A person placed a line, or put it back."""
    line = update(BANK_LINE).where(_LINE.id == bytes.fromhex(str(one.evidence["line"])))
    if kind_of(one) == BACK:
        line = line.values(became=SUSPENSE, seq=seq, holder=None, placed_as=None, placed_seq=None)
    else:
        line = line.values(placed_as=str(one.evidence["as"]), placed_seq=seq, holder=holder_of(one))
    connection.execute(line)


def _undo(connection: Connection, seq: int, one: Instruction) -> None:
    """A line was taken back, which was for this member, or for none and placed nowhere, or placed by what it undoes."""
    id_, holder = bytes.fromhex(str(one.evidence["returns"])), holder_of(one)
    right: tuple[ColumnElement[bool], ...] = (_LINE.holder == holder,) if holder else (_LINE.placed_seq.is_(None),)
    if "undoes" in one.evidence:
        placed = select(LOG.c.seq).where(LOG.c.id == bytes.fromhex(str(one.evidence["undoes"]))).scalar_subquery()
        right = (_LINE.placed_seq == placed,)
    query = update(BANK_LINE).where(_LINE.id == id_, _LINE.undone_seq.is_(None), *right).values(undone_seq=seq)
    if connection.execute(query).rowcount == 1:
        return
    if connection.execute(select(_LINE.undone_seq).where(_LINE.id == id_)).scalar() != seq:
        raise Overtaken


def _known(connection: Connection, one: Instruction) -> None:
    """A line is a conversion that was typed: by now that was taken back, or is another line, or it is this one."""
    line = bytes.fromhex(str(one.evidence["line"])) if "line" in one.evidence else one.id
    if (
        "line" not in one.evidence
        and connection.execute(select(_LINE.seq).where(_LINE.id == line)).scalar() is not None
    ):
        return  # A booking that is repeated: a person may have changed it since.
    if not typed.explain(connection, bytes.fromhex(str(one.evidence["conversion"])), line):
        raise Overtaken


def kind_of(instruction: Instruction) -> str:
    """What an entry made of a line: its kind."""
    kind: str = getattr(instruction, "kind", "")
    return kind


def holder_of(instruction: Instruction) -> int | None:
    """The member's account that an entry says it is for."""
    named = instruction.evidence.get("holder")
    return int(str(named), 16) if named else None
