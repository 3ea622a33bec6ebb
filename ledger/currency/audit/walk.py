"""The currency's own audit: what the engine cannot know is right, read from the log, once, from the beginning.

The engine's check (`ledger.core.check`) proves that the book says what its log says. This one proves that what the
log says was allowed: each payment, refund and request to change back carries an order that its payer signed, with a
key that acted for that account at that place in the log; each conversion names its slip or bank line and has the id
that follows from it; fees are the charter's; units, imported ones too, are not more than the euros behind them; nothing
else moved a member's units; and the tables that say whose key is good say what the log says. It writes nothing, and a
finding names the transaction.

Log and tables are read as they stood at one moment, so that nothing is found that merely happened meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TypeVar

from sqlalchemy import select

from ledger.core import record as records
from ledger.core.model import Closing, Note, Opening, Transaction
from ledger.core.record import RecordError
from ledger.core.steps import Progress, Steps, taken
from ledger.currency import chartered, heads_file, proofs
from ledger.currency.audit import (
    bank_tables,
    debit_tables,
    kinds,
    lines,
    payout_tables,
    registry,
    sealed,
    shapes,
    texts,
    typed,
    vouching,
)
from ledger.currency.audit import heads as signed_heads
from ledger.currency.audit import tables as audit_tables
from ledger.currency.audit.cover import NOTICES, Cover
from ledger.currency.audit.plain import NOT_THE_PAYERS, Plain
from ledger.currency.audit.signatures import Signatures, Signed, Wrong
from ledger.currency.audit.story import Notice, Said, Story
from ledger.currency.messages import ORDER_DOMAIN, SignedOrder
from ledger.currency.snapshot import snapshot
from ledger.currency.tables import ACT
from ledger.currency.town import Town

_T = TypeVar("_T")
PAGE = 1_000
MOST_FINDINGS = 100


class Finding(NamedTuple):
    """Something that is not as it must be. `seq` and `id` name the entry (0 and None: no entry is at fault)."""

    code: str
    seq: int
    id: bytes | None
    text: str


class Audit(NamedTuple):
    """What an audit came to. `findings` holds the first hundred, in the order of the log; `total` counts all.

    `notices` are no findings: what the office did within its rights, and others may want to know of.
    """

    findings: list[Finding]
    total: int
    entries: int
    orders: int
    seq: int
    root: bytes
    notices: list[Notice]
    sealed: bool = True
    """Whether the seals of sessions and invitations were looked at, which takes the currency's own key."""

    @property
    def clean(self) -> bool:
        """Whether everything is as it must be."""
        return not self.total


def audit(
    town: Town, *, progress: Progress | None = None, workers: int | None = None, heads: Path | None = None,
    roots: Mapping[int, bytes] | None = None,
) -> Audit:  # fmt: skip
    """Audit the whole log of `town`. `progress` is called with the entries done and all entries.

    Signatures are verified by up to `workers` other processes (None: as many as make sense here, 0: none); what is
    found, and in which order, does not depend on them. `heads` is the file of signed heads beside the book, `roots`
    what somebody noted elsewhere: size of the log -> root.
    """
    written = heads_file.read(heads) if heads is not None else None
    return taken(steps(town, workers=workers, written=written, roots=roots), progress)


def steps(
    town: Town, *, workers: int | None = None, written: signed_heads.Written | None = None,
    roots: Mapping[int, bytes] | None = None,
) -> Steps[Audit]:  # fmt: skip
    """As `audit`, one step after the other; signatures are verified between the steps as well.

    `written` was read from the file of heads before this moment: what is in the file was in the log before.
    """
    with snapshot(town) as moment, Signatures(workers) as signatures:
        head = moment.book.head()
        run = _Run(moment, signatures)
        after = 0
        while after < head.seq:
            with moment.book.store.reading() as store:
                rows = store.log(after, min(PAGE, head.seq - after))
            if not rows:
                break
            for row in rows:
                run.entry(row.seq, row.id, row.record)
                run.story.before = row.seq, row.at
            after = rows[-1].seq
            run.keep(signatures.wrong())
            yield after, head.seq
        signatures.finish()
        run.keep(signatures.wrong())
        run.settle()
        run.end(moment)
        for code, text in signed_heads.against(moment, written, roots):
            run.find(code, 0, None, text)
        return Audit(in_order(run.findings), run.total, after, run.orders, head.seq, head.root, run.story.notices,
                     sealed.can_tell(town))  # fmt: skip


def in_order(findings: list[Finding]) -> list[Finding]:
    """In the order of the log; what no entry is at fault for comes last."""
    return sorted(findings, key=lambda finding: (finding.seq == 0, finding.seq))


class _Run:
    def __init__(self, town: Town, signatures: Signatures) -> None:
        self.story = Story(town.chart, chartered.rules_of(town))
        with town.reading() as connection:
            texts = connection.execute(select(ACT.c.hash, ACT.c.text, ACT.c.salt).where(ACT.c.text.is_not(None)))
            self.story.texts = {h: text for h, text, salt in texts if proofs.act_hash(salt, text) == h}
        self.cover = Cover(self.story)
        self.plain = Plain(self.story, self.cover)
        debit_tables.lend(town, self.story)
        typed.lend(town, self.story.typed, self.story.moment)
        self.findings: list[Finding] = []
        self.wrong: list[Wrong] = []
        self.at_fault: set[bytes] = set()
        """The entries at which something was found."""
        self.total = 0
        self.orders = 0
        self.signatures = signatures

    def find(self, code: str, seq: int, id_: bytes | None, text: str) -> None:
        self.total += 1
        if id_ is not None:
            self.at_fault.add(id_)
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(code, seq, id_, text))

    def readable(self, tables: str, found: Iterator[_T]) -> Iterator[_T]:
        """What is found in tables, as far as their rows can be read: one that cannot hides nothing else."""
        try:
            yield from found
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            text = f"in the tables of {tables} a row cannot be read, and what comes after it was not looked at: {error}"
            self.find("row_unreadable", 0, None, text[:300])

    def keep(self, wrong: list[Wrong]) -> None:
        """Signatures that turned out to be wrong; the first of them are kept, whoever was quicker to say so."""
        self.total += len(wrong)
        if wrong:
            self.wrong = sorted(self.wrong + wrong)[:MOST_FINDINGS]
            self.at_fault.update(one.id for one in wrong)

    def settle(self) -> None:
        """Every signature is verified: what is wrong with them takes its place among the findings."""
        self.findings += [Finding(one.code, one.seq, one.id, one.text) for one in self.wrong]
        self.findings = in_order(self.findings)[:MOST_FINDINGS]

    def entry(self, seq: int, id_: bytes, data: bytes) -> None:
        """Judge one log entry; its signatures are handed over to be verified."""
        if (payment := self.plain.signed(data)) is not None:
            self.orders += 1
            self.signatures.add(seq, id_, payment)
            return
        try:
            record = records.parse(data)
        except RecordError as error:
            self.find("record_unreadable", seq, id_, str(error))
            return
        instruction, story = record.instruction, self.story
        problems: Iterator[Said | SignedOrder]
        if isinstance(instruction, Transaction):
            if instruction.kind in kinds.PURPOSES:
                problems = kinds.order(story, record, instruction)
            else:
                problems = registry.KINDS.get(instruction.kind, kinds.other)(story, record, instruction)
                problems = chain(lines.entered(story.lines, story.chart, record, instruction), problems)
        elif isinstance(instruction, Opening):
            problems = vouching.opening(story, record, instruction)
        elif isinstance(instruction, Closing):
            problems = vouching.closing(story, record, instruction)
        else:
            assert isinstance(instruction, Note)
            judge = registry.NOTES.get(instruction.kind)
            problems = (judge or registry.unknown)(story, record, instruction)
            problems = chain(lines.entered(story.lines, story.chart, record, instruction), problems)
        for problem in chain(vouching.imports(story, instruction), shapes.shape(instruction), problems):
            if isinstance(problem, Signed):
                self.signatures.add(seq, id_, problem)
            elif isinstance(problem, SignedOrder):
                self.orders += 1
                message = ORDER_DOMAIN + problem.order.body()
                signed = Signed(problem.key, problem.signature, message, "signature_invalid", NOT_THE_PAYERS)
                self.signatures.add(seq, id_, signed)
            else:
                self.find(problem[0], seq, id_, problem[1])
        if isinstance(instruction, Transaction):
            for code, text in self.cover.move(record, instruction):
                self.find(code, seq, id_, text)
            story.typed.box(self.cover.held)
        elif isinstance(instruction, Note):
            self.cover.note(record, instruction)

    def end(self, town: Town) -> None:
        """What is wrong at the end of the log, and where charter and tables say something else than it."""
        for code, seq, id_, text, values in self.cover.end():
            if code in NOTICES:
                self.story.notices.append(Notice(seq, id_, NOTICES[code], values))
            else:
                self.find(code, seq, id_, text)
        for seq, id_, (code, text) in vouching.end(self.story):
            self.find(code, seq, id_ or None, text)
        noted = self.story.rules
        if noted != chartered.as_of_then(town, noted) or not self.story.noted:
            self.find(
                "charter_differs", 0, None,
                "the charter in use is not the last one noted in the log; if it was just changed, `patard reserve` "
                "notes it, else put back the charter of the log",
            )  # fmt: skip
        maturing = -self.cover.held[town.chart.maturing]
        tables = {
            "parties and keys": audit_tables.against(town, self.story),
            "accounts that wait": audit_tables.waiting(town, self.story) if self.cover.knows_held else iter(()),
            "texts": texts.against(town, self.story),
            "sessions and invitations": sealed.against(town),
            "payouts": payout_tables.against(town, self.story),
            "monthly top-ups": debit_tables.against(town, self.story, maturing),
        }
        for name, found in tables.items():
            for code, text in self.readable(name, found):
                self.find(code, 0, None, text)
        for code, seq, at, text in self.readable("statements and lines", bank_tables.against(town, self.story)):
            # What is wrong at an entry is told once: that no line of the bank explains it either follows.
            if code not in typed.FOLLOWS or at not in self.at_fault:
                self.find(code, seq, at, text)
