"""Payouts over HTTP: from an IBAN to a file that two people signed, and what is refused on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from ledger.currency import conversion, parties, proofs
from ledger.currency.audit.walk import audit
from ledger.currency.bank import taking
from ledger.currency.bank.booking import book
from ledger.currency.bank.payouts import owed
from ledger.currency.bank.payouts.tables import PAYOUT_BATCH
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.suspense import open_lines, place
from ledger.currency.charter import BankRules
from ledger.currency.keys import PrivateKey
from ledger.currency.tables import BANK_DETAILS
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, line, opened, statement
from tests.currency.bank.test_payout_answers import answer
from tests.served import Cast, Headers, Served, cast, inviting, is_problem, new_code, served, shown
from tests.towns import BANK

IBAN = "DE89370400440532013000"
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town in which two people sign whatever is paid."""
    with opened(tmp_path / "home", bank=BankRules(second_signature_above=0)) as made:
        yield made


@pytest.fixture
def people(town: Town) -> Cast:
    return cast(town)


@pytest.fixture
def api(town: Town, people: Cast) -> Iterator[Served]:
    with served(town) as found:
        yield found


def owe(api: Served, people: Cast, cents: int = 10_000, iban: str = IBAN) -> str:
    """The shop has changed back, and said where it is paid; the payout's reference."""
    conversion.convert(api.town, people.shop.party, cents, reserve=BANK, reference=f"S{api.town.book.head().seq}",
                       booked_on=DAY)  # fmt: skip
    asked = conversion.find_asked(api.town, towns.ask_back(api.town, people.shop, cents))
    conversion.accept(api.town, asked)
    if iban:
        answer = api.client.put("/v1/bank-details", json={"iban": iban}, headers=api.session(people.shop.key))
        assert answer.status_code == 200, answer.text
    found: str = api.client.get("/v1/payouts", headers=api.session(people.auditor)).json()["payouts"][-1]["reference"]
    return found


def order(api: Served, people: Cast) -> dict[str, Any]:
    answer = api.client.post("/v1/payouts/batches", json={}, headers=api.session(people.operator))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def signer(api: Served, people: Cast, name: str, device: str = "") -> PrivateKey:
    """A treasurer's key that was invited at the machine for a person."""
    known = {party.name: party for party in parties.every(api.town)}
    person = known.get(name) or parties.admit(api.town, "person", name)
    key = towns.key_of(device or f"{name}'s PC")
    code = parties.invite(api.town, people.office, "treasurer", person=person)
    assert api.join(code, key).status_code == 201
    return key


def sign(api: Served, batch: dict[str, Any], key: PrivateKey, **changes: Any) -> httpx.Response:
    """Sign a file as a device does: from what the API tells of it."""
    told = {**batch, **changes}
    signature = proofs.sign_payouts(
        key, api.town.charter.network, bytes.fromhex(told["id"]), bytes.fromhex(told["sha256"]), told["total_cents"],
        told["transfers"],
    )  # fmt: skip
    path = f"/v1/payouts/batches/{batch['number']}/signatures"
    return api.client.post(path, json={"signature": signature.hex()}, headers=api.session(key))


def fetch(api: Served, headers: Headers, query: str = "") -> httpx.Response:
    return api.client.get(f"/v1/payouts/batches/1/file{query}", headers=headers)


def test_from_an_iban_to_a_file_that_two_people_signed(api: Served, people: Cast) -> None:
    reference = owe(api, people)
    operator = api.session(people.operator)
    [due] = api.client.get("/v1/payouts", headers=operator).json()["payouts"]
    assert due == {
        "id": due["id"], "account": shown(people.shop), "name": "Boulangerie", "amount_cents": 9_500,
        "reference": reference, "to": "Boulangerie", "iban": IBAN, "batch": None, "accepted_at": due["accepted_at"],
        "payee": None, "rejected_by": [],
    }  # fmt: skip
    # Who signs a file for which two people sign was known before it was made.
    alice, bob = signer(api, people, "Alice"), signer(api, people, "Benoît")
    batch = order(api, people)
    assert (batch["number"], batch["state"], batch["total_cents"], batch["transfers"], batch["people"]) == (
        1, "ordered", 9_500, 1, 2
    )  # fmt: skip
    is_problem(fetch(api, operator), "payouts_unsigned")
    signed = sign(api, batch, alice)
    assert (signed.status_code, sign(api, batch, alice).status_code) == (201, 200)
    assert [one["name"] for one in signed.json()["signatures"]] == ["Alice"]
    assert sign(api, batch, bob).json()["state"] == "signed"
    got = fetch(api, operator)
    assert (got.status_code, got.headers["content-type"]) == (200, "application/xml")
    assert got.headers["content-disposition"] == f'attachment; filename="{batch["message"]}.xml"'
    assert sha256(got.content).hexdigest() == batch["sha256"]
    assert "operator" in is_problem(fetch(api, operator), "payouts_fetched")
    assert fetch(api, operator, "?again=true").content == got.content
    found = api.client.get("/v1/payouts/batches/1", headers=operator).json()
    assert (found["batch"]["state"], found["batch"]["fetched_by"]) == ("fetched", "operator")
    [one] = found["transfers"]
    assert (one["name"], one["iban"], one["is_new"], one["amount_cents"], one["state"]) == (
        "Boulangerie", IBAN, True, 9_500, "due"
    )  # fmt: skip
    taking.take(api.town, [statement([line(-9_500, reference, NEXT)], 10_000)])
    assert book(api.town).kinds == {"bank_payout": 1}
    assert api.client.get("/v1/payouts/batches", headers=operator).json() == {"batches": []}
    [last] = api.client.get("/v1/payouts/batches?all=true", headers=operator).json()["batches"]
    assert (last["state"], last["open"]) == ("settled", 0)
    rejected = api.client.post(f"/v1/payouts/{reference}/rejection", json={}, headers=api.session(alice))
    is_problem(rejected, "payout_paid")
    # Who goes now had signed what went then: her name stays, and her key lets nothing out any more.
    parties.revoke(api.town, parties.device(api.town, alice.public))
    [last] = api.client.get("/v1/payouts/batches?all=true", headers=operator).json()["batches"]
    assert ([one["counts"] for one in last["signatures"]], last["signed"]) == ([True, True], 2)
    is_problem(fetch(api, operator, "?again=true"), "payouts_signer_revoked")


def test_two_keys_of_one_person_and_keys_of_nobody(api: Served, people: Cast) -> None:
    owe(api, people)
    alice, phone = signer(api, people, "Alice"), signer(api, people, "Alice", "Alice's phone")
    batch = order(api, people)
    assert "--person" in is_problem(sign(api, batch, people.treasurer), "signature_person_unknown")
    assert sign(api, batch, alice).status_code == 201
    assert "Alice" in is_problem(sign(api, batch, phone), "signature_same_person")
    keys = api.client.get("/v1/keys", headers=api.session(phone)).json()["keys"]
    assert [key["person"] for key in keys] == [None, None, None, "Alice", "Alice"]


def test_whoever_brought_a_colleague_in_is_no_second_person(api: Served, people: Cast) -> None:
    """Invited with Alice's key, confirmed with Bob's own as a member: he signs, and not beside her."""
    alice, bob = signer(api, people, "Alice"), people.bob
    code = new_code()
    invited = api.client.post(
        "/v1/invites", json=inviting("treasurer", code, person=shown(bob)), headers=api.session(alice)
    )
    assert invited.status_code == 201, invited.text
    key = towns.key_of("Bob's PC")
    assert api.join(code, key).status_code == 201
    [waiting] = api.client.get("/v1/confirmations", headers=api.session(bob.key)).json()["keys"]
    assert (waiting["key"], waiting["name"], waiting["invited_by"]) == (key.public.hex(), "Bob", "Alice")
    path = f"/v1/keys/{waiting['key']}/confirmation"
    is_problem(api.client.post(path, headers=api.session(people.alice.key)), "not_found")
    answers = [api.client.post(path, headers=api.session(bob.key)) for _ in range(2)]
    assert [(one.status_code, one.json()["replay"]) for one in answers] == [(201, False), (200, True)]
    assert api.client.get("/v1/confirmations", headers=api.session(bob.key)).json() == {"keys": []}
    owe(api, people)
    batch = order(api, people)
    assert sign(api, batch, key).json()["signed"] == 1
    assert "Bob" in is_problem(sign(api, batch, alice), "signature_sponsored")
    assert sign(api, batch, signer_before(api, "Chloé")).status_code == 409


def signer_before(api: Served, name: str) -> PrivateKey:
    """A treasurer's key that joined only when the file was there."""
    office = next(party for party in parties.every(api.town) if party.kind == "association")
    key = towns.key_of(f"{name}, late")
    code = parties.invite(api.town, office, "treasurer", person=parties.admit(api.town, "person", name))
    assert api.join(code, key).status_code == 201
    return key


def test_the_bytes_of_a_file_are_for_whoever_signs(api: Served, people: Cast) -> None:
    owe(api, people)
    batch = order(api, people)
    path = "/v1/payouts/batches/1/content"
    given = api.client.get(path, headers=api.session(people.treasurer)).json()
    assert sha256(given["content"].encode()).hexdigest() == given["sha256"] == batch["sha256"]
    shown_ = api.client.get("/v1/payouts/batches/1", headers=api.session(people.auditor)).json()
    assert (shown_["changed"], shown_["batch"]["fetched_at"]) == (False, None)
    with api.town.book.store.writing() as store:
        store.connection.execute(update(PAYOUT_BATCH).values(file=given["content"].replace(IBAN, "X").encode()))
    is_problem(api.client.get(path, headers=api.session(people.treasurer)), "payouts_changed")
    changed = api.client.get("/v1/payouts/batches/1", headers=api.session(people.auditor)).json()
    assert (changed["changed"], changed["transfers"]) == (True, [])


@pytest.mark.parametrize(
    "changes", [{"total_cents": 9_501}, {"transfers": 2}, {"sha256": "00" * 32}, {"id": "00" * 15 + "01"}]
)
def test_a_signature_of_something_else(api: Served, people: Cast, changes: dict[str, Any]) -> None:
    owe(api, people)
    batch = order(api, people)
    is_problem(sign(api, batch, signer(api, people, "Alice"), **changes), "signature_invalid")


def test_whose_key_is_whose_the_office_says(api: Served, people: Cast) -> None:
    person, headers = shown(people.alice), api.session(people.operator)
    body = inviting("operator", person=person)
    assert api.client.post("/v1/invites", json=body, headers=headers).status_code == 201
    body = inviting("operator", person=shown(people.shop))
    is_problem(api.client.post("/v1/invites", json=body, headers=headers), "person_wrong")
    body = inviting("owner", person=person)
    is_problem(api.client.post("/v1/invites", json=body, headers=api.session(people.shop.key)), "role_insufficient")


@pytest.mark.parametrize(
    ("iban", "code"),
    [
        ("DE89370400440532013001", "iban_check"), ("DE8937040044053201300", "iban_wrong"), ("x", "iban_wrong"),
        ("FR1420041010050500013M02606", "iban_own"), ("MR1300020001010000123456753", "iban_outside"),
    ],
)  # fmt: skip
def test_an_iban_that_is_none(api: Served, people: Cast, iban: str, code: str) -> None:
    headers = api.session(people.shop.key)
    is_problem(api.client.put("/v1/bank-details", json={"iban": iban}, headers=headers), code)
    nothing = {"iban": None, "holder": None, "set_at": None}
    assert api.client.get("/v1/bank-details", headers=headers).json() == nothing


def test_a_file_that_is_given_up(api: Served, people: Cast) -> None:
    owe(api, people)
    signers = [signer(api, people, name) for name in ("Alice", "Benoît", "Chloé")]
    batch = order(api, people)
    operator, treasurer = api.session(people.operator), api.session(people.treasurer)
    none = api.client.post("/v1/payouts/batches", json={}, headers=operator)
    assert "IBAN" in is_problem(none, "payouts_none")
    path = "/v1/payouts/batches/1/withdrawal"
    is_problem(api.client.post(path, json={"refused": True}, headers=operator), "role_insufficient")
    for key in signers[:2]:
        sign(api, batch, key)
    assert fetch(api, operator).status_code == 200
    is_problem(sign(api, batch, signers[2]), "payouts_fetched")
    is_problem(api.client.post(path, json={}, headers=operator), "payouts_fetched")
    gone = api.client.post(path, json={"refused": True}, headers=treasurer)
    assert (gone.status_code, gone.json()["state"], gone.json()["withdrawn_by"]) == (200, "withdrawn", "treasurer")
    is_problem(fetch(api, operator, "?again=true"), "payouts_withdrawn")
    assert order(api, people)["number"] == 2


def test_a_rejected_payout_is_back_on_the_shops_account(api: Served, people: Cast) -> None:
    reference, headers = owe(api, people), api.session(people.treasurer)
    path = f"/v1/payouts/{reference.lower()}/rejection"
    is_problem(api.client.post(path, json={"reason": "not so"}, headers=headers), "reason_malformed")
    order(api, people)
    is_problem(api.client.post(path, json={}, headers=headers), "payout_ordered")
    api.client.post("/v1/payouts/batches/1/withdrawal", json={}, headers=headers)
    answers = [api.client.post(path, json={"reason": "AC04"}, headers=headers) for _ in range(2)]
    assert [(one.status_code, one.json()["replay"]) for one in answers] == [(201, False), (200, True)]
    account = api.client.get(f"/v1/accounts/{shown(people.shop)}", headers=api.session(people.shop.key)).json()
    assert account["balance_cents"] == 10_000


def test_a_file_that_was_changed_in_the_database(api: Served, people: Cast) -> None:
    owe(api, people)
    signers = [signer(api, people, name) for name in ("Alice", "Benoît")]
    batch = order(api, people)
    for key in signers:
        sign(api, batch, key)
    with api.town.book.store.writing() as store:
        store.connection.execute(update(PAYOUT_BATCH).values(file=b"<Document/>"))
    is_problem(fetch(api, api.session(people.operator)), "payouts_changed")


def test_an_iban_that_was_changed_in_the_database(api: Served, people: Cast) -> None:
    owe(api, people)
    with api.town.book.store.writing() as store:
        store.connection.execute(update(BANK_DETAILS).values(iban="BE68539007547034"))
    headers = api.session(people.operator)
    is_problem(api.client.post("/v1/payouts/batches", json={}, headers=headers), "payout_changed")
    assert api.client.get("/v1/payouts/batches", headers=headers).json()["batches"] == []


@pytest.mark.parametrize(("on", "code"), [("2025-06-14", "payouts_date"), ("2026-06-15", "payouts_date"),
                                          ("2025-06-15", "payouts_date"),
                                          ("tomorrow", "body_malformed"), (20250616, "body_malformed")])  # fmt: skip
def test_a_day_on_which_no_bank_pays(api: Served, people: Cast, on: object, code: str) -> None:
    owe(api, people)
    headers = api.session(people.operator)
    is_problem(api.client.post("/v1/payouts/batches", json={"on": on}, headers=headers), code)


def test_the_first_day_on_which_the_bank_pays_is_told(api: Served, people: Cast) -> None:
    owe(api, people)
    headers = api.session(people.operator)
    # It is a Sunday.
    told = api.client.get("/v1/payouts", headers=headers).json()["pay_from"]
    assert told == "2025-06-16" == order(api, people)["requested_on"]


def test_a_file_whose_payouts_are_all_settled(api: Served, people: Cast) -> None:
    reference, headers = owe(api, people), api.session(people.treasurer)
    signers = [signer(api, people, name) for name in ("Alice", "Benoît")]
    batch = order(api, people)
    for key in signers:
        sign(api, batch, key)
    fetch(api, headers)
    for who, waits in ((api.session(signers[0]), True), (api.session(signers[1]), False)):
        done = api.client.post(f"/v1/payouts/{reference}/rejection", json={}, headers=who)
        assert (done.status_code, done.json()["waits"]) == (201, waits)
        found = api.client.get("/v1/payouts", headers=headers).json()["payouts"]
        assert [one["rejected_by"] for one in found] == ([["Alice"]] if waits else [])
    gone = api.client.post("/v1/payouts/batches/1/withdrawal", json={"refused": True}, headers=headers)
    is_problem(gone, "payouts_settled")


def test_a_file_of_which_a_line_paid_something_is_given_to_nobody(tmp_path: Path) -> None:
    with opened(tmp_path / "home", bank=BankRules(second_signature_above=5_000)) as town, served(town) as api:
        people = cast(town)
        owe(api, people, 1_000)
        signed = order(api, people)
        sign(api, signed, signer(api, people, "Alice"))
        [due] = owed.due(town)
        went = line(-950, due.payout.reference, NEXT, iban=IBAN)
        taking.take(town, [statement([line(1_000, kind=LineKind.TRANSFER), went])], quiet_days=True)
        book(town)
        for one in open_lines(town):
            if one.line.amount < 0:
                place(town, one.line.id, Decision(way=Way.PAYOUT, other=due.payout.reconversion))
        is_problem(fetch(api, api.session(people.operator)), "payouts_overtaken")


def test_the_banks_answer_is_taken_like_a_statement(api: Served, people: Cast) -> None:
    """Whoever may import takes it. Where two people let the file leave, they say so too."""
    reference, headers = owe(api, people), api.session(people.operator)
    signers = [signer(api, people, name) for name in ("Alice", "Benoît")]
    batch = order(api, people)
    for key in signers:
        sign(api, batch, key)
    fetch(api, headers)
    data = answer(batch["message"], reference.replace("-", ""), amount=9_500)
    sent = {**headers, "Content-Type": "application/octet-stream"}
    for _ in range(2):
        done = api.client.post("/v1/bank/imports?name=pain002.xml", content=data, headers=sent)
        assert (done.status_code, done.json()["state"], done.json()["booked"]) == (201, "done", {})
        assert "wallet payouts --reject" in done.json()["why"]
    for key in signers:
        api.client.post(f"/v1/payouts/{reference}/rejection", json={}, headers=api.session(key))
    account = api.client.get(f"/v1/accounts/{shown(people.shop)}", headers=api.session(people.shop.key)).json()
    assert account["balance_cents"] == 10_000
    other = api.client.post("/v1/bank/imports", content=answer("X-1", reference), headers=sent)
    is_problem(other, "statement_format_unknown")
    assert audit(api.town).clean


def test_a_charter_without_a_bank_account(tmp_path: Path) -> None:
    from ledger.currency.charter import ReserveAccount, ReserveKind

    cash = (ReserveAccount(name=BANK, kind=ReserveKind.CASH),)
    with opened(tmp_path / "home", reserve=cash, bank=BankRules(), mandates=None) as town:
        people = cast(town)
        with served(town) as api:
            answer = api.client.post("/v1/payouts/batches", json={}, headers=api.session(people.operator))
            is_problem(answer, "payout_unavailable")
