"""The closing of business years: in order, once each, after their last day, and by whoever may."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core.model import Note
from ledger.core.record import Record
from ledger.currency.accounts import periods
from ledger.currency.audit.kinds import TREASURER, acted
from ledger.currency.audit.story import Said, Story
from ledger.currency.days import after


def closed(story: Story, record: Record, instruction: Note) -> Iterator[Said]:
    """A note that closes a year. What its file is, is proved whenever it is written."""
    try:
        closing = periods.read(instruction.evidence)
        today = periods.Calendar(closing.plan.timezone, []).log_day(story.moment(record.seq, record.at))
    except (ValueError, LookupError, TypeError) as error:
        yield "note_malformed", f"a note of {instruction.kind} that cannot be read: {error}"
        return
    yield from acted(story, record, instruction.evidence, TREASURER)
    if instruction.id != periods.note_id(story.rules.network, closing.end):
        yield "id_not_derived", f"its id does not follow from {closing.end}: that year could be closed twice"
    if closing.end.isoformat() >= today:
        yield "period_not_over", f"the year that ends on {closing.end} was closed on {today}"
    if not closing.seq < record.seq:
        yield "period_reach", f"the closing reaches to entry {closing.seq}, which was not there yet"
    last = story.years[-1] if story.years else None
    if last is not None and (closing.start != after(last.end, 1) or closing.seq < last.seq):
        yield "period_order", f"the year from {closing.start} was closed after that up to {last.end}"
        return
    story.years.append(closing)
