"""The demo: a stated day's town is the same in every run and on both databases, and what it prints works when typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest

from api.demo import command as demo
from api.demo import town as place
from api.home import Home, open_town
from ledger.core.check import check
from ledger.core.model import Entry
from ledger.currency import conversion, parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank.formats.read import read
from ledger.currency.town import Town
from merchants import codes

PATARD = Path(sys.executable).with_name("patard")
URL = "http://127.0.0.1:8000"
README = Path(__file__).parents[2] / "README.md"
READY_SECONDS = 60
DAY = "2026-11-22"
"""The day whose town README tells of."""


class Running:
    """A demo in a process of its own, begun in `folder`."""

    def __init__(self, folder: Path, *options: str, **env: str) -> None:
        self.folder = folder
        self.env = {**{k: v for k, v in os.environ.items() if not k.startswith(("PATARD_", "WALLET_"))},
                    "PORT": "0", "PATARD_LANG": "en", **env}  # fmt: skip
        self.process = subprocess.Popen(
            [PATARD, "demo", *options],
            cwd=folder,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.said: list[str] = []

    def ready(self) -> dict[str, Any]:
        """Wait for the line that says so; what `next.json` says."""
        assert self.process.stdout is not None
        started = time.monotonic()
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("ready: "):
                break
        else:
            raise AssertionError("".join(self.said))
        assert time.monotonic() - started < READY_SECONDS
        found: dict[str, Any] = json.loads((self.folder / ".demo" / "next.json").read_text())
        assert self.said[-1] == f"ready: {found['url']}\n"
        return found

    def typed(self, command: str) -> subprocess.CompletedProcess[str]:
        """A command as somebody types it in the folder where the demo was started."""
        return subprocess.run(["sh", "-c", command], cwd=self.folder, env=self.env, text=True, capture_output=True)

    def end(self, with_: signal.Signals = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(with_)
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.said += self.process.stdout.readlines()
            self.process.stdout.close()
        return self.process.wait(30)


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    begun: list[Running] = []

    def starter(*options: str, **env: str) -> Running:
        begun.append(Running(tmp_path, *options, **env))
        return begun[-1]

    yield starter
    for running in begun:
        if running.process.poll() is None:
            running.process.kill()
        running.end()


def seeded(folder: Path, url: str | None = None) -> tuple[bytes, demo.Made]:
    home = Home(folder, url)
    made = demo.make(home, URL, demo.told_until(DAY))
    town = open_town(home, read_only=True)
    root = town.book.head().root
    town.book.close()
    return root, made


class Told(NamedTuple):
    """A town that was made in `home`, its log's root."""

    home: Path
    root: bytes
    made: demo.Made


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    home = tmp_path_factory.mktemp("demo") / "home"
    return Told(home, *seeded(home))


def test_every_run_ends_with_the_same_root_on_both_databases(told: Told, tmp_path: Path, fresh_postgres: str) -> None:
    assert seeded(tmp_path / "again", fresh_postgres)[0] == told.root
    readme = README.read_text()
    assert told.root.hex() in readme and f"DAY={DAY}" in readme, "the README shows what the demo prints"
    life = told.made.life
    assert len(life.people) > 35 and life.payments > 350 and life.refunds and life.waiting == 1
    assert life.statements > 24 and life.placed > 10


def test_the_town_is_in_order(told: Told) -> None:
    town = open_town(told.home, read_only=True)
    assert check(town.engine).ok
    done = audit(town)
    assert done.clean, done.findings
    assert len(conversion.waiting(town)) == 1
    assert {party.kind for party in parties.every(town)} == {"person", "shop", "association", "public_body"}
    member = told.made.life.people[place.MEMBER]
    assert town.book.balance(member.party.account) > 10_000
    kinds = {entry.kind for shop in place.SHOPS for entry in town.book.statement(
        told.made.life.people[shop].party.account, limit=1_000).entries}  # fmt: skip
    assert kinds == {"payment", "refund", "reconversion_asked", "bank_payout_return"}
    town.book.close()


def test_every_euro_of_the_year_comes_from_statements(told: Told) -> None:
    town = open_town(told.home, read_only=True)
    report = reserve.report(town)
    assert report.backed and report.circulation == report.guarantee > 1_000_000
    assert report.payouts_due and report.suspense and report.fees
    held = sum(bank.ledger for bank in report.banks)
    assert report.guarantee + report.payouts_due + report.suspense + report.fees == held
    for bank in report.banks:
        if bank.statement is not None:
            assert bank.ledger == bank.statement and not bank.difference
    assert not [entry for entry in conversions(town) if "/" not in str(entry.evidence["reference"])]
    # The last statement of the bank waits for whoever looks at the demo.
    [waiting] = read(told.made.statement)
    assert waiting.last == date.fromisoformat(DAY) - timedelta(days=1)
    assert waiting.opening == next(bank.statement for bank in report.banks if bank.name == place.BANK)
    town.book.close()


def conversions(town: Town) -> Iterator[Entry]:
    """Every conversion there was."""
    before: int | None = None
    while True:
        page = town.book.statement(town.chart.circulation, limit=1_000, before=before)
        yield from (entry for entry in page.entries if entry.kind == "conversion")
        if not page.next:
            return
        before = page.next


def test_the_things_work_when_typed(start: Start, tmp_path: Path) -> None:
    running = start()
    things = running.ready()
    names = ("till_url", "pairing_code", "wallet_home", "balance_command", "pay_command", "owner_command",
             "reserve_command", "log_root")  # fmt: skip
    told = "".join(running.said)
    for name in names:
        assert things[name] in told
    assert httpx.get(things["till_url"]).status_code == 200
    log = httpx.get(f"{things['url']}/v1/log").json()
    assert log["size"] == things["log_size"]  # the town ends today: its clock and the machine's are one

    balance = running.typed(things["balance_command"])
    assert balance.returncode == 0, balance.stderr
    paid = running.typed(things["pay_command"])
    assert paid.returncode == 0 and "4.20" in paid.stdout, paid.stderr
    again = running.typed(things["pay_command"])
    assert again.returncode == 0
    reserve_ = running.typed(things["reserve_command"])
    assert reserve_.returncode == 0 and "circulation" in reserve_.stdout.lower()
    imported = running.typed(things["import_command"])
    assert imported.returncode == 0, imported.stderr
    assert "conversion" in imported.stdout
    checked = running.typed(things["reserve_command"].removesuffix("reserve") + "check --json")
    assert checked.returncode == 0 and json.loads(checked.stdout)["ok"] is True
    wallet = things["pay_command"].split(" pay ")[0]
    history = running.typed(f"{wallet} history --limit 3 --json")
    assert [entry["change_cents"] for entry in json.loads(history.stdout)["entries"]][:2] == [-420, -420]
    owned = running.typed(f"{things['owner_command']} --json")
    assert [entry["change_cents"] for entry in json.loads(owned.stdout)["entries"]][:2] == [420, 420], owned.stderr
    assert httpx.get(things["office_url"]).status_code == 200

    # A picture of the code on the counter is as good as its link.
    link = things["pay_command"].split(" pay ")[1].split(" ")[0]
    (tmp_path / "shot.png").write_bytes(codes.png(link))
    assert running.typed(f"{wallet} pay shot.png --amount 1 --yes").returncode == 0

    assert running.end() == 0
    assert "Traceback" not in "".join(running.said)


@pytest.mark.parametrize(("columns", "lang"), [(80, "en"), (40, "fr")])
def test_the_screen_breaks_no_word(start: Start, columns: int, lang: str) -> None:
    running = start(COLUMNS=str(columns), PATARD_LANG=lang)
    things = running.ready()
    copied = ("till_url", "balance_command", "pay_command", "owner_command", "reserve_command", "log_root",
              "office_url")  # fmt: skip
    commands = {things[name] for name in (*copied, "import_command")}
    lines = [line.rstrip("\n") for line in running.said]
    assert commands <= {line.strip() for line in lines}
    assert any(things["pairing_code"] in line for line in lines)
    assert any(things["office_code"] in line for line in lines)
    assert all(len(line) <= columns for line in lines if line.strip() not in commands and "ready: " not in line)


def test_asking_again_starts_fresh_and_two_at_once_are_refused(start: Start, tmp_path: Path) -> None:
    first = start("--day", DAY)
    things = first.ready()
    assert "makes room" not in "".join(first.said)
    assert first.typed(things["pay_command"]).returncode == 0
    second = start()
    assert second.process.wait(30) == 3
    assert "already" in "".join(second.process.stdout or [])
    assert first.end(signal.SIGTERM) == 0
    third = start("--day", DAY)
    fresh = third.ready()
    assert f"The town of {DAY} that was here" in third.said[0]
    assert fresh["log_root"] == things["log_root"] and fresh["pairing_code"] != things["pairing_code"]
    # From here on the machine's clock counts, says the log.
    assert httpx.get(f"{fresh['url']}/v1/log").json()["size"] == things["log_size"] + 1
    assert any(line.startswith(f"The town's story ends on {DAY}") for line in third.said)
    assert third.end() == 0


def test_the_town_of_a_day_to_come(start: Start) -> None:
    """Its book is ahead of the clock; people pay all the same, and the office hears what it can have already."""
    running = start("--day", (date.today() + timedelta(days=400)).isoformat())
    things = running.ready()
    assert any("of days to come" in line for line in running.said)
    assert running.typed(things["pay_command"]).returncode == 0
    refused = running.typed(things["import_command"])
    assert refused.returncode == 1 and "today is" in refused.stderr
    assert running.typed(things["reserve_command"]).returncode == 0
    checked = running.typed(things["reserve_command"].removesuffix("reserve") + "check --json")
    assert checked.returncode == 0 and json.loads(checked.stdout)["ok"] is True
    assert running.end() == 0


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "1999-12-31", "2001-12-31", "2100-01-01"])
def test_a_day_that_no_town_can_have(start: Start, tmp_path: Path, day: str) -> None:
    refused = start("--day", day)
    assert refused.process.wait(30) == 2
    assert "--day" in "".join(refused.process.stdout or []) and not (tmp_path / ".demo").exists()


def test_a_folder_that_is_no_demo_is_left_alone(start: Start, tmp_path: Path) -> None:
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".demo" / "thesis.txt").write_text("years of work")
    refused = start()
    assert refused.process.wait(30) == 3
    assert [p.name for p in (tmp_path / ".demo").iterdir()] == ["thesis.txt"]


def test_on_postgresql(start: Start, fresh_postgres: str, told: Told) -> None:
    running = start("--day", DAY, PATARD_DATABASE_URL=fresh_postgres)
    things = running.ready()
    assert running.typed(things["pay_command"]).returncode == 0
    del running.env["PATARD_DATABASE_URL"]
    # The folder remembers where its book is.
    assert running.typed(things["reserve_command"]).returncode == 0
    assert running.end() == 0
    again = start("--day", DAY, PATARD_DATABASE_URL=fresh_postgres)
    assert [things["log_root"], again.ready()["log_root"]] == [told.root.hex()] * 2
    assert again.end() == 0


@pytest.mark.parametrize("table", ["log", "customers"])
def test_a_database_that_is_no_demos_is_left_alone(start: Start, fresh_postgres: str, table: str) -> None:
    with psycopg.connect(fresh_postgres) as connection:
        connection.execute(f"CREATE TABLE {table} (x int)")
        connection.execute(f"INSERT INTO {table} VALUES (1)")
    refused = start(PATARD_DATABASE_URL=fresh_postgres)
    assert refused.process.wait(30) == 3
    assert table in "".join(refused.process.stdout or [])
    with psycopg.connect(fresh_postgres) as connection:
        assert connection.execute(f"SELECT x FROM {table}").fetchall() == [(1,)]


def test_a_database_that_cannot_be_had(start: Start) -> None:
    for url in ("postgresql://nobody:secret@127.0.0.1:1/none", "mysql://x/y"):
        refused = start(PATARD_DATABASE_URL=url)
        assert refused.process.wait(30) == 3
        told = "".join(refused.process.stdout or [])
        assert "secret" not in told and "Traceback" not in told
