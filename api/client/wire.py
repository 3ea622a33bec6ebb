"""One request of the API's client: tried again where that is safe, answered or told apart.

Two things can go wrong, and a caller must tell them apart: `ApiError`, the server's own answer with a stable code;
and `ServerUnreachable`, no answer of this API. After the second nobody knows what the server did: whoever sent an
order keeps it and sends the very same bytes later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from api.client.answers import Fields

RETRY_SECONDS = (0.15, 0.6)
"""Waits before the second and third try of what is safe to send again."""
LONGEST_RETRY_AFTER = 3.0
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class ApiError(Exception):
    """The server's refusal: `code` is stable (ledger/currency/errors.py), `detail` says what to do.

    `unanswered_before`: an earlier try of the same request may have reached the server and got no answer. A refusal
    then does not tell what becomes of that one.
    """

    def __init__(self, code: str, detail: str, status: int, retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.status = status
        self.retry_after = retry_after
        self.unanswered_before = False

    @property
    def is_final(self) -> bool:
        """Whether the same request would be refused again; else the server was busy or failed, and may not be later."""
        return self.status not in _TRANSIENT


class ServerUnreachable(Exception):
    """No answer of this API came: no connection, a time-out, or an answer that is not its own.

    `maybe_sent`: the request may have reached the server, so it may have been carried out. `kind` is `connection`,
    `timeout` or `answer`.
    """

    def __init__(self, detail: str, *, maybe_sent: bool, kind: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.kind = kind
        self.maybe_sent = maybe_sent


class Wire:
    """The connections to one server. Not for several threads at once."""

    def __init__(
        self, base_url: str, *, timeout: float, transport: httpx.BaseTransport | None, sleep: Callable[[float], None]
    ) -> None:
        url = httpx.URL(base_url)
        self._sleep = sleep
        self._clock_ahead = 0.0
        self.http = httpx.Client(
            base_url=url,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            transport=transport,
            # A proxy from the environment has no business between a machine and itself.
            trust_env=url.host not in _LOOPBACK,
            headers={"User-Agent": "patard-client/1", "Accept": "application/json"},
        )

    def server_time(self) -> float:
        """Seconds since the epoch by the server's clock, as far as its last answer told; else by this machine's."""
        return time.time() + self._clock_ahead

    def send(
        self,
        method: str,
        path: str,
        body: bytes | Mapping[str, Any] | None,
        *,
        safe: bool,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer of one request: 2xx, or `ApiError`, or `ServerUnreachable` when all tries are used up.

        `body` is JSON: as bytes where a signature stands over the very bytes.
        """
        if isinstance(body, bytes):
            headers = {**(headers or {}), "Content-Type": "application/json"}
        sent: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        waits = list(RETRY_SECONDS)
        maybe_sent = False
        while True:
            failure: ApiError | ServerUnreachable
            try:
                response = self.http.request(method, path, params=params, headers=headers, **sent)
                self._note_clock(response)
                if response.is_success:
                    return response
                failure = self.problem(response)
                if isinstance(failure, ApiError):
                    failure.unanswered_before = maybe_sent
                again = safe and response.status_code in _TRANSIENT
                maybe_sent = maybe_sent or response.status_code >= 500
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                # Nothing was sent, so even what is not safe may be tried again; but a long silence is not repeated.
                failure, again = unreachable(error, maybe_sent), isinstance(error, httpx.ConnectError)
            except (httpx.TransportError, httpx.DecodingError, httpx.TooManyRedirects) as error:
                maybe_sent = True
                silent = isinstance(error, httpx.TimeoutException)
                # An order whose answer was lost is asked after once, at once; whoever only reads may ask again.
                failure, again = unreachable(error, maybe_sent), safe and (not silent or method == "POST")
                waits = waits[:1] if silent else waits
            wait = getattr(failure, "retry_after", None) or (waits[0] if waits else 0.0)
            if not again or not waits or wait > LONGEST_RETRY_AFTER:
                raise failure
            waits.pop(0)
            self._sleep(wait)

    def problem(self, response: httpx.Response) -> ApiError | ServerUnreachable:
        """The error that a response is. Whatever is not a problem of this API tells nothing about what was done."""
        kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind == "application/problem+json":
            try:
                fields = Fields(response.json())
                code, detail = fields.text("code"), fields.text("detail")
            except (ValueError, RecursionError):
                pass
            else:
                return ApiError(code, detail, response.status_code, _retry_after(response))
        return ServerUnreachable(
            f"HTTP {response.status_code}, which is not an answer of this API", maybe_sent=True, kind="answer"
        )

    def _note_clock(self, response: httpx.Response) -> None:
        try:
            told = parsedate_to_datetime(response.headers["date"]).timestamp()
        except (KeyError, ValueError, TypeError):
            return
        # The header counts whole seconds, cut off.
        ahead = told + 0.5 - time.time()
        self._clock_ahead = ahead if abs(ahead) > 2 else 0.0


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def unreachable(error: Exception, maybe_sent: bool) -> ServerUnreachable:
    """The same, in words, for an exception of the HTTP library."""
    if isinstance(error, httpx.TimeoutException):
        return ServerUnreachable("no answer in time", maybe_sent=maybe_sent, kind="timeout")
    kind = "connection" if isinstance(error, httpx.TransportError) else "answer"
    return ServerUnreachable(str(error) or type(error).__name__, maybe_sent=maybe_sent, kind=kind)
