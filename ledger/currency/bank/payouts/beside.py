"""Lines that pay what no file let leave: somebody typed a transfer at the bank, or drew a cheque.

That does what a file does, without its signatures. So it counts with what one person let leave alone (`alone`); what is
more than that leaves by a file, which two people sign. The entry says how much of the line no file let leave (`BESIDE`,
cents). What booking took by itself is anybody's; what a person placed is theirs, and that person is a treasurer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select

from ledger.core.model import Instruction, Posted
from ledger.currency import chartered
from ledger.currency.bank import details
from ledger.currency.bank.lines import Line
from ledger.currency.bank.payouts import index, proven
from ledger.currency.bank.payouts.approval import SIGNERS, room
from ledger.currency.bank.payouts.noted import BESIDE, noted
from ledger.currency.bank.payouts.owed import Payout, payouts
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_ORDER
from ledger.currency.clocked import Moments, judged
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.persons import held
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town


def let_out(connection: Connection, meant: Collection[Payout]) -> dict[bytes, set[str]]:
    """Those of the payouts, by their reconversions, that a file let leave, with the IBANs to which files did.

    A file that was withdrawn after it was fetched may have been executed all the same.
    """
    query = select(PAYOUT_ORDER.c.batch, PAYOUT_ORDER.c.reconversion, PAYOUT_ORDER.c.iban)
    rows = connection.execute(query.where(PAYOUT_ORDER.c.reconversion.in_([one.reconversion for one in meant]))).all()
    files = noted(connection, {bytes(row.batch) for row in rows})
    places, found = {one.reconversion: one.seq for one in meant}, dict[bytes, set[str]]()
    for row in rows:
        file = files.get(row.batch)
        if file is not None and file.fetched and places[row.reconversion] in file.places:
            found.setdefault(row.reconversion, set()).add(row.iban)
    return found


def evidence(connection: Connection, meant: Collection[Payout]) -> dict[str, str | int]:
    """What the entry of a line that pays these says: how much of it no file let leave, where that is anything."""
    out = let_out(connection, meant)
    cents = sum(one.amount for one in meant if one.reconversion not in out)
    return {BESIDE: cents} if cents else {}


def elsewhere(town: Town, connection: Connection, meant: Sequence[Payout], iban: str, line: Line) -> str:
    """Why a line that pays these went elsewhere, as the bank says: to an account to which no file let them leave, and,
    where no file did, that their shops had not said by then; "" where it did not.

    Where neither bank nor ledger names an account, nobody can tell: "". "By then" is the day of the line; where a shop
    says itself that the account is its own, any day.
    """
    if not iban:
        return ""
    out = let_out(connection, meant)
    known = {one for ibans in out.values() for one in ibans}
    holders = {one.holder for one in meant if one.reconversion not in out}
    there = details.by_account(connection, holders)
    if iban in known or not (known or there):
        return ""
    if iban not in {one.iban for one in there.values()}:
        return tell("the bank says that this went to another account than the one that is paid to")
    said = {holder: goes for holder, goes in proven.said(connection, holders).items() if goes.is_proven}
    keys = held(town, connection, [bytes.fromhex(goes.by) for goes in said.values() if goes.by != CONSOLE])
    moments = Moments(town, town.book.head().seq)
    for holder, goes in said.items():
        key = keys.get(bytes.fromhex(goes.by)) if goes.by != CONSOLE else None
        own = key is not None and key.account == holder
        if goes.iban == iban and (own or moments.day(goes.seq, goes.at) <= line.booked_on):
            return ""
    return tell(
        "it went to this account before the office said that the shop is paid there: the shop says so itself, with "
        "`wallet iban`, or it is ordered in a file that is signed and fetched first"
    )


def is_little(town: Town, connection: Connection, entry: Instruction, posted: Posted | None = None) -> bool:
    """Whether what no file let leave is little enough for whoever the entry is of; asked in its commit, or before."""
    cents = int(entry.evidence.get(BESIDE, 0))
    if not cents:
        return True
    by = str(entry.evidence["by"])
    key = bytes.fromhex(by) if "line" in entry.evidence and by != CONSOLE else None
    at = judged(town, posted) if posted is not None else town.now()
    return room(town, connection, cents, key, at, but=entry.id)


def stands(town: Town, connection: Connection, entry: Instruction, posted: Posted) -> bool:
    """Whether booking may take a line for payouts as `entry` says, and it says it right; asked in its commit.

    A file that orders them may have left since the entry was made, and says where they go.
    """
    if getattr(entry, "kind", None) != index.PAID:
        return True
    places = index.named(connection, entry.evidence) + index.given_back(entry.evidence)
    meant = payouts(connection, PAYOUT.c.seq.in_(places))
    is_right = entry.evidence.get(BESIDE) == evidence(connection, meant).get(BESIDE)
    return is_right and is_little(town, connection, entry, posted)


def require_may(town: Town, connection: Connection, entry: Instruction, posted: Posted) -> None:
    """Raise `CurrencyError`, role_insufficient or payouts_unsigned, where `entry` places a line that pays what no file
    let leave, and whoever placed it may not let leave as much alone."""
    if BESIDE not in entry.evidence:
        return
    by = str(entry.evidence["by"])
    key = None if by == CONSOLE else held(town, connection, [bytes.fromhex(by)]).get(bytes.fromhex(by))
    if by != CONSOLE and (key is None or key.role not in SIGNERS):
        raise CurrencyError("role_insufficient", tell(
            "no file let this payout leave: a treasurer may place the line so, or it is ordered in a file, signed and "
            "fetched before"
        ))  # fmt: skip
    if not is_little(town, connection, entry, posted):
        raise CurrencyError("payouts_unsigned", tell(
            "no file let {amount} of this leave, and with what left alone within {days} days that is more than one "
            "person lets leave. If the shop was paid so: `patard payouts order`, have the file signed by two people, "
            "fetch it and do not send it to the bank; then place the line",
            amount=Cents(int(entry.evidence[BESIDE])), days=chartered.ALONE_DAYS,
        ))  # fmt: skip
