"""Running the application: uvicorn on one address, until a signal ends it cleanly."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any

import uvicorn

from api.app import create_app
from api.connections import Connection, Waiting, allowed
from ledger.currency.town import Town


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

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and self._ready is not None:
            self._ready()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        # A till's event stream never ends by itself, and uvicorn waits for every answer that it has begun.
        await self._app.state.services.live.close()
        await super().shutdown(sockets=sockets)


def serve(
    town: Town, host: str, port: int, *, ready: Callable[[], None] | None = None, inbox: Path | None = None,
    heads: Path | None = None,
) -> None:  # fmt: skip
    """Serve `town` until SIGINT or SIGTERM; `ready` is called once the port takes connections."""
    Server(town, host, port, ready=ready, inbox=inbox, heads=heads).run()
