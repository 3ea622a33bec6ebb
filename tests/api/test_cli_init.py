"""`patard init`: what a currency is made of, what is refused, and an init that was interrupted."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from api.commands.console import CONSOLE
from api.home import open_town
from ledger.currency import parties
from ledger.currency.town import Town
from tests import towns
from tests.api.command import INIT, Run, begun
from tests.towns import BANK, CASH


@pytest.fixture
def town(run: Run, tmp_path: Path) -> Town:
    return begun(run, tmp_path / "home")


def test_init_makes_a_currency(run: Run, tmp_path: Path) -> None:
    made = run(*INIT)
    assert made.code == 0
    assert re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", made.json["join_code"])
    assert made.json["join_link"] == f"http://127.0.0.1:8000/J/{made.json['join_code']}"
    town = open_town(tmp_path / "home")
    assert town.charter.reconversion_fee_bp == 500 and [a.name for a in town.charter.reserve] == [BANK, CASH]
    _, party = parties.join(town, made.json["join_code"], towns.key_of("operator").public, "bureau")
    assert party.name == "L'association"
    town.book.close()
    again = run(*INIT)
    assert (again.code, again.error["code"]) == (3, "home_exists")


def test_init_with_everything(run: Run, tmp_path: Path) -> None:
    made = run(
        "init", "--code", "EUSKO", "--name", "L'Eusko", "--symbol", "ek", "--public-url", "https://pay.example.org",
        "--bank", "Crédit:FR76 3000 6000 0112 3456 7890 189", "--timezone", "Europe/Paris", "--per-payment", "500",
        "--per-day", "1000,50", "--network", "5a1e0c7d", "--reconversion-by", "shop,association",
    )  # fmt: skip
    assert made.code == 0 and made.json["network"] == "5a1e0c7d"
    charter = open_town(tmp_path / "home").charter
    assert (charter.limits.per_payment, charter.limits.per_day) == (50_000, 100_050)
    assert charter.reserve[0].iban == "FR7630006000011234567890189" and len(charter.reconversion_by) == 2


@pytest.mark.parametrize(
    ("code", "name", "args"),
    [
        (2, "usage", ("--name", "Le Patard", "--bank", "B")),
        (2, "usage", ("--code", "PATARD", "--name", "Le Patard")),
        (3, "charter_wrong", ("--code", "pa", "--name", "Le Patard", "--bank", "B")),
        (3, "charter_wrong", ("--code", "PATARD", "--name", "Le Patard", "--bank", "B", "--bank", "B")),
        (3, "charter_wrong", ("--code", "PATARD", "--name", 'Le "Patard\n', "--bank", "B", "--timezone", "Mars/X")),
        (3, "charter_wrong", ("--code", "PATARD", "--name", "P", "--bank", "B", "--fee-bp", "-1")),
        (3, "charter_wrong", ("--code", "PATARD", "--name", "P", "--bank", "B", "--public-url", "http://example.org")),
    ],
)
def test_init_refuses(run: Run, tmp_path: Path, code: int, name: str, args: tuple[str, ...]) -> None:
    ran = run("init", *args)
    assert (ran.code, ran.error["code"]) == (code, name)
    assert not (tmp_path / "home" / "charter.toml").exists()


def test_init_asks_at_a_terminal(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["Le Doublon", "DOUBLON", "", "", "250", "Banque postale", "-", ""])
    monkeypatch.setattr(CONSOLE, "ask", lambda question, default="": next(answers) or default)
    assert run("init", terminal=True).code == 0
    charter = open_town(tmp_path / "home").charter
    assert (charter.name, charter.code, charter.symbol, charter.reconversion_fee_bp) == (
        "Le Doublon",
        "DOUBLON",
        "D",
        250,
    )
    assert [account.name for account in charter.reserve] == ["Banque postale"]


@pytest.mark.parametrize(
    ("wrong", "place", "said"),
    [
        ("https://monnaie.pays-de-lille.org:8443", 3, "24"), ("http://example.org", 3, "24"), ("cinq", 4, "500"),
        ("10001", 4, "500"), ("le patard", 1, "EUR"), ("P1", 2, "4"), ("x" * 61, 0, "60"), ("Banque:FR76 1", 5, "IBAN"),
        ("Crédit", 6, "-"), ("\u202e", 7, "60"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_said_at_once_and_asked_again(
    run: Run, tmp_path: Path, wrong: str, place: int, said: str
) -> None:
    """What was answered before stays; nothing is refused after the last question that could be before the next."""
    right = ["Le Doublon", "DOUBLON", "D", "https://monnaie.pays-lille.org", "250", "Crédit", "Caisse", "Asso"]
    answers = [*right[:place], wrong, *right[place:]]
    made = run("init", plain=True, typed="".join(f"{line}\n" for line in answers), terminal=True)
    assert made.code == 0, made.err
    assert made.err.count(" [") == 9 and said in made.err
    charter = open_town(tmp_path / "home").charter
    assert (charter.name, charter.public_url, charter.reconversion_fee_bp) == (right[0], right[3], 250)
    assert all(len(line.rpartition("] ")[2]) <= 80 for line in made.err.splitlines())


def test_the_limit_of_the_address_is_said_before_it_is_asked(run: Run) -> None:
    ran = run("init", plain=True, typed="Le Patard\nPATARD\nP\n", terminal=True)
    assert ran.code != 0
    before, _asked = ran.err.split("les téléphones la voient")
    assert "24" in before and "code" in before


def test_answers_come_through_a_pipe(run: Run, tmp_path: Path) -> None:
    """In the order of the questions; an empty line is the usual answer; what lacks or is wrong is named."""
    made = run("init", typed="Le Sol\nSOL\n\nhttps://pay.example.org\n300\nCrédit\n-\n")
    assert made.code == 0, made.err
    charter = open_town(tmp_path / "home").charter
    assert (charter.code, charter.symbol, charter.reconversion_fee_bp) == ("SOL", "S", 300)
    assert [account.name for account in charter.reserve] == ["Crédit"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "--code, --name"), ("Le Sol\n", "--code"), ("Le Sol\nSOL\n\n", "--bank"), ("Le Sol\nsol\n", "'sol'")],
)
def test_a_pipe_that_says_too_little_or_wrong(run: Run, tmp_path: Path, typed: str, said: str) -> None:
    ran = run("init", typed=typed)
    assert (ran.code, ran.error["code"]) == (2, "usage")
    assert said in ran.error["message"]
    assert not (tmp_path / "home" / "charter.toml").exists()


def test_flags_leave_the_pipe_alone(run: Run) -> None:
    """In a loop over lines, what is said by flags takes none of them."""
    assert run(*INIT, typed="not for you\n").code == 0
    assert sys.stdin.readline() == "not for you\n"


def test_init_completes_what_was_begun(run: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "charter.toml").write_text(towns.charter().dumps())
    made = run("init")
    assert made.code == 0 and made.json["network"] == towns.NETWORK.hex()
