"""Euros in, units out; and back: conversion and reconversion.

Both legs of a conversion are one transaction whose id follows from the slip or bank line that it names, so one
slip issues once. A request to change back moves the shop's units to a waiting account; deciding it, either
way, uses one derived id, so it is decided once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection

from ledger.core.ids import derived_id
from ledger.core.model import Posted, Transaction, Transfer
from ledger.currency import days
from ledger.currency.bank import ahead, boxes, typed
from ledger.currency.bank.payouts import index
from ledger.currency.chart import EUR
from ledger.currency.clocked import judged
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town

_REFERENCE = re.compile(r"[A-Z0-9](?:[A-Z0-9./-]{0,33}[A-Z0-9])?\Z")
CONSOLE = "console"
"""Who acted, in a record, when it was somebody at the machine and not a key over the API."""
CORRECTED = "conversion_corrected"
"""Kind of the transaction that takes a conversion back."""


def plain_reference(text: str) -> str:
    """A slip's or bank line's reference in its one form. Raises `CurrencyError`: reference_malformed."""
    reference = "".join(text.split()).upper()
    if not _REFERENCE.match(reference):
        raise CurrencyError(
            "reference_malformed", tell("a reference is 1 to 35 characters of A-Z, 0-9, and - / . between them")
        )
    return reference


def conversion_id(town: Town, reserve: str, reference: str) -> bytes:
    """Id of the one conversion that this slip or line of that reserve account can have."""
    return derived_id("patard/conversion", town.charter.network, reserve, reference)


def convert(
    town: Town, party: Party, amount: int, *, reserve: str, reference: str, booked_on: date | None = None,
    by: str = CONSOLE, euros: int | None = None,
) -> Posted:  # fmt: skip
    """Issue `amount` cents of units to `party` against as many euros on the reserve account named `reserve`.

    `reference` names the cash slip or the bank line; `euros` is what it brought, where that is known. It counts for the
    day `booked_on`, today unless given. The same conversion again is answered again. Raises `CurrencyError`:
    amount_malformed, date_outside, date_future, not_covered, conversion_uneven, reserve_account_unknown,
    reference_malformed, conversion_taken; conversion_on_statement where these euros come by a statement (see `ahead`),
    limit_conversion.
    """
    chart, unit = town.chart, town.charter.code
    _check_amount(amount)
    if booked_on is not None:
        days.past(town, booked_on)
    if euros is not None and euros != amount:
        if euros < amount:
            lack = Cents(amount - euros)
            raise CurrencyError(
                "not_covered", tell("no unit without a euro: {lack} of these units have none behind them", lack=lack)
            )
        rest = Cents(euros - amount)
        raise CurrencyError("conversion_uneven", tell("a euro makes a unit, no less: {rest} euros would be left over",
                                                      rest=rest))  # fmt: skip
    if reserve not in chart.reserve:
        names = tuple(map(repr, chart.reserve))
        raise CurrencyError("reserve_account_unknown", tell("no reserve account {reserve!r}; the charter has {names}",
                                                            reserve=reserve, names=names))  # fmt: skip
    reference = plain_reference(reference)
    transaction = Transaction(
        conversion_id(town, reserve, reference),
        "conversion",
        (
            Transfer(chart.circulation, party.account, amount, unit),
            Transfer(chart.reserve[reserve], chart.guarantee, amount, EUR),
        ),
        booked_on,
        evidence={"by": by, "reference": reference, "reserve": f"{chart.reserve[reserve]:016x}"},
    )
    sources = ahead.sources(town)

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay:
            return
        number = chart.reserve[reserve]
        at = judged(town, posted)
        asked = ahead.Asked(number, reference, party.account, amount, booked_on, posted.seq, at, by)
        ahead.require(town, connection, asked)
        if by != CONSOLE:
            ahead.require_limit(town, connection, asked, sources)
        typed.keep(
            connection, posted.id, posted.seq, posted.at, by=by, reserve=number, holder=party.account, amount=amount,
            booked_on=booked_on, reference=reference,
        )  # fmt: skip

    try:
        posted = town.post(transaction, also)
    except CurrencyError as error:
        if error.code != "id_taken":
            raise
        stood = town.book.find(transaction.id)
        instruction = stood and stood.instruction
        assert stood is not None
        # Whoever else of the office typed it in first, it is the same conversion: its id says reserve and reference.
        same = isinstance(instruction, Transaction) and instruction.transfers == transaction.transfers
        if not same or instruction is None or instruction.booked_on != booked_on:
            again = tell(
                "{reference} on {reserve!r} has issued units before, not these; to take those back: `patard unconvert "
                "{reference}`", reference=reference, reserve=reserve,
            )  # fmt: skip
            raise CurrencyError("conversion_taken", again) from error
        posted = Posted(transaction.id, stood.seq, stood.at, replay=True)
    if posted.replay and town.book.find(corrected_id(transaction.id)) is not None:
        raise CurrencyError(
            "conversion_taken",
            tell(
                "the conversion of {reference} on {reserve!r} was taken back; what is right goes in under a "
                "reference of its own, such as {reference}/2",
                reference=reference,
                reserve=reserve,
            ),
        )
    return posted


def corrected_id(id_: bytes) -> bytes:
    """Id of the one transaction that can take back the conversion `id_`."""
    return derived_id("patard/conversion-corrected", id_)


class Conversion(NamedTuple):
    """A conversion that the log has."""

    id: bytes
    account: int
    amount: int
    reserve: str
    reference: str
    transaction: Transaction


def find_conversion(town: Town, id_: bytes) -> Conversion:
    """The conversion with that id, taken back or not. Raises `CurrencyError`: not_found."""
    found = town.book.find(id_)
    instruction = found and found.instruction
    if not isinstance(instruction, Transaction) or instruction.kind != "conversion":
        raise CurrencyError("not_found", tell("no conversion has this id"))
    units, evidence = instruction.transfers[0], instruction.evidence
    names = {f"{number:016x}": name for name, number in town.chart.reserve.items()}
    reserve = names.get(str(evidence.get("reserve")), "")
    return Conversion(id_, units.credit, units.amount, reserve, str(evidence.get("reference", "")), instruction)


def conversions_of(town: Town, reference: str) -> list[Conversion]:
    """The conversions that name this slip or bank line: one for each reserve account at most.

    Raises `CurrencyError`: reference_malformed.
    """
    ids = [conversion_id(town, name, plain_reference(reference)) for name in town.chart.reserve]
    return [find_conversion(town, id_) for id_ in ids if town.book.find(id_) is not None]


def correct(town: Town, id_: bytes, *, by: str = CONSOLE) -> Posted:
    """Take a mistyped conversion back: all its units, and its euros from the guarantee. Asking again changes nothing.

    The slip or bank line stays used; what is right goes in under a reference of its own (S-17/2). Raises
    `CurrencyError`: not_found, below_floor when units were spent or the box's cash was paid in, account_closed,
    account_uncovered, conversion_banked where a statement shows that its euros did come.
    """
    from ledger.currency.bank.naming import line_of_conversion  # which works with conversions

    found = find_conversion(town, id_)
    wrong = found.transaction
    back = tuple(Transfer(t.credit, t.debit, t.amount, t.unit) for t in wrong.transfers)
    correction = Transaction(corrected_id(id_), CORRECTED, back, None, id_, {"by": by})

    def also(connection: Connection, posted: Posted) -> None:
        line = line_of_conversion(town, connection, id_, wrong)
        if line is not None:
            raise CurrencyError(
                "conversion_banked",
                tell(
                    "a bank line brought the euros of this conversion, and they are in the bank: `patard bank "
                    "suspense back {line}` puts the line back into suspense, where it is placed as what it is",
                    line=line.hex()[-8:],
                ),
            )
        typed.take_back(connection, id_, posted.seq)

    try:
        return town.post(correction, also)
    except CurrencyError as error:
        number = town.chart.reserve.get(found.reserve, 0)
        spent = town.book.balance(found.account) < found.amount
        if error.code == "below_floor" and not spent and number in boxes.numbers(town):
            raise CurrencyError("below_floor", boxes.emptied(town, number, found.amount)) from error
        if error.code in ("below_floor", "account_closed"):
            raise CurrencyError(error.code, tell(
                "its units are not there any more: if a line of another account brought its euros, place that line as "
                "what was typed (`patard bank suspense place`), or as cash where a slip was typed; if none did, have "
                "the units paid back, or bring other euros to the account"
            )) from error  # fmt: skip
        stood = town.book.find(correction.id) if error.code == "id_taken" else None
        if stood is None or not isinstance(stood.instruction, Transaction) or stood.instruction.transfers != back:
            raise
        return Posted(correction.id, stood.seq, stood.at, replay=True)


class Asked(NamedTuple):
    """A request to change back that waits for a decision. `fee` and `payout` are cents of euros."""

    id: bytes
    account: int
    amount: int
    fee: int
    payout: int
    at: int


def waiting(town: Town) -> list[Asked]:
    """The undecided requests, oldest first.

    The waiting account holds exactly their sum, so its statement is read back only until that is reached.
    """
    book, number = town.book, town.chart.waiting
    left = book.balance(number)
    decided: set[str] = set()
    asked: list[Asked] = []
    before: int | None = None
    while left > 0:
        page = book.statement(number, limit=200, before=before)
        for entry in page.entries:
            if entry.change < 0:
                decided.add(str(entry.evidence.get("asked", "")))
            elif entry.id.hex() not in decided:
                asked.append(_asked(town, entry.id, entry.counterparty, entry.change, entry.at))
                left -= entry.change
        if not page.next:
            break
        before = page.next
    return asked[::-1]


def _asked(town: Town, id_: bytes, account: int, amount: int, at: int) -> Asked:
    fee = town.charter.fee(amount)
    return Asked(id_, account, amount, fee, amount - fee, at)


def find_asked(town: Town, id_: bytes) -> Asked:
    """The request to change back with that id, decided or not. Raises `CurrencyError`: not_found."""
    found = town.book.find(id_)
    instruction = found and found.instruction
    if found is None or not isinstance(instruction, Transaction) or instruction.kind != "reconversion_asked":
        raise CurrencyError(
            "not_found", tell("no request to change back has this id; `patard reconvert list` shows them")
        )
    transfer = instruction.transfers[0]
    return _asked(town, id_, transfer.debit, transfer.amount, found.at)


def accept(town: Town, asked: Asked, *, by: str = CONSOLE) -> Posted:
    """Destroy the units and owe the shop the euros, less the charter's fee.

    Raises `CurrencyError`: reconversion_decided, charter_changed; reconversion_ahead where whoever accepts it typed
    units whose euros did not come yet (see `ahead`).
    """
    chart, unit = town.chart, town.charter.code
    transfers = [Transfer(chart.waiting, chart.circulation, asked.amount, unit)]
    if asked.payout:
        transfers.append(Transfer(chart.guarantee, chart.payouts, asked.payout, EUR))
    if asked.fee:
        transfers.append(Transfer(chart.guarantee, chart.income, asked.fee, EUR))

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay:
            return
        if by != CONSOLE:
            ahead.require_proved(town, connection, by, posted.seq)
        if asked.payout:
            index.owed(connection, town.charter.network, posted, asked.account, asked.amount, asked.payout)

    return _decide(town, asked, "reconversion", tuple(transfers), None, by, also)


def refuse(town: Town, asked: Asked, *, by: str = CONSOLE) -> Posted:
    """Give the units back to whoever asked. Raises `CurrencyError`: reconversion_decided."""
    transfers = (Transfer(town.chart.waiting, asked.account, asked.amount, town.charter.code),)
    return _decide(town, asked, "reconversion_refused", transfers, asked.id, by)


def _decide(
    town: Town, asked: Asked, kind: str, transfers: tuple[Transfer, ...], corrects: bytes | None, by: str,
    also: Callable[[Connection, Posted], None] | None = None,
) -> Posted:  # fmt: skip
    id_ = derived_id("patard/reconversion-decided", asked.id)
    decision = Transaction(id_, kind, transfers, None, corrects, {"asked": asked.id.hex(), "by": by})
    try:
        return town.post(decision, also)
    except CurrencyError as error:
        if error.code != "id_taken":
            raise
        raise CurrencyError("reconversion_decided", tell("this request to change back was decided already")) from error


def _check_amount(amount: int) -> None:
    if type(amount) is not int or not 0 < amount < 2**32:
        raise CurrencyError(
            "amount_malformed", tell("an amount is a whole number of cents from 1 to 42,949,672.95 euros")
        )
