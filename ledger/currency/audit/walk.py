"""The currency's own audit: what the engine cannot know is right, read from the log, once, from the beginning.

The engine's check (`ledger.core.check`) proves that the book says what its log says. This one proves that what the
log says was allowed: each payment, refund and request to change back carries an order that its payer signed, with a
key that acted for that account at that place in the log; each conversion names its slip or bank line and has the id
that follows from it; fees are the charter's; units, imported ones too, are not more than the euros behind them; nothing
else moved a member's units; and the tables that say whose key is good say what the log says. It writes nothing, and a
finding names the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import NamedTuple

from ledger.core import record as records
from ledger.core.model import Closing, Head, Note, Opening, Transaction
from ledger.core.record import RecordError
from ledger.currency import chartered
from ledger.currency.audit import bank_tables, debit_tables, kinds, lines, payout_tables, registry
from ledger.currency.audit import story as audit_story
from ledger.currency.audit import tables as audit_tables
from ledger.currency.audit.cover import NOTICES, Cover
from ledger.currency.audit.story import Notice, Problem, Story
from ledger.currency.keys import verify
from ledger.currency.messages import ORDER_DOMAIN, SignedOrder
from ledger.currency.town import Town

PAGE = 1_000
MOST_FINDINGS = 100
WORKERS = 4
"""Threads that verify signatures, which is most of the work and needs no interpreter lock."""


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

    @property
    def clean(self) -> bool:
        """Whether everything is as it must be."""
        return not self.total


def audit(town: Town, *, progress: Callable[[int, int], None] | None = None) -> Audit:
    """Audit the whole log of `town`. `progress` is called with the entries done and all entries."""
    head = town.book.head()
    # Read after the head: what is younger than it is left out below.
    tables = audit_tables.rows_of(town)
    run = _Run(town)
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="audit") as pool:
        after = 0
        while after < head.seq:
            with town.book.store.reading() as store:
                rows = store.log(after, min(PAGE, head.seq - after))
            if not rows:
                break
            signatures = [
                signature for row in rows for signature in run.entry(row.seq, row.id, row.record, pool.submit)
            ]
            run.signatures(signatures)
            after = rows[-1].seq
            if progress is not None:
                progress(after, head.seq)
    run.end(town, tables, head)
    found = sorted(run.findings, key=lambda finding: (finding.seq == 0, finding.seq))
    return Audit(found, run.total, after, run.orders, head.seq, head.root, run.story.notices)


class _Signature(NamedTuple):
    seq: int
    id: bytes
    right: Future[bool]


class _Run:
    def __init__(self, town: Town) -> None:
        self.story = Story(town.chart, chartered.rules_of(town.charter, town.key.public))
        self.cover = Cover(self.story)
        debit_tables.lend(town, self.story)
        self.findings: list[Finding] = []
        self.total = 0
        self.orders = 0

    def find(self, code: str, seq: int, id_: bytes | None, text: str) -> None:
        self.total += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(code, seq, id_, text))

    def entry(self, seq: int, id_: bytes, data: bytes, submit: Callable[..., Future[bool]]) -> Iterator[_Signature]:
        """Judge one log entry; gives the signatures that somebody has begun to verify."""
        try:
            record = records.parse(data)
        except RecordError as error:
            self.find("record_unreadable", seq, id_, str(error))
            return
        instruction, story = record.instruction, self.story
        problems: Iterator[Problem | SignedOrder]
        if isinstance(instruction, Transaction):
            if instruction.kind in kinds.PURPOSES:
                problems = kinds.order(story, record, instruction)
            else:
                problems = registry.KINDS.get(instruction.kind, kinds.other)(story, record, instruction)
                problems = chain(lines.entered(story.lines, story.chart, record, instruction), problems)
        elif isinstance(instruction, Opening):
            problems = audit_story.opening(story, record, instruction)
        elif isinstance(instruction, Closing):
            problems = audit_story.closing(story, record, instruction)
        else:
            assert isinstance(instruction, Note)
            judge = registry.NOTES.get(instruction.kind)
            problems = judge(story, record, instruction) if judge else iter(())
            problems = chain(lines.entered(story.lines, story.chart, record, instruction), problems)
        for problem in problems:
            if isinstance(problem, SignedOrder):
                self.orders += 1
                message = ORDER_DOMAIN + problem.order.body()
                yield _Signature(seq, id_, submit(verify, problem.key, problem.signature, message))
            else:
                self.find(problem[0], seq, id_, problem[1])
        if isinstance(instruction, Transaction):
            for code, text in self.cover.move(record, instruction):
                self.find(code, seq, id_, text)

    def signatures(self, begun: list[_Signature]) -> None:
        for signature in begun:
            if not signature.right.result():
                self.find(
                    "signature_invalid", signature.seq, signature.id,
                    "the signature is not the payer's over this order: somebody else made or changed it",
                )  # fmt: skip

    def end(self, town: Town, tables: audit_tables.Rows, head: Head) -> None:
        """What is wrong at the end of the log, and where charter and tables say something else than it."""
        for code, seq, id_, text in self.cover.end():
            if code in NOTICES:
                self.story.notices.append(Notice(seq, id_, text))
            else:
                self.find(code, seq, id_, text)
        noted = self.story.rules
        # A charter of before is none that was changed because this program says more in its note.
        rules = chartered.rules_of(town.charter, town.key.public, noted.version)._replace(looked=noted.looked)
        if noted != rules or not self.story.noted:
            self.find(
                "charter_differs", 0, None,
                "the charter in use is not the last one noted in the log; if it was just changed, `patard reserve` "
                "notes it, else put back the charter of the log",
            )  # fmt: skip
        for code, text in audit_tables.against(town, tables, self.story, head.at):
            self.find(code, 0, None, text)
        for code, text in payout_tables.against(town, self.story, head.seq):
            self.find(code, 0, None, text)
        maturing = -self.cover.held[town.chart.maturing]
        for code, text in debit_tables.against(town, self.story, head.seq, maturing):
            self.find(code, 0, None, text)
        for finding in bank_tables.against(town, self.story, head):
            self.find(*finding)
