"""The FEC: the form that the law asks for, as its own check, somebody else's and a few plain rules see it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from ledger.currency.accounts import export, fec, fec_check
from ledger.currency.accounts.describe import description
from ledger.currency.town import Town
from tests import towns
from tests.currency.accounts import scene
from tests.currency.accounts.conftest import Judge
from tests.currency.accounts.scene import rows, text

YEARS = ("2025", "2026")


@pytest.mark.parametrize("year", YEARS)
def test_its_form(busy: Town, year: str) -> None:
    file = text(busy, "fec", year)
    assert file.startswith("\t".join(fec.COLUMNS) + "\r\n") and file.endswith("\r\n")
    assert "\n" not in file.replace("\r\n", "") and "|" not in file and "\ufeff" not in file
    for row in rows(file):
        assert len(row) == 18
        assert re.fullmatch(r"[1-8][0-9]{2}[0-9A-Z]*", row["CompteNum"])
        for side in ("Debit", "Credit"):
            assert re.fullmatch(r"[0-9]+,[0-9]{2}", row[side])
        for day in ("EcritureDate", "PieceDate", "ValidDate"):
            assert re.fullmatch(rf"{year}[0-9]{{4}}", row[day])
        assert bool(row["CompAuxNum"]) == bool(row["CompAuxLib"]) == (row["CompteNum"] == "46881")
        assert not any(row[name] for name in ("EcritureLet", "DateLet", "Montantdevise", "Idevise"))
    validated = [row["ValidDate"] for row in rows(file)]
    assert validated == sorted(validated)


def test_its_name() -> None:
    assert fec.file_name("123456782", date(2026, 12, 31)) == "123456782FEC20261231.txt"


def test_the_year_begins_with_what_was_held_and_with_no_income(busy: Town) -> None:
    first, second = (scene.balances(text(busy, "fec", year)) for year in YEARS)
    opening = [row for row in rows(text(busy, "fec", "2026")) if row["JournalCode"] == "AN"]
    assert {row["EcritureNum"] for row in opening} == {"AN-000001"}
    assert rows(text(busy, "fec", "2026"))[: len(opening)] == opening
    held = {(row["CompteNum"], row["CompAuxNum"].removeprefix(row["CompteNum"])) for row in opening}
    assert held == {key for key, cents in first.items() if cents and key[0] != "706"} | {("110", "")}
    assert first["706", ""] == second["110", ""] == -150
    assert not any(row["JournalCode"] == "AN" for row in rows(text(busy, "fec", "2025")))


def test_a_year_with_a_loss_is_carried_over_as_one(town: Town) -> None:
    chart = town.chart
    scene.move(town, "bank_suspense", (chart.reserve[towns.BANK], chart.operations, 500, "EUR"))
    scene.move(town, "bank_suspense", (chart.suspense, chart.reserve[towns.BANK], 40, "EUR"))
    scene.move(town, "bank_placed", (chart.income, chart.suspense, 40, "EUR"), evidence={"as": "charge"})
    assert scene.balances(text(town, "fec", "2025"))["627", ""] == 40
    scene.days(town, 250)
    assert scene.balances(text(town, "fec", "2026")) == {("119", ""): 40, ("5121", ""): 460, ("5123", ""): -500}


@pytest.mark.parametrize("names", [False, True])
@pytest.mark.parametrize("year", YEARS)
def test_it_passes_every_check(busy: Town, tmp_path: Path, open_check: Judge, year: str, names: bool) -> None:
    path = tmp_path / fec.file_name(scene.SIREN, date(int(year), 12, 31))
    path.write_bytes(text(busy, "fec", year, names=names).encode())
    with path.open("rb") as file:
        report = fec_check.check(file, path.name, date(int(year), 1, 1))
    assert report.ok, report.findings
    assert report.entries > 20 and report.debit == report.credit > 0
    judged = open_check(path)
    # It would rather have the days of each journal in order; the law wants the order of validation.
    words = [line for line in judged.stdout.splitlines() if line and "non chronologique" not in line]
    assert (judged.returncode, words, judged.stderr) == (0, [], "")


def test_somebody_elses_check_can_say_no(busy: Town, tmp_path: Path, open_check: Judge) -> None:
    path = tmp_path / "123456782FEC20251231.txt"
    path.write_bytes(text(busy, "fec", "2025").encode().replace(b"\t300,00\t", b"\t300,01\t", 1))
    judged = open_check(path)
    assert judged.returncode == 1 and "déséquilibrée" in judged.stdout


def test_the_description_explains_all_that_stands_in_the_file(busy: Town) -> None:
    pieces: list[bytes] = []
    written = export.write(export.read(busy, "2026"), "fec", pieces.append)
    told = description(written)
    assert written.sha256 in told and "Exercice du 01/01/2026 au 31/12/2026 (ouvert" in told
    assert max(map(len, told.splitlines())) <= 120
    for row in rows(b"".join(pieces).decode()):
        for name in ("JournalCode", "JournalLib"):
            assert row[name] in told
        if row["CompteNum"] != "110":
            assert re.search(rf"^{row['CompteNum']} +{re.escape(row['CompteLib'])}$", told, re.MULTILINE)
        assert row["EcritureLib"].startswith("Opération ") or row["EcritureLib"] in told
    assert all(name in told for name in fec.COLUMNS) and "{" not in told
