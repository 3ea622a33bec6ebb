"""Books that the engine's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.books import copy, make_small_book


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_book(tmp_path_factory.mktemp("books") / "honest.db")


@pytest.fixture
def book(honest: Path, tmp_path: Path) -> Path:
    return copy(honest, tmp_path / "book.db")
