"""What the log has told so far of monthly top-ups: mandates, who was told of what, files, what became of each debit.

Which debits a file holds stands in the tables, and the log holds a digest of them: they are read when a file is
ordered, and believed if the digest is theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ledger.currency.bank.mandates.index import Item
from ledger.currency.bank.mandates.places import places


@dataclass(slots=True)
class MandateState:
    """A mandate as the log tells it. `hashes` are those of the texts that were signed, by version."""

    id: bytes
    account: int
    reference: str
    amount: int
    version: int
    hashes: dict[int, str]
    by_device: set[int] = field(default_factory=set)
    """The versions that the party's own device signed; others are on paper, or signed before somebody of the office."""
    suspended_by: bytes | None = None
    ended_at: int | None = None

    @property
    def is_collected(self) -> bool:
        """Whether debits are made by it."""
        return self.ended_at is None and self.suspended_by is None


@dataclass(slots=True)
class DebitFile:
    """A file of debits. `items` holds each as the log tells it, by its number; none where the digest is not theirs."""

    id: bytes
    number: int
    month: str
    attempt: int
    total: int
    debits: int
    risk_days: int
    sha256: str
    items: dict[int, Item] = field(default_factory=dict)
    withdrawn: bool = False
    fetched: bool = False


@dataclass
class Debits:
    """All of them. `items_of` reads the debits of a file (by its id) from the tables, `told_in` those who were told of
    debits on the list that the log has at a place: mandate and cents of each.
    """

    mandates: dict[bytes, MandateState] = field(default_factory=dict)
    live: dict[int, bytes] = field(default_factory=dict)
    """The mandate that a party has, by account."""
    files: dict[int, DebitFile] = field(default_factory=dict)
    lists: dict[str, int] = field(default_factory=dict)
    """How many lists of a month were made."""
    told: dict[tuple[str, bytes], int] = field(default_factory=dict)
    """The cents that were told last, by month and mandate."""
    items_of: Callable[[bytes], list[Item]] = lambda id_: []
    told_in: Callable[[int], list[tuple[bytes, int]]] = lambda seq: []

    def named(self, text: object) -> list[Item] | None:
        """The debits that evidence names, as they stand; None where it names none, or one that there is not."""
        try:
            wanted = sorted(places(text))
        except ValueError:
            return None
        found = [self.item(place) for place in wanted]
        known = [one for one in found if one is not None]
        return known if known and len(known) == len(found) else None

    def item(self, place: tuple[int, int]) -> Item | None:
        """The debit with that number in that file."""
        file = self.files.get(place[0])
        return None if file is None or file.withdrawn else file.items.get(place[1])

    def put(self, item: Item) -> None:
        """The debit is as this from now on."""
        self.files[item.file].items[item.number] = item

    def of_line(self, line: bytes) -> tuple[list[Item], list[Item]]:
        """The debits that a line brought, and those that it took back."""
        every = [one for file in self.files.values() for one in file.items.values()]
        return [one for one in every if one.credited_by == line], [one for one in every if one.unpaid_by == line]
