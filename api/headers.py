"""What every answer says to browsers and caches, whichever route, guard or error made it.

An answer that says something about itself keeps it: pages have a policy of their own, static files and pictures their
caching. All others may be shown in nothing, kept by nobody, and taken for nothing but what they say they are.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULTS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class Headers:
    """ASGI application around another: adds those of `DEFAULTS` that an answer does not have."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                there = {name.lower() for name, _value in headers}
                message = {**message, "headers": headers + [one for one in DEFAULTS if one[0] not in there]}
            await send(message)

        await self.app(scope, receive, sending)
