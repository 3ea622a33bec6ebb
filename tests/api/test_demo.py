"""The demo: the same town in every run and on both databases, and the four things that it prints work when typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from api import demo, demo_town
from api.home import Home, open_town
from ledger.core.check import check
from ledger.currency import conversion, parties, reserve
from ledger.currency.audit.walk import audit
from merchants import codes

PATARD = Path(sys.executable).with_name("patard")
URL = "http://127.0.0.1:8000"
README = Path(__file__).parents[2] / "README.md"
READY_SECONDS = 60


class Running:
    """A demo in a process of its own, begun in `folder`."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        self.env = {**{k: v for k, v in os.environ.items() if not k.startswith(("PATARD_", "WALLET_"))},
                    "PORT": "0", "PATARD_LANG": "en", **env}  # fmt: skip
        self.process = subprocess.Popen(
            [PATARD, "demo"], cwd=folder, env=self.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
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

    def starter(**env: str) -> Running:
        begun.append(Running(tmp_path, **env))
        return begun[-1]

    yield starter
    for running in begun:
        if running.process.poll() is None:
            running.process.kill()
        running.end()


def seeded(folder: Path, url: str | None = None) -> tuple[bytes, demo_town.Week]:
    home = Home(folder, url)
    week = demo.make(home, URL)
    town = open_town(home, read_only=True)
    root = town.book.head().root
    town.book.close()
    return root, week


def test_every_run_ends_with_the_same_root_on_both_databases(tmp_path: Path, fresh_postgres: str) -> None:
    first, week = seeded(tmp_path / "first")
    assert seeded(tmp_path / "second")[0] == first
    assert seeded(tmp_path / "third", fresh_postgres)[0] == first
    assert first.hex() in README.read_text(), "the README shows what the demo prints"
    assert len(week.people) > 35 and week.payments > 350 and week.refunds and week.waiting == 1


def test_the_town_is_in_order(tmp_path: Path) -> None:
    _, week = seeded(tmp_path / "home")
    town = open_town(tmp_path / "home", read_only=True)
    assert check(town.engine).ok
    done = audit(town)
    assert done.clean, done.findings
    report = reserve.report(town)
    assert report.covered and report.payouts_due and report.fees
    assert {bank.kind for bank in report.banks if bank.ledger} == {"bank", "cash"}
    assert len(conversion.waiting(town)) == 1
    assert {party.kind for party in parties.every(town)} == {"person", "shop", "association", "public_body"}
    member = week.people[demo_town.MEMBER]
    assert town.book.balance(member.party.account) > 10_000
    kinds = {entry.kind for shop in demo_town.SHOPS for entry in town.book.statement(
        week.people[shop].party.account, limit=1_000).entries}  # fmt: skip
    assert kinds == {"payment", "refund", "reconversion_asked"}
    town.book.close()


def test_the_four_things_work_when_typed(start: Start, tmp_path: Path) -> None:
    running = start()
    things = running.ready()
    names = ("till_url", "pairing_code", "wallet_home", "balance_command", "pay_command", "reserve_command", "log_root")
    told = "".join(running.said)
    for name in names:
        assert things[name] in told
    assert httpx.get(things["till_url"]).status_code == 200
    log = httpx.get(f"{things['url']}/v1/log").json()
    assert (log["size"], log["root"]) == (things["log_size"], things["log_root"])

    balance = running.typed(things["balance_command"])
    assert balance.returncode == 0, balance.stderr
    paid = running.typed(things["pay_command"])
    assert paid.returncode == 0 and "4.20" in paid.stdout, paid.stderr
    again = running.typed(things["pay_command"])
    assert again.returncode == 0
    reserve_ = running.typed(things["reserve_command"])
    assert reserve_.returncode == 0 and "circulation" in reserve_.stdout.lower()
    checked = running.typed(things["reserve_command"].removesuffix("reserve") + "check --json")
    assert checked.returncode == 0 and json.loads(checked.stdout)["ok"] is True
    wallet = things["pay_command"].split(" pay ")[0]
    history = running.typed(f"{wallet} history --limit 3 --json")
    assert [entry["change_cents"] for entry in json.loads(history.stdout)["entries"]][:2] == [-420, -420]

    # A picture of the code on the counter is as good as its link.
    link = things["pay_command"].split(" pay ")[1].split(" ")[0]
    (tmp_path / "shot.png").write_bytes(codes.png(link))
    assert running.typed(f"{wallet} pay shot.png --amount 1 --yes").returncode == 0

    assert running.end() == 0
    assert "Traceback" not in "".join(running.said)


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("columns", [80, 40])
def test_the_screen_breaks_no_word(start: Start, columns: int, lang: str) -> None:
    running = start(COLUMNS=str(columns), PATARD_LANG=lang)
    things = running.ready()
    commands = {things[name] for name in ("till_url", "balance_command", "pay_command", "reserve_command", "log_root")}
    lines = [line.rstrip("\n") for line in running.said]
    assert commands <= {line.strip() for line in lines}
    assert any(things["pairing_code"] in line for line in lines)
    assert all(len(line) <= columns for line in lines if line.strip() not in commands and "ready: " not in line)


def test_asking_again_starts_fresh_and_two_at_once_are_refused(start: Start, tmp_path: Path) -> None:
    first = start()
    things = first.ready()
    assert first.typed(things["pay_command"]).returncode == 0
    second = start()
    assert second.process.wait(30) == 3
    assert "already" in "".join(second.process.stdout or [])
    assert first.end(signal.SIGTERM) == 0
    third = start()
    fresh = third.ready()
    assert fresh["log_root"] == things["log_root"] and fresh["pairing_code"] != things["pairing_code"]
    assert httpx.get(f"{fresh['url']}/v1/log").json()["size"] == things["log_size"]
    assert third.end() == 0


def test_a_folder_that_is_no_demo_is_left_alone(start: Start, tmp_path: Path) -> None:
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".demo" / "thesis.txt").write_text("years of work")
    refused = start()
    assert refused.process.wait(30) == 3
    assert [p.name for p in (tmp_path / ".demo").iterdir()] == ["thesis.txt"]


def test_on_postgresql(start: Start, fresh_postgres: str, tmp_path: Path) -> None:
    roots = []
    for _ in range(2):
        running = start(PATARD_DATABASE_URL=fresh_postgres)
        things = running.ready()
        roots.append(things["log_root"])
        assert running.typed(things["pay_command"]).returncode == 0
        assert running.typed(things["reserve_command"]).returncode == 0
        del running.env["PATARD_DATABASE_URL"]
        # The folder remembers where its book is.
        assert running.typed(things["reserve_command"]).returncode == 0
        assert running.end() == 0
    assert roots == [seeded(tmp_path / "again")[0].hex()] * 2


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
