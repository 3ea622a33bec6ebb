"""A network that fails as told, between a wallet and a server that is in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import httpx

Fault = Callable[["Network", httpx.Request], httpx.Response]
SENDS_ORDERS = ("/v1/payments", "/v1/refunds", "/v1/reconversions")


class Network(httpx.BaseTransport):
    """Passes requests on; `fail` names what happens to the next ones to a path."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner
        self.seen: list[Seen] = []
        self._faults: list[tuple[str, Fault, int]] = []

    def fail(self, path: str, fault: Fault, times: int = 1_000) -> None:
        """Do `fault` to the next `times` requests whose path begins with `path`."""
        self._faults.append((path, fault, times))

    def heal(self) -> None:
        """Everything works again."""
        self._faults.clear()

    def orders(self) -> list[bytes]:
        """The bodies of the orders that were sent, first to last."""
        return [one.body for one in self.seen if one.path in SENDS_ORDERS and one.method == "POST"]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.seen.append(Seen(request.method, request.url.path, request.content))
        for index, (path, fault, times) in enumerate(self._faults):
            if request.url.path.startswith(path) and times > 0:
                self._faults[index] = (path, fault, times - 1)
                return fault(self, request)
        return self.inner.handle_request(request)


class Seen(NamedTuple):
    """A request that went out."""

    method: str
    path: str
    body: bytes


def refused_connection(network: Network, request: httpx.Request) -> httpx.Response:
    """Nobody listens."""
    raise httpx.ConnectError("connection refused", request=request)


def lost_request(network: Network, request: httpx.Request) -> httpx.Response:
    """The request never arrives, and no answer comes."""
    raise httpx.ReadTimeout("timed out", request=request)


def lost_answer(network: Network, request: httpx.Request) -> httpx.Response:
    """The server does what it was asked to, and the answer never arrives."""
    network.inner.handle_request(request)
    raise httpx.ReadTimeout("timed out", request=request)


def broken_off(network: Network, request: httpx.Request) -> httpx.Response:
    """The server does what it was asked to, and the connection breaks."""
    network.inner.handle_request(request)
    raise httpx.RemoteProtocolError("server disconnected", request=request)


def login_page(network: Network, request: httpx.Request) -> httpx.Response:
    """The network of a hotel."""
    return httpx.Response(200, html="<h1>Welcome</h1>")


def bad_gateway(network: Network, request: httpx.Request) -> httpx.Response:
    """The server did it, and the proxy before it fell over."""
    network.inner.handle_request(request)
    return httpx.Response(502, html="<h1>Bad gateway</h1>")


def problem(status: int, code: str) -> Fault:
    """The server's own refusal."""
    body = {"type": f"/errors#{code}", "title": code, "status": status, "detail": code, "code": code}

    def fault(network: Network, request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})

    return fault
