"""The accounts of a business year: written, closed, checked."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from api.commands.console import CONSOLE, N_, CliError, Exit, _, euros, ngettext, shown_day
from api.commands.opened import opened, readable
from ledger.core.ids import account_text
from ledger.currency import parties
from ledger.currency.accounts import export as accounts
from ledger.currency.accounts import fec, fec_check, periods
from ledger.currency.accounts.describe import description
from ledger.currency.accounts.entries import Books
from ledger.currency.accounts.export import Written
from ledger.currency.clocked import Moments
from ledger.currency.town import Town

ENDINGS = {"hledger": "journal", "beancount": "beancount", "csv": "csv"}
SHOWN = 50
SIREN_MISSING = N_('A FEC is named by the SIREN: write it into the charter, siren = "..." under [bookkeeping].')


def export(form: str, year: str | None, account: str | None, out: Path | None, *, names: bool) -> None:
    """Write a business year to `out`, or to standard output, whole or not at all."""
    if form not in accounts.FORMS:
        told = _("{form!r} is no form of the accounts; write one of {forms}.")
        raise CliError(Exit.USAGE, "usage", told.format(form=form, forms=", ".join(accounts.FORMS)))
    if account is not None and form != "csv":
        raise CliError(Exit.USAGE, "usage", _("--account goes with csv: one account alone does not balance."))
    if out is None and CONSOLE.as_json:
        raise CliError(Exit.USAGE, "usage", _("--json goes with --out: standard output is the file."))
    with readable() as town, CONSOLE.progress(_("Reading the log"), _("Writing")) as (first, second):
        books = accounts.read(town, year, names=names, progress=first)
        only = _only(town, books, account) if account is not None else None
        usual = _usual(town, books, form)
        unnamed = form == "fec" and not books.plan.siren
        if out is not None and out.is_dir():
            if unnamed:
                raise CliError(Exit.REFUSED, "siren_missing", _(SIREN_MISSING))
            out = out / usual
        with _draft(out) as draft:
            written = accounts.write(books, form, draft.write, only=only, names=names, progress=second)
    beside = None
    if out is not None and form == "fec":
        beside = out.with_name(f"{out.stem}_description.txt")
        with _draft(beside) as draft:
            draft.write(description(written).encode())
    if out is None:
        if unnamed:
            CONSOLE.note(_(SIREN_MISSING))
        elif form == "fec":
            CONSOLE.note(_("The law wants this file to be called {name}.").format(name=usual))
        return
    _show(written)
    if form == "fec" and not unnamed and out.name != usual:
        CONSOLE.note(_("The law wants this file to be called {name}.").format(name=usual))
    CONSOLE.facts({_("File"): str(out)} | ({_("Description"): str(beside)} if beside else {}))
    CONSOLE.give(
        {
            "form": form, "file": str(out), "description": str(beside) if beside else None, **_year(written.books),
            "entries": written.entries, "lines": written.lines, "bytes": written.size, "sha256": written.sha256,
        }
    )  # fmt: skip


def years() -> None:
    """The business years from the first closed one, or from when the book was begun, to today's."""
    with readable() as town:
        closed = periods.closings(town)
        today = town.charter.local_date(town.now())
        with town.book.store.reading() as store:
            first, seq = store.log(0, 1)[0], store.head().seq
        begun = town.charter.local_date(Moments(town, seq).of(first.seq, first.at))
        found = [periods.Period(c.start, c.end, c) for c in closed]
        day = closed[-1].end + timedelta(days=1) if closed else begun
        while day <= today:
            found.append(periods.period_at(town, closed, day))
            day = found[-1].end + timedelta(days=1)
    CONSOLE.table(
        [(_("From"), False), (_("To"), False), (_("Entries"), True), (_("State"), False), ("SHA-256", False)],
        [[shown_day(p.start), shown_day(p.end), str(p.closing.entries) if p.closing else "",
          _("closed") if p.closing else _("open"), p.closing.sha256 if p.closing else ""] for p in found],
    )  # fmt: skip
    CONSOLE.give(
        [
            {"start": str(p.start), "end": str(p.end), "closed": p.closing is not None,
             "entries": p.closing.entries if p.closing else None, "sha256": p.closing.sha256 if p.closing else None,
             "seq": p.closing.seq if p.closing else None}
            for p in found
        ]
    )  # fmt: skip


def close(year: str, *, yes: bool) -> None:
    """Close a business year, for ever, once somebody said so. Closing it again changes nothing, and asks nothing."""
    with opened() as town:
        period = accounts.to_close(town, year)
        if not period.closing and not yes:
            told = _("Close the business year {start} to {end}? Nothing is booked into it any more, for ever.")
            CONSOLE.confirm(told.format(start=shown_day(period.start), end=shown_day(period.end)))
        with CONSOLE.progress(_("Reading the log"), _("Writing")) as (first, second):
            closing, replay = accounts.close(town, year, progress=first, second=second)
    told = _("The business year {start} to {end} was closed before:") if replay else _(
        "The business year {start} to {end} is closed. What comes later is booked into the years after it."
    )  # fmt: skip
    CONSOLE.say(told.format(start=shown_day(closing.start), end=shown_day(closing.end)))
    CONSOLE.facts({_("entries"): str(closing.entries), _("up to log entry"): str(closing.seq),
                   "SHA-256": closing.sha256})  # fmt: skip
    CONSOLE.give(
        {"start": str(closing.start), "end": str(closing.end), "entries": closing.entries, "seq": closing.seq,
         "sha256": closing.sha256, "by": closing.by, "replay": replay}
    )  # fmt: skip


def check(file: Path) -> None:
    """Check a FEC. Raises `CliError` (REFUSED) when anything is not as it must be."""
    try:
        with file.open("rb") as data:
            report = fec_check.check(data, file.name)
    except OSError as error:
        told = _("{file} cannot be read: {reason}.").format(file=file, reason=error.strerror)
        raise CliError(Exit.USAGE, "file_unreadable", told) from None
    for finding in report.findings[:SHOWN]:
        place = _("line {line}: ").format(line=finding.line) if finding.line else ""
        CONSOLE.say(f"{finding.code}: {place}{finding.text}")
    if report.total > SHOWN:
        CONSOLE.say(_("... and {count} more").format(count=report.total - min(SHOWN, len(report.findings))))
    CONSOLE.facts(
        {
            _("entries"): str(report.entries),
            _("lines"): str(report.lines),
            _("debits"): euros(report.debit),
            _("credits"): euros(report.credit),
        }
    )
    CONSOLE.give(
        {
            "ok": report.ok, "entries": report.entries, "lines": report.lines, "debit_cents": report.debit,
            "credit_cents": report.credit, "found": report.total,
            "findings": [finding._asdict() for finding in report.findings],
        }
    )  # fmt: skip
    if not report.ok:
        told = ngettext("1 finding: this file is not as it must be.",
                        "{count} findings: this file is not as it must be.", report.total)  # fmt: skip
        raise CliError(Exit.REFUSED, "findings", told.format(count=report.total), found=report.total)
    CONSOLE.say(_("Everything is as it must be."))


def _only(town: Town, books: Books, account: str) -> str:
    """The number, of the chart of accounts or of a party's account, that somebody means."""
    plan = books.plan
    if account in plan.reserve:
        return plan.reserve[account]
    if account in {used.number for used in plan.uses()}:
        return account
    return account_text(parties.named(town, account).account)


def _usual(town: Town, books: Books, form: str) -> str:
    if form == "fec":
        return fec.file_name(books.plan.siren, books.period.end)
    return f"{town.charter.code.lower()}-{books.period.end}.{ENDINGS[form]}"


@contextmanager
def _draft(out: Path | None) -> Iterator[BinaryIO]:
    """A file beside `out` that takes its place once it is whole; without `out`, what goes to standard output then."""
    if out is None:
        with tempfile.TemporaryFile(prefix="patard-accounts-") as draft:
            yield draft
            draft.seek(0)
            sys.stdout.flush()
            shutil.copyfileobj(draft, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    except OSError as error:
        told = _("{file} cannot be written: {reason}.").format(file=out, reason=error.strerror)
        raise CliError(Exit.USAGE, "file_unwritable", told) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        os.replace(name, out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _show(written: Written) -> None:
    period = written.books.period
    told = (
        _("The business year {start} to {end}, closed") if period.closing else _("The business year {start} to {end}")
    )
    CONSOLE.say(told.format(start=shown_day(period.start), end=shown_day(period.end)))
    CONSOLE.facts({_("entries"): str(written.entries), _("lines"): str(written.lines), "SHA-256": written.sha256})


def _year(books: Books) -> dict[str, str | int | bool]:
    period = books.period
    return {"start": str(period.start), "end": str(period.end), "closed": period.closing is not None, "seq": books.seq}
