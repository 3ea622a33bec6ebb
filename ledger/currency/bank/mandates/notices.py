"""Notices: members are told of each debit, its amount and its day, early enough; who was not told is not debited.

The rule is one line: a debit of a month is collected if its holder was told of exactly this amount, on a list that was
made `notice_days` before the day or earlier. So a mandate that is new, or whose amount was changed, after that joins a
month later. A list is a note in the log, and holds everybody once; who was told stands in a table.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, exists, func, insert, select

from ledger.core.ids import derived_id
from ledger.core.model import Note, Posted
from ledger.currency.bank.mandates import months
from ledger.currency.bank.mandates.model import Mandate, read, terms
from ledger.currency.bank.mandates.tables import MANDATE, MANDATE_NOTICE
from ledger.currency.bank.mandates.text import Terms, rum
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.money import decimal_text
from ledger.currency.told import tell
from ledger.currency.town import Town
from ledger.i18n import format_day

KIND = "collection_notices"
_TRIES = 5
_MANDATE, _NOTICE = MANDATE.c, MANDATE_NOTICE.c


class Notice(NamedTuple):
    """Who is told what: `amount` cents are debited on `due_on`. `name` is the party's, `holder` the account's."""

    account: int
    name: str
    holder: str
    iban: str
    rum: str
    amount: int
    due_on: date


class Notices(NamedTuple):
    """A list of those to be told of a month's debits, and until when they can be."""

    month: str
    due_on: date
    last_day: date
    notices: list[Notice]


def to_notice(town: Town) -> str:
    """The next month for which members can still be told in time."""
    said, today = terms(town), town.charter.local_date(town.now())
    found = months.month_of(today)
    while months.last_notice(said, found) < today:
        found = months.following(found)
    return found


def missed(town: Town) -> list[str]:
    """The months whose day is still to come, and whose members can no longer be told in time, though none was."""
    said, today = terms(town), town.charter.local_date(town.now())
    month, first, found = months.month_of(today), to_notice(town), []
    with town.reading() as connection:
        while month < first:
            signed = _MANDATE.signed_on <= months.last_notice(said, month).isoformat()
            ahead = months.due_on(said, month) > today
            if ahead and not told_on(connection, month) and read(connection, *_LIVE, signed):
                found.append(month)
            month = months.following(month)
    return found


def give(town: Town, month: str | None = None, *, by: str = CONSOLE) -> Notices:
    """Who is to be told now of the debits of `month` (None: the next for which there is time), and note that they are.

    Everybody is on one list of a month, but for those whose amount was changed since. Nothing is noted where there is
    nobody to tell. Raises `CurrencyError`: mandate_unavailable, month_malformed, notice_late, busy.
    """
    said, today = terms(town), town.charter.local_date(town.now())
    month = months.month(month, today) if month else to_notice(town)
    due, last = months.due_on(said, month), months.last_notice(said, month)
    if today > last:
        raise CurrencyError("notice_late", tell(
            "the debits of {month} are due on {due}, and could be announced until {last}: members are told {days} "
            "days before", month=month, due=due, last=last, days=said.notice_days,
        ))  # fmt: skip
    for _ in range(_TRIES):
        with town.reading() as connection:
            told = _untold(connection, month)
            run = _lists(connection, month) + 1
        if not told:
            return Notices(month, due, last, [])
        try:
            _keep(town, month, due, run, told, by)
        except _Overtaken:
            continue
        return Notices(month, due, last, [_notice(said, mandate, mandate.amount, due) for mandate in told])
    raise CurrencyError("busy", tell("somebody else makes these lists right now; try again in a moment"))


def given(town: Town, month: str | None = None) -> Notices:
    """Everybody who was told of that month's debits (as in `give`), each with the amount told last.

    Raises `CurrencyError`: mandate_unavailable, month_malformed.
    """
    said, today = terms(town), town.charter.local_date(town.now())
    month = months.month(month, today) if month else to_notice(town)
    query = select(_NOTICE.mandate, _NOTICE.amount, _NOTICE.due_on).where(_NOTICE.month == month)
    with town.reading() as connection:
        told = {row.mandate: row for row in connection.execute(query.order_by(_NOTICE.version))}
        mandates = read(connection, _MANDATE.id.in_(select(_NOTICE.mandate).where(_NOTICE.month == month)))
    notices = [
        _notice(said, mandate, told[mandate.id].amount, date.fromisoformat(told[mandate.id].due_on))
        for mandate in mandates
    ]
    return Notices(month, months.due_on(said, month), months.last_notice(said, month), notices)


def waiting(town: Town, month: str) -> int:
    """How many mandates are still to be told of that month's debits."""
    with town.reading() as connection:
        return len(_untold(connection, month))


def collectable(connection: Connection, month: str) -> list[Mandate]:
    """The mandates that are debited in that month: they live, and their holder was told of this amount."""
    return read(connection, *_LIVE, _told(month))


def told_on(connection: Connection, month: str) -> date | None:
    """The day that was announced for that month; None where nobody was told."""
    found = connection.execute(select(func.max(_NOTICE.due_on)).where(_NOTICE.month == month)).scalar()
    return date.fromisoformat(found) if found else None


def letter(lang: str, said: Terms, notice: Notice) -> str:
    """What a member is told, in French ("fr") or English."""
    values = {
        "name": notice.name, "iban": f"{notice.iban[:4]}…{notice.iban[-4:]}",
        "day": format_day(notice.due_on, lang), "rum": notice.rum,
        "creditor": said.creditor, "creditor_id": said.creditor_id, "code": said.code, "risk": said.risk_days,
    }  # fmt: skip
    amount = decimal_text(notice.amount)
    return (_FRENCH if lang == "fr" else _ENGLISH).format(
        amount=amount.replace(".", ",") if lang == "fr" else amount, **values
    )


def digest(rows: Iterable[tuple[str, int]]) -> str:
    """What the log holds of a list (hex): SHA-256 of its mandates' references and amounts, in their order."""
    text = "".join(f"{reference} {amount}\n" for reference, amount in sorted(rows))
    return sha256(text.encode()).hexdigest()


def list_id(network: bytes, month: str, run: int) -> bytes:
    """Id of the note of the list number `run`, from 1, of that month."""
    return derived_id("patard/collection-notices", network, month, str(run))


_LIVE = (_MANDATE.ended_at.is_(None), _MANDATE.suspended_by.is_(None))


class _Overtaken(Exception):
    """Somebody else made a list, or a mandate changed, in between."""


def _told(month: str) -> ColumnElement[bool]:
    same = (_NOTICE.mandate == _MANDATE.id, _NOTICE.version == _MANDATE.version)
    return exists().where(_NOTICE.month == month, *same)


def _untold(connection: Connection, month: str) -> list[Mandate]:
    return read(connection, *_LIVE, ~_told(month))


def _lists(connection: Connection, month: str) -> int:
    query = select(func.count(_NOTICE.seq.distinct())).where(_NOTICE.month == month)
    return int(connection.execute(query).scalar_one())


def _keep(town: Town, month: str, due: date, run: int, told: list[Mandate], by: str) -> None:
    evidence: dict[str, str | int] = {
        "by": by, "month": month, "run": run, "due_on": due.isoformat(), "count": len(told),
        "total": sum(mandate.amount for mandate in told),
        "digest": digest((mandate.reference, mandate.amount) for mandate in told),
    }  # fmt: skip
    note = Note(list_id(town.charter.network, month, run), KIND, evidence)

    def also(connection: Connection, posted: Posted) -> None:
        if posted.replay or _untold(connection, month) != told:
            raise _Overtaken
        rows = [
            {"month": month, "mandate": one.id, "version": one.version, "amount": one.amount,
             "due_on": due.isoformat(), "seq": posted.seq}
            for one in told
        ]  # fmt: skip
        connection.execute(insert(MANDATE_NOTICE), rows)

    try:
        town.post(note, also)
    except CurrencyError as error:
        if error.code == "id_taken":
            raise _Overtaken from None
        raise


def _notice(said: Terms, mandate: Mandate, amount: int, due: date) -> Notice:
    number = rum(said.code, mandate.reference)
    return Notice(mandate.account, mandate.name, mandate.holder, mandate.iban, number, amount, due)


_FRENCH = """\
Bonjour {name},
{amount} euros seront prélevés le {day} sur votre compte {iban} par {creditor} (identifiant {creditor_id}), \
selon votre mandat {rum}. Vos {code} arriveront {risk} jours après.
"""
_ENGLISH = """\
Hello {name},
{amount} euros will be debited on {day} from your account {iban} by {creditor} (identifier {creditor_id}), \
by your mandate {rum}. Your {code} will arrive {risk} days after that.
"""
