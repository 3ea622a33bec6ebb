"""What the office does at the desk: units are changed back, euros become units, parties come and go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.currency import conversion, parties
from ledger.currency.charter import PartyKind
from tests import towns
from tests.api.orders import changed, pay
from tests.served import Cast, Served, ask_back_order, balances, is_problem, served, shown, units_sum_to_zero, unmoved
from tests.towns import BANK

# Changing back


@pytest.mark.parametrize("kind", list(PartyKind))
@pytest.mark.parametrize("allowed", [frozenset(), frozenset({"shop"}), frozenset(PartyKind)], ids=len)
def test_who_may_change_back(tmp_path: Path, kind: PartyKind, allowed: frozenset[str]) -> None:
    town = towns.found(tmp_path / "home", towns.charter(reconversion_by=frozenset(map(PartyKind, allowed))))
    role = {"person": "member"}.get(kind, "owner")
    member = towns.member(town, kind, "Qui", role)
    conversion.convert(town, member.party, 1_000, reserve=BANK, reference="S-1")
    with served(town) as api:
        order = ask_back_order(town, member, 400)
        if kind in allowed:
            api.taken(order)
            assert town.book.balance(town.chart.waiting) == 400
        else:
            api.refused("reconversion_not_allowed", order)
    town.book.close()


def test_changing_back_goes_to_the_waiting_account(api: Served, people: Cast) -> None:
    api.taken(pay(api, people, 1_000))
    ask = ask_back_order(api.town, people.shop, 400)
    for payee in (api.town.chart.circulation, people.alice.account, api.town.chart.payouts):
        api.refused("request_payee_differs", changed(ask, people.shop.key, payee=payee))
    api.refused("below_floor", ask_back_order(api.town, people.shop, 1_001))
    api.taken(ask)


@pytest.mark.parametrize("first", ["acceptance", "refusal"])
def test_changing_back_is_decided_once(api: Served, people: Cast, first: str) -> None:
    api.taken(pay(api, people, 1_000))
    ask = ask_back_order(api.town, people.shop, 400)
    api.taken(ask)
    headers = api.session(people.treasurer)
    path = f"/v1/reconversions/{ask.order.id.hex()}"
    second = "refusal" if first == "acceptance" else "acceptance"
    waiting = api.client.get("/v1/reconversions", headers=headers).json()["reconversions"]
    assert [(w["amount_cents"], w["fee_cents"], w["payout_cents"]) for w in waiting] == [(400, 20, 380)]
    assert api.client.post(f"{path}/{first}", headers=headers).status_code == 201
    with unmoved(api.town):
        again = api.client.post(f"{path}/{first}", headers=headers)
        assert (again.status_code, again.json()["replay"]) == (200, True)
        is_problem(api.client.post(f"{path}/{second}", headers=headers), "reconversion_decided")
    assert api.client.get("/v1/reconversions", headers=headers).json() == {"reconversions": []}
    chart = api.town.chart
    expected = (600, 0, 20, 380) if first == "acceptance" else (1_000, 0, 0, 0)
    accounts = (people.shop.account, chart.waiting, chart.income, chart.payouts)
    assert tuple(map(balances(api.town).__getitem__, accounts)) == expected
    units_sum_to_zero(api.town)


@pytest.mark.parametrize("id_", ["", "zz", "00", "00" * 16, "é", "ab" * 17])
def test_decisions_on_nothing(api: Served, people: Cast, id_: str) -> None:
    headers = api.session(people.treasurer)
    for decision in ("acceptance", "refusal"):
        is_problem(api.client.post(f"/v1/reconversions/{id_}/{decision}", headers=headers), "not_found")
    payment = pay(api, people, 5)
    api.taken(payment)
    is_problem(api.client.post(f"/v1/reconversions/{payment.order.id.hex()}/acceptance", headers=headers), "not_found")


# The office


def test_conversions(api: Served, people: Cast) -> None:
    headers = api.session(people.operator)
    body = {"account": shown(people.alice), "amount_cents": 500, "reserve": BANK, "reference": "vir 1"}

    def send(**changes: Any) -> Any:
        return api.client.post("/v1/conversions", json={**body, **changes}, headers=headers)

    assert send().status_code == 201
    with unmoved(api.town):
        assert (send().status_code, send().json()["replay"]) == (200, True)
        is_problem(send(amount_cents=501), "conversion_taken")
        is_problem(send(account=shown(people.bob)), "conversion_taken")
        is_problem(send(reserve="Coffre"), "reserve_account_unknown")
        is_problem(send(reference="-"), "reference_malformed")
        is_problem(send(account="0KX7Q-92MAB-4TZ9"), "body_malformed")
        circulation = parties.Party(b"", "", "", api.town.chart.circulation, 0, None)
        is_problem(send(account=shown(circulation), reference="X"), "not_found")
    units_sum_to_zero(api.town)
    parties.close(api.town, people.shop.party)
    with unmoved(api.town):
        is_problem(send(account=shown(people.shop), reference="Y"), "account_closed")


def test_parties(api: Served, people: Cast) -> None:
    headers = api.session(people.operator)

    def admit(**body: Any) -> Any:
        return api.client.post("/v1/parties", json={"kind": "shop", "name": "Nouvelle", **body}, headers=headers)

    id_ = api.town.new_id().hex()
    first = admit(id=id_).json()
    with unmoved(api.town):
        assert admit(id=id_).json() == first
        is_problem(admit(id=id_, kind="person"), "id_taken")
        is_problem(admit(kind="king"), "party_kind_unknown")
        is_problem(admit(id="00" * 16), "id_reserved")
        is_problem(admit(id=people.alice.party.id.hex()), "id_taken")
        path = f"/v1/parties/{shown(people.alice)}"
        is_problem(api.client.delete(path, headers=headers), "account_not_empty")
    towns.take(api.town, towns.order(api.town, people.alice, people.bob.account, 100_000))
    assert api.client.delete(f"/v1/parties/{shown(people.alice)}", headers=headers).status_code == 204
