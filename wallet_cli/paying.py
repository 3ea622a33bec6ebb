"""Orders: pay a code or an account, give a payment back, ask to change back to euros.

Everything is shown before it is signed: the payee's name as the currency's signed directory has it (never what a
code says), the amount, the label, how long it is good for, and the balance after. The order is on the disk before
it is sent (`outbox`).
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ledger.core.ids import account_number, account_text, uuid7
from ledger.currency.messages import MAX_AMOUNT, NO_REFERENCE, MessageError, Order, Purpose, SignedRequest
from ledger.currency.money import AmountError, decimal_text, parse_amount
from merchants.requests import RequestError, match, order_for
from wallet_cli import outbox, reading
from wallet_cli.errors import Exit, WalletError
from wallet_cli.opened import STARTED, Listed, Wallet, describe, told
from wallet_cli.outbox import Fate, Kept, Settled
from wallet_cli.terminal import TERMINAL, bold, facts
from wallet_cli.words import LANG, N_, _, clean, reason, whole

ORDER_SECONDS = 600
"""How long an order may be booked: long enough for a bad line, short enough to know soon that it was not."""
_TRIES = 3

KINDS = {
    "person": N_("person"),
    "shop": N_("shop"),
    "association": N_("association"),
    "public_body": N_("public body"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """An order ready to be shown and signed."""

    order: Order
    payee: Listed
    request: SignedRequest | None
    question: str
    facts: dict[str, str]
    balance_after: int


def amount_of(text: str | None) -> int | None:
    """The cents that were typed, more than nothing. Raises `WalletError` (USAGE)."""
    if text is None:
        return None
    try:
        cents = parse_amount(text, maximum=MAX_AMOUNT)
    except AmountError as error:
        raise WalletError(Exit.USAGE, error.code, reason(error.code, str(error))) from error
    if not cents:
        raise WalletError(Exit.USAGE, "amount_out_of_range", reason("amount_out_of_range", ""))
    return cents


def ask_amount(question: str) -> int:
    """An amount from the user, asked for until it is one."""
    for left in range(_TRIES - 1, -1, -1):
        typed = TERMINAL.ask(question).strip()
        if not typed:
            raise WalletError(Exit.DECLINED, "declined", _("Nothing was done."))
        try:
            return amount_of(typed) or 0
        except WalletError as error:
            if not left:
                raise
            TERMINAL.note(error.code, error.message)
    raise AssertionError


def account_of(text: str) -> str:
    """An account number in its written form. Raises `WalletError` (USAGE)."""
    try:
        return account_text(account_number(text))
    except ValueError as error:
        code = getattr(error, "code", "account_malformed")
        raise WalletError(Exit.USAGE, code, reason(code, str(error))) from error


# --- pay -------------------------------------------------------------------------------------------------


def pay_request(wallet: Wallet, signed: SignedRequest, amount: int | None, *, yes: bool) -> None:
    """Pay a code. Raises `WalletError`: ALREADY_PAID, REFUSED, DECLINED, UNREACHABLE."""
    request, settings = signed.request, wallet.settings
    settled = wallet.settle()
    if not request.is_static:
        id = request.payment_id().hex()
        if any(one.kept.id == id and one.fate is Fate.POSTED for one in settled):
            _finish(wallet, outbox.done(wallet.home, id), earlier=True)
            return
        if (before := outbox.done(wallet.home, id)) is not None:
            raise outbox.already_paid(settings, before)
    if amount is not None and request.amount not in (0, amount):
        message = _("This code asks for {amount}; leave --amount out.").format(amount=settings.amount(request.amount))
        raise WalletError(Exit.USAGE, "request_amount_differs", message)
    client = wallet.online()
    state = wallet.asked(lambda: client.request(signed))
    if state.paid:
        raise outbox.already_paid(settings, None, state.payment_id or "")
    if request.is_expired(int(client.server_time())):
        raise WalletError(Exit.REFUSED, "request_expired", reason("request_expired", ""))
    payee = wallet.look_up(account_text(request.payee))
    if not request.amount and amount is None:
        TERMINAL.note("payee", _("{name} lets you choose the amount.").format(name=payee.name))
        if yes:
            raise WalletError(Exit.USAGE, "amount_empty", _("{what} is missing.").format(what="--amount"))
        amount = ask_amount(_("Amount: "))
    now = int(client.server_time())
    try:
        order = order_for(
            signed,
            payer=account_number(settings.account),
            unit=settings.code,
            expires_at=now + ORDER_SECONDS,
            id=_new_id(),
            amount=amount,
        )
        match(order, signed, now, payee.keys, settings.currency_public)
    except (RequestError, MessageError) as error:
        raise WalletError(Exit.REFUSED, error.code, reason(error.code, error.detail)) from error
    _pay(wallet, order, payee, signed, settled, yes=yes)


def pay_account(wallet: Wallet, account: str, amount: int, *, yes: bool) -> None:
    """Pay an account that asked for nothing. Raises as `pay_request` does."""
    settled = wallet.settle()
    payee = wallet.look_up(account_of(account))
    _pay(wallet, _order(wallet, Purpose.PAYMENT, payee.account, amount), payee, None, settled, yes=yes)


def _pay(
    wallet: Wallet, order: Order, payee: Listed, request: SignedRequest | None, settled: list[Settled], *, yes: bool
) -> None:
    if order.payer == order.payee:
        raise WalletError(Exit.REFUSED, "same_account", reason("same_account", ""))
    if _stood(wallet, order, settled):
        return
    settings, client = wallet.settings, wallet.reader()
    balance = wallet.asked(lambda: client.balance(settings.account)).cents
    amount = settings.amount(order.amount)
    shown = _shown(wallet, order, payee, balance)
    if request and request.request.label:
        shown[_("For")] = whole(request.request.label)
    question = _("Pay {amount} to {name}?").format(amount=amount, name=payee.name)
    _carry_out(wallet, Plan(order, payee, request, question, shown, balance - order.amount), yes=yes)


# --- give back, change back ------------------------------------------------------------------------------


def refund(wallet: Wallet, id: str, amount: int | None, *, yes: bool) -> None:
    """Give a payment back, whole or in part, to whoever made it."""
    settled = wallet.settle()
    settings, client = wallet.settings, wallet.reader()
    id = reading.full_id(wallet, id)
    for one in settled:  # asked for once more because its answer was lost
        order = one.kept.signed.order
        same = order.purpose is Purpose.REFUND and order.reference.hex() == id and amount in (None, order.amount)
        if same and one.fate is Fate.POSTED:
            _finish(wallet, one.kept, earlier=True)
            return
    payment = wallet.asked(lambda: client.payment(id))
    rest = payment.amount_cents - payment.refunded_cents
    if payment.kind != "payment" or payment.payee.account != settings.account:
        message = _("Only a payment that this account received can be given back.")
        raise WalletError(Exit.REFUSED, "correction_unrelated", message)
    if rest <= 0:
        raise WalletError(Exit.ALREADY_PAID, "already_refunded", _("This payment was given back in full already."))
    if amount is not None and amount > rest:
        message = _("Of this payment, {rest} can still be given back.").format(rest=settings.amount(rest))
        raise WalletError(Exit.REFUSED, "correction_exceeds", message, rest_cents=rest)
    order = _order(wallet, Purpose.REFUND, payment.payer.account, amount or rest, bytes.fromhex(payment.id))
    payer = Listed(payment.payer.account, clean(payment.payer.name), "", ())
    balance = wallet.asked(lambda: client.balance(settings.account)).cents
    shown = _shown(wallet, order, payer, balance)
    shown[_("Payment")] = f"{settings.amount(payment.amount_cents)}, {settings.when(payment.at)}"
    if payment.refunded_cents:
        shown[_("Given back")] = settings.amount(payment.refunded_cents)
    question = _("Give {amount} back to {name}?").format(amount=settings.amount(order.amount), name=payer.name)
    _carry_out(wallet, Plan(order, payer, None, question, shown, balance - order.amount), yes=yes)


def reconvert(wallet: Wallet, amount: int, *, yes: bool) -> None:
    """Ask to change units back to euros: they wait on the currency's own account until the treasurer decides."""
    settled = wallet.settle()
    settings, client = wallet.settings, wallet.reader()
    rules = wallet.asked(client.currency)
    order = _order(wallet, Purpose.RECONVERSION, settings.waiting_account, amount)
    if _stood(wallet, order, settled):
        return
    balance = wallet.asked(lambda: client.balance(settings.account)).cents
    payee = Listed(settings.waiting_account, settings.currency, "", ())
    percent = f"{decimal_text(rules.reconversion_fee_bp)} %".replace(".", "," if LANG == "fr" else ".")
    shown = {
        _("Amount"): bold(settings.amount(amount), sys.stderr),
        _("Fee"): percent,
        _("Balance after"): settings.amount(balance - amount),
    }
    question = _("Ask to change {amount} back to euros?").format(amount=settings.amount(amount))
    _carry_out(wallet, Plan(order, payee, None, question, shown, balance - amount), yes=yes)


# --- all of them -----------------------------------------------------------------------------------------


def _order(wallet: Wallet, purpose: Purpose, payee: str, amount: int, reference: bytes = NO_REFERENCE) -> Order:
    settings = wallet.settings
    expires_at = int(wallet.online().server_time()) + ORDER_SECONDS
    payer = account_number(settings.account)
    return Order(
        settings.network_id,
        purpose,
        _new_id(),
        payer,
        account_number(payee),
        amount,
        settings.code,
        expires_at,
        reference,
    )


def _new_id() -> bytes:
    return uuid7(time.time_ns() // 1_000, os.urandom(10))


def _shown(wallet: Wallet, order: Order, payee: Listed, balance: int) -> dict[str, str]:
    settings = wallet.settings
    kind = f" ({_(KINDS[payee.kind])})" if payee.kind in KINDS else ""
    return {
        _("To"): bold(payee.name, sys.stderr) + kind,
        _("Account"): payee.account,
        _("Amount"): bold(settings.amount(order.amount), sys.stderr),
        _("Good until"): settings.when(datetime.fromtimestamp(order.expires_at, UTC)),
        _("Balance after"): settings.amount(balance - order.amount),
    }


def _stood(wallet: Wallet, order: Order, settled: list[Settled]) -> bool:
    """Whether this order was given before, got no answer, and has just been found in the log: then it is done."""
    for one in settled:
        if one.fate is Fate.POSTED and one.kept.is_like(order):
            _finish(wallet, one.kept, earlier=True)
            return True
    return False


def _carry_out(wallet: Wallet, plan: Plan, *, yes: bool) -> None:
    """Show, ask, sign, keep, send, say."""
    home, settings, order = wallet.home, wallet.settings, plan.order
    if not yes:
        for line in facts(plan.facts):
            TERMINAL.show(line)
        if plan.balance_after < 0:
            TERMINAL.show(_("The balance is too low for this; it will be refused."))
        TERMINAL.confirm(plan.question)
        order = _later(wallet, plan)
    kept = outbox.make_kept(order.sign(wallet.key), plan.request, plan.payee.name)
    with wallet.alone():
        outbox.check_new(home, settings, order, STARTED)
        outbox.keep(home, kept)
        settled = outbox.send(home, settings, wallet.offline_client(), kept, first=True)
    if settled.fate is Fate.POSTED:
        wallet.heard(settled)
        reading.remember(wallet, plan.balance_after, settled.kept.settled_at)
        _finish(wallet, settled.kept, balance_after=plan.balance_after)
        return
    if settled.fate is Fate.OPEN:
        message = told(settings, settled) + " " + _("Do not pay in another way before: `wallet outbox settle` asks.")
        exit_code = Exit.UNTRUSTED if settled.code == "receipt_invalid" else Exit.UNREACHABLE
        raise WalletError(exit_code, settled.code, message, kept=True, **describe(settings, kept))
    if settled.code == "id_taken" and plan.request is not None and not plan.request.request.is_static:
        raise outbox.already_paid(settings, None, kept.id)
    raise WalletError(Exit.REFUSED, settled.code, reason(settled.code, settled.detail), **describe(settings, kept))


def _later(wallet: Wallet, plan: Plan) -> Order:
    """The order with its time counted from the answer: somebody may have thought about it for long."""
    now = int(wallet.offline_client().server_time())
    last = plan.request.request.expires_at if plan.request else 0
    if last and last < now:
        raise WalletError(Exit.REFUSED, "request_expired", reason("request_expired", ""))
    return replace(plan.order, expires_at=min(now + ORDER_SECONDS, last or now + ORDER_SECONDS))


_DONE = {
    Purpose.PAYMENT: N_("Paid: {amount} to {name}."),
    Purpose.REFUND: N_("Given back: {amount} to {name}."),
    Purpose.RECONVERSION: N_("Asked: {amount} to be changed back to euros. The association decides."),
}


def _finish(wallet: Wallet, kept: Kept | None, *, earlier: bool = False, balance_after: int | None = None) -> None:
    assert kept is not None and kept.receipt is not None
    from ledger.currency.messages import SignedReceipt

    settings, order = wallet.settings, kept.signed.order
    receipt = SignedReceipt.parse(kept.receipt).receipt
    text = _(_DONE[order.purpose]).format(amount=settings.amount(order.amount), name=clean(kept.name))
    TERMINAL.say(bold(text))
    if earlier:
        TERMINAL.say(
            _("This was the order of {time}; nothing was paid twice.").format(time=settings.when(kept.made_at))
        )
    if balance_after is not None:
        TERMINAL.say(_("Balance: {amount}").format(amount=settings.amount(balance_after)))
    TERMINAL.say(_("Receipt: {id}").format(id=kept.id))
    result: dict[str, Any] = {
        "status": "paid" if order.purpose is Purpose.PAYMENT else "done",
        **describe(settings, kept),
        "seq": receipt.seq,
        "at": datetime.fromtimestamp(receipt.at / 1_000_000, UTC).isoformat(),
        "receipt": kept.receipt,
        "earlier": earlier,
        "balance_after_cents": balance_after,
    }
    TERMINAL.give(result)
