"""What people decided about lines in suspense, and what was put back: judged from the log alone.

A placing is judged by what it is said to be (`as`), against the line it places. All of them have an id that follows
from the line and from how often it was put back, so that a line is placed once at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger.core.model import Evidence, Note, Transaction
from ledger.core.record import Record
from ledger.currency import parties
from ledger.currency.audit import boxed, debits, payouts
from ledger.currency.audit.bank import beside, between, given_back, name_conversion, reopened
from ledger.currency.audit.kinds import TREASURER, acted
from ledger.currency.audit.lines import Beside, Charge, LineState, Moves, moves, number_in, turned
from ledger.currency.audit.story import Problem, Said, Story, bytes_of
from ledger.currency.bank import boxes, elses
from ledger.currency.bank.boxes import BOXED
from ledger.currency.bank.indexing import PAIRED, RETURN, SUSPENSE
from ledger.currency.bank.lines import back_id
from ledger.currency.bank.mandates.index import BROUGHT, UNPAID
from ledger.currency.bank.payouts.index import PAID
from ledger.currency.bank.payouts.index import RETURNED as PAYOUT_RETURNED
from ledger.currency.bank.placing import PLACED, Way
from ledger.currency.bank.suspense import CAN_BE_WRONG, placed_id
from ledger.currency.bank.topups import KNOWN
from ledger.currency.bank.went import CHARGING, EXPLAINING, is_charge
from ledger.currency.chart import EUR
from ledger.currency.imported import OPENING

_Judge = Callable[[Story, Record, Transaction | Note, LineState], Iterator[Said]]


def placed(story: Story, record: Record, instruction: Transaction | Note) -> Iterator[Said]:
    """A person placed a line that was in suspense."""
    evidence = instruction.evidence
    yield from acted(story, record, evidence, TREASURER if BOXED in evidence else parties.OFFICE)
    line = story.lines.known.get(bytes_of(evidence.get("line")))
    if line is None:
        yield "placing_unrelated", "it places a bank line that there is none of"
        return
    if not line.is_open:
        yield "placing_unrelated", f"it places the line {line.reference}, which was not in suspense"
    if instruction.id != placed_id(line.id, line.turn):
        yield "id_not_derived", "its id does not follow from the line: that could be placed twice"
    yield from _same_line(instruction, line)
    way = str(evidence.get("as"))
    judge = WAYS.get(way)
    line.keep()
    line.holder = number_in(evidence, "holder") or None
    if way in CHARGING and line.amount < 0 and story.rules.guarded:
        _charge(story, record, line, way)
    in_cash = way == Way.SPLIT and boxes.in_cash(moves(instruction), story.typed.cash)
    explains = Way.CASH if in_cash else way
    # Of a pair each line is placed: what went out stands for both. A payout explains what came back of it.
    asked = story.rules.guarded > 2 and line.amount > 0 if way == Way.PAYOUT else way != Way.PAIR or line.amount < 0
    if explains in EXPLAINING and story.rules.guarded > 1 and asked:
        story.lines.charges.append(Charge(
            record.seq, record.instruction.id, line.id, explains, 0, _is_operators(story, evidence), None,
            bytes_of(evidence.get("other")), Beside((), ()), evidence,
        ))  # fmt: skip
    if line.amount > 0 and way in elses.WAYS and story.rules.guarded > 2:
        gets = elses.gets(moves(instruction), evidence, story.chart, line.amount) if way in elses.FOR_MEMBERS else {}
        gave = story.typed.boxes().givers if explains == Way.CASH else None
        story.lines.charges.append(Charge(
            record.seq, record.instruction.id, line.id, elses.ELSES, 0, _is_operators(story, evidence), None,
            bytes_of(evidence.get("other")), Beside((), ()), evidence, gets, gave,
        ))  # fmt: skip
    if judge is None or instruction.kind not in KINDS.get(way, (PLACED,)):
        yield "placing_shape", f"a line was placed as {way!r} by a {instruction.kind!r}, which cannot be"
    else:
        yield from judge(story, record, instruction, line)
    yield from boxed.placed(story, record, instruction, line)
    line.placed_as, line.placed_seq, line.placed_id = way, record.seq, instruction.id
    line.placed_by, line.placed, line.touched = str(evidence.get("by")), moves(instruction), record.seq


def _is_operators(story: Story, evidence: Evidence) -> bool:
    """Whether no treasurer did it, and nobody at the machine."""
    key = story.keys.get(bytes_of(evidence.get("by")))
    return key is not None and key.role not in TREASURER


def _charge(story: Story, record: Record, line: LineState, way: str) -> None:
    """Keep what was known when a member was charged. An operator is held to it since it is the rule."""
    evidence, holder = record.instruction.evidence, line.holder or 0
    details = story.details.get(holder) if holder in story.own_details else None
    story.lines.charges.append(Charge(
        record.seq, record.instruction.id, line.id, way, holder, _is_operators(story, evidence), details,
        bytes_of(evidence.get("returns")), beside(story, line) if way == Way.RETURNED else Beside((), ()), evidence,
        is_ruled=story.rules.guarded > 1,
    ))  # fmt: skip


def back(story: Story, record: Record, instruction: Transaction | Note) -> Iterator[Said]:
    """A line was put back into suspense: what placed or booked it is undone, all of it."""
    evidence = instruction.evidence
    line = story.lines.known.get(bytes_of(evidence.get("line")))
    done = moves(instruction)
    theirs = line is not None and line.placed_seq is not None and evidence.get("by") == line.placed_by
    guarded = any(debit in story.holders for debit, _credit, _cents, _unit in done)
    if line is not None and story.rules.guarded > 1:
        guarded |= is_charge(line.amount, line.became, line.placed_as)
    yield from acted(story, record, evidence, TREASURER if guarded and not theirs else parties.OFFICE)
    if line is None:
        yield "placing_unrelated", "it puts back a bank line that there is none of"
        return
    if line.undone_seq is not None or (line.placed_seq is None and line.became not in CAN_BE_WRONG):
        yield "placing_unrelated", f"it puts back the line {line.reference}, which was not placed"
    if instruction.id != back_id(line.id, line.turn):
        yield "id_not_derived", "its id does not follow from the line: that could be put back twice"
    yield from _same_line(instruction, line)
    if sorted(done) != sorted(_way_back(story, line)):
        yield "placing_shape", "not just what had been moved was moved back"
    undone = line.placed_id if line.placed_seq is not None else line.id
    if any(one.paid_by == undone and one.undone_by is not None for one in story.payouts.settled.get(undone, ())):
        yield "payout_undone", "a payout was unpaid that had come back"
    story.payouts.take_back(undone)
    story.typed.unspend(undone)
    yield from debits.put_back(story, undone)
    if bytes_of(evidence.get("undoes")) != undone:
        yield "placing_unrelated", "the entry that it undoes is not the one that stood"
    returns = line.placed_as == Way.RETURNED or (line.placed_as is None and line.became == RETURN)
    if returns:
        yield from reopened(story, record, instruction, line)
    if line.placed_as == Way.KNOWN or (line.placed_as is None and line.became == KNOWN):
        story.lines.named.pop(line.other, None)
    line.keep()
    line.became, line.seq, line.holder, line.turn = SUSPENSE, record.seq, None, line.turn + 1
    line.placed_as, line.placed_seq, line.placed, line.other, line.touched = None, None, [], b"", record.seq


def pairs(story: Story) -> Iterator[tuple[LineState, Problem]]:
    """At the end of the log: lines that explain another which does not explain them."""
    for line in story.lines.known.values():
        if line.placed_as != Way.PAIR:
            continue
        other = story.lines.known.get(line.other)
        if other is None or other.placed_as != Way.PAIR or other.other != line.id:
            yield line, ("pair_alone", f"the line {line.reference} has a pair that is not placed so")


def _same_line(instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
    evidence = instruction.evidence
    if line.reference != evidence.get("reference") or line.reserve != number_in(evidence, "reserve"):
        yield "placing_unrelated", "account and reference are not those of the line"
    if instruction.booked_on != line.booked_on:
        yield "line_date", f"the line is of {line.booked_on} and what was decided counts for {instruction.booked_on}"


def _way_back(story: Story, line: LineState) -> Moves:
    if line.placed_seq is not None:
        return turned(line.placed)
    if line.became == KNOWN:
        return [(line.reserve, story.chart.suspense, line.amount, EUR)]
    return turned(line.moved, {line.reserve: story.chart.suspense})


# --- ways ----------------------------------------------------------------------------------------------------


def _is(right: Callable[[Story, LineState], Moves], sign: int = 0) -> _Judge:
    """A way that moves exactly this. `sign` is 1 for euros that came, -1 for those that went, 0 for both."""

    def judge(story: Story, record: Record, instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
        if sign * line.amount < 0 or sorted(moves(instruction)) != sorted(right(story, line)):
            yield "placing_shape", f"placed as {instruction.evidence.get('as')!r}, and something else was moved"

    return judge


def _to(account: Callable[[Story, LineState], int], sign: int = 0) -> _Judge:
    """A way that moves the line's euros between suspense and one account."""
    return _is(lambda story, line: [between(line, story.chart.suspense, account(story, line))], sign)


def _units(story: Story, line: LineState) -> Moves:
    chart, holder = story.chart, line.holder or 0
    if holder not in story.holders:
        return []
    return [
        (chart.circulation, holder, line.amount, chart.unit),
        (chart.suspense, chart.guarantee, line.amount, EUR),
    ]


def _split(story: Story, record: Record, instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
    chart, done = story.chart, moves(instruction)
    units = [(credit, cents) for debit, credit, cents, unit in done if (debit, unit) == (chart.circulation, chart.unit)]
    euros = [(credit, cents) for debit, credit, cents, unit in done if (debit, unit) == (chart.suspense, EUR)]
    targets = [credit for credit, _cents in euros]
    if (
        len(units) + len(euros) != len(done)
        or any(holder not in story.holders for holder, _cents in units)
        or len(set(targets)) != len(targets)
        or not set(targets) <= {chart.guarantee, chart.operations, chart.claims, *story.typed.cash}
        or sum(cents for _holder, cents in units) != dict(euros).get(chart.guarantee, 0)
        or sum(cents for _target, cents in euros) != line.amount
    ):
        yield "placing_shape", "the shares of a line are not units, own euros, cash and a claim that come to it"


def _known(story: Story, record: Record, instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
    id_ = bytes_of(instruction.evidence.get("conversion"))
    typed = story.typed.known.get(id_)
    # A bank's line may be one that was typed on another account of a bank, by a slip of the pen.
    on = line.reserve if typed is None or typed.reserve in story.typed.cash else typed.reserve
    yield from _to(lambda story, line: on, 1)(story, record, instruction, line)
    yield from name_conversion(story, line, id_, on)


def _cash(story: Story, record: Record, instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
    box = number_in(instruction.evidence, "cash")
    if box not in story.chart.reserve.values() or box == line.reserve:
        yield "placing_shape", "the cash did not go to or come from a cash box of the reserve"
    yield from _to(lambda story, line: box)(story, record, instruction, line)


def _pair(story: Story, record: Record, instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
    other = story.lines.known.get(bytes_of(instruction.evidence.get("other")))
    line.other = b"" if other is None else other.id
    if moves(instruction) or other is None or other.amount != -line.amount:
        yield "placing_shape", "two lines explain each other when one brought what the other took, and nothing moves"


def _returned(story: Story, record: Record, instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
    original = story.lines.known.get(bytes_of(instruction.evidence.get("returns")))
    if original is None or original.amount != -line.amount or isinstance(instruction, Note):
        yield "return_unrelated", "it takes back a top-up that there is none of, or one of another amount"
        return
    yield from given_back(story, record, instruction, original, story.chart.suspense)
    line.other = original.id


def _payout(story: Story, record: Record, instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
    suspense, right = story.chart.suspense, PAID if line.amount < 0 else PAYOUT_RETURNED
    there = sum(cents * ((debit == suspense) - (credit == suspense)) for debit, credit, cents, _ in moves(instruction))
    if instruction.kind != right or there != line.amount or isinstance(instruction, Note):
        yield "placing_shape", "not as much as the line was paid out, or came back"
    elif line.amount < 0:
        yield from payouts.pay(story, record, instruction, suspense)
    else:
        yield from payouts.undo(story, instruction, suspense)


def _debits(story: Story, record: Record, instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
    suspense, right = story.chart.suspense, BROUGHT if line.amount > 0 else UNPAID
    there = sum(cents * ((debit == suspense) - (credit == suspense)) for debit, credit, cents, _ in moves(instruction))
    if instruction.kind != right or there != line.amount or isinstance(instruction, Note):
        yield "placing_shape", "not as much as the line was brought by direct debit, or came back"
    else:
        yield from debits.judged(story, record, instruction, line, suspense)


def _cover(story: Story, record: Record, instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
    chart, done = story.chart, moves(instruction)
    units = [(credit, cents) for debit, credit, cents, unit in done if (debit, unit) == (chart.circulation, chart.unit)]
    rest = [move for move in done if move[3] != chart.unit]
    if (
        rest != [(chart.suspense, chart.guarantee, line.amount, EUR)]
        or len(units) + 1 != len(done)
        or any(issuer not in story.issuers for issuer, _cents in units)
        or sum(cents for _issuer, cents in units) != line.amount
    ):
        yield "placing_shape", "cover for imported units is as many euros to the guarantee as issuers had units out"


KINDS: dict[str, tuple[str, ...]] = {
    Way.MEMBER: ("conversion",), Way.SPLIT: ("conversion", PLACED), Way.PAIR: (PAIRED,), Way.RETURNED: (RETURN,),
    Way.COVER: (OPENING,), Way.PAYOUT: (PAID, PAYOUT_RETURNED), Way.DEBITS: (BROUGHT, UNPAID),
}  # fmt: skip
"""The kinds of entries of those ways that are not just placings."""
WAYS: dict[str, _Judge] = {
    Way.MEMBER: _is(_units, 1),
    Way.SPLIT: _split,
    Way.OWN: _to(lambda story, line: story.chart.operations),
    Way.FEES: _to(lambda story, line: story.chart.income, -1),
    Way.CHARGE: _to(lambda story, line: story.chart.income),
    Way.CLAIM: _to(lambda story, line: story.chart.claims, 1),
    Way.DEBT: _to(lambda story, line: story.chart.claims, -1),
    Way.KNOWN: _known,
    Way.CASH: _cash,
    Way.TRANSIT: _to(lambda story, line: story.chart.transit),
    Way.PAIR: _pair,
    Way.RETURNED: _returned,
    Way.PAYOUT: _payout,
    Way.DEBITS: _debits,
    Way.COVER: _cover,
}
"""What each way of placing a line must look like. That nobody pays more than they owe is held for every entry."""
