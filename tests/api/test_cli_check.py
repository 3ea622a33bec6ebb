"""`patard check` and `replay`: a clean book, damaged rows, what only the audit sees."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import text

from api.commands import noticed
from api.commands.console import shown_moment
from api.home import open_town
from api.schemas.fields import rfc3339
from ledger.core import sqlite
from ledger.core.ids import account_text
from ledger.currency import conversion, parties
from ledger.currency.audit import story, walk
from ledger.currency.town import Town
from tests import towns
from tests.api.command import Run, begun
from tests.towns import CASH


@pytest.fixture
def town(run: Run, tmp_path: Path) -> Town:
    return begun(run, tmp_path / "home")


def damage(home: Path, *statements: str) -> None:
    engine = sqlite.open_engine(home / "book.db")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()
    engine.dispose()


def test_a_clean_book(run: Run, town: Town) -> None:
    checked = run("check")
    assert checked.code == 0 and checked.json["ok"] is True and checked.json["findings"] == []
    head = town.book.head()
    assert (checked.json["seq"], checked.json["at"]) == (head.seq, rfc3339(head.at))
    shown = shown_moment(head.at, town.charter.timezone)
    assert f"l'écriture {head.seq}, du {shown}" in run("check", plain=True).out
    replayed = run("replay")
    assert replayed.code == 0 and replayed.json["root"] == checked.json["root"]
    assert run("check", plain=True).code == run("replay", plain=True).code == 0


def test_a_changed_row_is_found_and_the_transaction_named(run: Run, town: Town, tmp_path: Path) -> None:
    posted = run("convert", "Alice Martin", "50", "--cash", "S1").json
    damage(tmp_path / "home", "DROP TRIGGER transfer_no_change_update",
           "UPDATE transfer SET amount = amount + 100 WHERE place = (SELECT min(place) FROM transfer)")  # fmt: skip
    ran = run("check")
    assert (ran.code, ran.error["code"]) == (1, "findings")
    assert posted["id"] in {finding["transaction"] for finding in ran.json["findings"]}
    assert "guard_missing" in {finding["code"] for finding in ran.json["findings"]}
    assert posted["id"] in run("check", plain=True).out
    replayed = run("replay")
    assert (replayed.code, replayed.error["code"]) == (1, "differences")


def test_an_audit_that_cannot_go_on_is_a_finding(run: Run, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise ValueError("a row that nobody foresaw")

    monkeypatch.setattr(walk._Run, "end", broken)
    ran = run("check")
    assert (ran.code, ran.error["code"]) == (1, "findings")
    [found] = ran.json["findings"]
    assert found["code"] == "audit_stopped" and "a row that nobody foresaw" in found["detail"]


def test_a_record_that_somebody_rewrote(run: Run, town: Town, tmp_path: Path) -> None:
    posted = run("convert", "Alice Martin", "50", "--cash", "S1").json
    damage(
        tmp_path / "home", "DROP TRIGGER log_no_change_update",
        "UPDATE log SET record = CAST(replace(CAST(record AS TEXT), '5000', '9000') AS BLOB) WHERE seq = "
        f"{posted['seq']}",
    )  # fmt: skip
    for command in ("check", "replay"):
        ran = run(command)
        assert ran.code == 1
    assert posted["id"] in {finding["transaction"] for finding in run("check").json["findings"]}


def test_what_only_the_audit_sees(run: Run, town: Town, tmp_path: Path) -> None:
    opened = open_town(tmp_path / "home")
    alice, shop = parties.named(opened, "Alice Martin"), parties.named(opened, "Boulangerie")
    posted = conversion.convert(opened, alice, 500, reserve=CASH, reference="S1")
    from ledger.core.model import Transaction, Transfer

    stolen = opened.post(Transaction(opened.new_id(), "bonus", (Transfer(alice.account, shop.account, 5, "PATARD"),)))
    opened.book.close()
    ran = run("check")
    assert ran.code == 1 and posted.seq < stolen.seq
    assert [(f["code"], f["transaction"]) for f in ran.json["findings"]] == [
        (code, stolen.id.hex()) for code in ("kind_unknown", "movement_unexplained")
    ]


def test_what_is_allowed_is_told_with_the_name(run: Run, town: Town, tmp_path: Path) -> None:
    opened = open_town(tmp_path / "home")
    alice = parties.named(opened, "Alice Martin")
    for device in ("one", "two"):
        parties.join(opened, parties.invite(opened, alice, "member"), towns.key_of(device).public, device)
    opened.book.close()
    assert alice.name not in run("check", plain=True).out
    ran = run("check", "--notices", plain=True)
    assert ran.code == 0
    told = f"du compte {account_text(alice.account)} (Alice Martin), qui en avait une ; invitée sur la machine"
    assert re.sub(r"\s+", " ", told) in re.sub(r"\s+", " ", ran.out)
    assert max(len(line) for line in ran.out.splitlines() if len(line.split()[-1]) < 64) <= 80
    assert f"{alice.account:016x}" not in ran.out
    [notice] = run("check", "--notices").json["notices"]  # a program has the digits
    assert f"account {alice.account:016x}, which had one" in notice["detail"]


def test_a_replay_that_is_kept(run: Run, town: Town, tmp_path: Path) -> None:
    kept = tmp_path / "copy.db"
    assert run("replay", "--into", str(kept)).json["into"] == str(kept)
    assert kept.exists()
    assert run("replay", "--into", str(kept)).code == 0
    run("party", "add", "person", "Bob")
    assert run("replay", "--into", str(kept)).code == 0


def test_a_book_that_is_no_book(run: Run, town: Town, tmp_path: Path) -> None:
    (tmp_path / "home" / "book.db").write_bytes(b"not a database" * 1000)
    for suffix in ("-wal", "-shm"):
        (tmp_path / "home" / f"book.db{suffix}").unlink(missing_ok=True)
    for command in ("check", "reserve", "replay"):
        ran = run(command)
        assert ran.code == 3 and ran.error["code"] != "internal", ran.err


AUDIT = Path(__file__).parents[2] / "ledger" / "currency" / "audit"


def forms_of(node: ast.expr, tree: ast.Module, module: ModuleType) -> set[str]:
    """What a notice may say: a text as it stands, a constant of its module, or all that a name there is given."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return forms_of(node.body, tree, module) | forms_of(node.orelse, tree, module)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        return set(getattr(module, node.value.id).values())
    assert isinstance(node, ast.Name), f"nobody can tell what {module.__name__}:{node.lineno} says: give it a form"
    if isinstance(known := getattr(module, node.id, None), str):
        return {known}
    given = [
        one.value for one in ast.walk(tree)
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name) and one.targets[0].id == node.id
    ]  # fmt: skip
    assert given, f"nobody can tell what {module.__name__}:{node.lineno} says: give it a form"
    return set().union(*(forms_of(one, tree, module) for one in given))


def test_every_notice_has_its_words() -> None:
    """Whatever form of sentence the audit gives is one of those that the command has in both languages."""
    given: set[str] = set()
    for path in sorted(AUDIT.glob("*.py")):
        module, tree = import_module(f"ledger.currency.audit.{path.stem}"), ast.parse(path.read_text())
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id == "Notice":
                given |= forms_of(call.args[2], tree, module)
            if isinstance(call.func, ast.Attribute) and call.func.attr == "_replace":
                given |= {one for word in call.keywords if word.arg == "form"
                          for one in forms_of(word.value, tree, module)}  # fmt: skip
    assert given - {""} == set(noticed.FORMS)


def test_findings_and_notices_are_told_in_euros_and_names() -> None:
    alice = 0x0123456789ABCDEF
    names = {f"{alice:016x}": "Alice Martin"}
    one = story.Notice(
        7, b"", next(form for form in noticed.FORMS if "came to owe" in form), {"account": alice, "amount": 123_456}
    )
    assert f"{alice:016x}" in one.text and "123456" in one.text
    shown = re.sub(r"\s", " ", noticed.notice(one, names))
    assert f"{account_text(alice)} (Alice Martin)" in shown and "1 234,56 €" in shown
    text = re.sub(r"\s", " ", noticed.finding(f"account {alice:016x} holds -5 cents, account {2**63:016x} 1 cent", {}))
    assert text == f"account {account_text(alice)} holds -€0.05, account {2**63:016x} €0.01"  # English, all of it
    late = next(form for form in noticed.FORMS if "{days} days ago" in form)
    late_one = story.Notice(7, b"", late, {"name": "'Banque'", "day": "2026-11-16", "days": 9})
    assert "16/11/2026" in noticed.notice(late_one, {})
