"""Statements as camt.053, in the version of 2009 that most banks still send (.02) and in that of 2019 (.08)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ledger.currency.bank.fake.entries import Entry
from ledger.currency.bank.fake.report import Report
from ledger.currency.bank.markup import Tree, document
from ledger.currency.bank.statement import LineKind
from ledger.currency.money import decimal_text

_HERE: Final = ZoneInfo("Europe/Paris")
_EUROS: Final = 'Amt Ccy="EUR"'


def camt053(report: Report, version: str) -> bytes:
    """The statement as `version`: camt.053.001.02 or camt.053.001.08."""
    return _Writer(report, new=version.endswith("08")).file(version)


class _Writer:
    """`new` chooses where the two versions differ."""

    def __init__(self, report: Report, *, new: bool) -> None:
        self.report = report
        self.new = new

    def file(self, version: str) -> bytes:
        report = self.report
        account = report.account
        name = f"{report.last:%Y%m%d}-{account.iban[:4]}-{report.number}"
        created = _moment(report.last + timedelta(days=1), time(5, 30))
        statement: Tree = [
            ("Id", name),
            ("ElctrncSeqNb", str(report.number)),
            ("CreDtTm", created),
            ("FrToDt", [
                ("FrDtTm", _moment(report.first, time(0))),
                ("ToDtTm", _moment(report.last, time(23, 59, 59))),
            ]),
            ("Acct", [
                ("Id", [("IBAN", account.iban)]),
                ("Ccy", "EUR"),
                ("Nm", account.holder[:70]),
                ("Svcr", [("FinInstnId", [("BICFI" if self.new else "BIC", account.bic)])]),
            ]),
            ("Bal", _balance("OPBD", report.opening, report.first)),
            ("Bal", _balance("CLBD", report.closing, report.last)),
            ("TxsSummry", self._summary()),
            *(("Ntry", self._entry(index, entry)) for index, entry in enumerate(report.entries, 1)),
        ]  # fmt: skip
        header: Tree = [
            ("MsgId", f"STMT-{name}"),
            ("CreDtTm", created),
            ("MsgPgntn", [("PgNb", "1"), ("LastPgInd", "true")]),
        ]
        return document(
            f"urn:iso:std:iso:20022:tech:xsd:{version}", [("BkToCstmrStmt", [("GrpHdr", header), ("Stmt", statement)])]
        )

    def _summary(self) -> Tree:
        amounts = [entry.amount for entry in self.report.entries]
        came, went = [one for one in amounts if one > 0], [-one for one in amounts if one < 0]
        net = sum(amounts)
        total: list[tuple[str, str | Tree]] = [
            ("NbOfNtries", str(len(amounts))),
            ("Sum", decimal_text(sum(came) + sum(went))),
        ]
        side = ("CdtDbtInd", _side(net))
        if self.new:
            total.append(("TtlNetNtry", [("Amt", decimal_text(abs(net))), side]))
        else:
            total += [("TtlNetNtryAmt", decimal_text(abs(net))), side]
        return [("TtlNtries", total), ("TtlCdtNtries", _count(came)), ("TtlDbtNtries", _count(went))]

    def _entry(self, index: int, entry: Entry) -> Tree:
        day = entry.booked_on.isoformat()
        details: list[tuple[str, Tree]] = []
        if entry.batch:
            details.append(("Btch", [
                ("PmtInfId", entry.batch),
                ("NbOfTxs", str(len(entry.parts))),
                ("TtlAmt Ccy=\"EUR\"", decimal_text(abs(entry.amount))),
                ("CdtDbtInd", _side(entry.amount)),
            ]))  # fmt: skip
            if self.report.parts:
                details += [("TxDtls", self._transaction(part)) for part in entry.parts]
        elif entry.kind not in (LineKind.CHARGE, LineKind.CASH):
            details.append(("TxDtls", self._transaction(entry)))
        return [
            ("NtryRef", str(index)),
            (_EUROS, decimal_text(abs(entry.amount))),
            ("CdtDbtInd", _side(entry.amount)),
            ("RvslInd", "true" if entry.kind is LineKind.RETURN else None),
            ("Sts", [("Cd", "BOOK")] if self.new else "BOOK"),
            ("BookgDt", [("Dt", day)]),
            ("ValDt", [("Dt", day)]),
            ("AcctSvcrRef", entry.bank_ref),
            ("BkTxCd", _code(entry)),
            ("NtryDtls", details or None),
            ("AddtlNtryInf", entry.label[:500]),
        ]

    def _transaction(self, entry: Entry) -> Tree:
        amount: Tree = [(_EUROS, decimal_text(abs(entry.amount)))]
        role = "Dbtr" if entry.payer_named else "Cdtr"
        named: Tree = [("Nm", entry.name)]
        parties: list[tuple[str, Tree]] = []
        if entry.name:
            parties.append((role, [("Pty", named)] if self.new else named))
        if entry.iban:
            parties.append((f"{role}Acct", [("Id", [("IBAN", entry.iban)])]))
        return [
            ("Refs", [("EndToEndId", entry.end_to_end or "NOTPROVIDED"), ("MndtId", entry.mandate or None)]),
            *([*amount, ("CdtDbtInd", _side(entry.amount))] if self.new else [("AmtDtls", [("TxAmt", amount)])]),
            ("RltdPties", parties or None),
            ("RmtInf", [("Ustrd", line) for line in entry.lines(140)] or None),
            ("RtrInf", [("Rsn", [("Cd", entry.reason)])] if entry.reason else None),
        ]


def _moment(day: date, at: time) -> str:
    return datetime.combine(day, at, _HERE).isoformat()


def _side(amount: int) -> str:
    return "DBIT" if amount < 0 else "CRDT"


def _count(amounts: Sequence[int]) -> Tree:
    return [("NbOfNtries", str(len(amounts))), ("Sum", decimal_text(sum(amounts)))]


def _balance(code: str, amount: int, day: date) -> Tree:
    return [
        ("Tp", [("CdOrPrtry", [("Cd", code)])]),
        (_EUROS, decimal_text(abs(amount))),
        ("CdtDbtInd", _side(amount)),
        ("Dt", [("Dt", day.isoformat())]),
    ]


def _code(entry: Entry) -> Tree:
    """The bank's transaction code: domain, family and sub-family of ISO 20022."""
    came = entry.amount > 0
    match entry.kind:
        case LineKind.TRANSFER:
            family = "ICDT" if not came else "RRCT" if entry.instant else "RCDT"
            codes = ("PMNT", family, "ESCT")
        case LineKind.DEBIT:
            codes = ("PMNT", "IDDT" if came else "RDDT", "ESDD")
        case LineKind.RETURN if entry.mandate:
            codes = ("PMNT", "IDDT", "UPDD")
        case LineKind.RETURN:
            codes = ("PMNT", "ICDT" if came else "RCDT", "RRTN")
        case LineKind.CHARGE:
            codes = ("ACMT", "MDOP", "CHRG")
        case LineKind.CASH:
            codes = ("PMNT", "CNTR", "CDPT" if came else "CWDL")
        case _:
            codes = ("PMNT", "OTHR", "OTHR")
    domain, family, sub = codes
    return [("Domn", [("Cd", domain), ("Fmly", [("Cd", family), ("SubFmlyCd", sub)])])]
