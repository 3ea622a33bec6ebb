"""Lines that came while cash lay in the boxes, and were placed otherwise: that a treasurer said so, whom all may ask.

The desk's rule (`bank.boxes`), over what the boxes held at that place of the log and what the bank says of the line.
What says that it may be cash stands in the log with the placing; that it stands there where it must is looked at here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date

from sqlalchemy import select

from ledger.core.model import Note, Transaction
from ledger.core.record import Record
from ledger.currency.audit.kinds import TREASURER
from ledger.currency.audit.lines import LineState, Taken, Unboxed, moves
from ledger.currency.audit.story import Notice, Said, Story, bytes_of, number_of
from ledger.currency.bank.boxes import BOXED, in_cash, is_cash, is_whatever, issued, may_be_cash, may_pair, members
from ledger.currency.bank.lines import Line, has_texts
from ledger.currency.bank.typed import NEAR
from ledger.currency.tables import SALT
from ledger.currency.town import Town

_CAME = (
    "{amount} came with the line {line} while cash lay in the box, and may be that cash, whose units were given: a "
    "treasurer, or somebody at the machine, placed it "
)
TO, OTHERWISE = _CAME + "for account {account}", _CAME + "as something else"
SLIP = (
    "{amount} were typed as a slip of cash for account {account}, and may be what the line {line} brought it before: a "
    "treasurer, or somebody at the machine, said that it is other cash"
)
"""What is said of each; the command has them in French."""


def placed(story: Story, record: Record, instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
    """A person placed a line: says where a key made more units than it may of what may be cash of a box."""
    evidence, way = instruction.evidence, str(instruction.evidence.get("as"))
    if line.amount < 0 or way == "cash":
        return
    there = members(moves(instruction), {}, story.chart.circulation)
    there |= {number_of(evidence[key]) for key in ("holder", "claim") if key in evidence}
    if BOXED in evidence:
        told: dict[str, str | int] = {"amount": line.amount, "line": line.reference}
        whose = {"account": there.pop()} if len(there) == 1 else {}
        form = TO if whose else OTHERWISE
        story.notices.append(Notice(record.seq, instruction.id, form, {**told, **whose}))
        if cents := issued(instruction, story.chart.circulation):
            yield from story.typed.boxed(story.rules, story.held, record, str(evidence.get("by")), cents)
        if way != "pair":
            return
    key = story.keys.get(bytes_of(evidence.get("by")))
    is_operators = key is not None and key.role not in TREASURER
    said = in_cash(moves(instruction), story.typed.cash)
    other = line.other if way == "pair" else b""
    _take(
        story, record, line, there, other, said=said, is_operators=is_operators, is_said=BOXED in evidence
    )  # fmt: skip


def booked(story: Story, record: Record, line: LineState, holders: Collection[int]) -> None:
    """Take in that a line became units of these members by itself, or what somebody had typed (none)."""
    if line.amount > 0:
        _take(story, record, line, holders)


def _take(
    story: Story, record: Record, line: LineState, holders: Collection[int], other: bytes = b"", *,
    said: int = 0, is_operators: bool = False, is_said: bool = False,
) -> None:  # fmt: skip
    boxes = story.typed.boxes()
    if story.rules.guarded > 1 and (other or boxes.held > said):
        comes, is_beside = boxes.comes_to(line.amount, holders), boxes.held > said
        one = Unboxed(record.seq, record.instruction.id, line.id, other, comes, is_beside, is_operators, is_said)
        story.lines.unboxed.append(one)


def against(
    town: Town, story: Story, lines: Mapping[bytes, Line], notes: Mapping[bytes, Taken]
) -> Iterator[tuple[str, int, bytes, str]]:
    """The entries (code, seq, id) that place what may be cash as if it could not be, each with a sentence."""
    _slips(story, lines)
    if not story.lines.unboxed:
        return
    with town.reading() as connection:
        salts = set(connection.scalars(select(SALT.c.id).where(SALT.c.id.in_(notes))))
    for one in story.lines.unboxed:
        ids = [one.line, one.other] if one.other else [one.line]
        seen = [lines[id_] for id_ in ids if id_ in lines]
        if len(seen) < len(ids) or not all(_is_there(each, notes.get(each.statement), salts) for each in seen):
            continue
        line = seen[0]
        if one.other and not may_pair(*seen):
            text = "is cash that was paid in, or names another account, and is said to explain one that went otherwise"
            yield "placing_shape", one.seq, one.id, f"the line {line.reference} {text}"
        elif one.is_beside and not one.is_said and may_be_cash(line) and (one.comes or is_whatever(line)):
            text = f"the line {line.reference} may be cash of a box, and was booked or placed as if it could not be"
            code = "line_otherwise" if one.id == one.line else "placing_shape"
            yield "role_insufficient" if one.is_operators else code, one.seq, one.id, text


def _slips(story: Story, lines: Mapping[bytes, Line]) -> None:
    """Notice the slips of cash that may be what a line had brought the same member: the desk's rule (`bank.ahead`)."""
    slips = [(id_, one) for found in story.typed.slips.values() for id_, one in found.items()]
    theirs: dict[int, list[tuple[LineState, int]]] = {one.holder: [] for _id, one in slips}
    for state in story.lines.known.values() if slips else ():
        brought = Counter({state.holder: state.amount} if state.holder in theirs else {})
        done = state.placed or state.moved
        brought |= Counter({credit: cents for _debit, credit, cents, _unit in done if credit in theirs})
        for holder, cents in (
            brought.items() if state.amount > 0 and state.undone_seq is None and not state.gone else ()
        ):
            theirs[holder].append((state, cents))
    before: dict[int, list[tuple[date, int]]] = {}
    for id_, one in sorted(slips, key=lambda each: each[1].seq):
        told = story.typed.day_of(one.seq, one.at)[1] if story.typed.day_of else date.max
        day = date.fromisoformat(one.booked_on) if one.booked_on else told
        mine = before.setdefault(one.holder, [])
        for state, part in theirs[one.holder]:
            line = lines.get(state.id)
            if (state.placed_seq or state.seq) > one.seq or line is None or one.amount > state.amount:
                continue
            if not may_be_cash(line):
                continue
            near = abs(day - line.booked_on) <= NEAR
            late = near or is_whatever(line) or day <= line.booked_on
            of_part = near and one.amount < part and (is_cash(line) or _comes_to(mine, line, one.amount, part))
            if of_part or (late and one.amount in (part, state.amount)):
                values: dict[str, str | int] = {"amount": one.amount, "account": one.holder, "line": state.reference}
                story.notices.append(Notice(one.seq, id_, SLIP, values))
                break
        mine.append((day, one.amount))


def _comes_to(slips: Iterable[tuple[date, int]], line: Line, cents: int, part: int) -> bool:
    """Whether a slip, with those of the member's before it that are of the days of the line, comes to their part."""
    return cents + sum(amount for on, amount in slips if abs(on - line.booked_on) <= NEAR) == part


def _is_there(line: Line, note: Taken | None, salts: set[bytes]) -> bool:
    """Whether the texts of a line are those that were taken: a hash without its salt is of texts that were erased."""
    return line.statement in salts if note is not None and note.content is not None else has_texts(line)
