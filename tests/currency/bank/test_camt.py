"""camt.053: what is read of each version, and what is refused with which line."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.currency.bank.formats.read import read
from ledger.currency.bank.statement import BankLine, LineKind
from tests.currency.bank.files import changed, one, refusal, sample

DAY = sample("camt053_001_08_sample.xml")
RETURNS = sample("camt053_001_02_returns.xml")
TWO = sample("camt053_001_06_two_accounts.xml")
IBAN = "FR1420041010050500013M02606"


def said(line: BankLine) -> tuple[int, str, str, str, str, str, str]:
    return line.amount, line.kind.value, line.name, line.text, line.end_to_end, line.mandate, line.reason


def test_a_day() -> None:
    statement = one(DAY)
    assert (statement.format, statement.account, statement.number) == ("camt.053", IBAN, "224")
    assert (statement.opening, statement.closing) == (1500000, 1496155)
    assert statement.first == statement.last == date(2026, 11, 20)
    topup, instant, batch, unpaid, payout = statement.lines
    assert topup == BankLine(
        booked_on=date(2026, 11, 20), amount=2500, value_on=date(2026, 11, 20), kind=LineKind.TRANSFER,
        bank_ref="2026112000000001", name="MME JEANNE MARTIN", iban="FR7630006000011234567890189",
        text="MLC-TOPUP-7F3K9Q2M", where=32,
    )  # fmt: skip
    assert said(instant) == (6000, "transfer", "M PAUL DURAND", "RF18539007547034", "E2E-778899", "", "")
    assert said(batch) == (6000, "debit", "", "", "SDD-2026-11", "", "")
    assert [said(part) for part in batch.parts] == [
        (3000, "debit", "", "", "DD2026110042", "MLC-00042", ""),
        (3000, "debit", "", "", "DD2026110043", "MLC-00043", ""),
    ]
    assert [part.where for part in batch.parts] == [74, 75]
    assert said(unpaid) == (-3000, "return", "", "", "DD2026110043", "MLC-00043", "AM04")
    assert said(payout) == (-15345, "transfer", "BOULANGERIE DU PLOT", "", "RC000123", "", "")


def test_returns_charges_and_both_sides_named() -> None:
    statement = one(RETURNS)
    assert (statement.opening, statement.closing, statement.number) == (1496155, 1518380, "225")
    # The balance of the statement before is that of the evening of the 20th; this one is told to begin on the 23rd.
    assert statement.first == statement.last == date(2026, 11, 23)
    collected, unpaid, fee, topup, back = statement.lines
    assert said(collected)[:2] == (9000, "debit") and collected.end_to_end == "SDD-2026-12"
    assert [(part.amount, part.name, part.iban) for part in collected.parts] == [
        (3000, "M Ahmed Benali", "FR7610011000201234567890188"),
        (2000, "Mme Inès Müller", ""),
        (4000, "", ""),
    ]
    assert said(unpaid)[:2] == (-6000, "return")
    assert [said(part) for part in unpaid.parts] == [
        (-2500, "return", "Mme Claire Roux", "Recharge mensuelle novembre", "DD2026110040", "MLC-00040", "AM04"),
        (-3500, "return", "M Luc Petit", "CONTESTATION DEBITEUR", "DD2026110041", "MLC-00041", "MD06"),
    ]
    assert said(fee)[:4] == (-120, "charge", "", "FRAIS REJET PRELEVEMENT X2")
    assert topup.text == "pour la monnaie 7f3k9-q 2m4t merci VIR SEPA DUPONT ET FILS"
    assert (topup.name, topup.iban, topup.end_to_end) == ("DUPONT ET FILS", "FR7610278060000002012345688", "")
    assert said(back) == (15345, "return", "BOULANGERIE DU PLOT", "", "RC000123", "", "AC04")
    assert back.iban == "FR7630004000031234567890143"


def test_two_accounts_interbank_codes_and_what_counts_for_which_day() -> None:
    savings, current = read(TWO)
    # Bank, branch, number and key of an account whose IBAN the bank does not write.
    assert (savings.account, savings.opening, savings.closing, savings.lines) == (
        "300060000112345678901", -10000, -10000, (),
    )  # fmt: skip
    assert current.account == IBAN and current.number == "226"
    # 23:30 UTC is half past midnight in France; the entry of nothing is no line.
    assert [(line.booked_on.day, line.amount, line.kind.value) for line in current.lines] == [
        (24, 20000, "cash"),
        (24, 3500, "transfer"),
        (24, -790, "charge"),
    ]
    paid = current.lines[1]
    assert (paid.name, paid.bank_ref, paid.text) == ("EMMA BLANC", "B2611240007", "7F3K9-Q2M4T")


def test_a_return_names_the_two_as_the_first_payment_did() -> None:
    """Without account numbers only the direction tells which of them is not us."""
    nameless = RETURNS
    for account in ("Dbtr", "Cdtr"):
        start = nameless.rindex(f"<{account}Acct>".encode())
        end = nameless.rindex(f"</{account}Acct>".encode()) + len(f"</{account}Acct>")
        nameless = nameless[:start] + nameless[end:]
    back = one(nameless).lines[-1]
    assert (back.kind, back.name, back.iban) == (LineKind.RETURN, "BOULANGERIE DU PLOT", "")


def test_the_balance_before_begins_the_statement_the_day_after() -> None:
    period = RETURNS[RETURNS.index(b"<FrToDt>") : RETURNS.index(b"<Acct>")].decode()
    assert one(changed(RETURNS, (period, ""))).first == date(2026, 11, 21)


@pytest.mark.parametrize("version", ["02", "04", "06", "08", "10", "14", "99"])
@pytest.mark.parametrize("prefix", ["", "camt"])
def test_the_version_and_its_prefix_do_not_matter(version: str, prefix: str) -> None:
    data = changed(DAY, ("camt.053.001.08", f"camt.053.001.{version}"))
    if prefix:
        text = data.decode().replace("</", "</camt:").replace("xmlns=", "xmlns:camt=")
        data = "".join(f"<camt:{part}" if part[:1].isalpha() else f"<{part}" if index else part
                       for index, part in enumerate(text.split("<"))).encode()  # fmt: skip
    assert read(data) == read(DAY)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("<Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn>", "return"),
        ("<Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>RPCR</SubFmlyCd></Fmly></Domn>", "return"),
        ("<Domn><Cd>PMNT</Cd><Fmly><Cd>IDDT</Cd><SubFmlyCd>PRDD</SubFmlyCd></Fmly></Domn>", "return"),
        ("<Domn><Cd>PMNT</Cd><Fmly><Cd>IRCT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>", "transfer"),
        ("<Domn><Cd>PMNT</Cd><Fmly><Cd>RDDT</Cd><SubFmlyCd>ESDD</SubFmlyCd></Fmly></Domn>", "debit"),
        ("<Domn><Cd>PMNT</Cd><Fmly><Cd>CCRD</Cd><SubFmlyCd>CWDL</SubFmlyCd></Fmly></Domn>", "cash"),
        ("<Domn><Cd>ACMT</Cd><Fmly><Cd>MDOP</Cd><SubFmlyCd>FEES</SubFmlyCd></Fmly></Domn>", "charge"),
        ("<Domn><Cd>PMNT</Cd><Fmly><Cd>RCHQ</Cd><SubFmlyCd>CCHQ</SubFmlyCd></Fmly></Domn>", "other"),
        ("<Prtry><Cd>C2</Cd><Issr>CFONB</Issr></Prtry>", "transfer"),
        ("<Prtry><Cd>12/0859/RTI</Cd><Issr>CFONB/Interne/SWIFT</Issr></Prtry>", "return"),
        ("<Prtry><Cd>05</Cd><Issr>DK</Issr></Prtry>", "other"),
    ],
)
def test_what_the_banks_code_says(code: str, kind: str) -> None:
    known = "<Domn><Cd>PMNT</Cd><Fmly><Cd>RRCT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>"
    assert one(changed(DAY, (known, code))).lines[0].kind == kind


@pytest.mark.parametrize(
    ("edit", "name"),
    [
        (("<Dbtr><Pty><Nm>MME JEANNE MARTIN</Nm></Pty></Dbtr>", "<UltmtDbtr><Pty><Nm>ENFANT</Nm></Pty></UltmtDbtr>"),
         "ENFANT"),
        (("<Pty><Nm>MME JEANNE MARTIN</Nm></Pty>", "<Agt><FinInstnId><Nm>CREDIT COOP</Nm></FinInstnId></Agt>"),
         "CREDIT COOP"),
        (("<Nm>MME JEANNE MARTIN</Nm>", "<Nm> MME\n\tJEANNE &amp; CO\u200b </Nm>"), "MME  JEANNE & CO"),
        (("<IBAN>FR7630006000011234567890189</IBAN></Id></DbtrAcct>",
          f"<IBAN>{IBAN}</IBAN></Id></DbtrAcct><Cdtr><Pty><Nm>ECHANGE</Nm></Pty></Cdtr>"), "ECHANGE"),
    ],
)  # fmt: skip
def test_who_paid(edit: tuple[str, str], name: str) -> None:
    assert one(changed(DAY, edit)).lines[0].name == name


def test_an_iban_may_have_blanks_and_no_other_account_passes_for_one() -> None:
    spaced = changed(DAY, ("<IBAN>FR7630006000011234567890189", "<IBAN>FR76 3000 6000 0112 3456 7890 189"))
    assert one(spaced) == one(DAY)
    other = changed(DAY, ("<IBAN>FR7630006000011234567890189</IBAN>", "<Othr><Id>123456</Id></Othr>"))
    assert one(other).lines[0].iban == ""


def test_charges_kept_back_from_a_payment_leave_what_came() -> None:
    charge = '<Chrgs><Rcrd><Amt Ccy="EUR">0.20</Amt><CdtDbtInd>DBIT</CdtDbtInd></Rcrd></Chrgs>'
    paid = '<Amt Ccy="EUR">25.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>\n          <RltdPties>'
    more = changed(DAY, (paid, paid.replace("25.00", "25.20").replace("<RltdPties>", charge + "<RltdPties>")))
    assert one(more).lines[0].amount == 2500
    error = refusal(changed(more, (charge, "")))
    assert error.code == "statement_sum_wrong" and error.line == 32 and "25.20" in error.detail


def test_charges_kept_back_from_a_batch_are_nobodys_so_it_has_no_parts() -> None:
    forty = '<Amt Ccy="EUR">40.00</Amt></TxAmt></AmtDtls>\n          </TxDtls>'
    more = changed(RETURNS, (forty, forty.replace("40.00", "40.50")))
    assert refusal(more).code == "statement_sum_wrong"
    last = "<MndtId>MLC-00044</MndtId></Refs>"
    batch = one(changed(more, (last, last + '<Chrgs><Amt Ccy="EUR">0.50</Amt></Chrgs>'))).lines[0]
    assert (batch.amount, batch.parts) == (9000, ())


def test_a_batch_that_does_not_tell_all_amounts_has_no_parts() -> None:
    untold = changed(RETURNS, ('<AmtDtls><TxAmt><Amt Ccy="EUR">20.00</Amt></TxAmt></AmtDtls>', ""))
    batch = one(untold).lines[0]
    assert (batch.amount, batch.parts, batch.kind, batch.end_to_end) == (9000, (), LineKind.DEBIT, "SDD-2026-12")


def test_a_payment_alone_in_its_batch_has_the_batchs_id_if_it_has_none() -> None:
    assert (
        one(changed(DAY, ("<EndToEndId>RC000123", "<EndToEndId>NOTPROVIDED"))).lines[-1].end_to_end == "RC-2026-11-20"
    )


OPENING = '<Amt Ccy="EUR">15000.00'
ENTRY = '<Amt Ccy="EUR">25.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>\n        <Sts>'
PART = '<MndtId>MLC-00043</MndtId></Refs><Amt Ccy="EUR">30.00</Amt><CdtDbtInd>CRDT'
CLOSES = "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt>\n      </Bal>\n      <TxsSummry>"
BOOKED = "<BookgDt><Dt>2026-11-20"
STATUS = "<Sts><Cd>BOOK</Cd></Sts>"
SUM, BAD = "statement_sum_wrong", "statement_unreadable"
STMT_LINE, OPENING_LINE, TOTALS_LINE, ENTRY_LINE = 9, 22, 29, 32
REFUSED = [
    ("the closing balance", "14961.55", "14961.56", SUM, "14961.55", STMT_LINE),
    ("a sign", ENTRY, ENTRY.replace("CRDT", "DBIT"), SUM, "-88.45", TOTALS_LINE),
    ("no sign", ENTRY, ENTRY.replace("CRDT", "PLUS"), BAD, "PLUS", ENTRY_LINE),
    ("a part", PART, PART.replace("30.00", "31.00"), SUM, "entry 3", None),
    ("a batch's total", '<TtlAmt Ccy="EUR">60.00', '<TtlAmt Ccy="EUR">66.00', SUM, "entry 3", None),
    ("the number of entries", "<NbOfNtries>5", "<NbOfNtries>6", SUM, "6 entries, and has 5", TOTALS_LINE),
    ("the sum of entries", "<Sum>328.45", "<Sum>328.54", SUM, "sum to 328.45", TOTALS_LINE),
    ("the net of entries", "<Amt>38.45", "<Amt>38.54", SUM, "-38.45", TOTALS_LINE),
    ("the net's sign", "38.45</Amt><CdtDbtInd>DBIT", "38.45</Amt><CdtDbtInd>CRDT", SUM, "sign", TOTALS_LINE),
    ("three decimals", OPENING, OPENING + "5", BAD, "two decimals", OPENING_LINE),
    ("a comma", OPENING, OPENING.replace(".", ","), BAD, "not an amount", OPENING_LINE),
    ("thousands", OPENING, OPENING.replace("15", "15 "), BAD, "not an amount", OPENING_LINE),
    ("minus", OPENING, OPENING.replace("15", "-15"), BAD, "not an amount", OPENING_LINE),
    ("other digits", OPENING, OPENING.replace("15", "١٥"), BAD, "not an amount", OPENING_LINE),
    ("riches", OPENING, OPENING.replace("15", "99999999915"), BAD, "larger", OPENING_LINE),
    ("no amount", OPENING + "</Amt>", "", BAD, "missing", None),
    ("another currency", OPENING, OPENING.replace("EUR", "CHF"), "statement_not_euros", "CHF", OPENING_LINE),
    ("no currency", OPENING, OPENING.replace(' Ccy="EUR"', ""), "statement_not_euros", "no currency", OPENING_LINE),
    ("an account in dollars", "<Ccy>EUR</Ccy>", "<Ccy>USD</Ccy>", "statement_not_euros", "USD", STMT_LINE),
    ("no account", f"<Id><IBAN>{IBAN}</IBAN></Id>", "<Id/>", BAD, "which account", STMT_LINE),
    ("no opening", "<Cd>OPBD</Cd>", "<Cd>OPAV</Cd>", BAD, "opening balance", STMT_LINE),
    ("no closing", "<Cd>CLBD</Cd>", "<Cd>CLAV</Cd>", BAD, "closing balance", STMT_LINE),
    ("first page", "<Cd>CLBD</Cd>", "<Cd>ITBD</Cd>", "statement_page", "one file", STMT_LINE),
    ("last page", "<Cd>OPBD</Cd>", "<Cd>ITBD</Cd>", "statement_page", "one file", STMT_LINE),
    ("between pages", "<Cd>CLBD</Cd></CdOrPrtry>", "<Cd>CLBD</Cd></CdOrPrtry><SubTp><Cd>INTM</Cd></SubTp>",
     "statement_page", "one file", STMT_LINE),
    ("pending", STATUS, STATUS.replace("BOOK", "PDNG"), "statement_pending", "entry 1", ENTRY_LINE),
    ("for information", STATUS, "<Sts>INFO</Sts>", "statement_pending", "INFO", ENTRY_LINE),
    ("to come", STATUS, STATUS.replace("BOOK", "FUTR"), "statement_pending", "FUTR", ENTRY_LINE),
    ("no status", STATUS, "", BAD, "no status", ENTRY_LINE),
    ("no day", BOOKED + "</Dt></BookgDt>", "", BAD, "booking date", ENTRY_LINE),
    ("no such day", BOOKED, BOOKED.replace("-20", "-31"), BAD, "not a date", None),
    ("no such moment", BOOKED, BOOKED + "T25:00:00", BAD, "not a date", None),
    ("another year", BOOKED, BOOKED.replace("2026", "2016"), BAD, "2016-11-20", ENTRY_LINE),
    ("ends before it begins", CLOSES, CLOSES.replace("11-20", "11-02"), BAD, "ends on 2026-11-02", STMT_LINE),
    ("an entry outside", "</BkToCstmrStmt>", "</BkToCstmrStmt><Stmt>" + "<Ntry>" + ENTRY + STATUS[5:] +
     BOOKED + "</Dt></BookgDt></Ntry></Stmt>", BAD, "outside of any statement", None),
    ("a tag", "</Ntry>", "</Ntri>", BAD, "cut or damaged", None),
    ("an entity", "JEANNE", "&jeanne;", BAD, "cut or damaged", None),
    ("another encoding", 'encoding="UTF-8"', 'encoding="EBCDIC-FR"', BAD, "encoding", 1),
    ("a text", "MLC-TOPUP-7F3K9Q2M", "x" * 10_001, BAD, "longer than any bank", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "code", "says", "line"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused(old: str, new: str, code: str, says: str, line: int | None) -> None:
    error = refusal(changed(DAY, (old, new)))
    assert (error.code, says in error.detail) == (code, True), error
    assert line is None or error.line == line


def test_latin_1_that_calls_itself_utf_8_is_refused_and_latin_1_is_read() -> None:
    accents = changed(DAY, ("JEANNE", "HÉLÈNE"))
    assert refusal(accents.decode().encode("latin-1")).code == "statement_unreadable"
    declared = accents.decode().replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert one(declared).lines[0].name == "MME HÉLÈNE MARTIN" == one(accents).lines[0].name


def test_several_days_in_one_statement_begin_with_the_first_and_end_with_the_last() -> None:
    balance = DAY[DAY.index(b"<Bal>") : DAY.index(b"<TxsSummry>")].decode()
    other = balance.replace("2026-11-20", "2026-11-21").replace("15000.00", "14961.55")
    statement = one(changed(DAY, (balance, other + balance)))
    assert (statement.opening, statement.closing, statement.last) == (1500000, 1496155, date(2026, 11, 21))
    differing = balance.replace("15000.00", "15000.01")
    assert "differ" in refusal(changed(DAY, (balance, balance + differing))).detail
