"""`patard import`: the past of a currency from a file or a pipe, with its euros."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from ledger.currency.town import Town
from tests.api.command import PATARD, Run, begun
from tests.towns import BANK


@pytest.fixture
def town(run: Run, tmp_path: Path) -> Town:
    return begun(run, tmp_path / "home")


def past(tmp_path: Path, *lines: str) -> str:
    file = tmp_path / "past.csv"
    file.write_text("\n".join(["id,at,from,to,amount,unit,kind", *lines]) + "\n")
    return str(file)


def test_an_import_with_its_euros(run: Run, town: Town, tmp_path: Path) -> None:
    file = past(
        tmp_path,
        "1,2024-01-01,asso,Alice Martin,90,PATARD,issue",
        "2,2024-01-02,Alice Martin,Le Bocal,10,PATARD,payment",
    )
    options = ("--issuer", "asso", "--shop", "Le Bocal", "--opening-reserve", f"{BANK}=90", "--reference", "releve-1")
    assert run("import", file, *options, "--dry-run").json["posted"] == 0
    done = run("import", file, *options)
    assert done.code == 0
    assert (done.json["posted"], done.json["imported_cents"], done.json["circulation_cents"]) == (2, 0, 9_000)
    again = run("import", file, *options)
    assert again.code == 0 and (again.json["posted"], again.json["stood"]) == (0, 2)
    assert {p["name"]: p["balance_cents"] for p in run("party", "list", "--kind", "shop").json}["Le Bocal"] == 1_000
    assert run("check").json["ok"] is True
    assert run("import", file, *options[:-4], "--opening-reserve", f"{BANK}=91", "--reference", "releve-1").code == 1


def test_hours_in_doubt_are_named_and_taken(run: Run, town: Town, tmp_path: Path) -> None:
    file = past(
        tmp_path,
        "1,2024-10-27 02:30,asso,Alice,9,PATARD,issue",
        "2,2024-10-27 02:20,Alice,asso,1,PATARD,payment",
        "3,2025-03-30 02:20,Alice,asso,1,PATARD,payment",
    )
    done = run("import", file, "--issuer", "asso", plain=True)
    assert done.code == 0 and "Rien" not in done.out
    assert re.findall(r"^ligne (\d+)", done.err, re.MULTILINE) == ["2", "3", "4"]
    assert done.err.count("deux fois") == 2 and done.err.count("sauté") == 1
    told = run("import", file, "--issuer", "asso").json
    assert (told["stood"], told["problems"]) == (3, [])
    assert [(one["line"], one["code"]) for one in told["doubts"]] == [
        (2, "at_twice"), (3, "at_twice"), (4, "at_never")
    ]  # fmt: skip


def test_an_import_that_is_refused_names_the_lines(run: Run, town: Town, tmp_path: Path) -> None:
    file = past(
        tmp_path, "1,2024-01-01,asso,asso,90,PATARD,issue", "2,2024-01-02,Alice Martin,Le Bocal,1.005,PATARD,payment"
    )
    ran = run("import", file, "--issuer", "asso")
    assert (ran.code, ran.error["code"]) == (1, "import_refused")
    assert [(p["line"], p["code"]) for p in ran.json["problems"]] == [(2, "self_transfer"), (3, "amount_decimals")]
    lines = run("import", file, "--issuer", "asso", plain=True).err.splitlines()
    assert len(lines) == 3 and "2" in lines[0] and "3" in lines[1]


@pytest.mark.parametrize(
    ("code", "args"),
    [
        (2, ("--round", "up")),
        (2, ("--opening-reserve", "Banque")),
        (2, ("--opening-reserve", "Coffre=5")),
        (2, ("--parties", "none.csv")),
        (1, ("--encoding", "klingon")),
    ],
)
def test_an_import_that_was_asked_for_wrongly(
    run: Run, town: Town, tmp_path: Path, code: int, args: tuple[str, ...]
) -> None:
    assert run("import", past(tmp_path), *args).code == code
    assert run("import", str(tmp_path / "none.csv")).code == 1


def test_kinds_of_parties_from_a_file_and_lines_from_a_pipe(run: Run, town: Town, tmp_path: Path) -> None:
    kinds = tmp_path / "kinds.csv"
    kinds.write_text('\ufeff"Le Bocal",shop\nMairie,public_body\n')
    with Path(
        past(tmp_path, "1,2024-01-01,asso,Le Bocal,9,PATARD,issue", "2,2024-01-01,asso,Mairie,9,PATARD,issue")
    ).open() as file:
        ran = subprocess.run(
            [PATARD, "import", "-", "--issuer", "asso", "--parties", str(kinds), "--json"], stdin=file,
            capture_output=True, text=True, env={**os.environ, "PATARD_HOME": str(tmp_path / "home")},
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = {p["name"]: p["kind"] for p in run("party", "list").json}
    assert (found["Le Bocal"], found["Mairie"]) == ("shop", "public_body")
    kinds.write_text("Le Bocal;shop\n")
    assert run("import", past(tmp_path), "--parties", str(kinds)).error["code"] == "party_kind_unknown"
