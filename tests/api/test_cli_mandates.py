"""`patard mandate`: a year's work of the office, and what it prints for programs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from api import cli
from api.commands import mandates as commands
from api.commands import opened as commands_opened
from api.commands.console import CONSOLE
from api.home import open_town
from ledger.currency import parties
from ledger.currency.bank.fake.orders import read_orders
from ledger.currency.bank.mandates import files, model
from ledger.currency.town import Town
from tests import towns
from tests.api.command import Ran, Run
from tests.currency.bank.monthly import DUE, RELEASED, batch, debit, iban, items, until
from tests.currency.bank.scene import bring, opened, statement


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        for name in ("Alice Martin", "Bob"):
            parties.admit(made, "person", name)
        yield made


@pytest.fixture
def run(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `patard` in this process, by the clock of the town; --json unless told otherwise."""
    monkeypatch.setenv("PATARD_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def by_its_clock(home: Any, **how: Any) -> Town:
        return open_town(home, clock=towns.clock(town), **how)

    monkeypatch.setattr(commands_opened, "open_town", by_its_clock)

    def runner(*args: str, plain: bool = False) -> Ran:
        capsys.readouterr()
        code = cli.run([*args] if plain else [*args, "--json"])
        CONSOLE.as_json = False
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(code, captured.out, captured.err)

    return runner


def add(run: Run, name: str, number: int, *more: str) -> Any:
    done = run("mandate", "add", name, iban(number), "30", "--signed", "2025-06-01", *more)
    assert done.code == 0, done.err
    return done.json


def test_a_month_at_the_machine(run: Run, town: Town, tmp_path: Path) -> None:
    made = add(run, "alice martin", 1)
    assert add(run, "Alice Martin", 1) == made
    assert made["rum"].startswith("PATARD-") and made["amount_cents"] == 3_000
    add(run, "Bob", 2, "--holder", "=SARL Bob")
    listed = run("mandate", "list")
    assert [(one["name"], one["state"]) for one in listed.json] == [("Alice Martin", "active"), ("Bob", "active")]
    early = run("mandate", "notices", "--again", plain=True)
    assert "2 adhérents restent à prévenir" in early.out and "personne" not in early.out
    told = run("mandate", "notices", "--csv", "preavis.csv").json
    assert (told["month"], told["due_on"], len(told["notices"])) == ("2025-07", "2025-07-07", 2)
    assert "30.00 euros will be debited on 2025-07-07" in told["notices"][0]["text"]["en"]
    with (tmp_path / "preavis.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == commands.CSV_COLUMNS
    assert [(row["name"], row["holder"], row["amount"]) for row in rows] == [
        ("Alice Martin", "Alice Martin", "30.00"), ("Bob", "'=SARL Bob", "30.00"),
    ]  # fmt: skip
    assert run("mandate", "notices").json["notices"] == []
    assert run("mandate", "notices", "--again").json == told
    assert "restent" not in run("mandate", "notices", "--again", plain=True).out
    assert run("mandate", "collect").error["code"] == "collection_early"
    until(town, date(2025, 6, 24))
    ordered = run("mandate", "collect").json
    assert (ordered["new"], ordered["total_cents"], ordered["debits"]) == (True, 6_000, 2)
    orders = read_orders((tmp_path / ordered["file"]).read_bytes())
    assert [(group.day, group.total, len(group.orders)) for group in orders.groups] == [(DUE, 6_000, 2)]
    assert run("mandate", "collect", "--month", "2025-07").error["code"] == "collection_fetched"
    again = run("mandate", "collect", "--month", "2025-07", "--again", "--out", "copy.xml").json
    assert again["new"] is False
    assert (tmp_path / "copy.xml").read_bytes() == (tmp_path / ordered["file"]).read_bytes()
    until(town, DUE)
    bring(town, statement([batch(files.every(town)[0]), debit(items(town)[1], sign=-1, reason="AC04")]))
    done = run("mandate", "release").json
    assert done["released"] == 0 and len(done["suspended"]) == 1
    assert done["maturing"] == [{"release_on": RELEASED.isoformat(), "debits": 1, "amount_cents": 3_000}]
    [back] = run("mandate", "unpaid").json
    assert (back["name"], back["reason"], back["claim_cents"]) == ("Bob", "AC04", 0)
    until(town, RELEASED)
    # One look at a clock is none; a person who knows the day says it.
    once = run("mandate", "release").json
    assert (once["released"], once["once"]) == (0, 1)
    assert run("mandate", "release", "--today", DUE.isoformat()).error["code"] == "clock_differs"
    assert run("mandate", "release", "--today", RELEASED.isoformat()).json["released_cents"] == 3_000
    [file] = run("mandate", "collections").json
    assert (file["state"], file["released"], file["unpaid"]) == ("settled", 1, 1)
    assert run("mandate", "withdraw", "1", "--refused").error["code"] == "collection_begun"


def test_the_bank_says_that_it_will_not(run: Run, town: Town) -> None:
    add(run, "Alice Martin", 1)
    add(run, "Bob", 2)
    run("mandate", "notices")
    until(town, date(2025, 6, 24))
    run("mandate", "collect")
    reference = items(town)[1].reference
    assert run("mandate", "reject", reference, "--reason", "why").error["code"] == "reason_malformed"
    assert run("mandate", "reject", "0000000000").error["code"] == "not_found"
    done = run("mandate", "reject", reference.lower(), "--reason", "AC04").json
    assert (done["name"], done["state"], done["reason"]) == ("Bob", "unpaid", "AC04")


def test_mandates_change_and_end(run: Run, town: Town) -> None:
    assert run("mandate", "end", "Bob").error["code"] == "not_found"
    add(run, "Bob", 2)
    assert run("mandate", "amount", "Bob", "45,50").json["amount_cents"] == 4_550
    assert run("mandate", "resume", "Bob").json["state"] == "active"
    assert run("mandate", "end", "Bob").json["state"] == "ended"
    assert run("mandate", "list").json == []
    assert [one["state"] for one in run("mandate", "list", "--all").json] == ["ended"]
    assert model.live(town, parties.named(town, "Bob").account) is None


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("add", "Bob", "FR00", "30", "--signed", "2025-06-01"), "iban_wrong"),
        (("add", "Nobody", iban(1), "30", "--signed", "2025-06-01"), "not_found"),
        (("add", "Bob", iban(1), "x", "--signed", "2025-06-01"), "amount_malformed"),
        (("add", "Bob", iban(1), "30", "--signed", "1/6/2025"), "date_malformed"),
        (("add", "Bob", iban(1), "30", "--signed", "2020-06-01"), "mandate_date"),
        (("notices", "--month", "July"), "month_malformed"),
        (("collect", "--on", "tomorrow"), "date_malformed"),
        (("collect",), "collection_none"),
        (("withdraw", "7"), "not_found"),
    ],
)
def test_what_is_refused_at_the_machine(run: Run, town: Town, args: tuple[str, ...], code: str) -> None:
    with towns.nothing_moves(town):
        done = run("mandate", *args)
    assert (done.error["code"], done.code > 0) == (code, True)


def test_it_is_said_for_people(run: Run, town: Town) -> None:
    add(run, "Bob", 2)
    assert "PATARD-" in run("mandate", "list", plain=True).out
    out = run("mandate", "notices", plain=True).out
    assert "23/06/2025" in out and "(juillet 2025)" in out
    assert (
        "Ils sont notés comme prévenus aujourd'hui" in out and "patard mandate notices --month 2025-07 --again" in out
    )
    until(town, date(2025, 6, 24))
    assert ".xml" in run("mandate", "collect", plain=True).out
    out = run("mandate", "collections", plain=True).out
    assert "juillet 2025" in out and "retours" in out and "2025-07" not in out
    for command in ("unpaid", "release"):
        assert run("mandate", command, plain=True).code == 0
