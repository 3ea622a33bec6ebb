"""The end of the log, signed: over HTTP, now and as it was; what commands and servers write down; `check --root`."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.heads import Heads
from api.home import Home, open_town
from ledger.currency import heads, heads_file, proofs
from ledger.currency.town import Town
from tests import towns
from tests.api.command import INIT, Run
from tests.served import is_problem, served


def verified(town: Town, answer: dict[str, object]) -> tuple[int, bytes]:
    size, root = int(str(answer["size"])), bytes.fromhex(str(answer["root"]))
    signature = bytes.fromhex(str(answer["signature"]))
    proofs.verify_head(town.charter.network, town.key.public, size, int(str(answer["at_us"])), root, signature)
    return size, root


@pytest.fixture
def made(tmp_path: Path) -> Town:
    return towns.found(tmp_path / "served")


def test_the_end_of_the_log_is_signed(made: Town) -> None:
    with served(made) as api:
        before = verified(made, api.client.get("/v1/log").json())
        towns.member(made, "person", "Alice")
        after = verified(made, api.client.get("/v1/log").json())
        assert after == (made.book.head().seq, made.book.head().root) and after[0] > before[0]
        assert verified(made, api.client.get(f"/v1/log?at={before[0]}").json()) == before
        is_problem(api.client.get(f"/v1/log?at={after[0] + 1}"), "log_shorter")
        for wrong in ("0", "-1", "x", str(2**60)):
            assert api.client.get(f"/v1/log?at={wrong}").status_code == 422
    # A clean end signs what there is.
    kept = heads.kept(made)
    assert kept is not None and (kept.size, kept.root) == after
    made.book.close()


def test_a_server_signs_while_it_runs(made: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr("api.heads.SECONDS", 0.01)
    path, signed = tmp_path / "heads", threading.Event()
    record = heads_file.record

    def recording(town: Town, where: Path | None) -> heads_file.Trouble | None:
        found = record(town, where)
        signed.set()
        return found

    monkeypatch.setattr(heads_file, "record", recording)
    signing = Heads(made, path)
    signing.start()
    assert signed.wait(20)
    towns.member(made, "person", "Alice")
    signing.stop()
    assert heads_file.read(path)[0][-1].size == made.book.head().seq
    made.book.close()


@pytest.fixture
def founded(run: Run, tmp_path: Path) -> Home:
    """The home that `patard init` made."""
    assert run(*INIT).code == 0
    return Home(tmp_path / "home")


def test_a_command_signs_what_it_posted(run: Run, founded: Home) -> None:
    home = founded
    before = heads_file.read(home.heads)[0]
    assert before, "init and what came after it signed"
    assert run("party", "add", "person", "Bob").code == 0
    after = heads_file.read(home.heads)[0]
    assert len(after) == len(before) + 1
    assert run("party", "list").code == 0
    assert heads_file.read(home.heads)[0] == after
    again = open_town(home, read_only=True)
    assert after[-1].size == again.book.head().seq and heads.kept(again) == after[-1]
    again.book.close()
    assert run("check").json["findings"] == []


def test_roots_are_compared(run: Run, founded: Home) -> None:
    last = heads_file.read(founded.heads)[0][-1]
    assert run("check", "--root", f"{last.size}:{last.root.hex()}").code == 0
    ran = run("check", "--root", f"{last.size}:{'00' * 32}", "--root", f"{last.size - 1}:{'11' * 32}")
    assert ran.code == 1 and [one["code"] for one in ran.json["findings"]] == ["root_differs"] * 2
    for wrong in ("x", "12", f"0:{'00' * 32}", f"12:{'00' * 31}"):
        assert (ran := run("check", "--root", wrong)).code == 2 and ran.error["code"] == "root_malformed"


def test_a_command_says_that_the_book_was_put_back(run: Run, founded: Home) -> None:
    folder = founded.folder
    old = (folder / "book.db").read_bytes()
    assert run("party", "add", "person", "Bob").code == 0
    (folder / "book.db").write_bytes(old)
    for left in folder.glob("book.db-*"):
        left.unlink()
    ran = run("party", "add", "person", "Carla", plain=True)
    assert ran.code == 0 and "copie plus ancienne" in ran.err
    found = run("check").json["findings"]
    assert found and {one["code"] for one in found} <= {"log_put_back", "root_differs", "head_removed"}
