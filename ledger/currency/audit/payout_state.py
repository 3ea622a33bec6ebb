"""What the log has told so far of payouts: what is owed, which file orders it, who signed, what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.currency.bank.payouts.alone import Left


@dataclass(slots=True)
class Owed:
    """What a reconversion owes its shop (cents), and the ids of the entries that paid or undid it."""

    id: bytes
    seq: int
    holder: int
    units: int
    amount: int
    sound: bool = True
    """Whether nothing was wrong with the reconversion; one that was forged need not be in the tables."""
    file: bytes | None = None
    """The live file that it is in."""
    paid_by: bytes | None = None
    undone_by: bytes | None = None
    away_by: bytes | None = None
    home_by: bytes | None = None
    """What took the euros of an undone one in a sum of several, and what brought them back."""

    @property
    def is_due(self) -> bool:
        """Whether it is neither paid nor undone."""
        return self.paid_by is None and self.undone_by is None


class Did(NamedTuple):
    """When somebody did something (us) and who, as its note says."""

    at: int
    by: str


@dataclass(slots=True)
class File:
    """A file of payouts. `signers` maps each key that signed to its person's account."""

    id: bytes
    number: int
    sha256: bytes
    total: int
    transfers: int
    people: int
    places: list[int]
    seq: int
    """Place of the note that ordered it."""
    message: str
    requested_on: str
    reserve: int
    made: Did
    to: str | None
    """The salted hash of the names and IBANs to which it goes; None in notes from before there were such."""
    said: dict[int, str | None]
    """The hash of where each holder was paid by then; None where they had not said it."""
    signers: dict[bytes, int | None] = field(default_factory=dict)
    fetched: Did | None = None
    """The first time."""
    withdrawn: Did | None = None
    words: dict[bytes, set[str]] = field(default_factory=dict)
    """Who said that the bank will not execute a payout of it, by the reconversion."""


@dataclass(slots=True)
class Out:
    """The files that left with a payout: the last of them, and by how many people one left at the most."""

    file: File
    people: int


@dataclass(slots=True)
class Payouts:
    """All of them: by the reconversion's id, by its place in the log; files by the id of their note."""

    owed: dict[bytes, Owed] = field(default_factory=dict)
    by_place: dict[int, Owed] = field(default_factory=dict)
    files: dict[bytes, File] = field(default_factory=dict)
    out: dict[int, Out] = field(default_factory=dict)
    """By the place of the reconversion."""
    settled: dict[bytes, list[Owed]] = field(default_factory=dict)
    """What each entry paid or undid, by the entry's id."""
    left: list[tuple[int, Left]] = field(default_factory=list)
    """Files that left with one person's signatures, each with the `at` of its entry (us)."""
    beside: dict[bytes, tuple[int, Left]] = field(default_factory=dict)
    """Entries that paid what no file let leave, by their ids, and stand; likewise."""

    def owe(self, one: Owed) -> None:
        """A reconversion was accepted."""
        self.owed[one.id] = self.by_place[one.seq] = one

    def leave(self, file: File, people: int) -> None:
        """A file was fetched for the first time, which so many people let leave."""
        for place in file.places:
            before = self.out.get(place)
            self.out[place] = Out(file, max(people, before.people if before else 0))

    def pay(self, entry: bytes, meant: list[Owed], away: list[Owed]) -> None:
        """The entry paid these, and took the euros of those that are away."""
        for one in meant:
            one.paid_by = entry
        for one in away:
            one.away_by = entry
        self.settled[entry] = meant + away

    def undo(self, entry: bytes, meant: list[Owed], home: list[Owed]) -> None:
        """The entry gave these shops their units again, and brought back the euros of those that were away."""
        for one in meant:
            one.undone_by = entry
        for one in home:
            one.home_by = entry
        self.settled[entry] = meant + home

    def take_back(self, entry: bytes) -> None:
        """The entry counts no more."""
        self.beside.pop(entry, None)
        for one in self.settled.pop(entry, ()):
            if one.paid_by == entry:
                one.paid_by = None
                if one.file is not None and self.files[one.file].withdrawn:
                    one.file = None
            if one.undone_by == entry:
                one.undone_by = None
            if one.away_by == entry:
                one.away_by = None
            if one.home_by == entry:
                one.home_by = None
