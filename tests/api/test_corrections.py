"""What the office is kept from over HTTP: a fee that is no longer the charter's, a shop closed while it waits."""

from __future__ import annotations

from ledger.currency import chartered, conversion
from ledger.currency.town import Town
from tests import towns
from tests.served import Cast, Served, is_problem, shown, unmoved
from tests.towns import BANK


def test_a_conversion_is_taken_back_once(api: Served, people: Cast) -> None:
    made = conversion.convert(api.town, people.alice.party, 500, reserve=BANK, reference="TYPO")
    path, headers = f"/v1/conversions/{made.id.hex()}/correction", api.session(people.treasurer)
    assert api.client.post(path, headers=headers).status_code == 201
    with unmoved(api.town):
        again = api.client.post(path, headers=headers)
        assert (again.status_code, again.json()["replay"]) == (200, True)


def test_a_shop_that_waits_is_neither_closed_nor_paid_by_another_charter(api: Served, people: Cast) -> None:
    towns.pay(api.town, people.alice, people.shop, 1_000)
    asked = towns.ask_back(api.town, people.shop, 1_000).hex()
    headers = api.session(people.treasurer)
    town = api.town
    with unmoved(api.town):
        is_problem(api.client.delete(f"/v1/parties/{shown(people.shop)}", headers=headers), "reconversion_waiting")
    dearer = Town(towns.charter(reconversion_fee_bp=900), town.book, town.key, town.engine, town.machine)
    chartered.keep(dearer, chartered.latest(dearer))
    with unmoved(api.town):
        is_problem(api.client.post(f"/v1/reconversions/{asked}/acceptance", headers=headers), "charter_changed")
