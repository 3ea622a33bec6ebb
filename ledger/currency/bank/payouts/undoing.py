"""A payout that does not reach its shop: the reconversion is undone, the fee too, and the shop has its units again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection, select

from ledger.core.ids import derived_id
from ledger.core.model import Posted, Transaction, Transfer
from ledger.currency.bank.payouts import index
from ledger.currency.bank.payouts.owed import Payout, payouts
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_BATCH
from ledger.currency.chart import EUR
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

_REASON = re.compile(r"[A-Z0-9]{4}\Z")


def rejection_id(reconversion: bytes) -> bytes:
    """Id of the one entry that can undo a payout which never left."""
    return derived_id("patard/payout-rejected", reconversion)


def undoing(town: Town, gone: Sequence[Payout], euros_on: int | None = None) -> tuple[Transfer, ...]:
    """What undoes these reconversions. `euros_on` is the account on which their euros came back, where they had left.

    The guarantee grows by payout and fee, which is what the units are that come into circulation again.
    """
    chart, unit = town.chart, town.charter.code
    total, fees = sum(one.amount for one in gone), sum(one.fee for one in gone)
    transfers = [] if euros_on is None else [Transfer(euros_on, chart.payouts, total, EUR)]
    transfers.append(Transfer(chart.payouts, chart.guarantee, total, EUR))
    if fees:
        transfers.append(Transfer(chart.income, chart.guarantee, fees, EUR))
    transfers += [Transfer(chart.circulation, one.holder, one.units, unit) for one in gone]
    return tuple(transfers)


def reject(town: Town, payout: Payout, *, reason: str = "", by: str = CONSOLE, report: bool = False) -> Posted:
    """Undo a payout that the bank will not execute, or that nobody ordered. Rejecting twice changes nothing.

    `reason` is the bank's code (AC04); `report` says that its own answer tells so, which whoever imports may pass on;
    else a treasurer decides. Raises `CurrencyError`: reason_malformed, payout_paid, payout_ordered,
    account_closed, busy.
    """
    reason = reason.strip().upper()
    if reason and not _REASON.match(reason):
        raise CurrencyError("reason_malformed", tell("{reason!r} is no code such as AC04", reason=reason[:20]))
    evidence: dict[str, str | int] = {
        "payout": payout.reconversion.hex(), "holder": f"{payout.holder:016x}", "by": by,
    }  # fmt: skip
    if reason:
        evidence["reason"] = reason
    if report:
        evidence["report"] = 1
    transaction = Transaction(
        rejection_id(payout.reconversion), index.REJECTED, undoing(town, [payout]),
        evidence=evidence,
    )  # fmt: skip

    def also(connection: Connection, posted: Posted) -> None:
        if not posted.replay:
            _check(connection, town, payout)
            index.undone(connection, [payout.seq], posted.id, were_paid=False)

    try:
        return town.post(transaction, also)
    except index.Overtaken:
        raise CurrencyError("busy", tell("somebody else settles this payout right now; look at it again")) from None
    except CurrencyError as error:
        stood = town.book.find(transaction.id) if error.code == "id_taken" else None
        if stood is not None:  # by somebody else, or for another reason
            return Posted(transaction.id, stood.seq, stood.at, replay=True)
        if error.code in ("below_floor", "account_closed"):
            # Paid already, or the shop left: say so rather than what the engine saw.
            with town.reading() as connection:
                _check(connection, town, payout)
        if error.code == "account_closed":
            raise CurrencyError("account_closed", tell(
                "the shop has left and can have no units: it stays owed; find its new IBAN, set it with `patard party "
                "iban` and order the payout again"
            )) from error  # fmt: skip
        raise


def _check(connection: Connection, town: Town, payout: Payout) -> None:
    """Raise `CurrencyError` unless the payout is due, and not in a file that somebody could still fetch."""
    now = payouts(connection, PAYOUT.c.reconversion == payout.reconversion)[0]
    if now.undone_by is not None:
        raise CurrencyError("payout_paid", tell("this payout was paid and came back: its shop has the units again"))
    if now.paid_by is not None:
        entry = town.book.find(now.paid_by)
        day = entry and entry.instruction.booked_on
        raise CurrencyError("payout_paid", tell(
            "the bank paid it on {day}: if it comes back, the statement that shows it undoes it", day=day
        ))  # fmt: skip
    if now.batch is not None:
        query = select(PAYOUT_BATCH.c.number, PAYOUT_BATCH.c.fetched_at).where(PAYOUT_BATCH.c.id == now.batch)
        batch = connection.execute(query).one()
        if batch.fetched_at is None:
            raise CurrencyError("payout_ordered", tell(
                "it is in file {number}, which would pay it: withdraw that file first, `patard payouts withdraw "
                "{number}`", number=batch.number,
            ))  # fmt: skip
