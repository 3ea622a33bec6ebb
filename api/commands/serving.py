"""`patard serve`: the server of a currency, until Ctrl-C."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from api.commands.console import CONSOLE, CliError, Exit, _
from api.commands.opened import opened
from api.home import home_of
from ledger.core.copying import is_whole
from ledger.core.model import Head
from ledger.core.opening import is_postgres, sqlite_path
from ledger.core.still import beside
from ledger.currency.bank.inbox import FOLDER
from ledger.currency.charter import Charter
from ledger.currency.town import Town

DEFAULT_PORT = 8000


def serve(host: str, port: int | None) -> None:
    """Serve the currency of the environment, alone; says in the end whether the book's file is whole.

    Brings the tables of an older book up to date first.
    """
    with opened(upgrade=True, alone=True) as town:
        port = port or default_port(town.charter)
        require_free(host, port)
        told = _("{name} is served on {address}; Ctrl-C ends it.")
        address = f"http://{host}:{port}"
        folder = home_of().folder / FOLDER
        if town.charter.public_url.startswith("http://") and port != default_port(town.charter):
            other = _("Codes and links name {url}, as the charter says, and not the port that is served here.")
            CONSOLE.note(other.format(url=town.charter.public_url))
        shown = told.format(name=town.charter.name, address=address)
        run(town, host, port, lambda: CONSOLE.say(shown), folder, home_of().heads)
        end = town.book.head()
    _say_whole(home_of().database(), end)


def _say_whole(place: str, end: Head) -> None:
    """Say whether the file of the book that was served can be copied as it lies there. `end` was its end."""
    if is_postgres(place):
        return
    path = sqlite_path(place)
    if is_whole(path):
        told = _("{file} is whole, up to entry {seq}.")
        CONSOLE.say(told.format(file=path.name, seq=end.seq))
        return
    told = _(
        "{file} is not whole: another program has it open, and its newest entries are in {wal}. Copy it with `patard "
        "backup`, or end that program first."
    )
    CONSOLE.note(told.format(file=path.name, wal=beside(path, "-wal").name))


def default_port(charter: Charter) -> int:
    """The port that a public address for trying out names, else the usual one."""
    url = urlsplit(charter.public_url)
    return url.port if url.scheme == "http" and url.port else DEFAULT_PORT


def require_free(host: str, port: int) -> None:
    """Raise `CliError` (port_busy) unless the port can be listened on."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        told = _(
            "{host}:{port} cannot be listened on ({reason}): choose another port with --port, or with PORT= for make."
        )
        raise CliError(Exit.UNUSABLE, "port_busy", told.format(host=host, port=port, reason=reason)) from None


def run(
    town: Town, host: str, port: int, ready: Callable[[], None], inbox: Path | None = None, heads: Path | None = None
) -> None:
    """Serve until SIGINT or SIGTERM; both end it cleanly. Raises `StoreError` when the book was lost meanwhile."""
    from api.server import serve as run_server

    # The server passes a signal on once it has shut down: both must come back here rather than end the process.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run_server(town, host, port, ready=ready, inbox=inbox, heads=heads)
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
