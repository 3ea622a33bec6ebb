"""`patard backup` beside an office at work, `serve`'s last word on the book's file, and a book that is only read."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pysqlite3
import pytest

from api.home import HomeError, open_town
from ledger.core import copying, still
from ledger.core.copying import copy, is_whole
from ledger.core.opening import open_book
from ledger.core.store import StoreError
from ledger.currency import heads_file
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests import towns
from tests.api.command import PATARD, Run, begun
from tests.api.test_alone import server
from tests.threats import busy_office
from tests.threats.test_check_beside_office import office


@pytest.fixture
def town(run: Run, tmp_path: Path) -> Town:
    return begun(run, tmp_path / "home")


def only_the_book(home: Path, into: Path, book: Path | None = None) -> Path:
    """A folder as an auditor gets it: charter, heads, book and the public half of the key."""
    into.mkdir()
    for name in ("charter.toml", "heads"):
        shutil.copy(home / name, into / name)
    shutil.copy(book or home / "book.db", into / "book.db")
    key = open_town(home, read_only=True, as_it_is=True)
    (into / "currency.pub").write_text(key.key.public.hex() + "\n")
    key.book.close()
    return into


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- copies ----------------------------------------------------------------------------------------------


def test_a_copy_under_load_restores_to_the_same_root(run: Run, tmp_path: Path) -> None:
    """Made while an office works, each copy is one moment of the book: it checks, and the book had its root there."""
    home = tmp_path / "home"
    busy_office.found(home).book.close()
    copies = []
    with office(home) as told:
        for number in range(3):
            made = run("backup", str(tmp_path / f"{number}.db"))
            assert made.code == 0, made.err
            copies.append(made.json)
            time.sleep(0.3)
    assert told["faults"] == [], told["faults"]
    assert copies[0]["seq"] < copies[-1]["seq"]
    noted = [f"{one['seq']}:{one['root']}" for one in copies]
    ran = run("check", "--root", noted[0], "--root", noted[1], "--root", noted[2])
    assert ran.code == 0, ran.out
    last = copies[-1]
    for name in ("book.db", "book.db-wal", "book.db-shm"):
        (home / name).unlink(missing_ok=True)
    shutil.copy(last["file"], home / "book.db")
    ran = run("check")
    assert ran.code == 0 and (ran.json["seq"], ran.json["root"], ran.json["at"]) == (
        last["seq"], last["root"], last["at"],
    )  # fmt: skip
    assert run("replay").json["root"] == last["root"]


def test_a_copy_ends_while_somebody_commits_all_the_time(tmp_path: Path) -> None:
    """Where page by page a copy begins anew at each commit, this one takes one moment, whatever comes meanwhile."""
    path = tmp_path / "book.db"
    book = towns.found(tmp_path / "home").book
    book.close()
    shutil.copy(tmp_path / "home" / "book.db", path)
    filler = pysqlite3.connect(path, isolation_level=None)
    filler.execute("CREATE TABLE filler (x BLOB)")
    filler.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "
                   "INSERT INTO filler SELECT randomblob(4000) FROM n")  # fmt: skip
    stop = threading.Event()
    count = 0

    def commit() -> None:
        nonlocal count
        writer = pysqlite3.connect(path, isolation_level=None, timeout=10)
        while not stop.is_set():
            writer.execute("INSERT INTO filler VALUES (randomblob(100))")
            count += 1
        writer.close()

    made: list[int] = []
    copier = threading.Thread(target=lambda: made.append(copy(path, tmp_path / "copy.db").size))
    writer = threading.Thread(target=commit)
    writer.start()
    copier.start()
    copier.join(30)
    ended = bool(made)
    stop.set()
    writer.join()
    copier.join()
    assert ended and made[0] > 4_000 * 4_000 and count
    rows = pysqlite3.connect(tmp_path / "copy.db").execute("SELECT count(*) FROM filler").fetchone()[0]
    assert 4_000 <= rows <= 4_000 + count
    filler.close()


def test_a_copy_takes_nobodys_place(run: Run, town: Town, tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_text("mine")
    assert run("backup", str(there)).error["code"] == "copy_exists"
    (tmp_path / "new.db.heads").write_text("mine")
    assert run("backup", str(tmp_path / "new.db")).error["code"] == "copy_exists"
    assert there.read_text() == "mine" and not (tmp_path / "new.db").exists()
    assert run("backup", str(tmp_path / "no" / "folder.db")).error["code"] == "copy_unwritable"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "new.db.heads", "there.db"]


def test_what_a_copy_is(run: Run, town: Town, tmp_path: Path) -> None:
    """Whole, private, without a key; the heads beside it hold nothing that is beyond its end."""
    made = run("backup", str(tmp_path / "copy.db"))
    assert made.code == 0
    home = tmp_path / "home"
    for name in ("copy.db", "copy.db.heads"):
        content = (tmp_path / name).read_bytes()
        for key in ("currency.key", "machine.key"):
            seed = (home / key).read_text().strip()
            assert seed.encode() not in content and bytes.fromhex(seed) not in content
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    heads, wrong = heads_file.read(tmp_path / "copy.db.heads")
    assert heads and not wrong and heads[-1].size <= made.json["seq"]
    assert made.json["public_key"] == town.key.public.hex()
    told = run("backup", str(tmp_path / "again.db"), plain=True).out
    assert re.search(r"du \d\d/\d\d/\d{4} \d\d:\d\d:\d\d \(Europe/Paris\)", told)
    assert re.search(r"du \d\d/\d\d/\d{4} \d\d:\d\d:\d\d \(Europe/Paris\)", run("check", plain=True).out)
    assert "currency.key" in told and "machine.key" in told and made.json["root"] in told


def test_a_book_of_before_can_be_copied(run: Run, town: Town, tmp_path: Path) -> None:
    """A program that cannot open it says to make a backup first."""
    database = pysqlite3.connect(tmp_path / "home" / "book.db", isolation_level=None)
    database.execute("UPDATE alembic_version SET version_num = '0008'")
    database.close()
    assert run("check").error["code"] == "book_too_old"
    assert run("backup", str(tmp_path / "copy.db")).json["seq"] == town.book.head().seq


@pytest.mark.postgres
def test_a_book_on_postgres_has_its_own(fresh_postgres: str, run: Run, tmp_path: Path) -> None:
    towns.found(tmp_path / "home", database_url=fresh_postgres).book.close()
    assert run("backup", str(tmp_path / "copy.db")).error["code"] == "backup_postgres"


# --- the end of `serve` ----------------------------------------------------------------------------------


def served_to_its_end(home: Path, beside: pysqlite3.Connection | None) -> str:
    env = {**os.environ, "PATARD_HOME": str(home), "PATARD_LANG": "en"}
    env.pop("PATARD_DATABASE_URL", None)
    with server(env, stderr=subprocess.STDOUT) as process:
        if beside is not None:
            beside.execute("BEGIN")
            beside.execute("SELECT count(*) FROM log").fetchall()
        for name in ("Alice", "Bob"):
            subprocess.run([PATARD, "party", "add", "person", name], env=env, check=True, capture_output=True)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
    return str(out)


def test_serve_says_whether_the_file_is_whole(tmp_path: Path) -> None:
    home = tmp_path / "home"
    towns.found(home).book.close()
    towns.told(home)
    said = served_to_its_end(home, None)
    seq = copying._end(home / "book.db")[0]
    assert f"book.db is whole, up to entry {seq}." in said
    assert not (home / "book.db-wal").exists()


def test_serve_says_that_another_program_holds_the_newest_entries(tmp_path: Path) -> None:
    """As litestream does: a reader that stays keeps what came since in the file beside."""
    home = tmp_path / "home"
    towns.found(home).book.close()
    towns.told(home)
    reader = pysqlite3.connect(home / "book.db", isolation_level=None)
    said = served_to_its_end(home, reader)
    assert "book.db is not whole" in said and "book.db-wal" in said and "patard backup" in said
    alone = tmp_path / "alone.db"
    shutil.copy(home / "book.db", alone)  # what the old advice would have kept
    whole = copy(home / "book.db", tmp_path / "copy.db")
    assert copying._end(alone)[0] < whole.seq
    assert not is_whole(home / "book.db")
    reader.execute("COMMIT")
    assert is_whole(home / "book.db")  # it is open still, and holds nothing back
    reader.close()
    assert is_whole(home / "book.db") and copying._end(home / "book.db")[0] == whole.seq


# --- reading only ----------------------------------------------------------------------------------------


def test_the_public_key_is_enough_to_read(
    run: Run, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("convert", "Alice Martin", "50", "--cash", "S1").code == 0
    evidence = only_the_book(tmp_path / "home", tmp_path / "evidence")
    before = files(evidence)
    whole = run("check").json
    monkeypatch.setenv("PATARD_HOME", str(evidence))
    checked = run("check")
    assert checked.code == 0 and checked.json["root"] == whole["root"]
    assert (whole["seals_checked"], checked.json["seals_checked"]) == (True, False)
    assert "clé publique" in run("check", plain=True).err
    assert run("reserve").code == 0
    assert run("accounts", "export", "csv", "--year", "2026", plain=True).code == 0
    assert run("accounts", "years", plain=True).code == 0
    assert run("replay").code == 0
    assert files(evidence) == before, "nothing is left beside the evidence, and nothing in it changed"
    # Whatever writes still needs the key itself.
    ran = run("party", "add", "person", "Eve")
    assert ran.code == 3 and ran.error["code"] == "key_missing"
    assert files(evidence) == before


def test_another_public_key_is_refused(run: Run, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = only_the_book(tmp_path / "home", tmp_path / "evidence")
    monkeypatch.setenv("PATARD_HOME", str(evidence))
    (evidence / "currency.pub").write_text(towns.key_of("somebody").public.hex())
    for command in ("check", "reserve"):
        ran = run(command)
        assert (ran.code, ran.error["code"]) == (3, "key_changed") and "currency.pub" in ran.err
    (evidence / "currency.pub").write_text("00" * 32)
    assert run("reserve").error["code"] == "key_broken"
    (evidence / "currency.pub").unlink()
    ran = run("check", plain=True)
    assert ran.code == 3 and "64 chiffres hexadécimaux (« clé publique »" in ran.err


def test_a_public_half_signs_nothing(tmp_path: Path, run: Run, town: Town) -> None:
    evidence = only_the_book(tmp_path / "home", tmp_path / "evidence")
    opened = open_town(evidence, read_only=True)
    assert opened.key.public == town.key.public
    with pytest.raises(CurrencyError) as caught:
        opened.key.sign(b"x")
    assert caught.value.code == "key_absent"
    with pytest.raises(CurrencyError):
        opened.key.seed()
    opened.book.close()
    with pytest.raises(HomeError):
        open_town(evidence)


def read_only_mount(folder: Path, *commands: list[str]) -> list[subprocess.CompletedProcess[str]]:
    """Run commands where `folder` is mounted read-only; skips where nobody may mount."""
    me = [] if os.geteuid() == 0 else ["--map-root-user"]
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && ! touch "$0/x" 2>/dev/null && exec "$@"'
    env = {**os.environ, "PATARD_HOME": str(folder), "PATARD_LANG": "en"}
    env.pop("PATARD_DATABASE_URL", None)
    there = shutil.which("unshare")
    if there is None or subprocess.run([there, "--mount", *me, "true"], capture_output=True).returncode:
        pytest.skip("nobody may mount here")
    return [
        subprocess.run([there, "--mount", *me, "sh", "-c", script, str(folder), *command], env=env, text=True,
                       capture_output=True, timeout=120)
        for command in commands
    ]  # fmt: skip


@pytest.mark.parametrize("left", ["closed", "crashed"])
def test_on_a_medium_that_cannot_be_written(left: str, run: Run, town: Town, tmp_path: Path) -> None:
    """Also with what a crash left in -wal, which belongs to the book."""
    home = tmp_path / "home"
    evidence = only_the_book(home, tmp_path / "evidence")
    seq = run("check").json["seq"]
    if left == "crashed":
        holder = pysqlite3.connect(home / "book.db", isolation_level=None)
        holder.execute("BEGIN")
        holder.execute("SELECT count(*) FROM log").fetchall()
        for name in ("Bob", "Chloé"):
            assert run("party", "add", "person", name).code == 0
        for name in ("book.db", "book.db-wal", "heads"):
            shutil.copy(home / name, evidence / name)
        holder.execute("COMMIT")
        holder.close()
        seq = run("check").json["seq"]
    before = files(evidence)
    patard = str(PATARD)
    checked, reserve, exported, listed, kept = read_only_mount(
        evidence, [patard, "check", "--json"], [patard, "reserve", "--json"],
        [patard, "accounts", "export", "hledger", "--year", "2026"], [patard, "party", "list"],
        [patard, "backup", str(tmp_path / "copy.db"), "--json"],
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert (json.loads(checked.stdout)["ok"], json.loads(checked.stdout)["seq"]) == (True, seq)
    assert reserve.returncode == exported.returncode == kept.returncode == 0, reserve.stderr + kept.stderr
    assert listed.returncode == 0 and "Alice Martin" in listed.stdout
    assert json.loads(kept.stdout)["seq"] == seq
    assert files(evidence) == before
    # And in a folder that could be written, nothing is.
    env = {**os.environ, "PATARD_HOME": str(evidence)}
    ran = subprocess.run([PATARD, "check", "--json"], env=env, capture_output=True, text=True)
    assert json.loads(ran.stdout)["seq"] == seq
    assert files(evidence) == before


def test_reading_beside_a_server_leaves_its_files_alone(tmp_path: Path) -> None:
    """Who reads last takes away what it made, and nothing of somebody who came meanwhile."""
    home = tmp_path / "home"
    towns.found(home).book.close()
    path = home / "book.db"
    reader = open_book(path, read_only=True)
    assert reader.head().seq and still.beside(path, "-shm").exists()
    writer = open_book(path)
    assert writer.head().seq
    reader.close()
    assert still.beside(path, "-wal").exists(), "the other one has it open"
    writer.close()
    assert not still.beside(path, "-wal").exists()
    with pytest.raises(StoreError) as caught:
        copy(home / "none.db", tmp_path / "x.db")
    assert caught.value.code == "no_book"
