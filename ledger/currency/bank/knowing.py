"""What is known about lines in suspense, read from the book and its tables for `proposals`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, select

from ledger.currency import parties
from ledger.currency.bank import claims, topups, typed
from ledger.currency.bank.lines import Line, line_of
from ledger.currency.bank.mandates.matching import may_be
from ledger.currency.bank.names import Names, words
from ledger.currency.bank.ours import was_bound
from ledger.currency.bank.payouts import lines as payout_lines
from ledger.currency.bank.payouts.index import PAID, RETURNED
from ledger.currency.bank.payouts.owed import payouts
from ledger.currency.bank.payouts.placing import open_files
from ledger.currency.bank.payouts.tables import PAYOUT
from ledger.currency.bank.proposals import Known, NotOwed, Seen, Why
from ledger.currency.bank.reference import cuts, member_references
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.charter import ReserveKind
from ledger.currency.town import Town
from ledger.currency.uncovered import uncovered

_LINE = BANK_LINE.c


def gather(town: Town, lines: Sequence[Line], beside: Sequence[Line] = ()) -> Known:
    """What is known about these open lines. `beside` are others in suspense that may be pairs of theirs."""
    chart, network = town.chart, town.charter.network
    members = {party.account: party.name for party in parties.every(town, open_only=True)}
    references = member_references(network, members)
    known = Known(
        Names(members), references, cuts(references),
        claims=claims.owed(town), fees=town.book.balance(chart.income), uncovered=uncovered(town),
        in_transit=town.book.balance(chart.transit),
        bound=frozenset(line.id for line in lines if line.kind == LineKind.OPENING and was_bound(town, line)),
        own_names=tuple(words(account.holder) for account in town.charter.reserve if account.holder),
        cash=tuple(account.name for account in town.charter.reserve if account.kind == ReserveKind.CASH),
    )  # fmt: skip
    for line in (*lines, *beside):
        known.open.setdefault(line.amount, []).append(line)
    _payouts(town, lines, known)
    _not_owed(town, lines, known)
    known.debits.update(may_be(town, lines))
    _seen(town, lines, known)
    _topups(town, lines, known)
    _typed(town, [line for line in lines if line.amount > 0], known)
    return known


def _not_owed(town: Town, lines: Sequence[Line], known: Known) -> None:
    """Lines that pay a shop once more, or one that has its units again."""
    for line in lines:
        why = payout_lines.reason(town, line) if line.amount < 0 else None
        if why is None or why.code not in (Why.PAID_ALREADY, Why.GIVEN_BACK) or why.on is None:
            continue
        holders = {payout.holder for payout in why.payouts}
        if len(holders) == 1:
            known.not_owed[line.id] = NotOwed(holders.pop(), Why(why.code), why.on)


def _seen(town: Town, lines: Sequence[Line], known: Known) -> None:
    """Who was paid for from these accounts, and who sent such amounts."""
    ibans = {line.iban for line in lines if line.iban}
    amounts = {line.amount for line in lines if line.amount > 0}
    day = func.max(_LINE.booked_on)
    by_iban = (
        select(_LINE.iban, _LINE.holder, day)
        .where(_LINE.iban.in_(sorted(ibans)), _LINE.amount > 0, _LINE.holder.is_not(None))
        .where(_LINE.became.not_in((PAID, RETURNED)))
        .group_by(_LINE.iban, _LINE.holder)
        .order_by(day.desc(), _LINE.holder)
    )
    by_amount = (
        select(_LINE.holder, _LINE.amount, day).where(_LINE.amount.in_(sorted(amounts)), _LINE.holder.is_not(None))
        .group_by(_LINE.holder, _LINE.amount)
    )  # fmt: skip
    with town.reading() as connection:
        for iban, holder, last in connection.execute(by_iban):
            if holder in known.names:
                known.ibans.setdefault(iban, []).append(Seen(holder, date.fromisoformat(last)))
        for holder, amount, last in connection.execute(by_amount):
            known.amounts[holder, amount] = date.fromisoformat(last)


def _payouts(town: Town, lines: Sequence[Line], known: Known) -> None:
    """Payouts of such amounts, and files of which as much is left."""
    amounts = sorted({abs(line.amount) for line in lines})
    with town.reading() as connection:
        for payout in payouts(connection, PAYOUT.c.amount.in_(amounts), PAYOUT.c.undone_by.is_(None)):
            known.payouts.setdefault(payout.amount, []).append(payout)
    for file in open_files(town):
        known.payout_files.setdefault(file.left, []).append(file)


def _topups(town: Town, lines: Sequence[Line], known: Known) -> None:
    """Lines that brought units, of which some of these may be the return."""
    amounts = sorted({-line.amount for line in lines if line.amount < 0})
    query = (
        select(BANK_LINE)
        .where(_LINE.amount.in_(amounts), topups.brought_units(), _LINE.undone_seq.is_(None))
        .where(_LINE.withdrawn.is_(None))
        .order_by(_LINE.booked_on.desc(), _LINE.place.desc())
    )
    with town.reading() as connection:
        for row in connection.execute(query):
            known.topups.setdefault(row.amount, []).append(line_of(row))


def _typed(town: Town, lines: Sequence[Line], known: Known) -> None:
    """Conversions that were typed by hand on accounts of a bank, and that no line is yet."""
    there = typed.unexplained(town, lines)
    for one in there.typed:
        if one.reserve not in there.cash:
            known.typed.setdefault(one.amount, []).append(one)
