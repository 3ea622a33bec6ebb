"""Rows that no program of ours wrote: `check` says which, and goes on with all else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, String, text
from sqlalchemy.exc import DBAPIError

from ledger.core.tables import METADATA
from ledger.currency import conversion
from ledger.currency.audit.walk import audit
from ledger.currency.bank import details
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.suspense import open_lines, place
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import monthly
from tests.currency.bank.scene import bring, line, opened, statement, token
from tests.threats.scene import answer
from tests.towns import CASH

ENGINES = {"log", "transfer", "account", "head", "alembic_version"}
"""Tables whose rows the engine's own check reads."""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        alice, shop = towns.member(made, "person", "Alice"), towns.member(made, "shop", "Boulangerie")
        bring(made, statement([line(50_000, token(made, alice.party)), line(900, "don"), line(-700, "frais")]))
        place(made, open_lines(made)[0].line.id, Decision(way=Way.OWN))
        conversion.convert(made, alice.party, 500, reserve=CASH, reference="S1")
        details.put(made, shop.party, "DE89370400440532013000")
        answer(made, alice, shop, shop.key, 450, "2 baguettes")
        monthly.sign(made, "Bob")
        monthly.collected(made)
        yield made


def sql(town: Town, *statements: str) -> None:
    with town.engine.begin() as connection:
        connection.execute(text("PRAGMA ignore_check_constraints = on"))
        for one in statements:
            connection.execute(text(one))


@pytest.mark.parametrize(
    "change",
    ["UPDATE bank_line SET parts = 'z'", "UPDATE bank_line SET booked_on = '2025-99-99'"],
)
def test_a_row_that_cannot_be_read_hides_nothing(town: Town, change: str) -> None:
    with town.reading() as connection:
        [id_] = connection.execute(text("SELECT hex(id) FROM bank_line WHERE amount = 900")).scalars()
    sql(town, f"{change} WHERE amount = 900", "UPDATE party SET name = 'Mallory' WHERE kind = 'shop'")
    found = audit(town).findings
    [unreadable] = [one.text for one in found if one.code == "row_unreadable" and "bank_line" in one.text][:1]
    assert f"the row {id_.lower()} of bank_line cannot be read" in unreadable
    assert {"name_differs", "statement_lines"} <= {one.code for one in found}


def test_whatever_stands_in_a_column_the_check_ends(town: Town) -> None:
    """One row of each table, one column after the other."""
    assert audit(town).clean
    tried = 0
    for table in METADATA.tables.values():
        for column in table.columns if table.name not in ENGINES else ():
            if column.primary_key:
                continue
            new = "'z'" if isinstance(column.type, String) else "x'00'" if isinstance(column.type, LargeBinary) else "7"
            with town.reading() as connection:
                row = connection.execute(text(f"SELECT rowid, {column.name} FROM {table.name}")).first()
            if row is None:
                continue
            try:
                sql(town, f"UPDATE {table.name} SET {column.name} = {new} WHERE rowid = {row[0]}")
            except DBAPIError:
                continue
            tried += 1
            audit(town)
            with town.engine.begin() as connection:
                back = text(f"UPDATE {table.name} SET {column.name} = :old WHERE rowid = {row[0]}")
                connection.execute(back, {"old": row[1]})
    assert tried > 60 and audit(town).clean


@pytest.mark.parametrize("half", ["signature = zeroblob(64)", "key = (SELECT key FROM device_key LIMIT 1)"])
def test_a_signature_that_is_only_half_there(town: Town, half: str) -> None:
    sql(town, f"UPDATE mandate_version SET {half}")
    assert [one.code for one in audit(town).findings] == ["mandate_text_changed"]
