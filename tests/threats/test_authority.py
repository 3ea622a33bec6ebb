"""Authority is proved to the log: a session reads, an act does one thing once, the machine's key signs the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, update

from api.app import create_app
from ledger.core.model import Note, Transaction, Transfer
from ledger.currency import acts, conversion, importer, join_codes, parties, proofs
from ledger.currency.audit.walk import audit
from ledger.currency.bank import details, taking, whose
from ledger.currency.imported import ANNOUNCED, announcement, import_id
from ledger.currency.logged import by_places
from ledger.currency.tables import ACT
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.paying import SHOP_IBANS
from tests.currency.bank.scene import line, statement
from tests.served import (
    Cast,
    Headers,
    Served,
    act_header,
    cast,
    endpoints,
    inviting,
    is_problem,
    served,
    shown,
    unmoved,
)
from tests.towns import BANK, CASH

SIGNED_ELSEWHERE = {
    "/v1/payments", "/v1/refunds", "/v1/reconversions", "/v1/joins", "/v1/challenges", "/v1/sessions",
    "/v1/sessions/current",
}  # fmt: skip
"""Orders, joining and sessions are signatures themselves; whoever ends a session needs none."""
NOTED = {"/v1/payouts/batches/{batch}/file", "/v1/collections/{collection}/file"}
"""Reading them is noted, so it is done and not read."""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = towns.found(tmp_path / "home")
    yield made
    made.book.close()


@pytest.fixture
def people(town: Town) -> Cast:
    return cast(town)


@pytest.fixture
def api(town: Town, people: Cast) -> Iterator[Served]:
    with served(town) as made:
        yield made


def slip(people: Cast, reference: str = "S-77", amount: int = 1_000) -> dict[str, Any]:
    return {"account": shown(people.alice), "amount_cents": amount, "reserve": CASH, "reference": reference}


def codes(town: Town) -> list[str]:
    return [finding.code for finding in audit(town).findings]


# --- a stolen token ----------------------------------------------------------------------------------------


def test_a_token_without_a_key_changes_nothing_anywhere(api: Served, people: Cast) -> None:
    """Every route that does more than show something, with a treasurer's own token and nobody's signature."""
    stolen = {**api.session(people.treasurer), "Patard-Act": ""}
    doing = [
        (method, path) for method, path, _route in endpoints(create_app(api.town).routes)
        if (method not in ("GET", "HEAD") or path in NOTED) and path not in SIGNED_ELSEWHERE and path.startswith("/v1/")
    ]  # fmt: skip
    assert len(doing) > 25
    with unmoved(api.town):
        for method, path in doing:
            filled = path
            for name in ("id", "batch", "key", "reference", "collection", "account"):
                filled = filled.replace(f"{{{name}}}", "0" * 32 if name != "key" else "0" * 64)
            content, kind = b"{}", "application/json"
            if path == "/v1/bank/imports":
                content, kind = b"a file", "application/octet-stream"
            headers = stolen | {"content-type": kind} if method in ("POST", "PUT") else stolen
            sent = content if method in ("POST", "PUT") else None
            answer = api.client.request(method, filled, content=sent, headers=headers)
            is_problem(answer, "act_missing")
    # It reads, as it did.
    assert api.client.get("/v1/parties", headers=stolen).status_code == 200


def asked(api: Served, headers: Headers, body: dict[str, Any], **other: str) -> httpx.Response:
    return api.client.post("/v1/conversions", json=body, headers={**headers, **other})


def request_of(api: Served, headers: Headers, body: dict[str, Any], path: str = "/v1/conversions") -> httpx.Request:
    return api.client.build_request("POST", path, json=body, headers=headers)


@pytest.mark.parametrize("what", ["another body", "another path", "another key", "another currency", "cut", "no hex"])
def test_what_was_signed_is_what_is_done(api: Served, people: Cast, what: str) -> None:
    headers = api.session(people.treasurer)
    body = slip(people)
    right = act_header(api.town, people.treasurer, request_of(api, headers, body))
    key = people.operator if what == "another key" else people.treasurer
    wrong = {
        "another body": act_header(api.town, key, request_of(api, headers, slip(people, amount=1_001))),
        "another path": act_header(api.town, key, request_of(api, headers, body, "/v1/parties")),
        "another key": act_header(api.town, key, request_of(api, headers, body)),
        "another currency": _foreign(api.town, key, request_of(api, headers, body)),
        "cut": right[:-1],
        "no hex": right[:-1] + "G",
    }[what]
    code = "act_missing" if what in ("cut", "no hex") else "signature_invalid"
    with unmoved(api.town):
        is_problem(asked(api, headers, body, **{"Patard-Act": wrong}), code)
    assert asked(api, headers, body, **{"Patard-Act": right}).status_code == 201
    assert codes(api.town) == []


def _foreign(town: Town, key: Any, request: httpx.Request) -> str:
    until, salt = town.now() // 1_000_000 + 60, bytes(16)
    text = proofs.act_text("POST", "/v1/conversions", request.read().decode())
    return f"{until} {salt.hex()} {proofs.sign_act(key, b'oth!', until, salt, text).hex()}"


@pytest.mark.parametrize("seconds", [-1, 3_601])
def test_an_act_has_its_time(api: Served, people: Cast, seconds: int) -> None:
    headers, body = api.session(people.treasurer), slip(people)
    until = api.town.now() // 1_000_000 + seconds
    act = act_header(api.town, people.treasurer, request_of(api, headers, body), until=until)
    with unmoved(api.town):
        is_problem(asked(api, headers, body, **{"Patard-Act": act}), "act_expired")


def test_an_act_is_carried_out_once(api: Served, people: Cast) -> None:
    headers = api.session(people.treasurer)
    body = slip(people)
    act = {"Patard-Act": act_header(api.town, people.treasurer, request_of(api, headers, body))}
    assert asked(api, headers, body, **act).status_code == 201
    with unmoved(api.town):
        assert asked(api, headers, body, **act).status_code == 200  # the same request, sent again
        assert asked(api, headers, body).status_code == 200  # and signed again
    # What makes a new thing each time does not do so twice for one signature.
    admitted = {"kind": "person", "name": "Zoé"}
    act = {"Patard-Act": act_header(api.town, people.treasurer, request_of(api, headers, admitted, "/v1/parties"))}
    assert api.client.post("/v1/parties", json=admitted, headers={**headers, **act}).status_code == 201
    with unmoved(api.town):
        is_problem(api.client.post("/v1/parties", json=admitted, headers={**headers, **act}), "act_used")


def test_what_is_too_long_for_the_log_is_said_to_be(api: Served, people: Cast) -> None:
    body = json.dumps(slip(people)) + " " * acts.MAX_TEXT
    headers = {**api.session(people.treasurer), "content-type": "application/json"}
    with unmoved(api.town):
        is_problem(api.client.post("/v1/conversions", content=body, headers=headers), "body_too_large")


def test_a_join_code_is_made_once(api: Served, people: Cast) -> None:
    headers, body = api.session(people.bob.key), inviting("member", "0123456789")
    assert api.client.post("/v1/invites", json=body, headers=headers).status_code == 201
    is_problem(api.client.post("/v1/invites", json=body, headers=headers), "join_code_taken")


# --- what check says of a log that was written to -----------------------------------------------------------


def converted(town: Town, people: Cast) -> Transaction:
    """A conversion that a treasurer's device asked for, as it stands in the log."""
    acting = towns.acting(town, people.treasurer, "POST /v1/conversions", **slip(people))
    posted = conversion.convert(
        acting, people.alice.party, 1_000, reserve=CASH, reference="S-77", by=people.treasurer.public.hex()
    )
    found = town.book.find(posted.id)
    assert found is not None and isinstance(found.instruction, Transaction)
    return found.instruction


def post_raw(town: Town, instruction: Any) -> None:
    """As whoever writes to the database: nothing is signed that was not."""
    town.book.post([instruction])


def again(town: Town, made: Transaction, reference: str, **evidence: str | int) -> Transaction:
    """The same under another slip."""
    id_ = conversion.conversion_id(town, CASH, reference)
    return replace(made, id=id_, evidence={**made.evidence, "reference": reference, **evidence})


def test_one_act_for_two_entries(town: Town, people: Cast) -> None:
    made = converted(town, people)
    towns.pay(town, people.alice, people.shop, 100)
    post_raw(town, again(town, made, "S-78"))
    assert {"act_twice", "act_differs"} <= set(codes(town))


@pytest.mark.parametrize("change", ["amount", "account", "kind"])
def test_an_act_for_something_else(town: Town, people: Cast, change: str) -> None:
    asks = slip(people)
    if change == "amount":
        asks["amount_cents"] = 999
    elif change == "account":
        asks["account"] = shown(people.bob)
    request = "POST /v1/parties" if change == "kind" else "POST /v1/conversions"
    acting = towns.acting(town, people.treasurer, request, **asks)
    conversion.convert(
        acting, people.alice.party, 1_000, reserve=CASH, reference="S-77", by=people.treasurer.public.hex()
    )
    assert codes(town) == ["act_differs"]


def test_an_act_for_the_opposite(town: Town, people: Cast) -> None:
    converted(town, people)
    towns.pay(town, people.alice, people.shop, 500)
    asked = conversion.find_asked(town, towns.ask_back(town, people.shop, 500))
    acting = towns.acting(town, people.treasurer, f"POST /v1/reconversions/{asked.id.hex()}/refusal")
    conversion.accept(acting, asked, by=people.treasurer.public.hex())
    assert codes(town) == ["act_differs"]


def test_an_act_for_a_file_vouches_for_nothing_else(town: Town, people: Cast) -> None:
    """Not even right behind what came of it: the machine signs each entry of it."""
    acting = towns.acting(town, people.operator, "POST /v1/bank/imports")
    taking.take(acting, [statement([line(1_000)])], by=people.operator.public.hex(), opening=True, quiet_days=True)
    made = town.book.find(whose.statement_id(town.charter.network, BANK, 1))
    assert made is not None and codes(town) == []
    said = {key: value for key, value in made.instruction.evidence.items() if key in acts.KEYS or key == "by"}
    forged = acts.plain(never_posted(town, people))
    post_raw(town, replace(forged, evidence={**forged.evidence, **said}))
    assert "act_invalid" in codes(town)


def never_posted(town: Town, people: Cast) -> Transaction:
    """A conversion that nobody posted."""
    chart, reference = town.chart, "S-99"
    euros = Transfer(chart.reserve[CASH], chart.guarantee, 1_000, "EUR")
    units = Transfer(chart.circulation, people.bob.account, 1_000, town.charter.code)
    evidence = {"reference": reference, "reserve": f"{chart.reserve[CASH]:016x}"}
    id_ = conversion.conversion_id(town, CASH, reference)
    return Transaction(id_, "conversion", (units, euros), evidence=evidence)


def test_an_account_at_a_bank_is_told_once_an_act(town: Town, people: Cast) -> None:
    shop = people.shop.party
    path = f"PUT /v1/parties/{shown(people.shop)}/bank-details"
    acting = towns.acting(town, people.operator, path, iban=SHOP_IBANS[0])
    details.put(acting, shop, SHOP_IBANS[0], by=people.operator.public.hex())
    with town.reading() as connection:
        [made] = by_places(connection, [town.book.head().seq]).values()
    assert codes(town) == []
    other = replace(made.instruction, id=town.new_id(), evidence={**made.instruction.evidence, "hash": "11" * 32})
    post_raw(town, other)
    assert "act_invalid" in codes(town)


def test_an_invitation_lets_in_whom_the_machine_saw(town: Town, people: Cast) -> None:
    code = "0123456789"
    hashed = join_codes.code_hash(code)
    asks = {"account": shown(people.alice), "role": "member", "code_hash": hashed.hex()}
    acting = towns.acting(town, people.alice.key, "POST /v1/invites", **asks)
    parties.invite_with(acting, people.alice.party, "member", hashed, by=people.alice.key.public.hex())
    key = towns.key_of("somebody else")
    note = parties._key_note("key_added", key.public, "member", people.alice.account, people.alice.key.public.hex(),
                             None, hashed)  # fmt: skip
    post_raw(town, replace(acting, machine=None).signed(note))
    assert "act_missing" in codes(town)


def test_in_the_name_of_the_machine(town: Town, people: Cast) -> None:
    made = converted(town, people)
    plain = acts.plain(made)
    machine = {**plain.evidence, "by": "console"}
    id_ = conversion.conversion_id(town, CASH, "S-90")
    post_raw(town, replace(plain, id=id_, evidence={**machine, "reference": "S-90"}))
    assert codes(town)[0] == "act_missing"
    signed = {**machine, "reference": "S-91", "signature": "00" * 64}
    post_raw(town, replace(plain, id=conversion.conversion_id(town, CASH, "S-91"), evidence=signed))
    assert "act_invalid" in codes(town)


def test_what_was_signed_and_is_personal_is_held_and_can_be_erased(town: Town, people: Cast) -> None:
    asks = {"kind": "person", "name": "Zoé Petit"}
    acting = towns.acting(town, people.operator, "POST /v1/parties", **asks)
    party = parties.admit(acting, "person", "Zoé Petit", by=people.operator.public.hex())
    with town.book.store.reading() as store:
        assert not [row for row in store.log(0, 1_000) if b"Petit" in row.record]
    assert codes(town) == []
    with town.book.store.writing() as writing:
        writing.connection.execute(update(ACT).where(ACT.c.text.is_not(None)).values(text="POST /v1/parties\n{}"))
    assert codes(town) == ["act_erased"]  # its hash is that of another text: what was signed is not there
    with town.book.store.writing() as writing:
        writing.connection.execute(delete(ACT).where(ACT.c.text.is_not(None)))
    assert codes(town) == ["act_erased"]
    parties.close(town, party)
    assert codes(town) == []


def test_a_key_of_the_machine_that_nobody_vouched_for(town: Town, people: Cast) -> None:
    """A second machine is vouched for by the currency's own key, or is none."""
    from ledger.currency import chartered

    other = replace(town, machine=towns.key_of("another machine"))
    noted = chartered.latest(town)
    assert noted is not None
    chartered.keep(other, noted)
    assert codes(other) == []
    third = replace(town, machine=towns.key_of("a third"), key=towns.key_of("not the currency's"))
    latest = chartered.latest(town)
    assert latest is not None
    note = chartered.note_of(chartered.rules_of(replace(third, key=town.key), latest.version + 1))
    vouched = third.key.sign(proofs.machine_message(town.charter.network, third.machine.public)).hex()  # type: ignore[union-attr]
    third.post(replace(note, evidence={**note.evidence, "vouched": vouched}))
    assert "act_invalid" in codes(replace(town, machine=third.machine))


# --- what an import brings ---------------------------------------------------------------------------------


FILE = (
    "id,at,from,to,amount,unit,kind\n"
    "1,2024-01-31T23:30:00Z,asso,Zoé,100.00,PATARD,conversion\n"
    "2,2024-02-01,Zoé,Boulangerie,12.50,PATARD,payment\n"
)


def imported(town: Town, folder: Path) -> tuple[Note, Transaction]:
    """An import of two lines: its announcement, and the last of its entries."""
    path = folder / "moved.csv"
    path.write_text(FILE)
    importer.run(town, path, importer.Options(issuers=frozenset({"asso"})))
    with town.reading() as connection:
        records = by_places(connection, range(1, town.book.head().seq + 1))
    found = [records[seq].instruction for seq in sorted(records)]
    [note] = [one for one in found if isinstance(one, Note) and one.kind == ANNOUNCED]
    last = found[-1]
    assert isinstance(last, Transaction)
    return note, last


def test_an_import_is_announced_by_the_machine(town: Town, people: Cast, tmp_path: Path) -> None:
    imported(town, tmp_path)
    assert codes(town) == []


def test_an_import_that_nobody_announced(town: Town, people: Cast, tmp_path: Path) -> None:
    _note, last = imported(town, tmp_path)
    post_raw(town, replace(last, id=import_id(town.charter.network, "9")))
    assert codes(town) == ["act_missing"]


def test_an_import_that_is_another_than_was_announced(town: Town, people: Cast, tmp_path: Path) -> None:
    _note, last = imported(town, tmp_path)
    again = replace(last, id=import_id(town.charter.network, "9"))
    first = again.transfers[0]
    more = replace(again, transfers=(Transfer(first.debit, first.credit, first.amount + 1, first.unit),))
    note = town.signed(announcement(town.charter.network, [again]))
    town.book.post([note, more])
    assert codes(town) == ["import_differs"]


def test_an_announcement_in_the_name_of_the_machine(town: Town, people: Cast, tmp_path: Path) -> None:
    _note, last = imported(town, tmp_path)
    again = replace(last, id=import_id(town.charter.network, "9"))
    note = announcement(town.charter.network, [again])
    town.book.post([replace(note, evidence={**note.evidence, "signature": "00" * 64}), again])
    assert codes(town) == ["act_invalid"]
