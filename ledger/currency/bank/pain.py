"""Orders to the bank: credit transfers (pain.001.001.09) and direct debits (pain.008.001.08, SEPA CORE), as files.

Pure: the same orders, message id and moment give the same bytes. What a bank would refuse is refused here, before a
file exists: an IBAN with a wrong character, an amount out of bounds, one end-to-end id twice. Names and texts are
written in SEPA's character set (`latin`). There are no postal addresses: none is asked for between banks of the
European Economic Area, and since November 2026 one that is not structured makes a bank refuse the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from ledger.currency.bank.latin import latin
from ledger.currency.bank.markup import Tree, document
from ledger.currency.charter import ibans, rules
from ledger.currency.money import decimal_text
from ledger.currency.told import tell

TRANSFERS: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
DEBITS: Final = "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"
NOT_PROVIDED: Final = "NOTPROVIDED"
"""Stands where a bank has to be named and is not: instead of a BIC."""
MAX_ID: Final = 35
MAX_NAME: Final = 70
MAX_TEXT: Final = 140
MAX_AMOUNT: Final = 999_999_999_99
"""Cents of one SEPA payment."""

Rule = Callable[[object], str]
"""Makes a text the one that is written, or raises `rules.Wrong`."""

_ID = re.compile(r"(?!/)(?!.*//)[A-Za-z0-9/?:().,'+-]{1,35}(?<!/)\Z")


class PainError(ValueError):
    """An order that no bank would take. `code` is stable, `order` is its end-to-end id ("": the file as a whole).

    Codes: pain_empty (no orders), pain_id (an identifier too long or with characters that banks do not take),
    pain_repeated (an end-to-end id twice), pain_amount, pain_name (nothing left of it that a bank can write),
    pain_text (too long), pain_iban, pain_bic, pain_creditor, pain_moment (a time without its zone).
    """

    def __init__(self, code: str, detail: str, order: str = "") -> None:
        self.told = tell("order {order}: {reason}", order=order, reason=detail) if order else detail
        super().__init__(self.told)
        self.code = code
        self.detail = detail
        self.order = order


class SequenceType(StrEnum):
    """Where a direct debit stands among those of its mandate. A first one may be RCUR as well (since 2016)."""

    FIRST = "FRST"
    RECURRENT = "RCUR"
    ONE_OFF = "OOFF"


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """An account of ours: `name` is its holder's as the bank knows it."""

    name: str
    iban: str
    bic: str | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """`amount` cents to the account of `name`. `end_to_end` comes back to us in statements.

    `bic` is its bank: None names none, NOT_PROVIDED says that it is not known.
    """

    end_to_end: str
    amount: int
    name: str
    iban: str
    text: str = ""
    bic: str | None = None


@dataclass(frozen=True, slots=True)
class Debit:
    """`amount` cents from the account of `name`, who signed the mandate `mandate` on `signed_on`."""

    end_to_end: str
    amount: int
    name: str
    iban: str
    mandate: str
    signed_on: date
    sequence: SequenceType
    text: str = ""
    bic: str | None = None


def credit_transfers(
    message_id: str, created_at: datetime, requested_on: date, debtor: OwnAccount, transfers: Sequence[Transfer],
    *, iban: Rule = ibans.iban,
) -> bytes:  # fmt: skip
    """A pain.001 of one payment group, which the bank books as one sum on `requested_on` (or its next open day).

    The group has the message's id. `created_at` says its zone; `iban` is what an IBAN is held to (those of a file that
    was made before there were more rules are what they are). Raises `PainError`.
    """
    _check_orders(transfers)
    message = _identifier(message_id, tell("the message's"))
    totals = _totals(transfers)
    group: Tree = [
        ("PmtInfId", message), ("PmtMtd", "TRF"), ("BtchBookg", "true"), *totals,
        ("PmtTpInf", [("SvcLvl", [("Cd", "SEPA")])]),
        ("ReqdExctnDt", [("Dt", requested_on.isoformat())]),
        *_ours("Dbtr", debtor, iban),
        ("ChrgBr", "SLEV"),
        *(("CdtTrfTxInf", _transfer(order, iban)) for order in transfers),
    ]  # fmt: skip
    header = _header(message, created_at, totals, debtor)
    return document(TRANSFERS, [("CstmrCdtTrfInitn", [("GrpHdr", header), ("PmtInf", group)])])


def direct_debits(
    message_id: str, created_at: datetime, collect_on: date, creditor: OwnAccount, creditor_id: str,
    debits: Sequence[Debit],
) -> bytes:  # fmt: skip
    """A pain.008 whose debits the bank collects on `collect_on` and books as one sum.

    The group has the message's id. A group holds debits of one sequence type only, so a file of several has several
    groups, each booked by itself and named after both (``ID-FRST``): with RCUR for the first one too there is one.
    `creditor_id` is the SEPA creditor identifier (ICS). Raises `PainError`.
    """
    _check_orders(debits)
    message = _identifier(message_id, tell("the message's"))
    ics = _checked(rules.creditor_id, creditor_id, "pain_creditor", "")
    groups: list[tuple[str, Tree]] = []
    kinds = [kind for kind in SequenceType if any(debit.sequence == kind for debit in debits)]
    for kind in kinds:
        mine = [debit for debit in debits if debit.sequence == kind]
        name = message if len(kinds) == 1 else _identifier(f"{message}-{kind}", tell("the group's"))
        group: Tree = [
            ("PmtInfId", name), ("PmtMtd", "DD"), ("BtchBookg", "true"), *_totals(mine),
            ("PmtTpInf", [("SvcLvl", [("Cd", "SEPA")]), ("LclInstrm", [("Cd", "CORE")]), ("SeqTp", str(kind))]),
            ("ReqdColltnDt", collect_on.isoformat()),
            *_ours("Cdtr", creditor),
            ("ChrgBr", "SLEV"),
            ("CdtrSchmeId", [("Id", [("PrvtId", [("Othr", [("Id", ics), ("SchmeNm", [("Prtry", "SEPA")])])])])]),
            *(("DrctDbtTxInf", _debit(order)) for order in mine),
        ]  # fmt: skip
        groups.append(("PmtInf", group))
    header = _header(message, created_at, _totals(debits), creditor)
    return document(DEBITS, [("CstmrDrctDbtInitn", [("GrpHdr", header), *groups])])


def _header(message: str, created_at: datetime, totals: list[tuple[str, str]], ours: OwnAccount) -> Tree:
    if created_at.tzinfo is None:
        raise PainError("pain_moment", tell("the time of creation does not say its zone"))
    moment = created_at.isoformat(timespec="seconds")
    return [("MsgId", message), ("CreDtTm", moment), *totals, ("InitgPty", [("Nm", written_name(ours.name))])]


def _totals(orders: Sequence[Transfer] | Sequence[Debit]) -> list[tuple[str, str]]:
    return [("NbOfTxs", str(len(orders))), ("CtrlSum", decimal_text(sum(order.amount for order in orders)))]


def _ours(role: str, account: OwnAccount, rule: Rule = ibans.iban) -> list[tuple[str, Tree]]:
    return [
        (role, [("Nm", written_name(account.name))]),
        (f"{role}Acct", _account(account.iban, "", rule)),
        (f"{role}Agt", _bank(account.bic, "")),
    ]


def _transfer(order: Transfer, rule: Rule) -> Tree:
    return [
        ("PmtId", [("EndToEndId", order.end_to_end)]),
        ("Amt", [('InstdAmt Ccy="EUR"', decimal_text(order.amount))]),
        ("CdtrAgt", _bank(order.bic, order.end_to_end) if order.bic else None),
        ("Cdtr", [("Nm", written_name(order.name, order.end_to_end))]),
        ("CdtrAcct", _account(order.iban, order.end_to_end, rule)),
        ("RmtInf", _remittance(order)),
    ]


def _debit(order: Debit) -> Tree:
    mandate = _identifier(order.mandate, tell("the mandate's"), order.end_to_end)
    signed: Tree = [("MndtId", mandate), ("DtOfSgntr", order.signed_on.isoformat())]
    return [
        ("PmtId", [("EndToEndId", order.end_to_end)]),
        ('InstdAmt Ccy="EUR"', decimal_text(order.amount)),
        ("DrctDbtTx", [("MndtRltdInf", signed)]),
        ("DbtrAgt", _bank(order.bic, order.end_to_end)),
        ("Dbtr", [("Nm", written_name(order.name, order.end_to_end))]),
        ("DbtrAcct", _account(order.iban, order.end_to_end)),
        ("RmtInf", _remittance(order)),
    ]


def _account(iban: str, order: str, rule: Rule = ibans.iban) -> Tree:
    return [("Id", [("IBAN", _checked(rule, iban, "pain_iban", order))])]


def _bank(bic: str | None, order: str) -> Tree:
    # Where a BIC must stand and is not known, since IBANs tell it (EPC's guidelines).
    here: Tree = [("Othr", [("Id", NOT_PROVIDED)])]
    if bic and bic != NOT_PROVIDED:
        here = [("BICFI", _checked(rules.bic, bic, "pain_bic", order))]
    return [("FinInstnId", here)]


def _remittance(order: Transfer | Debit) -> Tree | None:
    text = latin(order.text)
    if len(text) > MAX_TEXT:
        # Not cut: what stands at its end may be the reference.
        raise PainError(
            "pain_text",
            tell("a text has {most} characters at most, this one {size}; shorten it", most=MAX_TEXT, size=len(text)),
            order.end_to_end,
        )
    return [("Ustrd", text)] if text else None


def written_name(name: str, order: str = "") -> str:
    """A name as banks can write it, cut to the 70 characters that they carry."""
    written = latin(name)[:MAX_NAME].rstrip()
    if not any(char.isalnum() for char in written):
        raise PainError(
            "pain_name",
            tell(
                "{name!r} has no letter that banks can write; write it in Latin letters, as the bank knows its holder",
                name=name[:MAX_NAME],
            ),
            order,
        )
    return written


def _identifier(text: str, whose: str, order: str = "") -> str:
    if not _ID.match(text):
        raise PainError(
            "pain_id",
            tell(
                "{whose} identifier {said!r} is not 1 to {most} of A-Z a-z 0-9 ? : ( ) . , ' + - and / (not "
                "first, last or doubled)",
                whose=whose,
                said=text[:40],
                most=MAX_ID,
            ),
            order,
        )
    return text


def _checked(rule: Rule, text: str, code: str, order: str) -> str:
    try:
        return rule(text)
    except rules.Wrong as wrong:
        raise PainError(code, tell("{said!r}: {wrong}", said=text[:40], wrong=wrong.reason), order) from None


def _check_orders(orders: Sequence[Transfer] | Sequence[Debit]) -> None:
    if not orders:
        raise PainError("pain_empty", tell("a file needs one order at least"))
    seen: set[str] = set()
    for order in orders:
        _identifier(order.end_to_end, tell("the order's"), order.end_to_end)
        if order.end_to_end in seen:
            raise PainError("pain_repeated", tell("two orders of one file have this end-to-end id"), order.end_to_end)
        seen.add(order.end_to_end)
        if type(order.amount) is not int or not 1 <= order.amount <= MAX_AMOUNT:
            raise PainError(
                "pain_amount",
                tell(
                    "{amount!r} is no amount of a SEPA payment: whole cents, 1 to {most}",
                    amount=order.amount,
                    most=MAX_AMOUNT,
                ),
                order.end_to_end,
            )
