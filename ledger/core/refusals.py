"""Every reason why the engine refuses, with its stable code, in the order in which they are tried.

Two stages. `SHAPE`: a constructor in `model` raised `Malformed`; no book was asked. `STATE`: `rules` looked at
the book. Within a stage the first that applies, in the order below, is the answer. A transaction is gone through
three times, its transfers in order and the debited account before the credited one, and the order below holds for
each account: first whether they can take part (unknown, closed, unit), then what it corrects, then what the accounts
would hold (floor, ceiling, total), and cover last of all. Before any of the second stage comes idempotency: an id that
is in the log with the same content is answered as posted, whatever has happened to its accounts since.
"""

from __future__ import annotations

from typing import NamedTuple


class Refusal(NamedTuple):
    """A named reason. `meaning` is one paragraph for the reference."""

    code: str
    stage: str
    meaning: str


SHAPE = "shape"
STATE = "state"

REFUSALS: tuple[Refusal, ...] = (
    Refusal(
        "id_malformed",
        SHAPE,
        "An id is 16 bytes and not all zero. Make it before you send, keep it until an answer came.",
    ),
    Refusal(
        "kind_malformed",
        SHAPE,
        "A kind is 1 to 32 characters of a-z, 0-9 and underscore, beginning with a letter.",
    ),
    Refusal("date_malformed", SHAPE, "booked_on is a calendar date without time or zone."),
    Refusal(
        "account_malformed",
        SHAPE,
        "An account number is a whole number from 1 to 2^63 - 1 (8 bytes, top bit clear).",
    ),
    Refusal("unit_malformed", SHAPE, "A unit is 2 to 8 characters of A-Z and 0-9, beginning with a letter."),
    Refusal(
        "bounds_malformed",
        SHAPE,
        "A floor or ceiling is below 2^53 in size and leaves room for an empty account; no account covers itself.",
    ),
    Refusal(
        "same_account",
        SHAPE,
        "A transfer whose two sides are one account moves nothing and is refused, so that statements stay readable.",
    ),
    Refusal(
        "amount_out_of_range",
        SHAPE,
        "An amount is a whole number of cents from 1 to 2^53 - 1. Direction is told by the accounts, never by a sign.",
    ),
    Refusal("transfers_malformed", SHAPE, "A transaction has 1 to 256 transfers."),
    Refusal(
        "evidence_malformed",
        SHAPE,
        "Evidence is flat: short lower-case keys, values text or whole numbers below 2^53, 8 KiB in all.",
    ),
    Refusal(
        "id_taken",
        STATE,
        "The log holds this id with other content. Nothing was moved now; the content that stands is the one "
        "that was posted first. Make a new id for a new transaction.",
    ),
    Refusal(
        "account_exists",
        STATE,
        "An account with this number is open or was once; numbers are never used again.",
    ),
    Refusal("account_unknown", STATE, "No account has this number: a typing error, or an account of another book."),
    Refusal("account_closed", STATE, "The account was closed. Its history stays; it takes part in nothing new."),
    Refusal(
        "unit_differs",
        STATE,
        "A transfer's unit is the unit of both its accounts. Changing units is two transfers in one transaction.",
    ),
    Refusal("cover_chained", STATE, "The account named as cover is itself covered by another; a cover is one step."),
    Refusal("correction_unknown", STATE, "The transaction named as corrected is not in the log, or moved no money."),
    Refusal(
        "correction_unrelated",
        STATE,
        "Each transfer of a correction goes back between the two accounts of a transfer of the original, in its unit.",
    ),
    Refusal(
        "correction_exceeds",
        STATE,
        "All corrections of one transaction together give back at most what it moved, for each pair of accounts.",
    ),
    Refusal(
        "below_floor",
        STATE,
        "After the whole transaction an account would lie below its floor: for a holder, more would be spent "
        "than is there.",
    ),
    Refusal("above_ceiling", STATE, "After the whole transaction an account would lie above its ceiling."),
    Refusal(
        "total_too_large",
        STATE,
        "An account's total debits or credits would reach 2^62; the book refuses before any integer could overflow.",
    ),
    Refusal(
        "not_covered",
        STATE,
        "After the whole transaction an account would hold more than the account that covers it: for a "
        "currency, a unit that no euro backs.",
    ),
    Refusal(
        "account_not_empty",
        STATE,
        "Only an account with balance 0 can be closed, and none that covers another open account.",
    ),
)

CODES = {refusal.code: refusal for refusal in REFUSALS}
