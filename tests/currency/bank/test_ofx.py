"""OFX of both versions: tags with and without ends, accounts by their French parts, and no opening balance."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.currency.bank.formats.read import read
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.charter.ibans import rib_key
from tests.currency.bank.files import changed, one, refusal, sample

DAY = sample("ofx_sample.ofx")
LINE = sample("ofx_102_one_line.ofx")
XML = sample("ofx_211.ofx")
ACCOUNT = "20041010050500013M026"


def said(line: BankLine) -> tuple[int, str, str, str, str]:
    return line.amount, line.kind.value, line.name, line.text, line.bank_ref


def test_a_day() -> None:
    statement = one(DAY)
    assert (statement.format, statement.account, statement.number) == ("ofx", ACCOUNT, "")
    # The file has the closing balance only.
    assert (statement.opening, statement.closing) == (1490155 - 2500 + 12345, 1490155)
    assert statement.first == statement.last == date(2026, 11, 20)
    assert [said(line) for line in statement.lines] == [
        (2500, "transfer", "MARTIN JEANNE", "VIR SEPA MARTIN JEANNE MLC-TOPUP-7F3K9Q2M", "2026112000000001"),
        (-12345, "transfer", "BOULANGERIE DU PLOT", "VIR SEPA BOULANGERIE DU PLOT RC000123", "2026112000000005"),
    ]
    assert [line.where for line in statement.lines] == [15, 16]


def test_all_on_one_line_newest_first() -> None:
    statement = one(LINE)
    assert (statement.account, statement.closing) == (ACCOUNT, 1511035)
    assert (statement.first, statement.last) == (date(2026, 11, 21), date(2026, 11, 24))
    assert [said(line)[:4] for line in statement.lines] == [
        (4000, "transfer", "DUPONT & FILS <3 7F3K", "VIREMENT DE DUPONT & FILS <3 7F3K 9-Q2M4T MERCI"),
        (20000, "cash", "VERSEMENT", "VERSEMENT"),
        (-3000, "return", "LUC PETIT", "REJET PRLV SEPA LUC PETIT DD2026110041 <AM04>"),
        (-120, "charge", "FRAIS PRLV IMPAYE", "FRAIS PRLV IMPAYE"),
    ]


def test_version_2_with_accents_another_account_and_a_card() -> None:
    statement = one(XML)
    assert (statement.account, statement.opening, statement.closing) == ("20041?????0500013M026", 1496155, 1496805)
    # It was asked for until the 30th; its balance is of the 24th.
    assert (statement.first, statement.last) == (date(2026, 11, 21), date(2026, 11, 24))
    topup, phone = statement.lines
    assert topup.name == "Hélène Lefèvre-Dubois de la Tour du Pin"
    assert topup.text == "VIR SEPA RECU Hélène Lefèvre-Dubois de la Tour du Pin Recharge & adhésion"
    assert (topup.iban, topup.value_on) == ("FR7630006000011234567890189", date(2026, 11, 24))
    assert (phone.name, phone.kind, phone.amount) == ("FREE MOBILE", LineKind.DEBIT, -1900)


@pytest.mark.parametrize(
    "edit",
    [
        ("<CODE>0<", "<CODE>0</CODE><"),
        ("<TRNAMT>+25.00", "<TRNAMT>+25.00</TRNAMT>"),
        ("<TRNAMT>+25.00", "<TRNAMT>25,0"),
        ("<NAME>VIR SEPA MARTIN", "\r\n  <name>\n  VIR SEPA MARTIN"),
        ("<FITID>2026112000000001", "<CHECKNUM><XBANK.TAG>7<FITID>2026112000000001"),
        ("<DTPOSTED>20261120<TRNAMT>+", "<DTPOSTED>20261120235959.999[-5:EST]<TRNAMT>+"),
        ("</BANKTRANLIST>", "</BANKTRANLIST><BANKTRANLISTP><DTASOF>20261120</BANKTRANLISTP>"),
        ("<LEDGERBAL>", "<AVAILBAL><BALAMT>1<DTASOF>20261120</AVAILBAL><LEDGERBAL>"),
        ("<MEMO>MLC-TOPUP", "<MEMO>MLC&#45;TOPUP"),
        ("OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\n", "OFXHEADER:100 DATA:OFXSGML VERSION:102 "),
    ],
)
def test_how_tags_are_written_does_not_matter(edit: tuple[str, str]) -> None:
    assert [said(line) for line in one(changed(DAY, edit)).lines] == [said(line) for line in one(DAY).lines]


def test_a_file_without_header_and_with_all_its_end_tags() -> None:
    bare = XML[XML.index(b"<OFX>") :].replace(b"<?", b"")
    assert [said(line) for line in one(bare).lines] == [said(line) for line in one(XML).lines]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_accents_are_read_whatever_the_header_says(encoding: str) -> None:
    accents = changed(DAY, ("JEANNE", "HÉLÈNE"), ("PLOT", "PLÔT"))
    assert [line.name for line in one(accents.decode().encode(encoding)).lines] == [
        "MARTIN HÉLÈNE",
        "BOULANGERIE DU PLÔT",
    ]
    # Version 2 as well: this one says US-ASCII.
    assert one(XML.decode().encode(encoding)) == one(XML)


PARTS = "<BANKID>20041<BRANCHID>01005<ACCTID>0500013M026<ACCTTYPE>CHECKING<ACCTKEY>06"


@pytest.mark.parametrize(
    ("parts", "account"),
    [
        ("<BANKID>20041<BRANCHID>1005<ACCTID>0500013m026<ACCTTYPE>CHECKING", ACCOUNT),
        ("<BANKID>20041<BRANCHID>01005<ACCTID>05 00013M026<ACCTTYPE>CHECKING<ACCTKEY>06", ACCOUNT),
        ("<BANKID>20041<BRANCHID>01005<ACCTID>0500013M02606<ACCTTYPE>CHECKING", ACCOUNT),
        ("<BANKID>20041<ACCTID>0500013M02606<ACCTTYPE>CHECKING<ACCTKEY>06", "20041?????0500013M026"),
        ("<BANKID>20041<ACCTID>20041010050500013M02606<ACCTTYPE>CHECKING", ACCOUNT),
        ("<BANKID>20041<ACCTID>20041010050500013M026<ACCTTYPE>CHECKING", ACCOUNT),
        ("<BANKID>PSSTFRPP<ACCTID>FR14 2004 1010 0505 0001 3M02 606", "FR1420041010050500013M02606"),
        ("<BANKID>16188<BRANCHID>1<ACCTID>123456789", "161880000100123456789"),
        ("<ACCTID>999988", "999988"),
    ],
)
def test_accounts(parts: str, account: str) -> None:
    assert one(changed(DAY, (PARTS, parts))).account == account


def test_the_key_of_french_accounts() -> None:
    assert rib_key(ACCOUNT) == "06"
    assert rib_key("300060000112345678901") == "89"
    assert rib_key("100110002012345678901") == "88" and rib_key("300010079412345678901") == "85"
    assert rib_key("2004101005") == rib_key("20041A10050500013M026") == ""


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("XFER", "transfer"),
        ("DIRECTDEBIT", "debit"),
        ("FEE", "charge"),
        ("ATM", "cash"),
        ("OTHER", "transfer"),
        ("", "transfer"),
    ],
)
def test_types(type_: str, kind: str) -> None:
    assert one(changed(DAY, ("<TRNTYPE>CREDIT", f"<TRNTYPE>{type_}"))).lines[0].kind == kind


OUT = "<TRNTYPE>DEBIT<DTPOSTED>20261120<TRNAMT>-123.45<FITID>2026112000000005<NAME>VIR SEPA BOULANGERIE DU PLOT<MEMO>RC"


@pytest.mark.parametrize("type_", ["XFER", "DIRECTDEBIT", "FEE", "CASH"])
def test_who_orders_a_transfer_does_not_say_that_it_is_a_return(type_: str) -> None:
    """A payee may be called so; where the type says what it is, the bank said no return."""
    typed = OUT.replace("<TRNTYPE>DEBIT", f"<TRNTYPE>{type_}")
    plain, named = (
        one(changed(DAY, (OUT, text))).lines[1].kind
        for text in (typed, typed.replace("VIR SEPA BOULANGERIE DU PLOT", "RETOUR VIREMENT"))
    )
    assert named is plain is not LineKind.RETURN


@pytest.mark.parametrize(("name", "kind"), [("NAME", "return"), ("MEMO", "other")])
def test_a_label_says_that_it_is_a_return_and_a_memo_does_not(name: str, kind: str) -> None:
    text = OUT.replace("<NAME>VIR SEPA BOULANGERIE DU PLOT<MEMO>RC", f"<{name}>RETOUR VIREMENT ")
    assert one(changed(DAY, (OUT, text))).lines[1].kind == kind


@pytest.mark.parametrize("type_", ["CREDIT", "XFER"])
def test_what_came_in_so_is_taken_for_a_return(type_: str) -> None:
    text = f"<TRNTYPE>{type_}", "<NAME>RETOUR VIREMENT"
    came = one(changed(DAY, ("<TRNTYPE>CREDIT", text[0]), ("<NAME>VIR SEPA MARTIN JEANNE", text[1]))).lines[0]
    assert came.kind is LineKind.RETURN


LIST = "<BANKTRANLIST><DTSTART>20261120<DTEND>20261120"


@pytest.mark.parametrize(
    ("begins", "ends", "as_of", "days"),
    [
        ("20261101", "20261120", "20261120", (1, 20)),
        ("20261101", "20261130", "20261124", (1, 24)),
        ("20261101", "20261120", "20261122", (1, 20)),  # a weekend
        ("20261121", "20261120", "20261120", (20, 20)),
    ],
)
def test_which_days_it_covers(begins: str, ends: str, as_of: str, days: tuple[int, int]) -> None:
    edits = (LIST, f"<BANKTRANLIST><DTSTART>{begins}<DTEND>{ends}"), ("<DTASOF>20261120", f"<DTASOF>{as_of}")
    statement = one(changed(DAY, *edits))
    assert (statement.first.day, statement.last.day) == days


def test_without_lines_it_is_the_balance_of_a_day() -> None:
    empty = DAY[: DAY.index(b"<STMTTRN>")] + DAY[DAY.index(b"</BANKTRANLIST>") :]
    statement = one(empty)
    assert statement.lines == () and statement.opening == statement.closing == 1490155


BAD, SUM, EUROS = "statement_unreadable", "statement_sum_wrong", "statement_not_euros"
REFUSED = [
    ("no balance", "<LEDGERBAL><BALAMT>14901.55<DTASOF>20261120</LEDGERBAL>", "", BAD, "no balance with its day", 12),
    ("no amount of it", "<BALAMT>14901.55", "", BAD, "ask the bank for camt.053", 12),
    ("no day of it", "<DTASOF>20261120", "", BAD, "ask the bank for camt.053", 12),
    ("a balance days after the lines", "<DTASOF>20261120", "<DTASOF>20261124", SUM, "fetch the lines up to", 17),
    ("a balance before the lines", "<DTASOF>20261120", "<DTASOF>20261119", SUM, "a day that is closed", 15),
    ("no account", PARTS, "<BANKID>20041", BAD, "which account", 12),
    ("another currency", "<CURDEF>EUR", "<CURDEF>CHF", EUROS, "CHF", 12),
    ("no currency", "<CURDEF>EUR", "", BAD, "CURDEF", 12),
    ("a line in another", "<FITID>2026112000000001", "<CURRENCY><CURSYM>USD</CURRENCY>", EUROS, "USD", 15),
    ("a correction", "<FITID>2026112000000001", "<CORRECTFITID>7<CORRECTACTION>REPLACE", BAD, "corrects", 15),
    ("three decimals", "+25.00", "+25.001", BAD, "two decimals", 15),
    ("thousands", "+25.00", "+1,025.00", BAD, "not an amount", 15),
    ("no amount", "<TRNAMT>+25.00", "", BAD, "not an amount", 15),
    ("no day", "<DTPOSTED>20261120", "", BAD, "not a date", 15),
    ("no such day", "<DTPOSTED>20261120", "<DTPOSTED>20261131", BAD, "31/11/2026", 15),
    ("a day as we write it", "<DTPOSTED>20261120", "<DTPOSTED>20/11/2026", BAD, "not a date", 15),
    ("another year", "<DTPOSTED>20261120<TRNAMT>+", "<DTPOSTED>20161120<TRNAMT>+", BAD, "2016-11-20", 15),
    ("a tag", "</STMTTRN>\n<STMTTRN>", "</STMTRN>\n<STMTTRN>", BAD, "within <STMTTRN>", 15),
    ("no end tag", "</STMTTRN>\n<STMTTRN>", "\n<STMTTRN>", BAD, "within", None),
    ("a text where there is none", "</STMTTRN>\n<STMTTRN>", "</STMTTRN>oh\n<STMTTRN>", BAD, "text stands behind", 15),
    ("a text before what it holds", "<STMTTRN><TRNTYPE>CREDIT", "<STMTTRN>oh<TRNTYPE>CREDIT", BAD, "damaged", 15),
    ("half a tag", "<TRNAMT>+25.00", "<TRNAMT+25.00", BAD, "no tag can be read", None),
    ("more behind", "</OFX>", "</OFX><OFX></OFX>", BAD, "after the end", 17),
    ("no content", "<OFX>", "", BAD, "no <OFX>", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "code", "says", "line"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused(old: str, new: str, code: str, says: str, line: int | None) -> None:
    error = refusal(changed(DAY, (old, new)))
    assert (error.code, says in error.detail) == (code, True), error
    assert line is None or error.line == line, error


def test_a_card_alone_is_no_statement() -> None:
    start, end = XML.index(b"<BANKMSGSRSV1>"), XML.index(b"</BANKMSGSRSV1>") + len(b"</BANKMSGSRSV1>")
    error = refusal(XML[:start] + XML[end:])
    assert error.code == "statement_empty" and "bank account" in error.detail


def test_a_card_before_the_account_leaves_it_its_own_lines() -> None:
    start = XML.index(b"<CREDITCARDMSGSRSV1>")
    end = XML.index(b"</CREDITCARDMSGSRSV1>") + len(b"</CREDITCARDMSGSRSV1>")
    place = XML.index(b"<BANKMSGSRSV1>")
    moved = XML[:place] + XML[start:end] + XML[place:start] + XML[end:]
    assert [said(line) for line in one(moved).lines] == [said(line) for line in one(XML).lines]


def test_two_accounts_in_one_file() -> None:
    start, end = DAY.index(b"<STMTTRNRS>"), DAY.index(b"</STMTTRNRS>") + len(b"</STMTTRNRS>")
    other = DAY[start:end].replace(b"0500013M026", b"0100013M026").replace(b"+25.00", b"+35.00")
    first, second = read(DAY[:end] + other + DAY[end:])
    assert (first.account[10:], second.account[10:]) == ("0100013M026", "0500013M026")
    assert [line.amount for line in first.lines] == [3500, -12345] and second == one(DAY)
