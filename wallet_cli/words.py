"""The wallet's words: its language, the texts of refusals, and names made safe for a terminal."""

from __future__ import annotations

import unicodedata

from api.usage import AMOUNTS
from ledger.i18n import from_environment, translator

LANG = from_environment()
_ = translator("wallet_cli", LANG)
ngettext = _.ngettext

_MAX_SHOWN = 200


def N_(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text


REASONS = AMOUNTS | {
    "account_check_wrong": N_("There is a mistake in this account number: read it once more."),
    "account_closed": N_("This account was closed."),
    "account_malformed": N_("This is not an account number; those look like 0KX7Q-92MAB-4TZ9."),
    "account_uncovered": N_("Units that were imported into this account have no euros behind them yet; it pays later."),
    "account_unknown": N_("No account has this number."),
    "amount_out_of_range": N_("This amount is zero or far too large."),
    "below_floor": N_("The balance is too low for this."),
    "busy": N_("The server has too much to do; try again in a moment."),
    "clock_differs": N_("The server's clock has to be looked at by the association; try again later."),
    "code_not_found": N_("No QR code was found in this picture: it must be whole, sharp, and have a white margin."),
    "correction_exceeds": N_("More than was paid would be given back."),
    "correction_unknown": N_("There is no such payment to give back."),
    "correction_unrelated": N_("This does not go back to who paid."),
    "iban_check": N_("The digits of this IBAN do not fit each other: one is wrong, or two are swapped. Copy it again."),
    "iban_outside": N_("This account is outside SEPA, the area of euro transfers and debits: give another one."),
    "iban_own": N_("This IBAN is the association's own: give yours."),
    "iban_wrong": N_("This is no IBAN, or has not the form of its country's. Copy it again."),
    "id_taken": N_("Another transaction was booked in its place; nothing was moved now."),
    "image_too_large": N_("This picture is too large."),
    "image_unreadable": N_("This file is not a whole PNG, JPEG or WebP picture."),
    "internal": N_("The server failed; try again in a moment."),
    "invites_too_many": N_("Too many join codes of this account wait to be used; they expire by themselves."),
    "join_code_invalid": N_("This join code is mistyped, used or expired. Ask the association for a new one."),
    "joins_too_many": N_("Too many devices of this account joined within an hour: wait, then use the code again."),
    "keys_too_many": N_("This account has as many devices as one may: revoke one that is not used any more."),
    "key_last": N_("This is the last key that can pay: add another device before you revoke it."),
    "key_taken": N_("This key is registered already."),
    "key_unknown": N_("The currency does not know this wallet's key, or it was revoked."),
    "limit_day": N_("This would pass the currency's limit for one day."),
    "limit_payment": N_("This is above the currency's limit for one payment."),
    "link_malformed": N_("This is not a payment link. Copy it again as a whole, or use its picture."),
    "mandate_amount": N_("This is more than the currency lets one member top up in a month."),
    "mandate_date": N_("A mandate is signed with today's date: check the clocks."),
    "mandate_ended": N_("This mandate was ended; a new one can be signed."),
    "mandate_taken": N_("You have a mandate already: change its amount, or end it first."),
    "mandate_unavailable": N_("The currency has no monthly top-ups yet."),
    "mandate_version": N_("The amount was changed meanwhile; look again, then sign."),
    "message_malformed": N_("This payment link is cut off, mistyped, or made for a newer version."),
    "message_wrong_network": N_("This code belongs to another currency."),
    "not_found": N_("There is no such thing, or it is none of yours."),
    "order_expired": N_("The order's last moment had passed. If it was just made, check this machine's clock."),
    "payee_unknown": N_("The account to be paid belongs to nobody in this currency."),
    "payouts_changed": N_(
        "The stored file is not the one that was ordered: somebody changed the database. Do not sign it; have the "
        "office withdraw it."
    ),
    "payouts_fetched": N_("This file was signed by enough people and is with the office, or at the bank, already."),
    "payouts_withdrawn": N_("This file was withdrawn; there is nothing to sign."),
    "rate_limited": N_("Too many tries: wait a minute."),
    "reconversion_not_allowed": N_("The currency's charter does not let this account change back to euros."),
    "request_amount_differs": N_("The amount is not the one that the code asks for."),
    "request_expired": N_("This code has expired: ask for a new one."),
    "request_signature_invalid": N_("The shop did not sign this code, or its till was revoked. Do not pay it."),
    "role_insufficient": N_(
        "This device's role does not allow this; one of another role can: an owner's for a shop, a treasurer's for the "
        "association."
    ),
    "same_account": N_("Payer and payee are the same account."),
    "session_missing": N_("The session ended; try again."),
    "signature_person_unknown": N_(
        "Two different people sign this file, and before it was made nobody said whose key this is, or only one person "
        "did: confirm it in your wallet as a member (wallet keys confirm), or join with a code of patard invite ... "
        "--person; then have the file made anew: patard payouts withdraw NUMBER, then patard payouts order."
    ),
    "signature_key_newer": N_(
        "This file is older than your key, or than the word on whose key it is. Have it made anew: patard payouts "
        "withdraw NUMBER, then patard payouts order (in the office: withdraw it, then prepare it)."
    ),
    "signature_sponsored": N_(
        "One of you who sign this file invited the other's key, or one person could have made both or brought in both "
        "of you: somebody else signs."
    ),
    "signature_same_person": N_("You signed this file before, with this or another device: another person signs."),
    "signature_invalid": N_("A signature is not right."),
    "store_unavailable": N_("The server's database does not answer; try again later."),
    "text_malformed": N_("A name or label is empty, too long, or holds a character that is not allowed."),
}


def reason(code: str, detail: str) -> str:
    """Why something was refused, in the user's language; the server's own words for a code that has none here."""
    return _(REASONS[code]) if code in REASONS else whole(detail)


def clean(text: str | None) -> str:
    """A name, memo or label as it may stand in a terminal: as `whole`, and not longer than a table bears."""
    shown = whole(text)
    return shown if len(shown) <= _MAX_SHOWN else shown[: _MAX_SHOWN - 1] + "…"


def whole(text: str | None) -> str:
    """A text as it may stand in a terminal: one line, nothing that steers it or turns its direction.

    Nothing of it is left out: so is shown what somebody signs or decides by.
    """
    return "".join(" " if char in "\t\r\n" else char for char in (text or "") if _is_plain(char))


def _is_plain(char: str) -> bool:
    return char in "\t\r\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
