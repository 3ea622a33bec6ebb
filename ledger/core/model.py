"""What the engine knows: units, accounts, transfers, transactions, and the answers it gives.

Everything here is frozen, whole numbers and bytes. A constructor refuses nonsense with `Malformed`, so that
nothing malformed can reach the rules; what depends on the book's state is refused by `rules` instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

MAX_AMOUNT = 2**53 - 1
"""Largest amount of one transfer, in minor units: every JSON reader in the world still holds it exactly."""
MAX_TOTAL = 2**62
"""An account's total debits or credits stay below this, so that no database integer can overflow."""
MAX_ACCOUNT = 2**63 - 1
MAX_TRANSFERS = 256
"""A transfer's address is `seq * 256 + leg`, so a transaction has at most 256 of them."""
MAX_EVIDENCE = 8_192
"""Bytes of all keys and string values of one evidence together."""

_UNIT = re.compile(r"[A-Z][A-Z0-9]{1,7}\Z")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")


class Malformed(ValueError):
    """An object that cannot exist in any book. `code` is stable; `refusals` documents each one."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Side(IntEnum):
    """The side on which an account grows. As an int it is the sign of `debits - credits` in its balance."""

    DEBIT = 1
    CREDIT = -1


def _whole(value: object, low: int, high: int) -> bool:
    # `type is int`: a bool is an int to Python, and True would be one cent.
    return type(value) is int and low <= value <= high


def check_id(value: object) -> None:
    """Raise `Malformed("id_malformed")` unless `value` is 16 bytes that are not all zero."""
    if type(value) is not bytes or len(value) != 16 or not any(value):
        raise Malformed("id_malformed", "an id is 16 bytes, not all zero")


def check_number(value: object) -> None:
    """Raise `Malformed("account_malformed")` unless `value` is an account number (1 to 2^63 - 1)."""
    if not _whole(value, 1, MAX_ACCOUNT):
        raise Malformed("account_malformed", f"an account number is a whole number from 1 to {MAX_ACCOUNT}")


def check_unit(value: object) -> None:
    """Raise `Malformed("unit_malformed")` unless `value` is 2 to 8 characters A-Z 0-9, a letter first."""
    if type(value) is not str or not _UNIT.match(value):
        raise Malformed("unit_malformed", "a unit is 2 to 8 characters of A-Z and 0-9, a letter first")


def _check_kind(value: object) -> None:
    if type(value) is not str or not _KIND.match(value):
        raise Malformed("kind_malformed", "a kind is 1 to 32 characters of a-z, 0-9 and _, a letter first")


def _check_date(value: object) -> None:
    if value is not None and type(value) is not date:
        raise Malformed("date_malformed", "booked_on is a date without a time, or None")


Evidence: TypeAlias = Mapping[str, "str | int"]
NO_EVIDENCE: Evidence = MappingProxyType({})


def _check_evidence(value: Evidence) -> None:
    size = 0
    for key, item in value.items():
        if type(key) is not str or not _KEY.match(key):
            raise Malformed("evidence_malformed", f"evidence key {key!r} is not a-z, 0-9 and _, a letter first")
        if type(item) is str:
            try:
                size += len(key) + len(item.encode())
            except UnicodeEncodeError:
                raise Malformed("evidence_malformed", f"evidence {key} is not valid Unicode text") from None
        elif _whole(item, -MAX_AMOUNT, MAX_AMOUNT):
            size += len(key) + 8
        else:
            raise Malformed("evidence_malformed", f"evidence {key} is neither text nor a whole number below 2^53")
    if size > MAX_EVIDENCE:
        raise Malformed("evidence_malformed", f"evidence holds {size} bytes; the limit is {MAX_EVIDENCE}")


class Transfer:
    """`amount` minor units of `unit` from `debit` to `credit` (account numbers).

    Raises `Malformed`: account_malformed, same_account, amount_out_of_range, unit_malformed.
    """

    __slots__ = ("amount", "credit", "debit", "unit")

    def __init__(self, debit: int, credit: int, amount: int, unit: str) -> None:
        if type(debit) is not int or type(credit) is not int or not 0 < debit <= MAX_ACCOUNT >= credit > 0:
            check_number(debit)
            check_number(credit)
        if debit == credit:
            raise Malformed("same_account", "a transfer needs two different accounts")
        if type(amount) is not int or not 0 < amount <= MAX_AMOUNT:
            raise Malformed("amount_out_of_range", f"an amount is a whole number of cents from 1 to {MAX_AMOUNT}")
        if type(unit) is not str or not _UNIT.match(unit):
            check_unit(unit)
        put = object.__setattr__
        put(self, "debit", debit)
        put(self, "credit", credit)
        put(self, "amount", amount)
        put(self, "unit", unit)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Transfer cannot be changed ({name})")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Transfer) and self._tuple() == other._tuple()

    def __hash__(self) -> int:
        return hash(self._tuple())

    def __repr__(self) -> str:
        return f"Transfer(debit={self.debit}, credit={self.credit}, amount={self.amount}, unit={self.unit!r})"

    def _tuple(self) -> tuple[int, int, int, str]:
        return (self.debit, self.credit, self.amount, self.unit)

    debit: int
    credit: int
    amount: int
    unit: str


@dataclass(frozen=True, slots=True)
class Account:
    """One balance in one unit.

    `floor` and `ceiling` bound the balance, seen from the side on which the account grows (`normal`); None is
    no bound. `cover` names the account that must always hold at least as much as this one (see `not_covered`).

    Raises `Malformed`: account_malformed, unit_malformed, bounds_malformed.
    """

    number: int
    unit: str
    normal: Side
    floor: int | None = 0
    ceiling: int | None = None
    cover: int | None = None

    def __post_init__(self) -> None:
        check_number(self.number)
        check_unit(self.unit)
        if type(self.normal) is not Side:
            raise Malformed("account_malformed", "normal is Side.DEBIT or Side.CREDIT")
        for bound in (self.floor, self.ceiling):
            if bound is not None and not _whole(bound, -MAX_AMOUNT, MAX_AMOUNT):
                raise Malformed("bounds_malformed", "a floor or ceiling is a whole number of cents below 2^53")
        if self.floor is not None and self.floor > 0 or self.ceiling is not None and self.ceiling < 0:
            raise Malformed("bounds_malformed", "a new account is empty: its bounds must allow a balance of 0")
        if self.cover is not None:
            check_number(self.cover)
            if self.cover == self.number:
                raise Malformed("bounds_malformed", "an account cannot cover itself")


@dataclass(frozen=True, slots=True)
class Transaction:
    """Transfers that happen together or not at all. `corrects` is the id of the transaction that it gives back.

    `booked_on` is the day it counts for where that is not the day on which the log takes it (a bank's value date).

    Raises `Malformed`: id_malformed, kind_malformed, date_malformed, transfers_malformed, evidence_malformed.
    """

    id: bytes
    kind: str
    transfers: tuple[Transfer, ...]
    booked_on: date | None = None
    corrects: bytes | None = None
    evidence: Evidence = field(default_factory=lambda: NO_EVIDENCE)

    def __post_init__(self) -> None:
        check_id(self.id)
        _check_kind(self.kind)
        _check_date(self.booked_on)
        if type(self.transfers) is not tuple or not 0 < len(self.transfers) <= MAX_TRANSFERS:
            raise Malformed("transfers_malformed", f"a transaction has 1 to {MAX_TRANSFERS} transfers, as a tuple")
        for transfer in self.transfers:
            if type(transfer) is not Transfer:
                raise Malformed("transfers_malformed", "every item of transfers is a Transfer")
        if self.corrects is not None:
            check_id(self.corrects)
        if self.evidence is not NO_EVIDENCE:
            _check_evidence(self.evidence)


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens `account`, empty. Raises `Malformed`: id_malformed, date_malformed, evidence_malformed."""

    id: bytes
    account: Account
    booked_on: date | None = None
    evidence: Evidence = field(default_factory=lambda: NO_EVIDENCE)

    def __post_init__(self) -> None:
        check_id(self.id)
        _check_date(self.booked_on)
        _check_evidence(self.evidence)


@dataclass(frozen=True, slots=True)
class Closing:
    """Closes account `number`, which must be empty. Raises `Malformed`: id_malformed, account_malformed, ..."""

    id: bytes
    number: int
    booked_on: date | None = None
    evidence: Evidence = field(default_factory=lambda: NO_EVIDENCE)

    def __post_init__(self) -> None:
        check_id(self.id)
        check_number(self.number)
        _check_date(self.booked_on)
        _check_evidence(self.evidence)


@dataclass(frozen=True, slots=True)
class Note:
    """Something the log must show that moves no money: a device key added, a charter changed."""

    id: bytes
    kind: str
    evidence: Evidence
    booked_on: date | None = None

    def __post_init__(self) -> None:
        check_id(self.id)
        _check_kind(self.kind)
        _check_date(self.booked_on)
        _check_evidence(self.evidence)


Instruction: TypeAlias = Transaction | Opening | Closing | Note


class Posted(NamedTuple):
    """The instruction is in the log at `seq`, taken at `at` (microseconds since the epoch).

    `replay` is true when it stood there before this call.
    """

    id: bytes
    seq: int
    at: int
    replay: bool = False


class Refused(NamedTuple):
    """The instruction was not posted and nothing of it moved. `code` is one of `refusals.REFUSALS`."""

    id: bytes
    code: str
    detail: str


Answer: TypeAlias = Posted | Refused


class Head(NamedTuple):
    """The end of the log: entries so far, time of the last (us), the Merkle frontier and the root (RFC 6962)."""

    seq: int
    at: int
    frontier: bytes
    root: bytes


class Outcome(NamedTuple):
    """One answer for each instruction of a batch, in order, and the log's head after its commit."""

    answers: list[Answer]
    head: Head


class Entry(NamedTuple):
    """One side of a transfer as its account sees it: a statement line.

    `change` and `balance` (after it) are in cents, seen from the side on which the account grows. `place`
    is the transfer's address in the log (`seq * 256 + leg`), good as a cursor.
    """

    place: int
    seq: int
    at: int
    id: bytes
    kind: str
    booked_on: date | None
    counterparty: int
    change: int
    balance: int
    corrects: bytes | None
    evidence: Evidence
