"""Why the currency refuses: one type with a stable code. The engine's own refusals keep their codes here.

`ERRORS` is the reference: code -> (HTTP status, one paragraph). The API answers with it, the documentation
prints it, and a test holds every code raised against it.
"""

from __future__ import annotations

from ledger.core.refusals import REFUSALS


class CurrencyError(Exception):
    """A request that the currency refuses. `code` is in `ERRORS`; `detail` says what to do about it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


ERRORS: dict[str, tuple[int, str]] = {
    "not_found": (404, "There is no such thing, or it is none of yours: to a stranger both look the same."),
    "log_shorter": (404, "The log never had as many entries as that."),
    "session_missing": (401, "This needs a session: sign a challenge with a device key and send the token."),
    "act_missing": (401, "A session only reads: whatever changes something is signed by the device (Patard-Act)."),
    "act_expired": (422, "What the device signed was for another time; nothing was done."),
    "act_used": (409, "What the device signed was carried out before."),
    "role_insufficient": (403, "Your key's role does not allow this; an owner or the association can do it."),
    "key_unknown": (403, "The key is not registered, was revoked, or its party was closed."),
    "key_absent": (503, "Only the public half of the currency's key is here: it can be read and checked, not signed."),
    "key_taken": (409, "The key is registered already. Every device has its own."),
    "key_last": (409, "This is the party's last key; add another device before you revoke it."),
    "key_weak": (422, "The public key is one of Ed25519's small-order points: anybody could sign with it."),
    "key_malformed": (422, "The public key is not 32 bytes that encode an Ed25519 point."),
    "join_code_invalid": (
        404,
        "The code is mistyped, used or expired. The association, or a device of yours, makes a new one.",
    ),
    "join_code_elsewhere": (409, "The code is for another kind of device; it was not used, and is good there."),
    "join_code_taken": (409, "This code was given out before; whoever invites makes a new one."),
    "signature_invalid": (422, "The signature does not belong to this message and key."),
    "message_malformed": (422, "The signed message is not what its version says: cut, extended or mistyped."),
    "link_malformed": (422, "This is not a payment link of this kind, or it was changed on its way."),
    "account_check_wrong": (422, "The account number is mistyped: its check character does not fit."),
    "message_wrong_network": (422, "The message belongs to another currency."),
    "order_expired": (422, "The order's last moment has passed. Nothing was moved; make a new one."),
    "order_too_long": (422, "An order may stay open for a day at most."),
    "id_reserved": (
        422,
        "An id that a caller makes is a UUIDv7. Those that follow from something (UUIDv8) are kept for what they "
        "follow from, so that nobody can use up the id of another's payment, bank line or revocation.",
    ),
    "order_id_differs": (422, "The order answers a one-time request and must carry the id that follows from it."),
    "request_expired": (422, "The payment request's last moment has passed; ask the till for a new code."),
    "request_amount_differs": (422, "The order's amount is not the one that the request asks for."),
    "request_payee_differs": (422, "The order pays another account than the request names."),
    "request_network_differs": (422, "The request belongs to another currency."),
    "request_hash_differs": (422, "The order does not name this request."),
    "request_missing": (422, "The order names a request; send the request with it."),
    "request_signature_invalid": (422, "The request was not signed by a key of the payee, or its key was revoked."),
    "payee_unknown": (422, "The account paid is not one of a member of this currency."),
    "limit_payment": (422, "The amount is above the charter's limit for one payment."),
    "limit_day": (422, "The payment would pass the charter's limit for one day."),
    "reconversion_not_allowed": (403, "The charter does not let this kind of party change back to euros."),
    "reconversion_decided": (409, "This reconversion was decided the other way already."),
    "reconversion_ahead": (
        409,
        "Whoever accepts this typed conversions ahead of a statement, more than one person is enough for, and no line "
        "of a statement has come for them yet: bring the statement, or another person accepts.",
    ),
    "reserve_account_unknown": (422, "The charter names no such reserve account."),
    "reference_malformed": (
        422,
        "A slip or bank reference is 1 to 35 characters of A-Z, 0-9, and - / . between them.",
    ),
    "statement_unreadable": (422, "The file is no bank statement of its format: cut, damaged or of another kind."),
    "statement_format_unknown": (422, "The file is none of camt.053, CFONB120 and OFX."),
    "statement_too_large": (413, "A bank file is at most 32 MB; fetch a shorter span of days."),
    "statement_sum_wrong": (422, "Opening balance and lines do not come to the closing balance."),
    "statement_not_euros": (422, "The statement is not in euros."),
    "statement_pending": (422, "The file holds lines that are not booked yet; fetch the booked statement."),
    "statement_page": (422, "The file is one page of several; fetch the statement whole."),
    "statement_empty": (422, "There is no statement in the file."),
    "statement_account_unknown": (422, "The statement is of an account that is none of the reserve's."),
    "statement_account_moved": (
        409,
        "Statements of this account were taken for another account of the reserve: its euros would count twice.",
    ),
    "statement_gap": (409, "A statement between the last one and this is missing, or this one begins too early."),
    "statement_days_missing": (
        409,
        "Days lie between the last statement and this one; say whether the bank had nothing on them.",
    ),
    "statement_differs": (409, "These days were taken before with other lines; say whether the bank corrected them."),
    "statement_opening": (409, "The first statement begins with euros that the ledger does not have."),
    "statement_overdrawn": (422, "The account is overdrawn; the reserve cannot be less than nothing."),
    "statement_placed": (409, "A line of it was placed, or what it brought was spent: take that back first."),
    "statement_future": (422, "The statement reaches into the future."),
    "topup_unavailable": (409, "The charter names no bank account to which euros could be sent."),
    "iban_wrong": (422, "This is no IBAN, or has not the form of its country's; copy it from the bank's paper."),
    "iban_check": (422, "The digits of the IBAN do not fit each other: it is mistyped; copy it from the bank's paper."),
    "iban_outside": (
        422,
        "The account is outside SEPA, which euro transfers and debits do not leave; give one of a country inside it.",
    ),
    "iban_own": (422, "This IBAN is the reserve's own; give that of whoever is paid or debited."),
    "person_wrong": (422, "Whoever holds a key of the association is a person who takes part, named by account."),
    "payout_unavailable": (409, "The charter names no bank account with an IBAN from which shops could be paid."),
    "payouts_none": (409, "No payout is due that has an IBAN and is in no file yet."),
    "payouts_date": (
        422,
        "Banks pay on days on which they work, from the first that they can meet to 60 days from now.",
    ),
    "payouts_fetched": (409, "The file was fetched before: a bank that gets it twice may pay twice."),
    "payouts_withdrawn": (409, "The file of payouts was withdrawn; order a new one."),
    "payouts_settled": (409, "Every payout of the file was paid or given back already."),
    "payouts_overtaken": (409, "Some of the file was paid or given back since it was ordered; order the rest anew."),
    "payouts_unsigned": (
        409,
        "Not enough different people have signed the file of payouts yet. What one person let leave alone within 30 "
        "days counts with it.",
    ),
    "payouts_signer_revoked": (
        409,
        "Keys that signed the file of payouts were revoked since it left; it is not given again.",
    ),
    "signature_same_person": (409, "The same person signed before, with this or another key; somebody else signs now."),
    "signature_person_unknown": (
        409,
        "Two different people sign this file, and before it was ordered nobody said whose key this is, or nobody else "
        "vouched for it: the holder's own key as a member, a second treasurer, or an invitation made at the machine.",
    ),
    "signature_key_newer": (
        409,
        "The file is older than this key, or than the word on whose key it is. Withdraw the file and order it anew.",
    ),
    "signature_sponsored": (
        409,
        "Of two who sign this file one invited the other's key, or one person could have made both or brought in both; "
        "another person signs, or a second treasurer confirms one of the keys before the file is ordered.",
    ),
    "payouts_changed": (409, "The stored file is not the one that was ordered and signed."),
    "payout_changed": (
        409,
        "What the tables say of a payout, of a file of them, or of where its shop is paid, is not what the log says.",
    ),
    "payout_paid": (409, "The bank paid this payout; if it sends it back, its statement brings it back."),
    "payout_rejection_waits": (409, "Two people let the payout's file leave: another person says so as well."),
    "payout_ordered": (409, "The payout is in a file that was not fetched yet; withdraw that file first."),
    "reason_malformed": (422, "A bank's reason is a code of four capital letters and digits, such as AC04."),
    "mandate_unavailable": (409, "The charter has no monthly top-ups: no [mandates], or no account to collect on."),
    "mandate_amount": (422, "The amount is above what the charter lets one member top up in a month."),
    "mandate_date": (422, "A mandate is signed today or, on paper, within the last 36 months."),
    "mandate_taken": (409, "The party has a mandate already; change its amount, or end it first."),
    "mandate_changed": (
        409,
        "What the tables say of the mandate is not what was signed: somebody changed the database. Nothing was done.",
    ),
    "mandate_ended": (409, "The mandate was ended; a new one can be signed."),
    "mandate_version": (409, "The amount was changed meanwhile; look at the mandate again, then sign."),
    "mandate_open": (
        409,
        "The party has a monthly top-up: end the mandate, and wait until what was collected has arrived or come back.",
    ),
    "month_malformed": (422, "A month is written as 2026-03, and lies within two years of today."),
    "notice_late": (409, "Nobody can be told in time any more what is debited in that month."),
    "collection_none": (409, "Nobody was told of a debit in that month who could be debited now."),
    "collection_early": (409, "A month's file is made when nobody can join it any more, shortly before its day."),
    "collection_date": (422, "Nothing is debited before the day that was announced, nor today or in another month."),
    "collection_fetched": (409, "The file was fetched before; a bank that gets it twice may debit everybody twice."),
    "collection_withdrawn": (409, "The file was withdrawn; collect its month again."),
    "collection_changed": (409, "The stored file is not the one that was ordered."),
    "collection_begun": (409, "The bank has carried out debits of this file; it cannot be withdrawn any more."),
    "line_not_open": (409, "This bank line is not in suspense: it is not booked yet, or booking knew what it is."),
    "line_placed": (409, "Somebody placed this bank line otherwise in the meantime, or put it back; look again."),
    "line_not_placed": (409, "What became of this bank line is not undone by hand, or nobody placed it."),
    "placing_uneven": (422, "The bank line cannot be that: its amount or direction does not fit; the detail says how."),
    "claim_exceeded": (422, "The member owes less than that; split the line, what they owe and the rest."),
    "conversion_named": (409, "That conversion is another bank line already, or it was taken back."),
    "conversion_banked": (
        409,
        "The conversion rests on a bank line, whose euros are in the bank. Put that line back into suspense instead, "
        "and place it as what it is.",
    ),
    "conversion_taken": (
        409,
        "This slip or bank line has issued units before, with another amount or for another account.",
    ),
    "clock_differs": (
        503,
        "The machine's clock does not fit the book: it is far from the last entry, or was moved while the program ran. "
        "Nothing was done. Whoever keeps the machine sets the clock right, or says that it is: `patard clock`.",
    ),
    "conversion_on_statement": (
        409,
        "The statements of the bank account have these euros, or may have them: their line is placed, and nothing is "
        "typed. What is typed ahead of a statement counts for a day after the last one, under a reference of its own.",
    ),
    "limit_conversion": (
        422,
        "One key would convert more in a day by cash, or by bank without a line of a statement, than the charter lets "
        "it.",
    ),
    "texts_changed": (
        409,
        "What this bank line says was changed in the database since it was taken. Check the book.",
    ),
    "line_typed": (
        409,
        "Somebody typed a conversion that this bank line may be. Place the line as known, or take the conversion back.",
    ),
    "account_uncovered": (
        409,
        "Units that were imported into this account have no euros behind them yet; it pays as soon as they have.",
    ),
    "charter_kind_changed": (409, "The charter makes cash of a bank account that is in the books. Nothing was done."),
    "charter_changed": (409, "The charter was changed while the server ran. Nothing was done; restart the server."),
    "reconversion_waiting": (
        409,
        "The party asked to change units back and nobody decided yet; accept or refuse that first.",
    ),
    "conversion_uneven": (422, "The slip or bank line brought more euros than units asked for; a euro makes a unit."),
    "opening_taken": (409, "The euros of this statement were booked before, with another amount."),
    "opening_banked": (409, "The account has statements, which bring its euros: place their line as cover."),
    "accounts_numbers": (409, "The charter's numbers for the chart of accounts cannot be used as they are."),
    "period_unknown": (422, "There is no such business year; name it by the year in which it ends, or a day in it."),
    "period_not_over": (409, "The business year is not over; it can be closed from the day after its last."),
    "period_earlier_open": (409, "Business years are closed in order, and an earlier one is open."),
    "period_differs": (
        500,
        "The log no longer makes the file with which the year was closed: the book or the program was changed.",
    ),
    "date_outside": (422, "The days of a book are those of the years 2000 to 2100."),
    "date_future": (422, "An entry counts for a day that has come, not for one in the future."),
    "party_name_taken": (409, "Another such party has this name; say so if there is to be one more of it."),
    "amount_malformed": (422, "An amount is a whole number of cents, 1 or more."),
    "party_kind_unknown": (422, "A party is a person, a shop, an association or a public_body."),
    "role_not_for_kind": (422, "This kind of party has no such role."),
    "party_closed": (409, "The party was closed."),
    "party_is_office": (
        409,
        "The party has live keys of an operator, treasurer or auditor. A treasurer revokes them first, or it is closed "
        "at the machine with `patard party close`.",
    ),
    "invites_too_many": (409, "Too many join codes of this party wait to be used; they expire by themselves."),
    "keys_too_many": (409, "The party has as many devices as one may; revoke one that is not used any more."),
    "joins_too_many": (409, "Too many devices of this party joined within an hour; wait, then use the code again."),
    "party_ambiguous": (409, "Several parties have this name; use the account number."),
    "text_malformed": (422, "A name or label holds a control character, a hidden or direction mark, or is too long."),
    "busy": (503, "More payments wait than one commit takes. Nothing was done; try again in a moment."),
    "body_malformed": (422, "The body is not the JSON object that this route takes; the detail names the field."),
    "body_too_large": (413, "The body is larger than any request of this API."),
    "media_type_wrong": (415, "Bodies are application/json in UTF-8."),
    "cursor_malformed": (422, "The cursor is not one that this list gave."),
    "rate_limited": (429, "Too many tries; wait as long as Retry-After says."),
    "internal": (500, "The server failed. Whether anything was done is told by sending the same request again."),
    "store_unavailable": (
        503,
        "The database does not answer or its disk is full. Send the same request again later.",
    ),
}
STATUS = {"id_taken": 409, "account_unknown": 404, "account_exists": 409, "below_floor": 409, "not_covered": 409,
          "account_closed": 409, "account_not_empty": 409, "correction_exceeds": 409, "above_ceiling": 409}  # fmt: skip
ERRORS |= {r.code: (STATUS.get(r.code, 422), r.meaning) for r in REFUSALS}
