"""Servers to be killed: processes of their own that start in a few milliseconds.

    python -m tests.killable HOME

imports everything once and then forks a server of the currency in HOME whenever it is told to. A fork is a process
like any other, with database connections, threads and sockets of its own; it only has not had to import anything.
It speaks lines: `start PORT` is answered by `ready PID` once the port takes connections, `reap PID` by `reaped STATUS`
when that process is gone. All of them end with whoever started them.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

READY_SECONDS = 60


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _serve(home: Path, port: int) -> None:
    from api.home import open_town
    from api.server import serve

    _end_with_parent()
    os.setpgid(0, 0)
    town = open_town(home)
    serve(town, "127.0.0.1", port, ready=lambda: print(f"ready {os.getpid()}", flush=True))
    town.book.close()


def main() -> None:
    """Fork servers until there is nobody to ask for them."""
    home = Path(sys.argv[1])
    for module in ("uvloop", "api.home", "api.server", "ledger.core.postgres", "ledger.core.sqlite"):
        import_module(module)  # what a server would import when it is needed

    print("ready 0", flush=True)
    for line in sys.stdin:
        what, number = line.split()
        if what == "start":
            if os.fork() == 0:
                sys.stdin.close()
                try:
                    _serve(home, int(number))
                except BaseException as error:
                    print(f"failed {error!r}", file=sys.stderr, flush=True)
                    os._exit(1)
                os._exit(0)
        else:
            _, status = os.waitpid(int(number), 0)
            print(f"reaped {os.waitstatus_to_exitcode(status)}", flush=True)


class Killable:
    """Starts servers of one home on one port, and kills them."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process = process
        self.port = port
        self.pid = 0

    def _expect(self, word: str) -> int:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith(word), f"expected {word}, got {line!r}"
        return int(line.split()[1])

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def start(self) -> None:
        """Start a server, and wait until it takes connections."""
        assert not self.pid
        self._tell(f"start {self.port}")
        self.pid = self._expect("ready")

    def end(self, how: signal.Signals = signal.SIGKILL) -> int:
        """End the server; its exit status (minus the signal's number)."""
        os.kill(self.pid, how)
        self._tell(f"reap {self.pid}")
        self.pid = 0
        return self._expect("reaped")


@contextmanager
def killable(home: Path) -> Iterator[Killable]:
    """Servers of the currency in `home`, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.killable", str(home)],
        cwd=Path(__file__).resolve().parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    made = Killable(process, port)
    try:
        made._expect("ready")
        yield made
    finally:
        if made.pid:
            made.end()
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


if __name__ == "__main__":
    main()
