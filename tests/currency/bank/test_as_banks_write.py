"""What banks write beside their norms: periods, midnights, amounts, blanks, several documents, other accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ledger.currency import reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, taking
from ledger.currency.bank.formats.fields import cents
from ledger.currency.bank.formats.read import read
from ledger.currency.bank.statement import Statement, StatementError
from tests import towns
from tests.currency.bank import scene
from tests.currency.bank.files import changed, one, refusal, sample

OFX, XML_OFX, CFONB = sample("ofx_sample.ofx"), sample("ofx_211.ofx"), sample("cfonb120_sample.txt")
OTHER_IBAN = "FR7630006000011234567890189"
Booked = tuple[str, str]
"""A day, or a moment; and a signed amount."""


def balance(code: str, amount: str, day: str) -> str:
    sign, plain = ("DBIT" if amount.startswith("-") else "CRDT"), amount.removeprefix("-")
    when = "DtTm" if "T" in day else "Dt"
    return (f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{plain}</Amt>"
            f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><{when}>{day}</{when}></Dt></Bal>")  # fmt: skip


def entry(day: str, amount: str) -> str:
    sign, plain = ("DBIT" if amount.startswith("-") else "CRDT"), amount.removeprefix("-")
    when = "DtTm" if "T" in day else "Dt"
    return (f"<Ntry><Amt Ccy='EUR'>{plain}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>BOOK</Sts>"
            f"<BookgDt><{when}>{day}</{when}></BookgDt></Ntry>")  # fmt: skip


def stmt(
    opening: str, closing: str, lines: Sequence[Booked], *, period: tuple[str, str] | None = None, summary: str = "",
    iban: str = scene.IBAN,
) -> str:  # fmt: skip
    """A statement of camt.053; `opening` and `closing` are what `balance` makes."""
    told = f"<FrToDt><FrDtTm>{period[0]}</FrDtTm><ToDtTm>{period[1]}</ToDtTm></FrToDt>" if period else ""
    entries = "".join(entry(*line) for line in lines)
    return f"<Stmt>{told}<Acct><Id><IBAN>{iban}</IBAN></Id></Acct>{opening}{closing}{summary}{entries}</Stmt>"


def camt(*statements: str) -> bytes:
    space = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
    inside = "".join(statements)
    return (
        f"<?xml version='1.0'?>\n<Document xmlns='{space}'><BkToCstmrStmt>{inside}</BkToCstmrStmt></Document>".encode()
    )


def days(statement: Statement) -> tuple[str, str]:
    return statement.first.isoformat(), statement.last.isoformat()


# --- balances and periods ----------------------------------------------------------------------------------


def test_lines_stretch_no_period() -> None:
    lines = [("2026-09-30", "10.00"), ("2026-09-10", "4.00"), ("2026-10-20", "2.00")]
    found = one(camt(stmt(balance("OPBD", "0.00", "2026-09-30"), balance("CLBD", "16.00", "2026-09-30"), lines)))
    assert days(found) == ("2026-09-30", "2026-09-30")
    assert [line.booked_on for line in found.lines] == [date(2026, 9, 10), date(2026, 9, 30), date(2026, 10, 20)]


def test_the_balance_before_has_the_day_of_the_one_after() -> None:
    found = one(
        camt(stmt(balance("PRCD", "5.00", "2026-10-05"), balance("CLBD", "6.00", "2026-10-05"), [("2026-10-05", "1")]))
    )
    assert days(found) == ("2026-10-05", "2026-10-05")


@pytest.mark.parametrize(
    ("closing", "period", "line", "last"),
    [
        ("2026-07-01T00:00:00+02:00", None, "2026-06-28", "2026-06-30"),
        ("2026-06-30T22:00:00Z", None, "2026-06-28", "2026-06-30"),
        ("2026-07-01T00:00:00", None, "2026-06-28", "2026-06-30"),
        ("2026-06-30T24:00:00", None, "2026-06-28", "2026-06-30"),
        ("2026-06-30T23:59:59+02:00", None, "2026-06-28", "2026-06-30"),
        ("2026-07-01T00:00:00", None, "2026-07-01", "2026-07-01"),
        ("2026-07-01T00:00:00", ("2026-06-01T00:00:00", "2026-07-01T23:59:59"), "2026-06-28", "2026-07-01"),
        ("2026-06-01T00:00:00", None, "2026-06-01", "2026-06-01"),
    ],
)
def test_a_closing_balance_at_midnight_is_of_the_day_that_ends(
    closing: str, period: tuple[str, str] | None, line: str, last: str
) -> None:
    opening = balance("OPBD", "0", "2026-06-01T00:00:00+02:00")
    found = one(camt(stmt(opening, balance("CLBD", "7.5", closing), [(line, "7.5")], period=period)))
    assert days(found) == ("2026-06-01", last)


def test_a_balance_without_its_sign() -> None:
    bad = stmt(balance("OPBD", "0", "2026-06-01"), balance("CLBD", "1", "2026-06-01"), [("2026-06-01", "1")])
    error = refusal(camt(bad.replace("<CdtDbtInd>CRDT</CdtDbtInd><Dt>", "<Dt>", 1)))
    assert "the balance OPBD says neither CRDT nor DBIT" in error.detail and "or for CFONB120" in error.detail


@pytest.mark.parametrize(
    ("all_", "came", "went"),
    [("19.00", "10.00", "9.00"), ("1.00", "10.00", "9.00"), ("19.00", "10.00", "-9.00"), ("-1.00", "10.00", "-9.00")],
)
def test_what_a_summary_holds(all_: str, came: str, went: str) -> None:
    groups = (("TtlNtries", all_), ("TtlCdtNtries", came), ("TtlDbtNtries", went))
    summary = "".join(f"<{name}><Sum>{total}</Sum></{name}>" for name, total in groups)
    opening, closing = balance("OPBD", "0", "2026-06-01"), balance("CLBD", "1", "2026-06-01")
    lines = [("2026-06-01", "10.00"), ("2026-06-01", "-9.00")]
    assert one(camt(stmt(opening, closing, lines, summary=f"<TxsSummry>{summary}</TxsSummry>"))).closing == 100
    wrong = summary.replace(came, "10.01")
    assert (
        "sum to 10.01" in refusal(camt(stmt(opening, closing, lines, summary=f"<TxsSummry>{wrong}</TxsSummry>"))).detail
    )


# --- amounts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".5", 50),
        ("+7.50", 750),
        ("000000000000000007.5", 750),
        ("7.", 700),
        ("0000.500", 50),
        ("12345678.90", 1234567890),
    ],
)
def test_every_form_of_a_decimal(text: str, expected: int) -> None:
    assert cents(text, None) == expected
    assert cents(f"-{text.lstrip('+')}", None, signed=True) == -expected


@pytest.mark.parametrize("text", ["", ".", "+", "-1", "1,5", "1e5", "1.005", "9" * 20, "0" * 60 + "1", "1 000", "+-1"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(StatementError):
        cents(text, 7)


def test_a_comma_before_three_digits_says_nothing() -> None:
    assert (cents("1,40", None, comma=True), cents("-1,4", None, comma=True, signed=True)) == (140, -140)
    with pytest.raises(StatementError, match="thousands or in thousandths"):
        cents("1,400", None, comma=True)


# --- several in one file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("between", ["", "\n", "\n\n \n", "\ufeff", "\n\ufeff\n"])
@pytest.mark.parametrize("declared", [True, False])
def test_several_documents_in_one_file(between: str, declared: bool) -> None:
    first = camt(stmt(balance("OPBD", "0", "2026-06-01"), balance("CLBD", "1", "2026-06-01"), [("2026-06-01", "1")]))
    second = camt(stmt(balance("OPBD", "1", "2026-06-02"), balance("CLBD", "3", "2026-06-02"), [("2026-06-02", "2")]))
    second = second if declared else second.split(b"\n", 1)[1]
    found = read(first + between.encode() + second)
    assert [(one.opening, one.closing, days(one)[0]) for one in found] == [
        (0, 100, "2026-06-01"), (100, 300, "2026-06-02")
    ]  # fmt: skip
    error = refusal(first + b"\n" + second.replace(b"BOOK", b"PDNG"))
    assert error.code == "statement_pending" and error.line == first.count(b"\n") + second.count(b"\n") + 2


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("opening_day", ["2026-10-05", "2026-10-02"])
def test_twice_a_day(tmp_path: Path, newest_first: bool, opening_day: str) -> None:
    parts = [
        stmt(balance("OPBD", a, opening_day), balance("CLBD", b, "2026-10-05"), [("2026-10-05", change)])
        for a, b, change in (("0", "8.85", "8.85"), ("8.85", "1.85", "-7.00"), ("1.85", "2.85", "1.00"))
    ]
    data = camt(*(parts[::-1] if newest_first else parts))
    with town_of(tmp_path, date(2026, 10, 6)) as town:
        assert [one.new for one in taking.take(town, read(data))] == [1, 1, 1]
        assert [one.new for one in taking.take(town, read(data))] == [0, 0, 0]
        assert [one.new for one in taking.take(town, read(camt(parts[1])))] == [0]


# --- CFONB -------------------------------------------------------------------------------------------------


def test_blanks_at_the_ends_of_records() -> None:
    lines = CFONB.decode().split("\r\n")
    for text in ("\r\n".join(line.rstrip() for line in lines), "\n".join(line + "  " for line in lines)):
        assert read(text.encode()) == read(CFONB)
    assert read(CFONB + b"\x1a") == read(CFONB + b"\r\n\x1a\r\n") == read(CFONB)


def test_another_bank_code_at_the_end() -> None:
    lines = CFONB.decode().split("\r\n")
    last = max(index for index, line in enumerate(lines) if line.startswith("07"))
    lines[last] = lines[last].replace("20041", "20042")
    assert read("\r\n".join(lines).encode()) == read(CFONB)


# --- OFX ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", ["<MEMO/>", "<MEMO />", "<MEMO>", "<MEMO></MEMO>"])
def test_a_leaf_without_a_text(empty: str) -> None:
    closed = changed(OFX, ("<MEMO>RC000123", "<MEMO>RC000123</MEMO>"))
    data = changed(closed, ("<MEMO>MLC-TOPUP-7F3K9Q2M", empty))
    topup, payout = one(data).lines
    assert (topup.text, payout.text) == ("VIR SEPA MARTIN JEANNE", "VIR SEPA BOULANGERIE DU PLOT RC000123")


def test_leaves_of_which_none_has_a_text() -> None:
    data = changed(OFX, ("<MEMO>RC000123", "<MEMO></MEMO>"), ("<MEMO>MLC-TOPUP-7F3K9Q2M", "<MEMO/>"))
    assert [line.text for line in one(data).lines] == ["VIR SEPA MARTIN JEANNE", "VIR SEPA BOULANGERIE DU PLOT"]


@pytest.mark.parametrize("mark", ["<BR/>", "<br>", "<BR />", "</br>"])
def test_a_line_break_in_a_text(mark: str) -> None:
    assert (
        one(changed(OFX, ("MLC-TOPUP-7F3K9Q2M", f"MLC-TOPUP{mark}7F3K9Q2M")))
        .lines[0]
        .text.endswith("MLC-TOPUP 7F3K9Q2M")
    )
    text = "<MEMO>Recharge &amp; adhésion</MEMO>"
    data = XML_OFX.replace(text.encode(), f"<MEMO>merci{mark}MLC 7F3K9-Q2M4T</MEMO>".encode())
    assert data != XML_OFX and "merci MLC 7F3K9-Q2M4T" in one(data).lines[0].text


def test_text_beside_elements_is_never_dropped() -> None:
    data = XML_OFX.replace(b"<MEMO>Recharge", b"<MEMO><B>x</B>Recharge")
    assert "a text stands beside the elements of MEMO" in refusal(data).detail


@pytest.mark.parametrize(
    ("written", "read_as"), [("&eacute;t&eacute;", "été"), ("&#233;t&#xE9;", "été"), ("A & B", "A & B")]
)
def test_entities(written: str, read_as: str) -> None:
    assert read_as in one(changed(OFX, ("MLC-TOPUP-7F3K9Q2M", written))).lines[0].text
    data = XML_OFX.replace(b"<MEMO>Recharge", b"<MEMO>" + written.encode() + b" Recharge")
    assert read_as in one(data).lines[0].text


def test_a_balance_among_the_lines_is_named() -> None:
    error = refusal(
        OFX.replace(b"<FITID>2026112000000001", b"<FITID>").replace(b"<NAME>VIR", b"<NAME>SOLDE DU JOUR VIR")
    )
    assert "a balance among the lines" in error.detail and error.line == 15


# --- what the account knows --------------------------------------------------------------------------------


def town_of(tmp_path: Path, today: date):
    """A town with a bank, on that day at six in the evening."""
    opened = scene.opened(tmp_path / "home")

    class At:
        def __enter__(self):
            town = opened.__enter__()
            evening = datetime(today.year, today.month, today.day, 17, tzinfo=UTC).timestamp()
            towns.clock(town).forward(evening - town.now() / 1e6)
            return town

        def __exit__(self, *error):
            return opened.__exit__(*error)

    return At()


def month(opening: str, closing: str, first: str, last: str, *lines: Booked, iban: str = scene.IBAN) -> str:
    return stmt(
        balance("OPBD", opening, first), balance("CLBD", closing, last), lines,
        period=(f"{first}T00:00:00", f"{last}T23:59:59"), iban=iban,
    )  # fmt: skip


def test_a_charge_that_is_booked_late(tmp_path: Path) -> None:
    daily = [
        month("0", "10", "2026-10-01", "2026-10-01", ("2026-10-01", "10")),
        month("10", "30", "2026-10-02", "2026-10-02", ("2026-10-02", "20")),
        month("30", "27.10", "2026-10-05", "2026-10-05", ("2026-10-05", "5"), ("2026-10-01", "-7.90")),
    ]
    whole = month("0", "27.10", "2026-10-01", "2026-10-05", ("2026-10-01", "10"), ("2026-10-01", "-7.90"),
                  ("2026-10-02", "20"), ("2026-10-05", "5"))  # fmt: skip
    with town_of(tmp_path, date(2026, 10, 6)) as town:
        for part in daily:
            taking.take(town, read(camt(part)))
        for again in (*daily, whole):
            assert [one.new for one in taking.take(town, read(camt(again)))] == [0]
        booking.book(town)
        assert audit(town).clean
        [bank, *_others] = reserve.report(town).banks
        assert (bank.statement, bank.difference) == (2710, 0)


def test_a_line_booked_ahead(tmp_path: Path) -> None:
    first = month("0", "12", "2026-09-30", "2026-09-30", ("2026-09-30", "10"), ("2026-10-20", "2"))
    second = month("12", "13", "2026-10-01", "2026-10-01", ("2026-10-01", "1"))
    with town_of(tmp_path, date(2026, 10, 2)) as town:
        for part in (first, second, first, second):
            taking.take(town, read(camt(part)))
        booking.book(town)
        assert audit(town).clean
        [bank, *_others] = reserve.report(town).banks
        assert (bank.statement, bank.statement_on, bank.difference) == (1300, date(2026, 10, 1), 0)


@pytest.mark.parametrize("ours_first", [True, False])
def test_an_account_that_is_not_ours_is_skipped(tmp_path: Path, ours_first: bool) -> None:
    ours = month("0", "1", "2026-10-05", "2026-10-05", ("2026-10-05", "1"))
    other = month("50", "49", "2026-10-05", "2026-10-05", ("2026-10-05", "-1"), iban="FR7630003012340123456789057")
    with town_of(tmp_path, date(2026, 10, 6)) as town:
        statements = read(camt(*((ours, other) if ours_first else (other, ours))))
        assert [(one.account.name, one.new) for one in taking.take(town, statements)] == [(towns.BANK, 1)]
        assert taking.skipped(town, statements) == ["9057"]
        with pytest.raises(StatementError) as caught:
            taking.take(town, read(camt(other)))
        assert caught.value.code == "statement_account_unknown"


def test_friday_evening_is_dated_monday(tmp_path: Path) -> None:
    friday = month("0", "1", "2026-11-27", "2026-11-30", ("2026-11-30", "1"))
    with town_of(tmp_path, date(2026, 11, 27)) as town:
        assert [one.new for one in taking.take(town, read(camt(friday)))] == [1]
        with pytest.raises(StatementError) as caught:
            taking.take(town, read(camt(month("1", "2", "2026-12-01", "2026-12-01", ("2026-12-01", "1")))))
        assert caught.value.code == "statement_future"


def test_one_before_the_first_and_one_below_nothing(tmp_path: Path) -> None:
    with town_of(tmp_path, date(2026, 10, 6)) as town:
        taking.take(town, read(camt(month("0", "1", "2026-10-05", "2026-10-05", ("2026-10-05", "1")))))
        with pytest.raises(
            StatementError, match="before the first statement that was taken, which begins on 2026-10-05"
        ):
            taking.take(town, read(camt(month("0", "9", "2026-10-01", "2026-10-01", ("2026-10-01", "9")))))
        with pytest.raises(
            StatementError,
            match=r"on 2026-10-06 Banque is below nothing, -1.00.* fetch a file that begins and ends on days",
        ):
            taking.take(town, read(camt(month("1", "-1", "2026-10-06", "2026-10-06", ("2026-10-06", "-2")))))
