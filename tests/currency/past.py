"""A file of the past, for the tests of its import: written, short, wrong in a line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.currency import importer, parties
from ledger.currency.importer import ImportRefused, Options
from ledger.currency.town import Town
from tests.towns import nothing_moves

HEADER = "id,at,from,to,amount,unit,kind\n"
ASSO = Options(issuers=frozenset({"asso"}))
SMALL = (
    HEADER + "1,2024-01-31T23:30:00Z,asso,Alice,100.00,PATARD,conversion\n"
    "2,2024-02-01,Alice,Boulangerie,12.50,PATARD,payment\n"
    "3,2024-02-02 08:00:00,Boulangerie,asso,2.50,PATARD,reconversion\n"
)


Write = Callable[..., Path]


def writing(path: Path) -> Write:
    def writer(text: str | bytes, encoding: str = "utf-8") -> Path:
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return writer


def problems(town: Town, path: Path, options: Options = ASSO) -> list[tuple[int, str]]:
    """The file is refused with these, and nothing moved."""
    with nothing_moves(town), pytest.raises(ImportRefused) as caught:
        importer.run(town, path, options)
    return [(problem.line, problem.code) for problem in caught.value.problems]


def line(**changes: str) -> str:
    """One payment of the issuer to Alice, with changes."""
    values = {"id": "1", "at": "2024-02-01", "from": "asso", "to": "Alice", "amount": "1.00", "unit": "PATARD",
              "kind": "payment"}  # fmt: skip
    return ",".join({**values, **{key.rstrip("_"): value for key, value in changes.items()}}.values()) + "\n"


def balance(town: Town, name: str) -> int:
    return town.book.balance(parties.named(town, name).account)
