"""PostgreSQL is lost right after a commit: what is said is true, and doing the same again tells what became of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pysqlite3
import pytest

from ledger.core import opening, postgres_driver, sqlite
from ledger.core.book import Book
from ledger.core.store import StoreError
from ledger.currency import parties
from tests import towns
from tests.api.command import Run

CLAIMS = re.compile("nothing was|nothing is|not posted|rien n|n'a été", re.IGNORECASE)
"""What nobody can know who did not see the answer."""


@pytest.fixture
def lost(fresh_postgres: str, postgres_url: str) -> Iterator[Callable[[bool], None]]:
    """Takes the database away (True) and brings it back (False)."""
    name = fresh_postgres.rpartition("/")[2].partition("?")[0]

    def set_lost(away: bool) -> None:
        with psycopg.connect(postgres_url, autocommit=True) as elsewhere:
            elsewhere.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {'false' if away else 'true'}")
            elsewhere.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,)
            )

    yield set_lost
    set_lost(False)


def lose_after_posting(monkeypatch: pytest.MonkeyPatch, lost: Callable[[bool], None], method: str) -> None:
    """Lose the database at the first look through `method` of the book after something was posted."""
    before: Any = getattr(Book, method)
    post = Book.post
    posted = []

    def and_note(self: Book, *args: Any, **how: Any) -> Any:
        outcome = post(self, *args, **how)
        posted.append(True)
        return outcome

    def and_lose(self: Book, *args: Any, **how: Any) -> Any:
        if posted:
            lost(True)
        return before(self, *args, **how)

    monkeypatch.setattr(Book, "post", and_note)
    monkeypatch.setattr(Book, method, and_lose)


@pytest.mark.postgres
def test_in_the_read_after_a_commit(
    fresh_postgres: str, lost: Callable[[bool], None], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = towns.found(tmp_path / "home", database_url=fresh_postgres)
    parties.admit(town, "person", "Alice")
    town.book.close()
    towns.told(tmp_path / "home")
    with monkeypatch.context() as patched:
        lose_after_posting(patched, lost, "balance")
        ran = run("convert", "Alice", "50", "--cash", "S1")
        assert (ran.code, ran.error["code"]) == (3, "database_unusable")
        assert re.search("to learn what became of it|pour savoir ce qu'il en est", ran.err), ran.err
        assert not CLAIMS.search(ran.err)
    lost(False)
    again = run("convert", "Alice", "50", "--cash", "S1")
    assert (again.code, again.json["replay"], again.json["balance_cents"]) == (0, True, 5_000)


@pytest.mark.parametrize(
    "trouble",
    [
        postgres_driver.trouble(psycopg.OperationalError("server closed the connection unexpectedly")),
        postgres_driver.trouble(psycopg.OperationalError("gone"), in_doubt=True),
        postgres_driver.trouble(psycopg.errors.DiskFull("no space left")),
        postgres_driver.trouble(psycopg.errors.LockNotAvailable("canceling statement")),
    ],
)
def test_a_store_claims_nothing(trouble: BaseException) -> None:
    assert isinstance(trouble, StoreError) and not CLAIMS.search(str(trouble))


def test_nor_does_sqlite(tmp_path: Path) -> None:
    error = pysqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = "SQLITE_FULL"
    told = sqlite.trouble(error)
    assert isinstance(told, StoreError) and told.code == "disk_full" and not CLAIMS.search(str(told))
    with pytest.raises(StoreError) as caught:
        opening.open_book(tmp_path / "none.db")
    assert not CLAIMS.search(str(caught.value))
