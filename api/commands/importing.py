"""Moving an existing currency in, from a file of past transfers."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from api.commands.console import CONSOLE, N_, CliError, Exit, _, amount, euros, money, ngettext
from api.commands.failures import reason
from api.commands.opened import opened
from ledger.currency import reserve, uncovered
from ledger.currency.charter import PartyKind
from ledger.currency.import_rows import KINDS, ROUNDINGS
from ledger.currency.imported import open_reserve
from ledger.currency.importer import ImportRefused, Options, Problem, run

SHOWN = 20
HOURS = {
    "at_twice": N_("the clocks had this hour twice that day, and it names no zone: taken for the first of the two"),
    "at_never": N_("the clocks left this hour out that day, and it names no zone: taken for the one after it"),
}
"""Lines whose hour is not sure; they are taken in the order of the file."""


def bring_in(
    file: Path, issuers: Sequence[str], shops: Sequence[str], parties_file: Path | None, kinds: str | None,
    rounding: str | None, unit: str | None, encoding: str | None, openings: Sequence[str], reference: str,
    *, skip_bad: bool, dry_run: bool,
) -> None:  # fmt: skip
    """Import `file`. Raises `CliError` (REFUSED) when lines of it cannot be taken."""
    if rounding is not None and rounding not in ROUNDINGS:
        raise CliError(Exit.USAGE, "usage", _("--round is one of: {names}.").format(names=", ".join(ROUNDINGS)))
    known = _parties(parties_file) if parties_file else {}
    options = Options(
        frozenset(issuers), {**known, **dict.fromkeys(shops, PartyKind.SHOP)},
        frozenset(kind.strip().lower() for kind in kinds.split(",")) if kinds else frozenset(KINDS),
        rounding, unit, encoding, skip_bad, dry_run,
    )  # fmt: skip
    booked = [_opening(text) for text in openings]
    with opened() as town, _plain_file(file) as path:
        symbol = town.charter.symbol
        for name, _cents in booked:
            if name not in town.chart.reserve:
                told = _("--opening-reserve: the charter has no account {name!r}; it has: {names}.")
                raise CliError(Exit.USAGE, "reserve_account_unknown",
                               told.format(name=name, names=", ".join(town.chart.reserve)))  # fmt: skip
        try:
            with CONSOLE.progress(_("Checking the file"), _("Importing")) as (first, second):
                bars = {"check": first, "import": second}
                done = run(town, path, options, lambda phase, read, size: bars[phase](read, size))
        except ImportRefused as error:
            _problems(error.problems, error.total)
            CONSOLE.give({"posted": 0, "lines": error.lines, "wrong": error.total,
                          "problems": [problem._asdict() for problem in error.problems]})  # fmt: skip
            raise
        except KeyboardInterrupt:
            told = _("Interrupted. What was imported stands; the same command again completes it.")
            raise CliError(Exit.INTERRUPTED, "interrupted", told) from None
        _problems(done.problems, done.left_out)
        _problems([one._replace(reason=_(HOURS[one.code])) for one in done.doubts], done.doubtful)
        if not dry_run:
            for name, cents in booked:
                open_reserve(town, name, cents, reference)
        report, held = reserve.report(town), uncovered.waiting(town)
    CONSOLE.facts(
        {
            _("lines"): str(done.lines),
            _("imported now"): _("{count}, {amount}").format(count=done.posted, amount=money(done.cents, symbol)),
            _("stood already"): str(done.stood),
            _("left out"): str(done.left_out),
            _("accounts opened"): str(done.accounts),
        }
    )
    if dry_run:
        CONSOLE.say(_("Nothing was imported: this was a trial."))
    elif report.imported:
        told = _("{amount} that issuers have out are not covered yet. Book the euros behind them:")
        CONSOLE.say(told.format(amount=money(report.imported, symbol)))
        CONSOLE.say(_("    patard import {file} --opening-reserve NAME=AMOUNT").format(file=file))
        if held:
            told = ngettext(
                "The currency was at work: until then, 1 account that got some of them pays nothing.",
                "The currency was at work: until then, {count} accounts that got some of them pay nothing.", held,
            )  # fmt: skip
            CONSOLE.say(told.format(count=held))
    elif booked:
        CONSOLE.say(_("Covered: {units} in circulation, {euros} in the guarantee.").format(
            units=money(report.circulation, symbol), euros=euros(report.guarantee)))  # fmt: skip
    CONSOLE.give(
        {
            "lines": done.lines, "posted": done.posted, "stood": done.stood, "left_out": done.left_out,
            "accounts": done.accounts, "amount_cents": done.cents, "imported_cents": report.imported,
            "held_accounts": held,
            "circulation_cents": report.circulation, "guarantee_cents": report.guarantee,
            "problems": [problem._asdict() for problem in done.problems],
            "doubts": [doubt._asdict() for doubt in done.doubts],
        }
    )  # fmt: skip


def _problems(problems: Sequence[Problem], total: int) -> None:
    for problem in problems[:SHOWN]:
        CONSOLE.note(_("line {line}: {reason}").format(line=problem.line, reason=reason(problem.code, problem.reason)))
    if total > SHOWN:
        left = total - SHOWN
        CONSOLE.note(ngettext("... and 1 line more", "... and {count} lines more", left).format(count=left))


def _opening(text: str) -> tuple[str, int]:
    name, equals, sum_ = text.rpartition("=")
    if not equals:
        raise CliError(Exit.USAGE, "usage", _("--opening-reserve: write NAME=AMOUNT, as in 'Banque=27000'."))
    return name, amount(sum_, "--opening-reserve")


def _parties(file: Path) -> dict[str, PartyKind]:
    """A CSV of names and kinds, without a header."""
    found = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            for number, row in enumerate(csv.reader(text), 1):
                if len(row) != 2 or row[1].strip() not in list(PartyKind):
                    told = _("{file}, line {line}: write a name and one of {kinds}, with a comma between them.")
                    raise CliError(Exit.USAGE, "party_kind_unknown",
                                   told.format(file=file, line=number, kinds=", ".join(PartyKind)))  # fmt: skip
                found[row[0].strip()] = PartyKind(row[1].strip())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        told = _("{file} cannot be read: {reason}.")
        raise CliError(Exit.USAGE, "import_unreadable", told.format(file=file, reason=error)) from None
    return found


@contextmanager
def _plain_file(file: Path) -> Iterator[Path]:
    """The file, or a copy of what comes through a pipe: it is read twice."""
    if str(file) != "-" and (file.is_file() or not file.exists() or file.is_dir()):
        yield file
        return
    with tempfile.NamedTemporaryFile(prefix="patard-import-") as copy:
        with open(0 if str(file) == "-" else file, "rb", closefd=str(file) != "-") as pipe:
            shutil.copyfileobj(pipe, copy)
        copy.flush()
        yield Path(copy.name)
