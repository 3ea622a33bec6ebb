"""At a real terminal: the passphrase is typed unseen, questions find the terminal, colours are there and can be off."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.home import found_home
from ledger.currency.town import Town
from tests import towns
from tests.served import Cast, cast, serving
from tests.wallet_cli.conftest import bill, invite, payments
from wallet_cli.errors import Exit

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "brouette à voile"


class Screen:
    """A wallet command at a terminal of its own."""

    def __init__(self, home: Path, *args: str, stdin: bytes | None = None, **environ: str) -> None:
        feed = os.pipe() if stdin is not None else None
        self.pid, self.handle = pty.fork()
        if self.pid == 0:  # the command
            # Tests started in the background inherit an ignored Ctrl-C; at a terminal nobody does.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            if feed is not None:
                os.dup2(feed[0], 0)
                os.close(feed[1])
            plain = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
            own = {"WALLET_HOME": str(home), "PATARD_LANG": "en", "TERM": "xterm", "PYTHONUTF8": "1"} | environ
            os.chdir(ROOT)
            start = "from wallet_cli.main import main; main()"
            os.execve(sys.executable, [sys.executable, "-c", start, *args], plain | own)
        if feed is not None:
            os.close(feed[0])
            os.write(feed[1], stdin or b"")
            os.close(feed[1])
        self.shown = ""
        self.seen = 0

    def until(self, text: str) -> None:
        """Read until `text` is on the screen, after what was waited for before."""
        deadline = time.monotonic() + 60
        while text not in self.shown[self.seen :]:
            assert time.monotonic() < deadline and self._read(), f"{text!r} never came:\n{self.shown}"
        self.seen = self.shown.index(text, self.seen) + len(text)

    def type(self, text: str) -> None:
        os.write(self.handle, text.encode())

    def end(self) -> int:
        """Read all the rest; the exit code."""
        while self._read():
            pass
        os.close(self.handle)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> bool:
        if not select.select([self.handle], [], [], 60)[0]:
            return False
        try:
            data = os.read(self.handle, 4_096)
        except OSError:  # how Linux says that the other side is closed
            return False
        self.shown += data.decode("utf-8", "replace")
        return bool(data)


@pytest.fixture
def street(tmp_path: Path) -> Iterator[tuple[Town, Cast, str]]:
    town = found_home(tmp_path / "town", towns.charter())
    people = cast(town)
    with serving(town) as url:
        yield town, people, url
    town.book.close()


def test_a_first_evening_at_the_terminal(street: tuple[Town, Cast, str], tmp_path: Path) -> None:
    town, people, url = street
    home = tmp_path / "alice"
    screen = Screen(home, "join", invite(town, people.alice.party, "member"), "--server", url)
    for typed in (PASSPHRASE, "something else"):
        screen.until("passphrase for this wallet: " if typed == PASSPHRASE else "once more: ")
        screen.type(typed + "\n")
    screen.until("not the same")
    screen.until("passphrase for this wallet: ")
    screen.type(PASSPHRASE + "\n")
    screen.until("once more: ")
    screen.type(PASSPHRASE + "\n")
    assert screen.end() == 0, screen.shown
    assert "Welcome, Alice" in screen.shown
    assert PASSPHRASE not in screen.shown

    screen = Screen(home, "balance")
    screen.until("Passphrase: ")
    screen.type("wrong\n")
    screen.until("try again")
    screen.until("Passphrase: ")
    screen.type(PASSPHRASE + "\n")
    assert screen.end() == 0, screen.shown
    assert "1,000.00" in screen.shown
    assert "\x1b[1m" in screen.shown

    screen = Screen(home, "balance", NO_COLOR="1")
    for _ in range(3):
        screen.until("Passphrase: ")
        screen.type("wrong\n")
    assert screen.end() == Exit.PASSPHRASE, screen.shown
    screen = Screen(home, "balance", NO_COLOR="1", WALLET_PASSPHRASE=PASSPHRASE)
    assert screen.end() == 0, screen.shown
    assert "\x1b" not in screen.shown


def test_joining_asks_twice_and_only_for_a_code_that_could_be_one(
    street: tuple[Town, Cast, str], tmp_path: Path
) -> None:
    town, people, url = street
    home = tmp_path / "alice"
    for code, server, exit_code in (
        ("not-a-code", url, Exit.REFUSED),
        (invite(town, people.alice.party, "member"), "http://127.0.0.1:9", Exit.UNREACHABLE),
    ):
        screen = Screen(home, "join", code, "--server", server)
        assert screen.end() == exit_code, screen.shown
        assert "assphrase" not in screen.shown
    screen = Screen(home, "join", invite(town, people.alice.party, "member"), "--server", url)
    for question in ("passphrase for this wallet: ", "once more: "):
        screen.until(question)
        screen.type(PASSPHRASE + "\n")
    assert screen.end() == 0, screen.shown
    assert screen.shown.count("assphrase") == 1  # neither question came again, and no third one
    screen = Screen(home, "balance", WALLET_PASSPHRASE=PASSPHRASE)
    assert screen.end() == 0, screen.shown


def test_a_link_through_a_pipe_is_asked_about_at_the_terminal(street: tuple[Town, Cast, str], tmp_path: Path) -> None:
    town, people, url = street
    home = tmp_path / "alice"
    more: dict[str, Any] = {"WALLET_PASSPHRASE": PASSPHRASE}
    assert Screen(home, "join", invite(town, people.alice.party, "member"), "--server", url, **more).end() == 0
    for answer, code in (("n\n", Exit.DECLINED), ("y\n", 0)):
        screen = Screen(home, "pay", "-", stdin=bill(town, people).encode(), **more)
        screen.until("[y/N]")
        screen.type(answer)
        assert screen.end() == code, screen.shown
    assert payments(town, people.alice) == 1


def test_ctrl_c_at_the_question(street: tuple[Town, Cast, str], tmp_path: Path) -> None:
    town, people, url = street
    home = tmp_path / "alice"
    more: dict[str, Any] = {"WALLET_PASSPHRASE": PASSPHRASE}
    assert Screen(home, "join", invite(town, people.alice.party, "member"), "--server", url, **more).end() == 0
    for ask in (lambda screen: screen.type("\x03"), lambda screen: os.kill(screen.pid, signal.SIGINT)):
        screen = Screen(home, "pay", bill(town, people), **more)
        screen.until("[y/N]")
        ask(screen)
        assert screen.end() == Exit.INTERRUPTED, screen.shown
        assert "Interrupted" in screen.shown
        assert "Traceback" not in screen.shown
    assert payments(town, people.alice) == 0
