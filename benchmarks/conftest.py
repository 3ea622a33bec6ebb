"""Prints the table and keeps `results.json` at the end of a benchmark run."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import figures
from tests.postgres_server import create_database, drop_database, running_postgres

_names = (f"patard_bench_{os.getpid()}_{n}" for n in itertools.count(1))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a running PostgreSQL server; PATARD_TEST_POSTGRES_URL names another one."""
    given = os.environ.get("PATARD_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with running_postgres() as url:
        yield url


@pytest.fixture(scope="module")
def two_databases(postgres_url: str) -> Iterator[tuple[str, str]]:
    """URLs of two empty databases: for a book and for its floor."""
    names = (next(_names), next(_names))
    yield create_database(postgres_url, names[0]), create_database(postgres_url, names[1])
    for name in names:
        drop_database(postgres_url, name)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table, after everything else."""
    if figures.FIGURES:
        terminalreporter.write_line("")
        terminalreporter.write_line(figures.machine())
        terminalreporter.write_line(figures.table(figures.FIGURES))
        figures.write(figures.FIGURES)
        terminalreporter.write_line(f"kept in {figures.RESULTS.name}")
