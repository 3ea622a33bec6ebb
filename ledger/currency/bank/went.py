"""What a person says of euros that went out, and who may say it: on one officer's word nobody pays for a line, no
line explains another, and what carries one member's reference is nobody else's.

A line that is placed as a member's debt, as a top-up of theirs or as debits that went back takes units from the member,
or leaves them owing; else the reserve would lack these euros, and everybody would see it. One that is placed as half of
a pair, as a transfer of our own or as cash makes up for another that came, and was somebody's. So the bank has to say
the same, or the member's own key (`said`); or a treasurer decides, whom `check` names.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from ledger.core.model import Evidence, Instruction, Transaction, Transfer
from ledger.currency import parties
from ledger.currency.bank import boxes, elses, require, said, topups
from ledger.currency.bank.correcting import is_treasurer
from ledger.currency.bank.indexing import RETURN
from ledger.currency.bank.lines import Books, Line, line_of
from ledger.currency.bank.recalled import Candidate, Named, recall
from ledger.currency.bank.reference import written_in
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.chart import EUR
from ledger.currency.errors import CurrencyError
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town

CHARGING = ("debt", "returned", "debits")
"""Ways by which a member pays for a line that went out (`placing.Way`)."""
EXPLAINING = ("pair", "transit", "cash", "payout")
"""Ways by which one line explains another: what somebody sent us would pay for what went out, if the two were one. A
payout, where it is said to have come back.
"""
_UNSAID = {
    "pair": tell(
        "the bank does not say that one gave the other back: it does not name the same account for both lines, nor "
        "call the one that went out a return. A treasurer may place them as a pair"
    ),
    "transit": tell(
        "the bank names no account of ours on the other side: a treasurer may say that it is between two of them"
    ),
    "cash": tell(
        "the bank does not call this cash: a treasurer may say that it came out of the box, or was put into it"
    ),
    "payout": tell(
        "the bank does not call this a return, nor does it name the payout: a treasurer may say that it came back"
    ),
}  # fmt: skip
_LINE = BANK_LINE.c
_Went = tuple[tuple[Transfer, ...], Evidence]


# --- who may -----------------------------------------------------------------------------------------------


def require_may(
    town: Town, connection: Connection, line: Line, placed: Instruction, by: str, other: Line | None
) -> None:
    """Raise `CurrencyError`, role_insufficient, where a member would pay on the word of `by` alone, no treasurer; or
    where on that word one line would explain another, or somebody get what carries another's reference.
    """
    if is_treasurer(town, by):
        return
    evidence = placed.evidence
    way = str(evidence.get("as"))
    transfers = placed.transfers if isinstance(placed, Transaction) else ()
    moves = [(t.debit, t.credit, t.amount, t.unit) for t in transfers]
    explains = "cash" if way == "split" and boxes.in_cash(moves, boxes.numbers(town)) else way
    if line.amount > 0 and way in elses.WAYS:
        named, gave = _named(town), boxes.look(town, connection).givers
        whose = elses.of(connection, explains, line, other, evidence, gave, named)
        gets = elses.gets(moves, evidence, town.chart, line.amount) if way in elses.FOR_MEMBERS else {}
        if elses.is_elses(line, gets, whose, named):
            raise CurrencyError("role_insufficient", tell(
                "this line carries the reference of another member: a treasurer may say that it is not for them alone"
            ))  # fmt: skip
        if way in ("member", "split"):
            require.untyped_near(town, connection, line, gets)
    if explains in EXPLAINING and (explains != "payout" or line.amount > 0):
        ours = {account.iban for account in town.charter.reserve}
        is_named = said.names_payout(connection, line, evidence) if explains == "payout" else line.iban in ours
        if not said.explains(explains, line, other, is_named=is_named):
            raise CurrencyError("role_insufficient", _UNSAID[explains])
    elif line.amount < 0 and way in CHARGING and not _is_said(town, connection, line, evidence):
        raise CurrencyError("role_insufficient", tell(
            "neither the bank nor the member's own key says that these {amount} went back to where the member's euros "
            "had come from, or to an account of theirs, and to nobody else's: a treasurer may place the line so",
            amount=Cents(-line.amount),
        ))  # fmt: skip


def is_charge(amount: int, became: str | None, placed_as: str | None) -> bool:
    """Whether a member pays for a line, as it was booked or placed: only a treasurer puts that back for others."""
    return amount < 0 and (placed_as in CHARGING or (placed_as is None and became == RETURN))


def _named(town: Town) -> Named:
    books = Books(town, "")

    def named(texts: Iterable[str]) -> set[int]:
        # Most texts carry nothing that could be one: then nobody asks who the members are.
        return {books.members[one] for one in written_in(texts) if one in books.members}

    return named


def _is_said(town: Town, connection: Connection, line: Line, evidence: Evidence) -> bool:
    """Whether the bank or the member's key says what would be placed; `check` asks the same of `said`."""
    way = evidence["as"]
    if way == "debits":
        return said.of_debits(connection, line, evidence) is True
    holder, named = int(str(evidence["holder"]), 16), _named(town)
    if way == "returned":
        row = connection.execute(select(BANK_LINE).where(_LINE.id == bytes.fromhex(str(evidence["returns"])))).one()
        back, one = recall(line, named), Candidate(line_of(row), holder)
        fits = 0 if topups.may_be_debit(connection, back, one) else back.fits(one, topups.candidates(connection, back))
        return said.is_return(line, one.line, fits)
    ibans = said.by_mandates(connection, holder) | said.by_details(town, connection, holder)
    rows = connection.execute(select(BANK_LINE).where(_LINE.iban == line.iban, _LINE.withdrawn.is_(None)))
    there = [whose for row in rows if (whose := said.whose(line_of(row))) is not None] if line.iban else []
    return said.is_theirs(line, holder, ibans, there) and not said.is_anothers(line, holder, named, there)


# --- ways --------------------------------------------------------------------------------------------------


def fees(town: Town, line: Line) -> tuple[Transfer, ...]:
    """Fees that were moved out of the reserve: as much as there is. Raises `CurrencyError`, placing_uneven."""
    require.went(line, tell("fees moved out"))
    there = town.book.balance(town.chart.income)
    if -line.amount > there:
        raise require.uneven(tell(
            "the reserve holds fees of {there} that can be moved out, and {amount} went: more would be members' "
            "euros; place it as the association's own", there=Cents(there), amount=Cents(-line.amount),
        ))  # fmt: skip
    return (between(town, line, town.chart.income),)


def debt(town: Town, line: Line, account: int) -> _Went:
    """What was paid to a member who was not owed it. Raises `CurrencyError`: placing_uneven, not_found."""
    require.went(line, tell("paid to a member who was not owed it"))
    # One who has left may owe as well.
    holder = parties.by_account(town, account).account
    return (between(town, line, town.chart.claims),), {"holder": f"{holder:016x}"}


def returned(town: Town, line: Line, other: Line | None) -> _Went:
    """A top-up, the line `other`, that went back. Raises `CurrencyError`, placing_uneven."""
    require.went(line, tell("a top-up that went back"))
    if other is None or not is_topup(other) or other.amount != -line.amount:
        raise require.uneven(tell(
            "what went back must be as much as a line that brought units to one member, and stands"
        ))  # fmt: skip
    assert other.holder is not None
    require.same_side(line, other)
    transfers = topups.given_back(town, other.holder, other.amount, town.chart.suspense)
    return transfers, {"holder": f"{other.holder:016x}", "returns": other.id.hex()}


def is_topup(line: Line) -> bool:
    """Whether a line brought units to one member, and nothing took them back; see `topups.brought_units`."""
    by_itself = line.placed_as is None and line.became in (topups.CONVERSION, topups.KNOWN)
    stands = line.holder is not None and line.undone_seq is None
    return stands and (by_itself or line.placed_as in ("member", "known"))


def between(town: Town, line: Line, account: int) -> Transfer:
    """The line's euros, from suspense to where they belong."""
    suspense = town.chart.suspense
    if line.amount > 0:
        return Transfer(suspense, account, line.amount, EUR)
    return Transfer(account, suspense, -line.amount, EUR)
