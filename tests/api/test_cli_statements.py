"""Statements at the console: why one is refused, in both languages; the first withdrawn; the parts of a sum."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.api.command import PATARD, Ran
from tests.currency.bank.test_as_banks_write import camt, month

IBAN = "FR7630003012340123456789057"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = patard(tmp_path / "home", "en", "init", "--code", "TEST", "--name", "Test", "--bank", f"Banque:{IBAN}",
                  "--cash", "Caisse", "--fee-bp", "500", "--association", "Asso")  # fmt: skip
    assert made.code == 0, made.err
    return tmp_path / "home"


def patard(home: Path, lang: str, *args: str) -> Ran:
    env = {**os.environ, "PATARD_HOME": str(home), "PATARD_LANG": lang, "COLUMNS": "200"}
    ran = subprocess.run([PATARD, *args], capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL)
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def file(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def test_a_first_statement_is_withdrawn(home: Path, tmp_path: Path) -> None:
    wrong = file(
        tmp_path, "faux.xml", camt(month("60", "70", "2025-10-01", "2025-10-05", ("2025-10-02", "10"), iban=IBAN))
    )
    right = file(
        tmp_path, "vrai.xml", camt(month("50", "60", "2025-10-01", "2025-10-05", ("2025-10-02", "10"), iban=IBAN))
    )
    assert patard(home, "en", "bank", "import", "--opening", wrong).code == 0
    for lang, fact, remedy in (
        ("en", "the account held 60.00 on 2025-10-01", "withdraw it with `patard bank withdraw`"),
        ("fr", "le compte avait 60,00 le 01/10/2025", "retirez-le par `patard bank withdraw`"),
    ):
        refused = patard(home, lang, "bank", "import", "--opening", right)
        assert refused.code == 1 and fact in refused.err and remedy in refused.err
    unknown = patard(home, "fr", "bank", "withdraw", "Banqu")
    assert unknown.code == 2 and "Banqu" in unknown.err
    assert "1 relevé retiré, avec ses 2 lignes" in patard(home, "fr", "bank", "withdraw", "Banque").out
    again = patard(home, "fr", "bank", "withdraw", "Banque")
    assert again.code == 1 and "Banque n'a aucun relevé à retirer" in again.err
    assert patard(home, "en", "bank", "import", "--opening", right).code == 0
    shown = patard(home, "fr", "bank", "statements").out
    assert [("retiré" in line) for line in shown.splitlines()[1:]] == [True, False]
    assert patard(home, "en", "check").code == 0


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["on 2025-10-05 Banque is below nothing, -2.90", "fetch a file that begins and ends on days"]),
        ("fr", ["le 05/10/2025, Banque est sous zéro, -2,90", "récupérez un fichier qui commence et se termine"]),
    ],
)
def test_an_overdraft_at_the_end_of_a_day(home: Path, tmp_path: Path, lang: str, words: list[str]) -> None:
    below = camt(month("10", "-2.90", "2025-10-05", "2025-10-05", ("2025-10-05", "-12.90"), iban=IBAN))
    refused = patard(home, lang, "bank", "import", "--opening", file(tmp_path, "a.xml", below))
    assert refused.code == 1 and all(text in refused.err for text in words)
    longer = month("10", "7.10", "2025-10-05", "2025-10-06", ("2025-10-05", "-12.90"), ("2025-10-06", "10"), iban=IBAN)
    assert patard(home, lang, "bank", "import", "--opening", file(tmp_path, "b.xml", camt(longer))).code == 0


def test_the_line_at_fault_and_what_to_do_are_french(home: Path, tmp_path: Path) -> None:
    bad = month("0", "1", "2025-10-05", "2025-10-05", ("2025-10-05", "1"), iban=IBAN).replace(
        "<Sts>BOOK</Sts>", "<Sts>PDNG</Sts>"
    )
    refused = patard(home, "fr", "bank", "import", file(tmp_path, "a.xml", camt(bad)))
    assert "ligne 2\u00a0: l'écriture 1 n'est pas encore comptabilisée (PDNG) ; demandez à la banque" in refused.err
    assert "ask the bank" not in refused.err and "fetch" not in refused.err


def test_the_parts_of_a_sum_are_shown(home: Path, tmp_path: Path) -> None:
    one, two = (
        f"<TxDtls><AmtDtls><TxAmt><Amt Ccy='EUR'>{cents}</Amt></TxAmt></AmtDtls><RltdPties><Dbtr><Nm>{name}</Nm></Dbtr>"
        f"</RltdPties></TxDtls>"
        for cents, name in (("2.00", "ALICE MARTIN"), ("3.00", "BOB DUBOIS"))
    )
    for name in ("Alice Martin", "Bob Dubois"):
        assert patard(home, "en", "party", "add", "person", name).code == 0
    sum_ = month("0", "5", "2025-10-05", "2025-10-05", ("2025-10-05", "5"), iban=IBAN).replace(
        "</Ntry>", f"<NtryDtls>{one}{two}</NtryDtls></Ntry>"
    )
    assert patard(home, "en", "bank", "import", file(tmp_path, "a.xml", camt(sum_))).code == 0
    shown = patard(home, "en", "bank", "suspense", "list").out
    assert "€2.00  ALICE MARTIN" in shown and "€3.00  BOB DUBOIS" in shown
    assert "its parts are of Alice Martin, Bob Dubois" in shown
    assert "dont" in patard(home, "fr", "bank", "lines").out
    again = patard(home, "fr", "bank", "import", file(tmp_path, "a.xml", camt(sum_)))
    assert "0 nouvelle ligne sur 1" in again.out, again
    [line] = [text.split()[0] for text in shown.splitlines() if "2025-10-05" in text]
    assert patard(home, "en", "bank", "suspense", "place", line, "--proposal", "1").code == 0
    assert patard(home, "en", "check").code == 0
