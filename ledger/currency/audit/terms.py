"""How charters and the clock enter the story that the log tells: by what everything after them is judged."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core.clock import BEHIND, CONFIRMED, FORM, KEPT, note_id, shown, told_by
from ledger.core.model import Note
from ledger.core.record import Record
from ledger.currency import chartered
from ledger.currency.audit.story import CLOCK_CONFIRMED, Notice, Said, Story
from ledger.currency.charter import ReserveKind
from ledger.currency.chartered import Rules
from ledger.currency.conversion import CONSOLE


def charter(story: Story, record: Record, instruction: Note) -> Iterator[Said]:
    """The rules from here on. A note that is not the next one changes none: its fee was never the charter's."""
    try:
        rules = chartered.read(instruction.evidence)
    except ValueError as error:
        yield "charter_malformed", str(error)
        return
    before = story.rules
    if (rules.network, rules.code) != (before.network, before.code):
        yield "charter_changed", f"the charter became that of network {rules.network.hex()}, {rules.code}"
        return
    if rules.key != before.key:
        yield "charter_changed", f"the currency's key became {rules.key[:16]}, that of the folder is {before.key[:16]}"
        return
    if rules.version != story.noted + 1:
        yield "charter_version", f"a charter number {rules.version} was noted after number {story.noted}"
        return
    if instruction.id != chartered.note_id(rules.network, rules.version):
        yield "id_not_derived", "the note of the charter has another id than follows from it"
        return
    if story.demanded and not rules.says_all:
        yield "charter_malformed", "the note of the charter does not say the limits that it puts in force"
    yield from _reserve(story, record, rules)
    if story.noted and rules.guarded < before.guarded:
        yield "charter_malformed", "the note of the charter says less than before of what is asked of officers"
    if story.alone_since is not None and rules.alone_days != before.alone_days:
        yield "charter_malformed", "the note of the charter no longer says for how long what one person does is counted"
    if story.noted and (changed := chartered.changed(before, rules)):
        story.notices.append(Notice(record.seq, instruction.id, "the charter changed: {changed}", {"changed": changed}))
    story.rules, story.noted = rules, rules.version
    story.ibans.update(rules.ibans or ())
    if story.alone_since is None and rules.alone_days is not None:
        story.alone_since = record.seq
    if rules.says_all and not story.demanded:
        story.demanded = record.seq
    if story.machine_since is None and "machine" in instruction.evidence:
        story.machine_since = record.seq


def _reserve(story: Story, record: Record, rules: Rules) -> Iterator[Said]:
    """The accounts of the reserve by a new charter: what statements explain stays so, and stays one account's."""
    before = story.rules if story.noted else None
    if not rules.says_accounts:
        if before and before.says_accounts:
            yield "charter_malformed", "the note of the charter does not say kinds and IBANs of the reserve's accounts"
        return
    numbers = story.chart.reserve
    story.typed.cash = frozenset(n for name, n in numbers.items() if rules.kind_of(name) == ReserveKind.CASH)
    for name in [name for name in rules.reserve if name in numbers]:
        taken, iban = story.lines.statements.get(numbers[name]), rules.iban_of(name) or ""
        if before is None or not before.says_accounts:
            if iban and story.lines.standing(numbers[name]):  # those of before do not say whose they are
                story.lines.owners.setdefault(iban, numbers[name])
            continue
        if chartered.turned_to_cash(before, rules, name) and (taken or story.typed.on(numbers[name])):
            yield "charter_changed", f"{name!r} became cash, and it was a bank account whose statements explain it"
        if before.iban_of(name) not in (None, iban):
            form = "the charter gave the reserve account {name} another IBAN, or none"
            story.notices.append(Notice(record.seq, record.instruction.id, form, {"name": repr(name)}))


def clock(story: Story, record: Record, instruction: Note) -> Iterator[Said]:
    """What the clock said, by somebody at the machine, or by itself while `at` only counts."""
    before = story.clock
    try:
        told = told_by(record.seq, record.at, instruction.evidence)
    except ValueError as error:
        yield "note_malformed", str(error)
        return
    if instruction.evidence.get("by") != CONSOLE:
        yield "role_insufficient", "somebody said that the clock is right who was not at the machine"
    number = before.number + 1 if before else 1
    if told.number != number or instruction.id != note_id(story.rules.network, number):
        yield "id_not_derived", f"the note about the clock number {told.number} is not the one that follows"
        return
    if instruction.kind == KEPT and not (before and before.counts(record.seq, record.at)):
        yield "clock_unasked", "the clock was noted by itself, though nobody had said that it is right"
    elif instruction.kind == KEPT and before and told.clock < before.clock - BEHIND:
        yield "clock_unasked", "the clock was noted by itself, and had been put back"
    if instruction.kind == CONFIRMED and record.seq > 1:
        values = {"clock": shown(told.clock), "before": shown(story.moment(*story.before))}
        story.notices.append(Notice(record.seq, instruction.id, CLOCK_CONFIRMED, values))
    if story.clock_formed is None and instruction.evidence.get("form") == FORM:
        story.clock_formed = record.seq
    story.clock = told
