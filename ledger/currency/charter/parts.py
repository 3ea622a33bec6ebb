"""The parts of a charter, as values. `reading` makes them out of a file, `rules` says what each line may hold."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.currency.charter.rules import ReserveKind


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one payer may pay (cents; None: no limit), and how long sessions and codes live.

    `cash_per_day` and `ahead_per_day` are what one person of the office converts a day by cash, and by bank without a
    line of a statement; such a line must have come after `ahead_days`.
    """

    per_payment: int | None = None
    per_day: int | None = None
    session_hours: int = 12
    request_seconds: int = 300
    cash_per_day: int = 200_000
    ahead_per_day: int = 200_000
    ahead_days: int = 10


@dataclass(frozen=True, kw_only=True)
class ReserveAccount:
    """A bank account or a cash box in which euros of the reserve lie. IBAN and BIC have no spaces.

    `holder` is the account's holder as the bank knows it (a transfer to another name is stopped), `liquid` whether the
    euros are there from one day to the next, `number` the account's number in the chart of accounts.
    """

    name: str
    kind: ReserveKind
    iban: str | None = None
    bic: str | None = None
    holder: str | None = None
    liquid: bool = True
    number: str | None = None


@dataclass(frozen=True, kw_only=True)
class BankRules:
    """How euros come and go by bank. Names are those of reserve accounts with an IBAN; None: the first such account.

    `second_signature_above` is the total of a payout file (cents) above which two people sign it; None: never. It is
    the most, too, that one person lets leave alone within 30 days, and that one person may have typed ahead of
    statements and accept that somebody changes back (see `payouts.alone`, `ahead.require_proved`).
    """

    topup: str | None = None
    payout: str | None = None
    second_signature_above: int | None = None


@dataclass(frozen=True, kw_only=True)
class MandateRules:
    """Monthly top-ups by direct debit. `creditor_id` is the SEPA creditor identifier (ICS).

    They are collected on `day` of the month, announced `notice_days` before; the units arrive `risk_days` after the
    euros did. `account` is a reserve account with an IBAN (None: that of top-ups), `per_month` the most of one member.
    """

    creditor_id: str
    account: str | None = None
    day: int = 5
    notice_days: int = 14
    risk_days: int = 56
    per_month: int | None = None


@dataclass(frozen=True, kw_only=True)
class Bookkeeping:
    """How the books are given to an accountant: numbers of the French chart of accounts (PCG), by what they are for.

    The numbers of bank and cash accounts stand with each `ReserveAccount`. `year_end` is (month, day).
    """

    siren: str | None = None
    year_end: tuple[int, int] = (12, 31)
    holders: str = "46881"
    payouts: str = "46883"
    suspense: str = "471"
    fees: str = "706"
    charges: str = "627"
    claims: str = "467"
    transit: str = "58"
    operations: str = "5123"
    guarantee: str = "46889"
