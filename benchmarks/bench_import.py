"""Moving a currency in: lines of CSV a second, all of it; the floor is posting as many prepared transfers."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from api.home import found_home
from benchmarks.crowd import BATCH, furnish, payments, post_all
from benchmarks.figures import measure
from ledger.core.opening import open_book
from ledger.currency import importer
from ledger.currency.charter import Charter, ReserveAccount, ReserveKind

LINES = 20_000
MEMBERS = 500


def csv(path: Path) -> None:
    """A currency's past: every member is issued units once, then pays others."""
    chosen, at = random.Random(3), datetime(2024, 1, 1, tzinfo=UTC)
    with path.open("w") as file:
        file.write("id,at,from,to,amount,unit,kind\n")
        for number in range(LINES):
            at += timedelta(seconds=40)
            if number < MEMBERS:
                payer, payee, amount, kind = "Association", f"Membre {number}", "5000.00", "conversion"
            else:
                one, two = chosen.sample(range(MEMBERS), 2)
                payer, payee, kind = f"Membre {one}", f"Membre {two}", "payment"
                amount = f"{chosen.randrange(1, 40)}.{chosen.randrange(100):02}"
            file.write(f"{number},{at.isoformat()},{payer},{payee},{amount},PATARD,{kind}\n")


def test_import(benchmark: Any, tmp_path: Path) -> None:
    source = tmp_path / "past.csv"
    csv(source)
    charter = Charter(
        code="PATARD", name="Le Patard", symbol="P", network=b"\0\1\2\3", reconversion_fee_bp=500,
        public_url="http://127.0.0.1:8000", reserve=(ReserveAccount(name="Banque", kind=ReserveKind.BANK),),
    )  # fmt: skip
    rounds = 3
    towns = iter([found_home(tmp_path / f"home{n}", charter) for n in range(rounds + 1)])
    book = open_book(tmp_path / "floor.db", upgrade=True)
    numbers = furnish(book, MEMBERS)
    floors = iter([payments(numbers, LINES) for _ in range(rounds + 1)])

    def work() -> int:
        options = importer.Options(issuers=frozenset({"Association"}))
        done = importer.run(next(towns), source, options)
        assert done.posted == LINES, done
        return LINES

    measure(benchmark, "import", "sqlite", work, lambda: post_all(book, next(floors), BATCH), rounds=rounds)
