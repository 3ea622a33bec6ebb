"""A top-up as a code for banking apps: its text byte for byte, and read back from the picture."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ledger.currency.bank.epc import MAX_AMOUNT, EpcError, epc_text
from ledger.currency.text import TextError, check_text
from merchants import codes
from merchants.codes import CodeError

NAME = "ASSOCIATION LA MONNAIE TEST"
IBAN = "FR1420041010050500013M02606"


def read_back(picture: bytes) -> zxingcpp.Barcode:
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            epc_text(NAME, IBAN, 2500, "MLC-TOPUP-7F3K9Q2M"),
            b"BCD\n002\n1\nSCT\n\nASSOCIATION LA MONNAIE TEST\nFR1420041010050500013M02606\nEUR25.00\n\n\n"
            b"MLC-TOPUP-7F3K9Q2M",
        ),
        (
            epc_text("Monnaie Locale Pêche & Cœur", "fr14 2004 1010 0505 0001 3m02 606", 1, "à toi", "psstfrppPAR"),
            b"BCD\n002\n1\nSCT\nPSSTFRPPPAR\nMonnaie Locale Peche & Coeur\nFR1420041010050500013M02606\n"
            b"EUR0.01\n\n\na toi",
        ),
        (
            epc_text("A", IBAN, None, "PATARD 7F3K9-Q2M4T"),
            b"BCD\n002\n1\nSCT\n\nA\nFR1420041010050500013M02606\n\n\n\nPATARD 7F3K9-Q2M4T",
        ),
        (
            epc_text("A", IBAN, MAX_AMOUNT, ""),
            b"BCD\n002\n1\nSCT\n\nA\nFR1420041010050500013M02606\nEUR999999999.99",
        ),
        (epc_text("A", IBAN, None, ""), b"BCD\n002\n1\nSCT\n\nA\nFR1420041010050500013M02606"),
    ],
)  # fmt: skip
def test_byte_for_byte(text: str, expected: bytes) -> None:
    assert text.encode() == expected
    found = read_back(codes.png(text, epc=True))
    assert (found.bytes, found.text) == (expected, text)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        *(("epc_name", {"name": wrong}) for wrong in ("", "x" * 71, "two\nlines", " blank", "e\u0301")),
        *(("epc_text", {"text": wrong}) for wrong in ("x" * 141, "two\nlines", "two\r", "\u202e")),
        *(("epc_amount", {"amount_cents": wrong}) for wrong in (0, -1, MAX_AMOUNT + 1, True, 1.5)),
        *(("epc_iban", {"iban": wrong}) for wrong in ("", "FR1420041010050500013M02607", f"{IBAN}\nEUR1")),
        *(("epc_bic", {"bic": wrong}) for wrong in ("X", "PSSTFRPPP")),
    ],
)
def test_what_is_no_transfer(code: str, change: dict[str, object]) -> None:
    with pytest.raises(EpcError) as error:
        epc_text(**{"name": NAME, "iban": IBAN, "amount_cents": 2500, "text": "PATARD 7F3K9-Q2M4T", **change})  # type: ignore[arg-type]
    assert error.value.code == code


def clean(text: str) -> bool:
    try:
        check_text(text, max_chars=140, empty=True)
    except TextError:
        return False
    return True


@settings(max_examples=40, deadline=None)
@given(
    st.text(min_size=1, max_size=70).filter(lambda text: bool(text) and clean(text)),
    st.none() | st.integers(1, MAX_AMOUNT),
    st.text(max_size=60).filter(clean),
)
def test_any_transfer_comes_back(name: str, amount: int | None, text: str) -> None:
    whole = epc_text(name, IBAN, amount, text)
    assert whole.isascii()  # whichever character set a reader guesses, it reads the same
    assert read_back(codes.png(whole, 3, epc=True)).bytes == whole.encode()


# --- the code: level M, in bytes, version 13 at most ---


def filled(size: int) -> str:
    start = epc_text("A", IBAN, 100, "x")
    return start + "y" * (size - len(start))


def test_whatever_is_written_fits() -> None:
    """Letters that become two and more are cut where the standard ends."""
    for letter in ("A", "é", "œ", "€"):
        whole = epc_text(letter * 70, IBAN, MAX_AMOUNT, letter * 140, "PSSTFRPPPAR")
        lines = whole.split("\n")
        assert (len(lines[5]), len(lines[10])) == (70, 140) and len(whole.encode()) <= codes.EPC_BYTES
        rows = codes.epc_modules(whole)
        assert len(rows) <= 69
        found = read_back(codes.png(whole, epc=True))
        assert (found.bytes, found.ec_level) == (whole.encode(), "M")


def test_the_largest_is_version_13_at_level_m() -> None:
    whole = filled(codes.EPC_BYTES)
    assert len(codes.epc_modules(whole)) == 69


# ISO/IEC 18004, table 7: bytes that versions 5 to 13 hold at level M.
@pytest.mark.parametrize(("number", "most"), list(enumerate([84, 106, 122, 152, 180, 213, 251, 287, 331], start=5)))
def test_each_version_is_filled_in_byte_mode(number: int, most: int) -> None:
    """Upper case would go into fewer modules, but the standard of these codes asks for bytes."""
    assert len(codes.epc_modules(filled(most))) == 17 + 4 * number
    assert len(codes.epc_modules(filled(most - 1).upper())) == 17 + 4 * number


@pytest.mark.parametrize("text", [filled(codes.EPC_BYTES + 1), "BCD", "", "https://example.org/"])
def test_what_is_not_a_transfers_code(text: str) -> None:
    for draw in (codes.png, codes.svg, codes.terminal):
        with pytest.raises(CodeError) as error:
            draw(text, epc=True)
        assert error.value.code == "code_text"


def test_every_surface_draws_the_same_modules() -> None:
    text = epc_text(NAME, IBAN, 2500, "PATARD 7F3K9-Q2M4T")
    with pytest.raises(CodeError):
        codes.png(text)  # which is for links
    rows = codes.epc_modules(text)
    dark = sum(sum(row) for row in rows)
    screen = codes.terminal(text, "light", epc=True)
    assert dark == sum({" ": 0, "▄": 1, "▀": 1, "█": 2}[char] for char in screen if char != "\n")
    picture = Image.open(io.BytesIO(codes.png(text, 1, epc=True))).convert("L")
    assert dark == picture.histogram()[0]
    assert f'viewBox="0 0 {len(rows) + 8} {len(rows) + 8}"' in codes.svg(text, "Virement", epc=True)
