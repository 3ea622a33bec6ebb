"""Which statements of an account stand: all but those that were withdrawn, from its first on, because it was wrong.

The note that withdraws them is in the log, by an id that follows from the first of them; no table says it once more.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, func, select

from ledger.core.ids import derived_id
from ledger.currency import logged
from ledger.currency.bank.tables import BANK_STATEMENT

KIND = "bank_statements_withdrawn"
_STATEMENT = BANK_STATEMENT.c


def withdrawal_id(first: bytes) -> bytes:
    """Id of the one note that withdraws the statements of an account from its statement `first` on."""
    return derived_id("patard/bank-statements-withdrawn", first)


def begun(connection: Connection) -> dict[int, int]:
    """Where in the log the first statement of each account was taken, whether it stands or was withdrawn.

    What somebody types since then on a bank account is for a line to come: a statement that is withdrawn proves nothing
    any more, and nothing less of what was typed while it stood.
    """
    query = select(_STATEMENT.reserve, func.min(_STATEMENT.seq)).group_by(_STATEMENT.reserve)
    return {reserve: seq for reserve, seq in connection.execute(query)}


def told_to(connection: Connection, seq: int) -> dict[int, date]:
    """The last day of the statements that each account had up to entry `seq` of the log, those withdrawn too.

    What they told of a day was told: that euros had not come by then does not become unknown with them.
    """
    query = select(_STATEMENT.reserve, func.max(_STATEMENT.last)).where(_STATEMENT.seq <= seq)
    rows = connection.execute(query.group_by(_STATEMENT.reserve))
    return {reserve: date.fromisoformat(last) for reserve, last in rows}


def first_standing(connection: Connection, reserve: int, seq: int | None = None) -> Row[Any] | None:
    """The first statement of the account that stands, at entry `seq` of the log or now; None where none does."""
    number = 1
    while True:
        query = select(BANK_STATEMENT).where(_STATEMENT.reserve == reserve, _STATEMENT.number == number)
        row = connection.execute(query).first()
        if row is None or (seq is not None and row.seq > seq):
            return None
        id_ = withdrawal_id(row.id)
        record = logged.by_ids(connection, [id_]).get(id_)
        note = logged.note(record, KIND)
        if record is None or note is None or (seq is not None and record.seq > seq):
            return row
        number += int(note.evidence["statements"])
