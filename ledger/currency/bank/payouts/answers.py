"""The bank's answer to a file of payouts (pain.002): what it rejects is back on the shops' accounts at once.

Before the file leaves it may answer once with what it found of the payees (`payees`): that is kept beside the payouts.
Only transfers that it names are undone by themselves. A file that it refuses as a whole was not executed, so its
payouts are still owed and go into another file, once somebody says so; and a transfer that it took for a repetition
may have been executed before. Taking the same answer again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from ledger.currency.bank.formats.fields import joined, unreadable
from ledger.currency.bank.formats.nodes import Node, xml_nodes
from ledger.currency.bank.formats.read import MAX_BYTES
from ledger.currency.bank.mandates import rejecting
from ledger.currency.bank.mandates.index import Item
from ledger.currency.bank.payouts import payees, undoing
from ledger.currency.bank.payouts.owed import Payout, by_references, of_batch
from ledger.currency.bank.payouts.payees import Outcome, Payee
from ledger.currency.bank.payouts.tables import PAYOUT_BATCH
from ledger.currency.bank.reference import plain, shown
from ledger.currency.bank.statement import StatementError
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.money import decimal_text
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town

ROOT = b"CstmrPmtStsRpt"
REJECTED = "RJCT"
REPEATED = ("AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL")
"""Reasons that say: we have seen this before."""
MAX_HELD = 140
"""Characters of a name that ISO 20022 carries."""


class Rejected(NamedTuple):
    """A transfer that the bank will not execute. `amount` is cents as it stands in the file, "" where it does not."""

    reference: str
    reason: str
    amount: str


class Report(NamedTuple):
    """An answer: to which file (its message id), and what it rejects. `refused` is why all of it, or "".

    `payees` is what the bank found of account holders, by the end-to-end id; `all_match` that all are whom we name.
    """

    message: str
    refused: str
    rejected: tuple[Rejected, ...]
    payees: Mapping[str, Payee] = {}
    all_match: bool = False


class Left(NamedTuple):
    """Something in an answer that a person has to see to. `reference` is a payout's, or the file's message id."""

    reference: str
    code: str
    detail: str


class Answered(NamedTuple):
    """What an answer came to: the payouts that were undone, now or before, and what is left to do.

    `debits` are those that are not expected any more, where it answers a file of direct debits. `payees` is what the
    bank found of account holders, which moves nothing.
    """

    undone: list[Payout]
    left: list[Left]
    debits: tuple[Item, ...] = ()
    payees: tuple[tuple[Payout, Payee], ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether the bank rejected nothing, and told nothing that anybody has to see."""
        return not (self.undone or self.left or self.debits or self.payees)


def is_report(data: bytes) -> bool:
    """Whether a file is such an answer."""
    return ROOT in data[:4_000]


def read_file(path: Path) -> Report | None:
    """The answer in a file, or None where it is none, or cannot be read. Raises `StatementError`."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    return read(data) if len(data) <= MAX_BYTES and is_report(data) else None


def read(data: bytes) -> Report:
    """Read an answer. Raises `StatementError`: statement_unreadable."""
    message, refused, all_match = "", "", False
    rejected: list[Rejected] = []
    found: dict[str, Payee] = {}
    for _parent, node in xml_nodes(data, ["OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts", "TxInfAndSts"]):
        if node.name == "TxInfAndSts":
            if outcome := payees.CODES.get(node.value("TxSts")):
                found[node.value("OrgnlEndToEndId")] = Payee(outcome, _held_name(node, outcome))
            if node.value("TxSts") == REJECTED:
                amount = node.value("OrgnlTxRef", "Amt", "InstdAmt")
                rejected.append(Rejected(node.value("OrgnlEndToEndId"), _reason(node), amount))
            continue
        if node.name == "OrgnlGrpInfAndSts":
            message = node.value("OrgnlMsgId")
        if REJECTED in (node.value("GrpSts"), node.value("PmtInfSts")):
            refused = _reason(node) or REJECTED
        all_match = all_match or Outcome.MATCH in map(payees.CODES.get, (node.value("GrpSts"), node.value("PmtInfSts")))
    if not message:
        raise unreadable("the answer does not say which file it is about (OrgnlMsgId)")
    return Report(message, refused, tuple(rejected), found, all_match)


def take(town: Town, report: Report, *, by: str = CONSOLE) -> Answered:
    """Undo what the bank rejected, of payouts or of direct debits. Raises `StatementError` for any other file."""
    with town.reading() as connection:
        columns = (PAYOUT_BATCH.c.id, PAYOUT_BATCH.c.number, PAYOUT_BATCH.c.withdrawn_at)
        batch = connection.execute(select(*columns).where(PAYOUT_BATCH.c.message == report.message)).first()
        if batch is None:
            return _debits(town, report, by)
        references = {plain(one) or "" for one in (*report.payees, *(one.reference for one in report.rejected))}
        known = {payout.reference: payout for payout in by_references(connection, references)}
    answered = _of_payees(town, report, batch.id, known, by)
    for one in report.rejected:
        payout = known.get(plain(one.reference) or "")
        try:
            if payout is None or payout.batch != batch.id and payout.undone_by is None:
                raise CurrencyError("not_found", tell("it is no payout of this file, or it is in another by now"))
            if one.amount and one.amount != decimal_text(payout.amount):
                raise CurrencyError("not_found", tell(
                    "the payout is of {amount}, not {said}", amount=Cents(payout.amount), said=one.amount
                ))  # fmt: skip
            if one.reason in REPEATED:
                raise CurrencyError("payout_paid", tell(
                    "the bank takes it for a repetition ({reason}): look whether it was paid before", reason=one.reason
                ))  # fmt: skip
            reason = one.reason if len(one.reason) == 4 else ""
            posted = undoing.reject(town, payout, reason=reason, by=by, report=True)
            if undoing.is_word(posted, payout):
                raise CurrencyError("payout_rejection_waits", undoing.waiting(payout, batch.number))
        except CurrencyError as error:
            answered.left.append(Left(shown(payout.reference) if payout else one.reference, error.code, error.detail))
        else:
            assert payout is not None
            answered.undone.append(payout)
    if report.refused and not report.rejected and batch.withdrawn_at is None:
        told = tell(
            "the bank refused file {number} as a whole ({refused}): nothing of it is paid. To order its "
            "payouts anew: `patard payouts withdraw {number} --refused`",
            number=batch.number,
            refused=report.refused,
        )
        if report.refused in REPEATED:
            told = tell(
                "the bank has file {number} already ({refused}), and will not take it twice",
                number=batch.number,
                refused=report.refused,
            )
        answered.left.append(Left(report.message, "payouts_refused", told))
    return answered


def _of_payees(town: Town, report: Report, batch: bytes, known: Mapping[str, Payout], by: str) -> Answered:
    """Keep what the bank found of the file's payees: of each whom it names, or of all that the file orders."""
    answered = Answered([], [])
    with town.reading() as connection:
        ordered = {payout.reconversion: payout for payout in of_batch(connection, batch)}
    found = dict.fromkeys(ordered, Payee(Outcome.MATCH)) if report.all_match and not report.payees else {}
    for reference, payee in report.payees.items():
        payout = known.get(plain(reference) or "")
        if payout is None or payout.reconversion not in ordered:
            answered.left.append(
                Left(reference, "not_found", tell("its payee was checked, but it is no payout of this file"))
            )
        else:
            found[payout.reconversion] = payee
    payees.keep(town, batch, found, by)
    return answered._replace(payees=tuple((ordered[one], payee) for one, payee in found.items()))


def _debits(town: Town, report: Report, by: str) -> Answered:
    """An answer to a file of direct debits."""
    done = rejecting.take(town, report.message, [(one.reference, one.reason) for one in report.rejected], by=by)
    if done is None:
        raise StatementError("statement_format_unknown", tell(
            "this is the bank's answer (pain.002) to the file {message!r}, which is none of ours",
            message=report.message[:35],
        ))  # fmt: skip
    left = [Left(*one) for one in done.left]
    if report.refused and not report.rejected and done.number is not None:
        told = tell(
            "the bank refused file {number} of debits as a whole ({refused}): to collect its month anew, "
            "`patard mandate withdraw {number} --refused`",
            number=done.number,
            refused=report.refused,
        )
        if report.refused in REPEATED:
            told = tell(
                "the bank has file {number} of debits already ({refused}), and will not take it twice",
                number=done.number,
                refused=report.refused,
            )
        left.append(Left(report.message, "payouts_refused", told))
    return Answered([], left, tuple(done.rejected))


def _held_name(node: Node, outcome: Outcome) -> str:
    """The holder's name as the bank has it. It tells it where that is nearly the one that was ordered to."""
    if outcome is not Outcome.CLOSE:
        return ""
    return joined(text.text for why in node.each("StsRsnInf") for text in why.each("AddtlInf"))[:MAX_HELD]


def _reason(node: Node) -> str:
    return node.value("StsRsnInf", "Rsn", "Cd") or node.value("StsRsnInf", "Rsn", "Prtry")
