"""A town that pays its shops: founded once in a run, and copied for each test that asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.currency.bank.paying import Town3, copied, founded


@pytest.fixture(scope="session")
def paying_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the town that is copied."""
    return founded(tmp_path_factory.mktemp("paying") / "home")


@pytest.fixture
def paying(paying_home: Path, tmp_path: Path) -> Iterator[Town3]:
    """Shops with units and IBANs, and two treasurers, in a town of its own."""
    with copied(paying_home, tmp_path / "home") as made:
        yield made
