"""Who asks: the device key behind a session, and what its role lets it see.

Money orders are authorised by their own signature and pass nothing here. A stranger cannot tell what is
forbidden from what does not exist: both are `not_found`.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.directory import Directory
from api.imports import Imports
from api.live import Live
from ledger.core.ids import account_number
from ledger.currency import parties
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import DeviceKey
from ledger.currency.reserve import Keeper
from ledger.currency.sessions import Sessions
from ledger.currency.town import Town
from merchants.desk import Desk

_BEARER = HTTPBearer(auto_error=False, description="The token of a session (POST /v1/sessions).")


class Services:
    """What the routes work with; one a process."""

    def __init__(self, town: Town, writer: Any, reserve: Keeper | None = None) -> None:
        self.town = town
        self.desk = Desk(town)
        self.directory = Directory(town)
        self.sessions = Sessions(town)
        self.imports = Imports(town)
        self.reserve = reserve or Keeper(town)
        self.live = Live(town, self.sessions)
        self.writer = writer


# These two only look at the request: as coroutines they take no thread of those that read the database.
async def services(request: Request) -> Services:
    """The app's services."""
    found: Services = request.app.state.services
    return found


async def token(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> str:
    """The bearer token. Raises `CurrencyError`: session_missing."""
    if credentials is None or not 0 < len(credentials.credentials) <= 128:
        raise CurrencyError("session_missing", "send the token of a session as Authorization: Bearer")
    return credentials.credentials


def device(found: Annotated[Services, Depends(services)], bearer: Annotated[str, Depends(token)]) -> DeviceKey:
    """The device whose session this is."""
    return found.sessions.find(bearer)


Served: TypeAlias = Annotated[Services, Depends(services)]
Token: TypeAlias = Annotated[str, Depends(token)]
Caller: TypeAlias = Annotated[DeviceKey, Depends(device)]


def number(text: str) -> int:
    """An account number from a path or body; a mistyped one is as unknown as any. Raises: not_found."""
    try:
        return account_number(text)
    except ValueError:
        raise CurrencyError("not_found", "there is no such account, or it is none of yours") from None


def hex_bytes(text: str, size: int) -> bytes:
    """What `size` bytes of a path stand for. One form only, or a thing had many addresses. Raises ValueError."""
    if len(text) != 2 * size or not set(text) <= set("0123456789abcdef"):
        raise ValueError(f"this is not {2 * size} lower-case hex digits")
    return bytes.fromhex(text)


def readable(caller: DeviceKey, text: str) -> int:
    """The number of an account that `caller` may read: its own, or any for those who audit. Raises: not_found."""
    account = number(text)
    if account != caller.account and caller.role not in parties.AUDIT:
        raise CurrencyError("not_found", "there is no such account, or it is none of yours")
    return account


def need(caller: DeviceKey, roles: frozenset[str]) -> None:
    """Raise `CurrencyError`, role_insufficient, unless the caller's key has one of those roles."""
    if caller.role not in roles:
        raise CurrencyError("role_insufficient", f"a {caller.role}'s key cannot do this")
