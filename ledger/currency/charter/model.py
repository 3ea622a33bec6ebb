"""The charter of a currency: its rules, in a TOML file that the association can read, change and vote on.

A charter that is wrong is refused as a whole, with every problem at once, each with its line and with what
to write instead. Amounts in the file are text in the manner of euros (``"500.00"``), whole cents here.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from ledger.currency import toml_lines
from ledger.currency.charter import reading
from ledger.currency.charter.parts import (
    DEBIT_LEAD_DAYS,
    BankRules,
    Bookkeeping,
    Limits,
    MandateRules,
    ReserveAccount,
)
from ledger.currency.charter.problems import CharterError, Problem
from ledger.currency.charter.rules import Agents, PartyKind
from ledger.currency.charter.template import render
from ledger.currency.money import decimal_text
from ledger.currency.told import tell

_MAX_FILE: Final = 64 * 1024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Charter:
    """The rules of one currency. Made from a file or by hand, it is checked by the same rules.

    Raises :class:`CharterError` for values that no charter file could hold.
    """

    code: str
    """The unit, 2 to 8 of A-Z and 0-9: what accounts and orders call it."""
    name: str
    symbol: str
    network: bytes
    """4 bytes that keep the messages of one currency apart from those of another."""
    reconversion_fee_bp: int
    """What changing back costs, in basis points (500 is 5 %)."""
    public_url: str
    """Scheme and host (and port), without a slash at the end."""
    reserve: tuple[ReserveAccount, ...]
    reconversion_by: frozenset[PartyKind] = frozenset({PartyKind.SHOP})
    limits: Limits = field(default_factory=Limits)
    bank: BankRules = field(default_factory=BankRules)
    mandates: MandateRules | None = None
    bookkeeping: Bookkeeping = field(default_factory=Bookkeeping)
    timezone: str = "Europe/Paris"
    day_begins: int = 0
    """The hour at which a till's day begins: what a bar takes until then belongs to the evening before."""

    decimals: ClassVar[int] = 2

    def __post_init__(self) -> None:
        try:
            read = reading.read(self._document(), {}, "charter")
        except CharterError:
            raise
        except (TypeError, AttributeError, ValueError) as error:
            raise CharterError(
                "charter", [Problem(None, "", tell("a value has the wrong type: {error}", error=error))]
            ) from error
        for key, value in read.items():
            if getattr(self, key) != value:
                raise CharterError("charter", [Problem(None, key, tell("write it as {value!r}", value=value))])

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Charter:
        """The charter in a file; :class:`CharterError` if there is none, or it is wrong."""
        source = str(path)
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            reason = tell("the file cannot be read: {error}", error=error.strerror or error)
            raise CharterError(source, [Problem(None, "", reason)]) from error
        try:
            return cls.loads(data.decode("utf-8"), source)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            reason = tell("this is not UTF-8 text; save the file again with the encoding UTF-8")
            raise CharterError(source, [Problem(line, "", reason)]) from error

    @classmethod
    def loads(cls, text: str, source: str = "charter") -> Charter:
        """The charter in a text; ``source`` is what an error calls it."""
        text = text.removeprefix("\ufeff")  # Some Windows editors begin every UTF-8 file with this mark.
        if len(text) > _MAX_FILE:
            raise CharterError(
                source, [Problem(None, "", tell("a charter has at most {most} characters", most=_MAX_FILE))]
            )
        try:
            document = tomllib.loads(text)
        except RecursionError as error:
            raise CharterError(source, [Problem(None, "", tell("brackets are nested too deeply"))]) from error
        except ValueError as error:
            raise CharterError(source, [reading.syntax_problem(text, str(error))]) from error
        return cls(**reading.read(document, toml_lines.key_lines(text), source))

    def dumps(self, lang: str = "fr") -> str:
        """The charter as a TOML file with comments in French or English; :meth:`loads` gives it back equal."""
        return render(self._document(), lang)

    def _document(self) -> dict[str, Any]:
        """The charter as the values of its TOML file; what is not set is left out."""
        limits = {
            "per_payment": _amount(self.limits.per_payment),
            "per_day": _amount(self.limits.per_day),
            "session_hours": self.limits.session_hours,
            "request_seconds": self.limits.request_seconds,
            "cash_per_day": _amount(self.limits.cash_per_day),
            "ahead_per_day": _amount(self.limits.ahead_per_day),
            "ahead_days": self.limits.ahead_days,
        }
        bank = {"topup": self.bank.topup, "payout": self.bank.payout,
                "second_signature_above": _amount(self.bank.second_signature_above),
                "lead_days": _unless(0, self.bank.lead_days), "cutoff": _hour(self.bank.cutoff),
                "agents": _unless(Agents.BIC, self.bank.agents)}  # fmt: skip
        mandates = None
        if (m := self.mandates) is not None:
            mandates = {"creditor_id": m.creditor_id, "account": m.account, "day": m.day, "notice_days": m.notice_days,
                        "risk_days": m.risk_days, "per_month": _amount(m.per_month),
                        "lead_days": _unless(DEBIT_LEAD_DAYS, m.lead_days), "cutoff": _hour(m.cutoff)}  # fmt: skip
        month, day = self.bookkeeping.year_end
        books = {**vars(self.bookkeeping), "year_end": f"{month:02d}-{day:02d}"}
        usual = {**vars(Bookkeeping()), "year_end": "12-31"}
        accounts = [
            {"name": a.name, "kind": str(a.kind), "iban": a.iban, "bic": a.bic, "holder": a.holder,
             "liquid": None if a.liquid else False, "number": a.number}
            for a in self.reserve
        ]  # fmt: skip
        tables = {"bank": bank, "mandates": mandates, "bookkeeping": {k: v for k, v in books.items() if v != usual[k]}}
        return {
            "code": self.code,
            "name": self.name,
            "symbol": self.symbol,
            "network": self.network.hex(),
            "decimals": self.decimals,
            "timezone": self.timezone,
            "day_begins": self.day_begins,
            "public_url": self.public_url,
            "reconversion_fee_bp": self.reconversion_fee_bp,
            "reconversion_by": [str(kind) for kind in PartyKind if kind in self.reconversion_by],
            "limits": _set(limits),
            **{name: values for name, table in tables.items() if table and (values := _set(table))},
            "reserve": [_set(account) for account in accounts],
        }

    def account(self, name: str) -> ReserveAccount:
        """The reserve account of that name. `KeyError` where the charter has none."""
        for account in self.reserve:
            if account.name == name:
                return account
        raise KeyError(name)

    @property
    def topup_account(self) -> ReserveAccount | None:
        """Where members send their euros: the account that [bank] names, else the first with an IBAN."""
        return self._bank_account(self.bank.topup)

    @property
    def payout_account(self) -> ReserveAccount | None:
        """From where shops are paid: the account that [bank] names, else the first with an IBAN."""
        return self._bank_account(self.bank.payout)

    @property
    def mandate_account(self) -> ReserveAccount | None:
        """Where direct debits arrive: the account that [mandates] names, else that of top-ups."""
        name = self.mandates.account if self.mandates else None
        return self._bank_account(name) if name else self.topup_account

    def _bank_account(self, name: str | None) -> ReserveAccount | None:
        return next((a for a in self.reserve if a.iban and name in (None, a.name)), None)

    def fee(self, amount_cents: int) -> int:
        """What changing ``amount_cents`` units back costs, in cents.

        Rounded to the nearest cent, and a half cent up (as invoices in euros are), so never more than the
        amount. ValueError below zero.
        """
        if amount_cents < 0:
            raise ValueError("a fee is taken of an amount of zero or more")
        return (amount_cents * self.reconversion_fee_bp + 5_000) // 10_000

    def may_reconvert(self, kind: PartyKind | str) -> bool:
        """Whether a party of this kind may change units back to euros."""
        return kind in self.reconversion_by

    def local_date(self, at_us: int) -> date:
        """The date in the currency's time zone at a moment (microseconds since the epoch)."""
        return self.local_time(at_us).date()

    def local_time(self, at_us: int) -> datetime:
        """Date and hour in the currency's time zone at a moment (microseconds since the epoch)."""
        return (_EPOCH + timedelta(microseconds=at_us)).astimezone(ZoneInfo(self.timezone))

    def local_day_start(self, at_us: int) -> tuple[date, int]:
        """The local date at a moment, and the first moment of that date (microseconds since the epoch)."""
        day = self.local_date(at_us)
        return day, self.day_bounds(day)[0]

    def till_day_start(self, at_us: int) -> tuple[date, int]:
        """A till's day at a moment, and its first moment: from the charter's hour to that hour."""
        local = (_EPOCH + timedelta(microseconds=at_us)).astimezone(ZoneInfo(self.timezone))
        day = (local.replace(tzinfo=None) - timedelta(hours=self.day_begins)).date()
        return day, self._moment(day, self.day_begins)

    def day_bounds(self, day: date) -> tuple[int, int]:
        """The first moment of a local date and of the next: a day of 23, 24 or 25 hours, its end not in it."""
        return self._moment(day), self._moment(day + timedelta(days=1))

    def _moment(self, day: date, hour: int = 0) -> int:
        # Of an hour that comes twice the first (fold=0); one that the clocks skip is the moment they do.
        local = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(self.timezone))
        return (local.astimezone(UTC) - _EPOCH) // _MICROSECOND


def _amount(cents: int | None) -> str | None:
    return None if cents is None else decimal_text(cents)


def _hour(at: time | None) -> str | None:
    return None if at is None else f"{at:%H:%M}"


def _unless(usual: int | str, value: int | str) -> int | str | None:
    return None if value == usual else value


def _set(table: dict[str, Any]) -> dict[str, Any]:
    """What of a table is set."""
    return {key: value for key, value in table.items() if value is not None}
