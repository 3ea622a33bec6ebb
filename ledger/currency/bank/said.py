"""What the bank said of a line that went out, or a member's own key: what one officer cannot write by themselves.

The accounts of a member are those that their own key signed; what somebody of the office typed, or wrote down from a
paper, says nothing here. An account from which euros came with the member's reference is the member's for as much as
came: a cent makes nobody's account theirs. One account may be used by several, a couple or a payment service: what goes
there is as likely another's where it names them, or where as much came from there for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple, Protocol

from sqlalchemy import Connection, select

from ledger.core.model import Evidence
from ledger.currency import parties
from ledger.currency.bank.boxes import is_cash, is_deposit
from ledger.currency.bank.details import by_account
from ledger.currency.bank.indexing import SUSPENSE
from ledger.currency.bank.lines import Line, said_of
from ledger.currency.bank.mandates.index import named
from ledger.currency.bank.mandates.tables import COLLECTION, MANDATE, MANDATE_VERSION
from ledger.currency.bank.names import begins
from ledger.currency.bank.payouts.tables import PAYOUT
from ledger.currency.bank.recalled import SURE, Named, same_payer
from ledger.currency.bank.reference import written_in
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.topups import CONVERSION, KNOWN
from ledger.currency.conversion import CONSOLE
from ledger.currency.town import Town

_AT_ONCE = 500


class Became(Protocol):
    """What became of a line, as the table or the log tells it."""

    @property
    def amount(self) -> int: ...
    @property
    def became(self) -> str | None: ...
    @property
    def placed_as(self) -> str | None: ...
    @property
    def undone_seq(self) -> int | None: ...
    @property
    def holder(self) -> int | None: ...


class Whose(NamedTuple):
    """Whose a line is, and its cents: `holder` 0 for one that came and waits. `counts`: see there."""

    holder: int
    amount: int
    counts: bool


def counts(line: Became) -> bool:
    """Whether a line of a member's counts for what came from an account, or went there: a top-up by its reference that
    stands, or what the member was paid and not owed.
    """
    if line.amount > 0:
        return line.became == CONVERSION and line.placed_as is None and line.undone_seq is None
    return line.placed_as == "debt"


def whose(line: Became) -> Whose | None:
    """Whose a line is, if it stands: it brought units to one member, was paid to one who owes it, or came and waits."""
    if line.undone_seq is not None:
        return None
    if line.placed_as is None and line.became == SUSPENSE:
        return Whose(0, line.amount, counts=False) if line.amount > 0 else None
    way = line.placed_as or line.became
    right = (CONVERSION, KNOWN, "member", "known") if line.amount > 0 else ("debt",)
    return Whose(line.holder, line.amount, counts(line)) if way in right and line.holder else None


def explains(way: str, line: Line, other: Line | None, *, is_named: bool) -> bool:
    """Whether the bank says that a line was put into a box or came out of one ("cash"), that it is between accounts of
    ours ("transit": `is_named` where it names one), that it is what the `other` gave back ("pair"), or that it is a
    payout that came back ("payout": `is_named` where it names that one).
    """
    if way == "cash":
        return is_cash(line) if line.amount < 0 else is_deposit(line) and _calls_it(line)
    if way == "payout":
        return is_named or line.kind == LineKind.RETURN or line.reason != ""
    if other is None:
        return is_named
    went = line if line.amount < 0 else other
    return went.kind == LineKind.RETURN or (line.iban != "" and line.iban == other.iban)


def _calls_it(line: Line) -> bool:
    """Whether the bank calls it a deposit, at the start of its label: behind that stands what the payer wrote."""
    return line.kind == LineKind.CASH or any(begins(text, "deposit") for text in (line.name, line.text))


def names_payout(connection: Connection, line: Line, evidence: Evidence) -> bool:
    """Whether a line carries the reference of the payout that evidence names."""
    one = bytes.fromhex(str(evidence.get("payout", "")))
    found = connection.scalars(select(PAYOUT.c.reference).where(PAYOUT.c.reconversion == one))
    return not written_in(line.said).isdisjoint(found)


def is_theirs(line: Line, holder: int, ibans: Collection[str], there: Iterable[Whose]) -> bool:
    """Whether a line went to an account of a member's: by their own key (`ibans`), or by as much that came from there
    with their reference and did not go back. `there` are the lines of that account.
    """
    if not line.iban:
        return False
    theirs = sum(one.amount for one in there if one.holder == holder and one.counts)
    return line.iban in ibans or -line.amount <= theirs


def is_anothers(line: Line, holder: int, named: Named, there: Iterable[Whose]) -> bool:
    """Whether what went out is as likely another member's: it names one, or as much came from `there` for others."""
    if named((*line.said, *(text for part in line.parts for text in said_of(part)))) - {holder}:
        return True
    others = Counter[int]()
    for one in there:
        others[one.holder] += one.amount if one.holder != holder else 0
    # What one owes already makes up for nothing that came for another.
    return -line.amount <= sum((+others).values())


def is_return(line: Line, topup: Line, fits: int) -> bool:
    """Whether a line takes a top-up back, by what is right of that (`Recall.fits`): it went to where that came from, or
    the bank says that it is a return, and of what.
    """
    return fits >= SURE or (fits > 0 and same_payer(line, topup))


def by_mandates(connection: Connection, holder: int, before: int | None = None) -> set[str]:
    """The accounts of mandates that a member's device signed, before that entry; "" for one that was erased."""
    version = MANDATE_VERSION.c
    query = (
        select(MANDATE.c.iban)
        .join(MANDATE_VERSION, version.mandate == MANDATE.c.id)
        .where(MANDATE.c.account == holder, version.key.is_not(None))
    )
    return set(connection.scalars(query if before is None else query.where(version.seq < before)))


def by_details(town: Town, connection: Connection, holder: int) -> set[str]:
    """Where a member is paid, if their own key said so last."""
    found = by_account(connection, {holder}).get(holder)
    if found is None or found.set_by == CONSOLE:
        return set()
    key = parties.find_device(town, bytes.fromhex(found.set_by))
    mine = key is not None and key.account == holder and key.role in parties.SPEND
    return {found.iban} if mine else set()


def of_debits(connection: Connection, line: Line, evidence: Evidence) -> bool | None:
    """Whether the bank says that the debits went back that evidence names: it is a return that names each, or went to
    the account from which all of them had been brought. None where what would tell was erased.
    """
    items = named(connection, evidence.get("unpaid", ""))
    accounts: dict[bytes, tuple[str, str]] = {}
    ids = sorted({one.mandate for one in items})
    for start in range(0, len(ids), _AT_ONCE):
        query = select(MANDATE.c.id, MANDATE.c.iban, MANDATE.c.reference)
        for id_, iban, reference in connection.execute(query.where(MANDATE.c.id.in_(ids[start : start + _AT_ONCE]))):
            accounts[id_] = iban, reference
    if not items:
        return None
    ibans = {iban for iban, _reference in accounts.values()}
    if line.iban and ibans == {line.iban} and not evidence.get("early"):
        return True
    if line.kind == LineKind.RETURN:
        files = {one.collection for one in items}
        query = select(COLLECTION.c.id, COLLECTION.c.reference).where(COLLECTION.c.id.in_(sorted(files)))
        of_file: dict[bytes, str] = {row.id: row.reference for row in connection.execute(query)}
        there = written_in((*line.said, *(text for part in line.parts for text in said_of(part))))
        if all(there & {one.reference, accounts[one.mandate][1], of_file[one.collection]} for one in items):
            return True
    return None if "" in ibans else False
