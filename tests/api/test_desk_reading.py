"""Reading what became of an order: payments, receipts, statements in pages."""

from __future__ import annotations

import pytest

from tests.api.orders import balance, pay
from tests.served import Cast, Served, is_problem, shown


def test_ids_are_read_in_one_form(api: Served, people: Cast) -> None:
    order = pay(api, people, 5)
    api.taken(order)
    headers, id_ = api.session(people.alice.key), order.order.id.hex()
    assert api.client.get(f"/v1/payments/{id_}", headers=headers).json()["id"] == id_
    for other in (id_.upper(), f"{id_[:2]} {id_[2:]}", f"{id_} ", id_[:-1], id_ + "00", "0x" + id_):
        is_problem(api.client.get(f"/v1/payments/{other}", headers=headers), "not_found")


def test_the_receipt_is_made_again_from_the_log(api: Served, people: Cast) -> None:
    order = pay(api, people, 5)
    first = api.taken(order)
    again = api.client.get(f"/v1/payments/{order.order.id.hex()}", headers=api.session(people.shop.key)).json()
    assert again["receipt"] == first.text
    assert (again["kind"], again["payer"]["name"], again["payee"]["name"]) == ("payment", "Alice", "Boulangerie")


@pytest.mark.parametrize("cursor", ["x", "", "0" * 13, "Z" * 13, "a" * 13, "0000000000000", "%00", "1" * 40])
def test_cursors_that_are_none(api: Served, people: Cast, cursor: str) -> None:
    url = f"/v1/accounts/{shown(people.alice)}/entries"
    response = api.client.get(url, params={"cursor": cursor}, headers=api.session(people.alice.key))
    is_problem(response, "cursor_malformed")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=1.0", "limit=x", "limit=-1", "since=yesterday", "since=2025-06-15",
              "until=2025-06-15T10:00:00", f"since={'2' * 5_000}", "since=1969-12-31T23:59:59Z", "until=",
              "limit="],
)  # fmt: skip
def test_pages_that_are_none(api: Served, people: Cast, query: str) -> None:
    url = f"/v1/accounts/{shown(people.alice)}/entries?{query}"
    is_problem(api.client.get(url, headers=api.session(people.alice.key)), "body_malformed")


def test_a_statement_in_pages_is_the_statement(api: Served, people: Cast) -> None:
    for amount in range(1, 24):
        api.taken(pay(api, people, amount))
    url, headers = f"/v1/accounts/{shown(people.alice)}/entries", api.session(people.alice.key)
    whole = api.client.get(url, headers=headers).json()["entries"]
    assert len(whole) == 24 and whole[0]["balance_cents"] == balance(api, people.alice)
    assert sum(entry["change_cents"] for entry in whole) == whole[0]["balance_cents"]
    for limit in (1, 5, 23, 24, 25):
        pages, cursor = [], None
        while True:
            page = api.client.get(url, params={"limit": limit} | ({"cursor": cursor} if cursor else {}),
                                  headers=headers).json()  # fmt: skip
            pages += page["entries"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert pages == whole
    then = api.client.get(f"/v1/accounts/{shown(people.alice)}", params={"at": whole[5]["at"]}, headers=headers).json()
    assert then["balance_cents"] == whole[5]["balance_cents"]
    since = api.client.get(url, params={"since": whole[5]["at"]}, headers=headers).json()["entries"]
    assert since == whole[:6]
    until = api.client.get(url, params={"until": whole[5]["at"]}, headers=headers).json()["entries"]
    assert until == whole[5:]
