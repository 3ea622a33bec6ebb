"""Which files are read and which are refused, whatever their format: cut, changed, forged, too large, not ours."""

from __future__ import annotations

import gzip
import io
import random
import re
import zipfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.currency.bank.formats import read as reading
from ledger.currency.bank.formats.read import MAX_BYTES, read, read_file
from ledger.currency.bank.statement import Statement, StatementError, same_account
from tests.currency.bank.files import NAMES, SAMPLES, changed, refusal, sample

IBAN = "FR1420041010050500013M02606"

# What a file may lose without being another one: what stands behind its last word.
WHOLE_BEFORE_ITS_END = {name: len(sample(name).rstrip(b" \r\n")) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_samples_come_to_their_stated_balance(name: str) -> None:
    for statement in read_file(SAMPLES / name):
        assert statement.opening + sum(line.amount for line in statement.lines) == statement.closing
        assert statement.first <= statement.last
        assert list(statement.lines) == sorted(statement.lines, key=lambda line: line.booked_on)
        assert all(line.amount and line.where for line in statement.lines)
        for line in statement.lines:
            assert not line.parts or sum(part.amount for part in line.parts) == line.amount


@pytest.mark.parametrize("name", NAMES)
def test_a_file_cut_at_any_byte_is_refused(name: str) -> None:
    data = sample(name)
    # Every place in the files that show the most of each format, every seventh in the other large ones.
    step = 7 if name.startswith("camt") and name != "camt053_001_08_sample.xml" else 1
    whole = WHOLE_BEFORE_ITS_END[name]
    taken = [place for place in range(0, whole, step) if accepted(data[:place])]
    if name == "cfonb120_two_days.txt":
        # After the first of two days, with or without its blanks and line end: what is there is a whole file of one
        # day. That the second is missing shows when the next one comes, which does not begin where this ends.
        assert taken == list(range(1435, 1453))
        assert read(data[:1451]) == read(data)[:1]
    else:
        assert taken == []
    assert all(accepted(data[:place]) == read(data) for place in range(whole, len(data)))


def accepted(data: bytes) -> list[Statement] | None:
    try:
        return read(data)
    except StatementError:
        return None


AMOUNTS = {
    "camt": rb'<(?:ns2:)?(?:Amt|TtlAmt|Sum|TtlNetNtryAmt)(?: Ccy="EUR")?>([0-9.]+)<',
    "cfonb": rb"(?m)^0[147].{88}([0-9]{13})[{}A-R]",
}


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("ofx")])
def test_a_file_with_one_digit_of_one_amount_changed_is_refused(name: str) -> None:
    data = sample(name)
    places = [
        place
        for found in re.finditer(AMOUNTS[re.match("[a-z]+", name)[0]], data)  # type: ignore[index]
        # What is available and what the payer was told are not the account's.
        if not re.search(b"CLAV|InstdAmt", data[found.start() - 90 : found.start()])
        for place in range(*found.span(1))
    ]
    assert len(places) > 60
    digit = random.Random(name)
    for place in places:
        if data[place : place + 1].isdigit():
            other = digit.choice([char for char in b"0123456789" if char != data[place]])
            error = refusal(data[:place] + bytes([other]) + data[place + 1 :])
            assert error.code in ("statement_sum_wrong", "statement_unreadable"), data[place - 20 : place + 20]


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("ofx")])
def test_an_amount_changed_in_ofx_moves_the_opening_balance(name: str) -> None:
    """OFX has no opening balance to hold against: the statement no longer continues the last one instead."""
    data = sample(name)
    (whole,) = read(data)
    for found in re.finditer(rb"<(?:TRNAMT|BALAMT)>[-+]?([0-9]+)", data):
        ours = data.rfind(b"<CREDITCARDMSGSRSV1>", 0, found.start()) < 0
        if not ours or b"AVAILBAL" in data[found.start() - 12 : found.start()]:
            continue
        place = found.start(1)
        other = data[:place] + bytes([(data[place] - 47) % 10 + 48]) + data[place + 1 :]
        assert read(other)[0].opening != whole.opening


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_whatever_happens_to_a_file_it_is_read_or_refused(name: str, rng: random.Random) -> None:
    """Nothing but `StatementError` comes out, and what is read adds up."""
    data = bytearray(sample(name))
    for _ in range(rng.randint(1, 6)):
        start = rng.randrange(len(data))
        end = min(len(data), start + rng.choice((0, 1, 1, 8, 200)))
        data[start:end] = rng.choice(
            (b"", rng.randbytes(3), b"<", b"</", b"\xc3", b"9", data[end : end + 60], b"&x;", b"<!--", b"]]>")
        )
        if not data:
            return
    for statement in accepted(bytes(data)) or ():
        assert statement.opening + sum(line.amount for line in statement.lines) == statement.closing


STARTS = (
    b"",
    b"OFXHEADER:100\n<OFX>",
    b"<?xml version='1.0'?><Document><BkToCstmrStmt>",
    sample("cfonb120_sample.txt")[:122],
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(STARTS))
def test_any_bytes_are_refused_and_nothing_else(data: bytes, start: bytes) -> None:
    assert not accepted(start + data)


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("releve.xml", "<Document/>")
    return out.getvalue()


CAMT = sample("camt053_001_08_sample.xml").decode()


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (b"", "statement_empty", "empty"),
        (b" \r\n\t\n", "statement_empty", "empty"),
        (b"\xef\xbb\xbf\n", "statement_empty", "empty"),
        (b"%PDF-1.7\n%\xe2\xe3", "statement_format_unknown", "PDF"),
        (zipped(), "statement_format_unknown", "unpack"),
        (gzip.compress(CAMT.encode()), "statement_format_unknown", "unpack"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "statement_format_unknown", "spreadsheet"),
        (b"\x89PNG\r\n\x1a\n" + bytes(16), "statement_format_unknown", "picture"),
        (b"<!DOCTYPE html>\n<html><body>Session expir\xc3\xa9e</body></html>", "statement_format_unknown", "web page"),
        (b"\n<!-- x --><html lang='fr'><p>BkToCstmrStmt</p></html>", "statement_format_unknown", "web page"),
        (b"<?xml version='1.0'?><rss/>", "statement_format_unknown", "other XML"),
        (b"Date;Libell\xe9;D\xe9bit;Cr\xe9dit\n20/11/2026;VIR;;25,00\n", "statement_format_unknown", "CSV"),
        (b"date,label,amount\n2026-11-20,VIR,25.00\n", "statement_format_unknown", "CSV"),
        (b":20:STARTUMS\n:25:20041/0500013M026\n", "statement_format_unknown", "MT940"),
        (b"!Type:Bank\nD20/11/26\nT25.00\n^\n", "statement_format_unknown", "QIF"),
        (b"Bonjour, voici le relev\xe9\n", "statement_format_unknown", "none of the formats"),
        (CAMT.replace("BkToCstmrStmt", "BkToCstmrAcctRpt").replace("camt.053", "camt.052").encode(),
         "statement_format_unknown", "camt.052"),
        (CAMT.replace("BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn").replace("camt.053", "camt.054").encode(),
         "statement_format_unknown", "camt.054"),
        (b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.001.001.09'><CstmrCdtTrfInitn/></Document>",
         "statement_format_unknown", "payment file"),
        (CAMT.encode("utf-16"), "statement_unreadable", "UTF-16"),
        (CAMT.encode("utf-16-be"), "statement_unreadable", "UTF-16"),
        (sample("ofx_sample.ofx").decode().encode("utf-16"), "statement_unreadable", "UTF-16"),
        (CAMT.replace("JEANNE", "JEA\0NNE").encode(), "statement_unreadable", "NUL"),
        (sample("cfonb120_sample.txt").replace(b"JEANNE", b"JEA\0NE"), "statement_unreadable", "NUL"),
        (b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt/></Document>",
         "statement_empty", "no statement"),
        (b"<OFX></OFX>", "statement_empty", "no statement"),
    ],
)  # fmt: skip
def test_what_is_no_statement_is_refused_by_name(data: bytes, code: str, says: str) -> None:
    error = refusal(data)
    assert error.code == code and says in error.detail
    if code == "statement_format_unknown":
        assert "camt.053" in error.detail and "CFONB120" in error.detail


BOMB = """<!DOCTYPE Document [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>"""
OUTSIDE = """<!DOCTYPE Document [<!ENTITY c SYSTEM "file:///etc/hostname">]>"""
FOREIGN = """<!DOCTYPE Document SYSTEM "http://192.0.2.1/bank.dtd">"""


@pytest.mark.parametrize("doctype", [BOMB, OUTSIDE, FOREIGN, "<!DOCTYPE Document>"])
@pytest.mark.parametrize("name", ["camt053_001_08_sample.xml", "ofx_211.ofx"])
def test_document_types_and_their_entities_are_refused_unread(name: str, doctype: str) -> None:
    data = sample(name).decode()
    start = data.index("\n") + 1
    forged = data[:start] + doctype + "\n" + data[start:].replace("PSSTFRPPPAR", "&c;").replace("PAPETERIE", "&c;")
    with mock.patch("lxml.etree.iterparse", side_effect=AssertionError("parsed")):
        error = refusal(forged.encode())
    assert error.code == "statement_unreadable" and "DOCTYPE" in error.detail and error.line == 2


def test_a_document_type_cannot_hide_in_another_encoding() -> None:
    hidden = CAMT.replace('encoding="UTF-8"', 'encoding="UTF-7"').replace(
        "<Document", "+ADwAIQ-DOCTYPE x+AD4-<Document"
    )
    with mock.patch("lxml.etree.iterparse", side_effect=AssertionError("parsed")):
        assert "encoding" in refusal(hidden.encode()).detail


@pytest.mark.parametrize("name", ["camt053_001_08_sample.xml", "ofx_sample.ofx", "ofx_211.ofx"])
@pytest.mark.parametrize("depth", [50, 100, 300, 100_000])
def test_deep_nesting_is_refused(name: str, depth: int) -> None:
    data = sample(name)
    place = data.index(b"</STMTTRN>") if b"<OFX>" in data else data.index(b"</Ntry>")
    nested = data[:place] + b"<X>" * depth + b"</X>" * depth + data[place:]
    assert refusal(nested).code == "statement_unreadable" if depth > 50 else read(nested) == read(data)


def test_a_file_of_200_mb_is_refused_before_it_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "releve.xml"
    path.write_bytes(CAMT.encode())
    with path.open("r+b") as file:
        file.truncate(200 << 20)
    with (
        mock.patch.object(reading, "_reader", side_effect=AssertionError("looked at")),
        pytest.raises(StatementError) as big,
    ):
        read_file(path)
    assert big.value.code == "statement_too_large" and "shorter periods" in big.value.detail
    assert refusal(CAMT.encode().ljust(MAX_BYTES + 1)).code == "statement_too_large"
    assert read(CAMT.encode().ljust(MAX_BYTES)) == read(CAMT.encode())


@pytest.mark.parametrize(
    ("name", "module", "limit"),
    [
        ("camt053_001_08_sample.xml", "camt", 4),
        ("cfonb120_sample.txt", "cfonb", 2),
        ("ofx_sample.ofx", "ofx", 1),
        ("ofx_211.ofx", "ofx", 1),
    ],
)
def test_too_many_lines_are_refused(name: str, module: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    where = f"ledger.currency.bank.formats.{module}.MAX_LINES"
    monkeypatch.setattr(where, limit + 1)
    assert read(sample(name))
    monkeypatch.setattr(where, limit)
    error = refusal(sample(name))
    assert error.code == "statement_too_large" and error.line and str(limit) in error.detail


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_nothing_but_tags_or_lines_is_refused_before_it_is_parsed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = sum(sample(name).count(mark) for mark in (b"<", b"\n", b"\r"))
    monkeypatch.setattr(reading, "MAX_MARKS", marks)
    assert read(sample(name))
    monkeypatch.setattr(reading, "MAX_MARKS", marks - 1)
    assert refusal(sample(name)).code == "statement_too_large"


@pytest.mark.parametrize(
    ("name", "module"),
    [("camt053_001_08_sample.xml", "nodes"), ("ofx_211.ofx", "nodes"), ("ofx_sample.ofx", "sgml")],
)
def test_what_one_element_holds_is_bounded(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = sample(name)
    place = data.index(b"</STMTTRN>") if b"<OFX>" in data else data.index(b"</Ntry>")
    more = data[:place] + b"<X></X>" * 100 + data[place:]
    assert read(more) == read(data)
    monkeypatch.setattr(f"ledger.currency.bank.formats.{module}.MAX_NODES", 100)
    assert read(data)
    assert refusal(more).code == "statement_too_large"


def test_too_many_statements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_STATEMENTS", 1)
    assert refusal(sample("cfonb120_two_days.txt")).code == "statement_too_large"
    assert read(sample("cfonb120_sample.txt"))


def test_a_file_that_cannot_be_opened_is_an_error_of_the_same_kind(tmp_path: Path) -> None:
    with pytest.raises(StatementError) as missing:
        read_file(tmp_path / "none.xml")
    assert missing.value.code == "statement_unreadable" and "none.xml" in missing.value.detail


@pytest.mark.parametrize("name", NAMES)
def test_a_byte_order_mark_changes_nothing(name: str) -> None:
    assert read(b"\xef\xbb\xbf" + sample(name)) == read(sample(name))


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("camt")])
def test_blank_lines_before_the_file_only_move_its_lines(name: str) -> None:
    moved, stood = read(b"\r\n\r\n" + sample(name)), read(sample(name))
    assert [line.where - 2 for one in moved for line in one.lines] == [
        line.where for one in stood for line in one.lines
    ]


def test_several_statements_come_ordered_by_account_and_day() -> None:
    data = sample("cfonb120_two_days.txt")
    first, second = data[:1452], data[1452:]
    other = first.replace(b"0500013M026", b"0100013M026")
    days = [(one.account[10:], one.last.day) for one in read(second + first + other)]
    assert days == [("0100013M026", 20), ("0500013M026", 20), ("0500013M026", 23)]


@pytest.mark.parametrize(
    ("iban", "account", "same"),
    [
        (IBAN, IBAN, True),
        (IBAN, "20041010050500013M026", True),
        (IBAN, "20041?????0500013M026", True),
        (IBAN, "20041?????0500013M027", False),
        (IBAN, "20041010050500013M027", False),
        (IBAN, "0500013M026", False),
        (IBAN, "", False),
        ("MC5811222000010123456789030", "11222000010123456789030"[:21], True),
        ("DE89370400440532013000", "0400440532013000"[:21], False),
        ("DE89370400440532013000", "DE89370400440532013000", True),
        ("", "20041010050500013M026", False),
    ],
)
def test_whose_account_a_statement_is_of(iban: str, account: str, same: bool) -> None:
    assert same_account(iban, account) is same


def test_the_samples_are_of_the_same_account() -> None:
    for name in NAMES:
        assert any(same_account(IBAN, statement.account) for statement in read(sample(name))), name


def test_a_change_that_must_be_there_is() -> None:
    with pytest.raises(AssertionError):
        changed(b"abc", ("x", "y"))
