"""A charter out of a parsed TOML file: every key by its rule, every problem with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from ledger.currency import toml_lines
from ledger.currency.charter import ibans, rules
from ledger.currency.charter.parts import BankRules, Bookkeeping, Limits, MandateRules, ReserveAccount
from ledger.currency.charter.problems import CharterError, Problem
from ledger.currency.charter.rules import ReserveKind, Wrong
from ledger.currency.told import Told, tell


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
    "day_begins": _Key(rules.whole(0, 12, tell("hours"), tell(" (0 is midnight)")), "day_begins = 5", False),
    "public_url": _Key(rules.public_url, 'public_url = "https://pay.example.org"'),
    "reconversion_fee_bp": _Key(
        rules.whole(0, 10_000, tell("basis points"), tell(" (500 is 5 %)")), "reconversion_fee_bp = 500"
    ),
    "reconversion_by": _Key(rules.kinds, 'reconversion_by = ["shop"]', False),
}
_LIMITS: Final = {
    "per_payment": _Key(rules.amount(rules.MAX_MESSAGE_CENTS), 'per_payment = "500.00"', False),
    "per_day": _Key(rules.amount(), 'per_day = "1000.00"', False),
    "session_hours": _Key(rules.whole(1, 720, tell("hours")), "session_hours = 12", False),
    "request_seconds": _Key(rules.whole(10, 86_400, tell("seconds")), "request_seconds = 300", False),
    "cash_per_day": _Key(rules.amount(zero=True), 'cash_per_day = "2000.00"', False),
    "ahead_per_day": _Key(rules.amount(zero=True), 'ahead_per_day = "2000.00"', False),
    "ahead_days": _Key(rules.whole(1, 60, tell("days")), "ahead_days = 10", False),
}
_RESERVE: Final = {
    "name": _Key(rules.name, 'name = "Banque coopérative"'),
    "kind": _Key(rules.reserve_kind, 'kind = "bank" or kind = "cash"'),
    "iban": _Key(ibans.iban, 'iban = "FR76 ..."', False),
    "bic": _Key(rules.bic, 'bic = "CCOPFRPP"', False),
    "holder": _Key(rules.holder, 'holder = "ASSOCIATION LE PATARD"', False),
    "liquid": _Key(rules.yes_or_no, "liquid = false", False),
    "number": _Key(rules.ledger_number, 'number = "5121"', False),
}
_BANK: Final = {
    "topup": _Key(rules.name, 'topup = "Banque coopérative"', False),
    "payout": _Key(rules.name, 'payout = "Banque coopérative"', False),
    "second_signature_above": _Key(rules.amount(zero=True), 'second_signature_above = "1000.00"', False),
    "lead_days": _Key(rules.whole(0, 10, tell("days"), tell(" (on which banks work)")), "lead_days = 0", False),
    "cutoff": _Key(rules.hour, 'cutoff = "16:00"', False),
    "agents": _Key(rules.agents, 'agents = "notprovided"', False),
}
_MANDATES: Final = {
    "creditor_id": _Key(rules.creditor_id, 'creditor_id = "FR72ZZZ123456"'),
    "account": _Key(rules.name, 'account = "Banque coopérative"', False),
    "day": _Key(rules.whole(1, 28, tell("the month's days"), tell(" (every month has them)")), "day = 5", False),
    "notice_days": _Key(rules.whole(1, 60, tell("days")), "notice_days = 14", False),
    "risk_days": _Key(rules.whole(0, 400, tell("days")), "risk_days = 56", False),
    "per_month": _Key(rules.amount(rules.MAX_MESSAGE_CENTS), 'per_month = "200.00"', False),
    "lead_days": _Key(rules.whole(1, 10, tell("days"), tell(" (on which banks work)")), "lead_days = 1", False),
    "cutoff": _Key(rules.hour, 'cutoff = "10:00"', False),
}
_BOOKKEEPING: Final = {
    "siren": _Key(rules.siren, 'siren = "123456782"', False),
    "year_end": _Key(rules.year_end, 'year_end = "12-31"', False),
    "holders": _Key(rules.ledger_number, 'holders = "46881"', False),
    "payouts": _Key(rules.ledger_number, 'payouts = "46883"', False),
    "suspense": _Key(rules.ledger_number, 'suspense = "471"', False),
    "fees": _Key(rules.ledger_number, 'fees = "706"', False),
    "charges": _Key(rules.ledger_number, 'charges = "627"', False),
    "claims": _Key(rules.ledger_number, 'claims = "467"', False),
    "transit": _Key(rules.ledger_number, 'transit = "58"', False),
    "operations": _Key(rules.ledger_number, 'operations = "5123"', False),
    "guarantee": _Key(rules.ledger_number, 'guarantee = "46889"', False),
}
_HEADERS: Final = {
    "limits": "[limits]", "bank": "[bank]", "mandates": "[mandates]", "bookkeeping": "[bookkeeping]",
    "reserve": "[[reserve]]",
}  # fmt: skip
_HOMES: Final = {
    **dict.fromkeys(_BOOKKEEPING, tell("under [bookkeeping]")),
    **dict.fromkeys(_MANDATES, tell("under [mandates]")),
    **dict.fromkeys(_BANK, tell("under [bank]")),
    **dict.fromkeys(_BANK.keys() & _MANDATES.keys(), tell("under [bank], for payouts, or [mandates], for debits")),
    **dict.fromkeys(_RESERVE, tell("under a [[reserve]]")),
    **dict.fromkeys(_LIMITS, tell("under [limits]")),
    **dict.fromkeys(_TOP, tell("above the first [table] of the file")),
}


def read(document: Mapping[str, Any], lines: Mapping[toml_lines.Path, int], source: str) -> dict[str, Any]:
    """The attributes of a charter out of a parsed file; CharterError with all problems if there are any."""
    reader = _Reader(lines)
    values = reader.table((), document, _TOP, _HEADERS)
    values.pop("decimals", None)
    values["reserve"] = reader.reserve(document.get("reserve", []))
    banks = {account.name for account in values["reserve"] if account.iban}
    values["limits"] = reader.limits(reader.section(document, "limits"))
    values["bank"] = BankRules(**reader.named("bank", reader.section(document, "bank"), _BANK, banks))
    mandates = reader.section(document, "mandates")
    values["mandates"] = None
    if "mandates" in document:
        found = reader.named("mandates", mandates, _MANDATES, banks)
        if "creditor_id" in found:
            values["mandates"] = MandateRules(**found)
        if not banks:
            reader.problem(("mandates",), tell("direct debits arrive on a bank account: give a [[reserve]] its iban"))
    books = reader.section(document, "bookkeeping")
    values["bookkeeping"] = Bookkeeping(**reader.table(("bookkeeping",), books, _BOOKKEEPING, {}))
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

    def problem(self, path: toml_lines.Path, reason: Told) -> None:
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
                self.missing.append(
                    Problem(line, _shown((*path, key)), tell("this is missing; write {example}", example=known.example))
                )
        return values

    def unknown(self, path: toml_lines.Path, key: str, known: list[str]) -> None:
        reason = tell("there is no such key here; the keys are {names}", names=tuple(known))
        if home := _HOMES.get(key):
            self.misplaced.add(key)
            reason = tell("this belongs {home}, not here", home=home)
        elif close := rules.nearest(key, known):
            self.misplaced.add(_shown((*path, close)))
            reason = tell("there is no such key; did you mean {word}?", word=close)
        self.problem((*path, key), reason)

    def section(self, document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """The table of that name; an empty one where there is none."""
        found = document.get(name, {})
        if isinstance(found, dict):
            return found
        self.problem((name,), tell("write it as a table: a line [{name}], and its keys on the lines below", name=name))
        return {}

    def named(self, name: str, table: Mapping[str, Any], keys: Mapping[str, _Key], banks: set[str]) -> dict[str, Any]:
        """A table some of whose keys name a bank account of the reserve."""
        values = self.table((name,), table, keys, {})
        for key in ("topup", "payout", "account"):
            if key in values and values[key] not in banks:
                known = ", ".join(f'"{bank}"' for bank in sorted(banks)) or tell("none so far")
                self.problem(
                    (name, key), tell("this must be the name of a [[reserve]] that has an iban: {known}", known=known)
                )
        return values

    def limits(self, table: Mapping[str, Any]) -> Limits:
        limits = Limits(**self.table(("limits",), table, _LIMITS, {}))
        if limits.per_payment is not None and limits.per_day is not None and limits.per_payment > limits.per_day:
            self.problem(("limits", "per_payment"), tell("it is above per_day, so no such payment could be made"))
        return limits

    def reserve(self, items: object) -> tuple[ReserveAccount, ...]:
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            self.problem(
                ("reserve",), tell("write each account as [[reserve]], in double brackets, with its keys below")
            )
            return ()
        if not items:
            example = tell('[[reserve]] and below it name = "Banque coopérative" and kind = "bank"')
            self.problem(
                ("reserve",), tell("at least one account must hold the euros; write {example}", example=example)
            )
        accounts: list[ReserveAccount] = []
        seen: dict[tuple[str, str], toml_lines.Path] = {}
        for index, item in enumerate(items):
            path: toml_lines.Path = ("reserve", index)
            values = self.table(path, item, _RESERVE, {})
            if values.get("kind") is ReserveKind.CASH and "iban" in values:
                self.problem((*path, "iban"), tell('cash has no IBAN; take this line out or write kind = "bank"'))
            if values.get("kind") is ReserveKind.CASH and "bic" in values:
                self.problem((*path, "bic"), tell('cash has no BIC; take this line out or write kind = "bank"'))
            for key in ("name", "iban", "number"):
                here: toml_lines.Path = (*path, key)
                if key in values and (first := seen.setdefault((key, values[key].casefold()), here)) != here:
                    self.problem(here, tell("{key} is the same; each account stands here once", key=_shown(first)))
            if "name" in values and "kind" in values:
                accounts.append(ReserveAccount(**values))
        return tuple(accounts)


def _shown(path: toml_lines.Path) -> str:
    """The name of a key for a person: ``limits.per_day``, ``[[reserve]] 2, iban`` (accounts count from 1)."""
    names = [name if name.isprintable() else ascii(name) for name in path if isinstance(name, str)]
    if len(path) > 1 and path[0] == "reserve" and isinstance(path[1], int):
        return ", ".join([f"[[reserve]] {path[1] + 1}", *names[1:]])
    return ".".join(names)


def syntax_problem(text: str, message: str) -> Problem:
    """What tomllib says about a text that is not TOML, with the line taken out of its message."""
    message = re.sub(r" \(at end of document\)$", f" (at line {text.rstrip().count(chr(10)) + 1})", message)
    match = re.search(r"^(.*) \(at line (\d+)(?:, column \d+)?\)$", message, re.DOTALL)
    reason, line = (match[1], int(match[2])) if match else (message, None)
    if too_long := re.search(r"[0-9]{1000}", text):  # Python reads no number of more than 4,300 digits
        return Problem(text.count("\n", 0, too_long.start()) + 1, "", tell("a number here is far too long"))
    if reason.startswith("Cannot "):  # "overwrite a value", "declare ('limits',) twice"
        reason = tell("this key or table stands in the file already ({reason})", reason=reason)
    else:
        reason = tell(
            'this is not TOML ({reason}); write key = value, one a line, with text and amounts in "quotes"',
            reason=reason,
        )
    return Problem(line, "", reason)
