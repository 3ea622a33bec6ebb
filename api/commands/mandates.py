"""Monthly top-ups: mandates on paper, who is told of what, a month's file for the bank, units once they are safe."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from api.commands.console import CONSOLE, N_, CliError, Exit, _, amount_wrong, euros, ngettext, shown_day, shown_month
from api.commands.console import day as typed_day
from api.commands.opened import opened, readable
from ledger.core.ids import account_text
from ledger.currency import parties
from ledger.currency.bank.mandates import collecting, daily, files, model, notices, register, rejecting, release, review
from ledger.currency.bank.mandates import months as calendar
from ledger.currency.bank.mandates.files import Collection
from ledger.currency.bank.mandates.index import Item, items
from ledger.currency.bank.mandates.model import Mandate
from ledger.currency.bank.mandates.notices import Notice, Notices
from ledger.currency.bank.mandates.tables import COLLECTION_ITEM
from ledger.currency.bank.mandates.text import Terms, rum
from ledger.currency.money import AmountError, decimal_text, parse_amount
from ledger.currency.sure import Looks, Said
from ledger.currency.town import Town

STATES = {
    "active": N_("active"), "suspended": N_("suspended"), "ended": N_("ended"),
    "ordered": N_("ordered"), "fetched": N_("fetched"), "credited": N_("brought by the bank"),
    "settled": N_("settled"), "withdrawn": N_("withdrawn"), "maturing": N_("maturing"), "released": N_("released"),
    "unpaid": N_("came back"),
}  # fmt: skip
"""States of mandates, files and debits, for people."""
CSV_COLUMNS = ("account", "name", "holder", "iban", "mandate", "amount", "due_on", "text_fr", "text_en")


def add(who: str, iban: str, amount: str, signed: str, holder: str | None) -> None:
    """A mandate that a member signed on paper."""
    with opened() as town:
        party = parties.named(town, who)
        made, new = register.sign(
            town, party, iban=iban, amount=_cents(amount), signed_on=typed_day("--signed", signed), holder=holder or ""
        )
        code = town.charter.code
    told = (
        _("{name} tops up {amount} a month; the mandate's reference (RUM) is {rum}.")
        if new
        else _("{name} has this mandate already; its reference (RUM) is {rum}.")
    )
    CONSOLE.say(told.format(name=made.name, amount=euros(made.amount), rum=rum(code, made.reference)))
    CONSOLE.give(mandate_json(made, code))


def change(who: str, amount: str, signed: str | None) -> None:
    """Another amount a month, which the member signed on paper."""
    with opened() as town:
        mandate = _mandate(town, who)
        day = typed_day("--signed", signed) if signed else town.charter.local_date(town.now())
        made, _new = register.change(town, mandate, _cents(amount), version=mandate.version + 1, signed_on=day)
        month = notices.to_notice(town)
        code = town.charter.code
    told = _("{name} tops up {amount} a month; the first month that can be told of it is {month}.")
    CONSOLE.say(told.format(name=made.name, amount=euros(made.amount), month=shown_month(month)))
    CONSOLE.give(mandate_json(made, code))


def end(who: str) -> None:
    """End a party's mandate."""
    with opened() as town:
        made = register.end(town, _mandate(town, who))
        code = town.charter.code
    told = _("The mandate {rum} of {name} was ended. What is in a file already may still be debited.")
    CONSOLE.say(told.format(rum=rum(code, made.reference), name=made.name))
    CONSOLE.give(mandate_json(made, code))


def resume(who: str) -> None:
    """Collect again by a mandate that was suspended."""
    with opened() as town:
        made = review.resume(town, _mandate(town, who))
        code = town.charter.code
    CONSOLE.say(_("The mandate {rum} of {name} is collected by again.").format(
        rum=rum(code, made.reference), name=made.name))  # fmt: skip
    CONSOLE.give(mandate_json(made, code))


def show(*, every: bool) -> None:
    """The mandates, by the names of their parties."""
    with readable() as town:
        found = model.every(town, live_only=not every)
        code = town.charter.code
    rows = [
        [one.name, rum(code, one.reference), euros(one.amount), shown_day(one.signed_on), _state(one)] for one in found
    ]
    columns = [(_("name"), False), (_("mandate"), False), (_("a month"), True), (_("signed"), False),
               (_("state"), False)]  # fmt: skip
    CONSOLE.table(columns, rows)
    CONSOLE.give([mandate_json(one, code) for one in found])


def tell(month: str | None, file: Path | None, *, again: bool) -> None:
    """Who is to be told of the next debits; they are noted as told. `again` lists everybody of that month."""
    with readable() if again else opened() as town:
        said = model.terms(town)
        found = notices.given(town, month) if again else notices.give(town, month)
        left = notices.waiting(town, found.month) if again else 0
        missed = [] if month else notices.missed(town)
    if file is not None:
        file.write_text(notices_csv(said, found), encoding="utf-8-sig", newline="")
    _show_notices(found, file, left, again=again)
    for lost in missed:
        told = _("Nobody was told of the debits of {month} by {day}: nothing is collected in that month.")
        CONSOLE.note(told.format(month=shown_month(lost), day=shown_day(calendar.last_notice(said, lost))))
    CONSOLE.give(notices_json(said, found) | {"missed": missed})


def collect(month: str | None, on: str | None, file: Path | None, *, again: bool) -> None:
    """A month's file of debits: made if there is none, and written to `file` (else beside, under the message's id)."""
    with opened() as town:
        day = typed_day("--on", on) if on else None
        made, new = collecting.collect(town, month=month, on=day)
        data = collecting.fetch(town, made, again=again)
        target = file or Path(f"{made.message}.xml")
        target.write_bytes(data)
    told = (
        _("{count} debits of {month}, {total} together, on {day}: {file} is for the bank.")
        if new
        else _("The file of {month} was made before: {count} debits, {total} together, on {day}, in {file}.")
    )
    CONSOLE.say(told.format(count=made.debits, month=shown_month(made.month), total=euros(made.total),
                            day=shown_day(made.collect_on), file=target))  # fmt: skip
    CONSOLE.give({**collection_json(made), "new": new, "file": str(target)})


def collections() -> None:
    """The files of debits, the latest first."""
    with readable() as town:
        found = files.every(town)
    rows = [
        [str(one.number), shown_month(one.month), shown_day(one.collect_on), str(one.debits), euros(one.total),
         str(one.unpaid), _(STATES[one.state])]
        for one in found
    ]  # fmt: skip
    columns = [(_("No."), True), (_("month"), False), (_("Day"), False), (_("debits"), True), (_("total"), True),
               (_("returns"), True), (_("state"), False)]  # fmt: skip
    CONSOLE.table(columns, rows)
    CONSOLE.give([collection_json(one) for one in found])


def withdraw(text: str, *, refused: bool) -> None:
    """Give a file up that the bank did not carry out."""
    with opened() as town:
        made = collecting.withdraw(town, files.find(town, text), fetched_too=refused)
    CONSOLE.say(_("File {number} was withdrawn; {month} can be collected again.").format(
        number=made.number, month=shown_month(made.month)))  # fmt: skip
    CONSOLE.give(collection_json(made))


def reject(reference: str, reason: str | None) -> None:
    """A debit that the bank says it will not carry out."""
    with opened() as town:
        made = rejecting.reject(town, rejecting.find(town, reference), reason=reason or "")
        mandate, month = model.find(town, made.mandate), _months(town)[made.collection]
    CONSOLE.say(_("The debit of {name} for {month} is not expected any more.").format(
        name=mandate.name, month=shown_month(month)))  # fmt: skip
    CONSOLE.give(item_json(made, month, mandate))


def unpaid() -> None:
    """The debits that came back, the latest first."""
    with readable() as town:
        with town.reading() as connection:
            found = items(connection, COLLECTION_ITEM.c.unpaid_by.is_not(None))[::-1]
        who = {one.id: one for one in model.every(town)}
        months = _months(town)
    rows = [
        [
            shown_month(months[one.collection]),
            who[one.mandate].name,
            euros(one.amount),
            one.unpaid_reason,
            euros(one.claim),
        ]
        for one in found
    ]
    columns = [(_("month"), False), (_("name"), False), (_("Amount"), True), (_("reason"), False), (_("owed"), True)]
    CONSOLE.table(columns, rows)
    CONSOLE.give([item_json(one, months[one.collection], who[one.mandate]) for one in found])


def mature(today: str | None) -> None:
    """Suspend what comes back again and again, and give members the units whose risk delay is over.

    `today` is the day, as a person says it who has not asked this machine.
    """
    sure = Said(typed_day("--today", today)) if today else Looks()
    with opened() as town:
        done = daily.run(town, sure)
        day = town.charter.local_date(town.now())
        waiting = release.maturing(town)
    show_daily(done)
    if done.released.once:
        told = _("If today is {day}: patard mandate release --today {day}")
        CONSOLE.say(told.format(day=day))
    for one in waiting:
        told = ngettext("{count} debit, {total}, is credited to its member on {day}.",
                        "{count} debits, {total} together, are credited to their members on {day}.",
                        one.debits)  # fmt: skip
        CONSOLE.say(told.format(count=one.debits, total=euros(one.cents), day=shown_day(one.release_on)))
    CONSOLE.give(daily_json(done) | {
        "maturing": [
            {"release_on": one.release_on.isoformat(), "debits": one.debits, "amount_cents": one.cents}
            for one in waiting
        ]
    })  # fmt: skip


def show_daily(done: daily.Done) -> None:
    """What happened by itself, for people; nothing where nothing did."""
    if done.released.debits:
        told = _("{count} monthly top-ups were released, {total} together.")
        CONSOLE.say(told.format(count=done.released.debits, total=euros(done.released.cents)))
    for mandate in done.lapsed:
        told = _("The mandate of {name} was not used for 36 months: it lapsed, and a new one is to be signed.")
        CONSOLE.say(told.format(name=mandate.name))
    for mandate in done.suspended:
        told = _("The mandate of {name} was suspended: its debits come back ({reason}).")
        CONSOLE.say(told.format(name=mandate.name, reason=mandate.suspended_why or "?"))
    if done.released.once:
        told = _("{count} monthly top-ups look due: a running server releases them within half an hour.")
        CONSOLE.say(told.format(count=done.released.once))
    for item, code in done.released.stuck:
        told = _("{amount} of {account} could not be released ({code}).")
        CONSOLE.note(told.format(amount=euros(item.amount), account=account_text(item.account), code=code))


def daily_json(done: daily.Done) -> dict[str, Any]:
    """The same for programs."""
    return {
        "once": done.released.once, "released": done.released.debits, "released_cents": done.released.cents,
        "lapsed": [mandate.reference for mandate in done.lapsed],
        "suspended": [mandate.reference for mandate in done.suspended],
        "stuck": [{"reference": item.reference, "code": code} for item, code in done.released.stuck],
    }  # fmt: skip


def notices_csv(said: Terms, found: Notices) -> str:
    """A list for a mail merge, one member a line; decimals have a dot, days are ISO dates."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for one in found.notices:
        texts = [notices.letter(lang, said, one).strip() for lang in ("fr", "en")]
        cells = [account_text(one.account), one.name, one.holder, one.iban, one.rum, decimal_text(one.amount)]
        writer.writerow([_cell(cell) for cell in (*cells, one.due_on.isoformat(), *texts)])
    return out.getvalue()


def notices_json(said: Terms, found: Notices) -> dict[str, Any]:
    """A list for programs."""
    return {
        "month": found.month, "due_on": found.due_on.isoformat(), "last_day": found.last_day.isoformat(),
        "notices": [_notice_json(said, one) for one in found.notices],
    }  # fmt: skip


def _notice_json(said: Terms, one: Notice) -> dict[str, Any]:
    return {
        "account": account_text(one.account), "name": one.name, "holder": one.holder, "iban": one.iban,
        "mandate": one.rum, "amount_cents": one.amount, "due_on": one.due_on.isoformat(),
        "text": {lang: notices.letter(lang, said, one) for lang in ("fr", "en")},
    }  # fmt: skip


def mandate_json(one: Mandate, code: str) -> dict[str, Any]:
    """A mandate for programs."""
    return {
        "id": one.id.hex(), "account": account_text(one.account), "name": one.name, "rum": rum(code, one.reference),
        "iban": one.iban, "holder": one.holder, "amount_cents": one.amount, "version": one.version,
        "signed_on": one.signed_on.isoformat(), "state": one.state, "reason": one.suspended_why or None,
    }  # fmt: skip


def collection_json(one: Collection) -> dict[str, Any]:
    """A file of debits for programs."""
    return {
        "number": one.number, "month": one.month, "message": one.message, "collect_on": one.collect_on.isoformat(),
        "total_cents": one.total, "debits": one.debits, "risk_days": one.risk_days, "sha256": one.sha256.hex(),
        "state": one.state, "credited": one.credited, "released": one.released, "unpaid": one.unpaid,
    }  # fmt: skip


def item_json(one: Item, month: str, mandate: Mandate) -> dict[str, Any]:
    """A debit for programs."""
    return {
        "month": month, "reference": one.reference, "name": mandate.name, "account": account_text(one.account),
        "amount_cents": one.amount, "state": one.state, "reason": one.unpaid_reason or None, "claim_cents": one.claim,
    }  # fmt: skip


def _show_notices(found: Notices, file: Path | None, left: int, *, again: bool) -> None:
    told = _("Debits of {month} are due on {day}; members can be told until {last}.")
    CONSOLE.say(
        told.format(month=shown_month(found.month), day=shown_day(found.due_on), last=shown_day(found.last_day))
    )
    if not found.notices and not left:
        CONSOLE.say(_("Nobody was told, and nobody is to be.") if again else
                    _("Nobody is left to be told; --again lists everybody who was."))  # fmt: skip
        return
    rows = [[one.name, one.rum, euros(one.amount), shown_day(one.due_on)] for one in found.notices]
    if rows:
        CONSOLE.table([(_("name"), False), (_("mandate"), False), (_("Amount"), True), (_("Day"), False)], rows)
    if rows and not again:
        told = _(
            "They are noted as told today: write to them now. The same list: "
            "patard mandate notices --month {month} --again"
        )
        CONSOLE.say(told.format(month=found.month))
    if left:
        told = ngettext("{count} member is still to be told: the same command without --again.",
                        "{count} members are still to be told: the same command without --again.", left)  # fmt: skip
        CONSOLE.say(told.format(count=left))
    if file is not None:
        CONSOLE.say(_("The texts for them are in {file}.").format(file=file))


def _state(one: Mandate) -> str:
    state = _(STATES[one.state])
    return f"{state} ({one.suspended_why})" if one.suspended_why else state


def _months(town: Town) -> dict[bytes, str]:
    return {one.id: one.month for one in files.every(town)}


def _mandate(town: Town, who: str) -> Mandate:
    """The mandate that somebody means by a party's name or account. Raises `CurrencyError` and `CliError`."""
    party = parties.named(town, who)
    found = model.live(town, party.account)
    if found is None:
        told = _("{name} has no mandate; `patard mandate add` enters one.")
        raise CliError(Exit.REFUSED, "not_found", told.format(name=party.name))
    return found


def _cents(text: str) -> int:
    try:
        return parse_amount(text)
    except AmountError as error:
        raise CliError(Exit.USAGE, error.code, amount_wrong(error)) from None


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(("=", "+", "-", "@")) else text
