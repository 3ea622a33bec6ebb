"""Statements, and what booking makes of their lines by itself: one function for each kind of entry.

That an entry's id follows from its line, and that it moves the line's amount on the line's account on the line's day,
was looked at before (`lines.entered`); here is what each kind may move beside.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date

from ledger.core.model import Note, Transaction
from ledger.core.record import Record
from ledger.currency import parties
from ledger.currency.audit import boxed, kinds
from ledger.currency.audit.kinds import acted
from ledger.currency.audit.lines import Beside, LineState, Moves, Taken, moves, number_in, turned
from ledger.currency.audit.story import Said, Story, bytes_of
from ledger.currency.bank import claims
from ledger.currency.bank.indexing import RETURN, SUSPENSE
from ledger.currency.bank.mandates.index import BROUGHT
from ledger.currency.bank.standing import withdrawal_id
from ledger.currency.bank.topups import CONVERSION, KNOWN
from ledger.currency.bank.whose import statement_id
from ledger.currency.bank.withdrawing import UNPLACED, withdrawn_id
from ledger.currency.chart import EUR

_DIGEST = re.compile(r"[0-9a-f]{64}")
RETURNED, DEBITS = "returned", "debits"
AT_ONCE = ("split", RETURNED, "payout", DEBITS)
"""Placings that are undone together with what put the line into suspense, once the bank took the line away."""
BY_ONE = ("member", "known")
"""Placings after which a line is one member's top-up, which may come back."""


# --- statements --------------------------------------------------------------------------------------------


def statement(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A statement that was taken: the next of its account, and where it comes after the last, it continues that."""
    evidence = note.evidence
    yield from acted(story, record, evidence, parties.OFFICE)
    reserve = number_in(evidence, "reserve")
    name = {number: name for name, number in story.chart.reserve.items()}.get(reserve)
    taken = _read_statement(note, record)
    if name is None or taken is None:
        yield "note_malformed", "a note of a statement without its account, days, balances, or the lines it brought"
        return
    if taken.content is None and story.demanded:
        yield "note_malformed", "a note of a statement without the hash of what its lines say"
    yield from _whose(story, taken, reserve, name)
    every, before = story.lines.statements.setdefault(reserve, []), story.lines.standing(reserve)
    if taken.number != len(every) + 1:
        yield "statement_number", f"statement {taken.number} of {name!r} was taken after {len(every)} others"
    if note.id != statement_id(story.rules.network, name, taken.number):
        yield "id_not_derived", "its id does not follow from account and number: that could be taken twice"
    last, closings = ends(before)
    if before and taken.first > last and taken.opening not in closings:
        told = " or ".join(map(str, sorted(closings)))
        yield (
            "statement_gap",
            f"the statement from {taken.first} begins with {taken.opening}; that before it ended with {told}",
        )
    if not before:
        story.lines.firsts.add(taken.id)
        if taken.gone:
            yield "note_malformed", "the first statement of an account took lines away"
    every.append(taken)


def withdrawn_whole(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """The statements of an account are withdrawn, all that stand: nothing of them was placed."""
    evidence = note.evidence
    yield from acted(story, record, evidence, kinds.TREASURER)
    reserve = number_in(evidence, "reserve")
    there = story.lines.standing(reserve)
    first = there[0] if there else None
    if first is None or (evidence.get("statement"), evidence.get("statements")) != (first.id.hex(), len(there)):
        yield "statement_withdrawn", "what it withdraws are not the statements of an account that stand, all of them"
        return
    if note.id != withdrawal_id(first.id):
        yield "id_not_derived", "its id does not follow from the first statement: that could be withdrawn twice"
    for line in story.lines.known.values():
        if line.reserve != reserve or line.gone:
            continue
        if line.placed_seq is not None or line.undone_seq is not None or line.became not in UNPLACED:
            yield "statement_withdrawn", f"the line {line.reference} of a statement that it withdraws was placed"
    story.lines.withdrawn[reserve] += len(there)
    # Its euros count for it no more: the charter may have given it the IBAN of another account.
    story.lines.owners = {iban: owner for iban, owner in story.lines.owners.items() if owner != reserve}


def _whose(story: Story, taken: Taken, reserve: int, name: str) -> Iterator[Said]:
    """A statement is of the IBAN that the charter gives its account; and those of one IBAN are of one account."""
    said = f"statement {taken.number} of {name!r}"
    if story.rules.says_accounts and (not taken.iban or taken.iban != story.rules.iban_of(name)):
        yield "statement_account", f"{said} is not of the IBAN that the charter in force gives this account"
    if taken.iban and (owner := story.lines.owners.setdefault(taken.iban, reserve)) != reserve:
        yield "statement_account", f"{said} is of the IBAN whose statements are {story.name(owner)}'s: it counts twice"


def _read_statement(note: Note, record: Record) -> Taken | None:
    e = note.evidence
    numbers = [e.get(key) for key in ("number", "opening", "closing", "lines", "gone")]
    try:
        first, last = (date.fromisoformat(str(e.get(key))) for key in ("first", "last"))
    except ValueError:
        return None
    if not all(type(each) is int and each >= 0 for each in numbers) or first > last:
        return None
    if not all(_DIGEST.fullmatch(str(e.get(key))) for key in ("digest", "content") if key == "digest" or key in e):
        return None
    if "format" not in e:
        return None
    number, opening, closing, lines, gone = (int(each or 0) for each in numbers)
    content, iban, theirs = (str(e[key]) if key in e else None for key in ("content", "iban", "bank_number"))
    return Taken(note.id, record.seq, number, first.isoformat(), last.isoformat(), opening, closing, lines, gone,
                 str(e["digest"]), content, iban, record.at, str(e.get("by")), str(e["format"]), theirs)  # fmt: skip


def ends(statements: list[Taken]) -> tuple[str, set[int]]:
    """The last day that was told, and where it may have ended: a statement may stop in the middle of its last day."""
    last = max((one.last for one in statements), default="")
    return last, {one.closing for one in statements if one.last == last}


# --- lines -------------------------------------------------------------------------------------------------


def conversion(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    """Euros with a member's reference; or a conversion that somebody typed."""
    line = story.lines.booked(record)
    if line is None:
        yield from kinds.conversion(story, record, transaction)
        return
    yield from acted(story, record, transaction.evidence, parties.OFFICE)
    holder, chart = line.holder or 0, story.chart
    right = [(chart.circulation, holder, line.amount, chart.unit), (line.reserve, chart.guarantee, line.amount, EUR)]
    if holder not in story.holders or line.amount < 0 or sorted(line.moved) != sorted(right):
        yield "conversion_shape", "not as many units to the member named as euros came with the line"
    boxed.booked(story, record, line, {holder})


def suspense(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    """A line that nobody could place."""
    yield from _one_transfer(story, record, transaction, story.chart.suspense)


def transit(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    """Euros between two accounts of the reserve."""
    yield from _one_transfer(story, record, transaction, story.chart.transit)


def _one_transfer(story: Story, record: Record, transaction: Transaction, account: int) -> Iterator[Said]:
    yield from acted(story, record, transaction.evidence, parties.OFFICE)
    line = story.lines.booked(record)
    if line is None:
        yield from _no_line(transaction)
    elif line.moved != [between(line, line.reserve, account)]:
        yield "line_shape", f"the line's euros did not just go between its account and {story.name(account)}"


def returned(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    """A top-up whose euros went back: the units that are there, and a claim for the rest."""
    yield from acted(story, record, transaction.evidence, parties.OFFICE)
    line = story.lines.booked(record)
    if line is None:
        yield from _no_line(transaction)
        return
    original = story.lines.known.get(bytes_of(transaction.evidence.get("returns")))
    if original is None or original.amount != -line.amount:
        yield "return_unrelated", "it takes back a top-up that there is none of, or one of another amount"
        return
    line.beside = beside(story, line) if story.rules.guarded > 1 else None
    yield from given_back(story, record, transaction, original, line.reserve)
    line.other = original.id


def given_back(story: Story, record: Record, transaction: Transaction, original: LineState, to: int) -> Iterator[Said]:
    """A top-up was taken back, its euros to the account `to`: once, and all of it, as units or as a claim."""
    holder, chart = number_in(transaction.evidence, "holder"), story.chart
    if original.undone_seq is not None:
        yield "return_twice", f"the line {original.reference} had been taken back before"
    if not is_topup(original) or original.holder != holder:
        yield "return_unrelated", f"the line {original.reference} brought no units to the member whose they were"
    done = moves(transaction)
    back = sum(cents for debit, _credit, cents, unit in done if (debit, unit) == (holder, chart.unit))
    rest = original.amount - back
    right = [(holder, chart.circulation, back, chart.unit), (chart.guarantee, to, back, EUR)] if back else []
    right += [(chart.claims, to, rest, EUR)] if rest else []
    if rest < 0 or sorted(done) != sorted(right):
        yield "return_shape", f"units and claim are not the {original.amount} that went back"
    elif rest:
        story.lines.claimed.append((record.seq, transaction.id, holder, record.at))
    original.keep()
    original.undone_seq, original.touched = record.seq, record.seq


def is_topup(line: LineState) -> bool:
    """Whether a line brought units to one member."""
    by_itself = line.placed_as is None and line.became in (CONVERSION, KNOWN)
    return line.holder is not None and (by_itself or line.placed_as in BY_ONE)


def beside(story: Story, line: LineState) -> Beside:
    """What a line may take back by now: top-ups of as much that stand, and what else came, whatever became of it."""
    came = story.lines.came.get((line.reserve, -line.amount), ())
    there = [one for one in came if one.undone_seq is None and one.booked_on <= line.booked_on]
    return Beside(tuple(filter(is_topup, there)), tuple(one for one in there if not is_topup(one)))


def known(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A line that somebody had typed before."""
    yield from acted(story, record, note.evidence, parties.OFFICE)
    line = story.lines.booked(record)
    if line is None:
        yield from _no_line(note)
        return
    boxed.booked(story, record, line, ())
    yield from name_conversion(story, line, bytes_of(note.evidence.get("conversion")), line.reserve)


def name_conversion(story: Story, line: LineState, id_: bytes, on: int) -> Iterator[Said]:
    """A line turned out to be a conversion that was typed on the reserve account `on`: it stands, and is no other's."""
    chart = story.chart
    euros = [(credit, debit, cents) for debit, credit, cents, unit in story.conversions.get(id_, ()) if unit == EUR]
    if euros != [(on, chart.guarantee, line.amount)]:
        yield "conversion_unrelated", "the conversion that it is said to be does not stand, or is of other euros"
    elif id_ in story.lines.named:
        yield "conversion_named", "another line is that conversion already"
    elif [debit for debit, _credit, _cents, unit in story.conversions[id_] if unit == chart.unit] != [line.holder]:
        yield "conversion_unrelated", "the conversion that it is said to be was another member's"
    story.lines.named[id_] = line.id
    line.other = id_


# --- lines that the bank took away ---------------------------------------------------------------------------


def withdrawn(story: Story, record: Record, instruction: Transaction | Note) -> Iterator[Said]:
    """A line that a corrected statement no longer has: all that it did is undone, once."""
    evidence = instruction.evidence
    yield from acted(story, record, evidence, parties.OFFICE)
    line = story.lines.known.get(bytes_of(evidence.get("returns")))
    if line is None:
        yield "return_unrelated", "it withdraws a line that there is none of"
        return
    if instruction.id != withdrawn_id(line.id):
        yield "id_not_derived", "its id does not follow from the line: that could be withdrawn twice"
    if line.reference != evidence.get("reference") or line.reserve != number_in(evidence, "reserve"):
        yield "return_unrelated", "the line that it withdraws is not the one that it names"
    judge = WITHDRAWALS.get(BROUGHT if line.placed_as == DEBITS else line.became)
    if line.placed_as in AT_ONCE and bytes_of(evidence.get("undoes")) != line.placed_id:
        yield "placing_unrelated", "the entry that it undoes is not the one that stood"
    if judge is not None:
        yield from judge(story, record, instruction, line)
    elif isinstance(instruction, Transaction) and (line.placed_as or line.became) in ("member", CONVERSION):
        yield from given_back(story, record, instruction, line, line.reserve)
    else:
        yield from _undone(story, record, instruction, line)
    line.keep()
    line.undone_seq = line.touched = record.seq
    line.gone = True


def _undone(story: Story, record: Record, instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
    if line.undone_seq is not None:
        yield "return_twice", f"the line {line.reference} had been taken back before"
    if line.placed_seq is not None and line.placed_as not in AT_ONCE:
        yield "line_shape", f"the line {line.reference} was placed, and withdrawn as if it was not"
    chart, stood = story.chart, line.placed_id if line.placed_seq is not None else line.id
    # A line that was put back is in suspense, whatever it was before.
    done = [between(line, line.reserve, chart.suspense)] if line.became == SUSPENSE else line.moved
    at_once = line.placed_as in AT_ONCE
    way_back = turned(line.placed, {chart.suspense: line.reserve}) if at_once else turned(done)
    yield from _as_there(story, record, instruction, way_back)
    if line.became == RETURN or line.placed_as == RETURNED:
        yield from reopened(story, record, instruction, line)
    if line.became == KNOWN:
        story.lines.named.pop(line.other, None)
    story.payouts.take_back(stood)


def _as_there(story: Story, record: Record, instruction: Transaction | Note, way_back: Moves) -> Iterator[Said]:
    """What was moved back is what there was: members owe for units that were gone, and say so."""
    chart, done = story.chart, moves(instruction)
    taken = Counter[int]()
    for debit, credit, cents, unit in done:
        taken[debit] += cents if (credit, unit) == (chart.circulation, chart.unit) else 0
    right, owed = claims.undone(chart, way_back, taken.__getitem__, lambda account: account not in story.closed)
    if sorted(done) != sorted(right):
        yield "line_shape", "not just what the line had moved was moved back"
    try:
        told = claims.changes(instruction.evidence)
    except ValueError:
        told = {claims.owing(instruction.evidence): sum(owed.values())}
    for account, cents in owed.items():
        if told.get(account, 0) < cents:
            yield "claim_nobodys", f"account {account:016x} does not owe the {cents} that it no longer had in units"
        story.lines.claimed.append((record.seq, instruction.id, account, record.at))


def reopened(story: Story, record: Record, instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
    """What took a top-up back counts no more: the top-up stands again, and the entry says so."""
    original = story.lines.known.get(line.other)
    if original is None or bytes_of(instruction.evidence.get("reopens")) != original.id:
        yield "return_unrelated", "it does not say which top-up stands again by it"
        return
    original.keep()
    original.undone_seq, original.touched = None, record.seq


WITHDRAWALS: dict[str, Callable[[Story, Record, Transaction | Note, LineState], Iterator[Said]]] = {}
"""Who judges the withdrawal of lines that became something of which more must be undone than the line moved."""


def between(line: LineState, one: int, other: int) -> tuple[int, int, int, str]:
    """The line's euros from `one` to `other`, where they came; back where they went."""
    return (one, other, line.amount, EUR) if line.amount > 0 else (other, one, -line.amount, EUR)


def _no_line(instruction: Transaction | Note) -> Iterator[Said]:
    yield (
        "id_not_derived",
        f"a {instruction.kind!r} whose id does not follow from a line of a reserve account: that could be booked twice",
    )
