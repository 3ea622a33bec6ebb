"""Keys and invitations: who gives out which role, codes that join one key, and how many."""

from __future__ import annotations

import pytest

from ledger.currency import parties
from tests import towns
from tests.served import Cast, Served, inviting, is_problem, new_code, shown


def test_the_last_key_that_pays_stays(api: Served, people: Cast) -> None:
    headers = api.session(people.alice.key)
    key = people.alice.key.public.hex()
    is_problem(api.client.delete(f"/v1/keys/{key}", headers=headers), "key_last")
    second = towns.key_of("Alice's phone")
    code = new_code()
    assert api.client.post("/v1/invites", json=inviting("member", code), headers=headers).status_code == 201
    assert api.join(code, second).status_code == 201
    assert api.client.delete(f"/v1/keys/{key}", headers=headers).status_code == 204
    is_problem(api.client.get("/v1/me", headers=headers), "session_missing")
    # The office may revoke the last one as well: a phone that was lost.
    operator = api.session(people.operator)
    assert api.client.delete(f"/v1/keys/{second.public.hex()}", headers=operator).status_code == 204


@pytest.mark.parametrize("key", ["zz", "00", "0" * 63, "é" * 32, "00" * 33, " " * 64, "%00"])
def test_keys_that_are_none_are_not_found(api: Served, people: Cast, key: str) -> None:
    headers = api.session(people.operator)
    is_problem(api.client.delete(f"/v1/keys/{key}", headers=headers), "not_found")


@pytest.mark.parametrize("role", ["operator", "treasurer", "auditor"])
def test_roles_of_the_office_are_given_out_by_the_office(api: Served, people: Cast, role: str) -> None:
    owner = towns.join(api.town, people.office, "owner", "president")
    for key in (owner, people.shop.key):
        answer = api.client.post("/v1/invites", json=inviting(role), headers=api.session(key))
        is_problem(answer, "role_insufficient")


def test_an_operator_cannot_become_treasurer(api: Served, people: Cast) -> None:
    """What takes two people must not be had by one of them inviting himself."""
    body = inviting("treasurer", account=shown(people.office))
    is_problem(api.client.post("/v1/invites", json=body, headers=api.session(people.operator)), "role_insufficient")
    assert api.client.post("/v1/invites", json=body, headers=api.session(people.treasurer)).status_code == 201


def test_a_role_that_does_not_fit_the_party(api: Served, people: Cast) -> None:
    operator = api.session(people.operator)
    for role in ("owner", "cashier", "treasurer", "king", ""):
        body = inviting(role, account=shown(people.alice))
        code = "role_insufficient" if role == "treasurer" else "role_not_for_kind"
        is_problem(api.client.post("/v1/invites", json=body, headers=operator), code)


def test_a_code_joins_one_key_and_says_so_again(api: Served, people: Cast) -> None:
    code = parties.invite(api.town, people.shop.party, "cashier")
    first = api.join(code, towns.key_of("till a"))
    again = api.join(f" {code.lower()[:5]}-{code[5:]}", towns.key_of("till a"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    is_problem(api.join(code, towns.key_of("till b")), "join_code_invalid")
    taken = parties.invite(api.town, people.shop.party, "cashier")
    is_problem(api.join(taken, towns.key_of("till a")), "key_taken")
    towns.clock(api.town).forward(parties.INVITE_SECONDS + 1)
    is_problem(api.join(taken, towns.key_of("till c")), "join_code_invalid")


def test_a_code_at_the_wrong_door_is_not_used_up(api: Served, people: Cast) -> None:
    """Whoever says what it can be is not made another; the code is good where it belongs. Names go to no guesser."""
    for party, role, door in (
        (people.shop.party, "owner", ["cashier", "member"]), (people.office, "operator", ["cashier", "member"]),
        (people.shop.party, "cashier", ["operator", "treasurer", "auditor"]),
    ):  # fmt: skip
        code, key = parties.invite(api.town, party, role), towns.key_of(f"{role} at the wrong door")
        is_problem(api.join(code, key, roles=door), "join_code_elsewhere")
        assert parties.find_device(api.town, key.public) is None
        first, again = api.join(code, key, roles=[role]), api.join(code, key, roles=[role])
        assert (first.status_code, again.status_code, first.json()["role"]) == (201, 200, role)
        is_problem(api.join(code, towns.key_of("another"), roles=door), "join_code_invalid")


def test_looking_at_codes_is_slowed_down_too(api: Served, people: Cast) -> None:
    """The page of a link is no place to try codes at; what is tried there counts where codes are taken."""
    right = parties.invite(api.town, people.shop.party, "cashier")
    look = {"Accept": "text/html"}
    assert api.client.get(f"/J/{right}", headers=look).status_code == 200
    for number in range(10):
        assert api.client.get(f"/J/AAAAAAAAA{number}", headers=look).status_code == 404
    assert api.client.get(f"/J/{right}", headers=look).status_code == 429
    is_problem(api.join(right, towns.key_of("guesser")), "rate_limited")


def test_wrong_codes_are_slowed_down(api: Served, people: Cast) -> None:
    key = towns.key_of("guesser")
    for number in range(10):
        is_problem(api.join(f"AAAAA-AAAA{number}", key), "join_code_invalid")
    right = parties.invite(api.town, people.shop.party, "cashier")
    limited = api.join(right, key)
    is_problem(limited, "rate_limited")
    assert 1 <= int(limited.headers["retry-after"]) <= 60


def test_devices_join_up_to_a_bound(api: Served, people: Cast) -> None:
    """The code of one that was refused is good when there is room again, and the hour has passed."""
    for number in range(18):  # the owner's and a cashier's are there
        towns.join(api.town, people.shop.party, "cashier", f"till {number}")
    code = parties.invite(api.town, people.shop.party, "cashier")
    is_problem(api.join(code, towns.key_of("one more")), "keys_too_many")
    parties.revoke(api.town, parties.device(api.town, towns.key_of("till 3").public))
    is_problem(api.join(code, towns.key_of("one more")), "joins_too_many")
    towns.clock(api.town).forward(3_601)
    assert api.join(code, towns.key_of("one more")).status_code == 201


def test_a_code_for_a_party_that_was_closed(api: Served, people: Cast) -> None:
    party = parties.admit(api.town, "shop", "Épicerie")
    code = parties.invite(api.town, party, "owner")
    operator = api.session(people.operator)
    path = f"/v1/parties/{shown(party)}"
    assert [api.client.delete(path, headers=operator).status_code for _ in range(2)] == [204, 204]
    is_problem(api.join(code, towns.key_of("too late")), "join_code_invalid")
    body = inviting("owner", account=shown(party))
    is_problem(api.client.post("/v1/invites", json=body, headers=operator), "party_closed")
    is_problem(api.client.get(f"/v1/directory/{shown(party)}"), "not_found")
