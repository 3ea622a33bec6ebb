"""What the bank says to a file of orders, and the same as pain.002.001.10, which treasurers get from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from ledger.currency.bank.fake.orders import OrderFile
from ledger.currency.bank.latin import latin
from ledger.currency.bank.markup import Tree, document
from ledger.currency.money import decimal_text

REPORTS: Final = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
_HERE: Final = ZoneInfo("Europe/Paris")


@dataclass(frozen=True, slots=True)
class Rejected:
    """An order that is not executed, or taken back at once. `reason` is a code of ISO 20022."""

    end_to_end: str
    amount: int
    reason: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`status` is ACCP (taken), PART (taken but for the orders in `rejected`) or RJCT (the file as a whole, `reason`).

    `message` is the file's id ("" if it could not be read), `number` the bank's own of this answer. `executed_on` says
    for each group, by its id, on which day its sum is booked.
    """

    number: int
    on: date
    message: str
    status: str
    reason: str = ""
    detail: str = ""
    rejected: tuple[Rejected, ...] = ()
    executed_on: dict[str, date]
    file: OrderFile | None = None

    @property
    def accepted(self) -> bool:
        """Whether the file was taken, all or in part."""
        return self.status != "RJCT"

    @property
    def pain002(self) -> bytes:
        """The answer as a file."""
        moment = datetime.combine(self.on, time(18, 30), _HERE).isoformat()
        file = self.file
        original: Tree = [
            ("OrgnlMsgId", self.message[:35] or "NOTPROVIDED"),
            ("OrgnlMsgNmId", file.kind if file else "NOTPROVIDED"),
            ("OrgnlNbOfTxs", str(file.count) if file else None),
            ("OrgnlCtrlSum", decimal_text(sum(group.total for group in file.groups)) if file else None),
            ("GrpSts", self.status),
            ("StsRsnInf", _because(self.reason, self.detail) if self.reason else None),
        ]
        report: Tree = [
            ("GrpHdr", [("MsgId", f"PAIN002-{self.on:%Y%m%d}-{self.number:06d}"), ("CreDtTm", moment)]),
            ("OrgnlGrpInfAndSts", original),
            *(("OrgnlPmtInfAndSts", self._group(group)) for group in dict.fromkeys(one.group for one in self.rejected)),
        ]
        return document(REPORTS, [("CstmrPmtStsRpt", report)])

    def _group(self, group: str) -> Tree:
        rejected = [one for one in self.rejected if one.group == group]
        return [
            ("OrgnlPmtInfId", group),
            ("PmtInfSts", "PART"),
            *(("TxInfAndSts", _transaction(one)) for one in rejected),
        ]


def _transaction(one: Rejected) -> Tree:
    return [
        ("OrgnlEndToEndId", one.end_to_end),
        ("TxSts", "RJCT"),
        ("StsRsnInf", _because(one.reason, "")),
        ("OrgnlTxRef", [("Amt", [('InstdAmt Ccy="EUR"', decimal_text(one.amount))])]),
    ]


def _because(reason: str, detail: str) -> Tree:
    return [("Rsn", [("Cd", reason)]), ("AddtlInf", latin(detail)[:105] or None)]
