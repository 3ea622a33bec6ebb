"""Euros out: where a shop is paid, and a treasurer's signature under a file of payouts.

What is shown before signing stands in the file itself: its bytes come here, are hashed, and read. The server only says
beside it why an account is to be looked at; one that it does not name is new.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ledger.currency import proofs
from ledger.currency.money import format_cents
from ledger.i18n import format_day
from wallet_cli.errors import Exit, WalletError
from wallet_cli.opened import Wallet
from wallet_cli.terminal import TERMINAL, bold
from wallet_cli.words import LANG, N_, _, clean, ngettext, whole

if TYPE_CHECKING:
    from api.client import Batch
    from ledger.currency.bank.pain_read import Ordered

STATES = {
    "ordered": N_("to be signed"),
    "signed": N_("signed"),
    "fetched": N_("at the bank"),
    "settled": N_("settled"),
    "withdrawn": N_("withdrawn"),
}
LOOKS = {
    "new": N_("new account"),
    "changed": N_("no longer the shop's account"),
    "office": N_("account typed by the office"),
    "fewer": N_("paid before with fewer signatures"),
    "erased": N_("file erased, not compared"),
}
"""Why an IBAN is to be looked at, in the words of the office's page."""
_REFERENCE = re.compile(r"[^0-9A-Z]")
"""What stands between the characters of a reference."""
_NUMBER = re.compile(r"[0-9]{1,9}\Z")


def iban(wallet: Wallet, typed: str | None, holder: str) -> None:
    """Show, or say, where one is paid."""
    wallet.settle()
    client = wallet.reader()
    if typed:
        found = wallet.asked(lambda: client.set_bank_details(typed, holder))
    else:
        found = wallet.asked(client.bank_details)
    if found.iban is None:
        TERMINAL.say(_("You have not said where you are paid: wallet iban IBAN"))
    else:
        told = _("You are paid at {iban} ({holder}).")
        TERMINAL.say(told.format(iban=grouped(found.iban), holder=clean(found.holder or wallet.settings.name)))
        if typed:
            TERMINAL.say(_("What was ordered before goes to where it was ordered to."))
            if not holder:
                told = _("Banks compare this name with the account's holder: --holder NAME, if they know another.")
                TERMINAL.say(told)
    TERMINAL.give({"iban": found.iban, "holder": clean(found.holder) or None})


def show(wallet: Wallet) -> None:
    """The files of payouts under way, and who signed each."""
    wallet.settle()
    client = wallet.reader()
    found = wallet.asked(client.payout_batches)
    if not found:
        TERMINAL.say(_("No file of payouts is under way."))
    else:
        columns = [(_("File"), True), (_("To be paid on"), False), (_("Transfers"), True), (_("Total"), True),
                   (_("State"), False), (_("Signed by"), False)]  # fmt: skip
        TERMINAL.table(columns, [_row(one) for one in found])
    if any(one.state == "ordered" for one in found):
        TERMINAL.say(_("To sign one: wallet payouts --sign FILE"))
    TERMINAL.give({"batches": [_as_json(one) for one in found]})


def sign(wallet: Wallet, number: str, *, yes: bool) -> None:
    """Show every transfer of a file, ask, and sign it with this device's key."""
    if not _NUMBER.match(number.strip()):
        message = _("{number} is no number of a file; `wallet payouts` shows them.")
        raise WalletError(Exit.USAGE, "file_unknown", message.format(number=clean(number)))
    wallet.settle()
    client = wallet.reader()
    batch, transfers = wallet.asked(lambda: client.payout_batch(number.strip()))
    ordered = _read(batch, wallet.asked(lambda: client.payout_content(number.strip())))
    looks = {(one.reference.replace("-", ""), one.iban): one.look for one in transfers}
    # Not a table: an IBAN that is broken over two lines is not compared by anybody.
    width = max(len(_euros(one.amount)) for one in ordered.transfers)
    for one in ordered.transfers:
        TERMINAL.say(f"{_euros(one.amount):>{width}}  {whole(one.name)}")
        look = looks.get((one.end_to_end, one.iban), "new")
        why = LOOKS[look if look in LOOKS else "new"]
        new = "  " + bold(_("to look at: {why}").format(why=_(why))) if look else ""
        TERMINAL.say(f"{'':{width}}  {grouped(one.iban)}  {whole(one.end_to_end)}{new}")
    told = ngettext(
        "File {number}: {count} transfer, {total}, to be paid on {day}.",
        "File {number}: {count} transfers, {total}, to be paid on {day}.", batch.transfers,
    )  # fmt: skip
    TERMINAL.say(
        bold(told.format(number=batch.number, count=len(ordered.transfers), total=_euros(ordered.total),
                         day=format_day(ordered.requested_on, LANG)))
    )  # fmt: skip
    if not yes:
        TERMINAL.confirm(_("Sign it?"))
    signature = proofs.sign_payouts(
        wallet.key, wallet.settings.network_id, batch.id, batch.sha256, batch.total_cents, batch.transfers
    )
    made = wallet.asked(lambda: client.sign_payout_batch(batch, signature))
    if made.state == "ordered":
        TERMINAL.say(_("Signed. People who still have to sign it: {count}.").format(count=made.people - made.signed))
    else:
        TERMINAL.say(_("Signed. The office can fetch the file now: patard payouts file {number}").format(
            number=made.number))  # fmt: skip
    TERMINAL.give(_as_json(made))


def reject(wallet: Wallet, typed: str, reason: str, *, yes: bool) -> None:
    """Say that the bank will not execute a payout: its shop has its units back, once as many say so as have to."""
    reference = _REFERENCE.sub("", typed.upper())
    if not reference:
        message = _("{reference} is no reference of a payout.")
        raise WalletError(Exit.USAGE, "not_found", message.format(reference=clean(typed)))
    wallet.settle()
    client = wallet.reader()
    if not yes:
        TERMINAL.say(_("The shop has its units back, and is paid nothing: look first whether the bank has paid it."))
        TERMINAL.confirm(_("Give them back?"))
    waits = wallet.asked(lambda: client.reject_payout(reference, reason))
    if waits:
        TERMINAL.say(_("Noted. Two people let its file leave, so another one says so too. Nothing was moved."))
    else:
        TERMINAL.say(_("The shop has its units back."))
    TERMINAL.give({"reference": reference, "waits": waits})


def grouped(text: str) -> str:
    """An IBAN in groups of four."""
    return re.sub(r"(.{4})(?=.)", r"\1 ", whole(text))


def _read(batch: Batch, data: bytes) -> Ordered:
    """What a file orders: the very bytes that are signed, and what the server says of them."""
    from ledger.currency.bank.pain import PainError
    from ledger.currency.bank.pain_read import read_transfers

    try:
        found = read_transfers(data)
    except PainError:
        message = _("The file that the server gives is none of payouts. Nothing was signed.")
        raise WalletError(Exit.UNTRUSTED, "file_differs", message) from None
    told = (batch.message, batch.requested_on)
    if sha256(data).digest() != batch.sha256 or (found.message, found.requested_on) != told:
        message = _("The file that the server gives is not the one that is to be signed. Nothing was signed.")
        raise WalletError(Exit.UNTRUSTED, "file_differs", message)
    if (len(found.transfers), found.total) != (batch.transfers, batch.total_cents):
        message = _("The transfers in the file do not come to its total. Nothing was signed.")
        raise WalletError(Exit.UNTRUSTED, "file_differs", message)
    return found


def _row(one: Batch) -> tuple[str, ...]:
    names = ", ".join(clean(signed.name) for signed in one.signatures if signed.counts)
    told = _("{names} ({signed} of {people})") if names else _("no signature of {people}")
    by = told.format(names=names, signed=one.signed, people=one.people)
    state = _(STATES[one.state]) if one.state in STATES else clean(one.state)
    return (str(one.number), format_day(one.requested_on, LANG), str(one.transfers), _euros(one.total_cents), state,
            by)  # fmt: skip


def _as_json(one: Batch) -> dict[str, Any]:
    return {
        "number": one.number, "id": one.id.hex(), "message": clean(one.message), "state": clean(one.state),
        "requested_on": one.requested_on.isoformat(), "total_cents": one.total_cents, "transfers": one.transfers,
        "people": one.people, "sha256": one.sha256.hex(),
        "signed_by": [clean(signed.name) for signed in one.signatures if signed.counts],
    }  # fmt: skip


def _euros(cents: int) -> str:
    return format_cents(cents, LANG, "€")
