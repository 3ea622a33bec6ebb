"""The keys of the office over the API: an operator cannot shut out those who watch the operators."""

from __future__ import annotations

import pytest

from ledger.currency import parties
from tests import towns
from tests.served import Cast, Served, inviting, is_problem, shown


@pytest.mark.parametrize("role", ["treasurer", "auditor"])
def test_only_a_treasurer_revokes_who_watches_the_operators(api: Served, people: Cast, role: str) -> None:
    owner = towns.join(api.town, people.office, "owner", "president")
    second = towns.join(api.town, people.office, role, f"a second {role}")
    path = f"/v1/keys/{second.public.hex()}"
    for key in (people.operator, owner):
        is_problem(api.client.delete(path, headers=api.session(key)), "role_insufficient")
    assert parties.device(api.town, second.public).revoked_at is None
    assert api.client.delete(path, headers=api.session(people.treasurer)).status_code == 204


def test_an_operator_may_revoke_an_operator(api: Served, people: Cast) -> None:
    second = towns.join(api.town, people.office, "operator", "left the association")
    path = f"/v1/keys/{second.public.hex()}"
    assert api.client.delete(path, headers=api.session(people.operator)).status_code == 204


def test_the_office_is_not_closed_from_afar(api: Served, people: Cast) -> None:
    path = f"/v1/parties/{shown(people.office)}"
    for key in (people.operator, people.treasurer):
        is_problem(api.client.delete(path, headers=api.session(key)), "party_is_office")
    assert parties.by_account(api.town, people.office.account).closed_at is None
    treasurer = api.session(people.treasurer)
    for key in (people.operator, people.auditor, people.treasurer):
        assert api.client.delete(f"/v1/keys/{key.public.hex()}", headers=treasurer).status_code == 204
    last = towns.join(api.town, parties.admit(api.town, "association", "Nouveau bureau"), "operator", "new office")
    assert api.client.delete(path, headers=api.session(last)).status_code == 204


def test_join_codes_are_not_made_without_end(api: Served, people: Cast) -> None:
    headers = api.session(people.bob.key)
    made = [api.client.post("/v1/invites", json=inviting("member"), headers=headers) for _ in range(21)]
    assert [one.status_code for one in made[:20]] == [201] * 20
    is_problem(made[20], "invites_too_many")
