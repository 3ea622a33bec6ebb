"""What a town promises to whoever reads its tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from ledger.currency import parties
from ledger.currency.tables import PARTY
from tests import towns


@pytest.mark.parametrize("place", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_whatever_is_read_together_stood_at_one_moment(
    place: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Else what was decided on two looks was true at no moment: two first statements of one account, say."""
    url = request.getfixturevalue("fresh_postgres") if place == "postgres" else None
    town = towns.found(tmp_path / "home", database_url=url)
    counting = select(func.count()).select_from(PARTY)
    with town.reading() as connection:
        before = connection.execute(counting).scalar_one()
        parties.admit(town, "person", "Alice")
        assert connection.execute(counting).scalar_one() == before
    with town.reading() as connection:
        assert connection.execute(counting).scalar_one() == before + 1
    town.book.close()
