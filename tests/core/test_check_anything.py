"""The independent check finds any one changed cell and any one lost row of a book."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pysqlite3
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ledger.core import check_rows
from tests.core.books import checked, copy, raw, unguarded

TABLES = {
    "log": ("seq id at corrects leaf record", 44),
    "transfer": (check_rows.TRANSFER.replace(",", ""), 45),
    "account": (check_rows.ACCOUNT.replace(",", ""), 8),
    "head": ("one seq at frontier root", 1),
}
CELLS = [(table, column) for table, (columns, _) in TABLES.items() for column in columns.split()]
NULLABLE = {"corrects", "floor", "ceiling", "cover"}
whole = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1))
change = st.tuples(
    st.sampled_from(CELLS),
    st.integers(0, 44),
    st.booleans(),
    whole,
    st.binary(max_size=40),
    st.integers(0, 2**16),
    st.sampled_from(["EUR", "PAT", "PATS", "", "\x00"]),
)


def changed(value: Any, step: int, data: bytes, at: int, text: str) -> Any:
    """Another value of the same type."""
    if type(value) is int:
        return min(max(value + step, -(2**63)), 2**63 - 1)
    if type(value) is str:
        return text
    if value is None:
        return data or step
    if at % 3 and value:
        at %= len(value)
        return value[:at] + bytes([value[at] ^ (1 + step % 255)]) + value[at + 1 :]
    return data


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(change)
def test_any_changed_cell_is_found(honest: Path, tmp_path: Path, drawn: Any) -> None:
    (table, column), nth, null, step, data, at, text = drawn
    path = copy(honest, tmp_path / "cell.db")
    with unguarded(path) as db:
        nth %= TABLES[table][1]
        rowid, value = db.execute(
            f"SELECT rowid, {column} FROM {table} ORDER BY rowid LIMIT 1 OFFSET ?", (nth,)
        ).fetchone()
        new = None if null and column in NULLABLE else changed(value, step, data, at, text)
        assume(new != value or type(new) is not type(value))
        try:
            db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (new, rowid))
        except pysqlite3.IntegrityError:
            assume(False)  # the database itself would not have it: a key that is there, a type of another kind
    report = checked(path)
    assert not report.ok, (table, column, nth, value, new)
    assert not report.counts.keys() & {"guard_missing"}


@pytest.mark.parametrize("table", ["log", "transfer", "account", "head"])
def test_any_lost_row_is_found(honest: Path, tmp_path: Path, table: str) -> None:
    for nth in range(TABLES[table][1]):
        path = copy(honest, tmp_path / "row.db")
        with unguarded(path) as db:
            db.execute(f"DELETE FROM {table} WHERE rowid = (SELECT rowid FROM {table} LIMIT 1 OFFSET ?)", (nth,))
        assert not checked(path).ok, (table, nth)


@pytest.mark.parametrize("column", ["debit_after", "credit_after", "debit_previous", "credit_previous", "debit_jump",
                                    "credit_jump", "debit", "credit", "amount", "place"])  # fmt: skip
def test_every_cell_of_every_transfer(honest: Path, tmp_path: Path, column: str) -> None:
    with raw(honest) as db:
        places = [place for (place,) in db.execute("SELECT place FROM transfer")]
    for place in places:
        path = copy(honest, tmp_path / "cell.db")
        with unguarded(path) as db:
            try:
                db.execute(f"UPDATE transfer SET {column} = {column} + 1 WHERE place = ?", (place,))
            except pysqlite3.IntegrityError:
                continue  # that place is taken
        assert place >> 8 in {finding.seq for finding in checked(path).findings}
