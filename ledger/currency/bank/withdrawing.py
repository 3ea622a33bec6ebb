"""What undoes a line that a corrected statement no longer has, and whole statements that proved wrong.

A first statement says with which euros an account begins. Where that was wrong, the true ones do not fit it, nor what
continues it: so all that were taken of the account are withdrawn at once, while nothing of them was placed, and it is
as if they had never been. One note in the log, and what undoes each line, in one commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, func, select, update

from ledger.core.ids import derived_id
from ledger.core.model import Evidence, Instruction, Note, Posted, Transaction, Transfer
from ledger.currency import parties, uncovered
from ledger.currency.bank import claims, matching, suspense, topups
from ledger.currency.bank.correcting import is_treasurer
from ledger.currency.bank.indexing import RETURN, SUSPENSE, WITHDRAWN, Overtaken, index
from ledger.currency.bank.lines import Books, Line, line_of
from ledger.currency.bank.mandates import matching as mandates
from ledger.currency.bank.mandates.index import BROUGHT, UNPAID
from ledger.currency.bank.naming import entry_at
from ledger.currency.bank.placing import Way
from ledger.currency.bank.standing import KIND, first_standing, withdrawal_id
from ledger.currency.bank.tables import BANK_LINE, BANK_STATEMENT
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town

AT_ONCE = (Way.SPLIT, Way.RETURNED, Way.PAYOUT, Way.DEBITS)
"""Ways of placing that gave members units, or took some: what is not there any more is owed, and by one entry."""
UNPLACED = (None, SUSPENSE, topups.CONVERSION, topups.KNOWN, topups.TRANSIT, BROUGHT, UNPAID)
"""What lines may have become by themselves that are withdrawn with their statement: nobody can put a debit back."""
_SPENT = tell(
    "units that its lines brought were spent, so it cannot be as if it had never been: "
    "have as much paid back to whoever spent them, then withdraw it"
)
_TRIES = 5
_LINE, _STATEMENT = BANK_LINE.c, BANK_STATEMENT.c


def withdrawn_id(line: bytes) -> bytes:
    """Id of the one entry that undoes this line."""
    return derived_id("patard/bank-line-undone", line)


def entry(books: Books, line: Line) -> Instruction:
    """The entry that undoes a line. What a person placed it as is put back first, where that moved no member's units.

    Raises `CurrencyError` where that cannot be, because a debt was paid, say; never for units that are not there.
    """
    made = _made(books, line)
    claims.require_owed(books.town, made)
    return made


def _made(books: Books, line: Line) -> Instruction:
    id_ = withdrawn_id(line.id)
    if line.placed_as == Way.MEMBER or (line.placed_as is None and line.became == topups.CONVERSION):
        return topups.undo(books, line, id_, WITHDRAWN, line)
    if line.placed_as is not None and line.placed_as not in AT_ONCE:
        suspense.undo(books.town, line, books.by, treasurer=is_treasurer(books.town, books.by))
    elif line.placed_as is not None or line.became != SUSPENSE:
        return _undoing(books, line, id_)
    evidence = books.evidence(line, returns=line.id.hex())
    back = tuple(Transfer(t.credit, t.debit, t.amount, t.unit) for t in matching.suspense(books, line).transfers)
    return Transaction(id_, WITHDRAWN, back, line.booked_on, evidence=evidence)


def _undoing(books: Books, line: Line, id_: bytes) -> Instruction:
    """The entry that undoes what booking made of a line, or what placing one and putting it into suspense did."""
    town, seq = books.town, line.placed_seq or line.seq
    stood = entry_at(town, seq or 0)
    assert stood is not None
    evidence = books.evidence(line, returns=line.id.hex())
    if line.placed_as is not None:
        evidence["undoes"] = stood.id.hex()
    debits = mandates.undoing(books, line, id_, WITHDRAWN, evidence, stood.id)
    if debits is not None:
        return debits
    if not isinstance(stood, Transaction):
        # A conversion that was typed by hand: it stays, and waits for the line that is it.
        return Note(id_, WITHDRAWN, evidence, line.booked_on)
    if stood.kind == RETURN:
        evidence["reopens"] = str(stood.evidence["returns"])
    # What placing moved to or from suspense, being booked had moved there: both at once, it is the bank's account.
    at = {town.chart.suspense: line.reserve} if line.placed_as is not None else {}
    way_back = [(at.get(t.credit, t.credit), at.get(t.debit, t.debit), t.amount, t.unit) for t in stood.transfers]
    moved, owed = claims.undone(town.chart, way_back, partial(uncovered.free, town), partial(claims.takes_units, town))
    evidence |= claims.owing_more(town.chart, stood.evidence, way_back, owed)
    return Transaction(id_, WITHDRAWN, tuple(Transfer(*one) for one in moved), line.booked_on, evidence=evidence)


# --- whole statements --------------------------------------------------------------------------------------


class Withdrawn(NamedTuple):
    """What was withdrawn: how many statements, and lines of theirs."""

    posted: Posted
    statements: int
    lines: int


def withdraw(town: Town, reserve: str, *, first: bytes | None = None, by: str = CONSOLE) -> Withdrawn:
    """Withdraw all statements of the reserve account of that name; the next one taken is its first.

    `first` is the statement that somebody saw as the account's first: with it, asking again withdraws no others.
    Raises `CurrencyError`: not_found, statement_placed where a line was placed, or what it brought was spent.
    """
    number = town.chart.reserve.get(reserve)
    for _ in range(_TRIES):
        with town.reading() as connection:
            begins = first_standing(connection, number) if number is not None else None
            if first is not None and (begins is None or begins.id != first):
                return _again(town, first)
            if begins is None:
                raise CurrencyError(
                    "not_found", tell("{reserve} has no statement that could be withdrawn", reserve=reserve)
                )
            _require_undone(connection, begins.reserve)
            found = _lines(connection, begins.reserve)
            count = _count(connection, begins.reserve, begins.number)
        books = Books(town, by)
        turns = _in_turn(found)
        made = [_undone(books, line, sum(map(_hinders, turns))) for line in turns]
        said: Evidence = {
            "by": by,
            "reserve": f"{begins.reserve:016x}",
            "statement": begins.id.hex(),
            "statements": count,
        }
        note = Note(withdrawal_id(begins.id), KIND, {**said, "lines": len(found)})
        try:
            return Withdrawn(_post(town, note, begins.reserve, found, made), count, len(found))
        except Overtaken:
            continue
        except CurrencyError as error:
            if error.code == "id_taken":
                continue
            if error.code != "below_floor":
                raise
            raise CurrencyError("statement_placed", _SPENT) from error
    raise CurrencyError("busy", tell("others work on this account right now; try again in a moment"))


def _again(town: Town, first: bytes) -> Withdrawn:
    stood = town.book.find(withdrawal_id(first))
    if stood is None:
        raise CurrencyError("not_found", tell("this is not the first statement of an account; the first is withdrawn"))
    said = stood.instruction.evidence
    posted = Posted(stood.instruction.id, stood.seq, stood.at, replay=True)
    return Withdrawn(posted, int(said["statements"]), int(said["lines"]))


def _require_undone(connection: Connection, reserve: int) -> None:
    """No line that a corrected statement took away still stands in the ledger. Raises `CurrencyError`."""
    gone = _LINE.withdrawn != _LINE.statement
    query = select(BANK_LINE).where(_LINE.reserve == reserve, gone, _LINE.seq.is_not(None), _LINE.undone_seq.is_(None))
    row = connection.execute(query.order_by(_LINE.place)).first()
    if row is not None:
        line = line_of(row)
        raise CurrencyError(
            "statement_placed",
            tell(
                "the line {line} of {day} ({amount} euros), which a corrected statement took away, is not undone yet: "
                "importing that statement again does it, or says what hinders it",
                line=line.reference, day=line.booked_on, amount=Cents(line.amount),
            ),
        )  # fmt: skip


def _lines(connection: Connection, reserve: int) -> list[Line]:
    rows = connection.execute(
        select(BANK_LINE).where(_LINE.reserve == reserve, _LINE.withdrawn.is_(None)).order_by(_LINE.place)
    )
    return [line_of(row) for row in rows]


def _in_turn(found: Sequence[Line]) -> list[Line]:
    """Those that are booked, and what went before what came: a balance is never below nothing on the way."""
    return sorted((line for line in found if line.seq is not None), key=lambda line: line.amount > 0)


def _hinders(line: Line) -> bool:
    return line.placed_seq is not None or line.undone_seq is not None or line.became not in UNPLACED


def _undone(books: Books, line: Line, hinder: int) -> Instruction:
    """What undoes a line. Raises `CurrencyError`, statement_placed, where that leaves more than there was before.

    `hinder` is how many lines are in the way.
    """
    told: dict[str, object] = {"line": line.reference, "day": line.booked_on, "amount": Cents(line.amount)}
    if _hinders(line):
        raise CurrencyError(
            "statement_placed",
            tell(
                "the line {line} of {day} ({amount} euros) was placed, or was known to be more than a top-up: put it "
                "back first, with `patard bank suspense back {id}`{others}",
                **told,
                id=line.id.hex()[-8:],
                others=tell("; {count} such lines are in the way", count=hinder) if hinder > 1 else "",
            ),
        )
    made = _debits(books, line, told) if line.became in (BROUGHT, UNPAID) else _made(books, line)
    chart = books.town.chart
    if isinstance(made, Transaction) and any(chart.claims in (t.debit, t.credit) for t in made.transfers):
        assert line.holder is not None
        holder = parties.by_account(books.town, line.holder)
        there = Cents(books.town.book.balance(line.holder))
        raise CurrencyError(
            "statement_placed",
            tell(
                "the line {line} of {day} ({amount} euros) brought units to {name}, who holds {there} and has "
                "spent more: have as much paid back, then withdraw the statement",
                **told,
                name=holder.name,
                there=there,
            ),
        )
    return made


def _debits(books: Books, line: Line, told: dict[str, object]) -> Instruction:
    """What undoes a line of direct debits, while their units still mature: each is brought, and released, once."""
    try:
        made = _made(books, line)
    except CurrencyError as error:
        if error.code != "collection_begun":
            raise
        made = None
    if made is None or {"unpaid", "released"} & made.evidence.keys():
        raise CurrencyError(
            "statement_placed",
            tell(
                "direct debits that the line {line} of {day} ({amount} euros) is of came back, or were released to "
                "members: that has happened, and the statement stays",
                **told,
            ),
        )
    return made


def _post(town: Town, note: Note, reserve: int, found: list[Line], made: list[Instruction]) -> Posted:
    """Post the note and what undoes the lines, in one commit. Raises `Overtaken`."""

    def also(connection: Connection, answers: list[Posted]) -> None:
        if answers[0].replay:
            return
        begins = first_standing(connection, reserve, answers[0].seq - 1)
        # Until all writing was ours, a statement may have come, or a line was booked or placed.
        if begins is None or withdrawal_id(begins.id) != note.id or _lines(connection, reserve) != found:
            raise Overtaken
        if _count(connection, reserve, begins.number) != note.evidence["statements"]:
            raise Overtaken
        mine = update(BANK_LINE).where(_LINE.reserve == reserve, _LINE.withdrawn.is_(None))
        connection.execute(mine.values(withdrawn=_LINE.statement))
        index(connection, [(answer.seq, one) for answer, one in zip(answers[1:], made, strict=True)])

    return town.post_all([note, *made], also)[0]


def _count(connection: Connection, reserve: int, number: int) -> int:
    query = select(func.count()).where(_STATEMENT.reserve == reserve, _STATEMENT.number >= number)
    return int(connection.execute(query).scalar_one())


def withdrawn(town: Town) -> set[bytes]:
    """Ids of the statements that were withdrawn."""
    with town.reading() as connection:
        rows = connection.execute(select(_STATEMENT.id, _STATEMENT.reserve, _STATEMENT.number)).all()
        begins = {reserve: first_standing(connection, reserve) for reserve in {row.reserve for row in rows}}
    first = {reserve: row.number for reserve, row in begins.items() if row is not None}
    return {row.id for row in rows if row.reserve not in first or row.number < first[row.reserve]}
