"""Files with orders, as a bank reads them: every element in its place, every sum right, or the file is refused.

Of pain.001.001.09 and pain.008.001.08 it takes what the SEPA rule books let a customer send, no more: an element that
they do not know is a fault, as it is at a bank. It reads with a grammar of its own, not with what wrote the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final, TypeVar

from lxml import etree

from ledger.currency.bank.pain import Debit, OwnAccount, SequenceType, Transfer
from ledger.currency.charter import ibans, rules
from ledger.currency.money import decimal_text

_ISO: Final = "urn:iso:std:iso:20022:tech:xsd:"
_ORDER: Final = {"pain.001.001.09": "CdtTrfTxInf", "pain.008.001.08": "DrctDbtTxInf"}

_PARTY: Final = "Nm PstlAdr?"
# What an element holds, in this order; ? may be missing, + once or more. What is not here holds a text.
_GRAMMAR: Final = {
    "Document": "(CstmrCdtTrfInitn|CstmrDrctDbtInitn)",
    "CstmrCdtTrfInitn": "GrpHdr PmtInf+",
    "CstmrDrctDbtInitn": "GrpHdr PmtInf+",
    "GrpHdr": "MsgId CreDtTm NbOfTxs CtrlSum InitgPty",
    "InitgPty": "Nm? Id?",
    "PmtInf": "PmtInfId PmtMtd BtchBookg? NbOfTxs? CtrlSum? PmtTpInf (ReqdExctnDt Dbtr DbtrAcct DbtrAgt ChrgBr? "
    "CdtTrfTxInf+|ReqdColltnDt Cdtr CdtrAcct CdtrAgt ChrgBr? CdtrSchmeId DrctDbtTxInf+)",
    "PmtTpInf": "SvcLvl LclInstrm? SeqTp?",
    "SvcLvl": "Cd",
    "LclInstrm": "Cd",
    "ReqdExctnDt": "Dt",
    "Dbtr": _PARTY,
    "Cdtr": _PARTY,
    "DbtrAcct": "Id",
    "CdtrAcct": "Id",
    "DbtrAgt": "FinInstnId",
    "CdtrAgt": "FinInstnId",
    "FinInstnId": "(BICFI|Othr)",
    "CdtrSchmeId": "Id",
    "CdtTrfTxInf": "PmtId Amt CdtrAgt? Cdtr CdtrAcct RmtInf?",
    "DrctDbtTxInf": "PmtId InstdAmt DrctDbtTx DbtrAgt Dbtr DbtrAcct RmtInf?",
    "PmtId": "InstrId? EndToEndId",
    "Amt": "InstdAmt",
    "DrctDbtTx": "MndtRltdInf",
    "MndtRltdInf": "MndtId DtOfSgntr",
    "RmtInf": "Ustrd",
    # Addresses are structured or hybrid since November 2026: town and country each in its place.
    "PstlAdr": "StrtNm? BldgNb? PstCd? TwnNm Ctry AdrLine? AdrLine?",
    "SchmeNm": "(Cd|Prtry)",
    "OrgId": "(AnyBIC|Othr)",
    "PrvtId": "Othr",
}
_ID: Final = {  # Id and Othr hold different things in different places.
    "DbtrAcct": "IBAN", "CdtrAcct": "IBAN", "InitgPty": "(OrgId|PrvtId)", "CdtrSchmeId": "PrvtId",
}  # fmt: skip
_OTHR: Final = {"FinInstnId": "Id", "OrgId": "Id SchmeNm?", "PrvtId": "Id SchmeNm?"}
_LONGEST: Final = {"Nm": 70, "Ustrd": 140, "AdrLine": 70, "StrtNm": 70, "TwnNm": 35}

_TEXT = re.compile(r"[A-Za-z0-9/?:().,'+ -]+\Z")
_IDENTIFIER = re.compile(r"(?!/)(?!.*//).{1,35}(?<!/)\Z")
_AMOUNT = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,2}))?\Z")
_MOST: Final = 999_999_999_99
Value = TypeVar("Value")


class OrderRefused(ValueError):
    """A file that the bank does not take. `reason` is a code of ISO 20022, `message` the file's id if it was read.

    FF01 not a file of this kind, AM10 a wrong sum, AM18 a wrong number, AM12 an amount out of bounds, AC01 a wrong
    IBAN, RC01 a wrong BIC, DT01 a wrong date, DU02 one group's id twice, DU04 one end-to-end id twice.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.message = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Orders on one account for one day; `batch` says that they are to be booked as one sum."""

    id: str
    batch: bool
    day: date
    account: OwnAccount
    creditor_id: str
    orders: tuple[Transfer, ...] | tuple[Debit, ...]

    @property
    def total(self) -> int:
        """Cents of all its orders."""
        return sum(order.amount for order in self.orders)


@dataclass(frozen=True, slots=True)
class OrderFile:
    """A file of orders. `kind` is pain.001.001.09 (transfers) or pain.008.001.08 (direct debits)."""

    kind: str
    message: str
    created_at: datetime
    groups: tuple[Group, ...]

    @property
    def count(self) -> int:
        """The number of its orders."""
        return sum(len(group.orders) for group in self.groups)


def read_orders(data: bytes) -> OrderFile:
    """The orders of a file. Raises `OrderRefused`."""
    root = _parsed(data)
    message = ""
    try:
        kind = etree.QName(root).namespace.removeprefix(_ISO)
        message = root.findtext(".//{*}GrpHdr/{*}MsgId") or ""
        _check(root, "", root.tag.partition("}")[0] + "}")
        return _file(kind, root[0])
    except OrderRefused as refused:
        refused.message = message
        raise


def _parsed(data: bytes) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise OrderRefused("FF01", f"not XML: {error.msg}") from None
    if root.getroottree().docinfo.doctype:
        raise OrderRefused("FF01", "a document type (DOCTYPE) in a file of orders")
    if etree.QName(root).namespace not in [_ISO + kind for kind in _ORDER]:
        raise OrderRefused("FF01", f"neither of {', '.join(_ORDER)}: {etree.QName(root).namespace}")
    return root


def _check(node: Any, parent: str, namespace: str) -> None:
    """That an element holds what it should, and all below it."""
    name = _name(node, namespace)
    held = _ID.get(parent) if name == "Id" else _OTHR[parent] if name == "Othr" else _GRAMMAR.get(name)
    expected = {"Ccy": "EUR"} if name == "InstdAmt" else {}
    if dict(node.attrib) != expected:
        raise _fault(node, f"its attributes are {dict(node.attrib)}")
    if held is None:
        _check_text(node, name)
        return
    texts = [node.text, *(child.tail for child in node)]
    if any(text and text.strip() for text in texts):
        raise _fault(node, "it holds a text beside elements")
    children = "".join(_name(child, namespace) + " " for child in node)
    if not _pattern(held).fullmatch(children):
        raise _fault(node, f"it holds {children.strip() or 'nothing'}, not {held}")
    for child in node:
        _check(child, name, namespace)


def _name(node: Any, namespace: str) -> str:
    if not isinstance(node.tag, str) or not node.tag.startswith(namespace):
        raise _fault(node, "it is of another namespace")
    return str(node.tag)[len(namespace) :]


@cache
def _pattern(held: str) -> re.Pattern[str]:
    """``A B? (C|D+)`` as an expression over names with a blank behind each."""
    tokens = re.findall(r"[A-Za-z]+|[?+()|]", held)
    return re.compile("".join(f"(?:{token} )" if token.isalpha() else token for token in tokens))


def _check_text(node: Any, name: str) -> None:
    if len(node) or not node.text or not node.text.strip():
        raise _fault(node, "it should hold a text")
    if name not in ("CreDtTm", "InstdAmt", "CtrlSum") and not _TEXT.match(node.text):
        raise _fault(node, "it holds characters that are not of SEPA's set")
    if len(node.text) > _LONGEST.get(name, 140):
        raise _fault(node, "its text is too long")


def _fault(node: Any, detail: str, reason: str = "FF01") -> OrderRefused:
    return OrderRefused(reason, f"line {node.sourceline}, {etree.QName(node).localname}: {detail}")


def _file(kind: str, message: Any) -> OrderFile:
    if _ORDER[kind] not in {etree.QName(node).localname for node in message.find("{*}PmtInf")}:
        raise _fault(message, f"it is not what {kind} holds")
    header, nodes = message[0], message[1:]
    groups = tuple(_group(kind, node) for node in nodes)
    file = OrderFile(kind, _identifier(header, "MsgId"), _moment(header), groups)
    _check_sums(header, file.count, sum(group.total for group in groups))
    ids = [order.end_to_end for group in groups for order in group.orders]
    if len(set(ids)) < len(ids):
        raise _fault(message, "two orders have one end-to-end id", "DU04")
    if len({group.id for group in groups}) < len(groups):
        raise _fault(message, "two groups have one id", "DU02")
    return file


def _group(kind: str, node: Any) -> Group:
    debit = kind.startswith("pain.008")
    ours = "Cdtr" if debit else "Dbtr"
    _code(node, "PmtMtd", "DD" if debit else "TRF")
    _code(node, "PmtTpInf/SvcLvl/Cd", "SEPA")
    if node.find("{*}ChrgBr") is not None:
        _code(node, "ChrgBr", "SLEV")
    batch = _text(node, "BtchBookg") or "false"
    if batch not in ("true", "false", "1", "0"):
        raise _fault(node, f"BtchBookg is {batch}")
    orders: tuple[Transfer, ...] | tuple[Debit, ...]
    creditor_id = ""
    if debit:
        _code(node, "PmtTpInf/LclInstrm/Cd", "CORE")
        sequence = _value(node, "PmtTpInf/SeqTp", SequenceType, "FF01")
        _code(node, "CdtrSchmeId/Id/PrvtId/Othr/SchmeNm/Prtry", "SEPA")
        creditor_id = _value(node, "CdtrSchmeId/Id/PrvtId/Othr/Id", rules.creditor_id, "FF01")
        orders = tuple(_debit(one, sequence) for one in node.iterfind("{*}DrctDbtTxInf"))
    else:
        orders = tuple(_transfer(one) for one in node.iterfind("{*}CdtTrfTxInf"))
    group = Group(
        _identifier(node, "PmtInfId"),
        batch in ("true", "1"),
        _value(node, "ReqdColltnDt" if debit else "ReqdExctnDt/Dt", date.fromisoformat, "DT01"),
        OwnAccount(_text(node, f"{ours}/Nm"), _iban(node, f"{ours}Acct"), _bic(node, f"{ours}Agt")),
        creditor_id,
        orders,
    )
    _check_sums(node, len(orders), group.total)
    return group


def _transfer(node: Any) -> Transfer:
    return Transfer(
        _identifier(node, "PmtId/EndToEndId"), _amount(node, "Amt/InstdAmt"), _text(node, "Cdtr/Nm"),
        _iban(node, "CdtrAcct"), _text(node, "RmtInf/Ustrd"), _bic(node, "CdtrAgt"),
    )  # fmt: skip


def _debit(node: Any, sequence: SequenceType) -> Debit:
    mandate = "DrctDbtTx/MndtRltdInf"
    return Debit(
        _identifier(node, "PmtId/EndToEndId"), _amount(node, "InstdAmt"), _text(node, "Dbtr/Nm"),
        _iban(node, "DbtrAcct"), _identifier(node, f"{mandate}/MndtId"),
        _value(node, f"{mandate}/DtOfSgntr", date.fromisoformat, "DT01"), sequence, _text(node, "RmtInf/Ustrd"),
        _bic(node, "DbtrAgt"),
    )  # fmt: skip


def _text(node: Any, path: str) -> str:
    return str(node.findtext("/".join("{*}" + name for name in path.split("/"))) or "")


def _code(node: Any, path: str, expected: str) -> None:
    if (found := _text(node, path)) != expected:
        raise _fault(node, f"{path} is {found or 'missing'}, not {expected}")


def _value(node: Any, path: str, read: Callable[[str], Value], reason: str) -> Value:
    text = _text(node, path)
    try:
        return read(text)
    except (ValueError, rules.Wrong) as error:
        raise _fault(node, f"{path} {text!r}: {error}", reason) from None


def _identifier(node: Any, path: str) -> str:
    text = _text(node, path)
    if not _IDENTIFIER.match(text):
        raise _fault(node, f"{path} {text!r} is no identifier")
    return text


def _iban(node: Any, path: str) -> str:
    return _value(node, f"{path}/Id/IBAN", ibans.iban, "AC01")


def _bic(node: Any, path: str) -> str | None:
    if node.find(f"{{*}}{path}/{{*}}FinInstnId/{{*}}BICFI") is not None:
        return _value(node, f"{path}/FinInstnId/BICFI", rules.bic, "RC01")
    return None


def _amount(node: Any, path: str) -> int:
    cents = _cents(node, path)
    if not 1 <= cents <= _MOST:
        raise _fault(node, f"{_text(node, path)} is no amount of a SEPA payment", "AM12")
    return cents


def _cents(node: Any, path: str) -> int:
    found = _AMOUNT.match(_text(node, path))
    if found is None:
        raise _fault(node, f"{path} {_text(node, path)!r} is not an amount")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def _moment(header: Any) -> datetime:
    return _value(header, "CreDtTm", datetime.fromisoformat, "DT01")


def _check_sums(node: Any, count: int, total: int) -> None:
    said = _text(node, "NbOfTxs")
    if said and said != str(count):
        raise _fault(node, f"NbOfTxs is {said}, there are {count}", "AM18")
    if _text(node, "CtrlSum") and _cents(node, "CtrlSum") != total:
        raise _fault(node, f"CtrlSum is {_text(node, 'CtrlSum')}, the sum is {decimal_text(total)}", "AM10")
