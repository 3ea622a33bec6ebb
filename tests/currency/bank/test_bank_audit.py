"""The audit of bank lines: honest books are clean, lies about statements and tables are named; `lies.py` has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from ledger.core.ids import derived_id
from ledger.core.model import Account, Note, Opening, Side, Transaction, Transfer
from ledger.currency import conversion, parties, salted
from ledger.currency.audit.charged import FORMS
from ledger.currency.audit.walk import audit
from ledger.currency.bank import taking
from ledger.currency.bank.booking import book
from ledger.currency.bank.lines import lines
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.suspense import open_lines, place
from ledger.currency.bank.tables import BANK_LINE, BANK_STATEMENT
from ledger.currency.bank.whose import statement_id
from ledger.currency.chart import EUR
from ledger.currency.imported import issuer_number
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.lies import NEXT, UNIT, clean, finds, finds_at, judged, of_line
from tests.currency.bank.scene import (
    DAY,
    IBAN,
    SAVINGS_IBAN,
    bring,
    bring_in,
    decide,
    line,
    opened,
    statement,
    token,
    undecide,
)
from tests.towns import BANK, CASH, Member


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Member:
    return towns.member(town, "person", "Alice")


# --- honest books ------------------------------------------------------------------------------------------


def test_a_month_with_everything_in_it(town: Town, alice: Member) -> None:
    shop = towns.member(town, "shop", "Boulangerie")
    treasurer = towns.member(town, "association", "L'association", "treasurer")
    mine = token(town, alice.party)
    typed = conversion.convert(town, alice.party, 700, reserve=BANK, reference="42", booked_on=DAY).id
    bring(
        town,
        statement(
            [line(5_000, mine), line(700, "?", bank_ref="42"), line(2_000, mine), line(6_000, "don"),
             line(-1_000, "livret", iban=SAVINGS_IBAN), line(900, "x"), line(-900, "y", kind=LineKind.RETURN),
             line(1_100, "z"), line(-2_000, mine, NEXT, kind=LineKind.RETURN), line(-30, "FRAIS", NEXT),
             line(-400, "RETRAIT", NEXT, kind=LineKind.CASH),
             line(1_500, "tous", NEXT)]
        ),
    )  # fmt: skip
    bring(town, statement([line(1_000, "de banque")], account=SAVINGS_IBAN))
    [short] = audit(town).findings  # the charges wait, and so does the gift that pays for them
    assert short.code == "reserve_short"
    found = {(one.line.amount, one.line.text): one for one in open_lines(town)}
    gift, came, went, other = (found[key] for key in ((6_000, "don"), (900, "x"), (-900, "y"), (1_100, "z")))
    charge, cash, split = (found[key] for key in ((-30, "FRAIS"), (-400, "RETRAIT"), (1_500, "tous")))
    arrived = found[1_000, "de banque"]
    for one, decision in (
        (gift, Decision(way=Way.OWN)), (came, Decision(way=Way.PAIR, other=went.line.id)),
        (other, Decision(way=Way.MEMBER, holder=alice.account)), (charge, Decision(way=Way.CHARGE)),
        (cash, Decision(way=Way.CASH, cash=CASH)), (arrived, Decision(way=Way.TRANSIT)),
        (split, Decision(way=Way.SPLIT, shares=(Share(Way.MEMBER, 1_000, alice.account), Share(Way.OWN, 500)))),
    ):  # fmt: skip
        decide(town, treasurer.key, one.line.id, decision)
    clean(town)
    for id_ in (other.line.id, went.line.id, lines(town)[1].id):
        undecide(town, treasurer.key, id_)
    # What was typed is on a day of the statement, and no line of it is that any more.
    finds(town, "bank_unexplained", id_=typed)
    acting = towns.acting(town, treasurer.key, f"POST /v1/conversions/{typed.hex()}/correction")
    conversion.correct(acting, typed, by=treasurer.key.public.hex())
    towns.pay(town, alice, shop, 1_800)
    [told] = clean(town).notices  # that the bank did not name the account it came from
    assert told.form == FORMS["transit"] and told.values["amount"] == 1_000


def test_claims_explain_a_shortage(town: Town, alice: Member) -> None:
    shop = towns.member(town, "shop", "Boulangerie")
    mine = token(town, alice.party)
    bring(town, statement([line(2_500, mine), line(900, mine)]))
    towns.pay(town, alice, shop, 3_000)
    bring(town, statement([line(-2_500, mine, NEXT, kind=LineKind.RETURN)], 3_400))
    [notice] = clean(town).notices
    assert "lacks 2100 cents" in notice.text and notice.id == lines(town)[-1].id
    bring(town, statement([line(2_100, "?", NEXT)], 900))
    place(town, open_lines(town)[0].line.id, Decision(way=Way.CLAIM, holder=alice.account))
    assert clean(town).notices == []


def test_a_claim_on_somebody_who_still_had_units_is_told(town: Town, alice: Member) -> None:
    bring(town, statement([line(2_500, token(town, alice.party)), line(5_000, "x")]))
    topup = lines(town)[0]
    chart = town.chart
    transfers = (
        Transfer(alice.account, chart.circulation, 2_000, UNIT),
        Transfer(chart.guarantee, chart.reserve[BANK], 2_000, EUR),
        Transfer(chart.claims, chart.reserve[BANK], 500, EUR),
    )
    taking.take(town, [statement([line(-2_500, "r", NEXT)], 7_500)])
    town.post(of_line(town, lines(town)[-1], "bank_return", *transfers, returns=topup.id, holder=alice.account))
    notices = audit(town).notices
    assert any("held 500 in units" in notice.text for notice in notices)


def test_imported_units_that_a_line_covers(town: Town, alice: Member) -> None:
    network = town.charter.network
    issuer = Account(issuer_number(network, "asso"), UNIT, Side.CREDIT, floor=None)
    holder = parties.admit(town, "person", "Bob")
    minted = Transfer(issuer.number, holder.account, 4_000, UNIT)
    bring_in(
        town,
        Opening(derived_id("patard/import/issuer", network, "asso"), issuer, evidence={"issuer": 1}),
        Transaction(derived_id("patard/import", network, "1"), "import", (minted,)),
    )
    bring(town, statement([], 4_000), opening=True)
    place(town, open_lines(town)[0].line.id, Decision(way=Way.COVER))
    assert clean(town).notices == []


# --- lies about statements -------------------------------------------------------------------------------------


def noted(town: Town, **change: Any) -> Note:
    """The note of a second statement, without lines."""
    reserve = town.chart.reserve[BANK]
    number = change.get("number", 2)
    evidence = {
        "by": "console", "reserve": f"{reserve:016x}", "number": number, "format": "ofx", "first": "2025-06-11",
        "last": "2025-06-12", "opening": 900, "closing": 900, "lines": 0, "gone": 0,
        "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "content": "00" * 32,
        "iban": salted.reserve_iban(town.key, IBAN),
    }  # fmt: skip
    id_ = change.pop("id", statement_id(town.charter.network, BANK, number))
    told = {key: value for key, value in {**evidence, **change}.items() if value is not None}
    return Note(id_, "bank_statement", told)


@pytest.mark.parametrize(
    ("codes", "change"),
    [
        ([], {}),
        (["statement_number"], {"number": 3}),
        (["id_not_derived"], {"id": bytes(15) + b"x"}),
        (["statement_gap"], {"opening": 901, "closing": 901}),
        (["statement_account"], {"iban": "00" * 32}),
        (["statement_account"], {"iban": None}),
        (["statement_account"], {"iban": ""}),
        (["role_insufficient"], {"by": "nobody"}),
    ],
)
def test_statements(town: Town, codes: list[str], change: dict[str, Any]) -> None:
    bring(town, statement([line(900, "x")]))
    # It is posted by hand, so there is no row of it; what is judged here is the note.
    finds_at(town, town.post(noted(town, **change)).id, *codes, "statement_missing")


def test_statements_that_say_nothing(town: Town) -> None:
    bring(town, statement([line(900, "x")]))
    changes: list[dict[str, Any]] = [
        {"opening": -1}, {"digest": "00"}, {"last": "2025-06-10"}, {"first": "yesterday"}, {"reserve": "00"},
        {"closing": None}, {"lines": "many"}, {"content": "00"},
    ]  # fmt: skip
    judged(town, {str(change): (["note_malformed"], noted(town, id=town.new_id(), **change)) for change in changes})


def test_lines_that_do_not_lead_to_the_closing_balance(town: Town) -> None:
    bring(town, statement([line(900, "x")]))
    town.post(noted(town, closing=1_000))
    finds(town, "statement_missing", "statement_balance")


def test_a_statement_that_stops_in_the_middle_of_the_last_day(town: Town) -> None:
    friday, sunday = DAY + timedelta(days=3), DAY + timedelta(days=5)
    bring(town, statement([line(50, "a", friday)]))
    bring(town, statement([line(100, "b", sunday), line(200, "c", sunday)], 50))
    bring(town, statement([line(100, "b", sunday)], 50, first=friday + timedelta(days=1)))
    bring(town, statement([line(10, "d", sunday + timedelta(days=1))], 350))
    clean(town)


# --- tables ------------------------------------------------------------------------------------------------------

ON_TABLES: list[tuple[set[str], str]] = [
    ({"line_unlogged"}, "UPDATE bank_line SET holder = NULL WHERE became = 'conversion'"),
    ({"line_unlogged"}, "UPDATE bank_line SET became = 'bank_suspense' WHERE became = 'conversion'"),
    ({"line_unlogged"}, "UPDATE bank_line SET seq = 1152921504606846976 WHERE became = 'conversion'"),
    ({"line_unlogged"}, "UPDATE bank_line SET placed_as = 'fees' WHERE placed_as = 'own'"),
    ({"line_unlogged"}, "UPDATE bank_line SET placed_as = NULL, placed_seq = NULL WHERE placed_as = 'own'"),
    ({"line_unlogged"}, "UPDATE bank_line SET undone_seq = NULL WHERE undone_seq IS NOT NULL"),
    ({"line_unlogged"}, "UPDATE bank_line SET became = NULL, seq = NULL WHERE amount = 800"),
    ({"statement_lines"}, "UPDATE bank_line SET place = place + 1000 WHERE amount = 800"),
    ({"statement_lines", "bank_unexplained"}, "UPDATE bank_line SET amount = 801 WHERE amount = 800"),
    ({"statement_lines", "statement_balance", "bank_unexplained", "statement_texts"},
     "UPDATE bank_line SET kind = 'opening' WHERE amount = 800"),
    ({"statement_lines", "statement_balance"}, "UPDATE bank_line SET withdrawn = statement WHERE amount = 800"),
    ({"statement_lines", "line_missing"}, "DELETE FROM bank_line WHERE amount = 800"),
    ({"statement_lines", "statement_balance"},
     "INSERT INTO bank_line SELECT randomblob(16), place + 99, statement, reserve, booked_on, 5, 1, NULL, kind, '', "
     "'', '', '', '', '', '', '[]', NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM bank_line WHERE amount = 800"),
    ({"statement_unlogged"}, "UPDATE bank_statement SET closing = closing + 1"),
    ({"statement_unlogged"}, "UPDATE bank_statement SET number = 7"),
    ({"statement_unlogged"},
     "INSERT INTO bank_statement SELECT randomblob(16), seq + 1, reserve, number + 1, format, '', first, last, "
     "opening, closing, '', 1, 'console' FROM bank_statement"),
]  # fmt: skip


def test_tables_that_say_something_else_than_the_log(town: Town, alice: Member) -> None:
    mine = token(town, alice.party)
    day = [line(900, mine), line(800, "x"), line(700, mine), line(-700, mine, NEXT, kind=LineKind.RETURN)]
    bring(town, statement(day))
    place(town, open_lines(town)[0].line.id, Decision(way=Way.OWN))
    clean(town)
    with town.engine.connect() as connection:
        kept = {table: connection.execute(select(table)).mappings().all() for table in (BANK_STATEMENT, BANK_LINE)}
    for codes, change in ON_TABLES:
        with town.engine.connect() as connection:
            connection.execute(text(change))
            connection.commit()
        assert {finding.code for finding in audit(town).findings} == codes, change
        with town.engine.connect() as connection:
            for table in (BANK_LINE, BANK_STATEMENT):
                connection.execute(table.delete())
            for table, rows in kept.items():
                connection.execute(table.insert(), [dict(row) for row in rows])
            connection.commit()
    clean(town)


def test_a_statement_that_is_missing_from_the_tables(town: Town) -> None:
    bring(town, statement([line(900, "x")]))
    with town.engine.connect() as connection:
        connection.execute(text("DELETE FROM bank_line"))
        connection.execute(text("DELETE FROM bank_statement"))
        connection.commit()
    found = {finding.code for finding in audit(town).findings}
    assert found == {"line_missing", "statement_missing", "statement_lines"}


def test_what_happens_while_the_audit_runs_is_left_out(town: Town, alice: Member) -> None:
    mine = token(town, alice.party)
    bring(town, statement([line(900, mine), line(800, "x")]))

    def meanwhile(done: int, total: int) -> None:
        if done == total:
            place(town, open_lines(town)[0].line.id, Decision(way=Way.OWN))
            bring(town, statement([line(-900, mine, NEXT, kind=LineKind.RETURN)], 1_700))

    assert audit(town, progress=meanwhile).clean
    clean(town)


def test_lines_that_wait_to_be_booked_are_no_fault(town: Town, alice: Member) -> None:
    bring(town, statement([line(900, "x"), line(800, "y")]))
    taking.take(town, [statement([line(700, token(town, alice.party), NEXT)], 1_700)])
    clean(town)
    taking.take(town, [statement([line(900, "x"), line(5, "z")], last=NEXT)], corrected=True)
    clean(town)
    book(town)
    clean(town)
