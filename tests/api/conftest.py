"""A town on SQLite or PostgreSQL that every test of the API may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.currency.town import Town
from tests import towns
from tests.served import Cast, Served, cast, served


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A currency just founded, on SQLite."""
    made = towns.found(tmp_path / "home")
    yield made
    made.book.close()


@pytest.fixture
def people(town: Town) -> Cast:
    """Alice and Bob with 1,000.00 each, a shop with a till, the office."""
    return cast(town)


@pytest.fixture
def api(town: Town, people: Cast) -> Iterator[Served]:
    """The town's API, with the cast in it."""
    with served(town) as found:
        yield found
