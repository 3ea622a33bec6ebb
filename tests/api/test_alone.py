"""One server a book: a second one is refused, clearly, and the office's commands work beside the first."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.core.alone import alone, lock_file
from ledger.core.store import StoreError
from ledger.currency.town import Town
from tests import towns

PATARD = Path(sys.executable).with_name("patard")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    towns.found(tmp_path / "home", database_url=url).book.close()
    towns.told(tmp_path / "home")
    return url or str(tmp_path / "home" / "book.db")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """`patard serve`, once it takes connections; killed in the end."""
    command = [str(PATARD), "serve", "--port", str(free_port())]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and "127.0.0.1" in process.stdout.readline()
            yield process
        finally:
            process.kill()


def test_a_second_server_of_a_book_is_refused(place: str, tmp_path: Path) -> None:
    env = {**os.environ, "PATARD_HOME": str(tmp_path / "home"), "PATARD_LANG": "en"}
    env.pop("PATARD_DATABASE_URL", None)
    second = [str(PATARD), "serve", "--port", str(free_port())]
    with server(env) as first:
        ran = subprocess.run(second, env=env, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 3
        assert "another server has this book" in ran.stderr and "Traceback" not in ran.stderr
        # The office beside it.
        for command in (["party", "add", "person", "Alice"], ["reserve"], ["check"]):
            assert subprocess.run([str(PATARD), *command], env=env, capture_output=True, timeout=60).returncode == 0
        first.send_signal(signal.SIGKILL)
        first.wait(20)
        with server(env) as again:  # nothing is left to be cleared away
            again.send_signal(signal.SIGTERM)
            assert again.wait(20) == 0
    with alone(place):
        pass


def test_it_is_held_until_the_context_is_left(place: str) -> None:
    for _ in range(2):
        with alone(place):
            with pytest.raises(StoreError) as caught, alone(place):
                pass
            assert caught.value.code == "book_served"


def test_a_book_has_one_lock_by_whatever_name(tmp_path: Path, town: Town) -> None:
    book = tmp_path / "home" / "book.db"
    link = tmp_path / "link.db"
    link.symlink_to(book)
    assert {lock_file(str(book)), lock_file(str(link)), lock_file(f"sqlite:///{book}")} == {
        book.resolve().with_name("book.db.served")
    }


def test_no_book_is_nobodys(tmp_path: Path) -> None:
    with alone(str(tmp_path / "nowhere" / "book.db")):
        assert not (tmp_path / "nowhere").exists()
