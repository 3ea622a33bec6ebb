"""The currency's own audit: what the engine cannot know is right, read from the log, once, from the beginning.

The engine's check (`ledger.core.check`) proves that the book says what its log says. This one proves that what the
log says was allowed: each payment, refund and request to change back carries an order that its payer signed, with a
key that acted for that account at that place in the log; each conversion names its slip or bank line and has the id
that follows from it; fees are the charter's; units were never more than the euros behind them; nothing else moved a
member's units. It writes nothing, and a finding names the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from sqlalchemy import select

from ledger.core import record as records
from ledger.core.model import Closing, Note, Opening, Transaction
from ledger.core.record import Record, RecordError
from ledger.currency import audit_kinds as kinds
from ledger.currency import chartered
from ledger.currency.audit_kinds import Story
from ledger.currency.keys import verify
from ledger.currency.messages import ORDER_DOMAIN, SignedOrder
from ledger.currency.tables import DEVICE_KEY, HOLDING, PARTY
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
    """What an audit came to. `findings` holds the first hundred, in the order of the log; `total` counts all."""

    findings: list[Finding]
    total: int
    entries: int
    orders: int
    seq: int
    root: bytes

    @property
    def clean(self) -> bool:
        """Whether everything is as it must be."""
        return not self.total


def audit(town: Town, *, progress: Callable[[int, int], None] | None = None) -> Audit:
    """Audit the whole log of `town`. `progress` is called with the entries done and all entries."""
    head = town.book.head()
    # Read after the head: what is younger than it is left out below.
    tables = list(_tables(town))
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
    run.end(tables, head.at)
    found = sorted(run.findings, key=lambda finding: (finding.seq == 0, finding.seq))
    return Audit(found, run.total, after, run.orders, head.seq, head.root)


class _Signature(NamedTuple):
    seq: int
    id: bytes
    right: Future[bool]


class _Run:
    def __init__(self, town: Town) -> None:
        self.story = Story(town.chart, chartered.rules_of(town.charter, town.key.public))
        self.balances = _Balances(self.story)
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
        problems: Iterator[kinds.Problem | SignedOrder]
        if isinstance(instruction, Transaction):
            if instruction.kind in kinds.PURPOSES:
                problems = kinds.order(story, record, instruction)
            else:
                problems = kinds.KINDS.get(instruction.kind, kinds.other)(story, record, instruction)
        elif isinstance(instruction, Opening):
            problems = kinds.opening(story, record, instruction)
        elif isinstance(instruction, Closing):
            problems = kinds.closing(story, record, instruction)
        else:
            assert isinstance(instruction, Note)
            problems = kinds.note(story, record, instruction)
        for problem in problems:
            if isinstance(problem, SignedOrder):
                self.orders += 1
                message = ORDER_DOMAIN + problem.order.body()
                yield _Signature(seq, id_, submit(verify, problem.key, problem.signature, message))
            else:
                self.find(problem[0], seq, id_, problem[1])
        if isinstance(instruction, Transaction):
            for code, text in self.balances.move(record, instruction):
                self.find(code, seq, id_, text)

    def signatures(self, begun: list[_Signature]) -> None:
        for signature in begun:
            if not signature.right.result():
                self.find(
                    "signature_invalid", signature.seq, signature.id,
                    "the signature is not the payer's over this order: somebody else made or changed it",
                )  # fmt: skip

    def end(self, tables: list[_Row], at: int) -> None:
        """What is wrong at the end of the log, and where the tables say something else than it."""
        if self.balances.short_since is not None:
            seq, id_, text = self.balances.short_since
            self.find("reserve_short", seq, id_, text)
        for row in tables:
            for code, text in row.against(self.story, at):
                self.find(code, 0, None, text)


class _Balances:
    """Balances of the currency's own accounts on the way through the log, and what must hold between them."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.held = dict.fromkeys(story.own, 0)
        """Debits less credits, cents."""
        self.short_since: tuple[int, bytes, str] | None = None

    def move(self, record: Record, transaction: Transaction) -> Iterator[kinds.Problem]:
        held, touched = self.held, False
        for t in transaction.transfers:
            if t.debit in held:
                held[t.debit] += t.amount
                touched = True
            if t.credit in held:
                held[t.credit] -= t.amount
                touched = True
        if not touched:
            return
        chart = self.story.chart
        circulation, guarantee = held[chart.circulation], -held[chart.guarantee]
        if circulation > guarantee:
            yield "not_covered", f"{circulation} units were in circulation and {guarantee} in the guarantee"
        euros = sum(held[number] for number in chart.reserve.values()) + held[chart.payouts]
        if guarantee <= euros:
            self.short_since = None
        elif self.short_since is None:
            text = f"since then the guarantee of {guarantee} is more than the {euros} that the reserve accounts hold"
            self.short_since = (record.seq, transaction.id, f"{text}, less what is owed to shops (cents)")


class _Row(NamedTuple):
    """A row of the tables of keys or holdings, to be held against the log."""

    key: bytes | None
    account: int
    role: str
    kind: str
    party: bytes
    since: int
    until: int | None

    def against(self, story: Story, at: int) -> Iterator[kinds.Problem]:
        """What this row says that the log, up to the moment `at`, does not."""
        if self.since > at:
            return
        if self.key is None:
            if story.parties.get(self.account) != self.party or story.holders.get(self.account) != self.kind:
                yield "party_unlogged", f"account {self.account:016x} is a {self.kind}'s in the tables, not in the log"
            return
        name, known = self.key.hex()[:16], story.keys.get(self.key)
        if known is None:
            yield "key_unlogged", f"key {name} stands in the tables and was never noted in the log"
        elif (known.account, known.role) != (self.account, self.role):
            yield "key_unlogged", f"key {name} stands in the tables with another account or role than in the log"
        elif self.until is None and (known.revoked_at is not None or known.account in story.closed):
            yield "key_unlogged", f"key {name} was revoked in the log and stands in the tables as good"
        elif known.revoked_at is None and known.account not in story.closed and (self.until or at + 1) <= at:
            yield "key_unlogged", f"key {name} stands in the tables as revoked, and the log does not say so"


def _tables(town: Town) -> Iterator[_Row]:
    keys = DEVICE_KEY.c
    holders = (
        select(HOLDING.c.account, HOLDING.c.party, PARTY.c.kind, PARTY.c.admitted_at)
        .join(PARTY, PARTY.c.id == HOLDING.c.party)
        .order_by(HOLDING.c.account)
    )
    devices = (
        select(keys.key, HOLDING.c.account, keys.role, keys.party, keys.added_at, keys.revoked_at)
        .join(HOLDING, HOLDING.c.party == keys.party)
        .order_by(keys.key)
    )
    with town.reading() as connection:
        for row in connection.execute(holders):
            yield _Row(None, row.account, "", row.kind, row.party, row.admitted_at, None)
        for key in connection.execute(devices):
            yield _Row(key.key, key.account, key.role, "", key.party, key.added_at, key.revoked_at)
