"""Euros in, units out, and back: conversion, the requests to change back."""

from __future__ import annotations

from typing import Any

from api.commands.console import CONSOLE, CliError, Exit, _, amount, euros, money, shown_day
from api.commands.console import day as typed_day
from api.commands.opened import opened, readable
from ledger.core.ids import account_text
from ledger.core.model import Posted
from ledger.currency import conversion, parties
from ledger.currency.bank import ahead
from ledger.currency.charter import Charter
from ledger.currency.conversion import Asked
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town


def convert(
    who: str,
    sum_: str,
    cash: str | None,
    bank: str | None,
    reserve_name: str | None,
    brought: str | None,
    day: str | None,
) -> None:
    """Issue units against the euros of a cash slip or a bank line."""
    cents = amount(sum_, "AMOUNT")
    if (cash is None) is (bank is None):
        if cash is not None:
            raise CliError(Exit.USAGE, "usage", _("Choose one of {options}.").format(options="--cash, --bank"))
        raise CliError(
            Exit.REFUSED, "not_covered",
            _("No unit without a euro: name what brought the euros, --cash SLIP or --bank REFERENCE."),
        )  # fmt: skip
    given = cents if brought is None else amount(brought, "--euros")
    booked_on = typed_day("--date", day) if day else None
    with opened() as town:
        party = parties.named(town, who)
        name = _reserve_account(town.charter, "cash" if cash is not None else "bank", reserve_name)
        reference = cash if cash is not None else bank
        assert reference is not None
        posted = conversion.convert(
            town, party, cents, reserve=name, reference=reference, booked_on=booked_on, euros=given
        )
        balance = town.book.balance(party.account)
        symbol = town.charter.symbol
        until = ahead.expected_until(town, posted.id)
    if posted.replay:
        told = _("{reference} stands already: {amount} to {name}. Nothing was moved now.")
    else:
        told = _("{amount} to {name}, against {euros} on {reserve} ({reference}).")
    CONSOLE.say(
        told.format(amount=money(cents, symbol), name=party.name, euros=euros(cents), reserve=name,
                    reference=conversion.plain_reference(reference))
    )  # fmt: skip
    if until is not None:
        CONSOLE.say(_("Typed ahead of the statement, which is expected until {day}.").format(day=shown_day(until)))
    CONSOLE.say(_("Balance of {name}: {amount}").format(name=party.name, amount=money(balance, symbol)))
    CONSOLE.give(
        {"id": posted.id.hex(), "seq": posted.seq, "replay": posted.replay, "party": party.name,
         "account": account_text(party.account), "amount_cents": cents, "reserve": name,
         "reference": conversion.plain_reference(reference), "balance_cents": balance,
         "expected_until": until.isoformat() if until else None}
    )  # fmt: skip


def unconvert(reference: str, reserve_name: str | None) -> None:
    """Take back the conversion of a slip or bank line."""
    with opened() as town:
        found = conversion.conversions_of(town, reference)
        if reserve_name is not None:
            found = [one for one in found if one.reserve == reserve_name]
        if len(found) > 1:
            told = _("{reference} is on several reserve accounts ({names}): choose one with --reserve NAME.")
            names = ", ".join(one.reserve for one in found)
            raise CliError(
                Exit.USAGE, "reserve_account_unknown", told.format(reference=found[0].reference, names=names)
            )
        if not found:
            told = _("No conversion names {reference}.")
            raise CliError(Exit.REFUSED, "not_found", told.format(reference=conversion.plain_reference(reference)))
        [one] = found
        party = parties.by_account(town, one.account)
        symbol = town.charter.symbol
        try:
            posted = conversion.correct(town, one.id)
        except CurrencyError as error:
            if error.code != "below_floor":
                raise
            told = _("{name} holds {left} and has spent some of these {amount}: have them paid back first.")
            left = money(town.book.balance(party.account), symbol)
            raise CliError(
                Exit.REFUSED, error.code, told.format(name=party.name, left=left, amount=money(one.amount, symbol))
            ) from error
        balance = town.book.balance(party.account)
    if posted.replay:
        told = _("{reference} was taken back before; nothing was moved now.")
    else:
        told = _("{reference} is taken back: {amount} from {name}, {euros} from the guarantee on {reserve}.")
    CONSOLE.say(
        told.format(reference=one.reference, amount=money(one.amount, symbol), name=party.name,
                    euros=euros(one.amount), reserve=one.reserve)
    )  # fmt: skip
    CONSOLE.say(_("What is right goes in under a reference of its own, such as {again}.").format(
        again=f"{one.reference}/2"
    ))  # fmt: skip
    CONSOLE.say(_("Balance of {name}: {amount}").format(name=party.name, amount=money(balance, symbol)))
    CONSOLE.give(
        {"id": posted.id.hex(), "seq": posted.seq, "replay": posted.replay, "corrects": one.id.hex(),
         "party": party.name, "account": account_text(party.account), "amount_cents": one.amount,
         "reserve": one.reserve, "reference": one.reference, "balance_cents": balance}
    )  # fmt: skip


def _reserve_account(charter: Charter, kind: str, name: str | None) -> str:
    """The reserve account that is meant: the one named, the only one of its kind, or the bank's named for top-ups."""
    fit = [account.name for account in charter.reserve if account.kind == kind]
    if name is not None:
        if name not in fit:
            told = _("{name!r} is no {kind} account of the charter; it has: {names}.")
            raise CliError(
                Exit.USAGE, "reserve_account_unknown", told.format(name=name, kind=kind, names=", ".join(fit) or "-")
            )
        return name
    if kind == "bank" and len(fit) > 1 and charter.bank.topup is not None:
        return charter.bank.topup
    if len(fit) != 1:
        told = _("The charter has {count} {kind} accounts ({names}): choose one with --reserve NAME.")
        raise CliError(
            Exit.USAGE, "reserve_account_unknown", told.format(count=len(fit), kind=kind, names=", ".join(fit) or "-")
        )
    return fit[0]


# --- changing back ---------------------------------------------------------------------------------------


def waiting() -> None:
    """The requests to change back that wait for a decision."""
    with readable() as town:
        asked = conversion.waiting(town)
        with town.reading() as connection:
            names = parties.by_accounts(connection, {one.account for one in asked})
        symbol = town.charter.symbol
        days = {one.id: shown_day(town.charter.local_date(one.at)) for one in asked}
    if not asked:
        CONSOLE.say(_("Nobody waits to change back."))
    columns = [(_("id"), False), (_("asked"), False), (_("units"), True), (_("fee"), True), (_("payout"), True),
               (_("name"), False)]  # fmt: skip
    rows = [
        (one.id.hex()[-8:], days[one.id], money(one.amount, symbol), euros(one.fee), euros(one.payout),
         names[one.account].name)
        for one in asked
    ]  # fmt: skip
    if rows:
        CONSOLE.table(columns, rows)
    CONSOLE.give([{**_asked(one), "name": names[one.account].name} for one in asked])


def accept(id_: str) -> None:
    """Owe a shop its euros, and destroy the units."""
    with opened() as town:
        one = _find(town, id_)
        posted = conversion.accept(town, one)
        name = parties.by_account(town, one.account).name
    told = _("Accepted: {payout} are owed to {name}, the fee is {fee}.")
    CONSOLE.say(told.format(payout=euros(one.payout), name=name, fee=euros(one.fee)))
    _decided(one, posted, name)


def refuse(id_: str) -> None:
    """Give a shop its units back."""
    with opened() as town:
        one = _find(town, id_)
        posted = conversion.refuse(town, one)
        name = parties.by_account(town, one.account).name
        symbol = town.charter.symbol
    CONSOLE.say(_("Refused: {name} has {amount} back.").format(name=name, amount=money(one.amount, symbol)))
    _decided(one, posted, name)


def _decided(one: Asked, posted: Posted, name: str) -> None:
    if posted.replay:
        CONSOLE.say(_("It had been decided so before; nothing was moved now."))
    CONSOLE.give({**_asked(one), "name": name, "decision": posted.id.hex(), "replay": posted.replay})


def _find(town: Town, text: str) -> Asked:
    """The request with that id, or the one that waits whose id ends so (4 characters or more)."""
    text = text.strip().lower()
    try:
        if len(text) == 32:
            return conversion.find_asked(town, bytes.fromhex(text))
    except ValueError:
        pass
    fit = [one for one in conversion.waiting(town) if len(text) >= 4 and one.id.hex().endswith(text)]
    if len(fit) != 1:
        told = _("No request to change back has the id {id!r}; `patard reconvert list` shows them.")
        raise CliError(Exit.REFUSED, "not_found", told.format(id=text))
    return fit[0]


def _asked(one: Asked) -> dict[str, Any]:
    return {
        "id": one.id.hex(), "account": account_text(one.account), "amount_cents": one.amount, "fee_cents": one.fee,
        "payout_cents": one.payout,
    }  # fmt: skip
