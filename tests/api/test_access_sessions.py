"""Sessions: they end with their time, their key, their party; one challenge opens one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ledger.currency import proofs
from tests import towns
from tests.served import Cast, Headers, Served, is_problem, shown
from tests.towns import Member


class Device(NamedTuple):
    member: Member
    headers: Headers


@pytest.fixture
def till(api: Served, people: Cast) -> Device:
    return Device(people.shop, api.session(people.cashier))


def test_a_session_ends_with_its_time(api: Served, till: Device) -> None:
    towns.clock(api.town).forward(api.town.charter.limits.session_hours * 3600)
    assert api.client.get("/v1/me", headers=till.headers).status_code == 200
    towns.clock(api.town).forward(1)
    is_problem(api.client.get("/v1/me", headers=till.headers), "session_missing")


def test_a_session_ends_with_its_key(api: Served, till: Device, people: Cast) -> None:
    owner = api.session(people.shop.key)
    assert api.client.delete(f"/v1/keys/{people.cashier.public.hex()}", headers=owner).status_code == 204
    is_problem(api.client.get("/v1/me", headers=till.headers), "session_missing")
    challenge = api.client.post("/v1/challenges", json={"key": people.cashier.public.hex()}).json()["challenge"]
    signature = proofs.sign_session(people.cashier, api.town.charter.network, bytes.fromhex(challenge)).hex()
    body = {"key": people.cashier.public.hex(), "challenge": challenge, "signature": signature}
    is_problem(api.client.post("/v1/sessions", json=body), "key_unknown")


def test_a_session_ends_with_its_party(api: Served, till: Device, people: Cast) -> None:
    operator = api.session(people.operator)
    assert api.client.delete(f"/v1/parties/{shown(people.shop)}", headers=operator).status_code == 204
    is_problem(api.client.get("/v1/me", headers=till.headers), "session_missing")


def test_ending_a_session_ends_that_one_only(api: Served, till: Device, people: Cast) -> None:
    other = api.session(people.cashier)
    assert api.client.delete("/v1/sessions/current", headers=till.headers).status_code == 204
    is_problem(api.client.get("/v1/me", headers=till.headers), "session_missing")
    is_problem(api.client.delete("/v1/sessions/current", headers=till.headers), "session_missing")
    assert api.client.get("/v1/me", headers=other).status_code == 200


def test_a_challenge_opens_one_session_for_one_key(api: Served, people: Cast) -> None:
    network, key = api.town.charter.network, people.alice.key

    def body(challenge: str, signed_by: Any, key: Any) -> dict[str, str]:
        signature = proofs.sign_session(signed_by, network, bytes.fromhex(challenge)).hex()
        return {"key": key.public.hex(), "challenge": challenge, "signature": signature}

    def challenge() -> str:
        made: str = api.client.post("/v1/challenges", json={"key": key.public.hex()}).json()["challenge"]
        return made

    used = challenge()
    good = body(used, key, key)
    assert api.client.post("/v1/sessions", json=good).status_code == 201
    is_problem(api.client.post("/v1/sessions", json=good), "signature_invalid")
    is_problem(api.client.post("/v1/sessions", json=body(challenge(), people.bob.key, key)), "signature_invalid")
    made_up = (challenge()[:-2] + "00", "00" * 32)
    for one in made_up:
        is_problem(api.client.post("/v1/sessions", json=body(one, key, key)), "signature_invalid")
    late = challenge()
    towns.clock(api.town).forward(121)
    is_problem(api.client.post("/v1/sessions", json=body(late, key, key)), "signature_invalid")
    stranger = towns.key_of("nobody's")
    is_problem(api.client.post("/v1/sessions", json=body(challenge(), stranger, stranger)), "key_unknown")


def test_tokens_are_not_kept_in_the_clear(api: Served, people: Cast) -> None:
    token = api.session(people.alice.key)["Authorization"].removeprefix("Bearer ")
    path = api.town.engine.raw_connection().cursor().execute("PRAGMA database_list").fetchone()[2]
    for file in (path, path + "-wal"):
        data = Path(file).read_bytes()
        assert token.encode() not in data and bytes.fromhex(token) not in data
