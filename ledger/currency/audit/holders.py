"""Confirmations in the log: that a key of the office is whose its note says, by somebody who may say so."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core.model import Note
from ledger.core.record import Record
from ledger.currency import persons
from ledger.currency.audit.kinds import acted
from ledger.currency.audit.story import Said, Story, bytes_of, number_of
from ledger.currency.vouching import MEMBER, TREASURER, Word


def confirmed(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """The holder of a key confirmed it with a key as a member, or a second treasurer did."""
    raw, by = bytes_of(note.evidence.get("key")), bytes_of(note.evidence.get("by"))
    key, mine = story.held.get(raw), story.held.get(by)
    own = note.kind == persons.CONFIRMED
    yield from acted(story, record, note.evidence, frozenset({MEMBER if own else TREASURER}))
    if key is None or key.person is None or number_of(note.evidence.get("person")) != key.person:
        yield "confirmation_wrong", f"key {raw.hex()[:16]} was confirmed as a person's whose it is not said to be"
        return
    if note.id != persons.key_id(note.kind, raw):
        yield "id_not_derived", "its id does not follow from the key"
    if mine is None or mine.role != (MEMBER if own else TREASURER) or (own and not key.is_own(mine)):
        yield "confirmation_wrong", f"key {raw.hex()[:16]} was confirmed by {by.hex()[:16]!r}, who may not"
    elif mine.account not in story.closed and mine.until is None:
        key.words.append(Word(record.seq, by))
