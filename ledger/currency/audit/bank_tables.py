"""The tables of statements and lines against the log, both ways; and what the lines of each account come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Row, select

from ledger.currency.audit import boxed, charged, seen, typed
from ledger.currency.audit.bank import ends
from ledger.currency.audit.lines import LineState, Taken
from ledger.currency.audit.placings import pairs
from ledger.currency.audit.story import Notice, Story
from ledger.currency.bank.correcting import is_followed
from ledger.currency.bank.indexing import SUSPENSE
from ledger.currency.bank.known import day_in
from ledger.currency.bank.lines import Line, line_of
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE, BANK_STATEMENT
from ledger.currency.bank.taking import line_id
from ledger.currency.bank.whose import MAX_BEFORE
from ledger.currency.reserve import AccountState, explained
from ledger.currency.town import Town

TOLD = 10
"""Lines at most of a corrected statement that are told one by one."""
_LINE, _STATEMENT = BANK_LINE.c, BANK_STATEMENT.c
_Found = Iterator[tuple[str, int, bytes | None, str]]
"""A code, the entry at fault (0 and None: none is) and a sentence."""


class _Kept(NamedTuple):
    """A line of the table. `withdrawn` is the statement that took it away."""

    line: Line
    withdrawn: bytes | None


def against(town: Town, story: Story) -> _Found:
    """Where tables and log say different things of statements and lines.

    What was found before need not be told of a conversion, or an account, once more: so those come last.
    """
    with town.reading() as connection:
        statements = connection.execute(select(BANK_STATEMENT).order_by(_STATEMENT.seq)).all()
        rows = connection.execute(select(BANK_LINE).order_by(_LINE.place))
        kept: list[_Kept] = []
        for row in rows:
            try:
                kept.append(_Kept(line_of(row), row.withdrawn))
            except ValueError as error:
                yield "row_unreadable", 0, None, str(error)
    notes = {one.id: one for each in story.lines.statements.values() for one in each}
    yield from _statements(story, statements, notes)
    lines: dict[bytes, list[_Kept]] = defaultdict(list)
    for one in kept:
        lines[one.line.statement].append(one)
    for reserve, taken in story.lines.statements.items():
        for note in taken:
            yield from _lines_of(story, reserve, note, lines[note.id])
    yield from _entries(story, kept, notes)
    _corrections(story, kept)
    gone = {one.line.id: notes[one.withdrawn].seq for one in kept if one.withdrawn in notes}
    texts = seen.Texts(story, {one.line.id: one.line for one in kept}, gone)
    for seq, id_, text in seen.against(town, story, texts, notes):
        yield "line_otherwise", seq, id_, text
    for seq, id_, text in charged.against(town, story, texts, notes):
        yield "role_insufficient", seq, id_, text
    yield from boxed.against(town, story, {one.line.id: one.line for one in kept}, notes)
    for reserve in story.lines.statements:
        yield from _balance(story, reserve, kept, notes)
    for line, (code, text) in pairs(story):
        yield code, line.placed_seq or 0, line.placed_id, text
    _early_claims(town, story)
    yield from typed.against(town, story.typed, story.lines.named)
    accounts, moving = explained(town)
    yield from typed.by_bank(accounts, moving)
    _outdated(town, story, accounts)


def _statements(story: Story, rows: Sequence[Row[Any]], notes: dict[bytes, Taken]) -> _Found:
    accounts = {one.id: reserve for reserve, taken in story.lines.statements.items() for one in taken}
    for row in rows:
        note = notes.get(row.id)
        if note is None:
            yield "statement_unlogged", 0, None, f"statement {row.number} in the tables was never noted in the log"
            continue
        told = (row.reserve, row.seq, row.number, row.first, row.last, row.opening, row.closing,
                row.taken_at, row.taken_by, row.format)  # fmt: skip
        right = (accounts[note.id], note.seq, *note[2:7], note.at, note.by, note.format)
        if told != right or note.bank_number not in (None, row.bank_number):
            yield "statement_unlogged", 0, None, f"statement {note.number} is another in the tables than in the log"
    there = {row.id for row in rows}
    for note in notes.values():
        if note.id not in there:
            yield "statement_missing", note.seq, note.id, f"statement {note.number} is not in the tables"


def _lines_of(story: Story, reserve: int, note: Taken, kept: list[_Kept]) -> _Found:
    """The lines that the tables have for a statement are those that were taken with it."""
    name = {number: name for name, number in story.chart.reserve.items()}[reserve]
    told = "\n".join(one.line.reference for one in kept)
    wrong = (
        len(kept) != note.lines
        or sha256(told.encode()).hexdigest() != note.digest
        or any(one.line.place != (note.seq << 20) + index for index, one in enumerate(kept))
        or any(
            one.line.reserve != reserve or one.line.id != line_id(story.rules.network, name, one.line.reference)
            for one in kept
        )
    )
    before = [one for one in kept if one.line.kind == LineKind.OPENING]
    # What was there before: what had left another account of ours for this one, what was typed, and the rest.
    late = any(one.line.booked_on.isoformat() >= note.first for one in before)
    if before and (note.id not in story.lines.firsts or before != kept[:MAX_BEFORE][: len(before)] or late):
        wrong = True
    if wrong:
        yield (
            "statement_lines", note.seq, note.id,
            f"the lines that the tables have for statement {note.number} of {name!r} are not those that were taken",
        )  # fmt: skip


def _entries(story: Story, kept: list[_Kept], notes: dict[bytes, Taken]) -> _Found:
    """What the tables say became of each line, and each line of the log in the tables."""
    gone: dict[bytes, int] = defaultdict(int)
    standing = {one.id for reserve in story.lines.statements for one in story.lines.standing(reserve)}
    for line, withdrawn in kept:
        fallen = line.statement in notes and line.statement not in standing
        if withdrawn in notes and not (fallen and withdrawn == line.statement):
            gone[withdrawn or b""] += 1
        state = story.lines.known.get(line.id)
        told = (line.became, line.seq, line.holder, line.placed_as, line.placed_seq, line.undone_seq)
        if told != _told(state):
            yield "line_unlogged", 0, None, f"what became of the line {line.reference} in the tables is not in the log"
        elif state is not None and state.gone and withdrawn is None:
            yield "line_unlogged", 0, None, f"the line {line.reference} was withdrawn, and stands in the tables"
        elif state is not None and line.statement in notes and state.seq <= notes[line.statement].seq:
            yield "line_unlogged", state.seq, line.id, f"the line {line.reference} was booked before it was taken"
        elif fallen and (withdrawn is None or (state is not None and not state.gone)):
            yield "line_unlogged", 0, None, f"the statement of the line {line.reference} was withdrawn, and it stands"
    there = {one.line.id for one in kept}
    for state in story.lines.known.values():
        if state.id not in there:
            yield (
                "line_missing", state.seq, state.id,
                f"the line {state.reference} was booked, and is in no statement that was taken",
            )  # fmt: skip
    for note in notes.values():
        if gone[note.id] != note.gone:
            text = f"statement {note.number} took {note.gone} lines away; in the tables it took {gone[note.id]}"
            yield "statement_lines", note.seq, note.id, text


def _told(state: LineState | None) -> tuple[str | int | None, ...]:
    if state is None:
        return (None,) * 6
    return (state.became, state.seq, state.holder, state.placed_as, state.placed_seq, state.undone_seq)


def _balance(story: Story, reserve: int, kept: list[_Kept], notes: dict[bytes, Taken]) -> _Found:
    """The account's lines as the ledger has them, from its first statement on, lead to where its last one ends."""
    taken = story.lines.standing(reserve)
    if not taken:
        return
    last, closings = ends(taken)
    before = {one.line.id for one in kept if one.line.kind == LineKind.OPENING}
    booked = sum(
        state.amount
        for state in story.lines.known.values()
        if state.reserve == reserve and not state.gone and state.id not in before
    )
    for line, withdrawn in kept:
        if line.reserve != reserve or line.statement not in notes or line.id in before:
            continue
        state = story.lines.known.get(line.id)
        if state is None and withdrawn not in notes:
            booked += line.amount  # It was taken, and will be booked.
        elif state is not None and not state.gone and withdrawn in notes:
            booked -= line.amount  # A corrected statement took it away, and it will be undone.
    if taken[0].opening + booked not in closings:
        told = " or ".join(map(str, sorted(closings)))
        yield (
            "statement_balance", 0, None,
            f"from {taken[0].opening} on, the lines of {story.name(reserve)} come to {taken[0].opening + booked}; its "
            f"statements end on {last} with {told} (cents)",
        )  # fmt: skip


def _outdated(town: Town, story: Story, accounts: list[AccountState]) -> None:
    """Accounts whose last statement is of so long ago, or withdrawn, or missing, that nothing proves what they have."""
    on = town.charter.local_date(town.now())
    for one in accounts:
        taken = story.lines.statements.get(one.account)
        if not one.outdated(on):
            continue
        if one.by_word is not None:
            form = (
                "no statement of {name} was ever imported: what is on it rests on the word of whoever typed it; import "
                "its statements"
            )
            seq, id_ = one.by_word
            story.notices.append(Notice(seq, id_, form, {"name": repr(one.name)}))
            continue
        if not taken:
            continue
        if one.statement_on is None:
            form = (
                "the statements of {name} were withdrawn, and none came since: what the bank has nobody knows; import "
                "the true ones"
            )
            story.notices.append(Notice(taken[-1].seq, taken[-1].id, form, {"name": repr(one.name)}))
        else:
            form = (
                "the last statement of {name} is of {day}, {days} days ago: what the bank has since then nobody knows; "
                "import a newer one"
            )
            said: dict[str, str | int] = {
                "name": repr(one.name), "day": str(one.statement_on), "days": (on - one.statement_on).days
            }  # fmt: skip
            story.notices.append(Notice(taken[-1].seq, taken[-1].id, form, said))


def _corrections(story: Story, kept: list[_Kept]) -> None:
    """Statements that took lines away, or added to days that later statements follow: what went and what came."""
    gone: dict[bytes | None, list[Line]] = defaultdict(list)
    came: dict[bytes, list[Line]] = defaultdict(list)
    for line, withdrawn in kept:
        gone[withdrawn].append(line)
        came[line.statement].append(line)
    for reserve, taken in story.lines.statements.items():
        covered: list[tuple[date, date]] = []
        for note in taken:
            days = date.fromisoformat(note.first), date.fromisoformat(note.last)
            told = [day_in(line.booked_on, *days) for line in came[note.id] if line.kind != LineKind.OPENING]
            late = any(
                any(first <= day <= last for first, last in covered) and is_followed(day, covered) for day in told
            )
            covered.append(days)
            if not gone[note.id] and not late:
                continue
            went = _summed(gone[note.id], ", which waited in suspense")
            form = "statement {number} of {name} corrected earlier ones; what went: {went}; what came: {came} (cents)"
            facts: dict[str, str | int] = {
                "number": note.number, "name": story.name(reserve), "went": went, "came": _summed(came[note.id])
            }  # fmt: skip
            story.notices.append(Notice(note.seq, note.id, form, facts))


def _summed(lines: list[Line], in_suspense: str = "") -> str:
    waited = [line.became == SUSPENSE and line.placed_seq is None for line in lines[:TOLD]]
    told = [
        f"{line.amount} ({line.reference}{in_suspense if waits else ''})"
        for line, waits in zip(lines, waited, strict=False)
    ]
    more = lines[TOLD:]
    told += [f"{sum(line.amount for line in more)} in {len(more)} more"] if more else []
    return ", ".join(told) or "nothing"


def _early_claims(town: Town, story: Story) -> None:
    """Claims on members who still had units then: which came in at that very moment, or somebody was wrong."""
    for seq, id_, holder, at in story.lines.claimed:
        left = town.book.balance(holder, at)
        if left > 0:
            form = "account {account} came to owe euros while it held {amount} in units"
            story.notices.append(Notice(seq, id_, form, {"account": holder, "amount": left}))
