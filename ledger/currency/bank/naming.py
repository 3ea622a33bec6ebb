"""Which bank line a conversion rests on: it made the conversion, or it turned out to be one that was typed before."""

from __future__ import annotations

from sqlalchemy import Connection

from ledger.core import record as records
from ledger.core.model import Instruction, Transaction
from ledger.currency.bank import typed
from ledger.currency.bank.taking import line_id
from ledger.currency.town import Town


def line_of_conversion(town: Town, connection: Connection, id_: bytes, conversion: Transaction) -> bytes | None:
    """Id of the line that made the conversion `id_`, or that was found to be it; None where no line did."""
    evidence = conversion.evidence
    if "line" in evidence:
        return bytes.fromhex(str(evidence["line"]))
    names = {f"{number:016x}": name for name, number in town.chart.reserve.items()}
    name = names.get(str(evidence.get("reserve")))
    if name is not None and line_id(town.charter.network, name, str(evidence.get("reference"))) == id_:
        return id_
    row = typed.find(connection, id_)
    return None if row is None or row.line is None else bytes(row.line)


def entry_at(town: Town, seq: int) -> Instruction | None:
    """The log's entry `seq`; None where the log is not that long."""
    with town.book.store.reading() as store:
        rows = store.log(seq - 1, 1)
    return records.parse(rows[0].record).instruction if rows else None
