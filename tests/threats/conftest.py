"""A town with a bank, on both databases, and a member."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.currency import parties
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests.currency.bank import scene


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    with scene.opened(tmp_path / "home", url) as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Party:
    return parties.admit(town, "person", "Alice Martin")
