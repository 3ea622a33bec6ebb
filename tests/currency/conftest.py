"""A town that every test of the currency may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.currency.town import Town
from tests import towns


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A currency just founded, on SQLite."""
    made = towns.found(tmp_path / "home")
    yield made
    made.book.close()
