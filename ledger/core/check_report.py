"""What a check finds, and how it says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

CODES: dict[str, str] = {
    "database_damaged": "The database cannot read its own tables, or its own test of them fails.",
    "guard_missing": "The database would let what must never change be changed: a trigger or unique index is gone.",
    "guard_foreign": "The database would do more than it is told, or shows what nobody wrote: a trigger, view, rule or "
    "policy that is none of ours.",
    "seq_gap": "Entries of the log are missing, or one stands there twice.",
    "record_malformed": "The bytes of a record are not the canonical record of anything.",
    "log_differs": "A column of a log entry (seq, id, at, corrects) is not what its record says.",
    "leaf_differs": "The leaf hash of a log entry is not the hash of its record.",
    "at_not_growing": "An entry was taken no later than the one before it.",
    "id_repeated": "Two log entries have one id.",
    "transfer_missing": "A record's transfer is not among the transfers.",
    "transfer_unexpected": "A transfer that no record tells of.",
    "transfer_differs": "Debited or credited account or amount of a transfer is not what its record says.",
    "balance_differs": "A balance after a transfer is not what the transfers so far add up to.",
    "chain_differs": "A transfer's pointers back through its account are wrong: statements would leave entries out.",
    "account_missing": "The log opened an account that is not among the accounts.",
    "account_unexpected": "An account that the log never opened.",
    "account_differs": "A column of an account is not what the log adds up to.",
    "unit_unbalanced": "The accounts of a unit do not sum to zero.",
    "head_missing": "The end of the log is not written down.",
    "head_differs": "The end of the log (seq, at, frontier, root) is not what the records come to.",
    "root_differs": "The log had another root at some size than somebody signed or noted, or was longer then.",
}
"""Every code of a finding, in the order in which a reader should look. A record that the rules would have refused
is found under the refusal's own code besides (`refusals`, stage state)."""

MOST_FINDINGS = 100
"""Findings of one code that are listed; the rest are counted."""


class Finding(NamedTuple):
    """One thing that is wrong. `seq` and `id` name the transaction it is about, None where there is none."""

    code: str
    seq: int | None
    id: bytes | None
    detail: str

    def __str__(self) -> str:
        if self.seq is None:
            return f"{self.code}: {self.detail}"
        named = f"transaction {self.id.hex()} " if self.id is not None else ""
        return f"{self.code}: {named}(entry {self.seq}): {self.detail}"


class UnitTotals(NamedTuple):
    """The accounts of one unit as they are stored: how many, and the cents ever debited and credited."""

    accounts: int
    debits: int
    credits: int


@dataclass(frozen=True)
class Report:
    """What a check saw. `root` is computed from the records: compare it with one that was published before.

    The book goes up to entry `seq`, taken at `at` (us since the epoch; both 0 for an empty one). `findings` lists at
    most `MOST_FINDINGS` of each code; `counts` holds how many there were.
    """

    entries: int
    transfers: int
    accounts: int
    units: dict[str, UnitTotals]
    seq: int
    at: int
    root: bytes
    findings: list[Finding]
    counts: dict[str, int]

    @property
    def ok(self) -> bool:
        """Whether nothing at all was found."""
        return not self.counts


@dataclass
class Findings:
    """Collects findings. `seq` and `id` are the entry that the check is at."""

    seq: int | None = None
    id: bytes | None = None
    found: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, code: str, detail: str) -> None:
        """Something about the entry that the check is at."""
        self.name(code, detail, self.seq, self.id)

    def name(self, code: str, detail: str, seq: int | None, id_: object) -> None:
        """Something about the entry `seq`."""
        count = self.counts[code] = self.counts.get(code, 0) + 1
        if count <= MOST_FINDINGS:
            self.found.append(Finding(code, seq, id_ if type(id_) is bytes else None, detail[:500]))

    def columns(self, code: str, names: Iterable[str], stored: Iterable[object], right: Iterable[object]) -> None:
        """As `add`, for the columns whose stored value is not the right one, if any."""
        wrong = differences(names, stored, right)
        if wrong:
            self.add(code, wrong)


def differences(names: Iterable[str], stored: Iterable[object], right: Iterable[object]) -> str:
    """Which columns differ, with both values; empty when none does."""
    return "; ".join(
        f"{name} is {shown(was)}, should be {shown(should)}"
        for name, was, should in zip(names, stored, right, strict=False)
        if was != should
    )


def shown(value: object) -> str:
    """A stored value, short enough to print."""
    return value.hex()[:64] if isinstance(value, bytes) else repr(value)[:64]
