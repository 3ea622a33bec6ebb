"""Statements from the bank: taken from files or a watched folder, booked line by line, and shown."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement

from api.commands.console import CONSOLE, N_, CliError, Exit, _, day, euros, ngettext, shown_day
from api.commands.failures import reason
from api.commands.mandates import daily_json, show_daily
from api.commands.opened import opened, readable
from api.commands.payouts import payee_text
from api.home import home_of
from ledger.currency.bank import booking, inbox, taking, withdrawing
from ledger.currency.bank.booking import Booked
from ledger.currency.bank.formats.read import read_file
from ledger.currency.bank.lines import Line, lines
from ledger.currency.bank.mandates import daily
from ledger.currency.bank.payouts import answers
from ledger.currency.bank.payouts.owed import Payout
from ledger.currency.bank.payouts.payees import Outcome, Payee
from ledger.currency.bank.reference import shown
from ledger.currency.bank.statement import Statement, StatementError
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.bank.taking import Taken
from ledger.currency.sure import Looks
from ledger.currency.town import Town

KINDS = {
    "conversion": N_("conversion"),
    "bank_suspense": N_("in suspense"),
    "bank_return": N_("came back"),
    "bank_transit": N_("between our accounts"),
    "bank_line_known": N_("booked by hand before"),
    "bank_withdrawn": N_("withdrawn by the bank"),
    "bank_payout": N_("payouts"),
    "bank_payout_return": N_("payouts that came back"),
    "payout_rejected": N_("payouts rejected by the bank"),
    "bank_collection": N_("monthly top-ups"),
    "bank_collection_unpaid": N_("monthly top-ups that came back"),
    "collection_rejected": N_("monthly top-ups rejected by the bank"),
}
"""What a line became, for people. Kinds of other modules are added there."""


def bring_in(files: Sequence[Path], *, opening: bool, corrected: bool, quiet_days: bool) -> None:
    """Take the files, oldest statement first, and book. Raises `CliError` (REFUSED) when one cannot be taken.

    A file is whole in the books or not there at all; those before it stand.
    """
    reports = [(path, report) for path in files if (report := _report(path)) is not None]
    read = [(path, _read(path)) for path in files if path not in [answer for answer, _report in reports]]
    read.sort(key=lambda item: min(((s.first, s.last) for s in item[1]), default=(date.max, date.max)))
    with opened() as town:
        try:
            taken: list[tuple[Path, Taken]] = []
            skipped: dict[Path, list[str]] = {}
            # Before the statements, which may hold the sum of a file as it was executed: without what was rejected.
            answered = [(path, _answer(town, path, report)) for path, report in reports]
            for path, statements in read:
                try:
                    found = taking.take(town, statements, file=path.name, opening=opening, corrected=corrected,
                                        quiet_days=quiet_days)  # fmt: skip
                except StatementError as error:
                    _show_taken(taken)
                    raise _refused(path, error) from error
                taken += [(path, one) for one in found]
                if others := taking.skipped(town, statements):
                    skipped[path] = others
        finally:
            # What was taken, now or by a run that was stopped, is booked whatever comes after it.
            with CONSOLE.progress(_("Booking")) as (bar,):
                booked = booking.book(town, progress=bar)
            done = daily.run(town, Looks())
        _show_answered(answered)
        _show_taken(taken)
        for path, others in skipped.items():
            told = _("{file}: skipped what is of accounts that are not the reserve's: {accounts}")
            CONSOLE.note(told.format(file=path.name, accounts=", ".join(f"…{account}" for account in others)))
        _show_booked(town, booked)
        show_daily(done)
        CONSOLE.give({
            "files": [_taken_json(path, one) for path, one in taken], **_booked_json(booked),
            "skipped": {path.name: others for path, others in skipped.items()}, "monthly": daily_json(done),
            "answers": [_answered_json(path, one) for path, one in answered],
        })  # fmt: skip
    if any(one.left for _path, one in answered):
        raise CliError(Exit.REFUSED, "answer_left", _("The bank's answer leaves something to decide; see above."))
    if booked.stuck:
        raise CliError(Exit.REFUSED, "lines_stuck", _("Some lines could not be booked; see above. They are kept."))


def watch(folder: Path | None, *, once: bool) -> None:
    """Take each file that is put into `folder`, until Ctrl-C."""
    place = folder or home_of().folder / inbox.FOLDER
    place.mkdir(parents=True, exist_ok=True)
    if not once:
        CONSOLE.say(_("Watching {folder}; Ctrl-C ends it.").format(folder=place))
    looks, watched = Looks(), inbox.Inbox(place)
    while True:
        with opened() as town:
            for one in watched.take_all(town):
                if one.refusal is None:
                    CONSOLE.say(_("{file}: taken").format(file=one.file))
                    _show_booked(town, one.booked)
                else:
                    CONSOLE.note(_("{file}: refused. {reason}").format(file=one.file, reason=reason("", one.refusal)))
            show_daily(daily.run(town, looks))
        if once:
            return
        time.sleep(inbox.SECONDS)


def statements() -> None:
    """The statements that were taken, the latest last."""
    with readable() as town:
        found, gone = taking.statements(town), withdrawing.withdrawn(town)
        names = {number: name for name, number in town.chart.reserve.items()}
    CONSOLE.table(
        [(_("Account"), False), (_("No."), True), (_("From"), False), (_("To"), False), (_("Opening"), True),
         (_("Closing"), True), ("", False)],
        [[names.get(s.reserve, "?"), str(s.number), *(shown_day(date.fromisoformat(one)) for one in (s.first, s.last)),
          euros(s.opening), euros(s.closing), _("statement withdrawn") if s.id in gone else ""] for s in found],
    )  # fmt: skip
    CONSOLE.give(
        [
            {"id": s.id.hex(), "reserve": names.get(s.reserve), "number": s.number, "format": s.format,
             "first": s.first, "last": s.last, "opening": s.opening, "closing": s.closing, "file": s.file,
             "withdrawn": s.id in gone}
            for s in found
        ]
    )  # fmt: skip


def withdraw(account: str) -> None:
    """Withdraw the statements of an account whose first one proved wrong."""
    with opened() as town:
        _known(town, account)
        done = withdrawing.withdraw(town, account)
    told = ngettext(
        "{account}: 1 statement withdrawn, with {lines} lines of it; import the right one, which is its first now.",
        "{account}: {count} statements withdrawn, with {lines} lines of theirs; import the right one, which is its "
        "first now.", done.statements,
    )  # fmt: skip
    CONSOLE.say(told.format(account=account, count=done.statements, lines=done.lines))
    CONSOLE.give({"id": done.posted.id.hex(), "seq": done.posted.seq, "reserve": account,
                  "statements": done.statements, "lines": done.lines})  # fmt: skip


def _known(town: Town, account: str) -> int:
    if account not in town.chart.reserve:
        told = _("No reserve account is called {name!r}; the charter has: {names}.")
        raise CliError(Exit.USAGE, "reserve_account_unknown",
                       told.format(name=account, names=", ".join(town.chart.reserve)))  # fmt: skip
    return town.chart.reserve[account]


def show_lines(since: str | None, until: str | None, account: str | None) -> None:
    """The lines of statements, with what became of each."""
    with readable() as town:
        where: list[ColumnElement[bool]] = []
        if since:
            where.append(BANK_LINE.c.booked_on >= day("--since", since).isoformat())
        if until:
            where.append(BANK_LINE.c.booked_on <= day("--until", until).isoformat())
        if account:
            where.append(BANK_LINE.c.reserve == _known(town, account))
        found = lines(town, *where)
        names = {number: name for name, number in town.chart.reserve.items()}
    rows = []
    for line in found:
        rows.append([line.id.hex()[-8:], shown_day(line.booked_on), euros(line.amount), became(line),
                     _cut(f"{line.name} {line.text}".strip(), 34)])  # fmt: skip
        rows += [["", _("of it"), euros(part["amount"]), "", _cut(part_text(part), 34)] for part in line.parts]
    CONSOLE.table([(_("Line"), False), (_("Day"), False), (_("Amount"), True), (_("Became"), False),
                   (_("Who and what"), False)], rows)  # fmt: skip
    CONSOLE.give([line_json(line, names) for line in found])


def became(line: Line) -> str:
    """What became of a line, for people."""
    if line.became is None:
        return _("not booked yet")
    if line.placed_seq is not None:
        return _("placed")
    return kind_name(line.became)


def kind_name(kind: str) -> str:
    """What a line became, for people."""
    known = KINDS.get(kind)
    return _(known) if known else kind


def part_text(part: Mapping[str, Any]) -> str:
    """Who sent a part of a line, and what for."""
    return " ".join(text for text in (part["name"], part["text"], part["end_to_end"]) if text)


def line_json(line: Line, names: dict[int, str]) -> dict[str, Any]:
    """A line for programs."""
    return {
        "id": line.id.hex(), "reserve": names.get(line.reserve), "reference": line.reference,
        "booked_on": line.booked_on.isoformat(), "amount_cents": line.amount, "kind": line.kind, "name": line.name,
        "iban": line.iban, "text": line.text, "became": line.became, "placed_as": line.placed_as, "seq": line.seq,
        "parts": list(line.parts),
    }  # fmt: skip


def _report(path: Path) -> answers.Report | None:
    """The bank's answer to a file of payouts, where that is what the file is."""
    try:
        return answers.read_file(path)
    except StatementError as error:
        raise _refused(path, error) from error


def _answer(town: Town, path: Path, report: answers.Report) -> answers.Answered:
    try:
        return answers.take(town, report)
    except StatementError as error:
        raise _refused(path, error) from error


def _show_answered(answered: Sequence[tuple[Path, answers.Answered]]) -> None:
    for path, one in answered:
        told = ngettext(
            "{file}: {count} payout rejected by the bank; its shop has its units back.",
            "{file}: {count} payouts rejected by the bank; their shops have their units back.", len(one.undone),
        )  # fmt: skip
        if one.undone:
            CONSOLE.say(told.format(file=path.name, count=len(one.undone)))
        if one.is_nothing:
            CONSOLE.say(_("{file}: the bank's answer rejects nothing.").format(file=path.name))
        if one.payees:
            _show_payees(path, one.payees)
        if one.debits:
            debits = _("{file}: {count} debits rejected by the bank; its sum is expected without them.")
            CONSOLE.say(debits.format(file=path.name, count=len(one.debits)))
        for left in one.left:
            why = reason(left.code, left.detail)
            CONSOLE.note(_("{reference}: {reason}").format(reference=left.reference, reason=why))


def _show_payees(path: Path, found: Sequence[tuple[Payout, Payee]]) -> None:
    told = _("{file}: before it pays, the bank compared names and accounts. Nothing was given back.")
    CONSOLE.say(told.format(file=path.name))
    columns = [(_("reference"), False), (_("euros"), True), (_("what the bank found"), False)]
    CONSOLE.table(columns, [(shown(one.reference), euros(one.amount), payee_text(payee)) for one, payee in found])
    if any(payee.outcome is not Outcome.MATCH for _one, payee in found):
        told = _("Ask the shop before you release the file at the bank: what goes to another holder may be lost.")
        CONSOLE.note(told)


def _answered_json(path: Path, one: answers.Answered) -> dict[str, Any]:
    return {
        "file": path.name, "rejected": [shown(payout.reference) for payout in one.undone],
        "payees": [
            {"reference": shown(payout.reference), "outcome": str(payee.outcome), "name": payee.name}
            for payout, payee in one.payees
        ],
        "rejected_debits": [shown(debit.reference) for debit in one.debits],
        "left": [{"reference": left.reference, "code": left.code, "detail": left.detail} for left in one.left],
    }  # fmt: skip


def _read(path: Path) -> list[Statement]:
    told = _("{file} cannot be read: {reason}.")
    if not path.exists():
        raise CliError(Exit.USAGE, "statement_unreadable", told.format(file=path, reason=_("there is no such file")))
    if path.is_dir():
        raise CliError(Exit.USAGE, "statement_unreadable", told.format(file=path, reason=_("it is a folder")))
    try:
        return read_file(path)
    except StatementError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: StatementError) -> CliError:
    told = _("{file} was refused, and nothing of it was booked: {reason}.")
    why = reason(error.code, error.told)
    return CliError(Exit.REFUSED, error.code, told.format(file=path, reason=why), line=error.line)


def _show_taken(taken: Sequence[tuple[Path, Taken]]) -> None:
    for path, one in taken:
        statement = one.statement
        told = ngettext(
            "{file}: {account}, {first} to {last}, closing balance {closing}: {new} new line of {all}.",
            "{file}: {account}, {first} to {last}, closing balance {closing}: {new} new lines of {all}.", one.new,
        )  # fmt: skip
        CONSOLE.say(told.format(
            file=path.name, account=one.account.name, first=shown_day(statement.first), last=shown_day(statement.last),
            closing=euros(statement.closing), new=one.new, all=len(statement.lines)))  # fmt: skip
        if one.gone:
            CONSOLE.say(_("    {count} lines are gone, and were undone.").format(count=one.gone))


def _show_booked(town: Town, booked: Booked) -> None:
    CONSOLE.facts({kind_name(kind): str(count) for kind, count in sorted(booked.kinds.items())})
    for stuck in booked.stuck:
        told = _("{reference}, {amount}: {reason} ({code})")
        why = reason(stuck.code, stuck.detail)
        CONSOLE.note(told.format(reference=stuck.line.reference, amount=euros(stuck.line.amount), reason=why,
                                 code=stuck.code))  # fmt: skip


def _taken_json(path: Path, one: Taken) -> dict[str, Any]:
    s = one.statement
    return {
        "file": path.name, "reserve": one.account.name, "format": s.format, "first": s.first.isoformat(),
        "last": s.last.isoformat(), "opening": s.opening, "closing": s.closing, "lines": len(s.lines), "new": one.new,
        "gone": one.gone,
    }  # fmt: skip


def _booked_json(booked: Booked) -> dict[str, Any]:
    return {
        "booked": booked.kinds,
        "stuck": [
            {"reference": s.line.reference, "amount_cents": s.line.amount, "code": s.code, "detail": s.detail}
            for s in booked.stuck
        ],
    }


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
