"""A wallet that dies at a given point, as `kill -9` would have it: no clean-up, no exception.

python -m tests.wallet_cli.crashing POINT COMMAND...
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import httpx

from tests.wallet_cli.network import SENDS_ORDERS
from wallet_cli import keyfile, outbox, paying
from wallet_cli.main import run
from wallet_cli.opened import Wallet

DIED = 137
POINTS = ("before_keep", "half_kept", "kept", "sent", "answered", "marked", "told")


def die(*_args: Any, **_more: Any) -> NoReturn:
    os._exit(DIED)


class Dying(httpx.BaseTransport):
    """Dies before an order goes out, or after the server has answered it and before we read that."""

    def __init__(self, *, answered: bool) -> None:
        self.inner = httpx.HTTPTransport()
        self.answered = answered

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_order = request.method == "POST" and request.url.path in SENDS_ORDERS
        if is_order and not self.answered:
            die()
        response = self.inner.handle_request(request)
        if is_order:
            die()
        return response


def prepare(point: str) -> None:
    """Set the trap."""
    if point == "before_keep":
        outbox.keep = die
    elif point == "half_kept":
        rename = Path.replace

        def half(self: Path, target: Any) -> Path:
            return die() if "outbox" in str(target) else rename(self, target)

        Path.replace = half  # type: ignore[assignment, method-assign]
    elif point == "kept":
        Wallet.transport = Dying(answered=False)
    elif point == "sent":
        Wallet.transport = Dying(answered=True)
    elif point == "answered":
        outbox._note_done = die
    elif point == "marked":
        paying._finish = die
    elif point == "told":
        outbox.forget = die
    else:
        raise SystemExit(f"no such point: {point}")


if __name__ == "__main__":
    keyfile.PASSES, keyfile.MEMORY_KIB = 1, 64
    prepare(sys.argv[1])
    sys.exit(run(sys.argv[2:]))
