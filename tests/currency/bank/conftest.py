"""What tests ask for: a town that pays its shops, founded once in a run and copied for each; lines not yet booked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.currency.bank import taking
from ledger.currency.bank.lines import Line, lines
from ledger.currency.town import Town
from tests.currency.bank.lies import NEXT
from tests.currency.bank.paying import Town3, copied, founded
from tests.currency.bank.scene import bring, line, statement
from tests.towns import Member


@pytest.fixture(scope="session")
def paying_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the town that is copied."""
    return founded(tmp_path_factory.mktemp("paying") / "home")


@pytest.fixture
def paying(paying_home: Path, tmp_path: Path) -> Iterator[Town3]:
    """Shops with units and IBANs, and two treasurers, in a town of its own."""
    with copied(paying_home, tmp_path / "home") as made:
        yield made


@pytest.fixture
def taken(town: Town, alice: Member) -> list[Line]:
    """Lines that were taken and are not booked: +25.00 and -9.00; before them 90.00 are in suspense."""
    bring(town, statement([line(9_000, "don")]))
    taking.take(town, [statement([line(2_500, "?", NEXT), line(-900, "?", NEXT)], 9_000)])
    return lines(town)[1:]
