"""Who vouches for what the association does: every entry of it carries a signature over what was to be done.

What a device had done carries the act that it signed: the request itself (`ledger.currency.acts`), which must say what
the entry did (`meaning`). All of it, and what was done at the machine or by the program, is signed by the machine's key
as it went into the log. From the note of the charter on that names a machine's key; what is older rests on the names in
it alone, and is shown as of before.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core.model import Closing, Evidence, Instruction, Note, Opening
from ledger.core.record import Record
from ledger.currency import acts, parties, proofs
from ledger.currency.acts import MACHINE, Act
from ledger.currency.audit import meaning, terms
from ledger.currency.audit import story as audit_story
from ledger.currency.audit.signatures import Signed
from ledger.currency.audit.story import Importing, Key, Notice, Problem, Said, Story, bytes_of, number_of
from ledger.currency.bank.reference import member_reference
from ledger.currency.imported import announcement_id

ON_ITS_WAY = 60_000_000
"""Microseconds between the desk's look at a clock, and once at a key, and the commit, at the very most."""
INVITED = 7 * 86_400_000_000 + ON_ITS_WAY
"""The same between inviting a key and its joining."""


def vouched(story: Story, record: Record, roles: frozenset[str]) -> Iterator[Said]:
    """Whoever acted for the association was at its machine, or held a key for it; and signed exactly this."""
    evidence = record.instruction.evidence
    by = evidence.get("by")
    if by == MACHINE:
        yield from _machine(story, record)
        return
    key = story.keys.get(bytes_of(by))
    if key is None or key.role not in roles:
        who = "who held no office" if key is None else f"the key of a {key.role}, who may not"
        yield "role_insufficient", f"booked by {str(by)[:16]!r}, {who}"
        return
    if not is_live(story, key, record):
        yield "key_revoked", f"booked by key {str(by)[:16]}, which had been revoked"
    yield from _device(story, record, bytes_of(by), ON_ITS_WAY)


def is_live(story: Story, key: Key, record: Record) -> bool:
    """Whether a key could act when the entry was made; what the entry itself ends is no end before it."""
    # Since the charter says that orders are, keys are looked at in the commit; before, at the desk.
    late = 0 if story.rules.looked else ON_ITS_WAY
    ends = (key.revoked_at, story.closed.get(key.account))
    return all(end is None or end + late >= record.at for end in ends)


def invited(story: Story, record: Record) -> Iterator[Said]:
    """What the key signed that invited another, or the machine where it did. That it may is for the caller to judge."""
    by = record.instruction.evidence.get("by")
    if by == MACHINE:
        yield from _machine(story, record)
    else:
        yield from _device(story, record, bytes_of(by), INVITED)


def charter(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A note of the charter: at the machine, whose key the currency's own vouches for when it comes in."""
    before, noted = story.rules.machine if story.noted else None, story.noted
    yield from terms.charter(story, record, note)
    machine = story.rules.machine
    if story.noted == noted:
        return
    if machine is None:
        if before is not None:
            yield "charter_changed", "the note names no machine's key, though the one before it did"
        return
    yield from _machine(story, record)
    if machine != before:
        message = proofs.machine_message(story.rules.network, bytes.fromhex(machine))
        text = "a machine's key came in, and the currency's key did not vouch for it"
        yield Signed(bytes_of(story.rules.key), bytes_of(note.evidence.get("vouched")), message, "act_invalid", text)


def key(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A key that came or went: whoever let it in, or shut it out, signed that."""
    yield from audit_story.key(story, record, note)
    evidence = note.evidence
    if not story.is_signed:
        return
    if note.kind == "key_added":
        if "by" in evidence:
            yield from invited(story, record)
    elif "by" not in evidence:
        yield "note_malformed", "nobody is named who shut this key out"
    else:
        yield from vouched(story, record, parties.SPEND | parties.OFFICE)
        acting = story.keys.get(bytes_of(evidence["by"]))
        theirs = acting is not None and acting.account == number_of(evidence.get("account"))
        if acting is not None and acting.role not in parties.OFFICE and not theirs:
            yield "role_insufficient", "a key was revoked by somebody else's who holds no office"


def announced(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """Entries of an import follow: somebody at the machine signed what they are."""
    count, digest = note.evidence.get("count"), str(note.evidence.get("digest"))
    if type(count) is not int or count < 1 or len(bytes_of(digest)) != 32:
        yield "note_malformed", "an import was announced without the number and the hash of its entries"
        return
    if note.id != announcement_id(story.rules.network, bytes_of(digest)):
        yield "id_not_derived", "its id does not follow from the entries that it announces"
    if note.evidence.get("by") != MACHINE:
        yield "role_insufficient", "an import was announced by somebody who was not at the machine"
        return
    yield from _machine(story, record)
    story.importing, story.announced = Importing(count, digest), record.seq


def imports(story: Story, instruction: Instruction) -> Iterator[Said]:
    """Take an entry in that an import may have announced."""
    coming = story.importing
    story.is_import = coming is not None
    if coming is None:
        return
    coming.hashed.update(acts.content(instruction))
    coming.left -= 1
    if not coming.left:
        story.importing = None
        if coming.hashed.hexdigest() != coming.digest:
            yield "import_differs", "the entries of the import that ends here are not those that were announced"


def imported(story: Story) -> Iterator[Said]:
    """What an import brings was announced."""
    if story.is_signed and not story.is_import:
        yield "act_missing", "an import brought it that nobody at the machine announced"


def opening(story: Story, record: Record, instruction: Opening) -> Iterator[Said]:
    """An account of a party is opened by the office."""
    yield from audit_story.opening(story, record, instruction)
    if not story.is_signed or story.is_import or instruction.account.number in story.own:
        return
    if "party" in instruction.evidence:
        yield from vouched(story, record, parties.OFFICE)
    else:
        yield from imported(story)


def closing(story: Story, record: Record, instruction: Closing) -> Iterator[Said]:
    """And closed by it."""
    yield from audit_story.closing(story, record, instruction)
    if story.is_signed:
        yield from vouched(story, record, parties.OFFICE)


def end(story: Story) -> Iterator[tuple[int, bytes, Problem]]:
    """What is wrong at the end of the log: of those who have left the text of an act may be erased, of nobody else."""
    for account, seq, id_ in story.erased:
        if account not in story.closed:
            yield seq, id_, ("act_erased", f"what was signed for it about account {account:016x} is not there any more")
    yield from _shared(story)
    if story.unsigned is not None:
        seq, id_ = story.unsigned
        form = "up to here, what the association did is of before it was signed: who did it rests on the names alone"
        story.notices.insert(0, Notice(seq, id_, form))


def _shared(story: Story) -> Iterator[tuple[int, bytes, Problem]]:
    """Members whose bank reference is one: euros of either wait, for nobody can tell whose they are."""
    network = story.rules.network
    known: dict[str, int] = {}
    for account in story.holders:
        text = member_reference(network, account)
        if account not in story.closed and known.setdefault(text, account) != account:
            told = f"{story.name(account)} has the reference of {story.name(known[text])}: admit one of them anew"
            yield 0, b"", ("reference_shared", told)


def clock(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """What the clock said, at the machine."""
    wrong = list(terms.clock(story, record, note))
    yield from wrong or _machine(story, record)


def _machine(story: Story, record: Record) -> Iterator[Said]:
    machine = story.rules.machine
    if not story.is_signed or machine is None:
        story.unsigned = (record.seq, record.instruction.id)
        return
    yield from _by_machine(story, record, machine, "signature")


def _by_machine(story: Story, record: Record, machine: str, where: str) -> Iterator[Said]:
    """The signature of the machine's key, which stands there in the evidence."""
    signature = bytes_of(record.instruction.evidence.get(where))
    text = "it was booked at the machine, and that is not the signature of the machine's key"
    if len(signature) != 64:
        yield "act_missing", "it was booked at the machine, and the machine's key did not sign it"
        return
    message = proofs.entry_message(story.rules.network, acts.content(record.instruction))
    yield Signed(bytes.fromhex(machine), signature, message, "act_invalid", text)


def _device(story: Story, record: Record, key: bytes, late: int) -> Iterator[Said]:
    if not story.is_signed:
        story.unsigned = (record.seq, record.instruction.id)
        return
    instruction = record.instruction
    said = _read(instruction.evidence)
    if said is None or len(key) != 32:
        yield "act_missing", f"booked in the name of key {key.hex()[:16]}, which signed nothing of it"
        return
    if story.rules.machine is not None:
        yield from _by_machine(story, record, story.rules.machine, acts.COUNTERSIGNED)
    hashed, until, signature, text = said
    message = proofs.act_message(story.rules.network, key, until, hashed)
    yield Signed(key, signature, message, "act_invalid", f"key {key.hex()[:16]} did not sign what it is said to have")
    if story.moment(record.seq, record.at) > until * 1_000_000 + late:
        yield "act_expired", "what the device signed was for an earlier time"
    last = story.acts.get(hashed)
    if last is not None and last != record.seq - 1:
        yield "act_twice", f"what the device signed was carried out before, up to entry {last}"
    story.acts[hashed] = record.seq
    if text is None:
        text = story.texts.get(hashed)
        if text is None:
            account = number_of(instruction.evidence.get("account"))
            account = instruction.account.number if isinstance(instruction, Opening) else account
            story.erased.append((account, record.seq, instruction.id))
            return
    wrong = meaning.differs(story, instruction, text)
    if wrong is not None:
        yield "act_differs", f"the device signed {text.splitlines()[0][:80]!r}: {wrong}"


def _read(evidence: Evidence) -> tuple[bytes, int, bytes, str | None] | None:
    """Hash, last second, signature and text (None: only its hash is in the log) of the act in an entry's evidence."""
    until, signature = evidence.get("until"), bytes_of(evidence.get("signature"))
    if type(until) is not int or not 0 < until < 2**32 or len(signature) != 64:
        return None
    if "act_hash" in evidence:
        hashed = bytes_of(evidence["act_hash"])
        return (hashed, until, signature, None) if len(hashed) == 32 else None
    text, salt = evidence.get("act"), bytes_of(evidence.get("salt"))
    if not isinstance(text, str) or len(salt) != proofs.SALT_BYTES:
        return None
    return Act(b"", text, salt, until, signature).hash, until, signature, text
