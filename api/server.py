"""Running the application: uvicorn on one address, until a signal ends it cleanly."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn

from api.app import create_app
from ledger.currency.town import Town


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        if self.started and self._ready is not None:
            self._ready()


def serve(town: Town, host: str, port: int, *, ready: Callable[[], None] | None = None) -> None:
    """Serve `town` until SIGINT or SIGTERM; `ready` is called once the port takes connections."""
    config = uvicorn.Config(
        create_app(town), host=host, port=port, log_level="warning", access_log=False, server_header=False,
        # A till's event stream never ends by itself.
        timeout_graceful_shutdown=2, limit_concurrency=2_000,
    )  # fmt: skip
    _Server(config, ready).run()
