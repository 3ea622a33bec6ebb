"""Lines in suspense over HTTP: what each may be, a person's decision once, putting back; lines that are looked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.schemas.bank import lines_out
from ledger.currency import conversion, parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank.lines import lines
from ledger.currency.bank.statement import LineKind
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, SAVINGS, bring, line, opened, statement, token
from tests.served import Cast, Headers, Served, cast, is_problem, served, shown, unmoved
from tests.towns import BANK, CASH

ALICES = "FR7630001007941234567890185"


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


@pytest.fixture
def office(api: Served, people: Cast) -> Headers:
    return api.session(people.operator)


@pytest.fixture
def waits(town: Town, people: Cast) -> dict[int, str]:
    """Ids of lines in suspense, by their amount."""
    known = line(4_200, token(town, people.alice.party), name="ALICE M", iban=ALICES)
    others = [
        line(2_500, "merci", name="ALICE M", iban=ALICES), line(-900, "frais", kind=LineKind.CHARGE),
        line(700, "x"), line(-700, "y"), line(-4_200, "z"), line(-50_000, "remise"),
        line(100_000, "saisie", kind=LineKind.TRANSFER),
    ]  # fmt: skip
    shop = people.shop.party
    conversion.convert(town, shop, 100_000, reserve=BANK, reference="AVANT", booked_on=DAY - timedelta(days=1))
    conversion.convert(town, shop, 100_000, reserve=BANK, reference="SAISIE")
    bring(town, statement([known, *others], 100_000))
    return {one.amount_cents: one.id for one in _lines(town)}


def _lines(town: Town) -> list[Any]:
    return lines_out(town, lines(town))


def place(api: Served, headers: Headers, id: str, way: str, **more: Any) -> Any:
    return api.client.post(f"/v1/bank/lines/{id}/placing", json={"way": way, **more}, headers=headers)


def put_back(api: Served, headers: Headers, id: str, **more: Any) -> Any:
    return api.client.post(f"/v1/bank/lines/{id}/putting_back", json={"turn": None, **more}, headers=headers)


def in_suspense(api: Served, headers: Headers) -> dict[int, Any]:
    found = api.client.get("/v1/bank/suspense", headers=headers).json()
    assert found["left"] == len(found["lines"])
    return {one["line"]["amount_cents"]: one for one in found["lines"]}


def test_the_best_proposal_is_taken(
    api: Served, people: Cast, office: Headers, waits: dict[int, str], town: Town
) -> None:
    told = api.client.get("/v1/bank/suspense", params={"limit": 2}, headers=office).json()
    assert (told["left"], len(told["lines"]), told["cash"]) == (7, 2, [CASH])
    assert told["fees_cents"] == told["transit_cents"] == 0
    one = in_suspense(api, office)[2_500]
    best = one["proposals"][0]
    assert best["decision"] == {
        "way": "member", "account": shown(people.alice), "name": "Alice", "other": None, "cash": None, "shares": []
    }  # fmt: skip
    assert best["reasons"][0] == {
        "why": "iban_seen", "points": 80, "name": "Alice", "day": str(DAY), "amount_cents": None, "word": None
    }  # fmt: skip
    before = api.town.book.balance(people.alice.account)
    decision = {"account": best["decision"]["account"], "turn": one["turn"]}
    answers = [place(api, office, waits[2_500], "member", **decision) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert [answer.json()["replay"] for answer in answers] == [False, True]
    assert api.town.book.balance(people.alice.account) == before + 2_500
    assert 2_500 not in in_suspense(api, office)
    is_problem(place(api, office, waits[2_500], "own", turn=0), "line_placed")
    assert put_back(api, office, waits[2_500], turn=0).status_code == 201
    assert put_back(api, office, waits[2_500], turn=0).status_code == 200
    assert api.town.book.balance(people.alice.account) == before
    again = in_suspense(api, office)[2_500]
    assert again["turn"] == 1
    with unmoved(town):
        assert place(api, office, waits[2_500], "member", **decision).json()["replay"]  # it was for the turn before
    assert 2_500 in in_suspense(api, office)


def test_every_way(api: Served, people: Cast, office: Headers, waits: dict[int, str], town: Town) -> None:
    pair = in_suspense(api, office)[700]["proposals"][0]
    assert (pair["decision"]["way"], pair["beside"]["amount_cents"]) == ("pair", -700)
    treasurer = api.session(people.treasurer)
    assert place(api, treasurer, waits[700], "pair", other=pair["decision"]["other"]).status_code == 201
    assert place(api, office, waits[-900], "charge").status_code == 201
    assert place(api, treasurer, waits[-50_000], "cash", cash=CASH).status_code == 201
    assert place(api, treasurer, waits[-4_200], "returned", other=waits[4_200]).status_code == 201
    typed = in_suspense(api, office)[100_000]["proposals"][0]
    assert (typed["decision"]["way"], typed["beside"]) == ("known", None)
    assert place(api, office, waits[100_000], "known", other=typed["decision"]["other"]).status_code == 201
    shares = [
        {"way": "member", "amount_cents": 2_000, "account": shown(people.bob)}, {"way": "own", "amount_cents": 500},
    ]  # fmt: skip
    assert place(api, office, waits[2_500], "split", shares=shares).status_code == 201
    assert in_suspense(api, office) == {}
    listed = api.client.get("/v1/bank/lines", params={"state": "placed"}, headers=office).json()["lines"]
    ways = {one["amount_cents"]: (one["placed_as"], one["holder"]) for one in listed}
    assert ways[2_500] == ("split", "Bob")
    assert ways[700] == ways[-700] == ("pair", None)
    assert ways[-50_000] == ("cash", None)


def test_whom_a_member_pays_on_the_word_of(
    api: Served, people: Cast, office: Headers, waits: dict[int, str], town: Town
) -> None:
    with unmoved(town):
        refused = place(api, office, waits[-700], "debt", account=shown(people.bob))
        is_problem(refused, "role_insufficient")
    assert "a treasurer may place the line so" in refused.json()["detail"]
    treasurer = api.session(people.treasurer)
    assert place(api, treasurer, waits[-700], "debt", account=shown(people.bob)).status_code == 201
    assert "role_insufficient" not in {one.code for one in audit(town).findings}


def test_what_cannot_be(api: Served, people: Cast, office: Headers, waits: dict[int, str], town: Town) -> None:
    """Every refusal by its code; nothing moves."""
    bob = shown(people.bob)
    typed = in_suspense(api, office)[100_000]["proposals"][0]["decision"]["other"]
    place(api, office, waits[100_000], "known", other=typed)
    again = line(100_000, "w", DAY + timedelta(days=1), kind=LineKind.TRANSFER)
    bring(town, statement([again], _closing(town), first=DAY + timedelta(days=1)))
    other = api.client.get("/v1/bank/lines", params={"text": "w", "amount_cents": "100000"}, headers=office).json()
    with unmoved(town):
        is_problem(place(api, office, waits[2_500], "fees"), "placing_uneven")
        is_problem(place(api, office, waits[2_500], "claim", account=bob), "claim_exceeded")
        is_problem(place(api, office, waits[2_500], "cash", cash="nulle part"), "reserve_account_unknown")
        is_problem(place(api, office, waits[2_500], "nonsense"), "body_malformed")
        is_problem(place(api, office, waits[2_500], "member", account="x"), "body_malformed")
        is_problem(place(api, office, waits[2_500], "member", more=1), "body_malformed")
        is_problem(place(api, office, waits[2_500], "member"), "not_found")
        is_problem(place(api, office, waits[4_200], "own"), "line_not_open")
        is_problem(place(api, office, other["lines"][0]["id"], "known", other=typed), "conversion_named")
        is_problem(put_back(api, office, waits[2_500]), "line_not_placed")
        is_problem(put_back(api, office, waits[4_200], turn=3), "line_placed")
        is_problem(put_back(api, office, waits[4_200]), "role_insufficient")
        is_problem(api.client.get(f"/v1/bank/suspense/{waits[4_200]}", headers=office), "line_not_open")
        for wrong in ("00" * 16, "X" * 32, "ff"):
            is_problem(place(api, office, wrong, "own"), "not_found")
            is_problem(put_back(api, office, wrong), "not_found")
            is_problem(api.client.get(f"/v1/bank/suspense/{wrong}", headers=office), "not_found")


def _closing(town: Town) -> int:
    return 100_000 + int(sum(one.amount_cents for one in _lines(town)))


def test_a_conversion_that_a_line_rests_on(api: Served, people: Cast, waits: dict[int, str], town: Town) -> None:
    """It is not taken back by itself: the line is put back first, by a treasurer or by whoever placed it."""
    treasurer, operator = api.session(people.treasurer), api.session(people.operator)
    place(api, treasurer, waits[2_500], "member", account=shown(people.bob))
    with unmoved(town):
        for one in (2_500, 4_200):
            is_problem(put_back(api, operator, waits[one]), "role_insufficient")
    assert put_back(api, treasurer, waits[4_200]).status_code == 201
    typed = in_suspense(api, treasurer)[100_000]["proposals"][0]["decision"]["other"]
    place(api, treasurer, waits[100_000], "known", other=typed)
    is_problem(api.client.post(f"/v1/conversions/{typed}/correction", headers=treasurer), "conversion_banked")


def test_what_members_owe(api: Served, people: Cast, office: Headers, town: Town) -> None:
    """A top-up that went back after its units were spent; its debt is paid with a line."""
    carole = parties.admit(town, "person", "Carole")
    bring(town, statement([line(3_000, token(town, carole), iban=ALICES)]))
    key = towns.join(town, carole, "member", "Carole")
    towns.take(town, towns.order(town, towns.Member(carole, key), people.shop.account, 3_000))
    day = DAY + timedelta(days=1)
    back = [line(-3_000, "retour", day, kind=LineKind.RETURN, iban=ALICES), line(1_000, "dette", day, name="CAROLE")]
    bring(town, statement(back, 3_000))
    assert api.client.get("/v1/bank/claims", headers=office).json()["claims"] == [
        {"account": shown(carole), "name": "Carole", "amount_cents": 3_000}
    ]
    one = in_suspense(api, office)[1_000]
    assert one["proposals"][0]["decision"]["way"] == "claim"
    assert place(api, office, one["line"]["id"], "claim", account=shown(carole)).status_code == 201
    assert api.client.get("/v1/bank/claims", headers=office).json()["claims"][0]["amount_cents"] == 2_000


FOUND = [
    ({"text": "merci"}, [2_500]),
    ({"text": "MERCI"}, [2_500]),
    ({"text": "alice"}, [2_500, 4_200]),
    ({"text": "FR76 3000 1007 941"}, [2_500, 4_200]),
    ({"text": "42"}, [-4_200, 4_200]),
    ({"text": "-42,00"}, [-4_200]),
    ({"text": "+42"}, [4_200]),
    ({"text": "%"}, []),
    ({"text": "mer_i"}, []),
    ({"text": "-"}, [4_200]),
    ({"text": "élise"}, []),
    ({"amount_cents": "-700"}, [-700]),
    ({"state": "recognised"}, [4_200]),
    ({"state": "waiting"}, []),
    ({"state": "undone"}, []),
    ({"state": "suspense", "text": "remise"}, [-50_000]),
    ({"reserve": SAVINGS}, []),
    ({"reserve": BANK, "text": "saisie"}, [100_000]),
    ({"statement": "00" * 16}, []),
]


def test_lines_are_found(api: Served, office: Headers, waits: dict[int, str]) -> None:
    for asked, amounts in FOUND:
        found = api.client.get("/v1/bank/lines", params=asked, headers=office).json()
        assert sorted(one["amount_cents"] for one in found["lines"]) == amounts, asked
        assert found["next_cursor"] is None


def test_lines_of_one_statement_page_by_page(api: Served, office: Headers, waits: dict[int, str], town: Town) -> None:
    day = DAY + timedelta(days=1)
    bring(town, statement([line(cents, "suite", day) for cents in (1, 2, 3)], _closing(town)))
    second = api.client.get("/v1/bank/statements", headers=office).json()["statements"][1]["id"]
    asked = {"statement": second, "limit": "2"}
    seen = []
    while True:
        page = api.client.get("/v1/bank/lines", params=asked, headers=office).json()
        seen += [one["amount_cents"] for one in page["lines"]]
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]
    assert seen == [3, 2, 1]


CANNOT_BE = [
    ({"state": "odd"}, "body_malformed"),
    ({"reserve": "nulle part"}, "reserve_account_unknown"),
    ({"statement": "ABC"}, "not_found"),
    ({"amount_cents": "1.5"}, "body_malformed"),
    ({"amount_cents": "--1"}, "body_malformed"),
    ({"cursor": "!"}, "cursor_malformed"),
]


def test_what_cannot_be_looked_for(api: Served, office: Headers) -> None:
    for asked, code in CANNOT_BE:
        is_problem(api.client.get("/v1/bank/lines", params=asked, headers=office), code)


def test_a_first_statement_that_was_wrong(town: Town, people: Cast, api: Served, office: Headers, waits: Any) -> None:
    treasurer = api.session(people.treasurer)
    [one] = api.client.get("/v1/bank/statements", headers=office).json()["statements"]
    assert one["withdrawn"] is False
    address = f"/v1/bank/statements/{one['id']}/withdrawal"
    place(api, office, waits[700], "own")
    with unmoved(town):
        is_problem(api.client.post(address, headers=treasurer), "statement_placed")
    put_back(api, office, waits[700])
    first = api.client.post(address, headers=treasurer)
    assert first.status_code == 201 and first.json()["replay"] is False
    again = api.client.post(address, headers=treasurer)
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    [one] = api.client.get("/v1/bank/statements", headers=office).json()["statements"]
    assert one["withdrawn"] is True
    assert not in_suspense(api, office)
    assert audit(town).clean
