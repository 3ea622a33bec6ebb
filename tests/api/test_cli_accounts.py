"""`patard accounts`: what a treasurer types to give the books to an accountant, and to close a year."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import cli
from api.commands import accounts as commands
from api.commands.console import CONSOLE
from api.home import found_home, open_town
from ledger.currency.accounts import entries
from ledger.currency.town import Town
from tests import towns
from tests.api.command import PATARD, Ran, Run
from tests.api.conftest import Keyboard
from tests.currency.accounts import scene
from tests.towns import CASH

NAME = f"{scene.SIREN}FEC20251231.txt"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs a command line in this process; --json unless told otherwise."""
    monkeypatch.setenv("PATARD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PATARD_DATABASE_URL", raising=False)

    def runner(*args: str, plain: bool = False) -> Ran:
        capfdbinary.readouterr()
        code = cli.run([*args] if plain else [*args, "--json"])
        CONSOLE.as_json = False
        captured = capfdbinary.readouterr()
        assert b"Traceback" not in captured.err
        return Ran(code, captured.out.decode(), captured.err.decode())

    return runner


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town that worked for a day of 2025. The commands open it anew, with the machine's clock."""
    made = towns.found(tmp_path / "home", scene.charter())
    scene.work(made, *scene.cast(made))
    scene.days(made, 365)  # as on the machine, that year is over
    yield made
    made.book.close()


def test_a_year_is_exported_whole_or_not_at_all(town: Town, run: Run, tmp_path: Path) -> None:
    shown = run("accounts", "export", "fec", "--year", "2025", plain=True)
    assert (shown.code, shown.out) == (0, scene.text(town, "fec", "2025"))
    assert NAME in shown.err
    assert NAME in run("accounts", "export", "fec", "--year", "2025", "--out", str(tmp_path / "x.txt"), plain=True).err
    done = run("accounts", "export", "fec", "--year", "2025", "--out", str(tmp_path)).json
    assert (tmp_path / NAME).read_bytes().decode() == shown.out
    assert done == {
        "form": "fec", "file": str(tmp_path / NAME), "description": str(tmp_path / NAME)[:-4] + "_description.txt",
        "start": "2025-01-01", "end": "2025-12-31", "closed": False, "seq": town.book.head().seq, "entries": 11,
        "lines": 23, "bytes": len(shown.out.encode()), "sha256": done["sha256"],
    }  # fmt: skip
    assert done["sha256"] in Path(done["description"]).read_text()
    assert run("accounts", "check", str(tmp_path / NAME)).json["ok"] is True
    for form, name in (("hledger", "patard-2025-12-31.journal"), ("beancount", "b.txt"), ("csv", "c.csv")):
        out = tmp_path if form == "hledger" else tmp_path / name
        assert run("accounts", "export", form, "--year", "2025", "--out", str(out)).code == 0
        assert (tmp_path / name).read_text() == scene.text(town, form, "2025")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_one_account_is_named_as_people_do(town: Town, run: Run) -> None:
    for account in ("Alice Martin", CASH, "530"):
        shown = run("accounts", "export", "csv", "--year", "2025", "--account", account, plain=True)
        number = "530" if account != "Alice Martin" else "46881"
        assert shown.code == 0 and len(shown.out.splitlines()) > 3
        assert {line.split(",")[4] for line in shown.out.splitlines()[1:]} == {number}
    assert "Alice Martin" in run("accounts", "export", "csv", "--year", "2025", "--names", plain=True).out


@pytest.mark.parametrize(
    ("args", "code", "name"),
    [
        (("export", "pdf", "--out", "x"), 2, "usage"),
        (("export", "fec"), 2, "usage"),
        (("export", "fec", "--account", "Alice Martin", "--out", "x"), 2, "usage"),
        (("export", "csv", "--account", "Zoé", "--out", "x"), 1, "not_found"),
        (("export", "csv", "--year", "20255", "--out", "x"), 1, "period_unknown"),
        (("export", "csv", "--out", "/nowhere/at/all"), 2, "file_unwritable"),
        (("close", "9000", "--yes"), 1, "period_not_over"),
        (("close", "2024", "--yes"), 1, "period_unknown"),
        (("close", "2025"), 2, "usage"),
        (("check", "/nowhere/at/all"), 2, "file_unreadable"),
    ],
)
def test_what_is_refused(
    town: Town, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], code: int, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("accounts", *args)
    assert (ran.code, ran.out, ran.error["code"]) == (code, "", name)
    assert not (tmp_path / "x").exists()


def test_a_fec_needs_a_siren_for_its_name(run: Run, tmp_path: Path) -> None:
    found_home(tmp_path / "home", towns.charter()).book.close()
    assert "SIREN" in run("accounts", "export", "fec", plain=True).err
    ran = run("accounts", "export", "fec", "--out", str(tmp_path))
    assert (ran.code, ran.error["code"]) == (1, "siren_missing") and "[bookkeeping]" in ran.error["message"]
    assert run("accounts", "export", "fec", "--out", str(tmp_path / "x.txt")).code == 0


def test_closing_a_year(town: Town, run: Run, tmp_path: Path) -> None:
    towns.told(tmp_path / "home")
    before = run("accounts", "years").json
    assert before[0] == {
        "start": "2025-01-01", "end": "2025-12-31", "closed": False, "entries": None, "sha256": None, "seq": None
    }  # fmt: skip
    assert [year["start"][:4] for year in before] == [str(2025 + n) for n in range(len(before))]
    file = scene.text(town, "fec", "2025")
    closed = run("accounts", "close", "2025", "--yes").json
    assert closed["replay"] is False and closed["entries"] == 11 and closed["by"] == "console"
    assert run("accounts", "close", "2025").json == {**closed, "replay": True}
    assert run("accounts", "years").json[0]["sha256"] == closed["sha256"]
    done = run("accounts", "export", "fec", "--year", "2025", "--out", str(tmp_path)).json
    assert (done["closed"], done["sha256"]) == (True, closed["sha256"])
    assert (tmp_path / NAME).read_bytes().decode() == file
    assert run("check").json["ok"] is True
    for words in (("years",), ("close", "2025")):
        assert closed["sha256"] in run("accounts", *words, plain=True).out


def test_closing_for_ever_is_asked_for(town: Town, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a clear yes is one; what cannot be closed asks nothing, and says why."""
    towns.told(tmp_path / "home")
    monkeypatch.setattr("sys.stdin", io.StringIO("non\n"))
    assert run("accounts", "close", "2025").error["code"] == "usage"
    monkeypatch.setattr("sys.stdin", Keyboard("\nnon\noui\n"))
    asked = [run("accounts", "close", "2025", plain=True) for _ in range(3)]
    assert [ran.code for ran in asked] == [2, 2, 0]
    assert all("01/01/2025" in ran.err and "pour toujours" in ran.err for ran in asked)
    for year, code in (("2024", "period_unknown"), ("9000", "period_not_over")):
        refused = run("accounts", "close", year)
        assert refused.error["code"] == code
    assert "2026" not in run("accounts", "close", "2024").error["message"]


def test_a_closed_year_that_is_no_longer_what_it_was_is_not_given_out(
    town: Town, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    towns.told(tmp_path / "home")
    run("accounts", "close", "2025", "--yes")
    monkeypatch.setitem(entries.KINDS, "payment", "Achat")
    for args in (("--out", str(tmp_path)), ()):
        ran = run("accounts", "export", "fec", "--year", "2025", *args, plain=True)
        assert (ran.code, ran.out) == (1, "") and "SHA-256" in ran.err
    assert not list(tmp_path.glob("*FEC*")) and not list(tmp_path.glob(".*FEC*"))


def test_a_wrong_fec_is_told_line_by_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_text("nothing of the kind\n")
    ran = run("accounts", "check", str(file))
    assert ran.code == 1 and ran.error == {**ran.error, "code": "findings", "found": 2}
    assert {f["code"] for f in ran.json["findings"]} == {"header_wrong", "name_wrong"}
    assert "header_wrong" in run("accounts", "check", str(file), plain=True).out


def test_only_so_many_findings_are_shown(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "SHOWN", 1)
    (tmp_path / "x.txt").write_text("nothing of the kind\n")
    assert len(run("accounts", "check", str(tmp_path / "x.txt"), plain=True).out.splitlines()) == 6


def test_it_runs_beside_a_server_and_in_a_pipe(town: Town, tmp_path: Path) -> None:
    """The book is open for writing in this process; whoever reads the output may have enough of it."""
    command = f"{PATARD} accounts export csv --year 2025 | head -1"
    env = {"PATARD_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "PATARD_LANG": "en"}
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=env)
    assert done.stdout.startswith("entry,date,") and done.stderr == ""
    reader = open_town(tmp_path / "home", read_only=True)
    assert reader.book.head() == town.book.head()
    reader.book.close()
