"""One server and the key that reads there: requests, sessions that renew themselves, answers that are checked."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import orjson

from api.client.answers import AnswerMalformed, Currency, Fields
from api.client.wire import ApiError, ServerUnreachable, Wire
from ledger.currency import proofs
from ledger.currency.keys import PrivateKey

T = TypeVar("T")
ACT_SECONDS = 300
"""For how long what this device signs may be carried out."""


class Connection:
    """One server, and the key that reads there. Not for several threads at once.

    `base_url` is the server's origin. Sessions need `key`, which may be given later (`client.key = ...`), and
    `network`, which is asked for when it was not given. `timeout` is seconds for each step of one request.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: PrivateKey | None = None,
        network: bytes | None = None,
        timeout: float = 10.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.key = key
        self.network = network
        self._token: str | None = None
        self._wire = Wire(base_url, timeout=timeout, transport=transport, sleep=sleep)

    def close(self) -> None:
        """Close the connections. A session stays until it ends by itself."""
        self._wire.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def server_time(self) -> float:
        """Seconds since the epoch by the server's clock, as far as its last answer told; else by this machine's."""
        return self._wire.server_time()

    def currency(self) -> Currency:
        """The currency's rules and its public key."""
        return self._get("/v1/currency", Currency.read)

    # Sessions

    def open_session(self) -> None:
        """Open a session now rather than when it is first needed. `ValueError` without a key."""
        if self.key is None:
            raise ValueError("reading this needs a key")
        public = self.key.public.hex()
        network = self._network()
        challenge = self._read(
            lambda f: f.raw("challenge"), self._wire.send("POST", "/v1/challenges", {"key": public}, safe=True)
        )
        signature = proofs.sign_session(self.key, network, challenge).hex()
        body = {"key": public, "challenge": challenge.hex(), "signature": signature}
        # A challenge opens one session, so this is not sent twice.
        self._token = self._read(lambda f: f.text("token"), self._wire.send("POST", "/v1/sessions", body, safe=False))

    def close_session(self) -> None:
        """End the session, if there is one."""
        if self._token is not None:
            headers, self._token = self._bearer(), None
            self._wire.send("DELETE", "/v1/sessions/current", None, safe=True, headers=headers)

    def _bearer(self) -> dict[str, str]:
        if self._token is None:
            self.open_session()
        return {"Authorization": f"Bearer {self._token}"}

    def _mine(
        self,
        method: str,
        path: str,
        read: Callable[[Fields], T],
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        safe: bool = True,
    ) -> T:
        """A request that needs a session; one that has ended is renewed once."""
        fresh = self._token is None
        while True:
            headers = self._bearer()
            sent = None if body is None else orjson.dumps(body)
            if method != "GET":
                headers |= self._act(method, path, sent)
            try:
                return self._read(read, self._wire.send(method, path, sent, safe=safe, params=params, headers=headers))
            except ApiError as error:
                if error.status != 401 or fresh:
                    raise
                self._token, fresh = None, True

    def _act(self, method: str, path: str, body: bytes | None) -> dict[str, str]:
        """What the server needs to do more than show something: this device's signature over the very request."""
        assert self.key is not None
        salt, until = os.urandom(proofs.SALT_BYTES), int(self.server_time()) + ACT_SECONDS
        text = proofs.act_text(method, path, (body or b"").decode())
        signature = proofs.sign_act(self.key, self._network(), until, salt, text)
        return {"Patard-Act": f"{until} {salt.hex()} {signature.hex()}"}

    # One request

    def _network(self) -> bytes:
        if self.network is None:
            self.network = self.currency().network
        return self.network

    def _get(self, path: str, read: Callable[[Fields], T]) -> T:
        return self._read(read, self._wire.send("GET", path, None, safe=True))

    def _read(self, read: Callable[[Fields], T], response: httpx.Response) -> T:
        if response.status_code == 204:
            return read(Fields({}))
        try:
            return read(Fields(response.json()))
        except (AnswerMalformed, ValueError, RecursionError) as error:
            detail = f"the answer is not one of this API: {error}"
            raise ServerUnreachable(detail, maybe_sent=True, kind="answer") from error
