"""Connections: whoever says nothing makes room for whoever pays.

uvicorn counts open connections and answers 503 to everybody once there are too many, idle ones too, and waits for
ever for a request that never comes. Here a request has some seconds to arrive whole, and when as many are connected
as there may be, the one that has been silent for longest goes. A proxy in front does more: see README.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_SECONDS = 10.0
"""From the first moment of a connection, or the first byte of a request on it, to the request's last byte."""
MAX_CONNECTIONS = 4_000
SPARE_FILES = 200
"""File descriptors that are not for connections: the database's, the standard library's."""


class Waiting(dict["Connection", None]):
    """The connections of one server on which no request is being answered, those silent for longest first."""

    def __init__(self, limit: int, seconds: float = REQUEST_SECONDS) -> None:
        super().__init__()
        self.limit = limit
        self.seconds = seconds


class Connection(HttpToolsProtocol):
    """One connection. `waiting` is what all of them share."""

    def __init__(self, *args: Any, waiting: Waiting, **more: Any) -> None:
        super().__init__(*args, **more)
        self._waiting = waiting
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._waiting.limit:
            # Everybody else is being answered if none waits: then this one is too many.
            next(iter(self._waiting), self).hang_up()
        if not transport.is_closing():
            self._waiting[self] = None
            self._begin()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self in self._waiting and self._deadline is None and self.timeout_keep_alive_task is None:
            self._begin()  # An empty line, say, which begins no request.

    def connection_lost(self, exc: Exception | None) -> None:
        self._waiting.pop(self, None)
        self._end()
        super().connection_lost(exc)

    def hang_up(self) -> None:
        """Close the connection at once, whatever the other side does."""
        self._waiting.pop(self, None)
        self._end()
        # Not counted any more from now on, rather than from the loop's next turn.
        self.connections.discard(self)
        self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._end()
        self._begin()

    def on_headers_complete(self) -> None:
        self._waiting.pop(self, None)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._end()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._waiting[self] = None

    def _begin(self) -> None:
        self._deadline = self.loop.call_later(self._waiting.seconds, self.hang_up)

    def _end(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def allowed(wanted: int = MAX_CONNECTIONS) -> int:
    """How many connections there may be, after asking the system for as many open files as that needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        except (OSError, ValueError):
            soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return max(16, min(wanted, soft - SPARE_FILES))
    return wanted
