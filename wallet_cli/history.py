"""The statement: pages of entries for a terminal, for programs, and as CSV; always checked that it adds up."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ledger.currency.money import decimal_text, format_cents
from ledger.i18n import format_day
from wallet_cli.errors import Exit, WalletError
from wallet_cli.home import Settings
from wallet_cli.opened import Wallet
from wallet_cli.reading import SHOWN_ID_CHARS
from wallet_cli.terminal import TERMINAL
from wallet_cli.words import LANG, N_, _, clean

if TYPE_CHECKING:
    from api.client import Entry

PAGE = 500
_BANK_LINE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})/-?[0-9]+/[0-9]+")
_FRENCH_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")

KINDS = {
    "payment": N_("Payment"),
    "refund": N_("Refund"),
    "conversion": N_("Change from euros"),
    "bank_return": N_("Euros that went back to your bank"),
    "monthly_released": N_("Monthly top-up"),
    "bank_collection_unpaid": N_("Monthly top-up that your bank took back"),
    "conversion_corrected": N_("Change from euros taken back"),
    "bank_back": N_("Change from euros taken back"),
    "bank_withdrawn": N_("Change from euros taken back"),
    "reconversion_asked": N_("Change back asked"),
    "reconversion": N_("Change back"),
    "reconversion_refused": N_("Change back refused"),
    "payout_rejected": N_("Change back that your bank refused"),
    "bank_payout_return": N_("Change back whose euros came back"),
    "import": N_("Import"),
}

CSV_COLUMNS = (
    "at",
    "booked_on",
    "kind",
    "counterparty",
    "counterparty_account",
    "memo",
    "reference",
    "change",
    "balance",
    "change_cents",
    "balance_cents",
    "id",
    "corrects",
    "seq",
)


def moment(text: str | None, settings: Settings, *, end: bool = False) -> datetime | None:
    """What was typed: a day, 2026-11-23 or 23/11/2026, in the currency's time zone; or an RFC 3339 time.

    Of a day it is the first moment, with `end` the last. Raises `WalletError` (USAGE).
    """
    if text is None:
        return None
    text, zone = text.strip(), settings.zone()
    if found := _FRENCH_DATE.fullmatch(text):
        text = f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}"
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            if not end:
                return datetime.combine(day, time(), zone).astimezone(UTC)
            return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC) - timedelta(microseconds=1)
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        message = _("{text} is neither a date, such as 2026-11-23, nor a time, such as 2026-11-23T10:00:00Z.")
        raise WalletError(Exit.USAGE, "time_malformed", message.format(text=clean(text))) from None


def fetch(
    wallet: Wallet, limit: int | None, cursor: str | None, since: datetime | None, until: datetime | None
) -> tuple[list[Entry], str | None]:
    """Entries, newest first, at most `limit` (None: all), and the cursor to go on from."""
    client, account = wallet.reader(), wallet.settings.account
    entries: list[Entry] = []
    while True:
        size = PAGE if limit is None else min(PAGE, limit - len(entries))
        at = cursor
        page = wallet.asked(lambda: client.entries(account, limit=size, cursor=at, since=since, until=until))  # noqa: B023
        entries += page.entries
        cursor = page.next_cursor
        if cursor is None or (limit is not None and len(entries) >= limit) or not page.entries:
            return entries, cursor


def adds_up(entries: Sequence[Entry]) -> bool:
    """Whether each balance is the one before it plus the change."""
    return all(newer.balance_cents - newer.change_cents == older.balance_cents for newer, older in pairwise(entries))


def show(wallet: Wallet, entries: Sequence[Entry], cursor: str | None) -> None:
    """The entries as a table, newest first, or as JSON."""
    settings = wallet.settings
    whole = adds_up(entries)
    if entries:
        columns = (
            (_("Date"), False),
            (_("Id"), False),
            (_("What"), False),
            (_("Amount"), True),
            (_("Balance"), True),
        )
        TERMINAL.table(columns, [_row(settings, entry) for entry in entries])
    else:
        TERMINAL.say(_("No entries."))
    if cursor:
        TERMINAL.say(_("There is more: add --all, or --cursor {cursor}").format(cursor=cursor))
    TERMINAL.give(
        {
            "account": settings.account,
            "name": clean(settings.name),
            "unit": settings.code,
            "closing_balance_cents": entries[0].balance_cents if entries else None,
            "opening_balance_cents": entries[-1].balance_cents - entries[-1].change_cents if entries else None,
            "entries": [_as_json(entry) for entry in entries],
            "next_cursor": cursor,
            "adds_up": whole,
        }
    )
    _check(whole)


def show_csv(entries: Sequence[Entry], settings: Settings, separator: str) -> None:
    """The entries as CSV, oldest first: after an opening row, each balance is the one above plus the change.

    With `;` between the fields decimals have a comma, as spreadsheets in French expect; else a dot.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)

    def number(cents: int) -> str:
        return decimal_text(cents).replace(".", "," if separator == ";" else ".")

    if entries and (opening := entries[-1].balance_cents - entries[-1].change_cents):
        row = dict.fromkeys(CSV_COLUMNS, "") | {"kind": "opening_balance"}
        row |= {"balance": number(opening), "balance_cents": str(opening)}
        writer.writerow(row.values())
    for entry in reversed(entries):
        other = entry.counterparty
        writer.writerow(
            (
                entry.at.astimezone(settings.zone()).isoformat(timespec="seconds"),
                entry.booked_on or "",
                entry.kind,
                _cell(other.name if other else None),
                other.account if other else "",
                _cell(entry.memo),
                _cell(entry.reference),
                number(entry.change_cents),
                number(entry.balance_cents),
                entry.change_cents,
                entry.balance_cents,
                entry.id,
                entry.corrects or "",
                entry.seq,
            )
        )
    TERMINAL.raw(out.getvalue())
    _check(adds_up(entries))


def _check(whole: bool) -> None:
    if not whole:
        message = _("These entries do not add up to their balances. Show this to the association.")
        raise WalletError(Exit.UNTRUSTED, "statement_broken", message)


def _row(settings: Settings, entry: Entry) -> tuple[str, ...]:
    other = entry.counterparty
    name = clean(other.name if other and other.name else other.account if other else "")
    kind = _(KINDS[entry.kind]) if entry.kind in KINDS else clean(entry.kind)
    # Payments are what a statement is full of: the name says it all.
    what = [name] if entry.kind == "payment" and name else [kind, name]
    parts = [part for part in (*what, clean(entry.memo), _source(entry.reference)) if part]
    at = entry.at.astimezone(settings.zone())
    return (
        at.strftime("%d/%m/%y %H:%M" if LANG == "fr" else "%Y-%m-%d %H:%M"),
        entry.id[-SHOWN_ID_CHARS:],
        " · ".join(parts),
        ("+" if entry.change_cents > 0 else "") + format_cents(entry.change_cents, LANG),
        format_cents(entry.balance_cents, LANG),
    )


def _source(reference: str | None) -> str:
    """What brought the euros of a conversion: a bank line, known by its day, or the slip that names it."""
    found = _BANK_LINE.fullmatch(reference or "")
    if not found:
        return clean(reference or "")
    day = date(int(found[1]), int(found[2]), int(found[3]))
    return _("transfer of {day}").format(day=format_day(day, LANG))


def _as_json(entry: Entry) -> dict[str, Any]:
    other = entry.counterparty
    return {
        "id": entry.id,
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "booked_on": entry.booked_on.isoformat() if entry.booked_on else None,
        "kind": entry.kind,
        "change_cents": entry.change_cents,
        "balance_cents": entry.balance_cents,
        "counterparty": {"account": other.account, "name": clean(other.name), "kind": other.kind} if other else None,
        "memo": clean(entry.memo) if entry.memo is not None else None,
        "reference": clean(entry.reference) if entry.reference is not None else None,
        "corrects": entry.corrects,
    }


def _cell(text: str | None) -> str:
    """A name or memo that no spreadsheet takes for a formula."""
    shown = clean(text)
    return "'" + shown if shown.startswith(("=", "+", "-", "@")) else shown
