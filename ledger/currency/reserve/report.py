"""The reserve report: what is out against what backs it, from one snapshot of the book.

Balances are read as they are; what needs history is gathered from the chains of the accounts it is on. A `Keeper`
goes on where it stopped, so that a server reads each entry once.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import Connection, false, or_, select

from ledger.core.rules import State
from ledger.core.store import Reading
from ledger.core.tables import ACCOUNT
from ledger.currency.bank.standing import begun, told_to
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.bank.whose import MAX_BEFORE
from ledger.currency.charter import ReserveKind
from ledger.currency.clocked import Moments
from ledger.currency.reserve.chains import Chain, Days, entries, first_of
from ledger.currency.reserve.explaining import Account
from ledger.currency.reserve.flows import Flows
from ledger.currency.reserve.lines import (
    SHIFT,
    Statements,
    awaited,
    being_booked,
    being_undone,
    booking,
    found_elsewhere,
    statements,
)
from ledger.currency.reserve.model import AccountState, Explained, Identity, Reserve, Why
from ledger.currency.reserve.moving import Moving, Said
from ledger.currency.reserve.unplaced import came
from ledger.currency.town import Town


@dataclass
class Gathered:
    """What was read of the log so far. It follows from the log alone, so it may be thrown away at any time."""

    flows: Flows = field(default_factory=Flows)
    accounts: dict[int, Account] = field(default_factory=dict)
    moving: Moving = field(default_factory=Moving)
    used: dict[int, tuple[int, bytes, date]] = field(default_factory=dict)
    """The first entry of bank accounts without a statement: its place, id, and the day on which the log took it."""


def report(town: Town, gathered: Gathered | None = None) -> Reserve:
    """The reserve as the ledger has it now. `gathered` is what an earlier report of the same book read."""
    known = gathered if gathered is not None else Gathered()
    chart, charter = town.chart, town.charter
    own = chart.own()
    now = town.now()
    on = charter.local_date(now)
    with town.book.store.reading() as store:
        head = store.head()
        # Later than the snapshot, so that none is missing; one that was opened since is not in it.
        issuing = issuers(town)
        states = store.accounts([*own.values(), *chart.reserve.values(), *issuing])
        with town.reading() as connection:
            found = _statements(town, connection, head.seq)
            _gather(town, store, connection, states, issuing, head.seq, found, known)
            banks = _banks(town, store, connection, states, found, known, now, head.seq)
            moving = _moving(town, connection, found, known, on, head.seq)
            unplaced = came(connection, head.seq)
    held = {name: states[number].balance for name, number in own.items()}
    imported = sum(max(0, -states[number].balance) for number in issuing if number in states)
    unplaced = max(unplaced, held["suspense"])
    return Reserve(
        circulation=held["circulation"], imported=imported, waiting=held["waiting"], maturing=held["maturing"],
        guarantee=held["guarantee"], payouts_due=held["payouts"], suspense=held["suspense"], unplaced=unplaced,
        fees=held["income"], operations=held["operations"], claims=held["claims"], transit=held["transit"],
        moving=moving, banks=banks,
        identities=_identities(held, imported, unplaced, banks),
        months=known.flows.months(chart.circulation, on), year=known.flows.year(on), on=on,
        seq=head.seq, at=head.at, root=head.root,
    )  # fmt: skip


def explained(town: Town) -> tuple[list[AccountState], tuple[Explained, ...]]:
    """The accounts of the reserve held against their statements, and what is between two of them; nothing else."""
    known, now = Gathered(), town.now()
    with town.book.store.reading() as store:
        head = store.head()
        states = store.accounts([town.chart.transit, *town.chart.reserve.values()])
        with town.reading() as connection:
            found = _statements(town, connection, head.seq)
            _gather(town, store, connection, states, [], head.seq, found, known)
            banks = _banks(town, store, connection, states, found, known, now, head.seq)
            return banks, _moving(town, connection, found, known, town.charter.local_date(now), head.seq)


def bound_for(town: Town, account: int, before: date) -> list[int]:
    """What may have come to an account before that day from others of the reserve: departures that nothing ended.

    Cents; below nothing what came from it, or back to another. What names the account comes first, then the oldest.
    """
    known, chart = Gathered(), town.chart
    with town.book.store.reading() as store:
        head = store.head()
        with town.reading() as connection:
            _gather(town, store, connection, store.accounts([chart.transit]), [], head.seq, {}, known)
            found = _statements(town, connection, head.seq)
            alone = known.moving.alone(_said(town, connection, found))
    mine = f"{account:016x}"
    bound = [one for one in alone if one.reserve != mine and one.other in (None, mine) and one.on < before]
    return [one.amount for one in sorted(bound, key=lambda one: (one.other is None, one.on, one.seq))]


def issuers(town: Town) -> list[int]:
    """The accounts in the local unit that may go below zero: the issuers of a currency that was imported."""
    own = (town.chart.circulation, town.chart.waiting)
    query = select(ACCOUNT.c.number).where(
        ACCOUNT.c.unit == town.charter.code, ACCOUNT.c.floor.is_(None), ACCOUNT.c.number.not_in(own)
    )
    with town.reading() as connection:
        return sorted(connection.scalars(query))


class Keeper:
    """The reserve report of a server: it reads what is new in the log, and nothing else, whoever asks."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self._lock = threading.Lock()
        self._gathered = Gathered()
        self._latest: Reserve | None = None
        self._made_at = 0

    def report(self, *, seconds: int = 0) -> Reserve:
        """The report; the latest one again if it is no older than that."""
        # Under the lock: of many who ask at once one makes it.
        with self._lock:
            now = self.town.now()
            if self._latest is not None and 0 <= now - self._made_at < seconds * 1_000_000:
                return self._latest
            try:
                self._latest = report(self.town, self._gathered)
            except BaseException:
                self._gathered, self._latest = Gathered(), None  # what was read halfway is no ground to stand on
                raise
            self._made_at = now
            return self._latest


def _banks(
    town: Town, store: Reading, connection: Connection, states: Mapping[int, State], found: Mapping[int, Statements],
    known: Gathered, now: int, seq: int,
) -> list[AccountState]:  # fmt: skip
    """Each account of the reserve, and why its ledger says something else than its bank."""
    on = town.charter.local_date(now)
    firsts = {number for number, first in begun(connection).items() if first <= seq}
    banks, moments = [], Moments(town, seq)
    for account in town.charter.reserve:
        number = town.chart.reserve[account.name]
        if number not in states:  # a charter that was just changed: whoever opens the book next makes the account
            continue
        state = AccountState(account.name, str(account.kind), number, account.liquid, states[number].balance)
        if number in found:
            mine = found[number]
            state = state._replace(
                statement=mine.closing, statement_on=mine.last,
                booking=being_booked(connection, mine, moments, now),
                undoing=being_undone(connection, mine, moments, now),
                explanation=known.accounts[number].explain(store, connection, mine, on),
            )  # fmt: skip
        elif account.kind == ReserveKind.BANK:
            state = state._replace(explanation=_typed(town, connection, number, seq, on), withdrawn=number in firsts)
            if number not in firsts and (last := states[number].last):
                if number not in known.used:
                    row = first_of(store, number, last)
                    known.used[number] = row.seq, row.id, Days(moments).taken(row)
                used_seq, used_id, used_on = known.used[number]
                if on > used_on + timedelta(days=town.charter.limits.ahead_days):
                    state = state._replace(by_word=(used_seq, used_id))
        banks.append(state)
    return banks


def _moving(
    town: Town, connection: Connection, found: Mapping[int, Statements], known: Gathered, on: date, seq: int
) -> tuple[Explained, ...]:
    """What is between two accounts of the reserve."""
    banks = [town.chart.reserve[one.name] for one in town.charter.reserve if one.kind == ReserveKind.BANK]
    ever = told_to(connection, seq)
    reach = {f"{number:016x}": ever.get(number) for number in banks}
    withdrawn = {f"{number:016x}" for number in ever.keys() - found.keys()}
    ahead = timedelta(days=town.charter.limits.ahead_days)
    return known.moving.open(on, ahead, reach, withdrawn, _said(town, connection, found))


def _said(town: Town, connection: Connection, found: Mapping[int, Statements]) -> Said:
    returns = select(BANK_LINE.c.id).where(BANK_LINE.c.kind == LineKind.RETURN)
    back = set(map(bytes, connection.scalars(returns)))
    return Said(_named(town, connection), _openings(connection, found), back)


def _named(town: Town, connection: Connection) -> dict[bytes, str]:
    """The accounts of the reserve that lines of others name, by the lines' ids."""
    numbers = {one.iban: f"{town.chart.reserve[one.name]:016x}" for one in town.charter.reserve if one.iban}
    query = select(BANK_LINE.c.id, BANK_LINE.c.iban).where(BANK_LINE.c.iban.in_(sorted(numbers)))
    return {bytes(row.id): numbers[row.iban] for row in connection.execute(query)}


def _openings(connection: Connection, found: Mapping[int, Statements]) -> set[bytes]:
    """The ids of lines of what was on accounts before their first statements."""
    firsts = [one.taken_at << SHIFT for one in found.values()]
    places = (BANK_LINE.c.place.between(first, first + MAX_BEFORE) for first in firsts)
    query = select(BANK_LINE.c.id).where(BANK_LINE.c.kind == LineKind.OPENING, or_(false(), *places))
    return set(map(bytes, connection.scalars(query)))


def _typed(town: Town, connection: Connection, number: int, seq: int, on: date) -> tuple[Explained, ...]:
    """What was typed on a bank account without a statement, since any were taken: its first one should have it."""
    moments, found = Moments(town, seq), []
    elsewhere = {id_ for id_, _entry in found_elsewhere(connection, number)}
    for row in awaited(connection, number, seq):
        if row.id in elsewhere:
            continue
        said = moments.day(row.seq, row.at)
        until = said + timedelta(days=town.charter.limits.ahead_days)
        day = date.fromisoformat(row.booked_on) if row.booked_on else said
        why = Why.OVERDUE if until < on else Why.AFTER_STATEMENT
        found.append(Explained(why, row.amount, day, "conversion", row.reference, bytes(row.id), row.seq, until))
    return tuple(found)


def _statements(town: Town, connection: Connection, seq: int) -> dict[int, Statements]:
    """The statements of each reserve account that has any."""
    found = {number: statements(connection, number, seq) for number in town.chart.reserve.values()}
    return {number: account for number, account in found.items() if account is not None}


def _gather(
    town: Town, store: Reading, connection: Connection, states: Mapping[int, State], issuing: list[int], seq: int,
    found: Mapping[int, Statements], known: Gathered,
) -> None:  # fmt: skip
    """Read on in the log, up to its end at `seq`. An account without a statement has nothing to be explained."""
    circulation, waiting = town.chart.circulation, town.chart.waiting
    sources = {circulation, *issuing} & states.keys()
    for number, one in found.items():
        if number not in known.accounts or known.accounts[number].taken_at != one.taken_at:
            known.accounts[number] = Account(taken_at=one.taken_at)
    accounts = {number: known.accounts[number] for number in found}
    chains = {number: Chain(states[number].last, known.flows.seq) for number in sources}
    chains |= {number: Chain(states[number].last, account.seq) for number, account in accounts.items()}
    between = town.chart.transit
    if between in states:
        chains[between] = Chain(states[between].last, known.moving.seq)
    days, ahead = Days(Moments(town, seq)), timedelta(days=town.charter.limits.ahead_days)
    for some in entries(store, chains):
        known.flows.take(some, sources, circulation, waiting, days)
        for number, account in accounts.items():
            mine = [entry for entry in some if any(of == number for of, _leg in entry.legs)]
            account.take(mine, booking(connection, [entry.row.id for entry in mine]), found[number], days, ahead)
        known.moving.take(some, between, days)
    known.flows.seq = known.moving.seq = seq
    for account in accounts.values():
        account.seq = seq


def _identities(held: dict[str, int], imported: int, unplaced: int, banks: list[AccountState]) -> list[Identity]:
    """What must hold between the accounts. A part that is nothing is not named."""
    reserve, proved = sum(bank.ledger for bank in banks), sum(bank.proved for bank in banks)
    awaited = sum(bank.awaited for bank in banks)
    circulation, guarantee, payouts = held["circulation"], held["guarantee"], held["payouts"]
    missed, waits = unplaced - held["suspense"], unplaced
    unplaced = unplaced if guarantee or payouts else 0  # no unit is out: nothing is covered by anybody's euros
    units = "circulation + imported" if imported else "circulation"
    backed = "reserve accounts"
    backed += " + in transit" if held["transit"] else ""
    backed += " + awaited" if awaited else ""
    backed += " - payouts due" + (" - unplaced" if unplaced else "")
    backing = proved + held["transit"] + awaited - payouts - unplaced
    there = {"reserve accounts": reserve, **{name: held[name] for name in ("operations", "claims", "transit")}}
    owed = guarantee + payouts + waits + held["income"]
    waiting, went = ("unplaced", " + missed") if missed else ("suspense", "")
    return [
        _identity(f"{units} <= guarantee", circulation + imported, "<=", guarantee),
        _identity(f"guarantee <= {backed}", guarantee, "<=", backing),
        _identity(
            f"guarantee + payouts due + {waiting} + fees = reserve accounts + operations + claims + transit{went}",
            owed, "=", sum(there.values()) + missed,
        ),
    ]  # fmt: skip


def _identity(name: str, left: int, relation: str, right: int) -> Identity:
    return Identity(name, left, relation, right, left == right if relation == "=" else left <= right)
