"""The bank over HTTP: a file is taken at once and booked behind it; a member learns where to send euros."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from api.imports import Import, NotBooked
from api.schemas.bank import import_out
from ledger.core.ids import account_text
from ledger.currency.bank.reference import member_reference, shown
from ledger.currency.told import tell
from ledger.currency.town import Town
from ledger.i18n import translator
from tests.served import Cast, Served, cast, is_problem, served
from tests.towns import CASH, IBAN

OCTETS = {"Content-Type": "application/octet-stream"}
DAY = date(2025, 6, 13)
PAGE = b"<MsgPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></MsgPgntn></GrpHdr>"


def camt(*lines: tuple[int, str], opening: int = 0, day: date = DAY) -> bytes:
    """A camt.053 of one day."""

    def amount(cents: int) -> str:
        side = "CRDT" if cents >= 0 else "DBIT"
        return f'<Amt Ccy="EUR">{abs(cents) / 100:.2f}</Amt><CdtDbtInd>{side}</CdtDbtInd>'

    def balance(code: str, cents: int) -> str:
        return f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{amount(cents)}<Dt><Dt>{day}</Dt></Dt></Bal>"

    entries = "".join(
        f"<Ntry>{amount(cents)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
        f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RRCT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
        f"<NtryDtls><TxDtls><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for cents, text in lines
    )
    closing = opening + sum(cents for cents, _text in lines)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'
        f"<BkToCstmrStmt><GrpHdr><MsgId>M</MsgId><CreDtTm>{day}T23:00:00</CreDtTm></GrpHdr><Stmt><Id>1</Id>"
        f"<Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>{balance('OPBD', opening)}{balance('CLBD', closing)}"
        f"{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def upload(api: Served, headers: Any, data: bytes, **how: str) -> Any:
    return api.client.post("/v1/bank/imports", params=how, content=data, headers={**headers, **OCTETS})


def finished(api: Served, headers: Any, id: str) -> dict[str, Any]:
    """The import, once it is booked."""
    for _ in range(200):
        told: dict[str, Any] = api.client.get(f"/v1/bank/imports/{id}", headers=headers).json()
        if told["state"] != "booking":
            return told
        time.sleep(0.02)
    raise AssertionError(f"still booking: {told}")


@pytest.fixture
def people(town: Town) -> Cast:
    """By cash: what was typed on the bank account would be awaited on its statements."""
    return cast(town, account=CASH)


@pytest.fixture
def office(api: Served, people: Cast) -> Any:
    return api.session(people.operator)


def test_a_file_is_taken_and_booked(api: Served, people: Cast, office: Any) -> None:
    reference = shown(member_reference(api.town.charter.network, people.alice.party.account))
    before = api.town.book.balance(people.alice.party.account)
    data = camt((4_200, f"patard {reference}"), (1_000, "loyer"))
    answer = upload(api, office, data, name="juin.xml")
    assert answer.status_code == 201
    told = finished(api, office, answer.json()["id"])
    assert (told["state"], told["booked"]) == ("done", {"conversion": 1, "bank_suspense": 1})
    assert api.town.book.balance(people.alice.party.account) == before + 4_200
    again = upload(api, office, data).json()
    assert [statement["new"] for statement in again["statements"]] == [0]
    lines = api.client.get("/v1/bank/lines", params={"limit": 1}, headers=office).json()
    assert lines["lines"][0]["text"] == "loyer"
    rest = api.client.get("/v1/bank/lines", params={"cursor": lines["next_cursor"]}, headers=office).json()
    assert [line["holder"] for line in rest["lines"]] == ["Alice"]
    waiting = api.client.get("/v1/bank/lines", params={"state": "suspense"}, headers=office).json()["lines"]
    assert [line["amount_cents"] for line in waiting] == [1_000]
    statements = api.client.get("/v1/bank/statements", headers=office).json()["statements"]
    assert [(one["file"], one["closing_cents"]) for one in statements] == [("juin.xml", 5_200)]
    entry = api.client.get(
        f"/v1/accounts/{account_text(people.alice.account)}/entries", headers=api.session(people.alice.key)
    ).json()["entries"][0]
    assert (entry["kind"], entry["reference"]) == ("conversion", "20250613/4200/1")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "statement_empty"),
        (b"%PDF-1.7", "statement_format_unknown"),
        (camt((100, "x"))[:-40], "statement_unreadable"),
        (camt((100, "x")).replace(IBAN.encode(), b"FR7630006000011234567890189"), "statement_account_unknown"),
        (camt((100, "x"), opening=500), "statement_opening"),
        (camt((100, "x")).replace(b"1.00", b"1.01", 1), "statement_sum_wrong"),
        (camt((100, "x")).replace(b"EUR", b"CHF"), "statement_not_euros"),
        (camt((100, "x")).replace(b"BOOK", b"PDNG"), "statement_pending"),
        (camt((100, "x")).replace(b"CLBD", b"ITBD").replace(b"</GrpHdr>", PAGE), "statement_page"),
        (camt((-100, "x")), "statement_overdrawn"),
        (camt((100, "x"), day=date(2026, 1, 1)), "statement_future"),
        (b" " * 33_000_000, "body_too_large"),
    ],
)
def test_files_that_cannot_be_taken(api: Served, office: Any, data: bytes, code: str) -> None:
    head = api.town.book.head()
    is_problem(upload(api, office, data), code)
    assert api.town.book.head() == head


def test_a_refusal_names_the_line(api: Served, office: Any) -> None:
    """As a number beside the words, for whoever shows it in another language."""
    lines = camt((100, "x"), (200, "y")).replace(b"><", b">\n<")
    answer = upload(api, office, lines.replace(b"2.00", b"2,00", 1))
    is_problem(answer, "statement_unreadable")
    assert answer.json()["line"] == 1 + lines[: lines.index(b"2.00")].count(b"\n")
    assert "line" not in upload(api, office, b"%PDF-1.7").json()


def test_a_refusal_in_the_language_that_is_asked_for(api: Served, office: Any) -> None:
    """A program that asks for none gets English; a page asks for its own."""
    told = {}
    for lang in (None, "en", "fr", "fr-FR,fr;q=0.9,en;q=0.8"):
        asked = {} if lang is None else {"Accept-Language": lang}
        answer = upload(api, {**office, **asked}, b"%PDF-1.7")
        is_problem(answer, "statement_format_unknown")
        told[lang] = (answer.json()["detail"], answer.headers.get("Content-Language"))
    english = "this is a PDF: it is for reading; ask the bank for camt.053 (XML), CFONB120 or OFX"
    assert told[None] == told["en"] == (english, None)
    assert told["fr"][0].startswith("ceci est un PDF : il est fait pour être lu ; demandez à la banque")
    assert told["fr"][1] == "fr" and told["fr-FR,fr;q=0.9,en;q=0.8"] == told["fr"]


def test_files_that_do_not_fit_those_before(api: Served, office: Any) -> None:
    assert upload(api, office, camt((100, "x"))).status_code == 201
    is_problem(upload(api, office, camt((100, "x"), opening=900, day=date(2025, 6, 14))), "statement_gap")
    is_problem(upload(api, office, camt((200, "x"))), "statement_differs")
    assert upload(api, office, camt((200, "x")), corrected="true").status_code == 201


def test_days_without_a_statement(api: Served, office: Any) -> None:
    assert upload(api, office, camt((100, "x"), day=date(2025, 6, 5))).status_code == 201
    later = camt((300, "y"), opening=100, day=date(2025, 6, 13))
    is_problem(upload(api, office, later), "statement_days_missing")
    assert upload(api, office, later, quiet_days="true").status_code == 201


def test_a_file_comes_as_octets(api: Served, office: Any) -> None:
    is_problem(api.client.post("/v1/bank/imports", content=b"{}", headers=office), "media_type_wrong")


def test_a_currency_without_a_bank_account(town: Town, people: Cast) -> None:
    bare = replace(town.charter, reserve=tuple(replace(account, iban=None) for account in town.charter.reserve))
    with served(replace(town, charter=bare)) as api:
        is_problem(api.client.get("/v1/topup", headers=api.session(people.alice.key)), "topup_unavailable")


def test_where_to_send_euros(api: Served, people: Cast) -> None:
    headers = api.session(people.alice.key)
    told = api.client.get("/v1/topup", params={"amount_cents": 5_000}, headers=headers).json()
    assert (told["iban"], told["amount_cents"]) == (IBAN, 5_000)
    assert told["text"].endswith(told["reference"])
    assert told["epc"].splitlines()[:4] == ["BCD", "002", "1", "SCT"]
    for wrong in ("0", "-1", "1.5", "1e3", "100000000000", "x"):
        is_problem(api.client.get("/v1/topup", params={"amount_cents": wrong}, headers=headers), "body_malformed")


def test_what_is_left_to_do_is_said_in_the_language_asked_for() -> None:
    """Of an answer of the bank, and of lines that could not be booked."""
    left = tell("{name}: {reason}", name="R1", reason=tell("it is no debit of this file"))
    stuck = [NotBooked("R2", -500, "line_placed", tell("this line was put back meanwhile; look at it again")),
             NotBooked("R3", 500, "below_floor", "account 01 would hold -5")]  # fmt: skip
    one = Import("00", "a.xml", [], state="done", why=(left, left), stuck=stuck)
    said = {lang: import_out(one, translator("api", lang)) for lang in ("en", "fr")}
    assert said["en"].why == "R1: it is no debit of this file\nR1: it is no debit of this file"
    assert said["fr"].why.splitlines()[0] == "R1 : ce n'est pas un prélèvement de ce fichier"
    assert [one.detail for one in said["en"].stuck] == [one.detail for one in stuck]
    assert "remise en attente" in said["fr"].stuck[0].detail and "would hold" not in said["fr"].stuck[1].detail
