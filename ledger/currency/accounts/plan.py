"""Which number of the chart of accounts each account of the currency has: from the charter, or as a closed year had it.

What the charter does not number gets the usual one: 5121, 5122, ... for banks and 530, 5302, ... for cash boxes, in the
order in which the charters in the log named them, so that a new account at whatever place renumbers no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import reduce
from typing import Any, Final, NamedTuple

from ledger.currency import chartered
from ledger.currency.accounts import pcg
from ledger.currency.charter import ReserveKind
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

ROLES: Final = {
    "holders": "unités des adhérents",
    "payouts": "reconversions à payer",
    "suspense": "lignes de banque à identifier",
    "fees": "contributions de reconversion",
    "charges": "frais de banque",
    "claims": "adhérents, euros repris après dépense",
    "transit": "entre comptes de la réserve",
    "operations": "fonctionnement de l'association",
    "guarantee": "garantie au-delà des unités émises",
}
"""What each number of the charter's [bookkeeping] is for, in words for an accountant."""
_SEPARATORS = str.maketrans("|\t\r\n", "/   ")


class PlanAccount(NamedTuple):
    """An account of the books: its number and label, and where it stands for many, whose it is."""

    number: str
    label: str
    auxiliary: str = ""
    auxiliary_label: str = ""


@dataclass(frozen=True)
class Plan:
    """Numbers by what they are for, and `reserve` by the names of the reserve accounts; SIREN and time zone with them:
    all that the accounts of a year depend on beside the log.
    """

    holders: str
    payouts: str
    suspense: str
    fees: str
    charges: str
    claims: str
    transit: str
    operations: str
    guarantee: str
    reserve: dict[str, str]
    siren: str
    """"" where the charter has none."""
    timezone: str

    @classmethod
    def of(cls, town: Town) -> Plan:
        """The plan of the charter in use. Raises `CurrencyError`: accounts_numbers."""
        charter = town.charter
        books = charter.bookkeeping
        own = {role: _number(role, getattr(books, role)) for role in ROLES}
        given = {a.name: _number(a.name, a.number) for a in charter.reserve if a.number is not None}
        kinds = {account.name: account.kind for account in charter.reserve}
        taken = {*own.values(), *given.values()}
        reserve = {}
        for name in _reserve_names(town):
            if name not in given:
                given[name] = next(n for n in _usual(kinds[name]) if n not in taken)
                taken.add(given[name])
            reserve[name] = given[name]
        uses: dict[str, list[str]] = {}
        for use, number in [*own.items(), *reserve.items()]:
            uses.setdefault(number, []).append(use)
        for number, names in uses.items():
            if len(names) > 1:
                raise CurrencyError(
                    "accounts_numbers",
                    tell(
                        "{names} have the same number {number}: give each one of its own in the charter, under "
                        "[bookkeeping] or with the [[reserve]]",
                        names=reduce(lambda one, two: tell("{one} and {two}", one=one, two=two), map(repr, names)),
                        number=number,
                    ),
                )
        return cls(**own, reserve=reserve, siren=books.siren or "", timezone=charter.timezone)

    @classmethod
    def loads(cls, text: str) -> Plan:
        """The plan that `dumps` wrote. Raises `ValueError`."""
        values = json.loads(text)
        if not isinstance(values, dict) or set(values) != {field.name for field in fields(cls)}:
            raise ValueError("a plan of the accounts has other keys")
        return cls(**values)

    def dumps(self) -> str:
        """The plan as one JSON text, for the log."""
        return json.dumps(vars(self), ensure_ascii=False, separators=(",", ":"))

    def account(self, role: str) -> PlanAccount:
        """The account that one of `ROLES` names."""
        number: str = getattr(self, role)
        return PlanAccount(number, f"{pcg.title(number)} : {ROLES[role]}")

    def reserve_account(self, name: str) -> PlanAccount:
        """The account of the reserve account of that name."""
        number = self.reserve[name]
        return PlanAccount(number, f"{pcg.title(number)} : {plain(name)}")

    def uses(self) -> list[PlanAccount]:
        """Every account of the plan."""
        return [*map(self.account, ROLES), *map(self.reserve_account, self.reserve)]


def carried(result: int) -> PlanAccount:
    """Where the results of the years before stand, as debits less credits, in cents: a loss is more than 0."""
    number = pcg.CARRIED[result < 0]
    return PlanAccount(number, pcg.title(number))


def plain(text: str) -> str:
    """A text that holds neither what separates fields nor what ends lines."""
    return text if text.isprintable() and "|" not in text else _one_line(text)


def _one_line(text: str) -> str:
    cleaned = text.translate(_SEPARATORS)
    return "".join(char if char.isprintable() else " " for char in cleaned)


def _number(use: str, text: str) -> str:
    number = text.ljust(3, "0")
    if not number[:3].isdigit():
        raise CurrencyError("accounts_numbers", tell(
            "the number {said} of {use!r} does not begin with 3 digits; mend it in the charter", said=text, use=use
        ))  # fmt: skip
    return number


def _usual(kind: ReserveKind) -> Iterator[str]:
    """The numbers that an account of the reserve may have where the charter gives it none."""
    if kind is ReserveKind.CASH:
        yield "530"
        yield from (f"530{count}" for count in range(2, 10_000))
    yield from (f"512{count}" for count in range(1, 10_000))


def _reserve_names(town: Town) -> list[str]:
    """The reserve accounts in the order in which charters first named them."""
    names: dict[str, Any] = {}
    for rules in chartered.noted(town):
        names |= dict.fromkeys(rules.reserve)
    kept = {account.name: None for account in town.charter.reserve}
    return [name for name in names | kept if name in kept]
