"""CFONB120: records, amounts with their sign in the last digit, and what banks make of the norm."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.currency.bank.formats.labels import kind_of_label, name_in_label
from ledger.currency.bank.formats.read import read
from ledger.currency.bank.statement import BankLine, LineKind
from tests.currency.bank.files import changed, one, refusal, sample

DAY = sample("cfonb120_sample.txt")
TWO = sample("cfonb120_two_days.txt")
ACCOUNT = "20041010050500013M026"


def said(line: BankLine) -> tuple[int, str, str, str, str, str]:
    return line.amount, line.kind.value, line.name, line.text, line.end_to_end, line.bank_ref


def test_a_day() -> None:
    statement = one(DAY)
    assert (statement.format, statement.account, statement.number) == ("cfonb120", ACCOUNT, "")
    assert (statement.opening, statement.closing) == (1500000, 1496155)
    # The old balance is that of the evening before.
    assert statement.first == statement.last == date(2026, 11, 20)
    assert [said(line) for line in statement.lines] == [
        (2500, "transfer", "MME JEANNE MARTIN", "MLC-TOPUP-7F3K9Q2M VIR SEPA MARTIN JEANNE", "", "0000001"),
        (6000, "transfer", "DURAND PAUL", "RF18539007547034 VIR INST DURAND PAUL", "", "0000002"),
        (-12345, "transfer", "BOULANGERIE DU PLOT", "VIR SEPA BOULANGERIE DU PLOT RC000123", "RC000123", "0000003"),
    ]
    assert [line.where for line in statement.lines] == [2, 6, 8]
    assert {line.value_on for line in statement.lines} == {date(2026, 11, 20)}


def test_two_days_as_banks_write_them() -> None:
    friday, monday = read(TWO)
    assert (friday.first, friday.last, monday.first, monday.last) == tuple(
        date(2026, 11, day) for day in (20, 20, 21, 23)
    )
    assert friday.closing == monday.opening == 1508500 and monday.closing == 1542225
    topup, collected = friday.lines
    assert said(topup)[:3] == (2500, "transfer", "Mme Hélène Lefèvre")
    # One text over two records, the bank's copy of its beginning left out, then the purpose and the label.
    assert topup.text == (
        "recharge monnaie de l'été pour toute la famille, merci à vous 7F3K9-Q 2M4T "
        "Adhésion vir sepa Mme Hélène Lefèvre"
    )
    assert (topup.iban, topup.end_to_end) == ("FR7630006000011234567890189", "")
    assert said(collected) == (6000, "debit", "REMISE PRLV SEPA", "REMISE PRLV SEPA", "SDD-2026-11", "B20261120/77")
    unpaid, fee, cash, back, late = monday.lines
    assert (unpaid.amount, unpaid.kind, unpaid.name) == (-3000, LineKind.RETURN, "M Luc Petit")
    assert (unpaid.end_to_end, unpaid.mandate, unpaid.reason) == ("DD2026110041", "MLC-00041", "AM04")
    assert (fee.kind, cash.kind, cash.bank_ref) == (LineKind.CHARGE, LineKind.CASH, "0000021")
    assert (back.amount, back.kind, back.name, back.reason) == (15345, LineKind.RETURN, "BOULANGERIE DU PLOT", "10")
    assert (back.iban, back.end_to_end) == ("FR7630004000031234567890143", "RC000123")
    assert (late.name, late.kind, late.value_on) == ("Paul Durand", LineKind.TRANSFER, None)


def records(data: bytes) -> list[bytes]:
    return [record for record in data.replace(b"\r", b"").split(b"\n") if record]


@pytest.mark.parametrize("data", [DAY, TWO])
def test_line_ends_do_not_matter(data: bytes) -> None:
    bare = [(s.opening, s.closing, [said(line) for line in s.lines]) for s in read(data)]
    for end in (b"\r\n", b"\n", b"\r", b""):
        other = read(end.join(records(data)))
        assert [(s.opening, s.closing, [said(line) for line in s.lines]) for s in other] == bare


def test_without_line_ends_a_place_is_the_number_of_the_record() -> None:
    joined = b"".join(records(DAY))
    assert [line.where for line in one(joined).lines] == [2, 6, 8]
    assert refusal(joined.replace(b"0000000001234N", b"00000000012E4N")).line == 8


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8", "utf-8-sig"])
def test_encodings(encoding: str) -> None:
    assert read(TWO.decode("latin-1").encode(encoding)) == read(TWO)


def test_utf_8_counted_in_bytes_is_read_as_well() -> None:
    """Some programs count 120 bytes, so that each accent takes a place from the end of its text."""

    def counted(record: str) -> bytes:
        width = {"04": 31, "05": 70}.get(record[:2], 0)
        text = record[48 : 48 + width].encode()[:width]
        return record[:48].encode() + text + record[48 + width :].encode()

    file = b"\n".join(counted(record.decode("latin-1")) for record in records(TWO))
    assert all(len(record) == 120 for record in records(file))
    mended = [(s.closing, [(line.name, line.end_to_end) for line in s.lines]) for s in read(file)]
    assert mended == [(s.closing, [(line.name, line.end_to_end) for line in s.lines]) for s in read(TWO)]


def test_the_debiting_banks_code_may_stand_in_a_movement() -> None:
    assert one(changed(DAY, ("0420041    01005", "0410556677201005"), ("0520041", "0510556"))) == one(DAY)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("05", "transfer"), ("C2", "transfer"), ("B1", "debit"), ("A1", "debit"), ("A3", "return"), ("C5", "return"),
     ("12", "return"), ("29", "cash"), ("66", "charge"), ("02", "other"), ("  ", "transfer")],
)  # fmt: skip
def test_interbank_codes(code: str, kind: str) -> None:
    data = changed(DAY, ("M02605201126  201126VIR SEPA MARTIN", f"M026{code}201126  201126VIR SEPA MARTIN"))
    if code == "02":
        data = changed(data, ("VIR SEPA MARTIN", "REM CHQ  MARTIN"))
    assert one(data).lines[0].kind == kind


@pytest.mark.parametrize(
    ("record", "reason"),
    [("AM04 PROVISION INSUFFISANTE", "AM04"), ("MD06", "MD06"), ("COMPTE CLOS", "COMPTE CLOS"), ("", "07")],
)
def test_why_it_came_back(record: str, reason: str) -> None:
    lines = DAY.decode().split("\r\n")
    lines[7] = lines[7][:40] + "07" + lines[7][42:]
    lines[8] = lines[8][:45] + "RET" + record.ljust(70) + "  "
    line = one("\r\n".join(lines).encode()).lines[2]
    assert (line.kind, line.reason) == (LineKind.RETURN, reason)


@given(st.integers(min_value=-(10**13), max_value=10**13), st.integers(min_value=-(10**9), max_value=10**9))
@settings(max_examples=100, deadline=None)
def test_amounts(opening: int, amount: int) -> None:
    lines = DAY.decode().split("\r\n")
    amounts = zip((0, 1, 10), (opening, amount, opening + amount), strict=True)
    block = [lines[place][:90] + overpunched(cents) + lines[place][104:] for place, cents in amounts]
    statement = one("\n".join(block).encode())
    assert (statement.opening, statement.closing) == (opening, opening + amount)
    assert [line.amount for line in statement.lines] == ([amount] if amount else [])
    block[1] = block[1][:90] + overpunched(amount + 1) + block[1][104:]
    assert refusal("\n".join(block).encode()).code == "statement_sum_wrong"


def overpunched(amount: int) -> str:
    """As the norm has it: 13 digits, and a last one that tells the sign."""
    digits = f"{abs(amount):014d}"
    return digits[:13] + ("{ABCDEFGHI" if amount >= 0 else "}JKLMNOPQR")[int(digits[13])]


BAD = "statement_unreadable"
REFUSED = [
    ("a long record", 2, lambda r: r + "x", BAD, "121 characters", 3),
    ("a tab", 2, lambda r: r.replace("     NPY", "\tNPY"), BAD, "a tab", 3),
    ("cut before its amount", 1, lambda r: r[:88], BAD, "not an amount", 2),
    ("another record", 2, lambda r: "06" + r[2:], BAD, "'06'", 3),
    ("no old balance", 0, lambda r: "", BAD, "start of the file is missing", 2),
    ("no new balance", 10, lambda r: "", BAD, "line 1 is missing", None),
    ("two old balances", 5, lambda r: "01" + r[2:], BAD, "line 1 is missing", 6),
    ("more about nothing", 1, lambda r: "05" + r[2:], BAD, "before any movement", 2),
    ("another account", 1, lambda r: r.replace("0500013M026", "0500013M027"), BAD, "another account", 2),
    ("another branch", 1, lambda r: r.replace("01005EUR", "01006EUR"), BAD, "another account", 2),
    ("another account at the end", 10, lambda r: r.replace("0500013M026", "0500013M027"), BAD, "another account", 11),
    ("another currency", 1, lambda r: r.replace("EUR", "CHF"), "statement_not_euros", "CHF", 2),
    ("Pacific francs", 0, lambda r: r.replace("EUR2", "XPF0"), "statement_not_euros", "XPF", 1),
    ("three decimals", 1, lambda r: r.replace("EUR2", "EUR3"), BAD, "'3' decimals", 2),
    ("no decimals", 1, lambda r: r.replace("EUR2", "EUR0"), BAD, "'0' decimals", 2),
    ("a plain amount", 1, lambda r: r.replace("0000000000250{", "00000000002500"), BAD, "not an amount", 2),
    ("blanks in an amount", 1, lambda r: r.replace("0000000000250{", "          250{"), BAD, "not an amount", 2),
    ("other digits", 1, lambda r: r.replace("0000000000250{", "00000000002٥0{"), BAD, "not an amount", 2),
    ("a sign", 1, lambda r: r.replace("0000000000250{", "0000000000250}"), "statement_sum_wrong", "14961.55", 11),
    ("no day", 1, lambda r: r.replace("05201126", "05      "), BAD, "not a date", 2),
    ("no such day", 1, lambda r: r.replace("05201126", "05311126"), BAD, "31/11/2026", 2),
    ("another year", 1, lambda r: r.replace("05201126", "05201116"), BAD, "2016-11-20", 2),
    ("ends before it begins", 10, lambda r: r.replace("201126", "201026"), BAD, "ends on 2026-10-20", 11),
]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "edit", "code", "says", "line"), [row[1:] for row in REFUSED], ids=[str(row[0]) for row in REFUSED]
)
def test_refused(place, edit, code, says, line) -> None:
    lines = DAY.decode().split("\r\n")
    lines[place] = edit(lines[place])
    error = refusal("\r\n".join(lines).encode())
    assert (error.code, says in error.detail, error.line) == (code, True, line), error


def test_cut_between_two_records_is_refused() -> None:
    whole = records(DAY)
    for count in range(1, len(whole)):
        error = refusal(b"\n".join(whole[:count]))
        assert error.code == BAD and "new balance (07)" in error.detail


@pytest.mark.parametrize(
    ("label", "kind", "name"),
    [
        ("VIR SEPA MARTIN JEANNE", "transfer", "MARTIN JEANNE"),
        ("Virement instantané de Hélène Lefèvre", "transfer", "Hélène Lefèvre"),
        ("VIR INST RECU DE M DURAND", "transfer", "M DURAND"),
        ("VIREMENT DE LECLERE", "transfer", "LECLERE"),
        ("VIR SEPA DE LA TOUR", "transfer", "DE LA TOUR"),
        ("VIREMENT", "transfer", "VIREMENT"),
        ("VIRGINIE MARTIN", "other", "VIRGINIE MARTIN"),
        ("PRLV SEPA FREE MOBILE", "debit", "FREE MOBILE"),
        ("REJET VIR SEPA BOULANGERIE", "return", "BOULANGERIE"),
        ("Rejet de virement BOULANGERIE", "return", "BOULANGERIE"),
        ("RETOUR PRELEVEMENT LUC PETIT", "return", "LUC PETIT"),
        ("PRLV SEPA IMPAYE LUC PETIT", "return", "LUC PETIT"),
        ("VIR SEPA RETOUR AUX SOURCES", "transfer", "RETOUR AUX SOURCES"),
        ("RETOUR AUX SOURCES", "other", "RETOUR AUX SOURCES"),
        ("F COMMISSION D INTERVENTION", "charge", "F COMMISSION D INTERVENTION"),
        ("COTISATION CARTE BUSINESS", "charge", "COTISATION CARTE BUSINESS"),
        ("COTISATION 2026 JEANNE MARTIN", "other", "COTISATION 2026 JEANNE MARTIN"),
        ("VERSEMENT ESPECES", "cash", "VERSEMENT ESPECES"),
        ("REMISE D'ESPÈCES", "cash", "REMISE D'ESPÈCES"),
        ("REMISE CHEQUES", "other", "REMISE CHEQUES"),
        ("", "other", ""),
    ],
)
def test_what_labels_say(label: str, kind: str, name: str) -> None:
    assert (kind_of_label(label).value, name_in_label(label)) == (kind, name)


@pytest.mark.parametrize("via", ["VIR SEPA", "VIREMENT", "VRT INST", "TRANSFERT", "SCT"])
def test_whom_a_transfer_was_to_does_not_say_that_it_came_back(via: str) -> None:
    for word in ("RETOURNE", "REJETES", "IMPAYE"):
        label = f"{via} {word} SARL"
        assert (kind_of_label(label, -1), kind_of_label(label, 1)) == (LineKind.TRANSFER, LineKind.RETURN)
    assert kind_of_label(f"REJET {via}", -1) is kind_of_label("PRLV SEPA IMPAYE LUC PETIT", -1) is LineKind.RETURN
