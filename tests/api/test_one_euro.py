"""One euro once, over HTTP: what is typed beside the bank's statements, and what a key converts in a day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger.currency import conversion, importer
from ledger.currency.bank.suspense import open_lines
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, bring, line, opened, statement, token
from tests.served import Cast, Served, cast, is_problem, served, shown, unmoved
from tests.towns import BANK, CASH


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made


@pytest.fixture
def people(town: Town) -> Cast:
    return cast(town, account=CASH)


@pytest.fixture
def api(town: Town, people: Cast) -> Iterator[Served]:
    with served(town) as found:
        yield found


def typed(api: Served, people: Cast, cents: int, reserve: str, reference: str, **more: Any) -> httpx.Response:
    body = {"account": shown(people.alice), "amount_cents": cents, "reserve": reserve, "reference": reference, **more}
    return api.client.post("/v1/conversions", json=body, headers=api.session(people.operator))


def test_what_a_statement_brings_is_not_typed(api: Served, people: Cast, town: Town) -> None:
    bring(town, statement([line(5_000, token(town, people.alice.party), bank_ref="R1")]))
    with unmoved(town):
        for reference, more in (
            ("R1", {}),
            ("R-1", {}),
            ("X", {"booked_on": str(DAY)}),
            ("X", {}),
            ("20250610/5000/1", {}),
        ):
            is_problem(typed(api, people, 5_000, BANK, reference, **more), "conversion_on_statement")
    assert typed(api, people, 700, BANK, "AHEAD").status_code == 201
    report = api.client.get("/v1/reserve/public").json()
    assert (report["awaited"], report["unexplained"]) == (700, 0)


def test_a_line_that_may_be_what_was_typed(api: Served, people: Cast, town: Town) -> None:
    conversion.convert(town, people.alice.party, 5_000, reserve=BANK, reference="R1", booked_on=DAY)
    bring(town, statement([line(6_000, token(town, people.alice.party), bank_ref="R1")]))
    [one] = open_lines(town)
    path, headers = f"/v1/bank/lines/{one.line.id.hex()}/placing", api.session(people.treasurer)
    with unmoved(town):
        placed = api.client.post(path, json={"way": "member", "account": shown(people.alice)}, headers=headers)
        is_problem(placed, "line_typed")
    public = api.client.get("/v1/reserve/public").json()
    assert (public["covered"], public["unexplained"]) == (False, 1)
    page = api.client.get("/reserve").text
    assert "Non couvert" in page and "50,00" in page and "sur aucun relevé de la banque" in page


def test_what_a_key_converts_in_a_day(api: Served, people: Cast, town: Town) -> None:
    for reserve in (BANK, CASH):
        assert typed(api, people, 150_000, reserve, "S1").status_code == 201
        with unmoved(town):
            is_problem(typed(api, people, 50_001, reserve, "S2"), "limit_conversion")
        assert typed(api, people, 50_000, reserve, "S2").status_code == 201


def test_who_got_units_without_a_euro_pays_later(api: Served, people: Cast, town: Town, tmp_path: Path) -> None:
    path = tmp_path / "past.csv"
    path.write_text("id,at,from,to,amount,unit,kind\n1,2024-02-01,asso,Alice,50.00,PATARD,payment\n")
    importer.run(town, path, importer.Options(issuers=frozenset({"asso"})))
    order = towns.order(town, people.alice, people.shop.account, 100)
    with unmoved(town):
        is_problem(api.client.post("/v1/payments", json={"order": order.text}), "account_uncovered")
