"""Monthly top-ups over HTTP: a member signs, the office tells, collects, and is told what came back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ledger.core.model import Note
from ledger.currency import proofs
from ledger.currency.audit.walk import audit
from ledger.currency.bank.mandates import daily, files, model
from ledger.currency.bank.mandates.text import Content, mandate_text
from ledger.currency.charter import MandateRules
from ledger.currency.keys import PrivateKey
from ledger.currency.logged import by_places
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import scene
from tests.currency.bank.monthly import DUE, RELEASED, SIGNED, batch, debit, iban, items, until
from tests.currency.bank.scene import bring, statement
from tests.served import Cast, Headers, Served, act_header, is_problem, served, shown, unmoved
from tests.towns import BANK

RULES = MandateRules(creditor_id="FR72ZZZ123456", account=BANK, per_month=20_000)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A currency with monthly top-ups."""
    made = towns.found(tmp_path / "home", scene.charter(mandates=RULES))
    yield made
    made.book.close()


@pytest.fixture
def alice(api: Served, people: Cast) -> Headers:
    return api.session(people.alice.key)


@pytest.fixture
def office(api: Served, people: Cast) -> Headers:
    return api.session(people.operator)


def signed(
    town: Town, key: PrivateKey, id: str = "", amount: int = 3_000, version: int = 1, day: date = SIGNED,
    holder: str = "Alice", number: int = 1,
) -> dict[str, Any]:  # fmt: skip
    """What a wallet sends: the mandate, or an amount of it, signed."""
    made = id or town.new_id().hex()
    said = model.terms(town)
    shown_text = mandate_text("fr", said, Content(bytes.fromhex(made), holder, iban(number), amount, version, day))
    signature = proofs.sign_mandate(key, said.network, shown_text).hex()
    return {"id": made, "iban": iban(number), "holder": holder, "amount_cents": amount, "signed_on": day.isoformat(),
            "lang": "fr", "signature": signature}  # fmt: skip


def amount_body(town: Town, key: PrivateKey, id: str, amount: int, version: int, day: date = SIGNED) -> dict[str, Any]:
    body = signed(town, key, id, amount, version, day)
    return {**{name: body[name] for name in ("amount_cents", "signed_on", "lang", "signature")}, "version": version}


def post(api: Served, path: str, body: object, who: Headers) -> Any:
    return api.client.post(path, json=body, headers=who)


def brought(town: Town, *lines: Any) -> None:
    """The bank's statement has these lines, after what it held."""
    bring(town, statement(lines, town.book.balance(town.chart.reserve[BANK])))


def test_a_member_signs_changes_and_ends(api: Served, people: Cast, alice: Headers) -> None:
    town, key = api.town, people.alice.key
    before = api.client.get("/v1/monthly", headers=alice).json()
    assert (before["mandate"], before["terms"]["notice_days"], before["terms"]["per_month_cents"]) == (None, 14, 20_000)
    body = signed(town, key)
    made = post(api, "/v1/mandates", body, alice)
    assert made.status_code == 201, made.text
    assert post(api, "/v1/mandates", body, alice).status_code == 200
    assert post(api, "/v1/mandates", signed(town, key), alice).json() == made.json()
    id = made.json()["id"]
    changed = post(api, f"/v1/mandates/{id}/amounts", amount_body(town, key, id, 4_500, 2), alice)
    assert (changed.status_code, changed.json()["amount_cents"]) == (201, 4_500)
    assert post(api, f"/v1/mandates/{id}/amounts", amount_body(town, key, id, 4_500, 2), alice).status_code == 200
    mine = api.client.get("/v1/monthly", headers=alice).json()
    assert mine["next"] == {"month": "2025-07", "due_on": "2025-07-07", "amount_cents": 4_500, "told": False}
    assert mine["mandate"]["state"] == "active"
    assert api.client.delete(f"/v1/mandates/{id}", headers=alice).json()["state"] == "ended"
    assert api.client.get("/v1/monthly", headers=alice).json()["mandate"] is None
    assert audit(town).clean


def test_a_month_of_monthly_top_ups(api: Served, people: Cast, alice: Headers) -> None:
    town, treasurer = api.town, api.session(people.treasurer)
    post(api, "/v1/mandates", signed(town, people.alice.key), alice)
    paper = {"account": shown(people.bob), "iban": iban(2), "amount_cents": 2_000, "signed_on": "2025-06-01"}
    assert post(api, "/v1/mandates/paper", paper, treasurer).json()["holder"] == "Bob"
    told = post(api, "/v1/notices", {}, treasurer)
    assert told.status_code == 201
    assert [(one["name"], one["amount_cents"]) for one in told.json()["notices"]] == [("Alice", 3_000), ("Bob", 2_000)]
    assert api.client.get("/v1/notices", headers=treasurer).json() == told.json()
    assert post(api, "/v1/notices", {"month": "2025-07"}, treasurer).json()["notices"] == []
    ahead = {
        "month": "2025-07",
        "due_on": "2025-07-07",
        "from_day": "2025-06-23",
        "collect_on": "2025-07-07",
        "by_day": "2025-07-04",
        "by_hour": None,
        "debits": 2,
        "total_cents": 5_000,
    }
    assert api.client.get("/v1/collections", headers=treasurer).json() == {
        "collections": [], "next": ahead, "missed": [],
    }  # fmt: skip
    until(town, date(2025, 6, 24))  # when members are told of August already
    treasurer = api.session(people.treasurer)
    assert api.client.get("/v1/notices", headers=treasurer).json()["month"] == "2025-08"
    assert api.client.get("/v1/collections", headers=treasurer).json()["next"] == ahead
    ordered = post(api, "/v1/collections", {}, treasurer)
    assert (ordered.status_code, ordered.json()["total_cents"]) == (201, 5_000)
    assert api.client.get("/v1/collections", headers=treasurer).json()["next"] is None
    assert post(api, "/v1/collections", {"month": "2025-07"}, treasurer).status_code == 200
    file = api.client.get("/v1/collections/1/file", headers=treasurer)
    assert file.headers["content-type"] == "application/xml" and b"pain.008.001.08" in file.content
    until(town, DUE)
    [made] = files.every(town)
    brought(town, batch(made), debit(items(town)[1], sign=-1, reason="AC04"))
    until(town, RELEASED)
    treasurer, alice = api.session(people.treasurer), api.session(people.alice.key)
    suspended = model.live(town, people.bob.account)
    assert suspended is not None
    looked = {"released": 0, "released_cents": 0, "lapsed": [], "stuck": [], "once": 1}
    assert post(api, "/v1/releases", None, treasurer).json() == {**looked, "suspended": [suspended.reference]}
    assert post(api, "/v1/releases", None, treasurer).json() == {**looked, "suspended": []}
    towns.clock(town).forward(600)
    assert post(api, "/v1/releases", None, treasurer).json() == {
        "released": 1, "released_cents": 3_000, "lapsed": [], "suspended": [], "stuck": [], "once": 0,
    }  # fmt: skip
    states = [one["state"] for one in api.client.get("/v1/collections/1/debits", headers=treasurer).json()["debits"]]
    assert states == ["released", "unpaid"]
    [entry, *_] = api.client.get(f"/v1/accounts/{shown(people.alice)}/entries", headers=alice).json()["entries"]
    assert (entry["kind"], entry["reference"], entry["change_cents"]) == ("monthly_released", "2025-07", 3_000)
    mine = api.client.get("/v1/monthly", headers=alice).json()
    assert mine["past"] == [
        {"month": "2025-07", "amount_cents": 3_000, "state": "released", "arrives_on": RELEASED.isoformat(),
         "reason": None, "claim_cents": 0}
    ]  # fmt: skip
    [bob] = [one for one in api.client.get("/v1/mandates", headers=treasurer).json()["mandates"] if one["reason"]]
    assert (bob["name"], bob["state"], bob["reason"]) == ("Bob", "suspended", "AC04")
    assert post(api, f"/v1/mandates/{bob['id']}/resumption", None, treasurer).json()["state"] == "active"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"amount_cents": 2_999}, "signature_invalid"),
    ({"lang": "en"}, "signature_invalid"),
    ({"lang": "de"}, "body_malformed"),
    ({"amount_cents": 20_001}, "mandate_amount"),
    ({"iban": "FR00"}, "iban_wrong"),
    ({"holder": "A\u202eB"}, "text_malformed"),
    ({"signed_on": "2025-06-01"}, "mandate_date"),
    ({"id": "00" * 15 + "01"}, "id_reserved"),
    ({"id": "zz"}, "body_malformed"),
]


def test_mandates_that_are_refused(api: Served, people: Cast, alice: Headers) -> None:
    for changes, code in REFUSED:
        with unmoved(api.town):
            is_problem(post(api, "/v1/mandates", {**signed(api.town, people.alice.key), **changes}, alice), code)


def test_a_mandate_is_changed_by_whom_it_concerns(api: Served, people: Cast, alice: Headers, office: Headers) -> None:
    town, key = api.town, people.alice.key
    id = post(api, "/v1/mandates", signed(town, key), alice).json()["id"]
    bob = api.session(people.bob.key)
    path = f"/v1/mandates/{id}/amounts"
    body = amount_body(town, key, id, 4_500, 2)
    unsigned = {name: body[name] for name in ("amount_cents", "version", "signed_on")}
    with unmoved(town):
        is_problem(post(api, path, body, bob), "not_found")
        is_problem(api.client.delete(f"/v1/mandates/{id}", headers=bob), "not_found")
        is_problem(post(api, path, unsigned, alice), "signature_invalid")
        is_problem(post(api, path, body, office), "signature_invalid")
        is_problem(post(api, path, amount_body(town, key, id, 4_500, 3), alice), "mandate_version")
        is_problem(post(api, "/v1/mandates", signed(town, key, amount=900), alice), "mandate_taken")
    assert post(api, path, unsigned, office).json()["version"] == 2
    assert api.client.delete(f"/v1/mandates/{id}", headers=office).json()["state"] == "ended"
    is_problem(post(api, path, amount_body(town, key, id, 900, 3), alice), "mandate_ended")
    is_problem(post(api, f"/v1/mandates/{id}/resumption", None, office), "mandate_ended")


def test_a_party_with_a_mandate_is_not_closed(api: Served, people: Cast, office: Headers) -> None:
    visitor = towns.member(api.town, "person", "Denise")
    body = {"account": shown(visitor), "iban": iban(3), "amount_cents": 2_000, "signed_on": "2025-06-01"}
    post(api, "/v1/mandates/paper", body, office)
    is_problem(api.client.delete(f"/v1/parties/{shown(visitor)}", headers=office), "mandate_open")


def test_files_in_their_time(api: Served, people: Cast, alice: Headers) -> None:
    town = api.town
    treasurer = api.session(people.treasurer)
    for month in ("2025", "2025-13", "2099-01", "x"):
        is_problem(post(api, "/v1/notices", {"month": month}, treasurer), "month_malformed")
    is_problem(post(api, "/v1/notices", {"month": "2025-06"}, treasurer), "notice_late")
    is_problem(post(api, "/v1/collections", {}, treasurer), "collection_none")
    post(api, "/v1/mandates", signed(town, people.alice.key), alice)
    post(api, "/v1/notices", {}, treasurer)
    is_problem(post(api, "/v1/collections", {}, treasurer), "collection_early")
    until(town, date(2025, 6, 24))
    treasurer = api.session(people.treasurer)
    is_problem(post(api, "/v1/collections", {"on": "2025-07-06"}, treasurer), "collection_date")
    assert post(api, "/v1/collections", {"on": "2025-07-08"}, treasurer).json()["collect_on"] == "2025-07-08"
    path = "/v1/collections/2025-07"
    assert api.client.get(f"{path}/file", headers=treasurer).status_code == 200
    is_problem(api.client.get(f"{path}/file", headers=treasurer), "collection_fetched")
    assert api.client.get(f"{path}/file", params={"again": "true"}, headers=treasurer).status_code == 200
    is_problem(post(api, f"{path}/withdrawal", {}, treasurer), "collection_fetched")
    operator = api.session(people.operator)
    is_problem(post(api, f"{path}/withdrawal", {"refused": True}, operator), "role_insufficient")
    assert post(api, f"{path}/withdrawal", {"refused": True}, treasurer).json()["state"] == "withdrawn"
    is_problem(api.client.get("/v1/collections/1/file", headers=treasurer), "collection_withdrawn")
    assert post(api, "/v1/collections", {}, treasurer).status_code == 201
    with town.book.store.writing() as store:
        store.connection.execute(text("UPDATE collection SET file = x'00' WHERE number = 2"))
    is_problem(api.client.get("/v1/collections/2/file", headers=treasurer), "collection_changed")
    until(town, DUE)
    brought(town, batch(files.every(town)[0]))
    treasurer = api.session(people.treasurer)
    is_problem(post(api, "/v1/collections/2/withdrawal", {}, treasurer), "collection_begun")


def test_a_mandate_that_was_changed_in_the_database(api: Served, people: Cast, town: Town) -> None:
    treasurer = api.session(people.treasurer)
    body = {"account": shown(people.alice), "iban": iban(1), "amount_cents": 3_000, "signed_on": "2025-06-15"}
    assert post(api, "/v1/mandates/paper", body, treasurer).status_code == 201
    post(api, "/v1/notices", {}, treasurer)
    until(town, date(2025, 6, 24))
    with town.book.store.writing() as store:
        store.connection.execute(text(f"UPDATE mandate SET iban = '{iban(2)}'"))
    is_problem(post(api, "/v1/collections", {}, api.session(people.treasurer)), "mandate_changed")


def test_a_currency_without_monthly_top_ups(town: Town, people: Cast) -> None:
    with served(replace(town, charter=replace(town.charter, mandates=None))) as api:
        is_problem(api.client.get("/v1/monthly", headers=api.session(people.alice.key)), "mandate_unavailable")


def asked_for(town: Town) -> list[str]:
    """Who had releases looked at, by the log."""
    with town.reading() as connection:
        found = by_places(connection, range(1, town.book.head().seq + 1))
    instructions = [found[seq].instruction for seq in sorted(found)]
    return [str(one.evidence["by"]) for one in instructions if isinstance(one, Note) and one.kind == daily.ASKED]


def test_the_log_says_which_device_had_units_released(api: Served, people: Cast, alice: Headers) -> None:
    town, operator = api.town, api.session(people.operator)
    post(api, "/v1/mandates", signed(town, people.alice.key), alice)
    for who in (people.bob, people.shop):
        paper = {"account": shown(who), "iban": iban(who.account % 97), "amount_cents": 2_000,
                 "signed_on": "2025-06-01"}  # fmt: skip
        post(api, "/v1/mandates/paper", paper, operator)
    post(api, "/v1/notices", {}, operator)
    until(town, date(2025, 6, 24))
    post(api, "/v1/collections", {}, api.session(people.operator))
    until(town, DUE)
    brought(town, batch(files.every(town)[0]), *(debit(one, sign=-1, reason="AC04") for one in items(town)[1:]))
    until(town, RELEASED)
    operator = api.session(people.operator)
    request = api.client.build_request("POST", "/v1/releases", headers=operator)
    once = {**operator, "Patard-Act": act_header(town, people.operator, request)}
    # More entries than one commit makes, and the same request again.
    assert len(post(api, "/v1/releases", None, once).json()["suspended"]) == 2
    towns.clock(town).forward(200)
    assert post(api, "/v1/releases", None, once).json()["suspended"] == []
    assert asked_for(town) == [people.operator.public.hex()]
    towns.clock(town).forward(400)
    assert post(api, "/v1/releases", None, api.session(people.treasurer)).json()["released"] == 1
    assert asked_for(town) == [people.operator.public.hex(), people.treasurer.public.hex()]
    assert audit(town).clean


def test_nobody_else_is_said_to_have_had_units_released(town: Town, people: Cast) -> None:
    key = people.operator
    acting = towns.acting(town, key, "POST /v1/releases")
    assert acting.act is not None
    other = Note(town.new_id(), daily.ASKED, {"by": key.public.hex()})
    acting.post(other)
    towns.acting(town, key, "POST /v1/notices").post(replace(other, id=daily.asked_id(b"")))
    towns.acting(town, people.alice.key, "POST /v1/releases").post(
        Note(town.new_id(), daily.ASKED, {"by": people.alice.key.public.hex()})
    )
    codes = [finding.code for finding in audit(town).findings]
    assert codes == ["id_not_derived", "act_differs", "id_not_derived", "role_insufficient", "id_not_derived"]


def test_a_server_releases_by_itself(town: Town, people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(town) as api:
        post(api, "/v1/mandates", signed(town, people.alice.key), api.session(people.alice.key))
        operator = api.session(people.operator)
        post(api, "/v1/notices", {}, operator)
        until(town, date(2025, 6, 24))
        post(api, "/v1/collections", {}, api.session(people.operator))
        until(town, DUE + timedelta(days=1))
        brought(town, batch(files.every(town)[0]))
    until(town, RELEASED)
    before = town.book.balance(people.alice.account)
    monkeypatch.setattr("api.imports.DAILY_SECONDS", 0.01)
    with served(town):
        for _ in range(200):
            if town.book.balance(people.alice.account) == before + 3_000:
                break
            towns.clock(town).forward(30)
            time.sleep(0.02)
    assert town.book.balance(people.alice.account) == before + 3_000
