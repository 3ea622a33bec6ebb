"""A reserve report in the words and numbers of one language: what page, paper and terminal show, each in its way."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from babel.dates import format_date, format_datetime, get_timezone
from babel.numbers import format_decimal

from ledger.currency.charter import Charter
from ledger.currency.money import format_cents
from ledger.currency.reserve import THRESHOLD, AccountState, Explained, Reserve, Why
from ledger.i18n import Translator
from merchants.reserve import words

LOCALES: Final = {"fr": "fr_FR", "en": "en_GB"}
MONTHS: Final = 13
"""Months in the chart: a year, and the one that has just begun."""
_EURO: Final = "€"


class Fact(NamedTuple):
    """A named sum. `part`: it is a part of the one before it."""

    name: str
    sum: str
    part: bool = False


class ShownLine(NamedTuple):
    """A line of an explanation. `on` is a short date."""

    on: str
    what: str
    reference: str
    why: str
    sum: str


class ShownAccount(NamedTuple):
    """An account of the reserve. `statement`, `on` and `difference` are None where no statement was taken.

    `reasons` sum the difference up by why it is there; `lines` tell it line by line.
    """

    name: str
    kind: str
    liquid: bool
    ledger: str
    statement: str | None
    on: str | None
    difference: str | None
    even: bool
    reasons: list[Fact]
    lines: list[ShownLine]


class ShownIdentity(NamedTuple):
    """One thing that must add up."""

    sentence: str
    formula: str
    left: str
    relation: str
    right: str
    holds: bool


class ShownMonth(NamedTuple):
    """A row of the months' table."""

    month: str
    conversions: str
    reconversions: str
    circulation: str


class Shown(NamedTuple):
    """The report, ready to be read. `purposes` and `places` are the two sides of every euro, each with its sum."""

    currency: str
    symbol: str
    on: str
    proved: str | None
    """Of which day the banks' figures are, or of which days: a sentence."""
    limits: list[str]
    """What they do not tell: the accounts that no bank ever said a word of, and those that are proved long ago only."""
    covered: bool
    outdated: str | None
    """What to say instead where it was covered by statements too old, or withdrawn, or missing, to say so of today."""
    awaits: str | None
    """What the next statements should bring, where it is all that lacks."""
    unexplained: str | None
    """What no line of a bank explains."""
    coverage: str | None
    """The ratio of `backing` to `circulation`."""
    units: list[Fact]
    circulation: str
    backing: str
    beyond: Fact | None
    """What `backing` is more than all that must be covered, or less."""
    purposes: list[Fact]
    purposes_sum: str
    places: list[Fact]
    places_sum: str
    identities: list[ShownIdentity]
    accounts: list[ShownAccount]
    reserve: str
    liquid: str
    placed: str
    liquid_share: str | None
    liquid_bp: int
    months: list[ShownMonth]
    first: str
    last: str
    inflow: str
    outflow: str
    total: str
    threshold: str
    share: str
    share_bp: int
    size: str
    at: str
    root: str


def show(report: Reserve, charter: Charter, _: Translator, *, lines: bool = False) -> Shown:
    """The report in a language (the texts of `merchants`). Explanations line by line are for auditors: `lines`."""

    def plain(cents: int) -> str:
        return format_cents(cents, _.lang)

    def units(cents: int) -> str:
        return format_cents(cents, _.lang, charter.symbol)

    def euros(cents: int) -> str:
        return format_cents(cents, _.lang, _EURO)

    locale = LOCALES[_.lang]
    facts = [Fact(_("In circulation"), units(report.circulation))]
    parts = ((_("of it waiting to be changed back"), report.waiting),
             (_("of it from direct debits that may still come back"), report.maturing))  # fmt: skip
    facts += [Fact(name, units(cents), True) for name, cents in parts if cents]
    if report.awaited:
        facts.append(Fact(_("of it ahead of the bank's statements"), units(report.awaited), True))
    if report.imported:
        facts.append(Fact(_("Imported, not covered yet"), units(report.imported)))
    owed = [(_("Guarantee of the units"), report.guarantee), (_("Owed to shops"), report.payouts_due),
            (_("Not placed yet"), report.unplaced), (_("Fees not moved out yet"), report.fees)]  # fmt: skip
    there = [*((bank.name, bank.ledger) for bank in report.banks), (_("Own operations"), report.operations),
             (_("Owed by members"), report.claims), (_("On its way between own accounts"), report.transit),
             (_("Went out, not placed yet"), report.missed)]  # fmt: skip
    names = {bank.name for bank in report.banks}
    year = report.year
    return Shown(
        currency=charter.name,
        symbol=charter.symbol,
        on=format_date(report.on, "long", locale=locale),
        proved=_proved(report, _),
        limits=_limits(report, _),
        covered=report.covered,
        outdated=_outdated(report, _) if report.backed and report.outdated else None,
        awaits=euros(report.awaited) if report.sound and not report.backed else None,
        unexplained=_unexplained(report, euros),
        coverage=None if report.coverage_bp is None else percent(report.coverage_bp, _.lang),
        units=facts,
        circulation=units(report.circulation + report.imported),
        backing=euros(report.backing),
        beyond=_beyond(report.backing - report.owed, _),
        purposes=[Fact(name, euros(cents)) for index, (name, cents) in enumerate(owed) if cents or not index],
        purposes_sum=euros(sum(cents for _name, cents in owed)),
        places=[Fact(name, euros(cents)) for name, cents in there if cents or name in names],
        places_sum=euros(sum(cents for _name, cents in there)),
        identities=[
            ShownIdentity(
                _(sentence), words.formula(one.name, _),
                units(one.left) if one.name.startswith("circulation") else euros(one.left), _relation(one.relation),
                euros(one.right), one.holds,
            )
            for sentence, one in zip(words.SENTENCES, report.identities, strict=True)
        ],
        accounts=[_account(bank, _, lines) for bank in report.banks],
        reserve=euros(report.reserve),
        liquid=euros(report.liquid),
        placed=euros(report.placed),
        liquid_share=None if report.liquid_bp is None else percent(report.liquid_bp, _.lang),
        liquid_bp=report.liquid_bp or 0,
        months=[
            ShownMonth(format_date(month.start, "LLL y", locale=locale), plain(month.conversions),
                       plain(month.reconversions), plain(month.circulation))
            for month in report.months[-MONTHS:]
        ],
        first=format_date(year.first, "long", locale=locale),
        last=format_date(year.last, "long", locale=locale),
        inflow=euros(year.inflow),
        outflow=euros(year.outflow),
        total=euros(year.total),
        threshold=_whole(THRESHOLD, _.lang),
        share=percent(year.share_bp, _.lang),
        share_bp=year.share_bp,
        size=format_decimal(report.seq, locale=locale),
        at=moment(report.at, charter, locale),
        root=report.root.hex(),
    )  # fmt: skip


def _proved(report: Reserve, _: Translator) -> str | None:
    if report.proved_on is None or report.proved_to is None:
        return None
    first, last = short(report.proved_on, _.lang), short(report.proved_to, _.lang)
    if first == last:
        return _("The banks' figures are of {day}.").format(day=last)
    return _("The banks' figures are of {first} to {last}.").format(first=first, last=last)


def _limits(report: Reserve, _: Translator) -> list[str]:
    never = _("No statement of {account} was ever imported: {sum} rest on the association's word alone.")
    told = [never.format(account=bank.name, sum=format_cents(bank.ledger, _.lang, _EURO)) for bank in report.by_word]
    late = _("{account} is proved up to {day} only.")
    days = [(bank.name, bank.statement_on) for bank in report.behind]
    return told + [late.format(account=name, day=short(day, _.lang)) for name, day in days if day is not None]


def _outdated(report: Reserve, _: Translator) -> str:
    if report.by_word and not any(bank.withdrawn for bank in report.banks):
        return _("In part by word only")
    if report.proved_on is None:
        return _("Statements withdrawn")
    return _("Last proved on {day}").format(day=short(report.proved_on, _.lang))


def _account(bank: AccountState, _: Translator, lines: bool) -> ShownAccount:
    difference = bank.difference
    return ShownAccount(
        bank.name, _(words.KINDS[bank.kind]), bank.liquid, format_cents(bank.ledger, _.lang, _EURO),
        None if bank.statement is None else format_cents(bank.statement, _.lang, _EURO),
        None if bank.statement_on is None else short(bank.statement_on, _.lang),
        None if difference is None else signed(difference, _.lang), difference == 0,
        [Fact(_(words.WHY[why]), signed(cents, _.lang)) for why, cents in bank.reasons().items()],
        [line(one, _) for one in bank.explanation] if lines else [],
    )  # fmt: skip


def line(one: Explained, _: Translator) -> ShownLine:
    """One line of an explanation."""
    kind, why = words.what(one.what, _) if one.what else "", _(words.WHY[one.why])
    if one.why is Why.AFTER_STATEMENT and one.until is not None:
        why = _("{why}, expected until {day}").format(why=why, day=short(one.until, _.lang))
    return ShownLine(short(one.on, _.lang), kind, one.reference, why, signed(one.amount, _.lang))


def _beyond(cents: int, _: Translator) -> Fact | None:
    if not cents:
        return None
    name = _("of it beyond what must be covered") if cents > 0 else _("lacking to what must be covered")
    return Fact(name, format_cents(abs(cents), _.lang, _EURO), True)


def _unexplained(report: Reserve, euros: Callable[[int], str]) -> str | None:
    found = [one for bank in report.banks for one in bank.unexplained]
    return euros(sum(abs(one.amount) for one in found)) if found else None


def signed(cents: int, lang: str) -> str:
    """Euros with a plus or minus before them, which nothing has not."""
    return ("+" if cents > 0 else "") + format_cents(cents, lang, _EURO)


def _whole(cents: int, lang: str) -> str:
    """A sum of whole euros, without its cents."""
    return re.sub(r"[.,]00(?!\d)", "", format_cents(cents, lang, _EURO))


def short(day: date, lang: str) -> str:
    """A day in as few characters as can be read one way: 15/06/2025."""
    return format_date(day, "dd/MM/yyyy", locale=LOCALES["en" if lang == "en" else "fr"])


def percent(basis_points: int, lang: str) -> str:
    """Basis points as a percentage, to the last of them."""
    whole, rest = divmod(abs(basis_points), 100)
    number = format_cents(whole * 100 + rest, lang)
    return ("-" if basis_points < 0 else "") + number + ("%" if lang == "en" else "\u202f%")


def moment(at: int, charter: Charter, locale: str) -> str:
    """A moment (us since the epoch) in the currency's time zone."""
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    return format_datetime(when, "d MMMM y, HH:mm", tzinfo=get_timezone(charter.timezone), locale=locale)


def _relation(relation: str) -> str:
    return {"<=": "≤"}.get(relation, relation)
