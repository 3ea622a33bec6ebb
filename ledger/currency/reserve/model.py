"""What a reserve report says: values only. Amounts are cents; days are dates in the currency's time zone."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

THRESHOLD = 100_000_000
"""Cents of euros, in and out together within twelve months, from which the issuer must declare itself."""
FULL = 10_000
"""Basis points of the whole."""
MONTH = timedelta(days=45)
"""Within which an account in use has a new statement: one a month, and a fortnight until somebody imports it."""
BEHIND = timedelta(days=62)
"""After which an account is named whose last statement is older than those of others."""
QUARTER = timedelta(days=100)
"""Within which any account of a bank has a statement: savings accounts have one a quarter."""


class Why(StrEnum):
    """Why the ledger has something else on an account than its last statement."""

    NOT_BOOKED = "not_booked"
    """A line of a statement that the ledger does not have yet: it was taken, and could not be booked."""
    AFTER_STATEMENT = "after_statement"
    """An entry that counts for a day after the last statement: the next one should have it."""
    OVERDUE = "overdue"
    """Such an entry that no statement had in the time that the charter gives."""
    NOT_ON_STATEMENT = "not_on_statement"
    """An entry that counts for a day within the statements, none of which has it."""
    WITHDRAWN = "withdrawn"
    """An entry of a line that a corrected statement no longer has, not undone yet."""
    OTHER_AMOUNT = "other_amount"
    """An entry of a line that moved something else than the line did."""
    OPENING = "opening"
    """Entries from before the first statement that came to something else when that statement was taken."""


UNEXPLAINED = frozenset({Why.OVERDUE, Why.NOT_ON_STATEMENT, Why.OTHER_AMOUNT, Why.OPENING, Why.WITHDRAWN})
"""What nothing at the bank is behind, and will be: somebody has to look."""
_TAKEN_BACK = "conversion_corrected"
MOVED = "bank_transit"
"""Kind of the entry of a line that names an account of the reserve as the other side."""


class Explained(NamedTuple):
    """One line of an explanation: `amount` is what it makes the ledger's balance greater than the statement's.

    `what` is the kind of the log entry, or of the bank line where no entry is; `id` is the id of that entry or line,
    `seq` the entry's place in the log (None: it has none), `until` the last day on which a statement may still have it.
    """

    why: Why
    amount: int
    on: date
    what: str
    reference: str
    id: bytes
    seq: int | None
    until: date | None = None


class AccountState(NamedTuple):
    """A bank account or cash box of the reserve: what the ledger has on it, and its last statement.

    `statement` is the closing balance of its last statement, whose last day is `statement_on`; None where none was
    taken, or they were `withdrawn`. `explanation` sums to `difference`, always; where there is no statement, it is what
    was typed on the account since any were taken. `booking` is what lines come to that were taken a moment ago and are
    being booked, `undoing` are those that a corrected statement took away a moment ago. `by_word` is the first entry
    (place and id) of a bank account that never had a statement, and is in use for longer than a line is awaited.
    """

    name: str
    kind: str
    account: int
    liquid: bool
    ledger: int
    statement: int | None = None
    statement_on: date | None = None
    explanation: tuple[Explained, ...] = ()
    booking: int = 0
    undoing: frozenset[bytes] = frozenset()
    withdrawn: bool = False
    by_word: tuple[int, bytes] | None = None

    @property
    def proved(self) -> int:
        """What is there for sure: the bank's own figure where there is one, and never more than the ledger's."""
        if self.statement is None:
            return self.ledger - sum(one.amount for one in self.explanation)
        return min(self.ledger, self.statement - self.booking)

    @property
    def awaited(self) -> int:
        """What the ledger has more, and the next statement should bring, or a line that is being booked."""
        coming = sum(max(0, one.amount) for one in self.explanation if one.why is Why.AFTER_STATEMENT)
        coming += sum(max(0, one.amount) for one in self._held_against_lines()[0])
        if self.statement is None:
            return coming
        return min(self.ledger, self.statement - self.booking + coming) - self.proved

    @property
    def unexplained(self) -> tuple[Explained, ...]:
        """What no line of the bank explains, nor will.

        What a line of as much will be that is taken and not booked yet is not among them; nor is a conversion from
        before the first statement that was taken back since: then the bank has more than the ledger, and nobody less.
        """
        return tuple(self._held_against_lines()[1])

    def _held_against_lines(self) -> tuple[list[Explained], list[Explained]]:
        """What has no line that is booked: what one is that is taken, and what none is."""
        coming = Counter(-one.amount for one in self.explanation if one.why is Why.NOT_BOOKED)
        taken, found = [], []
        for one in self.explanation:
            if one.why not in UNEXPLAINED or (one.what == _TAKEN_BACK and one.amount < 0) or one.id in self.undoing:
                continue
            if coming[one.amount]:
                coming[one.amount] -= 1
                taken.append(one)
            else:
                found.append(one)
        return taken, found

    def outdated(self, on: date) -> bool:
        """Whether its last statement is of so long ago, or withdrawn, that by `on` nobody knows what the bank has.

        Or there never was one, and a line would be awaited no longer.
        """
        if self.by_word and self.ledger:
            return True
        if self.statement_on is None or not self.ledger:
            return self.withdrawn  # whatever the ledger has without them: it is not what the bank has
        return on > self.statement_on + (MONTH if self.liquid else QUARTER)

    @property
    def difference(self) -> int | None:
        """What the ledger has more than the last statement; None where there is no statement."""
        return None if self.statement is None else self.ledger - self.statement

    def reasons(self) -> dict[Why, int]:
        """The explanation summed up by its reasons, those that come to nothing left out."""
        sums = {why: sum(one.amount for one in self.explanation if one.why is why) for why in Why}
        return {why: amount for why, amount in sums.items() if amount}


class Month(NamedTuple):
    """A calendar month: units that conversions made and reconversions destroyed, and all that were out at its end.

    What was taken back or returned is less converted in the month in which that happened.
    """

    start: date
    conversions: int
    reconversions: int
    circulation: int


class Year(NamedTuple):
    """Euros in by conversion and out by reconversion (fees are part of it) in twelve months, both days in them."""

    first: date
    last: date
    inflow: int
    outflow: int

    @property
    def total(self) -> int:
        """Inflow plus outflow."""
        return self.inflow + self.outflow

    @property
    def share_bp(self) -> int:
        """The part of the threshold that was reached, in whole basis points: never more than it is."""
        return max(0, self.total) * FULL // THRESHOLD


class Identity(NamedTuple):
    """One thing that must add up: the two sides (cents) and whether they do. `relation` is "=" or "<="."""

    name: str
    left: int
    relation: str
    right: int
    holds: bool


class Reserve(NamedTuple):
    """Circulation against reserve. `seq`, `at` and `root` name the state of the log it was read at; `on` is today.

    `circulation` includes the units that wait to be changed back (`waiting`) and those of direct debits that may still
    be taken back (`maturing`). `imported` is what the issuers of an imported currency have out beside it (see
    `importer`): units that count against the guarantee like all others, and that the engine could not refuse, for they
    were out before. `unplaced` is what came and waits in suspense: somebody's euros, and no cover, whatever went out
    beside it; `suspense` is that less what went. `moving` is what left an account of the reserve for another and
    arrived on none, or the other way (below nothing). `months` begin
    with the first unit and end with the month of `on`.
    """

    circulation: int
    imported: int
    waiting: int
    maturing: int
    guarantee: int
    payouts_due: int
    suspense: int
    unplaced: int
    fees: int
    operations: int
    claims: int
    transit: int
    moving: tuple[Explained, ...]
    banks: list[AccountState]
    identities: list[Identity]
    months: list[Month]
    year: Year
    on: date
    seq: int
    at: int
    root: bytes

    @property
    def covered(self) -> bool:
        """Whether everything adds up that must, and the banks have it: nothing is unexplained, nothing lacks."""
        return self.backed and not self.outdated

    @property
    def backed(self) -> bool:
        """Whether they had it on the day of their last statements, however long ago that is."""
        return self.sound and (self.coverage_bp is None or self.coverage_bp >= FULL)

    @property
    def outdated(self) -> bool:
        """Whether a statement is of so long ago that it does not prove what is there today, or withdrawn, or lacks."""
        return any(bank.outdated(self.on) for bank in self.banks)

    @property
    def proved_on(self) -> date | None:
        """The day up to which all banks have proved what is there; None where no statement of theirs proves anything,
        or those of one were withdrawn, or one never had any.

        An account that holds nothing needs no proof.
        """
        if any(bank.withdrawn for bank in self.banks) or self.by_word:
            return None
        return min((bank.statement_on for bank in self.banks if bank.statement_on and bank.ledger), default=None)

    @property
    def proved_to(self) -> date | None:
        """The day of the latest of those statements, None where `proved_on` is."""
        days = [bank.statement_on for bank in self.banks if bank.statement_on and bank.ledger]
        return max(days) if self.proved_on else None

    @property
    def by_word(self) -> list[AccountState]:
        """The bank accounts that hold something of which no bank ever said a word."""
        return [bank for bank in self.banks if bank.by_word and bank.ledger]

    @property
    def behind(self) -> list[AccountState]:
        """The accounts that are proved up to a day long ago only, where others are proved for days since."""
        days = {bank.name: bank.statement_on for bank in self.banks if bank.statement_on and bank.ledger}
        newest = max(days.values(), default=self.on)
        late = {name for name, day in days.items() if day < newest and self.on > day + BEHIND}
        return [bank for bank in self.banks if bank.name in late]

    @property
    def sound(self) -> bool:
        """Whether what is not covered yet, if anything, is what the next statements should bring."""
        lost = any(one.why is Why.OVERDUE for one in self.moving) or any(one.unexplained for one in self.banks)
        return all(identity.holds for identity in self.identities) and not lost

    @property
    def awaited(self) -> int:
        """Euros that are on no statement yet: booked ahead of theirs, or said to be on their way between accounts."""
        coming = [one for one in self.moving if one.why is Why.AFTER_STATEMENT and one.what != MOVED]
        said = sum(max(0, one.amount) for one in coming)
        return sum(bank.awaited for bank in self.banks) + said

    @property
    def proved(self) -> int:
        """All euros on the reserve accounts, as far as their banks' statements go."""
        return sum(bank.proved for bank in self.banks)

    @property
    def owed(self) -> int:
        """What must be covered: the guarantee, and imported units beyond it."""
        return max(self.guarantee, self.circulation + self.imported)

    @property
    def reserve(self) -> int:
        """All euros on the reserve accounts."""
        return sum(bank.ledger for bank in self.banks)

    @property
    def placed(self) -> int:
        """Euros that are not there from one day to the next: those of accounts that are not liquid."""
        return sum(bank.ledger for bank in self.banks if not bank.liquid)

    @property
    def liquid(self) -> int:
        """Euros that are there from one day to the next."""
        return self.reserve - self.placed

    @property
    def backing(self) -> int:
        """What the banks prove of the reserve, less what is owed to shops and what came and is not placed.

        The euros behind what must be covered.
        """
        # That a line went to an account of ours is told by the bank itself; that it did so is what people say else.
        said = sum(max(0, one.amount) for one in self.moving if one.what != MOVED or one.why is Why.OVERDUE)
        return self.proved + self.transit - said - self.payouts_due - self.unplaced

    @property
    def missed(self) -> int:
        """What went out and waits in suspense: nobody said what for."""
        return self.unplaced - self.suspense

    @property
    def coverage_bp(self) -> int | None:
        """`backing` over all that must be covered.

        In basis points, rounded down: 9,999 is never shown as all. None where there is nothing to cover.
        """
        return self.backing * FULL // self.owed if self.owed else None

    @property
    def liquid_bp(self) -> int | None:
        """The part of the reserve that is liquid, in basis points, rounded down; None where the reserve is empty."""
        return self.liquid * FULL // self.reserve if self.reserve else None
