"""What must hold of a line for a person to place it so; each raises `CurrencyError` and says what to do instead."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from ledger.core.model import Instruction, Posted
from ledger.core.tables import LOG
from ledger.currency import clocked
from ledger.currency.bank import ahead, typed
from ledger.currency.bank.boxes import BOXED, issued, look, may_be_cash, may_pair, numbers
from ledger.currency.bank.correcting import is_treasurer
from ledger.currency.bank.lines import Line
from ledger.currency.bank.naming import line_of_conversion
from ledger.currency.bank.reference import squeezed
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.charter import ReserveKind
from ledger.currency.conversion import CONSOLE, Conversion, corrected_id, find_conversion
from ledger.currency.errors import CurrencyError
from ledger.currency.told import Cents, Told, tell
from ledger.currency.town import Town


def uneven(told: Told) -> CurrencyError:
    """The refusal of what a line cannot be."""
    return CurrencyError("placing_uneven", told)


def untyped(town: Town, line: Line, gets: Mapping[int, int]) -> None:
    """Hold that nobody typed what the line may be, were it to bring these members units: so many cents by account.

    Raises `CurrencyError`: line_typed.
    """
    there = typed.unexplained(town, [line])
    text, length = squeezed(line.bank_ref), len(line.bank_ref)
    for one in there.doubts(line, gets, amounts=False) if gets else ():
        # Whose cash lies in the box a treasurer may say (see `boxed`); of slips of an empty one nothing is left. And
        # that another sum is not what was typed (see `untyped_near`).
        by_reference = typed.same_reference(one, text, length)
        if not by_reference and (one.reserve in there.cash or not _is_sum(one, line, gets)):
            continue
        raise CurrencyError("line_typed", tell(
            "a conversion of {amount} was typed as {reference} for {booked_on}, and this line may be it: place it as "
            "known, or take back what was typed (`patard unconvert {reference}`), or place the line that it was first",
            amount=Cents(one.amount), reference=one.reference, booked_on=one.booked_on,
        ))  # fmt: skip


def untyped_near(town: Town, connection: Connection, line: Line, gets: Mapping[int, int]) -> None:
    """Raise `CurrencyError`, role_insufficient, where for one of these members somebody typed of these days what the
    line may be: another sum, by a slip of the pen, or as cash what came by the bank.
    """
    for one in typed.of_members(town, connection, line, gets):
        in_cash = one.reserve in numbers(town)
        if _is_sum(one, line, gets) is not in_cash or (in_cash and may_be_cash(line)):
            continue
        if in_cash and town.book.balance(one.reserve) < one.amount:
            continue  # its cash was paid in, and has its own line
        raise CurrencyError("role_insufficient", tell(
            "{amount} were typed as {reference} for {booked_on} for the same member, and this line may be those euros: "
            "if it is others, a treasurer may place it so",
            amount=Cents(one.amount), reference=one.reference, booked_on=one.booked_on,
        ))  # fmt: skip


def _is_sum(one: typed.Typed, line: Line, gets: Mapping[int, int]) -> bool:
    return one.amount in (line.amount, gets.get(one.holder))


def typed_as(town: Town, line: Line, id_: bytes) -> Conversion:
    """The conversion that somebody typed and that the line is: of as much, on its account or on another of a bank.

    Raises `CurrencyError`: not_found, placing_uneven, conversion_named.
    """
    found = find_conversion(town, id_)
    number = town.chart.reserve.get(found.reserve)
    if found.amount != line.amount or (number != line.reserve and number not in typed.banks(town)):
        raise CurrencyError("placing_uneven", tell(
            "the conversion of {reference} is of {amount} on {reserve!r}: it is not this line",
            reference=found.reference, amount=Cents(found.amount), reserve=found.reserve,
        ))  # fmt: skip
    if town.book.find(corrected_id(found.id)) is not None:
        raise CurrencyError(
            "conversion_named", tell("the conversion of {reference} was taken back", reference=found.reference)
        )
    with town.reading() as connection:
        if typed.find(connection, found.id) is None:
            raise CurrencyError(
                "not_found",
                tell("the conversion of {reference} is a bank line's own: nobody typed it", reference=found.reference),
            )
        naming = line_of_conversion(town, connection, found.id, found.transaction)
    if naming is not None and naming != line.id:
        raise CurrencyError("conversion_named", tell(
            "another bank line is the conversion of {reference} already", reference=found.reference
        ))  # fmt: skip
    return found


def same_side(line: Line, other: Line) -> None:
    """Hold that two lines name one account: what came from one and went to another is not given back."""
    if line.iban and other.iban and line.iban != other.iban:
        raise CurrencyError(
            "placing_uneven", tell("the bank names another account for each of these lines: place them one by one")
        )


def came(line: Line, what: str) -> None:
    """Raise `CurrencyError`, placing_uneven, where euros went out."""
    if line.amount < 0:
        raise CurrencyError(
            "placing_uneven", tell("euros went out with this line: it cannot have been {what}", what=what)
        )


def went(line: Line, what: str) -> None:
    """Raise `CurrencyError`, placing_uneven, where euros came in."""
    if line.amount > 0:
        raise CurrencyError(
            "placing_uneven", tell("euros came in with this line: it cannot have been {what}", what=what)
        )


def boxed(
    town: Town, connection: Connection, line: Line, placed: Instruction, posted: Posted, by: str
) -> None:  # fmt: skip
    """Raise `CurrencyError` where no treasurer says that what may be cash of a box is not (role_insufficient), or it
    makes more units of it in a day than one person converts by cash (limit_conversion).
    """
    if BOXED not in placed.evidence:
        return
    if not is_treasurer(town, by):
        if line.kind == LineKind.OPENING:
            raise CurrencyError("role_insufficient", tell(
                "there is cash in the box, its units were given, and it may have been paid in before the first "
                "statement, so that it is in this sum: a treasurer may say what of it is cash, and what the rest is"
            ))  # fmt: skip
        held = look(town, connection).held
        if line.amount > held:
            raise CurrencyError("role_insufficient", tell(
                "there are {held} in the box, their units were given, and this line may have them in it: split it, "
                "with a share of cash for what the box holds; if it is other euros, a treasurer may place it so",
                held=Cents(held),
            ))  # fmt: skip
        raise CurrencyError("role_insufficient", tell(
            "there is cash in the box, its units were given, and this line may be that cash, paid in: place it as "
            "cash; if it is other euros, a treasurer may place it so"
        ))  # fmt: skip
    cents, sources = issued(placed, town.chart.circulation), ahead.sources(town)
    if by != CONSOLE and cents:
        box, at = sources[ReserveKind.CASH][0], clocked.judged(town, posted)
        try:
            ahead.require_limit(town, connection, ahead.Asked(box, "", 0, cents, None, posted.seq, at, by), sources)
        except CurrencyError as error:
            limit = town.charter.limits.cash_per_day
            if cents > limit:
                raise CurrencyError(error.code, tell(
                    "{limit} of units a day may be given by one person by cash, and for what may be cash of a box, and "
                    "these are more: somebody at the machine places this line (`patard bank suspense place`)",
                    limit=Cents(limit),
                )) from error  # fmt: skip
            raise CurrencyError(error.code, tell(
                "{limit} of units a day may be given by one person by cash, and for what may be cash of a box, and "
                "these would be more: another treasurer places this line, or you tomorrow, or somebody at the machine "
                "(`patard bank suspense place`)", limit=Cents(limit),
            )) from error  # fmt: skip


def pair(line: Line, other: Line) -> None:
    """Hold that what went out does not hide behind cash that was paid in. Raises `CurrencyError`: placing_uneven."""
    if not may_pair(line, other):
        raise CurrencyError("placing_uneven", tell(
            "one is cash that was paid in, and the bank does not say that the other gave it back: place the one as "
            "cash or as whose it is, and the other by itself"
        ))  # fmt: skip


def cash_limit(town: Town, connection: Connection, line: Line) -> None:
    """Raise `CurrencyError`, placing_uneven, where placings of a day would put more into boxes than `cash_per_day`.

    Nothing that a bank says is held against a cash box: what went there is there because somebody said so.
    """
    if line.amount > 0:
        return
    now, limit = town.now(), town.charter.limits.cash_per_day
    midnight = clocked.since(town, now, town.charter.local_day_start(now)[1])
    query = (
        select(func.coalesce(func.sum(-BANK_LINE.c.amount), 0))
        .join(LOG, LOG.c.seq == BANK_LINE.c.placed_seq)
        .where(BANK_LINE.c.placed_as == "cash", BANK_LINE.c.amount < 0, LOG.c.at >= midnight)
    )
    before = int(connection.execute(query).scalar_one())
    if before - line.amount > limit:
        raise CurrencyError("placing_uneven", tell(
            "{limit} a day may be placed as cash that was taken out, and {before} were: place it tomorrow, or at the "
            "machine (`patard bank suspense place`)", limit=Cents(limit), before=Cents(before),
        ))  # fmt: skip
