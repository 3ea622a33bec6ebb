"""The check of FEC files: a right one passes, and each planted wrong is found on its line."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest

from ledger.currency.accounts import fec_check
from ledger.currency.accounts.fec_check import Report

NAME = "123456782FEC20261231.txt"
HEAD = (
    "JournalCode\tJournalLib\tEcritureNum\tEcritureDate\tCompteNum\tCompteLib\tCompAuxNum\tCompAuxLib\tPieceRef\t"
    "PieceDate\tEcritureLib\tDebit\tCredit\tEcritureLet\tDateLet\tValidDate\tMontantdevise\tIdevise"
)
# As a bookkeeping program of an association might write it: numbers of each journal, accents.
SAMPLE = """\
AN|À nouveaux|AN-000001|20260101|5121000|Banques|||AN2026|20260101|À nouveaux|15000,00|0,00|||20260101||
AN|À nouveaux|AN-000001|20260101|4688100|Divers|MEMBRES|Porteurs|AN2026|20260101|À nouveaux|0,00|15000,00|||20260101||
BQ|Banque|BQ-000001|20261120|5121000|Banques|||V1|20261120|VIR MARTIN|25,00|0,00|||20261120||
BQ|Banque|BQ-000001|20261120|4688100|Divers|M00042|J. MARTIN|V1|20261120|VIR MARTIN|0,00|25,00|||20261120||
OD|Opérations|OD-000001|20261119|4688100|Divers|M00042|J. MARTIN|P1|20261119|Paiement|12,50|0,00|||20261120||
OD|Opérations|OD-000001|20261119|4688100|Divers|P00007|BOULANGERIE|P1|20261119|Paiement|0,00|12,50|||20261120||
OD|Opérations|OD-000002|20261120|4688100|Divers|P00007|BOULANGERIE|R1|20261120|Reconversion|10,00|0,00|||20261120||
OD|Opérations|OD-000002|20261120|4688300|Divers|P00007|BOULANGERIE|R1|20261120|Reconversion|0,00|9,50|||20261120||
OD|Opérations|OD-000002|20261120|7060000|Prestations|||R1|20261120|Reconversion|0,00|0,50|||20261120||
BQ|Banque|BQ-000002|20261123|4688300|Divers|P00007|BOULANGERIE|V2|20261123|VIR|9,50|0,00|||20261123||
BQ|Banque|BQ-000002|20261123|5121000|Banques|||V2|20261123|VIR|0,00|9,50|||20261123||
""".replace("|", "\t")
LINES = SAMPLE.splitlines()


def file(lines: list[str] = LINES, head: str = HEAD, end: str = "\r\n", charset: str = "utf-8") -> bytes:
    return end.join([head, *lines, ""]).encode(charset)


def check(data: bytes, name: str = NAME, start: date | None = None) -> Report:
    return fec_check.check(BytesIO(data), name, start)


def found(report: Report) -> list[tuple[str, int]]:
    assert report.total == len(report.findings) and report.ok == (not report.findings)
    return [(finding.code, finding.line) for finding in report.findings]


def changed(line: int, old: str, new: str) -> list[str]:
    """The sample with something else in a line (2 is the first below the header)."""
    lines = list(LINES)
    assert old in lines[line - 2]
    lines[line - 2] = lines[line - 2].replace(old, new)
    return lines


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-15"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("separator", ["\t", "|"])
def test_a_right_file_passes(charset: str, end: str, separator: str) -> None:
    lines = [line.replace("\t", separator) for line in LINES]
    report = check(file(lines, HEAD.replace("\t", separator), end, charset), start=date(2026, 1, 1))
    assert found(report) == []
    assert (report.entries, report.lines, report.debit, report.credit) == (5, 11, 1_505_700, 1_505_700)


def signed(side: tuple[str, str]) -> list[str]:
    """The sample with amounts in Montant and Sens."""
    lines = []
    for line in LINES:
        cells = line.split("\t")
        debit = cells[12] == "0,00"
        lines.append("\t".join([*cells[:11], cells[11] if debit else cells[12], side[not debit], *cells[13:]]))
    return lines


SIGNED_HEAD = HEAD.replace("Debit\tCredit", "Montant\tSens")
PAID = "\tDateRglt\tModeRglt\tNatOp\tIdClient"


@pytest.mark.parametrize("more", [0, 3, 4])
@pytest.mark.parametrize("side", [None, ("D", "C"), ("+1", "-1")])
def test_the_other_forms_of_the_law(side: tuple[str, str] | None, more: int) -> None:
    """Amounts with their side; three or four fields of books of payments."""
    head = (SIGNED_HEAD if side else HEAD) + "".join(f"\t{name}" for name in PAID.split("\t")[1 : more + 1])
    lines = [line + "".join(["\t20261121", "\tVIR", "\tRecettes", "\tM00042"][:more]) for line in
             (signed(side) if side else LINES)]  # fmt: skip
    report = check(file(lines, head))
    assert found(report) == []
    assert (report.entries, report.lines, report.debit, report.credit) == (5, 11, 1_505_700, 1_505_700)
    cut = [lines[0].rpartition("\t")[0], *lines[1:]]
    assert ("fields_count", 2) in found(check(file(cut, head)))


def test_what_is_wrong_in_the_other_forms() -> None:
    lines = signed(("D", "C"))
    for old, new, wanted in (
        ("\t25,00\tD", "\t25,00\t", "amount_malformed"), ("\t25,00\tD", "\t25,00\t1", "amount_malformed"),
        ("\t25,00\tD", "\t-25,00\tD", "amount_side"), ("\t25,00\tD", "\t0,00\tD", "amount_side"),
        ("\t25,00\tD", "\t25,00\tC", "entry_unbalanced"), ("\t25,00\tD", "\t25.00\tD", "amount_malformed"),
    ):  # fmt: skip
        changed = [lines[0], lines[1], lines[2].replace(old, new), *lines[3:]]
        assert changed != lines
        assert (wanted, 4) in found(check(file(changed, SIGNED_HEAD))), (old, new)
    paid = [f"{line}\t20261131\tVIR\t\t" for line in LINES]
    assert {code for code, _line in found(check(file(paid, HEAD + PAID)))} == {"date_malformed"}
    for head in (HEAD + "\tDateRglt", HEAD + "\tIdClient", HEAD.replace("Debit", "Montant"), HEAD + PAID + "\tX"):
        assert found(check(file(LINES, head))) == [("header_wrong", 1)]


@pytest.mark.parametrize("prefix", ["", "2026/"])
def test_numbers_may_run_through_the_whole_file_or_each_journal(prefix: str) -> None:
    old = ("AN-000001", "BQ-000001", "OD-000001", "OD-000002", "BQ-000002")
    for new in ((1, 2, 3, 4, 5), (1, 1, 1, 2, 2)):
        text = SAMPLE
        for before, after in zip(old, new, strict=True):
            text = text.replace(before, f"{prefix}{after}")
        assert found(check(file(text.splitlines()))) == []
    text = SAMPLE
    for before, after in zip(old, (1, 2, 3, 5, 6), strict=True):
        text = text.replace(before, f"{prefix}{after}")
    assert found(check(file(text.splitlines()))) == [("numbers_gap", 8)]


BALANCE = [("entry_unbalanced", 4), ("file_unbalanced", 0)]
WRONG: list[tuple[list[str], list[tuple[str, int]]]] = [
    (changed(4, "25,00", "25,01"), BALANCE),
    (changed(4, "25,00", "25.00"), [("amount_malformed", 4), *BALANCE]),
    (changed(2, "15000,00", "15 000,00"), [("amount_malformed", 2), ("entry_unbalanced", 2), ("file_unbalanced", 0)]),
    (changed(4, "\t0,00", "\t"), [("amount_malformed", 4)]),
    (changed(4, "\t0,00", "\t1,00"), [("amount_side", 4), *BALANCE]),
    (changed(4, "25,00", "0,00"), [("amount_side", 4), *BALANCE]),
    (changed(4, "25,00\t0,00", "0,00\t-25,00"), [("amount_side", 4)]),
    (changed(4, "\t20261120\t5121000", "\t20261131\t5121000"), [("date_malformed", 4), ("entry_differs", 5)]),
    (changed(4, "V1\t20261120", "V1\t2026-11-20"), [("date_malformed", 4)]),
    (changed(4, "V1\t20261120", "V1\t21261120"), [("date_malformed", 4)]),
    (changed(4, "V1\t20261120", "V1\t"), [("field_missing", 4)]),
    (changed(4, "Banque\t", "\t"), [("field_missing", 4), *(("label_differs", line) for line in (5, 11, 12))]),
    (changed(4, "\tV1", "\tV|1"), [("bar_in_text", 4)]),
    (changed(4, "\tV1", "\tV1\t"),
     [("fields_count", 4), ("entry_one_line", 5), ("entry_unbalanced", 5), ("file_unbalanced", 0)]),
    (changed(5, "J. MARTIN", ""), [("half_filled", 5), ("label_differs", 6)]),
    (changed(4, "0,00\t\t\t2", "0,00\tA\t\t2"), [("half_filled", 4)]),
    (changed(4, "20261120\t\t", "20261120\t25,00\t"), [("half_filled", 4)]),
    (changed(4, "5121000", "A121000"), [("account_malformed", 4)]),
    (changed(4, "5121000", "9121000"), [("account_malformed", 4)]),
    (changed(4, "5121000", "51"), [("account_malformed", 4)]),
    (changed(12, "Banques", "Banque"), [("label_differs", 12)]),
    (changed(12, "\tVIR", "\tV\x00IR"), [("character", 12)]),
    (changed(2, "5121000\tBanques", "7061000\tVentes"), [("opening_result", 2)]),
    ([line.replace("OD-000002", "OD-000003") for line in LINES], [("numbers_gap", 8)]),
    ([line.replace("OD-000001", "OD-A") for line in LINES], [("number_malformed", 6), ("numbers_gap", 8)]),
    ([*LINES[:2], *LINES[4:]], [("numbers_gap", 9)]),
    ([*LINES[2:], *LINES[:2]], [("opening_late", 11), ("order_validation", 11)]),
    ([*LINES[:4], *LINES[6:9], *LINES[4:6], *LINES[9:]], [("numbers_gap", 6), ("entry_scattered", 9)]),
    ([*LINES[:4], LINES[4], *LINES[6:9], LINES[5], *LINES[9:]],
     [("entry_one_line", 6), ("entry_unbalanced", 6), ("entry_one_line", 10), ("entry_scattered", 10),
      ("entry_unbalanced", 10)]),
    ([*LINES[:9], "", *LINES[9:]], [("line_empty", 11)]),
    ([line.replace("\t20261119\t4688100", "\t20261121\t4688100") for line in LINES],
     [("valid_early", 6), ("valid_early", 7)]),
    ([line.replace("20261123", "20270101") for line in LINES], [("date_outside_year", 11), ("date_outside_year", 12)]),
    ([line.replace("\tAN-000001\t20260101", "\tAN-000001\t20241130") for line in LINES],
     [("date_outside_year", 2), ("date_outside_year", 3)]),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "codes"), WRONG)
def test_each_wrong_is_found_on_its_line(lines: list[str], codes: list[tuple[str, int]]) -> None:
    assert sorted(found(check(file(lines)))) == sorted(codes)


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "file_empty", 0),
        (b"x", "header_wrong", 1),
        (file(head=HEAD.replace("Debit", "Montant")), "header_wrong", 1),
        (file(head=HEAD.replace("\t", ";")), "header_wrong", 1),
        (b"\xef\xbb\xbf" + file(), "charset_mark", 1),
        (file()[:-2], "line_unended", 12),
        (
            file().replace(b"Jeanne", b"").replace(b"MARTIN\t0,00", "Léa\t0,00".encode("iso-8859-15")),
            "charset_mixed",
            5,
        ),
        (file(end="\r\n").replace(b"\r\n", b"\n", 1), "line_end_mixed", 1),
        (file() + b"x" * 70_000, "line_long", 13),
        (file() + b"x" * 2**21, "line_long", 13),
    ],
)
def test_what_is_wrong_with_the_file_as_a_whole(data: bytes, code: str, line: int) -> None:
    assert (code, line) in found(check(data))


@pytest.mark.parametrize(
    "name",
    ["fec.txt", "123456782FEC20261231.csv", "123456782FEC20261331.txt", "123456789FEC20261231.txt", "1FEC2026.txt"],
)
def test_the_name_is_part_of_it(name: str) -> None:
    assert ("name_wrong", 0) in found(check(file(), name))
    assert found(check(file(), "")) == []


def test_the_first_day_of_the_year_may_be_known() -> None:
    codes = found(check(file(), start=date(2026, 1, 2)))
    assert codes == [("date_outside_year", 2), ("date_outside_year", 3)]


def test_a_file_that_was_cut_anywhere_is_found() -> None:
    """But where a whole entry ends: what is left is a whole file, and only its digest could tell."""
    data = file()
    ends = {0}
    for at in (2, 4, 6, 9, 11):
        ends.add(len(file(LINES[:at])))
    for size in range(len(HEAD) + 2, len(data)):
        if size not in ends:
            assert not check(data[:size]).ok or size == len(HEAD) + 2, size


def test_an_amount_that_was_changed_anywhere_is_found() -> None:
    data, places = file(), 0
    for at, byte in enumerate(data):
        if chr(byte).isdigit() and (b"," in data[at : at + 6].split(b"\t")[0] or data[at - 2 : at].count(b",")):
            places += 1
            assert not check(data[:at] + bytes([byte ^ 1]) + data[at + 1 :]).ok
    assert places > 60


def test_many_findings_are_counted() -> None:
    report = check(file([line.replace("\t20261120\t5", "\t20261120\tX") for line in LINES] * 300))
    assert len(report.findings) == fec_check.MOST_FINDINGS < report.total


def test_a_line_across_the_blocks_of_a_long_file() -> None:
    lines = [text.replace("BQ-000001", f"BQ-{n:06d}") for n in range(1, 8_000) for text in LINES[2:4]]
    report = check(file(lines))
    assert found(report) == [] and report.entries == 7_999 and len(file(lines)) > 2**20
