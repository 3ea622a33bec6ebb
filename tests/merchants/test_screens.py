"""Prose at a terminal: as wide as it, with nothing left out and nothing that is copied broken."""

from __future__ import annotations

import io

import pytest

from merchants.screens import wrapped

TOLD = (
    "Vous êtes payé·e à FR76 3000 6000 0112 3456 7890 189 : signez-le avec `wallet payouts --sign 3`, "
    "ou ouvrez https://patard.example/join#MJXQ-4K2P-7D3N-9RT5-0BCD-1234-5678 sur le "
    "téléphone : wallet join LIEN --label X"
)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [30, 40, 57, 80, 200])
def test_prose_is_broken_between_words_and_nothing_is_lost(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = wrapped(TOLD, _Terminal())
    lines = shown.split("\n")
    assert " ".join(lines) == TOLD
    for whole in ("FR76 3000 6000 0112 3456 7890 189", "`wallet payouts --sign 3`,", "wallet join LIEN --label X"):
        assert any(whole in line for line in lines)
    assert all(len(line) <= columns or "https://" in line or line.startswith("FR76") for line in lines)


def test_bold_takes_no_room_and_a_question_keeps_its_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert wrapped("\x1b[1mSigner ce mandat ?\x1b[0m", _Terminal()) == "\x1b[1mSigner ce mandat ?\x1b[0m"
    assert wrapped("Signer ce mandat-là ? [o/N] ", _Terminal()) == "Signer ce mandat-là\n? [o/N] "


def test_the_last_column_goes_on_under_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    assert wrapped("    1  Change : Alice (le libellé la nomme)", _Terminal()) == (
        "    1  Change : Alice\n       (le libellé la\n       nomme)"
    )
    for row in ("            FR76 3000 6000  une référence", "  KJ3Q-8X2M-NNPP-QQRR-7788"):
        assert wrapped(row, _Terminal()) == row


def test_a_pipe_gets_all_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert wrapped(TOLD, io.StringIO()) == TOLD


def test_eighty_columns_where_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.get_terminal_size", _unknown)
    assert max(map(len, wrapped("un mot " * 40, _Terminal()).split("\n"))) in range(70, 81)


def _unknown(_handle: int = 1) -> None:
    raise OSError("no terminal")
