"""A rule stands in the domain, for the command and the API alike; and no day that a log holds breaks a report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from api.imports import Counts, Import, Imports
from ledger.core.ids import derived_id
from ledger.core.model import Note, Posted, Transaction, Transfer
from ledger.currency import chartered, conversion, days, parties, reserve
from ledger.currency.accounts import export
from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, taking, typed
from ledger.currency.bank.mandates import collecting, months, notices
from ledger.currency.bank.payouts import batches
from ledger.currency.bank.statement import StatementError
from ledger.currency.chart import EUR
from ledger.currency.charter import Bookkeeping
from ledger.currency.errors import CurrencyError
from ledger.currency.import_rows import Reader
from ledger.currency.town import Town
from merchants.desk import order_of
from tests import towns
from tests.api.scene import MANDATES, Scene
from tests.currency.bank.scene import line, statement
from tests.currency.bank.scene import opened as bank_town
from tests.served import cast, is_problem, served, unmoved
from tests.threats.machine import Scene as ClockScene
from tests.towns import BANK, CASH

OUTSIDE = ["0001-01-01", "0336-07-24", "0999-12-31", "1999-12-31", "2101-01-01", "9999-12-31"]


def refusal(code: str, what: Any, *args: Any, **how: Any) -> None:
    with pytest.raises(CurrencyError) as caught:
        what(*args, **how)
    assert caught.value.code == code, caught.value


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with bank_town(tmp_path / "home", mandates=MANDATES, bookkeeping=Bookkeeping(siren="123456782")) as made:
        yield made


# --- days that are asked for -------------------------------------------------------------------------------


@pytest.mark.parametrize("day", OUTSIDE)
def test_no_door_takes_a_day_outside(town: Town, day: str) -> None:
    """Every field of the API that holds a day: an answer with a code, never a 500."""
    people = cast(town)
    with served(town) as api:
        scene = Scene(town, people, api)
        treasurer = scene.headers["treasurer"]
        bodies: dict[str, dict[str, Any]] = {
            "/v1/conversions": {**scene.conversion_body(), "booked_on": day},
            "/v1/payouts/batches": {"on": day},
            "/v1/collections": {"on": day},
            "/v1/mandates/paper": {**scene.paper_body(), "signed_on": day},
            f"/v1/mandates/{scene.mandate()}/amounts": {"amount_cents": 1, "version": 2, "signed_on": day},
        }
        with unmoved(town):
            for path, body in bodies.items():
                is_problem(api.client.post(path, json=body, headers=treasurer), "body_malformed")
    on = date.fromisoformat(day)
    alice = people.alice.party
    with towns.nothing_moves(town):
        refusal("date_outside", conversion.convert, town, alice, 1, reserve=CASH, reference="S-9", booked_on=on)
        refusal("date_outside", collecting.collect, town, on=on)
        refusal("payouts_date", batches.order, town, on=on)
        refusal("date_outside", days.typed, day)


def test_the_future_is_refused_over_the_api_as_well(town: Town) -> None:
    people = cast(town)
    with served(town) as api:
        scene = Scene(town, people, api)
        body = {**scene.conversion_body(), "booked_on": "2025-06-16"}
        with unmoved(town):
            answer = api.client.post("/v1/conversions", json=body, headers=scene.headers["treasurer"])
            is_problem(answer, "date_future")
        body["booked_on"] = "2025-06-15"
        answer = api.client.post("/v1/conversions", json=body, headers=scene.headers["treasurer"])
        assert answer.status_code == 201


@pytest.mark.parametrize("text", ["2025-6-15", "20250615", "2025-06-15T00:00", "2025-02-30", "٢٠٢٥-٠٦-١٥", ""])
def test_a_day_is_written_in_one_way(text: str) -> None:
    refusal("date_malformed", days.typed, text)


def test_months_are_judged_where_they_are_used(town: Town) -> None:
    for month in ("336-07", "2999-01", "0336-07", "next"):
        refusal("month_malformed", notices.give, town, month)
        refusal("month_malformed", notices.given, town, month)
        refusal("month_malformed", collecting.collect, town, month=month)
    assert months.month_of(date(336, 7, 24)) == "0336-07"


def test_a_statement_of_long_ago_is_refused(town: Town) -> None:
    old = [line(100, day=date(1, 1, 1)), line(100, day=date(1999, 12, 31))]
    for one in old:
        with pytest.raises(StatementError, match="2000"):
            taking.take(town, [statement([one])])
    taken = taking.take(town, [statement([line(100, day=date(2000, 1, 2))])], file="a\n\x1b[2Jb" + "x" * 500)
    [row] = taking.statements(town)
    assert taken[0].new == 1 and row.file.startswith("a  [2Jb") and len(row.file) <= taking.MAX_FILE
    booking.book(town)
    assert audit(town).clean


def test_an_import_has_no_days_of_long_ago() -> None:
    from zoneinfo import ZoneInfo

    reader = Reader("PATARD", ZoneInfo("Europe/Paris"), date(2025, 6, 15), frozenset({"payment"}), None)
    with pytest.raises(Exception, match="2000"):
        reader._moment("0336-07-24")
    assert reader._moment("2000-01-01")[1] == days.FIRST


# --- names -------------------------------------------------------------------------------------------------


def test_another_shop_of_a_name_is_admitted_when_that_is_said(town: Town) -> None:
    people = cast(town)
    with served(town) as api:
        headers = api.session(people.operator)
        body: dict[str, Any] = {"kind": "shop", "name": "  boulangerie   DU COIN "}
        first = api.client.post("/v1/parties", json={**body, "name": "Boulangerie du coin"}, headers=headers)
        assert first.status_code == 201
        with unmoved(town):
            is_problem(api.client.post("/v1/parties", json=body, headers=headers), "party_name_taken")
        assert api.client.post("/v1/parties", json={**body, "again": True}, headers=headers).status_code == 201
        person = {"kind": "person", "name": "Camille Petit"}
        assert api.client.post("/v1/parties", json=person, headers=headers).status_code == 201
        for name in ("Camille Petit", "camille\u00a0 petit"):
            again = {**person, "name": name}
            is_problem(api.client.post("/v1/parties", json=again, headers=headers), "party_name_taken")
        assert api.client.post("/v1/parties", json={**person, "again": True}, headers=headers).status_code == 201
    # The same request again is answered again, though the name is there by now.
    id_ = town.new_id()
    made = parties.admit(town, "shop", "Une autre", id_)
    assert parties.admit(town, "shop", "Une autre", id_) == made


# --- days that a log has -----------------------------------------------------------------------------------


def booked(town: Town, account: int, cents: int, day: date | None, reference: str) -> None:
    """A conversion as a program of before would have posted it."""
    chart = town.chart
    moves = (
        Transfer(chart.circulation, account, cents, chart.unit),
        Transfer(chart.reserve[BANK], chart.guarantee, cents, EUR),
    )
    evidence: dict[str, str | int] = {
        "by": "console", "reference": reference, "reserve": f"{chart.reserve[BANK]:016x}",
    }  # fmt: skip
    id_ = conversion.conversion_id(town, BANK, reference)

    def also(connection: Connection, posted: Posted) -> None:
        typed.keep(
            connection, id_, posted.seq, posted.at, by="console", reserve=chart.reserve[BANK], holder=account,
            amount=cents, booked_on=day, reference=reference,
        )  # fmt: skip

    town.post(Transaction(id_, "conversion", moves, day, evidence=evidence), also)


@pytest.mark.parametrize("day", [date(1, 1, 1), date(336, 7, 24), date(1999, 12, 31), date(2100, 1, 1), date.max])
def test_no_day_breaks_a_report(town: Town, day: date) -> None:
    alice = towns.member(town, "person", "Alice")
    booked(town, alice.account, 100, day, "V-1")
    booked(town, alice.account, 1, None, "V-2")
    began = time.monotonic()
    keeper = reserve.Keeper(town)
    for reference in ("S-1", "S-2"):
        report = keeper.report()
        # It counts for the day on which the log took it.
        assert [(m.start, m.conversions, m.circulation) for m in report.months] == [(date(2025, 6, 1), 101, 101)]
        assert (report.year.inflow, report.covered) == (101, True)
        conversion.convert(town, alice.party, 5, reserve=CASH, reference=reference)
        conversion.correct(town, conversion.conversion_id(town, CASH, reference))
    taking.take(town, [statement([line(100, day=date(2025, 6, 10))], 0)], opening=True)
    booking.book(town)
    keeper.report()
    for form in export.FORMS:
        written: list[bytes] = []
        made = export.write(export.read(town, "2025"), form, written.append)
        assert made.entries >= 2, form
    assert audit(town).clean
    assert time.monotonic() - began < 20


def test_reports_of_a_book_with_an_entry_of_2036(tmp_path: Path) -> None:
    """What was taken by a wrong clock, and what only counts behind it, is of the days that the clock told later."""
    scene = ClockScene(tmp_path / "home")
    try:
        alice, machine = scene.alice.party, scene.machine
        old = scene.other(believing=True)
        machine.jump(11 * 365 * 86_400)
        conversion.convert(old, alice, 100, reserve=CASH, reference="S-2036")
        machine.jump(-11 * 365 * 86_400)
        scene.confirm()
        machine.forward(40 * 86_400)
        conversion.convert(scene.town, alice, 7, reserve=CASH, reference="S-JULY")
        report = reserve.report(scene.town)
        assert [(m.start, m.conversions) for m in report.months] == [
            (date(2025, 6, 1), 1_000_100), (date(2025, 7, 1), 7),
        ]  # fmt: skip
        books = export.read(scene.town, "2025")
        found = [entry.valid_on for entry in books.entries()]
        assert found and {day[:4] for day in found} == {"2025"} and found[-1] == "2025-07-25"
        scene.clean()
    finally:
        scene.close()


# --- what another program changed --------------------------------------------------------------------------


def test_a_server_does_nothing_by_a_charter_that_another_replaced(town: Town) -> None:
    people = cast(town)
    with served(town) as api:
        scene = Scene(town, people, api)
        waits = taking.take(town, [statement([line(100, day=date(2025, 6, 10))], 0)], opening=True)
        assert waits[0].new
        newer = Town(replace(town.charter, reconversion_fee_bp=700), town.book, town.key, town.engine, town.machine)
        chartered.keep(newer, chartered.latest(newer))
        order = towns.order(town, people.alice, people.shop.account, 100)
        with unmoved(town):
            is_problem(api.send(order), "charter_changed")
            body = scene.conversion_body()
            is_problem(
                api.client.post("/v1/conversions", json=body, headers=scene.headers["treasurer"]), "charter_changed"
            )
            refusal("charter_changed", booking.book, town)
            refusal("charter_changed", parties.admit, town, "person", "Personne")
        # What stood before is confirmed all the same.
        found = town.book.find(bytes.fromhex(scene.payment))
        stood = order_of(found.instruction) if found else None
        assert stood is not None and api.send(stood).status_code == 200
    booking.book(newer)
    assert audit(newer).clean


def test_lines_of_an_uploader_whose_key_was_revoked_meanwhile(town: Town) -> None:
    people = cast(town)
    operator = parties.device(town, people.operator.public)
    lines = [line(100 + n, day=date(2025, 6, 10)) for n in range(20)]
    acting = towns.acting(town, people.operator, "POST /v1/bank/imports")
    taken = taking.take(acting, [statement(lines)], by=operator.key.hex(), opening=True)
    parties.revoke(town, operator, last_too=True)
    towns.clock(town).forward(3_600)
    one = Import("1", "releve.xml", [Counts.of(each) for each in taken])
    Imports(town)._book(one)
    assert (one.state, sum(one.kinds.values())) == ("done", 20)
    assert audit(town).clean


def test_a_note_that_is_told_by_the_log_alone_is_of_no_day(town: Town) -> None:
    """A note may name any day; nothing adds it up."""
    town.post(Note(derived_id("tests", b"x"), "something", {}, date.max))
    assert reserve.report(town).months == []
