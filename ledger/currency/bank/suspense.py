"""Lines that nobody could place: which there are, what each may be, and what a person decides.

A decision is one entry of the log whose id follows from the line and from how often it was put back before: so the
same click twice, or two people at once, place a line once. A wrong placing is put back by an entry of its own, and so
is a line that booking itself got wrong; then it is open once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from ledger.core.ids import derived_id
from ledger.core.model import Evidence, Instruction, Note, Posted, Transaction, Transfer
from ledger.currency import parties, uncovered
from ledger.currency.bank import boxes, claims, require, topups, unaltered, went
from ledger.currency.bank.indexing import BACK, RETURN, SUSPENSE, Overtaken, index
from ledger.currency.bank.knowing import gather
from ledger.currency.bank.lines import Line, back_id, find_line, line_of, lines
from ledger.currency.bank.mandates import matching as mandates
from ledger.currency.bank.naming import entry_at
from ledger.currency.bank.payouts import beside
from ledger.currency.bank.payouts.index import PAID
from ledger.currency.bank.payouts.index import RETURNED as PAYOUT_RETURNED
from ledger.currency.bank.payouts.owed import payouts
from ledger.currency.bank.payouts.tables import PAYOUT
from ledger.currency.bank.placing import Decision, Way, decision_of, entry, placing
from ledger.currency.bank.proposals import Proposal, propose
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.chart import EUR
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town

_TRIES = 5
_LINE = BANK_LINE.c
_OPEN = (_LINE.became == SUSPENSE, _LINE.placed_seq.is_(None), _LINE.undone_seq.is_(None))
CAN_BE_WRONG = (topups.CONVERSION, topups.KNOWN, RETURN, topups.TRANSIT, PAID, PAYOUT_RETURNED)
"""What booking makes of a line and a person may put back. Of direct debits, a line is a whole file, or one of many."""


class OpenLine(NamedTuple):
    """A line in suspense. `turn` counts how often it was put back; `proposals` come best first."""

    line: Line
    turn: int
    proposals: tuple[Proposal, ...]


def placed_id(line: bytes, turn: int) -> bytes:
    """Id of the one entry that places this line after it was put back `turn` times."""
    return derived_id("patard/suspense-placed", line, str(turn))


def count(town: Town) -> int:
    """How many lines wait for a person."""
    with town.reading() as connection:
        query = select(func.count()).where(*_OPEN, _LINE.withdrawn.is_(None))
        return int(connection.execute(query).scalar_one())


def open_lines(town: Town, *, limit: int | None = None) -> list[OpenLine]:
    """The lines in suspense, oldest first (at most `limit`), each with what it may be.

    Raises `CurrencyError`: texts_changed.
    """
    found = lines(town, *_OPEN, limit=limit, order=(_LINE.booked_on, _LINE.place))
    unaltered.require(town, *found)
    beside = [] if limit is None or len(found) < limit else _opposite(town, found)
    known = gather(town, found, beside)
    turns = _turns(town, [line.id for line in found])
    return [OpenLine(line, turns[line.id], propose(line, known)) for line in found]


def find_open(town: Town, id_: bytes) -> OpenLine:
    """One line in suspense. Raises `CurrencyError`: not_found, line_not_open, texts_changed."""
    line = find_line(town, id_)
    _check_open(line)
    unaltered.require(town, line)
    return OpenLine(line, _turn(town, id_), propose(line, gather(town, [line], _opposite(town, [line]))))


def _opposite(town: Town, found: Sequence[Line]) -> list[Line]:
    """Lines in suspense, beside those found, that may be pairs of theirs."""
    there = {line.id for line in found}
    amounts = sorted({-line.amount for line in found})
    return [line for line in lines(town, *_OPEN, _LINE.amount.in_(amounts)) if line.id not in there]


def place(town: Town, line: bytes, decision: Decision, *, by: str = CONSOLE, turn: int | None = None) -> Posted:
    """Place a line that is in suspense. The same decision again is answered again.

    `turn` is that of the `OpenLine` which the person saw: with it, a decision that is sent again never places a line
    that was put back in between. Raises `CurrencyError`: not_found, line_not_open, line_placed, placing_uneven,
    claim_exceeded, conversion_named, line_typed, texts_changed, party_closed, reserve_account_unknown; below_floor
    where a cash box holds less; role_insufficient where a member would pay for it on the word of an operator
    (`went`), or it may be cash of a box (`boxes`); limit_conversion where one treasurer gave units for more of it in a
    day than the charter lets one person.
    """
    for _ in range(_TRIES):
        one, now = find_line(town, line), _turn(town, line)
        at = now if turn is None else turn
        if (stood := town.book.find(placed_id(line, at))) is not None:
            if decision_of(town.chart, stood.instruction) == decision.plain():
                return Posted(stood.instruction.id, stood.seq, stood.at, replay=True)
            raise CurrencyError("line_placed", tell("somebody else placed this line otherwise; look at it again"))
        if at != now:
            raise CurrencyError("line_placed", tell("this line was put back meanwhile; look at it again"))
        _check_open(one)
        steps = _steps(town, one, decision)
        # All lines of their statements are read: here, and each row is compared in the commit, where everybody waits.
        unaltered.require(town, *(each for each, _decision, _other in steps), *(o for _e, _d, o in steps if o))
        try:
            return _post(town, [(each, _made(town, each, d, other, by)) for each, d, other in steps], steps, by)
        except CurrencyError as error:
            # Taken by somebody who was quicker: then that is answered.
            if error.code != "id_taken":
                raise
        except Overtaken:
            pass
    raise CurrencyError("busy", tell("others work on this line right now; try again in a moment"))


_Step = tuple[Line, Decision, Line | None]


def _steps(town: Town, line: Line, decision: Decision) -> list[_Step]:
    """The lines that a decision places, one or a pair, each with the other line that it names."""
    if decision.way not in (Way.PAIR, Way.RETURNED):
        return [(line, decision, None)]
    other = find_line(town, decision.other or b"")
    if decision.way is Way.RETURNED:
        return [(line, decision, other)]
    _check_open(other)
    return [(line, decision, other), (other, replace(decision, other=line.id), line)]


def _made(town: Town, line: Line, decision: Decision, other: Line | None, by: str) -> Instruction:
    made = placing(town, line, decision, other)
    moves = [(t.debit, t.credit, t.amount, t.unit) for t in made.transfers]
    theirs = boxes.members(moves, made.evidence, town.chart.circulation)
    said = boxes.in_cash(moves, boxes.numbers(town))
    if decision.way is not Way.CASH and line.amount > 0 and boxes.look(town).may_be(line, theirs, said):
        made = made._replace(evidence={**made.evidence, boxes.BOXED: 1})
    return entry(line, placed_id(line.id, _turn(town, line.id)), decision.way, made, by)


def _post(town: Town, entries: Sequence[tuple[Line, Instruction]], steps: Sequence[_Step], by: str) -> Posted:
    """Post what places or puts back these lines, in one commit. Raises `Overtaken` when something is as it was not."""

    def also(connection: Connection, answers: list[Posted]) -> None:
        if all(answer.replay for answer in answers):
            return
        for each, entry_ in entries:
            _hold(connection, each)
            if "undoes" in entry_.evidence:
                stood = _stands(town, each)
                _no_payout_came_back(town, stood)
                mandates.require_put_back(town, stood)
                claims.require_owed(town, entry_)
        for (each, decision, other), (_line, entry_), answer in zip(steps, entries, answers, strict=False):
            if decision.way is Way.CASH and by != CONSOLE:
                require.cash_limit(town, connection, each)
            went.require_may(town, connection, each, entry_, by, other)
            require.boxed(town, connection, each, entry_, answer, by)
            beside.require_may(town, connection, entry_, answer)
            if other is not None:
                _hold(connection, other)
            # A debt, fees, a conversion: what it leans on may have changed until all writing was ours.
            if _made(town, each, decision, other, by) != entry_:
                raise Overtaken
        index(connection, [(answer.seq, one) for answer, (_line, one) in zip(answers, entries, strict=True)])

    return town.post_all([one for _line, one in entries], also)[0]


def put_back(
    town: Town, line: bytes, *, by: str = CONSOLE, turn: int | None = None, treasurer: bool = True
) -> Posted:  # fmt: skip
    """Undo what a line was placed as, or what booking made of it by itself: it is in suspense again.

    Units go back from the member, all of them; a claim that was paid is owed again. Asking again changes nothing; for
    `turn` see `place`. Whoever is no `treasurer` takes units back that they gave themselves, and no others'; and so
    they give back what a member paid for euros that went out. Raises `CurrencyError`: not_found, line_not_placed,
    role_insufficient, account_uncovered, below_floor where units were spent.
    """
    for _ in range(_TRIES):
        one, now = find_line(town, line), _turn(town, line)
        at = now if turn is None else turn
        is_open = one.became == SUSPENSE and one.placed_seq is None
        stood = town.book.find(back_id(line, at - 1 if turn is None and is_open and now else at))
        if stood is not None:
            return Posted(stood.instruction.id, stood.seq, stood.at, replay=True)
        if at != now:
            raise CurrencyError("line_placed", tell("this line was placed anew meanwhile; look at it again"))
        try:
            return undo(town, one, by, treasurer=treasurer)
        except CurrencyError as error:
            if error.code != "id_taken":
                raise
        except Overtaken:
            pass
    raise CurrencyError("busy", tell("others work on this line right now; try again in a moment"))


def undo(town: Town, line: Line, by: str, *, treasurer: bool = True) -> Posted:
    """Put back a line as it was read. Raises `Overtaken`, and what `put_back` raises."""
    stood = _stands(town, line)
    theirs = line.placed_seq is not None and stood.evidence.get("by") == by
    gave = isinstance(stood, Transaction) and any(t.debit == town.chart.circulation for t in stood.transfers)
    if gave and not treasurer and not theirs:
        raise CurrencyError("role_insufficient", tell("units that somebody else gave a member, a treasurer takes back"))
    if went.is_charge(line.amount, line.became, line.placed_as) and not treasurer and not theirs:
        raise CurrencyError("role_insufficient", tell(
            "what a member paid, or owes, for euros that went back, a treasurer puts back where somebody else said so, "
            "or the bank",
        ))  # fmt: skip
    _no_payout_came_back(town, stood)
    mandates.require_put_back(town, stood)
    if stood.evidence.get("as") == Way.COVER:
        uncovered.require_unspent(town, line.amount)
    entries = [(line, _way_back(town, line, stood, by))]
    if stood.evidence.get("as") == Way.PAIR:
        other = _row(town, bytes.fromhex(str(stood.evidence["other"])))
        entries.append((other, _way_back(town, other, _stands(town, other), by)))
    for _line, entry_ in entries:
        claims.require_owed(town, entry_)
    try:
        return _post(town, entries, (), by)
    except CurrencyError as error:
        if error.code != "below_floor":
            raise
        if line.amount < 0 and line.placed_as == Way.CASH:
            box = int(str(stood.evidence["cash"]), 16)
            raise CurrencyError("below_floor", boxes.emptied(town, box, -line.amount)) from error
        spent = tell("units of it were spent: have them paid back first")
        if line.holder is not None:
            there = Cents(town.book.balance(line.holder))
            spent = tell(
                "{name} holds {there} and has spent more: have it paid back",
                name=parties.by_account(town, line.holder).name,
                there=there,
            )
        raise CurrencyError("below_floor", tell(
            "{spent}; if the euros went back to the bank, place the line that took them as returned", spent=spent
        )) from error  # fmt: skip


def _stands(town: Town, line: Line) -> Instruction:
    """The entry that made of a line what it is now. Raises `CurrencyError`: line_not_placed."""
    if line.undone_seq is not None:
        raise CurrencyError(
            "line_not_placed", tell("its euros went back already: put back the line that took them, if any")
        )
    if line.placed_seq is None and line.became not in CAN_BE_WRONG:
        if line.became in (None, SUSPENSE):
            raise CurrencyError(
                "line_not_placed", tell("this line is not placed; `patard bank suspense list` shows it")
            )
        raise CurrencyError(
            "line_not_placed", tell("what became of this line ({became}) is not undone by hand", became=line.became)
        )
    found = entry_at(town, line.placed_seq or line.seq or 0)
    assert found is not None
    return found


def _no_payout_came_back(town: Town, stood: Instruction) -> None:
    """A payout is not unpaid while another line says that it came back. Raises `CurrencyError`: line_not_placed."""
    with town.reading() as connection:
        paid = payouts(connection, PAYOUT.c.paid_by == stood.id)
    if any(payout.undone_by is not None for payout in paid):
        raise CurrencyError(
            "line_not_placed", tell("its payout came back by another line since: put that line back first")
        )


def _way_back(town: Town, line: Line, stood: Instruction, by: str) -> Instruction:
    """The entry that takes back `stood`, so that the line's euros are in suspense again."""
    suspense, placed = town.chart.suspense, line.placed_seq is not None
    transfers: tuple[Transfer, ...] = ()
    if isinstance(stood, Transaction):
        # What booking moved to or from the bank stays in the bank: suspense stands in for it.
        at = {} if placed else {line.reserve: suspense}
        transfers = tuple(
            Transfer(at.get(t.credit, t.credit), at.get(t.debit, t.debit), t.amount, t.unit) for t in stood.transfers
        )
    elif not placed:  # a conversion that was typed by hand: that one stays, and the line's euros are others
        transfers = (Transfer(line.reserve, suspense, line.amount, EUR),)
    kept = claims.undoing(stood.evidence)
    if "returns" in stood.evidence:
        kept["reopens"] = stood.evidence["returns"]
    evidence: Evidence = {
        "by": by, "line": line.id.hex(), "reserve": f"{line.reserve:016x}", "reference": line.reference,
        "undoes": stood.id.hex(), **kept,
    }  # fmt: skip
    id_ = back_id(line.id, _turn(town, line.id))
    if transfers:
        return Transaction(id_, BACK, transfers, line.booked_on, evidence=evidence)
    return Note(id_, BACK, evidence, line.booked_on)


def _turn(town: Town, line: bytes) -> int:
    return _turns(town, [line])[line]


def _turns(town: Town, ids: Sequence[bytes]) -> Mapping[bytes, int]:
    """How often each line was put back."""
    turns = dict.fromkeys(ids, 0)
    asked = list(ids)
    with town.book.store.reading() as store:
        while asked:
            wanted = {back_id(line, turns[line]): line for line in asked}
            found = store.posted(list(wanted))
            asked = [line for id_, line in wanted.items() if id_ in found]
            for line in asked:
                turns[line] += 1
    return turns


def _check_open(line: Line) -> None:
    if line.became is None:
        raise CurrencyError("line_not_open", tell("this line is not booked yet; `patard bank import` goes on with it"))
    if line.undone_seq is not None:
        raise CurrencyError("line_not_open", tell("the euros of this line went back; there is nothing to place"))
    if line.became != SUSPENSE:
        raise CurrencyError("line_not_open", tell("booking knew what this line is; put it back first if that is wrong"))
    if line.placed_seq is not None:
        raise CurrencyError("line_placed", tell("this line is placed already; put it back first if that is wrong"))


def _hold(connection: Connection, line: Line) -> None:
    """Under the lock of all writing: the line is what it was when it was read."""
    row = connection.execute(select(BANK_LINE).where(_LINE.id == line.id)).first()
    if row is None or line_of(row) != line:
        raise Overtaken


def _row(town: Town, id_: bytes) -> Line:
    """A line, taken away by a corrected statement or not."""
    with town.reading() as connection:
        return line_of(connection.execute(select(BANK_LINE).where(_LINE.id == id_)).one())
