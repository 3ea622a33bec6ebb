"""Lines of statements that are our debits: brought as one sum or one by one, or come back.

A line or a part of one names a debit by the end-to-end id that we gave it, a mandate by its reference, a file by its
message id; banks repeat one or another, in whatever text. A file that comes as one sum is whole, or the parts tell
which debits are in it: what a bank keeps back, or nets against what came back, shows in the parts. Where they do not
tell, nobody guesses: the line goes to suspense, `may_be` says what it may be, and a person places it (`placed`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from ledger.core.model import Evidence, Instruction, Transaction, Transfer
from ledger.currency import uncovered
from ledger.currency.bank import claims
from ledger.currency.bank.lines import Books, Line
from ledger.currency.bank.mandates.index import BROUGHT, MAX_NAMED, UNPAID, Item, items
from ledger.currency.bank.mandates.moves import Moves
from ledger.currency.bank.mandates.places import packed
from ledger.currency.bank.mandates.tables import COLLECTION, COLLECTION_ITEM, MANDATE
from ledger.currency.bank.reference import found_in
from ledger.currency.bank.statement import LineKind
from ledger.currency.errors import CurrencyError
from ledger.currency.tables import HOLDING, PARTY
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town

KNOWN_DAYS = 430
"""How long after its day a debit can come back: 13 months, if the mandate was never signed; and some weeks of delay."""
_ITEM, _COLLECTION = COLLECTION_ITEM.c, COLLECTION.c
_OURS = frozenset({LineKind.TRANSFER, LineKind.DEBIT, LineKind.RETURN, LineKind.OTHER})
_AT_ONCE = 500


class _Name(NamedTuple):
    """What a reference stands for: a file, a debit or a mandate."""

    what: str
    id: bytes


class _Known:
    """The references of debits that may still be heard of, and which of them lines of this run took already."""

    def __init__(self, town: Town) -> None:
        since = town.charter.local_date(town.now()) - timedelta(days=KNOWN_DAYS)
        recent = (_COLLECTION.collect_on >= since.isoformat(), _COLLECTION.withdrawn_at.is_(None))
        self.there: dict[bytes, Item] = {}
        """Debits as they were before a batch of lines; what the batch itself does to them is in `brought`, `back`."""
        self.brought: set[bytes] = set()
        self.back: set[bytes] = set()
        self.names: dict[str, _Name] = {}
        with town.reading() as connection:
            files = connection.execute(select(_COLLECTION.reference, _COLLECTION.id).where(*recent)).all()
            if not files:
                return
            debits = select(_ITEM.reference, _ITEM.id, _ITEM.mandate).join(
                COLLECTION, _COLLECTION.id == _ITEM.collection
            )
            mandates = set()
            for reference, id_, mandate in connection.execute(debits.where(*recent)):
                self.names[reference] = _Name("debit", id_)
                mandates.add(mandate)
            for reference, id_ in connection.execute(select(MANDATE.c.reference, MANDATE.c.id)):
                if id_ in mandates:
                    self.names[reference] = _Name("mandate", id_)
            self.names |= {reference: _Name("file", id_) for reference, id_ in files}


def prepare(books: Books, batch: Sequence[Line]) -> None:
    """Ask once for the whole batch for the debits that its lines name by themselves."""
    known = _known(books)
    if not known.names:
        return
    plain = [line for line in batch if line.amount > 0 and not line.parts]
    ids = {hit.id for line in plain for hit in _hits(known, line.said) if hit.what == "debit"}
    with books.town.reading() as connection:
        known.there = _by_id(connection, ids)


def debits(books: Books, line: Line) -> Transaction | None:
    """The entry of a line that brings debits or takes some back; None where it is not sure to."""
    known = _known(books)
    if not known.names or line.kind not in _OURS:
        return None
    if line.amount < 0 and line.kind == LineKind.TRANSFER:
        return None  # We pay somebody, and name a debit of theirs: whether that gives it back, a person says.
    with books.town.reading() as connection:
        found = _found(connection, known, line)
    if found is None:
        return None
    brought, back = found
    if any(one.credited_by is not None or one.id in known.brought for one in brought):
        return None
    if any(one.unpaid_by is not None or one.id in known.back for one in back):
        return None
    if not _each_once(brought) or not _each_once(back):
        return None
    if sum(one.amount for one in brought) - sum(one.amount for one in back) != line.amount:
        return None
    made = _entry(books, line, brought, back)
    if made is not None:
        known.brought.update(one.id for one in brought)
        known.back.update(one.id for one in back)
    return made


def undoing(books: Books, line: Line, id_: bytes, kind: str, evidence: Evidence, stood: bytes) -> Transaction | None:
    """The entry that undoes `stood`, whose line a corrected statement no longer has; None where it is not of debits.

    Raises `CurrencyError`, collection_begun, where too much has happened since.
    """
    if line.became not in (BROUGHT, UNPAID) and line.placed_as != "debits":
        return None
    with books.town.reading() as connection:
        brought = items(connection, _ITEM.credited_by == stood)
        back = items(connection, _ITEM.unpaid_by == stood)
    both = {one.id for one in brought} & {one.id for one in back}
    moves = Moves(books.town.chart, line.reserve, partial(uncovered.free, books.town),
                  partial(claims.takes_units, books.town))  # fmt: skip
    for one in brought:
        if one.id not in both and one.unpaid_by is not None:
            raise CurrencyError(
                "collection_begun", tell("a debit of this line came back since, by another: place that first")
            )
        if one.id not in both:
            moves.give_back(one)
    for one in back:
        if one.id not in both:
            moves.take_again(one)
    early = [one for one in back if one.credited_by is None]
    named = {
        **_named("items", brought), **_named("unpaid", back), **_named("early", early),
        **_named("released", [one for one in brought if one.released_seq is not None and one.id not in both]),
    }  # fmt: skip
    transfers = _within(moves, named)
    if transfers is None:
        raise CurrencyError(
            "collection_begun", tell("the units of more members were released than one entry can take back")
        )
    return Transaction(id_, kind, transfers, line.booked_on, evidence={**evidence, **named})


def placed(town: Town, line: Line, other: bytes) -> tuple[str, tuple[Transfer, ...], dict[str, str]]:
    """Kind, transfers and evidence of a line in suspense that a person says is of our debits.

    `other` is a file's id, of which the line is all that is open, or a debit's, which the line brings or takes back.
    Raises `CurrencyError`: not_found, placing_uneven.
    """
    with town.reading() as connection:
        of_file = items(connection, _ITEM.collection == other)
        found = of_file or items(connection, _ITEM.id == other)
    if not found:
        raise CurrencyError("not_found", tell("there is no such debit or file of debits; `patard mandate collections`"))
    if line.amount > 0:
        open_ = [one for one in found if one.credited_by is None]
        choices = [[one for one in open_ if not one.is_rejected], open_]
    else:
        choices = [[one for one in found if one.unpaid_by is None and (one.credited_by is not None or not of_file)]]
    right = [some for some in choices if some and sum(one.amount for one in some) == abs(line.amount)]
    if not right:
        there = Cents(sum(one.amount for one in choices[0]))
        raise CurrencyError("placing_uneven", tell(
            "what is open of that comes to {there}, and the line is of {amount}: what the bank rejected is marked "
            "with `patard mandate reject`", there=there, amount=Cents(abs(line.amount)),
        ))  # fmt: skip
    brought, back = (right[0], []) if line.amount > 0 else ([], right[0])
    moves = Moves(town.chart, town.chart.suspense, partial(uncovered.free, town))
    named = _gather(moves, brought, back, set())
    transfers = _within(moves, named)
    if transfers is None:
        raise CurrencyError("placing_uneven", tell("these are debits of more members than one entry can hold"))
    return (BROUGHT if line.amount > 0 else UNPAID), transfers, {**named, "other": other.hex()}


def require_put_back(town: Town, stood: Instruction) -> None:
    """Raise `CurrencyError`, line_not_placed, where debits that a placing brought or took back went on since."""
    with town.reading() as connection:
        brought = items(connection, _ITEM.credited_by == stood.id)
        back = items(connection, _ITEM.unpaid_by == stood.id)
    if not brought and not back or not isinstance(stood, Transaction):
        return
    moves = Moves(town.chart, town.chart.suspense, partial(uncovered.free, town))
    for one in brought:
        moves.give_back(one)
    for one in back:
        moves.take_again(one)
    now = {(t.debit, t.credit, t.amount, t.unit) for t in moves.transfers() or ()}
    went_on = any(one.unpaid_by is not None or one.released_seq is not None for one in brought)
    if went_on or now != {(t.credit, t.debit, t.amount, t.unit) for t in stood.transfers}:
        raise CurrencyError("line_not_placed", tell("debits of it were released, or came back or arrived since"))


class Open(NamedTuple):
    """What of our debits a line may be: the rest of a file (`name` is its month), or one debit (the member's)."""

    id: bytes
    cents: int
    name: str
    day: date
    is_named: bool
    """Whether the line says so."""


def may_be(town: Town, lines: Sequence[Line]) -> dict[bytes, list[Open]]:
    """What each of these lines may be of our debits, by the line's id."""
    known = _Known(town)
    if not known.names:
        return {}
    amounts = {line.amount for line in lines}
    wanted: dict[bytes, list[Open]] = {}
    with town.reading() as connection:
        files = connection.execute(
            select(_COLLECTION.id, _COLLECTION.month, _COLLECTION.collect_on, func.sum(_ITEM.amount).label("rest"))
            .join(COLLECTION_ITEM, _ITEM.collection == _COLLECTION.id)
            .where(_COLLECTION.withdrawn_at.is_(None), _ITEM.credited_by.is_(None), _ITEM.unpaid_by.is_(None))
            .group_by(_COLLECTION.id, _COLLECTION.month, _COLLECTION.collect_on)
        ).all()
        debits = connection.execute(
            select(_ITEM.id, _ITEM.amount, PARTY.c.name, _COLLECTION.collect_on, _ITEM.reference)
            .join(COLLECTION, _COLLECTION.id == _ITEM.collection)
            .join(HOLDING, HOLDING.c.account == _ITEM.account)
            .join(PARTY, PARTY.c.id == HOLDING.c.party)
            .where(
                _ITEM.credited_by.is_not(None), _ITEM.unpaid_by.is_(None), _COLLECTION.withdrawn_at.is_(None),
                _ITEM.amount.in_(sorted(-amount for amount in amounts if amount < 0)),
            )
            .order_by(_COLLECTION.number.desc())
        ).all()  # fmt: skip
    for line in lines:
        said = {hit.id for hit in _hits(known, line.said)}
        found = wanted.setdefault(line.id, [])
        for row in files if line.amount > 0 else ():
            if row.rest == line.amount or row.id in said:
                found.append(Open(row.id, int(row.rest), row.month, date.fromisoformat(row.collect_on), row.id in said))
        for one in debits if line.amount < 0 else ():
            if one.amount == -line.amount and one.collect_on <= line.booked_on.isoformat():
                found.append(Open(one.id, one.amount, one.name, date.fromisoformat(one.collect_on), one.id in said))
    return wanted


def _known(books: Books) -> _Known:
    found = books.extra.get("debits")
    if not isinstance(found, _Known):
        found = books.extra["debits"] = _Known(books.town)
    return found


def _hits(known: _Known, texts: Iterable[str]) -> set[_Name]:
    return found_in(texts, known.names)


def _found(connection: Connection, known: _Known, line: Line) -> tuple[list[Item], list[Item]] | None:
    """The debits that a line brings and those that it takes back; None where it does not tell."""
    parts = line.parts or (
        {"amount": line.amount, "text": line.text, "end_to_end": line.end_to_end, "mandate": line.mandate,
         "name": line.name},
    )  # fmt: skip
    told = [
        (int(part["amount"]), _hits(known, (part["text"], part["end_to_end"], part["mandate"], part["name"])))
        for part in parts
    ]
    if not any(hits for _amount, hits in told) and not _hits(known, line.said):
        return None
    ids = {hit.id for _amount, hits in told for hit in hits if hit.what == "debit"}
    # What goes out leans on what the lines before it did.
    known_now = known.there if line.amount > 0 and ids <= known.there.keys() else None
    by_id = known_now if known_now is not None else _by_id(connection, ids)
    each = [_debit(connection, known, amount, hits, by_id) for amount, hits in told]
    if all(each):
        sure = [one for one in each if one is not None]
        brought = [one for one, (amount, _hits) in zip(sure, told, strict=True) if amount > 0]
        return brought, [one for one, (amount, _hits) in zip(sure, told, strict=True) if amount < 0]
    if any(each):
        return None  # some parts are ours and others are not: a person looks at that
    files = {hit.id for hit in _hits(known, line.said).union(*(hits for _amount, hits in told)) if hit.what == "file"}
    return _whole(connection, known, line, files.pop()) if len(files) == 1 else None


def _by_id(connection: Connection, ids: Iterable[bytes]) -> dict[bytes, Item]:
    wanted = sorted(ids)
    return {
        one.id: one
        for start in range(0, len(wanted), _AT_ONCE)
        for one in items(connection, _ITEM.id.in_(wanted[start : start + _AT_ONCE]))
    }


def _debit(
    connection: Connection, known: _Known, amount: int, hits: set[_Name], by_id: dict[bytes, Item]
) -> Item | None:
    """The one debit of this amount that a part names; by its mandate, that which fits best."""
    named = [by_id[hit.id] for hit in hits if hit.what == "debit" and hit.id in by_id]
    if named:
        return named[0] if len(named) == 1 and named[0].amount == abs(amount) else None
    mandates = [hit.id for hit in hits if hit.what == "mandate"]
    if len(mandates) != 1:
        return None
    found = items(connection, _ITEM.mandate == mandates[0], _ITEM.amount == abs(amount))
    if amount > 0:
        # Banks bring the older first.
        waiting = [one for one in found if one.credited_by is None and one.id not in known.brought]
        return waiting[0] if waiting else None
    # The latest that was brought: it is days since that, and months since those before.
    back = [one for one in found if one.unpaid_by is None and one.id not in known.back]
    brought = [one for one in back if one.credited_by is not None]
    return brought[-1] if brought else back[-1] if back else None


def _whole(connection: Connection, known: _Known, line: Line, file: bytes) -> tuple[list[Item], list[Item]] | None:
    """All of a file: what was not brought yet, or what was and did not come back."""
    if line.amount > 0:
        every = items(connection, _ITEM.collection == file, _ITEM.credited_by.is_(None))
        every = [one for one in every if one.id not in known.brought]
        # Without what it said that it will not carry out; else it did all the same.
        for rest in ([one for one in every if not one.is_rejected], every):
            if rest and sum(one.amount for one in rest) == line.amount:
                return rest, []
        return None
    there = items(connection, _ITEM.collection == file, _ITEM.credited_by.is_not(None), _ITEM.unpaid_by.is_(None))
    there = [one for one in there if one.id not in known.back]
    return ([], there) if there and sum(one.amount for one in there) == -line.amount else None


def _entry(books: Books, line: Line, brought: list[Item], back: list[Item]) -> Transaction | None:
    """The entry of a line that is known to be these debits."""
    both = {one.id for one in brought} & {one.id for one in back}
    moves = Moves(books.town.chart, line.reserve, partial(uncovered.free, books.town))
    named = _gather(moves, brought, back, both)
    return _made(books, line, line.id, BROUGHT if line.amount > 0 else UNPAID, moves, named)


def _gather(moves: Moves, brought: list[Item], back: list[Item], both: set[bytes]) -> dict[str, str]:
    """Let debits move, those that came and went at once aside; gives how evidence names them."""
    for one in brought:
        if one.id not in both:
            moves.bring(one)
    for one in back:
        if one.id not in both:
            moves.give_back(one)
    early = [one for one in brought if one.is_early]
    early += [one for one in back if one.credited_by is None and one.id not in both]
    named = {
        **_named("items", brought), **_named("unpaid", back), **_named("early", early),
        **_named("released", [one for one in back if one.released_seq is not None]),
    }  # fmt: skip
    if len(brought) + len(back) == 1:
        [one] = brought or back
        named["holder"] = f"{one.account:016x}"
    return named


def _made(books: Books, line: Line, id_: bytes, kind: str, moves: Moves, named: dict[str, str]) -> Transaction | None:
    """The entry; None where it would be larger than one can be."""
    transfers = _within(moves, named)
    if transfers is None:
        return None
    return Transaction(id_, kind, transfers, line.booked_on, evidence=books.evidence(line, **named))


def _within(moves: Moves, named: dict[str, str]) -> tuple[Transfer, ...] | None:
    """The transfers, and in `named` whose debts change; None where it is more than one entry can hold."""
    if moves.owed and "holder" not in named:
        named["owed"] = ",".join(f"{account:016x}:{cents}" for account, cents in sorted(moves.owed.items()))
    transfers = moves.transfers()
    return transfers if transfers and sum(map(len, named.values())) <= MAX_NAMED else None


def _named(name: str, found: list[Item]) -> dict[str, str]:
    return {name: packed(one.place for one in found)} if found else {}


def _each_once(found: list[Item]) -> bool:
    return len({one.id for one in found}) == len(found)
