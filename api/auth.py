"""Who asks: the device key behind a session, and what its role lets it see; and what that device signed.

A session only reads. Whatever changes something carries the device's signature over the very request besides, in the
header `Patard-Act: UNTIL SALT SIGNATURE` (unix seconds, 16 and 64 bytes in hex; see `ledger.currency.acts`). Money
orders are authorised by their own signature and pass nothing here. A stranger cannot tell what is forbidden from what
does not exist: both are `not_found`.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Annotated, Any, NamedTuple, TypeAlias

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.directory import Directory
from api.imports import Imports
from api.live import Live
from ledger.core.ids import account_number
from ledger.currency import parties, proofs
from ledger.currency.acts import Act
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import DeviceKey
from ledger.currency.reserve import Keeper
from ledger.currency.sessions import Sessions
from ledger.currency.told import tell, word
from ledger.currency.town import Town
from merchants.desk import Desk

_ACT = re.compile(r"([1-9][0-9]{0,9}) ([0-9a-f]{32}) ([0-9a-f]{128})", re.ASCII)
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
        raise CurrencyError("session_missing", tell("send the token of a session as Authorization: Bearer"))
    return credentials.credentials


def device(found: Annotated[Services, Depends(services)], bearer: Annotated[str, Depends(token)]) -> DeviceKey:
    """The device whose session this is."""
    return found.sessions.find(bearer)


class Acting(NamedTuple):
    """A device that has something done: the device, and the town that carries it out in its name."""

    caller: DeviceKey
    town: Town

    @property
    def by(self) -> str:
        """How records name the device."""
        return self.caller.key.hex()


async def acting(
    request: Request, found: Annotated[Services, Depends(services)], caller: Annotated[DeviceKey, Depends(device)]
) -> Acting:
    """The device that signed this very request. Raises `CurrencyError`: act_missing, signature_invalid, act_expired."""
    try:
        body = (await request.body()).decode()
    except UnicodeDecodeError:
        raise CurrencyError("body_malformed", tell("the body is not UTF-8")) from None
    return _acting(request, found.town, caller, body)


def acting_with_file(request: Request, town: Town, caller: DeviceKey, data: bytes) -> Acting:
    """As `acting`, of a request whose body is a file: its hash is what was signed."""
    return _acting(request, town, caller, f"sha256:{sha256(data).hexdigest()}")


def _acting(request: Request, town: Town, caller: DeviceKey, body: str) -> Acting:
    given = _ACT.fullmatch(request.headers.get("patard-act", ""))
    if given is None:
        raise CurrencyError("act_missing", tell("sign the request with the device's key, and send Patard-Act"))
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    until, salt, signature = int(given[1]), bytes.fromhex(given[2]), bytes.fromhex(given[3])
    act = Act(caller.key, proofs.act_text(request.method, path, body), salt, until, signature)
    act.verify(town.charter.network, town.now() // 1_000_000)
    return Acting(caller, town.acting(act))


Served: TypeAlias = Annotated[Services, Depends(services)]
Token: TypeAlias = Annotated[str, Depends(token)]
Caller: TypeAlias = Annotated[DeviceKey, Depends(device)]
Actor: TypeAlias = Annotated[Acting, Depends(acting)]


def number(text: str) -> int:
    """An account number from a path or body; a mistyped one is as unknown as any. Raises: not_found."""
    try:
        return account_number(text)
    except ValueError:
        raise CurrencyError("not_found", tell("there is no such account, or it is none of yours")) from None


def hex_bytes(text: str, size: int) -> bytes:
    """What `size` bytes of a path stand for. One form only, or a thing had many addresses. Raises ValueError."""
    if len(text) != 2 * size or not set(text) <= set("0123456789abcdef"):
        raise ValueError(f"this is not {2 * size} lower-case hex digits")
    return bytes.fromhex(text)


def readable(caller: DeviceKey, text: str) -> int:
    """The number of an account that `caller` may read: its own, or any for those who audit. Raises: not_found."""
    account = number(text)
    if account != caller.account and caller.role not in parties.AUDIT:
        raise CurrencyError("not_found", tell("there is no such account, or it is none of yours"))
    return account


def need(caller: DeviceKey, roles: frozenset[str]) -> None:
    """Raise `CurrencyError`, role_insufficient, unless the caller's key has one of those roles."""
    if caller.role not in roles:
        raise CurrencyError("role_insufficient", tell("a {role}'s key cannot do this", role=word(caller.role)))
