"""What must hold between the currency's own accounts, all along the log: no unit without a euro, no euro unaccounted.

The same three things that the reserve report adds up, here from the log alone, each with the entry since which it
does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ledger.core.model import Note, Transaction
from ledger.core.record import Record
from ledger.currency.audit.story import Notice, Problem, Story
from ledger.currency.bank import claims
from ledger.currency.imported import IMPORT, OPENING
from ledger.currency.reserve.unplaced import changed
from ledger.currency.uncovered import HELD

MOVED_ON = "{amount} of account {account} was moved by an import at the machine: its holder signed nothing"
IMPORTED_UNCOVERED = "imported_uncovered"
"""Not a fault of the book: a currency that moved in, whose euros are not booked yet. The reserve report says it too."""

CLAIMED = "claims_owed"
"""Nor this: euros that went back to members' banks after the units were spent, or that somebody placed as their debts.
Whoever owes them is told in the log."""

NOTICES = {
    IMPORTED_UNCOVERED: "since then issuers have units of {imported} cents out beside {circulation} cents in "
    "circulation, and the guarantee is {guarantee} cents",
    CLAIMED: "since then the reserve lacks {short} cents of the guarantee of {guarantee} cents: members owe {due} "
    "cents, for euros that went back to their banks after the units had been spent, or that were paid to them and not "
    "owed",
}
"""What does not hold at the end of the log, and is no finding for it; the command has each in French."""

Since = tuple[str, int, bytes, str, Mapping[str, int]]
"""A code, the entry (sequence number and id) since which something does not hold, and a sentence; of a notice what
stands in it."""


class Cover:
    """Balances of the currency's own accounts and of issuers, on the way through the log."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.held = dict.fromkeys(story.own, 0)
        """Debits less credits, cents."""
        self.issued: dict[int, int] = {}
        """The same of issuers' accounts: what each has out, where it is more than nothing."""
        self._came = 0
        """What came and waits in suspense."""
        self._since: dict[str, Since] = {}
        self.imported = 0
        """What issuers have out, cents."""
        self.knows_held = True
        """Whether the log says which entries one import brought at once, in a currency at work: older ones do not."""
        self._announced = 0

    def counts(self, number: int) -> bool:
        """Whether what this account holds says anything of the cover; what moves between others does not."""
        return number in self.held or number in self.story.issuers

    def move(self, record: Record, transaction: Transaction) -> Iterator[Problem]:
        """Take an entry in, and say what it must not have done."""
        held, issued, touched = self.held, self.issued, False
        if transaction.kind == IMPORT and transaction.evidence.get(HELD) == 1:
            self._held_back(record, transaction)
        elif self.imported and transaction.kind != IMPORT:
            for t in transaction.transfers:
                if t.debit in self.story.uncovered and t.unit == self.story.chart.unit:
                    text = f"{self.story.name(t.debit)} paid before its imported units had euros behind them"
                    yield "account_uncovered", text
        chart = self.story.chart
        if transaction.kind not in (IMPORT, OPENING):
            for t in transaction.transfers:
                if t.unit == chart.unit:
                    self.story.moved.update((t.debit, t.credit))
                    self.story.began |= chart.circulation in (t.debit, t.credit)
        owed = held[chart.claims]
        for t in transaction.transfers:
            for number, change in ((t.debit, t.amount), (t.credit, -t.amount)):
                if number in held:
                    held[number] += change
                    touched = True
                elif number in self.story.issuers:
                    issued[number] = issued.get(number, 0) + change
                    touched = True
        if not touched:
            return
        self._came = max(self._came + changed(transaction, chart.suspense), -held[chart.suspense], 0)
        if held[chart.claims] != owed or "owed" in transaction.evidence:
            yield from self._owe(record, transaction, held[chart.claims] - owed)
        circulation, guarantee = held[chart.circulation], -held[chart.guarantee]
        if circulation > guarantee:
            yield "not_covered", f"{circulation} units were in circulation and {guarantee} in the guarantee"
        self._add_up(record)

    def note(self, record: Record, note: Note) -> None:
        """Take a note in: two lines may have become a pair, or wait once more."""
        if came := changed(note, self.story.chart.suspense):
            self._came += came
            self._add_up(record)

    def _add_up(self, record: Record) -> None:
        """Hold the currency's accounts against each other, as they are after this entry."""
        held, chart = self.held, self.story.chart
        circulation, guarantee = held[chart.circulation], -held[chart.guarantee]
        imported = self.imported = sum(max(0, cents) for cents in self.issued.values())
        self._hold(
            IMPORTED_UNCOVERED, not imported or circulation + imported <= guarantee, record,
            imported=imported, circulation=circulation, guarantee=guarantee,
        )  # fmt: skip
        # Euros on their way between two reserve accounts are on neither, or already on both.
        reserve = sum(held[number] for number in chart.reserve.values()) + held[chart.transit]
        payouts, due = -held[chart.payouts], held[chart.claims]
        # What came and is not placed is somebody's: it makes up for nothing that was spent, once units are out.
        there = reserve - payouts - (self._came if guarantee or payouts else 0)
        short, went = guarantee - there, self._came + held[chart.suspense]
        both = f" ({self._came}; {went} went out and are not placed either)" if went else ""
        self._hold(
            "reserve_short", short <= max(0, due), record,
            f"the guarantee of {guarantee} is more than the {there} that the reserve accounts hold, less what is owed "
            f"to shops and what came and is not placed{both}, and than the claims of {due} explain (cents)",
        )  # fmt: skip
        self._hold(CLAIMED, not 0 < short <= due, record, short=short, guarantee=guarantee, due=due)
        owed = guarantee + payouts - held[chart.suspense] - held[chart.income]
        there = reserve + held[chart.operations] + due
        self._hold(
            "euros_unexplained", owed == there, record,
            f"guarantee, payouts due, suspense and fees are {owed}; reserve accounts, operations, claims and what is "
            f"between two accounts {there} (cents)",
        )  # fmt: skip

    def _held_back(self, record: Record, transaction: Transaction) -> None:
        """Units of an import into a currency at work: as the desk notes them, which forgets those that were covered."""
        story = self.story
        self.knows_held &= story.is_import
        if story.announced != self._announced or not story.is_import:
            self._announced = story.announced
            if not self.imported:
                story.uncovered.clear()
        for t in transaction.transfers:
            if t.debit in story.holders and t.debit not in story.uncovered:
                values: dict[str, str | int] = {"amount": t.amount, "account": t.debit}
                story.notices.append(Notice(record.seq, transaction.id, MOVED_ON, values))
            story.uncovered.add(t.credit)

    def _owe(self, record: Record, transaction: Transaction, change: int) -> Iterator[Problem]:
        """Debts of members change: each of them is somebody's, and nobody pays more than they owe."""
        evidence = transaction.evidence
        try:
            changes = claims.changes(evidence) if "owed" in evidence else {claims.owing(evidence): change}
        except ValueError as error:
            changes = {0: change}
            yield "claim_nobodys", str(error)
        if sum(changes.values()) != change:
            yield "claim_nobodys", f"debts change by {change}, and by {sum(changes.values())} for the members named"
        for holder, cents in changes.items():
            if holder not in self.story.holders:
                yield "claim_nobodys", f"{cents} are owed by account {holder:016x}, which is no member's"
            self.story.lines.claims[holder] += cents
            if self.story.lines.claims[holder] < 0:
                yield "claim_exceeded", f"account {holder:016x} paid {-cents} and did not owe as much"

    def _hold(self, code: str, holds: bool, record: Record, text: str = "", **values: int) -> None:
        if holds:
            self._since.pop(code, None)
        elif code not in self._since or code in NOTICES:
            # What may be so for long is told as it is in the end.
            before = self._since.get(code)
            seq, id_ = (before[1], before[2]) if before else (record.seq, record.instruction.id)
            self._since[code] = (code, seq, id_, f"since then {text}", values)

    def end(self) -> list[Since]:
        """What does not hold at the end of the log."""
        return list(self._since.values())
