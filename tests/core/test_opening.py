"""Addresses: which are books, which are not, and what is said about those that are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.core.memory import MemoryStore
from ledger.core.opening import ReadOnlyStore, open_book
from ledger.core.store import StoreError
from tests.conformance.town import A, Clock, post, settle, t, tx


def refused(*arguments: str | Path, **options: bool) -> StoreError:
    with pytest.raises(StoreError) as caught:
        open_book(*arguments, **options)  # type: ignore[arg-type]
    return caught.value


def test_a_file_by_path_and_by_url(tmp_path: Path) -> None:
    path = tmp_path / "a book é.db"
    settle(open_book(path, upgrade=True)).close()
    for address in (path, str(path), f"sqlite:///{path}", f"sqlite:///{tmp_path}/a%20book%20%C3%A9.db"):
        book = open_book(address)
        assert book.balance(A) == 1_000
        book.close()


def test_a_relative_path_is_where_the_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_book("sqlite:///book.db", upgrade=True).close()
    assert (tmp_path / "book.db").exists()


def test_each_memory_is_a_new_book() -> None:
    one, other = open_book("memory:", clock=Clock()), open_book("memory:")
    assert isinstance(one.store, MemoryStore)
    settle(one)
    assert other.head().seq == 0


def test_nothing_is_made_by_mistake(tmp_path: Path) -> None:
    path = tmp_path / "typo.db"
    assert refused(path).code == "no_book"
    assert "typo.db" in str(refused(path))
    assert not path.exists()
    assert refused(path, read_only=True).code == "no_book"
    assert refused(tmp_path / "no" / "folder.db", upgrade=True).code == "database_unusable"
    path.write_bytes(b"")
    assert refused(path).code == "no_book"


def test_a_file_that_is_no_book(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear treasurer, " * 500)
    for options in ({}, {"read_only": True}, {"upgrade": True}):
        assert refused(path, **options).code == "database_unusable"
    assert path.read_text().startswith("Dear")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "sqlite://",
        "sqlite:///",
        "sqlite::memory:",
        ":memory:",
        "mysql://root:secret@host/x",
        "postgres:secret",
        "x://",
    ],
)
def test_other_addresses_are_refused_without_repeating_them(address: str) -> None:
    error = refused(address)
    assert error.code == "address_unknown"
    assert "secret" not in str(error)


def test_reading_and_upgrading_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="reading"):
        open_book(tmp_path / "book.db", read_only=True, upgrade=True)


def test_for_reading_only(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    writer = settle(open_book(path, upgrade=True))
    reader = open_book(path, read_only=True)
    assert isinstance(reader.store, ReadOnlyStore)
    with pytest.raises(StoreError) as caught:
        reader.post([tx(100, t(A, 22, 1))])
    assert caught.value.code == "read_only"
    post(writer, tx(100, t(A, 22, 1)))
    assert reader.balance(A) == 999
    with reader.store.engine.connect() as connection, pytest.raises(Exception, match="readonly"):
        connection.exec_driver_sql("UPDATE head SET seq = 0")
    reader.close()
    writer.close()


@pytest.mark.postgres
def test_a_database_by_any_of_its_names(fresh_postgres: str) -> None:
    settle(open_book(fresh_postgres, upgrade=True)).close()
    rest = fresh_postgres.split("://")[1]
    for scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        book = open_book(f"{scheme}://{rest}", read_only=scheme == "postgres")
        assert book.balance(A) == 1_000
        book.close()


@pytest.mark.postgres
def test_a_database_that_is_not_there(fresh_postgres: str) -> None:
    assert refused(fresh_postgres).code == "no_book"
    for address in (fresh_postgres + "_not", "postgresql://nobody:secret@127.0.0.1:1/x"):
        error = refused(address, upgrade=True)
        assert error.code == "database_unusable"
        assert "secret" not in str(error)
