"""The monthly top-up by direct debit: looking at it, signing it, changing its amount, ending it."""

from __future__ import annotations

import os
import time
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from ledger.core.ids import uuid7
from ledger.currency import proofs
from ledger.currency.bank.mandates.text import Content, Terms, mandate_text
from ledger.currency.money import format_cents
from ledger.i18n import format_day
from wallet_cli.errors import Exit, WalletError
from wallet_cli.opened import Wallet
from wallet_cli.terminal import TERMINAL, bold
from wallet_cli.words import LANG, N_, _, clean, reason, whole

if TYPE_CHECKING:
    from api.client import Client, Mandate, Monthly

STATES = {
    "ordered": N_("debited on its day"),
    "maturing": N_("debited, arrives on {date}"),
    "released": N_("arrived"),
    "unpaid": N_("your bank took it back"),
}


def show(wallet: Wallet) -> None:
    """The mandate, what is debited next, and what is on its way."""
    wallet.settle()
    client = wallet.reader()
    found = wallet.asked(client.monthly)
    mandate = found.mandate
    if mandate is None:
        TERMINAL.say(_("You have no monthly top-up. `wallet monthly 30 --iban ...` signs one."))
    else:
        amount = format_cents(mandate.amount_cents, LANG, "€")
        account = _hidden(mandate.iban)
        TERMINAL.say(bold(_("{amount} a month from {account}").format(amount=amount, account=account)))
        TERMINAL.say(_("Mandate {rum}, signed on {date}").format(rum=clean(mandate.rum), date=_day(mandate.signed_on)))
        if mandate.state == "suspended":
            told = _("It is suspended, because your bank took debits back: speak with the association.")
            TERMINAL.say(told)
    if found.next is not None:
        _show_next(found)
    for one in found.past:
        text = _(STATES[one.state]) if one.state in STATES else clean(one.state)
        shown = text.format(date=_day(one.arrives_on) if one.arrives_on else "")
        TERMINAL.say(f"  {clean(one.month)}  {format_cents(one.amount_cents, LANG, '€'):>12}  {shown}")
    TERMINAL.give(_as_json(found))


def _show_next(found: Monthly) -> None:
    assert found.next is not None
    values = {"amount": format_cents(found.next.amount_cents, LANG, "€"), "date": _day(found.next.due_on)}
    if found.next.told:
        TERMINAL.say(_("Next: {amount} on {date}.").format(**values))
    else:
        TERMINAL.say(_("Next: {amount} on {date}, once you have been told of it.").format(**values))


def sign(wallet: Wallet, cents: int, iban: str | None, holder: str | None, *, yes: bool) -> None:
    """Sign a mandate over `cents` a month, or another amount of the one that there is."""
    wallet.settle()
    client = wallet.reader()
    found = wallet.asked(client.monthly)
    if found.mandate is None:
        made = _sign_new(wallet, client, found, cents, iban, holder, yes=yes)
    else:
        made = _sign_amount(wallet, client, found, found.mandate, cents, iban, yes=yes)
    told = _(
        "Signed: {amount} a month. You are told of each debit {days} days before; the units arrive {risk} days after."
    )
    TERMINAL.say(told.format(
        amount=format_cents(made.amount_cents, LANG, "€"), days=found.terms.notice_days, risk=found.terms.risk_days
    ))  # fmt: skip
    TERMINAL.give(_mandate_json(made))


def end(wallet: Wallet, *, yes: bool) -> None:
    """End the mandate."""
    wallet.settle()
    client = wallet.reader()
    mandate = wallet.asked(client.monthly).mandate
    if mandate is None:
        raise WalletError(Exit.REFUSED, "not_found", _("You have no monthly top-up."))
    if not yes:
        TERMINAL.confirm(_("End the monthly top-up of {amount}?").format(
            amount=format_cents(mandate.amount_cents, LANG, "€")))  # fmt: skip
    made = wallet.asked(lambda: client.end_mandate(mandate.id))
    TERMINAL.say(_("The monthly top-up was ended. What your bank was asked for already may still be debited."))
    TERMINAL.give(_mandate_json(made))


def _sign_new(
    wallet: Wallet, client: Client, found: Monthly, cents: int, iban: str | None, holder: str | None, *, yes: bool
) -> Mandate:
    if not iban:
        raise WalletError(Exit.USAGE, "iban_missing", _("Say which account is debited: --iban FR76..."))
    plain = _iban(iban)
    id_ = uuid7(time.time_ns() // 1_000, os.urandom(10))
    content = Content(id_, holder or wallet.settings.name, plain, cents, 1, _today(wallet, client))
    signature = _signed(wallet, found, content, yes=yes)
    return wallet.asked(
        lambda: client.sign_mandate(
            id_, plain, content.holder, cents, content.signed_on, LANG, signature
        )
    )  # fmt: skip


def _sign_amount(
    wallet: Wallet, client: Client, found: Monthly, mandate: Mandate, cents: int, iban: str | None, *, yes: bool
) -> Mandate:
    if iban and _iban(iban) != mandate.iban:
        told = _("Your mandate is for another account, {account}: end it first with `wallet monthly --end`.")
        raise WalletError(Exit.USAGE, "mandate_taken", told.format(account=_hidden(mandate.iban)))
    if cents == mandate.amount_cents:
        return mandate
    version = mandate.version + 1
    content = Content(mandate.id, mandate.holder, mandate.iban, cents, version, _today(wallet, client))
    signature = _signed(wallet, found, content, yes=yes)
    return wallet.asked(lambda: client.change_mandate(mandate.id, version, cents, content.signed_on, LANG, signature))


def _signed(wallet: Wallet, found: Monthly, content: Content, *, yes: bool) -> bytes:
    """The signature of the text that was shown and agreed to. Raises `WalletError`: DECLINED."""
    settings, said = wallet.settings, found.terms
    terms = Terms(
        settings.code,
        settings.network_id,
        whole(said.creditor),
        whole(said.creditor_id),
        said.day,
        said.notice_days,
        said.risk_days,
        said.per_month_cents,
    )
    text = mandate_text(LANG, terms, content)
    if not yes:
        for line in text.splitlines():
            TERMINAL.show(whole(line))
        TERMINAL.confirm(_("Sign this mandate?"))
    return proofs.sign_mandate(wallet.key, settings.network_id, text)


def _today(wallet: Wallet, client: Client) -> date:
    return datetime.fromtimestamp(client.server_time(), wallet.settings.zone()).date()


def _day(day: date) -> str:
    return format_day(day, LANG)


def _iban(typed: str) -> str:
    """An IBAN as the mandate's text has it, which is signed before the server sees it. Raises `WalletError`."""
    from ledger.currency.charter import ibans

    try:
        return ibans.iban(typed)
    except ibans.IbanWrong as wrong:
        raise WalletError(Exit.REFUSED, wrong.code, reason(wrong.code, wrong.reason)) from None


def _hidden(iban: str) -> str:
    shown = clean(iban)
    return f"{shown[:4]} … {shown[-4:]}"


def _mandate_json(mandate: Mandate) -> dict[str, Any]:
    return {
        "id": mandate.id.hex(), "rum": clean(mandate.rum), "iban": clean(mandate.iban), "holder": clean(mandate.holder),
        "amount_cents": mandate.amount_cents, "version": mandate.version, "signed_on": mandate.signed_on.isoformat(),
        "state": clean(mandate.state), "reason": clean(mandate.reason) if mandate.reason else None,
    }  # fmt: skip


def _as_json(found: Monthly) -> dict[str, Any]:
    following = found.next
    return {
        "mandate": _mandate_json(found.mandate) if found.mandate else None,
        "next": following
        and {"month": clean(following.month), "due_on": following.due_on.isoformat(),
             "amount_cents": following.amount_cents, "told": following.told},
        "past": [
            {"month": clean(one.month), "amount_cents": one.amount_cents, "state": clean(one.state),
             "arrives_on": one.arrives_on.isoformat() if one.arrives_on else None, "claim_cents": one.claim_cents}
            for one in found.past
        ],
    }  # fmt: skip
