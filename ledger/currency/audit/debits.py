"""Direct debits in the log: one file a month, brought once, released once after the delay, taken back once.

A file is judged by the charter and the mandates that were in force when it was ordered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ledger.core.model import Evidence, Note, Transaction
from ledger.core.record import Record
from ledger.currency import parties
from ledger.currency.audit.debit_state import DebitFile
from ledger.currency.audit.kinds import acted
from ledger.currency.audit.lines import LineState, moves
from ledger.currency.audit.story import Said, Story, bytes_of
from ledger.currency.bank.mandates.daily import asked_id
from ledger.currency.bank.mandates.files import (
    collection_id,
    digest,
    fetching_id,
    item_id,
    item_reference,
    withdrawal_id,
)
from ledger.currency.bank.mandates.index import Item
from ledger.currency.bank.mandates.moves import Moves
from ledger.currency.bank.mandates.places import packed, places
from ledger.currency.bank.mandates.rejecting import rejection_id
from ledger.currency.bank.mandates.release import release_id
from ledger.currency.days import after

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(hours=14)
"""How far the clocks of a town can be ahead of UTC: what counts is its own day, and the log does not say its zone."""


# --- files -------------------------------------------------------------------------------------------------


def ordered(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A month's debits were ordered, by mandates that live, of amounts that were told."""
    evidence, state = note.evidence, story.debits
    yield from acted(story, record, evidence, parties.OFFICE)
    file = _read_file(note)
    if file is None:
        yield "note_malformed", "a file of debits was ordered without month, number, sums or hashes"
        return
    before = [one for one in state.files.values() if one.month == file.month]
    if file.number != len(state.files) + 1 or file.attempt != len(before) + 1:
        yield "collection_number", f"file {file.number} of {file.month} was ordered after {len(state.files)} others"
    if any(not one.withdrawn for one in before):
        yield "collection_twice", f"the debits of {file.month} had been ordered before, and that stands"
    if note.id != collection_id(story.rules.network, file.month, file.attempt):
        yield "id_not_derived", "its id does not follow from the month: that could be collected twice"
    if file.risk_days != story.rules.risk_days:
        yield "collection_delay", f"its delay is {file.risk_days} days; the charter said {story.rules.risk_days}"
    rows = state.items_of(note.id)
    references = [state.mandates[one.mandate].reference if one.mandate in state.mandates else "" for one in rows]
    named = [(one.number, one.reference, name, one.account, one.amount) for one, name in
             zip(rows, references, strict=True)]  # fmt: skip
    if digest(named).hex() != evidence.get("digest"):
        yield "collection_differs", f"the debits of file {file.number} in the tables are not those that were ordered"
    else:
        yield from _debits(story, file, rows)
    state.files[file.number] = file


def _debits(story: Story, file: DebitFile, rows: list[Item]) -> Iterator[Said]:
    network = story.rules.network
    if (len(rows), sum(one.amount for one in rows)) != (file.debits, file.total):
        yield "collection_differs", f"the debits of file {file.number} are not as many, or as much, as it says"
    for one in rows:
        mandate = story.debits.mandates[one.mandate]
        who = story.name(mandate.account)
        if one.account != mandate.account or one.amount != mandate.amount or not mandate.is_collected:
            yield "collection_unsigned", f"{who} is debited otherwise than its mandate says"
        if story.debits.told.get((file.month, mandate.id)) != one.amount:
            yield "collection_untold", f"{who} is debited in {file.month}, and was not told of this amount"
        if one.id != item_id(file.id, mandate.id) or one.reference != item_reference(network, file.id, mandate.id):
            yield "id_not_derived", f"the debit of {who} has another id or reference than follows from file and mandate"
        file.items[one.number] = one._replace(
            credited_by=None, release_on=None, released_seq=None, unpaid_by=None, unpaid_reason="", claim=0
        )


def withdrawn(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A file that the bank did not carry out."""
    yield from acted(story, record, note.evidence, parties.OFFICE)
    file = _file(story, note.evidence)
    if file is None or note.id != withdrawal_id(file.id):
        yield "collection_unknown", "it withdraws a file that there is none of"
        return
    if any(one.credited_by is not None or one.claim for one in file.items.values()):
        yield "collection_begun", f"file {file.number} was withdrawn after the bank had carried out some of it"
    file.withdrawn = True


def fetched(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A file left for the bank."""
    yield from acted(story, record, note.evidence, parties.OFFICE)
    file = _file(story, note.evidence)
    if file is None or note.id != fetching_id(file.id):
        yield "collection_unknown", "it fetches a file that there is none of"
    elif file.withdrawn:
        yield "collection_unknown", f"file {file.number} was fetched after it had been withdrawn"
    else:
        file.fetched = True


def rejected(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A debit that the bank will not carry out: one of which no statement says anything."""
    yield from acted(story, record, note.evidence, parties.OFFICE)
    found = story.debits.named(note.evidence.get("debit", ""))
    if not found or len(found) != 1 or found[0].state != "ordered":
        yield "debit_unknown", "it rejects a debit that there is none of, or of which a statement told before"
        return
    if note.id != rejection_id(found[0].id):
        yield "id_not_derived", "its id does not follow from the debit"
    story.debits.put(found[0]._replace(unpaid_by=note.id))


# --- bank lines --------------------------------------------------------------------------------------------


class _Said(NamedTuple):
    """What an entry says it did to debits."""

    brought: list[Item]
    back: list[Item]
    both: set[bytes]


def brought(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    """A line that brings debits, or takes some back."""
    yield from acted(story, record, transaction.evidence, parties.OFFICE)
    line = story.lines.booked(record)
    if line is None:
        yield "id_not_derived", "debits were booked under an id that follows from no bank line: that could happen twice"
        return
    yield from judged(story, record, transaction, line, line.reserve)


def judged(story: Story, record: Record, transaction: Transaction, line: LineState, bank: int) -> Iterator[Said]:
    """An entry that says of a line which debits it brings or takes back. `bank` is where its euros are."""
    said = _said(story, transaction.evidence)
    if said is None:
        yield "debit_unknown", "it brings or takes back debits that there are none of"
        return
    if any(one.credited_by is not None for one in said.brought):
        yield "debit_twice", "a debit had been brought before"
    if any(one.unpaid_by is not None for one in said.back):
        yield "debit_twice", "a debit had come back before"
    early = [one for one in said.brought if one.is_early]
    early += [one for one in said.back if one.credited_by is None and one.id not in said.both]
    yield from _as_said(transaction.evidence, early, [one for one in said.back if one.released_seq is not None])
    gathered = Moves(story.chart, bank, _taken_from(story, transaction))
    for one in said.brought:
        if one.id not in said.both:
            gathered.bring(one)
    for one in said.back:
        if one.id not in said.both:
            gathered.give_back(one)
    yield from _same(story, record, transaction, gathered, said.back)
    for one in said.brought:
        file = story.debits.files[one.file]
        release_on = after(line.booked_on, file.risk_days).isoformat()
        # What was said to be rejected was not: the bank brought it.
        unpaid_by = None if one.is_rejected else one.unpaid_by
        story.debits.put(one._replace(credited_by=transaction.id, release_on=release_on, claim=0, unpaid_by=unpaid_by))
    _came_back(story, transaction, said.back)


def undone(story: Story, record: Record, instruction: Transaction | Note, line: LineState) -> Iterator[Said]:
    """A line that a corrected statement no longer has: what it brought is not there, what it took back is."""
    if not isinstance(instruction, Transaction):
        yield "line_shape", "debits were undone by a note, which moves nothing"
        return
    if line.undone_seq is not None:
        yield "return_twice", f"the line {line.reference} had been taken back before"
    stood = line.placed_id if line.placed_seq is not None else line.id
    was, back = story.debits.of_line(stood)
    both = {one.id for one in was} & {one.id for one in back}
    said = _said(story, instruction.evidence)
    if said is None or ({one.id for one in said.brought}, {one.id for one in said.back}) != (
        {one.id for one in was}, {one.id for one in back},
    ):  # fmt: skip
        yield "debit_unknown", "it undoes other debits than the line brought or took back"
        return
    if any(one.unpaid_by not in (None, stood) for one in was):
        yield "debit_twice", "a debit that had come back was taken back again"
    after = [one for one in was if one.released_seq is not None and one.id not in both]
    yield from _as_said(instruction.evidence, [one for one in back if one.credited_by is None], after)
    is_open = lambda account: account not in story.closed  # noqa: E731
    gathered = Moves(story.chart, line.reserve, _taken_from(story, instruction), is_open)
    for one in was:
        if one.id not in both:
            gathered.give_back(one)
    for one in back:
        if one.id not in both:
            gathered.take_again(one)
    yield from _same(story, record, instruction, gathered, after)
    _came_back(story, instruction, after)
    released = {one.id for one in after}
    for one in was:
        if one.id not in released:
            story.debits.put(one._replace(credited_by=None, release_on=None))
    for one in back:
        now = story.debits.item(one.place)
        assert now is not None
        story.debits.put(now._replace(unpaid_by=None, unpaid_reason="", claim=0))


def put_back(story: Story, entry: bytes) -> Iterator[Said]:
    """A line that the entry had placed is in suspense again: what it did to debits counts no more."""
    was, back = story.debits.of_line(entry)
    if any(one.unpaid_by is not None or one.released_seq is not None for one in was):
        yield "debit_twice", "a debit was put back that had been released, or had come back"
    for one in was:
        story.debits.put(one._replace(credited_by=None, release_on=None))
    for one in back:
        now = story.debits.item(one.place)
        assert now is not None
        story.debits.put(now._replace(unpaid_by=None, unpaid_reason="", claim=0))


def released(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    """A debit's units went to its member: all of them, once, not before the delay was over, if it did not come back."""
    evidence, chart = transaction.evidence, story.chart
    yield from acted(story, record, evidence, parties.OFFICE)
    found = story.debits.named(evidence.get("debit", ""))
    if not found or len(found) != 1:
        yield "debit_unknown", "it releases a debit that there is none of"
        return
    [one] = found
    if transaction.id != release_id(one.id):
        yield "id_not_derived", "its id does not follow from the debit: that could be released twice"
    if moves(transaction) != [(chart.maturing, one.account, one.amount, chart.unit)]:
        yield "release_shape", f"not the {one.amount} units of the debit went to {story.name(one.account)}"
    if one.state != "maturing":
        yield "release_shape", f"the debit was {one.state} when its units were released"
    elif one.release_on is not None and _latest_day(story.moment(record.seq, record.at)) < one.release_on:
        yield "release_early", f"units were released before {one.release_on}, when the delay of the charter was over"
    story.debits.put(one._replace(released_seq=record.seq))


def _latest_day(at: int) -> str:
    """The day of a moment (us), where it is latest."""
    return (_EPOCH + timedelta(microseconds=at) + _AHEAD).date().isoformat()


def asked(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A device of the office had releases looked at; what came of it is the machine's."""
    yield from acted(story, record, note.evidence, parties.OFFICE)
    if note.id != asked_id(bytes_of(note.evidence.get("signature"))):
        yield "id_not_derived", "its id does not follow from what the device signed"


def _said(story: Story, evidence: Evidence) -> _Said | None:
    """The debits that evidence names; None where there are none of these."""
    lists: list[list[Item]] = []
    for key in ("items", "unpaid"):
        found = story.debits.named(evidence[key]) if key in evidence else []
        if found is None:
            return None
        lists.append(found)
    was, back = lists
    return _Said(was, back, {one.id for one in was} & {one.id for one in back}) if was or back else None


def _as_said(evidence: Evidence, early: list[Item], after: list[Item]) -> Iterator[Said]:
    """The entry says which came back before they were brought, and which after they were released."""
    for key, found in (("early", early), ("released", after)):
        try:
            same = places(evidence.get(key, "")) == {one.place for one in found}
        except ValueError:
            same = False
        if not same:
            yield (
                "debit_shape",
                f"which debits were {key} is not what the entry says ({packed(o.place for o in found)})",
            )


def _taken_from(story: Story, transaction: Transaction) -> Callable[[int], int]:
    """What each member had, if the entry is right: as much as it took."""
    taken = {t.debit: t.amount for t in transaction.transfers if t.unit == story.chart.unit}
    return lambda account: taken.get(account, 0)


def _same(story: Story, record: Record, transaction: Transaction, gathered: Moves, back: list[Item]) -> Iterator[Said]:
    """The entry moved this, and no more; what members owe by it is held against what they had."""
    right = [(t.debit, t.credit, t.amount, t.unit) for t in gathered.transfers() or ()]
    if sorted(moves(transaction)) != sorted(right):
        yield "debit_shape", "units and euros are not those of the debits that the entry names"
    holder = transaction.evidence.get("holder")
    told = str(transaction.evidence.get("owed", ""))
    owed = ",".join(f"{account:016x}:{cents}" for account, cents in sorted(gathered.owed.items()))
    if told != ("" if holder else owed) or (holder and {f"{a:016x}" for a in gathered.owed} - {holder}):
        yield "debit_shape", "who owes what by this entry is not what it says"
    for account, cents in gathered.owed.items():
        if cents > 0 and any(one.account == account and one.released_seq is not None for one in back):
            story.lines.claimed.append((record.seq, transaction.id, account, record.at))


def _came_back(story: Story, transaction: Transaction, found: list[Item]) -> None:
    taken = {t.debit: t.amount for t in transaction.transfers if t.unit == story.chart.unit}
    for one in found:
        now = story.debits.item(one.place)
        assert now is not None
        claim = now.amount if now.credited_by is None else 0
        if now.released_seq is not None:
            back = min(now.amount, taken.get(now.account, 0))
            taken[now.account] = taken.get(now.account, 0) - back
            claim = now.amount - back
        story.debits.put(now._replace(unpaid_by=transaction.id, claim=claim))


def _file(story: Story, evidence: Evidence) -> DebitFile | None:
    number = evidence.get("number")
    file = story.debits.files.get(number) if type(number) is int else None
    return file if file is not None and file.id == bytes_of(evidence.get("collection")) else None


def _read_file(note: Note) -> DebitFile | None:
    e = note.evidence
    numbers = [e.get(key) for key in ("number", "attempt", "total", "debits", "risk_days")]
    if not all(type(each) is int and each >= 0 for each in numbers) or len(str(e.get("sha256"))) != 64:
        return None
    number, attempt, total, debits, risk_days = (int(each or 0) for each in numbers)
    return DebitFile(note.id, number, str(e.get("month")), attempt, total, debits, risk_days, str(e["sha256"]))
