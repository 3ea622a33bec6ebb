"""`patard bank suspense`: what waits is shown with what it may be, placed and put back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from api import cli
from api.commands import suspense as commands
from api.commands.console import CONSOLE
from ledger.currency import conversion, parties
from ledger.currency.bank.lines import lines
from ledger.currency.bank.placing import Way
from ledger.currency.bank.proposals import SENTENCES
from ledger.currency.bank.suspense import open_lines
from ledger.currency.town import Town
from tests import towns
from tests.api.command import Ran, Run
from tests.currency.bank.scene import DAY, balances, bring, line, opened, statement, token
from tests.towns import BANK, CASH, nothing_moves

NEXT = DAY + timedelta(days=1)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `patard bank suspense` in this process; --json unless told otherwise."""
    monkeypatch.setenv("PATARD_HOME", str(tmp_path / "home"))

    def runner(*args: str, plain: bool = False) -> Ran:
        capsys.readouterr()
        code = cli.run(["bank", "suspense", *args] if plain else ["bank", "suspense", *args, "--json"])
        CONSOLE.as_json = False
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(code, captured.out, captured.err)

    return runner


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town with a bank, Alice and Bob, and lines that nobody could place. The commands open it anew."""
    with opened(tmp_path / "home") as made:
        alice, _bob, zoe = (parties.admit(made, "person", name) for name in ("Alice Martin", "Bob", "Zoé"))
        conversion.convert(made, zoe, 777, reserve=BANK, reference="V1")
        day = [
            line(5_000, token(made, alice)), line(2_500, "merci", name="MME MARTIN ALICE"), line(777, "x"),
            line(6_000, "don"), line(900, "a"), line(-900, "b"), line(-300, "FRAIS"), line(-400, "y"),
            line(1_000, "z"), line(-5_000, "r", NEXT),
        ]  # fmt: skip
        bring(made, statement(day))
        yield made


def waiting(town: Town) -> dict[int, str]:
    """How the ids of what waits end, by the amount."""
    return {one.line.amount: one.line.id.hex()[-8:] for one in open_lines(town)}


def test_every_way_and_every_reason_has_its_words() -> None:
    assert commands.REASONS == SENTENCES
    assert set(commands.WAYS) == set(Way)


def test_what_waits_is_shown_with_what_it_may_be(town: Town, run: Run) -> None:
    found = {one["amount_cents"]: one for one in run("list").json}
    assert len(found) == 9
    [first, *_more] = found[2_500]["proposals"]
    assert (first["decision"]["way"], first["decision"]["name"]) == ("member", "Alice Martin")
    assert [(reason["why"], reason["name"]) for reason in first["reasons"]] == [("name_paid", "Alice Martin")]
    shown = run("list", "--limit", "2", plain=True).out
    assert "MME MARTIN ALICE merci" in shown and "Alice Martin" in shown
    assert shown.count("\n    ") == sum(len(one.proposals[: commands.SHOWN]) or 1 for one in open_lines(town)[:2])


def test_a_line_is_placed_and_put_back(town: Town, run: Run, tmp_path: Path) -> None:
    towns.told(tmp_path / "home")
    id_ = waiting(town)[2_500]
    done = run("place", id_, "--proposal", "1")
    assert done.json["decision"]["name"] == "Alice Martin"
    assert 2_500 not in waiting(town)
    back = run("back", id_[-6:]).json
    assert back["replay"] is False
    assert run("back", id_).json == {**back, "replay": True}
    told = run("place", id_, "--member", "bob", plain=True)
    assert "Bob" in told.out and told.code == 0
    assert town.book.balance(parties.named(town, "Bob").account) == 2_500


def test_every_option_is_a_way(town: Town, run: Run, tmp_path: Path) -> None:
    towns.told(tmp_path / "home")
    ids = waiting(town)
    topup = lines(town)[0].id.hex()[-8:]
    for cents, *how in (
        (777, "--known", "v1"), (6_000, "--own"), (900, "--pair", ids[-900]), (-300, "--charge"),
        (-400, "--cash", CASH), (-5_000, "--returned", topup), (1_000, "--transit"),
        (2_500, "--share", "Alice Martin=20,00", "--share", "own=1", "--share", f"cash:{CASH}=4"),
    ):  # fmt: skip
        assert run("place", ids[int(cents)], *map(str, how)).code == 0, how
    assert waiting(town) == {}
    assert balances(town) == {
        "circulation": 2_777, "guarantee": 2_777, "members": 2_777, "operations": -6_100,
        "income": -300, "transit": -1_000, BANK: 2_777 + 6_100 - 300 + 1_000,
    }  # fmt: skip


CANNOT: list[tuple[tuple[str, ...], int, str]] = [
    ((), 2, "usage"),
    (("--own", "--member", "Bob"), 2, "usage"),
    (("--proposal", "9"), 2, "usage"),
    (("--share", "Bob"), 2, "usage"),
    (("--share", "Bob=1O"), 2, "amount_malformed"),
    (("--member", "Carol"), 1, "not_found"),
    (("--fees",), 1, "placing_uneven"),
    (("--cover",), 1, "placing_uneven"),
    (("--claim", "Bob"), 1, "claim_exceeded"),
    (("--share", "claim:Bob=60"), 1, "claim_exceeded"),
    (("--cash", "Livret"), 1, "reserve_account_unknown"),
    (("--share", "cash:Livret=60"), 1, "reserve_account_unknown"),
    (("--known", "V9"), 1, "not_found"),
    (("--pair", "zz"), 1, "not_found"),
    (("--payout", "ABCDE-FGH12"), 1, "not_found"),
]


def test_what_cannot_be(town: Town, run: Run) -> None:
    line_ = waiting(town)[6_000]
    with nothing_moves(town):
        for args, code, refusal in CANNOT:
            done = run("place", line_, *args)
            assert (done.code, done.error["code"]) == (code, refusal), args


def test_lines_that_are_not_there(town: Town, run: Run) -> None:
    with nothing_moves(town):
        assert run("place", "0", "--own").error["code"] == "not_found"
        assert run("place", lines(town)[0].id.hex(), "--own").error["code"] == "line_not_open"
        assert run("back", waiting(town)[6_000]).error["code"] == "line_not_placed"


def test_nothing_waits(tmp_path: Path, run: Run) -> None:
    with opened(tmp_path / "home"):
        assert run("list").json == []
        assert run("list", plain=True).out.strip()
