"""Devices: joining with a code, sessions, a party's keys and the invitations of its own."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.auth import Actor, Caller, Served, Token, hex_bytes, need, number
from api.limiter import Limiter
from api.schemas.fields import rfc3339
from api.schemas.town import (
    ChallengeIn,
    ChallengeOut,
    InviteIn,
    InviteOut,
    JoinIn,
    KeyOut,
    KeysOut,
    MeOut,
    SessionIn,
    SessionOut,
    party_out,
)
from api.strict import StrictRoute
from ledger.currency import invitations, join_codes, parties, proofs
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import DeviceKey, Party
from ledger.currency.persons import persons_of
from ledger.currency.told import tell

router = APIRouter(tags=["devices"], route_class=StrictRoute)
FAILED_JOINS = Limiter(tries=10, seconds=60)
"""A join code has 48 random bits; ten wrong ones a minute from one address are enough for any fat finger."""


def _me(device: DeviceKey, party: Party) -> MeOut:
    return MeOut(party=party_out(party), role=device.role, label=device.label, key=device.key.hex())


@router.post(
    "/v1/joins",
    status_code=201,
    response_model=MeOut,
    responses={200: {"model": MeOut, "description": "This key had joined with this code already."}},
)
async def join(body: JoinIn, request: Request, found: Served, response: Response) -> MeOut:
    """Register a device key with a join code. The same code and key are answered again.

    `roles` are those that this device can be: a code for another is refused (join_code_elsewhere), and not used up.
    """
    address = request.client.host if request.client else ""
    FAILED_JOINS.check(address)
    key, code = bytes.fromhex(body.key), join_codes.plain_code(body.code)
    try:
        proofs.verify_join(found.town.charter.network, key, code, bytes.fromhex(body.signature))
        known = await run_in_threadpool(parties.find_device, found.town, key)
        if body.roles is not None:
            await run_in_threadpool(invitations.require, found.town, code, body.roles)
        device, party = await run_in_threadpool(parties.join, found.town, code, key, body.label)
    except CurrencyError as error:
        if error.code == "join_code_invalid":
            FAILED_JOINS.count(address)
        raise
    if known is not None:
        response.status_code = 200
    return _me(device, party)


@router.post("/v1/challenges", status_code=201, response_model=ChallengeOut)
def challenge(body: ChallengeIn, found: Served) -> ChallengeOut:
    """32 bytes for a device to sign. Asked for an unknown key, it looks the same."""
    made, expires_at = found.sessions.challenge()
    return ChallengeOut(challenge=made.hex(), expires_at=rfc3339(expires_at * 1_000_000))


@router.post("/v1/sessions", status_code=201, response_model=SessionOut)
def session(body: SessionIn, found: Served) -> SessionOut:
    """Open a reading session with a signed challenge."""
    opened = found.sessions.open(*(bytes.fromhex(text) for text in (body.key, body.challenge, body.signature)))
    return SessionOut(token=opened.token, expires_at=rfc3339(opened.expires_at))


@router.delete("/v1/sessions/current", status_code=204)
def end_session(found: Served, caller: Caller, bearer: Token) -> Response:
    """End the session that asks."""
    found.sessions.end(bearer)
    return Response(status_code=204)


@router.get("/v1/me", response_model=MeOut)
def me(found: Served, caller: Caller) -> MeOut:
    """Whose session this is."""
    return _me(caller, parties.by_account(found.town, caller.account))


@router.get("/v1/keys", response_model=KeysOut)
def keys(found: Served, caller: Caller) -> KeysOut:
    """The keys of the caller's party."""
    need(caller, parties.SPEND | parties.AUDIT)
    party = parties.by_account(found.town, caller.account)
    devices = parties.devices(found.town, party)
    with found.town.reading() as connection:
        persons = persons_of(connection, [one.key for one in devices])
    return KeysOut(
        keys=[
            KeyOut(
                key=k.key.hex(), role=k.role, label=k.label, added_at=rfc3339(k.added_at),
                revoked_at=None if k.revoked_at is None else rfc3339(k.revoked_at),
                person=persons[k.key][1] if k.key in persons else None, this=k.key == caller.key,
            )
            for k in devices
        ]
    )  # fmt: skip


@router.delete("/v1/keys/{key}", status_code=204)
def revoke(key: str, acting: Actor) -> Response:
    """Revoke a key of one's own party (a lost phone); the association's office may revoke any.

    The keys of treasurers and auditors, who watch the operators, are a treasurer's to revoke.
    """
    need(acting.caller, parties.SPEND | parties.OFFICE)
    try:
        wanted = parties.find_device(acting.town, hex_bytes(key, 32))
    except ValueError:
        wanted = None
    office = acting.caller.role in parties.OFFICE
    if wanted is None or (wanted.account != acting.caller.account and not office):
        raise CurrencyError("not_found", tell("there is no such key, or it is none of yours"))
    if wanted.role in ("treasurer", "auditor") and acting.caller.role != "treasurer":
        raise CurrencyError("role_insufficient", tell("a treasurer revokes the keys of treasurers and auditors"))
    parties.revoke(acting.town, wanted, last_too=office, by=acting.by)
    return Response(status_code=204)


@router.post("/v1/invites", status_code=201, response_model=InviteOut)
def invite(body: InviteIn, acting: Actor) -> InviteOut:
    """Let another device of one's own party join; the office does it for any party.

    The caller makes the code (10 characters of Crockford's base32) and keeps it: `code_hash` is SHA-256 of
    "patard/invite/1" 00 and the code. `person` is the account of whoever will hold a key of the association: what takes
    two people asks for it.
    """
    caller, town = acting.caller, acting.town
    need(caller, parties.SPEND | parties.OFFICE)
    account = caller.account if body.account is None else number(body.account)
    office = caller.role in parties.OFFICE
    if account != caller.account and not office:
        raise CurrencyError("not_found", tell("there is no such account, or it is none of yours"))
    party = parties.by_account(town, account)
    if account == caller.account and not office and body.role not in ("member", "owner", "cashier"):
        raise CurrencyError("role_insufficient", tell("the association's office gives out this role"))
    if body.role == "treasurer" and caller.role != "treasurer":
        # What a treasurer decides beside the operators must not be had by inviting oneself.
        raise CurrencyError(
            "role_insufficient", tell("a treasurer, or `patard invite` at the machine, gives out this role")
        )
    if body.person is not None and not office:
        raise CurrencyError("role_insufficient", tell("the association's office says whose key is whose"))
    person = None if body.person is None else parties.by_account(town, number(body.person))
    parties.invite_with(town, party, body.role, bytes.fromhex(body.code_hash), by=acting.by, person=person)
    expires_at = town.now() + parties.INVITE_SECONDS * 1_000_000
    return InviteOut(expires_at=rfc3339(expires_at), link_before_code=f"{town.charter.public_url}/J/")
