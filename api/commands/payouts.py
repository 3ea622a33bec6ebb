"""Payouts at the machine: what is due, files for the bank; and where parties are paid.

Signing is not done here: a signature is a treasurer's, made with a key that this machine does not have.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from api.commands.console import CONSOLE, N_, CliError, Exit, _, day, euros, money, ngettext, shown_day
from api.commands.opened import opened, readable
from api.schemas.payouts import batch_out, payouts_out, transfer_out
from ledger.core.ids import account_text
from ledger.currency import parties
from ledger.currency.bank import details
from ledger.currency.bank.details import Details
from ledger.currency.bank.payouts import batches, contents, owed, undoing
from ledger.currency.bank.payouts.batches import Batch
from ledger.currency.bank.payouts.payees import Payee
from ledger.currency.bank.reference import shown
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.town import Town

STATES = {
    "ordered": N_("to be signed"),
    "signed": N_("signed"),
    "fetched": N_("fetched, at the bank"),
    "settled": N_("settled"),
    "withdrawn": N_("withdrawn"),
}
PAYEES = {
    "match": N_("the bank knows this holder"),
    "close_match": N_("nearly the holder"),
    "no_match": N_("NOT the holder"),
    "not_possible": N_("holder not checked"),
}
"""What the bank found of the account's holder."""
LOOKS = {
    "new": N_("new account"),
    "changed": N_("no longer the shop's account"),
    "office": N_("account typed by the office"),
    "fewer": N_("paid before with fewer signatures"),
    "erased": N_("file erased, not compared"),
}
"""Why an IBAN is to be looked at, in the words of the office's page."""
TRANSFER_STATES = {"due": N_("under way"), "paid": N_("paid"), "undone": N_("given back")}


def show(*, every: bool) -> None:
    """What is due, and the files under way (`every`: all files)."""
    with readable() as town:
        due, files = owed.due(town), batches.every(town, open_only=not every)
        days = {one.payout.seq: shown_day(town.charter.local_date(one.at)) for one in due}
        given, owing = _files_json(town, files), payouts_out(town, due)
    if due:
        columns = [(_("reference"), False), (_("owed since"), False), (_("euros"), True), (_("shop"), False),
                   (_("goes to"), False)]  # fmt: skip
        rows = [
            (shown(one.payout.reference), days[one.payout.seq], euros(one.payout.amount), one.name, _where(one))
            for one in due
        ]
        CONSOLE.table(columns, rows)
    else:
        CONSOLE.say(_("Nothing is owed to shops."))
    for one in owing:
        if one.rejected_by:
            told = _("{reference}: the bank will not execute it, says {names}. Another person has to say so too.")
            CONSOLE.say(told.format(reference=one.reference, names=", ".join(map(_, one.rejected_by))))
    if files:
        CONSOLE.say()
        columns = [(_("file"), True), (_("to be paid on"), False), (_("transfers"), True), (_("euros"), True),
                   (_("state"), False), (_("signed by"), False)]  # fmt: skip
        CONSOLE.table(columns, [_file_row(one) for one in files])
    if any(not one.iban for one in due):
        CONSOLE.say(_("A shop without an IBAN waits: patard party iban SHOP IBAN, or wallet iban on its own device."))
    if any(one.iban and not one.batch for one in due):
        CONSOLE.say(_("Next: patard payouts order"))
    CONSOLE.give({"due": [one.model_dump() for one in owing], "batches": given})


def show_file(number: str) -> None:
    """One file with its transfers."""
    with readable() as town:
        batch = batches.find(town, number)
        transfers = contents.transfers_of(town, batch.id, batch.people)
        [given] = _files_json(town, [batch])
    CONSOLE.facts(
        {
            _("File"): str(batch.number), _("Message"): batch.message,
            _("To be paid on"): shown_day(batch.requested_on), _("Total"): euros(batch.total),
            _("State"): _(STATES[batch.state]), _("Signed by"): _signed(batch),
            "SHA-256": given["sha256"],
        }
    )  # fmt: skip
    CONSOLE.say()
    columns = [(_("reference"), False), (_("euros"), True), (_("to"), False), ("IBAN", False), (_("state"), False)]
    rows = [
        (shown(one.reference), euros(one.amount), one.name, grouped(one.iban),
         _stands(one))
        for one in transfers
    ]  # fmt: skip
    CONSOLE.table(columns, rows)
    _next_step(batch)
    CONSOLE.give({**given, "transfers_list": [transfer_out(one).model_dump() for one in transfers]})


def order(on: str | None) -> None:
    """Make a file of everything that is due."""
    requested = None if on is None else day("--on", on)
    with opened() as town:
        batch = batches.order(town, on=requested)
        left = [one for one in owed.due(town) if not one.batch]
        [given], owing = _files_json(town, [batch]), payouts_out(town, left)
    told = ngettext(
        "File {number}: {count} payout, {total}, to be paid on {day}.",
        "File {number}: {count} payouts, {total}, to be paid on {day}.", batch.transfers,
    )  # fmt: skip
    CONSOLE.say(told.format(number=batch.number, count=batch.transfers, total=euros(batch.total),
                            day=shown_day(batch.requested_on)))  # fmt: skip
    if batch.transfers == 1:
        CONSOLE.say(_("The bank checks the name of a file with one payment, always: it is to be the account holder's."))
    for one in left:
        told = _("Left out, {euros} to {name}: {why}.")
        CONSOLE.say(told.format(euros=euros(one.payout.amount), name=one.name, why=_where(one)))
    _next_step(batch)
    CONSOLE.give({**given, "left_out": [one.model_dump() for one in owing]})


def fetch(number: str, out: Path | None, *, again: bool) -> None:
    """Write the file for the bank."""
    with opened() as town:
        batch = batches.find(town, number)
        target = out or Path(f"{batch.message}.xml")
        try:
            # Before it is noted that the file was fetched: a place where nothing can be written is known by then.
            with target.open("xb") as written:
                written.write(batches.fetch(town, batch, again=again))
        except FileExistsError:
            told = _("{file} is there already: choose another name with --out.")
            raise CliError(Exit.USAGE, "file_exists", told.format(file=target)) from None
        except CurrencyError:
            target.unlink()
            raise
        [given] = _files_json(town, [batches.find(town, number)])
    told = ngettext(
        "{file} is for the bank: {count} payout, {total}. Send it once; the statement says what became of it.",
        "{file} is for the bank: {count} payouts, {total}. Send it once; the statement says what became of each.",
        batch.transfers,
    )
    CONSOLE.say(told.format(file=target, count=batch.transfers, total=euros(batch.total)))
    CONSOLE.give({**given, "file": str(target)})


def withdraw(number: str, *, refused: bool) -> None:
    """Give a file up."""
    with opened() as town:
        batch = batches.find(town, number)
        batches.withdraw(town, batch, fetched_too=refused)
        [given] = _files_json(town, [batches.find(town, number)])
    told = _("File {number} was withdrawn; what it did not pay can be ordered again.")
    CONSOLE.say(told.format(number=batch.number))
    CONSOLE.give(given)


def reject(reference: str, reason: str) -> None:
    """Give a shop its units back."""
    with opened() as town:
        payout = owed.find(town, reference)
        posted = undoing.reject(town, payout, reason=reason)
        name = parties.by_account(town, payout.holder).name
        symbol, waits = town.charter.symbol, undoing.is_word(posted, payout)
    if waits:
        told = _("Noted. Two people let its file leave, so another one says so too: a treasurer, with "
                 "wallet payouts --reject {reference}. Nothing was moved.")  # fmt: skip
        CONSOLE.say(told.format(reference=shown(payout.reference)))
    elif posted.replay:
        CONSOLE.say(_("It had been decided so before; nothing was moved now."))
    if not waits:
        told = _("{name} has {amount} back; {euros} are no longer owed.")
        CONSOLE.say(told.format(name=name, amount=money(payout.units, symbol), euros=euros(payout.amount)))
    CONSOLE.give(
        {
            "id": payout.reconversion.hex(), "reference": shown(payout.reference), "name": name,
            "account": account_text(payout.holder), "amount_cents": payout.units, "payout_cents": payout.amount,
            "entry": posted.id.hex(), "replay": posted.replay, "waits": waits,
        }
    )  # fmt: skip


# --- where a party is paid ---------------------------------------------------------------------------------


def iban(who: str, typed: str | None, holder: str, *, remove: bool) -> None:
    """Show, set or forget where a party is paid."""
    with opened() if typed or remove else readable() as town:
        party = parties.named(town, who)
        if remove:
            details.erase(town, party)
        elif typed:
            details.put(town, party, typed, holder)
        found = details.find(town, party)
    CONSOLE.say(_paid_at(party, found))
    if typed and not holder:
        CONSOLE.say(_("Banks compare this name with the account's holder: --holder NAME, if they know another."))
    CONSOLE.give(
        {
            "party": party.name, "account": account_text(party.account), "iban": found.iban if found else None,
            "holder": (found.holder or None) if found else None,
        }
    )  # fmt: skip


def _paid_at(party: Party, found: Details | None) -> str:
    if found is None:
        return _("{name} has not said where it is paid.").format(name=party.name)
    told = _("{name} is paid at {iban} ({holder}).")
    return told.format(name=party.name, iban=grouped(found.iban), holder=found.holder or party.name)


def grouped(text: str) -> str:
    """An IBAN in groups of four."""
    return re.sub(r"(.{4})(?=.)", r"\1 ", text)


# --- words --------------------------------------------------------------------------------------------------


def _where(one: owed.Due) -> str:
    if one.batch:
        return ", ".join(filter(None, (_("in file {number}").format(number=one.batch), payee_text(one.payee))))
    return grouped(one.iban) if one.iban else _("no IBAN yet")


def _stands(one: contents.Ordered) -> str:
    new = _("to look at: {why}").format(why=_(LOOKS[one.look])) if one.look else ""
    return ", ".join(filter(None, (_(TRANSFER_STATES[one.state]), new, payee_text(one.payee))))


def payee_text(found: Payee | None) -> str:
    """What the bank found of an account's holder; "" where it told nothing."""
    if found is None:
        return ""
    told = _(PAYEES[found.outcome])
    return _("{outcome}: {name}").format(outcome=told, name=found.name) if found.name else told


def _file_row(one: Batch) -> tuple[str, ...]:
    return (
        str(one.number), shown_day(one.requested_on), str(one.transfers), euros(one.total), _(STATES[one.state]),
        _signed(one),
    )  # fmt: skip


def _signed(batch: Batch) -> str:
    names = ", ".join(one.name for one in batch.signatures if one.counts)
    if not names:
        return _("no signature of {people}").format(people=batch.people)
    return _("{names} ({signed} of {people})").format(names=names, signed=batch.signed, people=batch.people)


def _next_step(batch: Batch) -> None:
    if batch.state == "ordered":
        told = ngettext(
            "To be signed by a treasurer, on their own device: wallet payouts --sign {number}",
            "To be signed by {people} of the treasurers, each on their own device: wallet payouts --sign {number}",
            batch.people,
        )
        CONSOLE.say(told.format(people=batch.people, number=batch.number))
    elif batch.state == "signed":
        CONSOLE.say(_("Next: patard payouts file {number}").format(number=batch.number))


def _files_json(town: Town, files: list[Batch]) -> list[dict[str, Any]]:
    with town.reading() as connection:
        return [batch_out(connection, one).model_dump() for one in files]
