"""Running the application: uvicorn on one address, until a signal ends it cleanly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any

import uvicorn
from anyio import CapacityLimiter, to_thread

from api.app import create_app
from api.connections import Connection, Waiting, allowed
from ledger.core.alone import LOST
from ledger.core.store import StoreError
from ledger.currency.town import Town

LOGGER = logging.getLogger("patard")
LOOK_SECONDS = 2.0
"""Between two looks whether the book is still this server's; each commit looks too."""


class Server(uvicorn.Server):
    """A server of `town`; `run` it. `ready` is called once the port takes connections.

    Setting `should_exit` ends it as a signal does: payments under way are answered, event streams are closed.
    """

    def __init__(
        self, town: Town, host: str, port: int, *, ready: Callable[[], None] | None = None, inbox: Path | None = None,
        heads: Path | None = None,
    ) -> None:  # fmt: skip
        self._app = create_app(town, inbox=inbox, heads=heads)
        # Not uvicorn's `limit_concurrency`, which counts whoever is connected and then refuses whoever pays.
        self.waiting = Waiting(allowed())
        protocol: Any = partial(Connection, waiting=self.waiting)
        super().__init__(
            uvicorn.Config(
                self._app, host=host, port=port, log_level="warning", access_log=False, server_header=False,
                timeout_graceful_shutdown=10, http=protocol, ws="none",
            )
        )  # fmt: skip
        self._ready = ready
        self._town = town
        self._watch: asyncio.Task[None] | None = None
        self.lost: StoreError | None = None
        """Why this server ended by itself: the book is another one's, or may be."""

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._watch = asyncio.create_task(self._stay_alone())
        if self.started and self._ready is not None:
            self._ready()

    async def _stay_alone(self) -> None:
        """End the server once the book is not its own any more. What it cannot look at, nobody can post to either."""
        place = CapacityLimiter(1)
        while not self.should_exit:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await to_thread.run_sync(self._town.book.store.require_held, limiter=place)
            except StoreError as error:
                if error.code in LOST:
                    self.lost = error
                    self.should_exit = True
            except Exception:
                LOGGER.exception("looking whether the book is this server's")

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        # A till's event stream never ends by itself, and uvicorn waits for every answer that it has begun.
        if self._watch is not None:
            self._watch.cancel()
        await self._app.state.services.live.close()
        await super().shutdown(sockets=sockets)


def serve(
    town: Town, host: str, port: int, *, ready: Callable[[], None] | None = None, inbox: Path | None = None,
    heads: Path | None = None,
) -> None:  # fmt: skip
    """Serve `town` until SIGINT or SIGTERM; `ready` is called once the port takes connections.

    Raises `StoreError`, book_served or lock_lost, where it had the book for one server and lost it.
    """
    server = Server(town, host, port, ready=ready, inbox=inbox, heads=heads)
    server.run()
    if server.lost is not None:
        raise server.lost
