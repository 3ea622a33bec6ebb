"""The check's own reader of records and `record.parse` accept the same bytes, and only those."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core import record
from ledger.core.check_record import Reader, Unreadable
from tests.core.books import small_book_batches


def accepts(read: Callable[[bytes], Any], error: type[Exception], data: bytes) -> bool:
    try:
        read(data)
    except error:
        return False
    return True


def honest_records() -> list[bytes]:
    instructions = [each for batch in small_book_batches() for each in batch]
    return [record.encode(each, n, 10**15 + n, "0f" * 16) for n, each in enumerate(instructions, 1)]


RECORDS = honest_records()
# fmt: off
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**64), 2**64), st.floats(), st.text(max_size=20),
    st.builds(list), st.builds(dict),
    st.sampled_from([
        "0" * 32, "0F" * 16, "0f" * 16, "0" * 16, "8" + "0" * 15, "7" + "f" * 15, "2026-02-30", "20260201",
        "2026-03-01", "٢٠٢٦-03-01", "PAT", "pat", "PAT\n", "open", "close", "debit", "DEBIT", "a" * 33, "a_1",
        "_a", "é", 0, 1, 1.0, 2**53, 2**53 - 1, -(2**53),
    ]),
)
keys = st.sampled_from([
    "at", "booked_on", "id", "kind", "salt", "seq", "transfers", "v", "corrects", "evidence", "account", "closes",
    "memo", "number", "unit", "normal", "floor", "ceiling", "cover", "a", "A",
])
# fmt: on


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A record with a few of its values or keys replaced, somewhere in it."""
    body = orjson.loads(draw(st.sampled_from(RECORDS)))
    for _ in range(draw(st.integers(0, 3))):
        spot: Any = body
        while True:
            names = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
            name = draw(st.sampled_from(names)) if names else None
            if name is not None and isinstance(spot[name], dict | list) and draw(st.booleans()):
                spot = spot[name]
                continue
            break
        if isinstance(spot, dict):
            action = draw(st.sampled_from(["set", "add", "drop"]))
            if action == "add" or name is None:
                spot[draw(keys)] = draw(scalars)
            elif action == "set":
                spot[name] = draw(scalars)
            else:
                del spot[name]
        elif name is not None:
            spot[name] = draw(scalars)
        else:
            spot.append(draw(scalars))
    try:
        data = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except (TypeError, orjson.JSONEncodeError):
        data = b"{}"
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=3)) + data[at + draw(st.integers(0, 3)) :]
    return data


@settings(max_examples=1500, deadline=None)
@given(mutated())
def test_two_readers_accept_the_same_records(data: bytes) -> None:
    assert accepts(Reader().read, Unreadable, data) == accepts(record.parse, record.RecordError, data)


@pytest.mark.parametrize("data", RECORDS)
def test_both_readers_accept_honest_records(data: bytes) -> None:
    assert record.parse(data)
    sort, body = Reader().read(data)
    assert orjson.dumps(body) == data and sort in ("transaction", "opening", "closing", "note")


@pytest.mark.parametrize(
    ("day", "good"),
    [("2026-02-28", True), ("2026-02-29", False), ("2026-2-28", False), ("20260228", False), ("0001-01-01", True)],
)
def test_both_readers_know_dates(day: str, good: bool) -> None:
    body = orjson.loads(RECORDS[0]) | {"booked_on": day}
    data = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    assert accepts(Reader().read, Unreadable, data) is good
    assert accepts(record.parse, record.RecordError, data) is good
