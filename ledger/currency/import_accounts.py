"""Whose account a name in an imported file means, and what it holds while the file is tried out.

In this order: the issuer's account of that name; the account that an earlier import opened for it; the account
number that it is; the one party that has exactly this name; else a new party, whose account number follows from the
name, so that every run agrees.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from ledger.core.ids import AccountNumberError, account_number, derived_id
from ledger.core.model import Account, Opening, Side
from ledger.core.rules import State
from ledger.currency import parties, salted
from ledger.currency.charter import PartyKind
from ledger.currency.imported import holder_id, issuer_number
from ledger.currency.tables import DEVICE_KEY, HOLDING, PARTY
from ledger.currency.told import tell
from ledger.currency.town import Town
from ledger.currency.uncovered import Work

_NUMBER = re.compile(r"[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{4}", re.ASCII)


@dataclass(slots=True)
class Target:
    """An account that a name means. `opening` is what opens it, None when it stands; `wrong` why it cannot be used."""

    name: str
    number: int
    opening: Opening | None = None
    kind: PartyKind | None = None
    salt: bytes = b""
    """Of the name's hash, where it is a new party's."""
    balance: int = 0
    issuer: bool = False
    by_hand: bool | None = None
    """Whether the office opened it, and no import; None where nobody has asked yet."""
    keyed: bool = False
    """Its holder has, or had, a key: from then on only signed orders take from it."""
    doubtful: bool = False
    """A line that was not taken touched it, so that its balance here says nothing."""
    wrong: tuple[str, str] | None = None


class Accounts:
    """Finds the accounts of names in `town`, and remembers them."""

    def __init__(self, town: Town, issuers: Collection[str], kinds: Mapping[str, PartyKind]) -> None:
        self.town = town
        self._issuers = frozenset(issuers)
        self._kinds = kinds
        self._known: dict[str, Target] = {}
        self._parties: dict[str, list[int]] = {}
        with town.reading() as connection:
            query = select(PARTY.c.name, HOLDING.c.account).join(HOLDING, HOLDING.c.party == PARTY.c.id)
            for name, account in connection.execute(query.where(PARTY.c.closed_at.is_(None))):
                self._parties.setdefault(name, []).append(account)
            self._held = frozenset(connection.scalars(select(HOLDING.c.account)))
        self._keyed = self._joined()
        self.work = Work(town)

    def __getitem__(self, name: str) -> Target:
        return self._known[name]

    def openings(self, names: Iterable[str]) -> set[bytes]:
        """Ids of what would open the accounts of those names that do not stand yet."""
        return {one.opening.id for name in names if (one := self._known[name]).opening is not None}

    def opened(self) -> list[Target]:
        """Those that this import opens, or opened."""
        return [target for target in self._known.values() if target.opening is not None]

    def barred(self, payer: Target, payee: Target, *, at_work: bool) -> tuple[str, str] | None:
        """Why nothing can be moved between these two, whatever they hold, in a currency that is at work or not yet."""
        if payer.wrong or payee.wrong:
            return payer.wrong or payee.wrong
        if payer.number == payee.number:
            return "self_transfer", tell(
                "{payer!r} and {payee!r} are one account: nothing would move", payer=payer.name, payee=payee.name
            )
        if payer.keyed:
            return "account_joined", tell(
                "{name!r} has joined with a key: from then on only its holder's orders pay", name=payer.name
            )
        if at_work and not payer.issuer and payer.opening is None and self._is_members(payer):
            return "account_members", tell(
                "the currency is at work, and the account of {name!r} was opened by the office, or holds more than "
                "imports brought: only its holder's orders pay", name=payer.name,
            )  # fmt: skip
        return None

    def _is_members(self, target: Target) -> bool:
        """Whether an account that stands is none that an import opened, or anything but imports moved it."""
        if target.by_hand is None:
            with self.town.reading() as connection:
                party = connection.scalar(select(HOLDING.c.party).where(HOLDING.c.account == target.number))
            opened = self.town.book.find(party) if party is not None else None
            target.by_hand = opened is None or "by" in opened.instruction.evidence
        return target.by_hand or self.work.moved(target.number)

    def others_since(self, at_work: bool, payers: Collection[int]) -> bool:
        """Whether since that was looked at the currency began, or somebody joined one of these accounts or moved it."""
        if (not at_work and self.work.began()) or (self._joined() - self._keyed) & set(payers):
            return True
        stand = [one for one in self._known.values() if one.number in payers and not (one.issuer or one.opening)]
        return at_work and any(self.work.moved(one.number) for one in stand)

    def forget_keys(self) -> None:
        """Look again at who has joined."""
        self._keyed = self._joined()
        for target in self._known.values():
            target.keyed = target.number in self._keyed

    def _joined(self) -> frozenset[int]:
        keyed = select(HOLDING.c.account).join(DEVICE_KEY, DEVICE_KEY.c.party == HOLDING.c.party).distinct()
        with self.town.reading() as connection:
            return frozenset(connection.scalars(keyed))

    def learn(self, names: Iterable[str]) -> None:
        """Find the accounts of those names that are new, in one question to the book."""
        new = [name for name in dict.fromkeys(names) if name not in self._known]
        if not new:
            return
        network, unit = self.town.charter.network, self.town.charter.code
        mine = {name: parties.holding(network, holder_id(network, name), unit) for name in new}
        theirs = {name: issuer_number(network, name) for name in new}
        asked = {account.number for account in mine.values()} | set(theirs.values())
        asked |= {number for name in new for number in self._parties.get(name, ())}
        asked |= {number for name in new if (number := _number(name))}
        with self.town.book.store.reading() as store:
            found = store.accounts(sorted(asked))
        for name in new:
            self._known[name] = self._target(name, mine[name], theirs[name], found)

    def _target(self, name: str, mine: Account, issuer: int, found: Mapping[int, State]) -> Target:
        network = self.town.charter.network
        if name in self._issuers or issuer in found:
            account = Account(issuer, mine.unit, Side.CREDIT, floor=None)
            opening = Opening(derived_id("patard/import/issuer", network, name), account, evidence={"issuer": 1})
            return self._standing(Target(name, issuer, opening, issuer=True), found)
        kind = self._kinds.get(name, PartyKind.PERSON)
        salt = self.town.book.entropy(salted.SALT_BYTES)
        opening = Opening(holder_id(network, name), mine, evidence=salted.party_evidence(str(kind), name, salt))
        new = Target(name, mine.number, opening, kind, salt)
        if mine.number in found:
            return self._standing(new, found)
        if _NUMBER.fullmatch(name):
            number = _number(name)
            if number not in self._held:
                return Target(
                    name, number, wrong=("account_unknown", tell("{name} is the account of no party here", name=name))
                )
            return self._standing(Target(name, number), found)
        named = self._parties.get(name, [])
        if len(named) > 1:
            reason = tell(
                "{count} parties are called {name!r}; write the account number instead", count=len(named), name=name
            )
            return Target(name, named[0], wrong=("party_ambiguous", reason))
        if named:
            return self._standing(Target(name, named[0]), found)
        return new

    def _standing(self, target: Target, found: Mapping[int, State]) -> Target:
        """The target with what the book knows of it."""
        state = found.get(target.number)
        if state is None:
            return target
        target.opening = None
        target.balance = state.balance
        target.keyed = target.number in self._keyed
        if state.closed:
            target.wrong = ("account_closed", tell("the account of {name!r} is closed", name=target.name))
        return target


def _number(name: str) -> int:
    try:
        return account_number(name) if _NUMBER.fullmatch(name) else 0
    except AccountNumberError:
        return 0
