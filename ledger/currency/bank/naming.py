"""Which bank line a conversion rests on: it made the conversion, or it turned out to be one that was typed before."""

from __future__ import annotations

from sqlalchemy import select

from ledger.core import record as records
from ledger.core.model import Instruction, Transaction
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.bank.taking import line_id
from ledger.currency.town import Town

_LINE = BANK_LINE.c


def line_of_conversion(town: Town, id_: bytes, conversion: Transaction) -> bytes | None:
    """Id of the line that made the conversion `id_`, or that was found to be it; None where no line did."""
    evidence = conversion.evidence
    if "line" in evidence:
        return bytes.fromhex(str(evidence["line"]))
    names = {f"{number:016x}": name for name, number in town.chart.reserve.items()}
    name = names.get(str(evidence.get("reserve")))
    if name is None:
        return None
    if line_id(town.charter.network, name, str(evidence.get("reference"))) == id_:
        return id_
    query = select(_LINE.id, _LINE.seq, _LINE.placed_seq).where(
        _LINE.reserve == town.chart.reserve[name], _LINE.amount == conversion.transfers[1].amount,
        _LINE.withdrawn.is_(None), (_LINE.placed_as == "known") | (_LINE.became == "bank_line_known"),
    )  # fmt: skip
    with town.reading() as connection:
        rows = connection.execute(query).all()
    for row in rows:
        entry = entry_at(town, row.placed_seq or row.seq)
        if entry is not None and entry.evidence.get("conversion") == id_.hex():
            return bytes(row.id)
    return None


def entry_at(town: Town, seq: int) -> Instruction | None:
    """The log's entry `seq`; None where the log is not that long."""
    with town.book.store.reading() as store:
        rows = store.log(seq - 1, 1)
    return records.parse(rows[0].record).instruction if rows else None
