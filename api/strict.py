"""What comes in: small bodies, one meaning each. Read before any model sees it.

JSON readers differ on duplicate keys, floats, NaN and huge numbers; a payment must not depend on which reader
looked. So bodies are capped before they are parsed, and only objects of text, whole numbers, booleans, null,
lists and objects pass, each key once, in valid UTF-8.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell

MAX_BODY = 16_384
MAX_DIGITS = 20
MAX_FILE = 32_000_000
FILES = frozenset({"/v1/bank/imports"})
"""Paths whose body is a file: it is read by the route, after the caller is known, with a bound of its own."""


class BodyMalformed(ValueError):
    """A body that is no JSON object of this API. The text says what is wrong."""

    code = "body_malformed"


def _no_float(text: str) -> NoReturn:
    raise BodyMalformed(f"{text[:40]} is not a whole number; money is whole cents")


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise BodyMalformed(f"a number of {len(text)} digits is none of this API's")
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BodyMalformed("a key stands twice in one object")
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_no_float, parse_constant=_no_float, parse_int=_whole, strict=True
)


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that `body` is. Raises `BodyMalformed`."""
    try:
        text = body.decode("utf-8")
        found = _DECODER.decode(text)
        _valid_text(found)
    except UnicodeDecodeError:
        raise BodyMalformed("the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise BodyMalformed(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise BodyMalformed("the body is nested too deeply") from None
    if type(found) is not dict:
        raise BodyMalformed("the body is not a JSON object")
    return found


def _valid_text(value: Any) -> None:
    """Refuse lone surrogates, which JSON escapes can write and no UTF-8 can hold."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BodyMalformed("a text holds half of a surrogate pair") from None
    elif isinstance(value, dict):
        for key, item in value.items():
            _valid_text(key)
            _valid_text(item)
    elif isinstance(value, list):
        for item in value:
            _valid_text(item)


class _StrictRequest(Request):
    async def json(self) -> Any:
        return read_object(await self.body())


class StrictRoute(APIRoute):
    """A FastAPI route whose JSON body is read by `read_object`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict


class TooMuch(Exception):
    """A body that no request of this API has. `code` is body_too_large or media_type_wrong."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


async def read_body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body, however it is sent; None when the client went away. Raises `TooMuch` before reading on."""
    length, kind = 0, b""
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = int(value) if value.isdigit() and len(value) < 16 else MAX_BODY + 1
        elif name == b"content-type":
            kind = value.split(b";")[0].strip().lower()
    large = TooMuch("body_too_large", f"a body is at most {MAX_BODY} bytes")
    if length > MAX_BODY:
        raise large
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise large
        if not message.get("more_body"):
            break
    if body and kind != b"application/json":
        raise TooMuch("media_type_wrong", "send the body as application/json")
    return body


class BodyGuard:
    """ASGI middleware: `read_body` for every route that takes one, before any parsing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS", "DELETE") or scope["path"] in FILES:
            await self.app(scope, receive, send)
            return
        try:
            body = await read_body(scope, receive)
        except TooMuch as error:
            await problem(error.code, error.detail)(scope, receive, send)
            return
        if body is None:
            return
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again, send)


async def read_file_body(request: Request, limit: int = MAX_FILE) -> bytes:
    """The file that a body is. Raises `CurrencyError`, body_too_large, before more than `limit` bytes are read."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/octet-stream":
        raise CurrencyError("media_type_wrong", tell("send the file as application/octet-stream"))
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise CurrencyError("body_too_large", tell("a bank file is at most {limit} MB", limit=limit // 1000000))
        parts.append(part)
    return b"".join(parts)
