"""Lines of statements as the bank's table has them, and what booking has to know to tell what they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, func, select

from ledger.core.ids import derived_id
from ledger.currency import parties
from ledger.currency.bank.reference import line_reference, member_references
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.errors import CurrencyError
from ledger.currency.tables import PARTY
from ledger.currency.told import tell
from ledger.currency.town import Town


class Line(NamedTuple):
    """A line that was taken. Amounts are signed cents; see `statement.BankLine` and `tables.BankLineTable`."""

    id: bytes
    place: int
    statement: bytes
    reserve: int
    booked_on: date
    amount: int
    ordinal: int
    kind: str
    bank_ref: str
    name: str
    iban: str
    text: str
    end_to_end: str
    mandate: str
    reason: str
    parts: tuple[dict[str, Any], ...]
    became: str | None
    seq: int | None
    holder: int | None
    placed_as: str | None
    placed_seq: int | None
    undone_seq: int | None

    @property
    def reference(self) -> str:
        """What tells it from every other line of its account."""
        return line_reference(self.booked_on, self.amount, self.ordinal)

    @property
    def said(self) -> tuple[str, ...]:
        """The texts in which a reference may stand."""
        return (self.text, self.end_to_end, self.mandate, self.name)


def has_texts(line: Line) -> bool:
    """Whether anything is left of what the bank wrote of a line."""
    return any((*line.said, line.iban, line.bank_ref, line.parts))


def said_of(part: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts of a part of a line in which a reference may stand."""
    return (part["text"], part["end_to_end"], part["mandate"], part["name"])


def back_id(line: bytes, turn: int) -> bytes:
    """Id of the one entry that puts this line back after it was put back `turn` times."""
    return derived_id("patard/suspense-back", line, str(turn))


def lines(
    town: Town,
    *where: ColumnElement[bool],
    limit: int | None = None,
    order: Sequence[ColumnElement[Any]] = (BANK_LINE.c.place,),
) -> list[Line]:
    """The lines that fit, in the order in which they were taken; those that a corrected statement took away are not."""
    query = select(BANK_LINE).where(BANK_LINE.c.withdrawn.is_(None), *where).order_by(*order).limit(limit)
    with town.reading() as connection:
        return [line_of(row) for row in connection.execute(query)]


def find_line(town: Town, id_: bytes) -> Line:
    """The line with that id. Raises `CurrencyError`: not_found."""
    found = lines(town, BANK_LINE.c.id == id_)
    if not found:
        raise CurrencyError("not_found", tell("no bank line has this id"))
    return found[0]


def _counted(connection: Connection) -> tuple[int, ...]:
    """How many parties there are, and how many of them left: neither ever falls."""
    return tuple(connection.execute(select(func.count(), func.count(PARTY.c.closed_at)).select_from(PARTY)).one())


def line_of(row: Row[Any]) -> Line:
    """A row of the table. Raises `ValueError`, naming it, where it is none that the program wrote."""
    values = row._mapping
    given = {name: values[name] for name in Line._fields if name not in ("booked_on", "parts")}
    try:
        return Line(**given, booked_on=date.fromisoformat(row.booked_on), parts=tuple(json.loads(row.parts)))
    except (ValueError, TypeError) as error:
        raise ValueError(f"the row {row.id.hex()} of bank_line cannot be read: {error}") from None


@dataclass
class Books:
    """What lines are held against while they are booked: who is known by which reference. `by` is who imports.

    Loaded when first asked for, and kept for a run; `forget` loads anew what changes while lines are booked.
    """

    town: Town
    by: str
    undone: set[bytes] = field(default_factory=set)
    """Lines that something in this run takes back already: one line is taken back once."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What finders of other modules keep here (open payouts, direct debits)."""

    @cached_property
    def members(self) -> dict[str, int]:
        """Accounts of open parties by their reference, where no two have it."""
        with self.town.reading() as connection:
            self.extra["parties"] = _counted(connection)
        found = parties.every(self.town, open_only=True)
        return member_references(self.town.charter.network, (party.account for party in found))

    @cached_property
    def reserve_names(self) -> dict[int, str]:
        """Names of the reserve's accounts by number."""
        return {number: name for name, number in self.town.chart.reserve.items()}

    def is_ours(self, line: Line) -> bool:
        """Whether the bank says that the other side of a line is another account of the reserve."""
        mine = self.reserve_names.get(line.reserve)
        return any(line.iban == one.iban != "" and one.name != mine for one in self.town.charter.reserve)

    def are_members_known(self, connection: Connection) -> bool:
        """Whether nobody joined or left since `members` were loaded."""
        return self.extra.get("parties") in (None, _counted(connection))

    def forget(self) -> None:
        """Load anew what may have changed."""
        self.__dict__.pop("members", None)
        self.undone.clear()
        self.extra.clear()

    def evidence(self, line: Line, **more: str | int) -> dict[str, str | int]:
        """What every entry of a line says: who booked it, on which account, which line."""
        return {"by": self.by, "reserve": f"{line.reserve:016x}", "reference": line.reference, **more}
