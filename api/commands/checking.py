"""Is the book right? The check of the engine, the audit of the currency, the replay from records. None can write."""

from __future__ import annotations

import gc
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from textwrap import TextWrapper
from typing import Any

from api.commands import failures, noticed
from api.commands.console import CONSOLE, CliError, Exit, _, ngettext, shown_moment
from api.home import Home, home_of, open_town
from api.schemas.fields import rfc3339
from ledger.core import check as engine
from ledger.core.book import Book
from ledger.core.check_report import Report
from ledger.core.opening import open_book
from ledger.core.replay import Difference, ReplayError, rebuild
from ledger.core.snapshot import Snapshot, snapshot
from ledger.core.steps import Steps, in_turns
from ledger.currency import heads_file, parties
from ledger.currency.audit import walk
from ledger.currency.audit.story import Notice
from ledger.currency.audit.walk import Audit
from ledger.currency.snapshot import as_of
from ledger.currency.town import Town

SHOWN = 50
_LINES = TextWrapper(80, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
_ROOT = re.compile(r"([1-9][0-9]{0,15}):([0-9a-f]{64})", re.ASCII)


def check(*, notices_too: bool, roots: Sequence[str] = ()) -> None:
    """Check the whole book as it stands at one moment. Raises `CliError` (REFUSED) when anything is not as it must be.

    `notices_too` shows what is allowed, and may be looked at. `roots` are what somebody noted of the log, SIZE:HASH.
    """
    report, came, names = look(home_of(), _roots(roots))
    findings = [_finding(f.code, f.seq, f.id, f.detail) for f in report.findings]
    total = sum(report.counts.values())
    audited = None if isinstance(came, Exception) else came
    if isinstance(came, Exception):
        # A book that is damaged enough cannot be read any further. Where something else is the matter, that is said.
        if report.ok and failures.told(came)[1] != "internal":
            raise came
        findings.append(_finding("audit_stopped", None, None, f"the audit could not go on: {came!r}"[:300]))
        total += 1
    if audited is not None:
        findings += [_finding(f.code, f.seq or None, f.id, f.text) for f in audited.findings]
        total += audited.total
    for finding in findings[:SHOWN]:
        CONSOLE.say(noticed.finding(_line(finding), names))
    if total > SHOWN:
        CONSOLE.say(_("... and {count} more").format(count=total - min(SHOWN, len(findings))))
    notices = audited.notices if audited is not None else []
    if notices_too:
        _show_notices(notices, names)
    CONSOLE.facts(
        {
            _("entries"): str(report.entries),
            _("up to"): _("entry {seq}, of {at}").format(seq=report.seq, at=shown_moment(report.at, home_of().zone())),
            _("transfers"): str(report.transfers),
            _("accounts"): str(report.accounts),
            _("signed orders"): str(audited.orders if audited is not None else 0),
            _("log root"): report.root.hex(),
        }
    )
    sealed = audited is None or audited.sealed
    if not sealed:
        told = _(
            "Only the public key is here: the seals of sessions and join codes, which open doors, were not looked at."
        )
        CONSOLE.note(told)
    CONSOLE.give(
        {
            "ok": not total, "entries": report.entries, "transfers": report.transfers, "accounts": report.accounts,
            "orders": audited.orders if audited is not None else 0, "seq": report.seq, "at": rfc3339(report.at),
            "root": report.root.hex(), "found": total, "seals_checked": sealed,
            "findings": findings,
            "notices": [{"seq": n.seq, "transaction": n.id.hex(), "detail": n.text} for n in notices],
        }
    )  # fmt: skip
    if total:
        found = ngettext(
            "1 finding: this book is not as it must be.", "{count} findings: this book is not as it must be.", total
        )
        raise CliError(Exit.REFUSED, "findings", found.format(count=total), found=total)
    CONSOLE.say(_("Everything is as it must be."))
    if notices and not notices_too:
        more = ngettext(
            "What is allowed, and may be looked at: {count} (--notices shows it).",
            "What is allowed, and may be looked at: {count} (--notices shows them).", len(notices),
        )  # fmt: skip
        CONSOLE.say(more.format(count=len(notices)))


def _roots(typed: Sequence[str]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for text in typed:
        match = _ROOT.fullmatch(text.strip().lower())
        if match is None or found.get(int(match[1]), bytes.fromhex(match[2])) != bytes.fromhex(match[2]):
            told = _("{text} is no size and root of a log: write the number of entries, a colon and 64 hex digits.")
            raise CliError(Exit.USAGE, "root_malformed", told.format(text=text))
        found[int(match[1])] = bytes.fromhex(match[2])
    return found


def look(home: Home, roots: Mapping[int, bytes] | None = None) -> tuple[Report, Audit | Exception, dict[str, str]]:
    """What engine and currency say of the book in `home`, both of the same moment; and the names in what they say.

    `roots` are what somebody noted of the log: size -> root.
    """
    book = open_book(home.database(), read_only=True)
    try:
        while True:
            rules = _rules_in(home)
            # Before the moment: what is in the file was in the log before.
            written = heads_file.read(home.heads)
            with snapshot(_engine(book)) as moment, _opened(home) as found:
                # A charter that was changed just now is the one that the log of that moment notes, or it comes next.
                if _rules_in(home) == rules:
                    return _checked(moment, found, partial(walk.steps, written=written, roots=roots))
    finally:
        book.close()


def _rules_in(home: Home) -> bytes | None:
    return home.charter.read_bytes() if home.charter.exists() else None


@contextmanager
def _opened(home: Home) -> Iterator[Town | Exception]:
    """The currency in `home`, or why it cannot be opened: its book may be damaged."""
    try:
        town = open_town(home, read_only=True)
    except Exception as error:
        yield error
        return
    try:
        yield town
    finally:
        town.book.close()


def _checked(
    moment: Snapshot, found: Town | Exception, audit: Callable[[Town], Steps[Audit]]
) -> tuple[Report, Audit | Exception, dict[str, str]]:
    with CONSOLE.progress(_("Checking the book"), _("Auditing the currency")) as (first, second):
        if isinstance(found, Exception):
            return engine.check(moment, first), found, {}
        town = as_of(found, moment)
        # What the program itself is made of stays: looked through again and again, it took a tenth of all the work.
        gc.freeze()
        try:
            report, audited = in_turns(engine.steps(moment), audit(town), first, second)
        finally:
            gc.unfreeze()
    if isinstance(audited, Exception):
        return report, audited, {}
    said = [f.text for f in audited.findings[:SHOWN]] + [n.text for n in audited.notices[-SHOWN:]]
    return report, audited, _names(town, said)


def _show_notices(notices: Sequence[Notice], names: dict[str, str]) -> None:
    CONSOLE.say(_("Allowed, and to be looked at:"))
    for notice in notices[-SHOWN:]:
        told = _("entry {seq}: ").format(seq=notice.seq) + noticed.notice(notice, names)
        CONSOLE.say(_LINES.fill(told))
    if len(notices) > SHOWN:
        CONSOLE.say(_("... and {count} more").format(count=len(notices) - SHOWN))


def _names(town: Town, texts: Sequence[str]) -> dict[str, str]:
    """The names of the parties whose accounts these texts tell of. The log knows numbers only, people know names."""
    numbers = {int(found, 16) for text in texts for found in noticed.ACCOUNT.findall(text) if int(found[0], 16) < 8}
    with town.reading() as connection:
        return {f"{number:016x}": party.name for number, party in parties.by_accounts(connection, numbers).items()}


def _finding(code: str, seq: int | None, id_: bytes | None, text: str) -> dict[str, Any]:
    return {"code": code, "seq": seq, "transaction": id_.hex() if id_ else None, "detail": text}


def _line(finding: dict[str, Any]) -> str:
    # English as what was found is, all of the line: it is for whoever looks into the book, and is searched for.
    entry = f"entry {finding['seq']}" if finding["seq"] else ""
    placed = f"transaction {finding['transaction']} ({entry}): " if finding["transaction"] else entry and f"{entry}: "
    return f"{finding['code']}: {placed}{finding['detail']}"


def replay(into: Path | None) -> None:
    """Make the book anew from its records, and compare. Raises `CliError` (REFUSED) where the two differ."""
    source = open_book(home_of().database(), read_only=True)
    with tempfile.TemporaryDirectory(prefix="patard-replay-") as scratch:
        made = open_book(into or Path(scratch) / "book.db", upgrade=True)
        try:
            with CONSOLE.progress(_("Replaying")) as (bar,):
                rebuilt = rebuild(_engine(source), made.store, bar)
        except ReplayError as error:
            raise CliError(
                Exit.REFUSED, error.code, _("The records do not replay: {reason}").format(reason=error),
                seq=error.seq, transaction=error.id.hex() if error.id else None,
            ) from error  # fmt: skip
        finally:
            made.close()
            source.close()
    for difference in rebuilt.differences[:SHOWN]:
        CONSOLE.say(_difference(difference))
    if rebuilt.different > SHOWN:
        CONSOLE.say(_("... and {count} more").format(count=rebuilt.different - SHOWN))
    CONSOLE.facts({_("entries"): str(rebuilt.head.seq), _("log root"): rebuilt.head.root.hex()})
    CONSOLE.give(
        {
            "ok": not rebuilt.different, "entries": rebuilt.head.seq, "root": rebuilt.head.root.hex(),
            "different": rebuilt.different, "differences": [each._asdict() for each in rebuilt.differences],
            "into": str(into) if into else None,
        }
    )  # fmt: skip
    if rebuilt.different:
        told = ngettext("1 row is not what the records make it.", "{count} rows are not what the records make them.",
                        rebuilt.different)  # fmt: skip
        raise CliError(Exit.REFUSED, "differences", told.format(count=rebuilt.different), different=rebuilt.different)
    CONSOLE.say(_("The records make the same book, byte for byte."))
    if into:
        CONSOLE.say(_("It is in {file}; names and memos are not in records, so they are not in it.").format(file=into))


def _difference(difference: Difference) -> str:
    return f"{difference.table} {difference.key} (entry {difference.seq}): {difference.detail}"


def _engine(book: Book) -> Any:
    store: Any = book.store  # every store but that in memory has an engine
    return store.engine
