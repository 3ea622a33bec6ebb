"""`patard reserve`: circulation against reserve, and each account against its last statement, in 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from api.commands.console import CONSOLE, LANG, CliError, Exit, _
from api.commands.opened import readable
from api.schemas.reserve import reserve_out
from ledger.currency import reserve
from ledger.i18n import translator
from merchants.reserve.shown import Fact, Shown, show

WORDS = translator("merchants", LANG)
"""The words of the report are those of its page."""
COLUMNS = 80
_SIGNS = str.maketrans({"≤": "<=", "−": "-"})
"""What not every terminal has."""


def show_reserve(paper: Path | None, *, lines: bool = False) -> None:
    """Show the report, and write it to a PDF file. Raises `CliError` (REFUSED) when it does not add up."""
    with readable() as town:
        report = reserve.report(town)
        charter = town.charter
        given = reserve_out(town, report)
    if paper is not None:
        from merchants.reserve.pdf import pdf

        try:
            paper.write_bytes(pdf(report, charter, WORDS))
        except OSError as error:
            told = _("{file} cannot be written: {reason}.").format(file=paper, reason=error.strerror)
            raise CliError(Exit.USAGE, "file_unwritable", told) from None
    shown = show(report, charter, WORDS, lines=lines)
    after = _("after entry {seq}").format(seq=report.seq)
    CONSOLE.say(f"{charter.name} ({charter.code})")
    CONSOLE.say(f"{WORDS('As of {day}').format(day=shown.on)}, {after}")
    if shown.proved is not None:
        CONSOLE.say(shown.proved)
    for told in shown.limits:
        CONSOLE.say(fill(told, COLUMNS))
    _sums(shown)
    _accounts(shown)
    _flows(shown)
    for one in shown.identities:
        CONSOLE.say()
        held = WORDS("holds") if one.holds else WORDS("DOES NOT HOLD")
        CONSOLE.say(f"{held}  {one.left} {one.relation} {one.right}".translate(_SIGNS))
        for told in (one.sentence, one.formula.translate(_SIGNS)):
            CONSOLE.say(fill(told, COLUMNS, initial_indent="  ", subsequent_indent="  "))
    if paper is not None:
        CONSOLE.say()
        CONSOLE.say(_("The report on paper is in {file}.").format(file=paper))
    CONSOLE.give(given.model_dump())
    if shown.awaits is not None:
        CONSOLE.say()
        told = WORDS("{sum} were booked ahead of the bank's statements, which have not shown them yet.")
        CONSOLE.say(fill(told.format(sum=shown.awaits), COLUMNS))
    elif shown.outdated:
        CONSOLE.say()
        CONSOLE.say(shown.outdated)
    elif not report.covered:
        if shown.unexplained is not None:
            CONSOLE.say()
            told = WORDS("{sum} are in the ledger and on no statement of the bank.").format(sum=shown.unexplained)
            CONSOLE.say(fill(told, COLUMNS))
        raise CliError(Exit.REFUSED, "not_covered", _("The reserve does not cover what is out; see above."))


def _sums(shown: Shown) -> None:
    together = WORDS("Together")
    groups: list[tuple[str, Sequence[Fact]]] = [
        ("", [*shown.units, Fact(WORDS("Euros behind it"), shown.backing), *([shown.beyond] if shown.beyond else [])]),
        (WORDS("What the euros are for"), [*shown.purposes, Fact(together, shown.purposes_sum)]),
        (WORDS("Where the euros are"), [*shown.places, Fact(together, shown.places_sum)]),
    ]
    names = max(len(_named(fact)) for _heading, facts in groups for fact in facts)
    sums = max(len(fact.sum) for _heading, facts in groups for fact in facts)
    for heading, facts in groups:
        CONSOLE.say()
        if heading:
            CONSOLE.say(heading)
        for fact in facts:
            CONSOLE.say(f"  {_named(fact):<{names}}  {fact.sum:>{sums}}")
    CONSOLE.say()
    shares = []
    if shown.coverage is not None:
        shares.append(f"{WORDS('Coverage')} {shown.coverage}")
    if shown.liquid_share is not None:
        told = WORDS("{share} of the reserve is there from one day to the next").format(share=shown.liquid_share)
        shares.append(f"{told} ({WORDS('Placed')} {shown.placed})")
    for share in shares:
        CONSOLE.say(fill(share, COLUMNS))


def _named(fact: Fact) -> str:
    return f"  {fact.name}" if fact.part else fact.name


def _accounts(shown: Shown) -> None:
    CONSOLE.say()
    columns = [(WORDS("Account"), False), (WORDS("In the ledger"), True), (WORDS("Statement"), True),
               (WORDS("Date"), False), (WORDS("Difference"), True)]  # fmt: skip
    rows = [
        (account.name, account.ledger, account.statement or WORDS("none"), account.on or "", account.difference or "")
        for account in shown.accounts
    ]
    CONSOLE.table(columns, rows)
    for account in shown.accounts:
        if account.reasons and not account.lines:
            CONSOLE.say()
            CONSOLE.say(f"{account.name}  {account.difference}")
            for fact in account.reasons:
                CONSOLE.say(f"  {fact.sum:>14}  {fact.name}")
        if account.lines:
            CONSOLE.say()
            CONSOLE.say(f"{account.name}  {WORDS('The difference, line by line')}")
            for line in account.lines:
                CONSOLE.say(fill(f"  {line.on}  {line.sum:>14}  {line.why}", COLUMNS, subsequent_indent=" " * 30))
                CONSOLE.say(f"{'':<30}{' '.join((line.what, line.reference)).strip()}".rstrip())
            CONSOLE.say(f"  {WORDS('Together'):<10}  {account.difference:>14}")


def _flows(shown: Shown) -> None:
    if shown.months:
        CONSOLE.say()
        columns = [(WORDS("Month"), False), (WORDS("Conversions"), True), (WORDS("Reconversions"), True),
                   (WORDS("In circulation"), True)]  # fmt: skip
        CONSOLE.table(columns, [tuple(month) for month in shown.months])
    CONSOLE.say()
    threshold = WORDS("of {threshold}").format(threshold=shown.threshold)
    CONSOLE.say(f"{WORDS('Twelve months of euros')}  {shown.total} {threshold} ({shown.share})")
    CONSOLE.say(f"  {WORDS('In, by conversion')} {shown.inflow}")
    CONSOLE.say(f"  {WORDS('Changed back, fees included')} {shown.outflow}")
