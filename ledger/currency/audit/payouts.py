"""Payouts in the log: each is of a reconversion, ordered in one live file, paid once, or undone whole.

A file is judged by the charter that was in force when it was ordered, a signature by whose key it was then, and a file
that was fetched by the signatures whose keys were still live, and by what else one person let leave alone by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ledger.core.model import Evidence, Note, Transaction
from ledger.core.record import Record
from ledger.currency import parties, proofs
from ledger.currency.audit import kinds
from ledger.currency.audit.kinds import TREASURER, acted
from ledger.currency.audit.payout_state import Did, File, Owed
from ledger.currency.audit.signatures import Signed
from ledger.currency.audit.story import Said, Story, bytes_of, number_of
from ledger.currency.audit.vouching import is_live
from ledger.currency.bank.payouts.alone import DAY, Left, Need, may_alone, need
from ledger.currency.bank.payouts.approval import signing_id
from ledger.currency.bank.payouts.batches import batch_reference
from ledger.currency.bank.payouts.index import unpacked
from ledger.currency.bank.payouts.noted import BESIDE, batch_id, fetching_id, withdrawal_id
from ledger.currency.bank.payouts.undoing import enough, rejection_id, spoken, word_id
from ledger.currency.chart import EUR
from ledger.currency.conversion import CONSOLE
from ledger.currency.vouching import People, behind
from ledger.currency.wire import MessageError


def accepted(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    """A reconversion, which owes its shop euros from here on."""
    asked = story.asked.get(bytes_of(transaction.evidence.get("asked")))
    said = list(kinds.accepted(story, record, transaction))
    yield from said
    wrong = [one for one in said if not isinstance(one, Signed)]
    amount = sum(t.amount for t in transaction.transfers if t.credit == story.chart.payouts)
    if asked is not None and amount:
        story.payouts.owe(Owed(transaction.id, record.seq, asked.account, asked.amount, amount, not wrong))


# --- bank lines and rejections -----------------------------------------------------------------------------


def paid(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    """A bank line that settles what is owed."""
    yield from acted(story, record, transaction.evidence, parties.OFFICE)
    if story.lines.booked(record) is None:
        yield "id_not_derived", "its id does not follow from a line of a reserve account: that could be booked twice"
    yield from pay(story, record, transaction, number_of(transaction.evidence.get("reserve")))


def pay(story: Story, record: Record, transaction: Transaction, euros_from: int) -> Iterator[Said]:
    """Payouts were paid with euros of an account of the reserve, or that such a line had put into suspense.

    In a sum of several, some may have been rejected before: their shops, who have their units, owe those euros.
    """
    meant, away = named(story, transaction.evidence), given_back(story, transaction.evidence)
    if not meant and not away:
        yield "payout_unknown", "it pays reconversions that there are none of"
        return
    for one in meant:
        if one.paid_by is not None:
            yield "payout_twice", f"the payout of entry {one.seq} had been paid before"
        elif one.undone_by is not None:
            yield "payout_undone", f"the payout of entry {one.seq} was paid, and its shop had its units again"
    for one in away:
        if one.undone_by is None or one.paid_by is not None or one.away_by is not None:
            yield "payout_twice", f"the payout of entry {one.seq} was paid as if its shop had its units again"
    chart = story.chart
    due, back = (sum(one.amount for one in several) for several in (meant, away))
    right = [(chart.payouts, euros_from, due, EUR)] if due else []
    right += [(chart.claims, euros_from, back, EUR)] if back else []
    if sorted(_moved(transaction)) != sorted(right):
        yield "payout_shape", f"not just the {due} cents owed, and {back} that come back, went to where the euros left"
    yield from _owing(transaction, away, 1)
    yield from _beside(story, record, transaction, meant + away)
    story.payouts.pay(transaction.id, meant, away)


def _beside(story: Story, record: Record, transaction: Transaction, paid: list[Owed]) -> Iterator[Said]:
    """What no file let leave counts with what one person let leave alone; and who placed it is a treasurer."""
    cents, said = sum(one.amount for one in paid if one.seq not in story.payouts.out), transaction.evidence
    if story.rules.guarded < 2:
        return
    if said.get(BESIDE, 0) != cents:
        yield "payout_beside", f"no file let {cents} cents of it leave, and it says {said.get(BESIDE, 0)!r}"
    if not cents:
        return
    placed = "line" in said and said.get("by") != CONSOLE
    key = bytes_of(said.get("by")) if placed else None
    if key is not None and (story.keys.get(key) is None or story.keys[key].role not in TREASURER):
        yield "role_insufficient", f"no file let {cents} cents leave, and no treasurer placed the line that paid them"
    left = _left(story, record)
    people = People(behind(story.held, _of(left, key)), record.seq)
    if not may_alone(cents, story.rules.second_signature_above, key, left, people):
        yield "signatures_missing", f"{cents} cents were paid that no file let leave: more than one person lets leave"
    at = story.moment(record.seq, record.at)
    story.payouts.beside[transaction.id] = record.at, Left(at, cents, frozenset([key] if key else []))


def returned(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    """A bank line that brings payouts back."""
    yield from acted(story, record, transaction.evidence, parties.OFFICE)
    if story.lines.booked(record) is None:
        yield "id_not_derived", "its id does not follow from a line of a reserve account: that could be booked twice"
    yield from undo(story, transaction, number_of(transaction.evidence.get("reserve")))


def rejected(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
    """A payout that the bank did not execute: by its own answer, or because a treasurer says so."""
    who = parties.OFFICE if "report" in transaction.evidence else TREASURER
    yield from acted(story, record, transaction.evidence, who)
    meant = named(story, transaction.evidence)
    if len(meant) != 1:
        yield "payout_unknown", "it undoes the payout of a reconversion that there is none of"
        return
    if transaction.id != rejection_id(meant[0].id):
        yield "id_not_derived", "its id does not follow from the reconversion: that could be undone twice"
    file = story.payouts.files.get(meant[0].file or b"")
    if file is not None and not file.fetched:
        yield "payout_ordered", f"it was undone while file {file.number} could still have paid it"
    out, by = story.payouts.out.get(meant[0].seq), str(transaction.evidence.get("by"))
    if out is not None and out.people > 1 and story.rules.guarded > 1:
        words = spoken(by, report="report" in transaction.evidence) | out.file.words.get(meant[0].id, set())
        if not enough(words, behind(story.held, (bytes_of(one) for one in words))):
            told = f"two people let file {out.file.number} leave"
            yield "signatures_missing", f"{told}, and one alone undid the payout of entry {meant[0].seq}"
    yield from undo(story, transaction, None)


def rejecting(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """Somebody says that the bank will not execute a payout; another person has to say so too."""
    yield from acted(story, record, note.evidence, parties.OFFICE if "report" in note.evidence else TREASURER)
    meant, by = named(story, note.evidence), str(note.evidence.get("by"))
    out = story.payouts.out.get(meant[0].seq) if meant else None
    if out is None or out.file.id != bytes_of(note.evidence.get("batch")):
        yield "payout_unknown", "it says so of a payout that the last file to leave with it does not order"
        return
    if note.id != word_id(meant[0].id, out.file.id, by):
        yield "id_not_derived", "its id does not follow from reconversion, file and who says so"
    if not meant[0].is_due:
        yield "payout_undone", f"the payout of entry {meant[0].seq} was paid or undone before"
    out.file.words.setdefault(meant[0].id, set()).update(spoken(by, report="report" in note.evidence))


def undo(story: Story, transaction: Transaction, euros_on: int | None) -> Iterator[Said]:
    """Reconversions were undone. `euros_on` is the account where the euros were again; None: they never left."""
    chart = story.chart
    meant, home = named(story, transaction.evidence), given_back(story, transaction.evidence)
    if not meant and not home:
        yield "payout_unknown", "it brings back payouts of reconversions that there are none of"
        return
    for one in meant:
        if one.undone_by is not None:
            yield "payout_undone", f"the reconversion of entry {one.seq} had been undone before"
        elif (one.paid_by is not None) is (euros_on is None):
            told = "never left" if euros_on is None else "had left"
            yield "payout_shape", f"the payout of entry {one.seq} was undone as if its euros {told}"
    for one in home:
        if one.away_by is None or one.home_by is not None or euros_on is None:
            yield "payout_twice", f"the euros of entry {one.seq} were brought back and were not away"
    total, units = sum(one.amount for one in meant), sum(one.units for one in meant)
    right = [(euros_on, chart.payouts, total, EUR)] if euros_on and total else []
    right += [(chart.payouts, chart.guarantee, total, EUR)] if total else []
    right += [(chart.income, chart.guarantee, units - total, EUR)] if units > total else []
    right += [(chart.circulation, one.holder, one.units, chart.unit) for one in meant]
    right += [(euros_on or 0, chart.claims, sum(one.amount for one in home), EUR)] if home else []
    if sorted(_moved(transaction)) != sorted(right):
        yield "payout_shape", "not the whole reconversion was undone: its units, its euros and its fee"
    yield from _owing(transaction, home, -1)
    story.payouts.undo(transaction.id, meant, home)


def named(story: Story, evidence: Evidence) -> list[Owed]:
    """The payouts that evidence names; none where it names one that there is not."""
    state = story.payouts
    if "payout" in evidence:
        one = state.owed.get(bytes_of(evidence["payout"]))
        return [] if one is None else [one]
    return _at(story, _places(evidence, "payouts"))


def given_back(story: Story, evidence: Evidence) -> list[Owed]:
    """The payouts whose shops have their units, that evidence names beside those it settles or undoes."""
    return _at(story, _places(evidence, "given_back"))


def _at(story: Story, places: list[int]) -> list[Owed]:
    found = [story.payouts.by_place.get(place) for place in places]
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) else []


def _owing(transaction: Transaction, gone: list[Owed], sign: int) -> Iterator[Said]:
    """The evidence says who owes the euros that left, though they have their units, or no longer does."""
    owed: Counter[int] = Counter()
    for one in gone:
        owed[one.holder] += sign * one.amount
    right = ",".join(f"{account:016x}:{cents}" for account, cents in sorted(owed.items()))
    if str(transaction.evidence.get("owed", "")) != right:
        yield "payout_shape", "it does not say who owes the euros that left for shops which have their units"


def _moved(transaction: Transaction) -> list[tuple[int, int, int, str]]:
    return [(t.debit, t.credit, t.amount, t.unit) for t in transaction.transfers]


def _places(evidence: Evidence, key: str) -> list[int]:
    try:
        return unpacked(str(evidence[key]))
    except (KeyError, ValueError):
        return []


# --- files -------------------------------------------------------------------------------------------------


def ordered(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A file for the bank: of due payouts in no other live file, to be signed by as many people as the charter says."""
    state, evidence, rules = story.payouts, note.evidence, story.rules
    yield from acted(story, record, evidence, parties.OFFICE)
    places, digest = _places(evidence, "payouts"), bytes_of(evidence.get("sha256"))
    number, total, people = (_whole(evidence.get(name)) for name in ("number", "total", "people"))
    if (
        not places
        or len(digest) != 32
        or not number
        or number_of(evidence.get("reserve")) not in (story.chart.reserve.values())
    ):
        yield "note_malformed", "a file of payouts without its number, account, content and payouts"
        return
    if number != len(state.files) + 1 or note.id != batch_id(rules.network, number):
        yield "id_not_derived", f"a file of payouts number {number} was ordered after {len(state.files)} others"
    if evidence.get("message") != f"{rules.code}-P{number}-{batch_reference(rules.network, note.id)}":
        yield "id_not_derived", "its message id does not follow from its number"
    found = [state.by_place.get(place) for place in places]
    meant = [one for one in found if one is not None]
    if len(meant) != len(found) or not all(one.is_due and one.file is None for one in meant):
        yield "payout_ordered", "it orders what is not owed, was settled, or is in another live file"
    if sum(one.amount for one in meant) != total or len(places) != _whole(evidence.get("count")):
        yield "payout_shape", "its total and count are not those of its payouts"
    if people != rules.signers(total):
        yield "signatures_missing", f"{people} people were to sign {total} cents; by the charter {rules.signers(total)}"
    message, day = str(evidence.get("message")), str(evidence.get("requested_on"))
    file = File(note.id, number, digest, total, len(places), people, places, record.seq, message, day,
                number_of(evidence.get("reserve")), _did(record), str(evidence["to"]) if "to" in evidence else None,
                {one.holder: story.details.get(one.holder) for one in meant})  # fmt: skip
    for one in meant:
        one.file = one.file or note.id
    state.files[note.id] = file


def signed(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A treasurer's signature of a file."""
    evidence, file = note.evidence, _file(story, note)
    raw, signature = bytes_of(evidence.get("key")), bytes_of(evidence.get("signature"))
    key = story.keys.get(raw)
    if file is None:
        yield "payout_unknown", "it signs a file of payouts that there is none of"
        return
    if note.id != signing_id(file.id, raw):
        yield "id_not_derived", "its id does not follow from file and key"
    if key is None or key.role not in TREASURER:
        yield "role_insufficient", f"signed by key {raw.hex()[:16]}, which is no treasurer's"
        return
    if not is_live(story, key, record):
        yield "key_revoked", f"signed by key {raw.hex()[:16]}, which had been revoked"
    if file.withdrawn or file.fetched:
        yield "payout_ordered", f"file {file.number} was signed after it was fetched or withdrawn"
    try:
        proofs.verify_payouts(
            story.rules.network, raw, file.id, file.sha256, file.total, file.transfers, signature
        )  # fmt: skip
    except MessageError:
        yield "signature_invalid", "the signature is not the key's over this file"
        return
    file.signers[raw] = key.person


def fetched(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A file left for the bank: after enough different people signed it."""
    yield from acted(story, record, note.evidence, parties.OFFICE)
    file, state = _file(story, note), story.payouts
    if file is None:
        yield "payout_unknown", "a file of payouts was fetched that there is none of"
        return
    if not file.fetched and note.id != fetching_id(file.id):
        yield "id_not_derived", "its id does not follow from the file"
    if file.withdrawn:
        yield "payout_ordered", f"file {file.number} was fetched after it was withdrawn"
    live = [raw for raw in file.signers if is_live(story, story.keys[raw], record)]
    needed = _need(story, record, file, live)
    people = _people(story, record, file, live, needed.people)
    if people < needed.people:
        why = f": one person let {needed.before} cents leave alone before it" if needed.before else ""
        text = f"file {file.number} was fetched, signed by {people} of {needed.people} people{why}"
        yield "signatures_missing", text
    if not file.fetched:
        alone = story.is_alone(file.seq) and _people(story, record, file, live, 2) < 2
        if alone:
            left = Left(story.moment(record.seq, record.at), file.total, frozenset(live))
            state.left.append((record.at, left))
        state.leave(file, 2 if file.people > 1 or (story.is_alone(file.seq) and not alone) else 1)
    file.fetched = file.fetched or _did(record)


def withdrawn(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A file was given up. Once it was fetched, that is for a treasurer to say."""
    file = _file(story, note)
    if file is None:
        yield "payout_unknown", "a file of payouts was withdrawn that there is none of"
        return
    yield from acted(story, record, note.evidence, TREASURER if file.fetched else parties.OFFICE)
    if note.id != withdrawal_id(file.id):
        yield "id_not_derived", "its id does not follow from the file"
    file.withdrawn = file.withdrawn or _did(record)
    for one in story.payouts.owed.values():
        if one.file == file.id and one.paid_by is None:
            one.file = None


def _need(story: Story, record: Record, file: File, live: list[bytes]) -> Need:
    """How many people sign a file that leaves with this entry: as many as were said, and two where one did too much."""
    if file.people > 1 or file.fetched or not story.is_alone(file.seq):
        return Need(file.people)
    left = _left(story, record)
    keys = behind(story.held, _of(left, *live))
    return need(file.total, story.rules.second_signature_above, live, left, People(keys, record.seq))


def _left(story: Story, record: Record) -> list[Left]:
    """What left alone within the days before an entry: files, and lines that no file let leave."""
    days = (story.rules.alone_days or 0) * DAY
    first, logged = story.moment(record.seq, record.at) - days, record.at - days
    # Behind a wrong clock programs of before went by what the log says: who let too much leave then is not found.
    of_before = story.clock_formed is None
    both = [*story.payouts.left, *story.payouts.beside.values()]
    return [one for at, one in both if one.at >= first and (at >= logged or not of_before)]


def _of(left: list[Left], *more: bytes | None) -> set[bytes]:
    return {key for one in left for key in one.keys} | {key for key in more if key}


def _people(story: Story, record: Record, file: File, live: list[bytes], most: int) -> int:
    """How many different people's these keys are, of `most`, by the rule that was in force then."""
    if story.machine_since is None or record.seq < story.machine_since:
        # Whose a key is was whatever its invitation said.
        return len({file.signers[raw] for raw in live} - {None}) if most > 1 else min(len(live), 1)
    people = People(behind(story.held, live), file.seq, older=not story.is_alone(file.seq))
    return people.count(live, most)


def _did(record: Record) -> Did:
    return Did(record.at, str(record.instruction.evidence.get("by")))


def _file(story: Story, note: Note) -> File | None:
    return story.payouts.files.get(bytes_of(note.evidence.get("batch")))


def _whole(value: object) -> int:
    return value if type(value) is int else 0
