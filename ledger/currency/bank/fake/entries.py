"""What the fake bank keeps: our accounts, and their entries with texts as a bank hands them on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import shake_256

from ledger.currency.bank.latin import latin
from ledger.currency.bank.pain import MAX_NAME, MAX_TEXT
from ledger.currency.bank.statement import LineKind


@dataclass(frozen=True, slots=True)
class Account:
    """An account of ours at the bank; `opening` cents before the first entry.

    `fee` cents are charged on the first banking day of every month from `fee_since` on. `creditor_id` (ICS), where it
    is given, is the only one under which debits are collected.
    """

    iban: str
    bic: str
    holder: str
    opening: int = 0
    fee: int = 0
    fee_since: date | None = None
    creditor_id: str | None = None

    @property
    def rib(self) -> tuple[str, str, str, str]:
        """Bank, branch, number and key of a French account. `ValueError` for others."""
        if self.iban[:2] not in ("FR", "MC"):
            raise ValueError(f"this format is for French account numbers, not {self.iban}")
        bban = self.iban[4:]
        return bban[:5], bban[5:10], bban[10:21], bban[21:]


@dataclass(frozen=True, slots=True)
class Manners:
    """How careless the bank is with what people wrote: one text in so many; 0 is none, 1 is all.

    `recase`: in capitals without accents. `wrap`: cut into pieces of 35 characters, whatever stands there. `cut`: the
    last third lost. What a format does to texts by itself comes on top.
    """

    recase: int = 2
    wrap: int = 3
    cut: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One booked entry of an account, or a part of one. `amount` is signed cents, see `statement.BankLine`.

    `number` counts the entries of an account. `batch` is the id of the payment group whose sum it is, `instant` whether
    the transfer was one of ten seconds. `wrap` is the width at which the bank breaks `text`, 0 for none.
    """

    number: int
    booked_on: date
    amount: int
    kind: LineKind
    name: str = ""
    iban: str = ""
    text: str = ""
    end_to_end: str = ""
    mandate: str = ""
    reason: str = ""
    batch: str = ""
    instant: bool = False
    wrap: int = 0
    parts: tuple[Entry, ...] = ()

    @property
    def bank_ref(self) -> str:
        """The bank's own reference."""
        return f"{self.booked_on:%Y%m%d}{self.number:08d}"

    @property
    def label(self) -> str:
        """The bank's words for it, and whom it concerns."""
        subject = f"REMISE {self.batch}" if self.batch else self.name
        match self.kind:
            case LineKind.TRANSFER:
                words = "VIR INST" if self.instant else "VIR SEPA" if self.amount > 0 else "VIR SEPA EMIS"
            case LineKind.DEBIT:
                words = "PRLV SEPA"
            case LineKind.RETURN:
                # What came back to us was a transfer; what was taken back from us may be either.
                words = (
                    "IMPAYE PRLV SEPA" if self.mandate else "REJET VIR SEPA" if self.amount > 0 else "RETOUR VIR SEPA"
                )
            case LineKind.CHARGE:
                words, subject = "FRAIS", self.text
            case LineKind.CASH:
                words = "VERSEMENT ESPECES" if self.amount > 0 else "RETRAIT ESPECES"
            case _:
                words = "OPERATION"
        return latin(f"{words} {subject}").upper()

    @property
    def payer_named(self) -> bool:
        """Whether `name` is who paid, not who was paid. A return names the two as the first payment did."""
        return (self.amount > 0) != (self.kind is LineKind.RETURN)

    def lines(self, width: int, write: Callable[[str], str] = str) -> list[str]:
        """The text, as `write` puts it, in lines of at most `width` characters where the bank breaks it."""
        text, width = write(self.text), min(width, self.wrap or width)
        return [text[place : place + width] for place in range(0, len(text), width)]


@dataclass
class Drawn:
    """Bytes that look random and are the same in every run."""

    seed: str
    drawn: int = 0

    def __call__(self, size: int) -> bytes:
        self.drawn += 1
        return shake_256(f"{self.seed}/{self.drawn}".encode()).digest(size)


@dataclass
class Writing:
    """Brings names and texts into the form in which the bank hands them on."""

    manners: Manners
    entropy: Callable[[int], bytes]

    def __call__(self, name: str, text: str) -> tuple[str, str, int]:
        """Name, text and the width at which it breaks."""
        # Always drawn, so that what happens to one text does not depend on how others are treated.
        recased, wrapped, cut = self.entropy(3)
        name, text = _plain(name)[:MAX_NAME].strip(), _plain(text)[:MAX_TEXT].strip()
        if _falls(recased, self.manners.recase):
            name, text = latin(name).upper()[:MAX_NAME], latin(text).upper()[:MAX_TEXT]
        if _falls(cut, self.manners.cut):
            text = text[: len(text) * 2 // 3].strip()
        return name, text, 35 if _falls(wrapped, self.manners.wrap) else 0


def _falls(byte: int, one_in: int) -> bool:
    return one_in > 0 and byte % one_in == 0


def _plain(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


@dataclass
class Ledger:
    """The entries of one account, in the order in which they were made; those struck are gone."""

    account: Account
    entries: list[Entry] = field(default_factory=list)
    numbered: int = 0
    charged: date | None = None
    """The last month's first day of which the fee is booked."""
    reported: date | None = None
    """The last day that a statement covered: nothing new is booked on it or before."""

    def add(self, entry: Entry) -> Entry:
        """Keep an entry whose number was taken from `next_number`."""
        self.entries.append(entry)
        return entry

    def next_number(self) -> int:
        """The number of the entry to come."""
        self.numbered += 1
        return self.numbered

    def between(self, first: date, last: date) -> list[Entry]:
        """The entries of those days, both in it, in the order of the statement."""
        found = [entry for entry in self.entries if first <= entry.booked_on <= last]
        return sorted(found, key=lambda entry: (entry.booked_on, entry.number))

    def balances(self, since: date) -> Iterator[int]:
        """The balance at the end of `since`, and after each entry that is booked for a later day."""
        balance = self.account.opening + sum(entry.amount for entry in self.entries if entry.booked_on <= since)
        yield balance
        for entry in sorted(self.entries, key=lambda entry: (entry.booked_on, entry.number)):
            if entry.booked_on > since:
                balance += entry.amount
                yield balance
