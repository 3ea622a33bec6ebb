"""The charter of a currency: its rules, in a TOML file that the association can read, change and vote on.

A charter that is wrong is refused as a whole, with every problem at once, each with its line and with what
to write instead. Amounts in the file are text in the manner of euros (``"500.00"``), whole cents here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple
from zoneinfo import ZoneInfo

from ledger.currency import charter_rules as rules
from ledger.currency import toml_lines
from ledger.currency.charter_rules import PartyKind, ReserveKind, Wrong
from ledger.currency.charter_template import render
from ledger.currency.money import decimal_text

__all__ = ["Charter", "CharterError", "Limits", "PartyKind", "Problem", "ReserveAccount", "ReserveKind"]

_MAX_FILE: Final = 64 * 1024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Problem(NamedTuple):
    """One thing to mend. ``line`` counts from 1; None where no line is at fault (a key is missing)."""

    line: int | None
    key: str
    reason: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.key}: {self.reason}" if self.key else f"{place}{self.reason}"


class CharterError(ValueError):
    """A charter that cannot be used: where it came from, and all its problems in the order of their lines."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems, key=lambda p: (p.line is None, p.line or 0)))
        count = "1 thing" if len(problems) == 1 else f"{len(problems)} things"
        super().__init__("\n  ".join([f"{source}: {count} to mend", *map(str, self.problems)]))


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one payer may pay (cents; None: no limit), and how long sessions and codes live."""

    per_payment: int | None = None
    per_day: int | None = None
    session_hours: int = 12
    request_seconds: int = 300


@dataclass(frozen=True, kw_only=True)
class ReserveAccount:
    """A bank account or a cash box in which euros of the reserve lie. The IBAN has no spaces."""

    name: str
    kind: ReserveKind
    iban: str | None = None


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
    timezone: str = "Europe/Paris"

    decimals: ClassVar[int] = 2

    def __post_init__(self) -> None:
        try:
            read = _read(self._document(), {}, "charter")
        except CharterError:
            raise
        except (TypeError, AttributeError, ValueError) as error:
            raise CharterError("charter", [Problem(None, "", f"a value has the wrong type: {error}")]) from error
        for key, value in read.items():
            if getattr(self, key) != value:
                raise CharterError("charter", [Problem(None, key, f"write it as {value!r}")])

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Charter:
        """The charter in a file; :class:`CharterError` if there is none, or it is wrong."""
        source = str(path)
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            reason = f"the file cannot be read: {error.strerror or error}"
            raise CharterError(source, [Problem(None, "", reason)]) from error
        try:
            return cls.loads(data.decode("utf-8"), source)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            reason = "this is not UTF-8 text; save the file again with the encoding UTF-8"
            raise CharterError(source, [Problem(line, "", reason)]) from error

    @classmethod
    def loads(cls, text: str, source: str = "charter") -> Charter:
        """The charter in a text; ``source`` is what an error calls it."""
        text = text.removeprefix("\ufeff")  # Some Windows editors begin every UTF-8 file with this mark.
        if len(text) > _MAX_FILE:
            raise CharterError(source, [Problem(None, "", f"a charter has at most {_MAX_FILE} characters")])
        try:
            document = tomllib.loads(text)
        except RecursionError as error:
            raise CharterError(source, [Problem(None, "", "brackets are nested too deeply")]) from error
        except ValueError as error:
            raise CharterError(source, [_syntax_problem(text, str(error))]) from error
        return cls(**_read(document, toml_lines.key_lines(text), source))

    def dumps(self, lang: str = "fr") -> str:
        """The charter as a TOML file with comments in French or English; :meth:`loads` gives it back equal."""
        return render(self._document(), lang)

    def _document(self) -> dict[str, Any]:
        """The charter as the values of its TOML file; what is not set is left out."""
        limits = {
            "per_payment": None if self.limits.per_payment is None else decimal_text(self.limits.per_payment),
            "per_day": None if self.limits.per_day is None else decimal_text(self.limits.per_day),
            "session_hours": self.limits.session_hours,
            "request_seconds": self.limits.request_seconds,
        }
        accounts = [{"name": a.name, "kind": str(a.kind), "iban": a.iban} for a in self.reserve]
        return {
            "code": self.code,
            "name": self.name,
            "symbol": self.symbol,
            "network": self.network.hex(),
            "decimals": self.decimals,
            "timezone": self.timezone,
            "public_url": self.public_url,
            "reconversion_fee_bp": self.reconversion_fee_bp,
            "reconversion_by": [str(kind) for kind in PartyKind if kind in self.reconversion_by],
            "limits": {key: value for key, value in limits.items() if value is not None},
            "reserve": [{key: value for key, value in a.items() if value is not None} for a in accounts],
        }

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
        return (_EPOCH + timedelta(microseconds=at_us)).astimezone(ZoneInfo(self.timezone)).date()

    def local_day_start(self, at_us: int) -> tuple[date, int]:
        """The local date at a moment, and the first moment of that date (microseconds since the epoch)."""
        day = self.local_date(at_us)
        return day, self.day_bounds(day)[0]

    def day_bounds(self, day: date) -> tuple[int, int]:
        """The first moment of a local date and of the next: a day of 23, 24 or 25 hours, its end not in it."""
        return self._midnight(day), self._midnight(day + timedelta(days=1))

    def _midnight(self, day: date) -> int:
        # Of a midnight that comes twice the first (fold=0); one that the clocks skip is the moment they do.
        local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.timezone))
        return (local.astimezone(UTC) - _EPOCH) // _MICROSECOND


class _Key(NamedTuple):
    """One key of the file: what it may say, a line to copy, and whether it can be left out."""

    rule: Callable[[object], Any]
    example: str
    required: bool = True


_TOP: Final = {
    "code": _Key(rules.code, 'code = "PATARD"'),
    "name": _Key(rules.name, 'name = "Le Patard"'),
    "symbol": _Key(rules.symbol, 'symbol = "P"'),
    "network": _Key(rules.network, 'network = "5a1e0c7d"'),
    "decimals": _Key(rules.decimals, "decimals = 2", False),
    "timezone": _Key(rules.timezone, 'timezone = "Europe/Paris"', False),
    "public_url": _Key(rules.public_url, 'public_url = "https://pay.example.org"'),
    "reconversion_fee_bp": _Key(rules.whole(0, 10_000, "basis points", " (500 is 5 %)"), "reconversion_fee_bp = 500"),
    "reconversion_by": _Key(rules.kinds, 'reconversion_by = ["shop"]', False),
}
_LIMITS: Final = {
    "per_payment": _Key(rules.amount(rules.MAX_MESSAGE_CENTS), 'per_payment = "500.00"', False),
    "per_day": _Key(rules.amount(), 'per_day = "1000.00"', False),
    "session_hours": _Key(rules.whole(1, 720, "hours"), "session_hours = 12", False),
    "request_seconds": _Key(rules.whole(10, 86_400, "seconds"), "request_seconds = 300", False),
}
_RESERVE: Final = {
    "name": _Key(rules.name, 'name = "Banque coopérative"'),
    "kind": _Key(rules.reserve_kind, 'kind = "bank" or kind = "cash"'),
    "iban": _Key(rules.iban, 'iban = "FR76 ..."', False),
}
_HEADERS: Final = {"limits": "[limits]", "reserve": "[[reserve]]"}
_HOMES: Final = {
    **dict.fromkeys(_RESERVE, "under a [[reserve]]"),
    **dict.fromkeys(_LIMITS, "under [limits]"),
    **dict.fromkeys(_TOP, "above the first [table] of the file"),
}


def _read(document: Mapping[str, Any], lines: Mapping[toml_lines.Path, int], source: str) -> dict[str, Any]:
    """The attributes of a charter out of a parsed file; CharterError with all problems if there are any."""
    reader = _Reader(lines)
    values = reader.table((), document, _TOP, _HEADERS)
    values.pop("decimals", None)
    limits = document.get("limits", {})
    if isinstance(limits, dict):
        values["limits"] = reader.limits(limits)
    else:
        reader.problem(("limits",), "write it as a table: a line [limits], and its keys on the lines below")
    values["reserve"] = reader.reserve(document.get("reserve", []))
    if problems := reader.all_problems():
        raise CharterError(source, problems)
    return values


class _Reader:
    """Reads tables by their keys and gathers problems, so that one run finds them all."""

    def __init__(self, lines: Mapping[toml_lines.Path, int]) -> None:
        self.lines = lines
        self.problems: list[Problem] = []
        self.missing: list[Problem] = []
        self.misplaced: set[str] = set()

    def problem(self, path: toml_lines.Path, reason: str) -> None:
        self.problems.append(Problem(self.lines.get(path), _shown(path), reason))

    def all_problems(self) -> list[Problem]:
        # One key in the wrong place or with a letter wrong is one problem: it is not missing as well.
        return self.problems + [missing for missing in self.missing if missing.key not in self.misplaced]

    def table(
        self, path: toml_lines.Path, table: Mapping[str, Any], keys: Mapping[str, _Key], others: Mapping[str, str]
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in table.items():
            if key in keys:
                try:
                    values[key] = keys[key].rule(value)
                except Wrong as wrong:
                    self.problem((*path, key) if wrong.index is None else (*path, key, wrong.index), wrong.reason)
            elif key not in others:
                self.unknown(path, key, [*keys, *others])
        for key, known in keys.items():
            if known.required and key not in table:
                line = self.lines.get(path)
                self.missing.append(Problem(line, _shown((*path, key)), f"this is missing; write {known.example}"))
        return values

    def unknown(self, path: toml_lines.Path, key: str, known: list[str]) -> None:
        reason = f"there is no such key here; the keys are {', '.join(known)}"
        if home := _HOMES.get(key):
            self.misplaced.add(key)
            reason = f"this belongs {home}, not here"
        elif close := rules.nearest(key, known):
            self.misplaced.add(_shown((*path, close)))
            reason = f"there is no such key; did you mean {close}?"
        self.problem((*path, key), reason)

    def limits(self, table: Mapping[str, Any]) -> Limits:
        limits = Limits(**self.table(("limits",), table, _LIMITS, {}))
        if limits.per_payment is not None and limits.per_day is not None and limits.per_payment > limits.per_day:
            self.problem(("limits", "per_payment"), "it is above per_day, so no such payment could be made")
        return limits

    def reserve(self, items: object) -> tuple[ReserveAccount, ...]:
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            self.problem(("reserve",), "write each account as [[reserve]], in double brackets, with its keys below")
            return ()
        if not items:
            example = '[[reserve]] and below it name = "Banque coopérative" and kind = "bank"'
            self.problem(("reserve",), f"at least one account must hold the euros; write {example}")
        accounts: list[ReserveAccount] = []
        seen: dict[tuple[str, str], toml_lines.Path] = {}
        for index, item in enumerate(items):
            path: toml_lines.Path = ("reserve", index)
            values = self.table(path, item, _RESERVE, {})
            if values.get("kind") is ReserveKind.CASH and "iban" in values:
                self.problem((*path, "iban"), 'cash has no IBAN; take this line out or write kind = "bank"')
            for key in ("name", "iban"):
                here: toml_lines.Path = (*path, key)
                if key in values and (first := seen.setdefault((key, values[key].casefold()), here)) != here:
                    self.problem(here, f"{_shown(first)} is the same; each account stands here once")
            if "name" in values and "kind" in values:
                accounts.append(ReserveAccount(**values))
        return tuple(accounts)


def _shown(path: toml_lines.Path) -> str:
    """The name of a key for a person: ``limits.per_day``, ``[[reserve]] 2, iban`` (accounts count from 1)."""
    names = [name if name.isprintable() else ascii(name) for name in path if isinstance(name, str)]
    if len(path) > 1 and path[0] == "reserve" and isinstance(path[1], int):
        return ", ".join([f"[[reserve]] {path[1] + 1}", *names[1:]])
    return ".".join(names)


def _syntax_problem(text: str, message: str) -> Problem:
    """What tomllib says about a text that is not TOML, with the line taken out of its message."""
    message = re.sub(r" \(at end of document\)$", f" (at line {text.rstrip().count(chr(10)) + 1})", message)
    match = re.search(r"^(.*) \(at line (\d+)(?:, column \d+)?\)$", message, re.DOTALL)
    reason, line = (match[1], int(match[2])) if match else (message, None)
    if too_long := re.search(r"[0-9]{1000}", text):  # Python reads no number of more than 4,300 digits
        return Problem(text.count("\n", 0, too_long.start()) + 1, "", "a number here is far too long")
    if reason.startswith("Cannot "):  # "overwrite a value", "declare ('limits',) twice"
        reason = f"this key or table stands in the file already ({reason})"
    else:
        reason = f'this is not TOML ({reason}); write key = value, one a line, with text and amounts in "quotes"'
    return Problem(line, "", reason)
