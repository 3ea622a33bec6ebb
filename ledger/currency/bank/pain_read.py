"""Our own files of credit transfers, read back: what stands in the bytes that are signed, and nothing beside it.

Pure: a device reads with it what it is about to sign. What was read is written again (`pain.credit_transfers`) and must
be the very same bytes, so nothing can stand in a file that this does not show. Other people's files are not for it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ledger.currency.bank.pain import TRANSFERS, OwnAccount, PainError, Transfer, credit_transfers
from ledger.currency.charter import ibans
from ledger.currency.told import tell

_NAMES = {"": TRANSFERS}


class Ordered(NamedTuple):
    """A file of credit transfers: its message id, the day on which the bank pays, from which account, and to whom."""

    message: str
    requested_on: date
    debtor: OwnAccount
    transfers: tuple[Transfer, ...]

    @property
    def total(self) -> int:
        """Cents, all transfers together."""
        return sum(one.amount for one in self.transfers)


def read_transfers(data: bytes) -> Ordered:
    """What a file orders. Raises `PainError`, pain_unreadable, for anything but the bytes that we write."""
    try:
        found, created_at = _read(data)
        again = credit_transfers(found.message, created_at, found.requested_on, found.debtor, found.transfers,
                                 iban=ibans.iban_of_before)  # fmt: skip
    except (ElementTree.ParseError, ValueError, AttributeError, RecursionError) as error:
        raise PainError("pain_unreadable", tell("this is no file of payouts of ours: {error}", error=error)) from error
    if again != data:
        raise PainError(
            "pain_unreadable", tell("this file of payouts holds something else than transfers, or is not ours")
        )
    return found


def _read(data: bytes) -> tuple[Ordered, datetime]:
    if b"<!" in data:
        raise ValueError("it has a document type")  # which could swell
    root = ElementTree.fromstring(data)
    group = root.find("CstmrCdtTrfInitn/PmtInf", _NAMES)
    header = root.find("CstmrCdtTrfInitn/GrpHdr", _NAMES)
    if group is None or header is None:
        raise ValueError("it has no payments")
    ours = OwnAccount(_text(group, "Dbtr/Nm"), _text(group, "DbtrAcct/Id/IBAN"),
                      group.findtext("DbtrAgt/FinInstnId/BICFI", None, _NAMES))  # fmt: skip
    transfers = tuple(
        Transfer(
            _text(one, "PmtId/EndToEndId"), _cents(_text(one, "Amt/InstdAmt")), _text(one, "Cdtr/Nm"),
            _text(one, "CdtrAcct/Id/IBAN"), one.findtext("RmtInf/Ustrd", "", _NAMES),
            one.findtext("CdtrAgt/FinInstnId/BICFI", one.findtext("CdtrAgt/FinInstnId/Othr/Id", None, _NAMES), _NAMES),
        )
        for one in group.iterfind("CdtTrfTxInf", _NAMES)
    )  # fmt: skip
    day = date.fromisoformat(_text(group, "ReqdExctnDt/Dt"))
    return Ordered(_text(header, "MsgId"), day, ours, transfers), datetime.fromisoformat(_text(header, "CreDtTm"))


def _text(element: Element, path: str) -> str:
    found = element.findtext(path, None, _NAMES)
    if found is None:
        raise ValueError(f"it has no {path}")
    return found


def _cents(text: str) -> int:
    euros, _, cents = text.partition(".")
    if not (euros.isascii() and euros.isdecimal() and cents.isascii() and cents.isdecimal() and len(cents) == 2):
        raise ValueError(f"{text[:20]!r} is no amount")
    return int(euros + cents)
