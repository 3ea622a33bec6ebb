"""Conversions that people typed: the table against the log, limits of a key, and each account against its bank.

What the bank has is told by statements. An entry on an account that no line explains, for a day that the statements
cover or longer ago than a line is awaited, is euros that nobody saw: whatever the cause, it is found here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from ledger.core.model import Transaction
from ledger.core.record import Record
from ledger.currency import chartered
from ledger.currency.audit.lines import Lines
from ledger.currency.bank.boxes import Boxes, of
from ledger.currency.bank.reference import squeezed
from ledger.currency.bank.tables import TYPED_CONVERSION
from ledger.currency.charter import ReserveKind
from ledger.currency.chartered import Rules
from ledger.currency.reserve import AccountState, Explained, Why
from ledger.currency.town import Town
from ledger.currency.vouching import Held, People, behind, together

FOLLOWS = frozenset({"typed_unlogged", "typed_missing", "bank_unexplained"})
"""What is not told of an entry at which something else was found."""
_TYPED = TYPED_CONVERSION.c
_Found = Iterator[tuple[str, int, bytes | None, str]]
"""A code, the entry at fault (0 and None: none is) and a sentence."""


class Typed(NamedTuple):
    """A conversion that somebody typed, as the log tells it: in the order of the table's columns."""

    seq: int
    at: int
    by: str
    reserve: int
    holder: int
    amount: int
    booked_on: str | None
    reference: str


class Correction(NamedTuple):
    """The entry that took a conversion back."""

    seq: int | None
    id: bytes | None


_STANDS = Correction(None, None)


@dataclass
class Conversions:
    """What was typed so far. `cash` are the cash boxes.

    `day_of` is the local day of an entry, by place and `at`, with its time zone: with another zone another day begins.
    """

    known: dict[bytes, Typed] = field(default_factory=dict)
    awaited: dict[bytes, Typed] = field(default_factory=dict)
    """Those of bank accounts that stand, whether a line has come for them or not."""
    corrected: dict[bytes, Correction] = field(default_factory=dict)
    cash: frozenset[int] = frozenset()
    slips: dict[int, dict[bytes, Typed]] = field(default_factory=dict)
    """Those of cash boxes that stand, the oldest first."""
    held: dict[int, int] = field(default_factory=dict)
    """What the cash boxes hold, cents."""
    day_of: Callable[[int, int], tuple[str, date]] | None = None
    _boxes: Boxes | None = None
    """What boxes hold; None where it changed since it was asked."""
    _days: dict[bytes, tuple[tuple[str, date], int, str, int]] = field(default_factory=dict)
    """Day, account of the reserve, key and cents of each entry that counts in what a person converts in a day."""
    _spent: dict[tuple[str, date], dict[int, Counter[str]]] = field(default_factory=dict)
    """What keys converted on a day, by account of the reserve: cents of those that stand."""

    def take(
        self, rules: Rules, held: Mapping[bytes, Held], record: Record, transaction: Transaction, typed: Typed
    ) -> Iterator[tuple[str, str]]:
        """Take a conversion in; says where its person converted more that day than the charter let them.

        `held` are the keys of the log so far.
        """
        self.known[transaction.id] = typed
        if typed.reserve not in self.cash:
            self.awaited[transaction.id] = typed
        else:
            self.slips.setdefault(typed.reserve, {})[transaction.id] = typed
            self._boxes = None
        yield from self._spend(rules, held, record, typed.by, typed.reserve, typed.amount)

    def boxed(
        self, rules: Rules, held: Mapping[bytes, Held], record: Record, by: str, cents: int
    ) -> Iterator[tuple[str, str]]:
        """Take in that so much was placed as units though it may be cash of a box; says what `take` does."""
        if self.cash:
            yield from self._spend(rules, held, record, by, min(self.cash), cents)

    def unspend(self, id_: bytes) -> None:
        """Take in that the entry `id_` is undone: it counts no more in what its person converted that day."""
        day, reserve, by, cents = self._days.pop(id_, (("", date.min), 0, "", 0))
        if cents:
            self._spent[day][reserve][by] -= cents

    def _spend(
        self, rules: Rules, held: Mapping[bytes, Held], record: Record, by: str, reserve: int, cents: int
    ) -> Iterator[tuple[str, str]]:
        if self.day_of is None or not _is_key(by, held):
            return
        day, is_cash = self.day_of(record.seq, record.at), reserve in self.cash
        self._days[record.instruction.id] = (day, reserve, by, cents)
        accounts = self._spent.setdefault(day, {})
        accounts.setdefault(reserve, Counter())[by] += cents
        # As the desk does, by what the accounts are now.
        spent = Counter[str]()
        for number, converted in accounts.items():
            if (number in self.cash) == is_cash:
                spent.update(converted)
        what = "cash_per_day" if is_cash else "ahead_per_day"
        # Charters that were noted before there were such limits have none.
        limit: int | None = getattr(rules, what, None)
        if limit is None or spent.total() <= limit:
            return
        keys = together(held, by, spent, record.seq, older=rules.alone_days is None)
        total = sum(spent[by] for by in keys)
        if total > limit:
            how = "by cash" if is_cash else "by bank without a line of a statement"
            beside = f" and {len(keys) - 1} more in the same hand" if len(keys) > 1 else ""
            yield (
                "limit_conversion",
                f"key {by[:16]}{beside} converted {total} cents {how} on {day[1]}, and the charter lets one "
                f"person convert {limit}",
            )

    def correct(self, record: Record, conversion: bytes) -> None:
        """Take in that a conversion was taken back."""
        typed = self.known.get(conversion)
        if typed is None or conversion in self.corrected:
            return
        self.corrected[conversion] = Correction(record.seq, record.instruction.id)
        self.awaited.pop(conversion, None)
        if self.slips.get(typed.reserve, {}).pop(conversion, None):
            self._boxes = None
        self.unspend(conversion)

    def box(self, held: Mapping[int, int]) -> None:
        """Take in what the accounts hold after an entry."""
        for number in self.cash:
            if self.held.get(number, 0) == held.get(number, 0):
                continue
            self.held[number], self._boxes = held[number], None

    def boxes(self) -> Boxes:
        """What the boxes hold, as `bank.boxes.look` finds it."""
        if self._boxes is None:
            there = {n: self.slips.get(n, {}).values() for n in self.cash}
            newest = {n: ((one.holder, one.amount) for one in reversed(slips)) for n, slips in there.items()}
            self._boxes = of((self.held.get(n, 0), slips) for n, slips in newest.items())
        return self._boxes

    def on(self, reserve: int) -> bool:
        """Whether conversions that were typed stand on an account of the reserve."""
        return any(one.reserve == reserve for id_, one in self.known.items() if id_ not in self.corrected)

    def accepting(
        self, rules: Rules, held: Mapping[bytes, Held], lines: Lines, record: Record, by: str
    ) -> Iterator[tuple[str, str]]:
        """Says where the key `by` let units be changed back, while more of what its person typed had no line yet than
        the charter lets one person have.
        """
        limit = chartered.awaited_alone(rules.second_signature_above, rules.ahead_per_day)
        begun = {reserve: taken[0].seq for reserve, taken in lines.statements.items() if taken}
        if limit is None or rules.alone_days is None or not begun or not _is_key(by, held):
            return
        spent = Counter[str]()
        for id_, one in self.awaited.items():
            since = begun.get(one.reserve, min(begun.values()))
            if id_ not in lines.named and one.seq > since and _is_key(one.by, held):
                spent[one.by] += one.amount
        if spent.total() <= limit:
            return
        raws = {text: bytes.fromhex(text) for text in {by, *spent}}
        people = People(behind(held, raws.values()), record.seq)
        mine = sum(cents for text, cents in spent.items() if people.same_behind(raws[by], raws[text]))
        if mine > limit:
            yield (
                "reconversion_ahead",
                f"key {by[:16]} accepted it, and {mine} cents that its person typed ahead of statements had no line: "
                f"one person has {limit} of such at most",
            )


def _is_key(by: str, held: Mapping[bytes, Held]) -> bool:
    """Whether a key of the log acted: the machine has no limit, and who else is named is found elsewhere."""
    try:
        return bytes.fromhex(by) in held
    except ValueError:
        return False


def lend(town: Town, conversions: Conversions, moment: Callable[[int, int], int]) -> None:
    """Lend what notes of the charter did not always say: the time zone, and which accounts are cash boxes."""
    zones = chartered.Zones(town)
    conversions.day_of = lambda seq, at: (zones.at(seq).timezone, zones.local_date(seq, moment(seq, at)))
    kinds = {one.name: one.kind for one in town.charter.reserve}
    conversions.cash = frozenset(n for name, n in town.chart.reserve.items() if kinds[name] == ReserveKind.CASH)


def against(town: Town, conversions: Conversions, named: dict[bytes, bytes]) -> _Found:
    """Where table and log say different things; `named` are conversions with the lines that they were found to be."""
    with town.reading() as connection:
        rows = {bytes(row.id): row for row in connection.execute(select(TYPED_CONVERSION).order_by(_TYPED.seq))}
    for id_, row in rows.items():
        known = conversions.known.get(id_)
        if known is None:
            yield "typed_unlogged", 0, None, f"the conversion {row.reference} in the tables was never typed"
            continue
        told = Typed(row.seq, row.at, row.by, row.reserve, row.holder, row.amount, row.booked_on, row.reference)
        line, found = row.line and bytes(row.line), named.get(id_)
        correction = conversions.corrected.get(id_, _STANDS)
        if told != known or row.squeezed != squeezed(known.reference):
            yield "typed_unlogged", 0, id_, f"the conversion {known.reference} is another in the tables than it was"
        elif line != found:
            yield "typed_unlogged", 0, None, f"the tables say otherwise than the log which line {known.reference} is"
        elif row.corrected_seq != correction.seq:
            text = f"the tables say otherwise than the log whether the conversion {known.reference} stands"
            yield "typed_unlogged", correction.seq or 0, correction.id, text
    for id_, known in conversions.known.items():
        if id_ not in rows:
            yield "typed_missing", known.seq, id_, f"the conversion {known.reference} is not in the tables"


def by_bank(accounts: list[AccountState], moving: Sequence[Explained]) -> _Found:
    """What no line of a bank explains on its account, and what left one and arrived on none."""
    for account, one in _unexplained(accounts):
        yield "bank_unexplained", one.seq or 0, one.id or None, _sentence(account, one)
    for one in moving:
        if one.why is Why.OVERDUE:
            what = f"{one.what} {one.reference} of {abs(one.amount)} cents"
            if one.amount > 0:
                text = f"{what} left an account of the reserve on {one.on}, and by {one.until} it arrived on none"
            else:
                text = f"{what} came to an account of the reserve on {one.on}, and by {one.until} it had left none"
            yield "bank_unexplained", one.seq or 0, one.id, text


def _unexplained(accounts: list[AccountState]) -> list[tuple[str, Explained]]:
    found = []
    for account in accounts:
        there = f"statements to {account.statement_on}" if account.statement_on else "no statement"
        found += [(f"{account.name!r} ({there})", one) for one in account.unexplained]
    return found


def _sentence(account: str, one: Explained) -> str:
    if one.why is Why.OPENING:
        return f"what counts for days before the first statement of {account} is {one.amount} cents too much"
    what = f"{one.what} {one.reference}".strip()
    if one.why is Why.OVERDUE:
        return f"{what} of {one.amount} cents on {account}: a statement should have had it by {one.until}, and none has"
    if one.why is Why.WITHDRAWN:
        return f"{what} of {one.amount} cents on {account} rests on a line that the bank took away: undo it"
    if one.why is Why.OTHER_AMOUNT:
        return f"{what} on {account} moved {one.amount} cents more than its line"
    return f"{what} of {one.amount} cents counts for {one.on} on {account}, and no line of a statement explains it"
