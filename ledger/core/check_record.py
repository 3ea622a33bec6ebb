"""A second reader of records, for `check` alone: strict, lean, and with nothing in common with `record`.

It answers what a record says as plain JSON values, and refuses everything but the canonical bytes. That it and
`record.parse` accept the same bytes is held by a test.
"""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import date
from typing import Any

import orjson

TRANSACTION, OPENING, CLOSING, NOTE = "transaction", "opening", "closing", "note"

MAX_AMOUNT = 2**53 - 1
MAX_LEGS = 256
MAX_EVIDENCE_BYTES = 8_192
_CACHE = 4_096

_hex16 = re.compile(r"[0-9a-f]{16}").fullmatch
_hex32 = re.compile(r"[0-9a-f]{32}").fullmatch
_word = re.compile(r"[a-z][a-z0-9_]{0,31}").fullmatch
_unit = re.compile(r"[A-Z][A-Z0-9]{1,7}").fullmatch
_day = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII).fullmatch


def _shapes() -> dict[tuple[str, ...], tuple[str, bool]]:
    """Every list of keys a record can have, in their order: its sort, and whether it has any of the rarer keys."""
    own = {TRANSACTION: {"transfers"}, OPENING: {"account"}, CLOSING: {"closes"}, NOTE: set[str]()}
    shapes = {}
    for sort, keys in own.items():
        for dated in (set[str](), {"booked_on"}):
            for proved in (set[str](), {"evidence"}):
                for corrects in (set[str](), {"corrects"}) if sort == TRANSACTION else (set[str](),):
                    extra = dated | proved | corrects
                    every = {"at", "id", "kind", "salt", "seq", "v"} | keys | extra
                    shapes[tuple(sorted(every))] = (sort, bool(extra))
    return shapes


_SHAPES = _shapes()


class Unreadable(ValueError):
    """Not the canonical bytes of a record; the text says what is wrong first."""


class Reader:
    """Reads records; remembers the few kinds, units and dates that a whole book uses.

    `numbers` are account numbers as records write them that need no second look.
    """

    def __init__(self, numbers: Container[str] = ()) -> None:
        self._numbers = numbers
        self._words: set[str] = set()
        self._units: set[str] = set()
        self._days: set[str] = set()

    def read(self, data: Any) -> tuple[str, dict[str, Any]]:
        """What sort of record `data` is, and its JSON object. Raises `Unreadable`."""
        try:
            return self._read(data)
        except Unreadable:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Unreadable(str(error)) from error

    def _read(self, data: Any) -> tuple[str, dict[str, Any]]:
        if type(data) is not bytes:
            raise Unreadable(f"a record is bytes, not {type(data).__name__}")
        body = orjson.loads(data)
        if type(body) is not dict:
            raise Unreadable("a record is a JSON object")
        if orjson.dumps(body, option=orjson.OPT_SORT_KEYS) != data:
            raise Unreadable("not the canonical encoding of what it says")
        shape = _SHAPES.get(tuple(body))
        if shape is None:
            raise Unreadable(f"no record has the keys {', '.join(body)}"[:200])
        sort, extra = shape
        seq, at, version = body["seq"], body["at"], body["v"]
        if type(version) is not int or version != 1:
            raise Unreadable(f"version {version!r}")
        if type(seq) is not int or type(at) is not int or seq < 1 or at < 1:
            raise Unreadable("seq or at is not a whole number above 0")
        if not _hex32(body["salt"]) or not _hex32(body["id"]) or body["id"] == "0" * 32:
            raise Unreadable("id or salt is not 32 hex digits")
        kind = body["kind"]
        if kind not in self._words:
            if not _word(kind):
                raise Unreadable(f"kind {kind!r}")
            if len(self._words) < _CACHE:
                self._words.add(kind)
        if extra:
            self._extra(body)
        if sort is TRANSACTION:
            legs, known = body["transfers"], self._numbers
            if type(legs) is not list or not 0 < len(legs) <= MAX_LEGS:
                raise Unreadable("transfers is not a list of 1 to 256")
            for leg in legs:
                if type(leg) is not list or len(leg) != 4:
                    raise Unreadable("a transfer is not a list of debit, credit, amount, unit")
                debit, credit, amount, unit = leg
                if type(amount) is not int or not 0 < amount <= MAX_AMOUNT:
                    raise Unreadable(f"amount {amount!r}")
                if debit == credit:
                    raise Unreadable("a transfer from an account to itself")
                if unit not in self._units:
                    if not _unit(unit):
                        raise Unreadable(f"unit {unit!r}")
                    if len(self._units) < _CACHE:
                        self._units.add(unit)
                if debit not in known:
                    _number(debit)
                if credit not in known:
                    _number(credit)
        elif sort is OPENING:
            if kind != "open":
                raise Unreadable(f"an opening of kind {kind}")
            _account(body["account"])
        elif sort is CLOSING:
            if kind != "close":
                raise Unreadable(f"a closing of kind {kind}")
            _number(body["closes"])
        return sort, body

    def _extra(self, body: dict[str, Any]) -> None:
        if "booked_on" in body and body["booked_on"] not in self._days:
            day = body["booked_on"]
            if not _day(day):
                raise Unreadable(f"booked_on {day!r}")
            date.fromisoformat(day)
            if len(self._days) < _CACHE:
                self._days.add(day)
        if "corrects" in body and (not _hex32(body["corrects"]) or body["corrects"] == "0" * 32):
            raise Unreadable("corrects is not 32 hex digits")
        if "evidence" not in body:
            return
        evidence = body["evidence"]
        if type(evidence) is not dict or not evidence:
            raise Unreadable("evidence is not an object with something in it")
        size = 0
        for key, value in evidence.items():
            if key not in self._words:
                if not _word(key):
                    raise Unreadable(f"evidence key {key!r}")
                if len(self._words) < _CACHE:
                    self._words.add(key)
            if type(value) is str:
                size += len(key) + len(value.encode())
            elif type(value) is int and -MAX_AMOUNT <= value <= MAX_AMOUNT:
                size += len(key) + 8
            else:
                raise Unreadable(f"evidence {key} is neither text nor a whole number below 2^53")
        if size > MAX_EVIDENCE_BYTES:
            raise Unreadable(f"evidence of {size} bytes")


def _number(text: Any) -> None:
    if not _hex16(text) or not "0" * 16 < text < "8":
        raise Unreadable(f"account number {text!r}")


def _account(shown: Any) -> None:
    if type(shown) is not dict or not {"normal", "number", "unit"} <= shown.keys():
        raise Unreadable("an account has a normal side, a number and a unit")
    if shown.keys() - {"normal", "number", "unit", "floor", "ceiling", "cover"}:
        raise Unreadable(f"no account has the keys {', '.join(shown)}"[:200])
    _number(shown["number"])
    if not _unit(shown["unit"]) or shown["normal"] not in ("debit", "credit"):
        raise Unreadable("unit or normal side of an account")
    floor, ceiling = shown.get("floor", 0), shown.get("ceiling", 0)
    if type(floor) is not int or type(ceiling) is not int or not -MAX_AMOUNT <= floor <= 0 <= ceiling <= MAX_AMOUNT:
        raise Unreadable("floor or ceiling of an account")
    if "cover" in shown:
        _number(shown["cover"])
        if shown["cover"] == shown["number"]:
            raise Unreadable("an account that covers itself")
