"""Mandates in the log: signed by whom the party lets act or by the office, one that lives a party; and who was told.

What was signed is not in the log, but its hash: `debit_tables` holds texts and signatures against that.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core.ids import derived_id
from ledger.core.model import Evidence, Note
from ledger.core.record import Record
from ledger.currency import parties
from ledger.currency.audit import limits
from ledger.currency.audit.debit_state import MandateState
from ledger.currency.audit.kinds import acted
from ledger.currency.audit.story import Said, Story, bytes_of, number_of
from ledger.currency.bank.mandates.notices import digest, list_id
from ledger.currency.bank.mandates.review import resumption_id, suspension_id
from ledger.currency.bank.mandates.text import mandate_reference


def signed(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A mandate, the first that lives of its party."""
    evidence, state = note.evidence, story.debits
    yield from _by_holder(story, record, evidence)
    id_, account = bytes_of(evidence.get("mandate")), number_of(evidence.get("account"))
    told = _told(evidence)
    if told is None or told[1] != 1:
        yield "note_malformed", "a mandate was signed without an amount, or a hash of what was signed"
        return
    if note.id != derived_id("patard/mandate-signed", id_) or id_ in state.mandates:
        yield "id_not_derived", "its id does not follow from the mandate: that could be signed twice"
    if evidence.get("reference") != mandate_reference(story.rules.network, id_):
        yield "id_not_derived", "its reference does not follow from the mandate"
    if account not in story.holders or account in story.closed:
        yield "mandate_unrelated", f"{story.name(account)} is no party's who takes part"
    if account in state.live:
        yield "mandate_twice", f"{story.name(account)} had a mandate already"
    amount, version, hashed = told
    yield from limits.mandate(story, amount)
    state.mandates[id_] = MandateState(id_, account, str(evidence.get("reference")), amount, version, {1: hashed})
    if _mine(story, evidence):
        state.mandates[id_].by_device.add(1)
    state.live[account] = id_


def changed(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """Another amount a month."""
    yield from _by_holder(story, record, note.evidence)
    mandate = _mandate(story, note.evidence)
    told = _told(note.evidence)
    if mandate is None or told is None or mandate.ended_at is not None:
        yield "mandate_unrelated", "it changes a mandate that there is none of, or that was ended"
        return
    amount, version, hashed = told
    yield from limits.mandate(story, amount)
    if version != mandate.version + 1 or note.id != derived_id("patard/mandate-amount", mandate.id, str(version)):
        yield "id_not_derived", f"amount {version} came after amount {mandate.version}, or its id does not follow"
    mandate.amount, mandate.version, mandate.hashes[version] = amount, version, hashed
    if _mine(story, note.evidence):
        mandate.by_device.add(version)


def ended(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """Nothing is collected by it any more."""
    yield from _by_holder(story, record, note.evidence)
    mandate = _mandate(story, note.evidence)
    if mandate is None or note.id != derived_id("patard/mandate-ended", mandate.id):
        yield "mandate_unrelated", "it ends a mandate that there is none of, or its id does not follow from that"
        return
    mandate.ended_at = record.at
    if story.debits.live.get(mandate.account) == mandate.id:
        del story.debits.live[mandate.account]


def suspended(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """It is not collected by until somebody resumes it, because a debit came back."""
    yield from acted(story, record, note.evidence, parties.OFFICE)
    mandate = _mandate(story, note.evidence)
    last = story.debits.named(note.evidence.get("debit", ""))
    if mandate is None or not last or (last[0].mandate, last[0].unpaid_by is None) != (mandate.id, False):
        yield "mandate_unrelated", "a mandate was suspended, and the debit named did not come back, or is another's"
        return
    if note.id != suspension_id(last[0].id):
        yield "id_not_derived", "its id does not follow from the debit that came back"
    mandate.suspended_by = note.id


def resumed(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """It is collected by again."""
    yield from acted(story, record, note.evidence, parties.OFFICE)
    mandate = _mandate(story, note.evidence)
    if mandate is None or note.id != resumption_id(mandate.suspended_by or b""):
        yield "mandate_unrelated", "it resumes a mandate that was not suspended"
        return
    mandate.suspended_by = None


def told(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """Members were told of the debits of a month."""
    evidence, state = note.evidence, story.debits
    yield from acted(story, record, evidence, parties.OFFICE)
    month, run = str(evidence.get("month")), evidence.get("run")
    if run != state.lists.get(month, 0) + 1 or note.id != list_id(story.rules.network, month, int(run or 0)):
        yield "id_not_derived", f"list {run} of {month} is not the next, or its id does not follow from that"
    state.lists[month] = state.lists.get(month, 0) + 1
    rows = state.told_in(record.seq)
    known = [(state.mandates[id_].reference, cents) for id_, cents in rows if id_ in state.mandates]
    if len(known) != len(rows) or digest(known) != evidence.get("digest"):
        yield "notices_differ", f"who was told of the debits of {month} by this list is not what the tables say"
        return
    for id_, cents in rows:
        mandate = state.mandates[id_]
        if not mandate.is_collected or mandate.amount != cents:
            yield "notices_differ", f"{story.name(mandate.account)} was told of another amount than its mandate's"
        state.told[month, id_] = cents


def _mandate(story: Story, evidence: Evidence) -> MandateState | None:
    """The mandate that evidence names, if account and reference are its."""
    mandate = story.debits.mandates.get(bytes_of(evidence.get("mandate")))
    if mandate is None or number_of(evidence.get("account")) != mandate.account:
        return None
    return mandate if evidence.get("reference") == mandate.reference else None


def _told(evidence: Evidence) -> tuple[int, int, str] | None:
    """Cents, version and hash of what was signed."""
    amount, version, hashed = (evidence.get(key) for key in ("amount", "version", "hash"))
    if type(amount) is not int or type(version) is not int or amount < 1 or len(str(hashed)) != 64:
        return None
    return amount, version, str(hashed)


def _by_holder(story: Story, record: Record, evidence: Evidence) -> Iterator[Said]:
    """Whoever signed or ended it acts for the party, or for the office."""
    yield from acted(story, record, evidence, parties.SPEND if _mine(story, evidence) else parties.OFFICE)


def _mine(story: Story, evidence: Evidence) -> bool:
    """Whether one of the party's own devices did it."""
    key = story.keys.get(bytes_of(evidence.get("by")))
    return key is not None and key.account == number_of(evidence.get("account")) and key.role in parties.SPEND
