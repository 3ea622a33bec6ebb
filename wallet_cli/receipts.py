"""Receipts: the currency's signed word that an order is in the log, checked again each time it is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ledger.currency.messages import MessageError, SignedReceipt
from wallet_cli import outbox
from wallet_cli.errors import Exit, WalletError
from wallet_cli.opened import Wallet, describe, title
from wallet_cli.reading import full_id
from wallet_cli.terminal import TERMINAL, bold, facts
from wallet_cli.words import _, clean, reason

if TYPE_CHECKING:
    from api.client import Payment


def show(wallet: Wallet, given: str | None) -> None:
    """Show the receipt of a payment, or of the last that this wallet made.

    A receipt that this wallet keeps is checked against its own order, without the server. One of another device's is
    asked for, and its signature checked.
    """
    wallet.settle()
    if given is None:
        newest = next(iter(outbox.all_done(wallet.home)), None)
        if newest is None:
            told = _("This device has made no payment yet. `wallet receipt NUMBER` shows the receipt of any payment of "
                     "this account, with its number from `wallet history`.")  # fmt: skip
            raise WalletError(Exit.REFUSED, "not_found", told)
        _show_own(wallet, newest)
        return
    id = full_id(wallet, given)
    if (kept := outbox.done(wallet.home, id)) is not None:
        _show_own(wallet, kept)
        return
    client = wallet.reader()
    _show_other(wallet, wallet.asked(lambda: client.payment(id)))


def _show_own(wallet: Wallet, kept: outbox.Kept) -> None:
    settings = wallet.settings
    receipt = _verified(wallet, kept.receipt or "")
    if not receipt.is_for(kept.signed.order):
        raise _invalid("the receipt is for another order")
    TERMINAL.say(bold(title(settings, kept)))
    shown = {_("For"): clean(kept.label)} if kept.label else {}
    for line in facts({**shown, **_facts(wallet, receipt)}):
        TERMINAL.say(line)
    TERMINAL.say(_("Signed by the currency, and for exactly the order that this wallet signed."))
    TERMINAL.give({**describe(settings, kept), **_as_json(receipt), "order": kept.signed.text, "order_checked": True})


def _show_other(wallet: Wallet, payment: Payment) -> None:
    settings = wallet.settings
    if payment.receipt is None:
        raise WalletError(Exit.REFUSED, "not_found", reason("not_found", ""))
    receipt = _verified(wallet, payment.receipt)
    if receipt.receipt.id.hex() != payment.id:
        raise _invalid("the receipt is for another payment")
    sides = {"from": payment.payer, "to": payment.payee}
    names = {side: clean(who.name) or who.account for side, who in sides.items()}
    line = _("{amount} from {payer} to {payee}")
    TERMINAL.say(
        bold(line.format(amount=settings.amount(payment.amount_cents), payer=names["from"], payee=names["to"]))
    )
    shown = {_("For"): clean(payment.memo)} if payment.memo else {}
    if payment.refunded_cents:
        shown[_("Given back")] = settings.amount(payment.refunded_cents)
    for row in facts({**shown, **_facts(wallet, receipt)}):
        TERMINAL.say(row)
    TERMINAL.say(_("Signed by the currency. The order itself was signed by another device."))
    TERMINAL.give(
        {
            "id": payment.id,
            "purpose": payment.kind,
            "payer": {"account": payment.payer.account, "name": clean(payment.payer.name)},
            "payee": {"account": payment.payee.account, "name": clean(payment.payee.name)},
            "amount_cents": payment.amount_cents,
            "refunded_cents": payment.refunded_cents,
            "unit": settings.code,
            "label": clean(payment.memo),
            **_as_json(receipt),
            "order_checked": False,
        }
    )


def _verified(wallet: Wallet, text: str) -> SignedReceipt:
    try:
        receipt = SignedReceipt.parse(text)
        receipt.verify(wallet.settings.network_id, wallet.settings.currency_public)
    except MessageError as error:
        raise _invalid(error.detail) from error
    return receipt


def _invalid(detail: str) -> WalletError:
    message = _("This receipt is not one that the currency signed for this payment.")
    return WalletError(Exit.UNTRUSTED, "receipt_invalid", message, detail=detail)


def _facts(wallet: Wallet, signed: SignedReceipt) -> dict[str, str]:
    receipt = signed.receipt
    return {
        _("Booked"): wallet.settings.when(_at(signed)),
        _("Place in the log"): str(receipt.seq),
        _("Log root"): f"{receipt.root.hex()[:16]}… ({receipt.size})",
        _("Receipt"): receipt.id.hex(),
    }


def _as_json(signed: SignedReceipt) -> dict[str, Any]:
    receipt = signed.receipt
    return {
        "seq": receipt.seq,
        "at": _at(signed).isoformat(),
        "size": receipt.size,
        "root": receipt.root.hex(),
        "order_hash": receipt.order_hash.hex(),
        "receipt": signed.text,
        "verified": True,
    }


def _at(signed: SignedReceipt) -> datetime:
    return datetime.fromtimestamp(signed.receipt.at / 1_000_000, UTC)
