"""Records: what has one meaning has one encoding, fixed for good by the committed vectors."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core import tree
from ledger.core.model import (
    MAX_ACCOUNT,
    MAX_AMOUNT,
    MAX_TRANSFERS,
    NO_EVIDENCE,
    Account,
    Closing,
    Instruction,
    Note,
    Opening,
    Side,
    Transaction,
    Transfer,
)
from ledger.core.record import Record, RecordError, encode, parse, same_content

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "records.json").read_text("utf-8"))
ID = bytes.fromhex("0192a3b4c5d67e8f90a1b2c3d4e5f607")
OTHER = bytes.fromhex("0192a3b4c5d67000800000000000000a")
DAY = date(2026, 3, 1)
SALT = bytes(range(16))

# The instructions of the vectors, by name; place, time and salt stand in the vectors.
INSTRUCTIONS: dict[str, Instruction] = {
    "payment": Transaction(ID, "payment", (Transfer(1, 2, 1250, "PAT"),)),
    "largest numbers": Transaction(ID, "payment", (Transfer(MAX_ACCOUNT, MAX_ACCOUNT - 1, MAX_AMOUNT, "A9"),)),
    "conversion": Transaction(
        ID,
        "conversion",
        (Transfer(3, 4, 5000, "PAT"), Transfer(5, 6, 5000, "EUR")),
        DAY,
        evidence={"reference": "VIR 42", "line": 17},
    ),
    "correction": Transaction(ID, "refund", (Transfer(2, 1, 50, "PAT"),), corrects=OTHER),
    "everything at once": Transaction(
        ID, "refund", (Transfer(2, 1, 50, "PAT"),), DAY, OTHER, {"z": 'é € 𝄞 "quoted" \\ / \n\t\x00\x7f', "a": -1}
    ),
    "opening": Opening(ID, Account(7, "PAT", Side.CREDIT)),
    "opening without bounds": Opening(ID, Account(7, "PAT", Side.DEBIT, floor=None)),
    "opening with everything": Opening(
        ID, Account(7, "PATARD", Side.DEBIT, floor=-100, ceiling=MAX_AMOUNT, cover=8), DAY, {"party": "x"}
    ),
    "closing": Closing(ID, MAX_ACCOUNT),
    "closing with date and evidence": Closing(ID, 7, date(1, 2, 3), {"why": ""}),
    "note": Note(ID, "device_added", {"key": "00" * 32}),
    "bare note": Note(ID, "n", {}),
}


def test_every_vector_has_its_instruction() -> None:
    assert [vector["name"] for vector in VECTORS["records"]] == list(INSTRUCTIONS)


@pytest.mark.parametrize("vector", VECTORS["records"], ids=lambda vector: vector["name"])
def test_the_committed_bytes_are_what_is_written_and_read(vector: dict[str, Any]) -> None:
    instruction = INSTRUCTIONS[vector["name"]]
    data = vector["record"].encode()
    seq, at, salt = vector["seq"], vector["at"], bytes.fromhex(vector["salt"])
    assert encode(instruction, seq, at, vector["salt"]) == data
    assert parse(data) == Record(seq, at, salt, instruction)
    assert tree.leaf_hash(data).hex() == vector["leaf"]
    assert orjson.dumps(orjson.loads(data), option=orjson.OPT_SORT_KEYS) == data


def test_the_root_of_the_vectors() -> None:
    peaks: list[bytes] = []
    tree.append(peaks, 0, [bytes.fromhex(vector["leaf"]) for vector in VECTORS["records"]])
    assert tree.root(peaks).hex() == VECTORS["root"]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["why"])
def test_every_other_encoding_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(RecordError):
        parse(bytes.fromhex(vector["hex"]) if "hex" in vector else vector["record"].encode())


def test_the_refused_vectors_differ_from_a_good_one_in_one_thing_only() -> None:
    """Else they might be refused for another reason than the one they are there for."""
    assert parse(VECTORS["refused_from"].encode())


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 5000, b'{"v":1}', b"1" * 5000, b"{" * 99])
def test_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(RecordError):
        parse(data)


# --- any instruction at all ------------------------------------------------------------------------------------------

ids = st.binary(min_size=16, max_size=16).filter(any)
numbers = st.integers(1, MAX_ACCOUNT)
units = st.from_regex(r"[A-Z][A-Z0-9]{1,7}", fullmatch=True)
words = st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8"), max_size=30)
evidences = st.dictionaries(words, st.one_of(texts, st.integers(-MAX_AMOUNT, MAX_AMOUNT)), max_size=4)
days = st.one_of(st.none(), st.dates())
bounds = st.one_of(st.none(), st.integers(0, MAX_AMOUNT))


@st.composite
def transfers(draw: st.DrawFn) -> Transfer:
    debit, credit = draw(st.lists(numbers, min_size=2, max_size=2, unique=True))
    return Transfer(debit, credit, draw(st.integers(1, MAX_AMOUNT)), draw(units))


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    number, cover = draw(st.lists(numbers, min_size=2, max_size=2, unique=True))
    floor = draw(bounds)
    return Account(
        number,
        draw(units),
        draw(st.sampled_from(Side)),
        None if floor is None else -floor,
        draw(bounds),
        draw(st.sampled_from([None, cover])),
    )


instructions: st.SearchStrategy[Instruction] = st.one_of(
    st.builds(
        Transaction,
        ids,
        words,
        st.lists(transfers(), min_size=1, max_size=4).map(tuple),
        days,
        st.one_of(st.none(), ids),
        st.one_of(st.just(NO_EVIDENCE), evidences),
    ),
    st.builds(Opening, ids, accounts(), days, evidences),
    st.builds(Closing, ids, numbers, days, evidences),
    st.builds(Note, ids, words, evidences, days),
)
places = st.integers(1, 2**40)
moments = st.integers(1, 2**62)
salts = st.binary(min_size=16, max_size=16)


@settings(deadline=None)
@given(instructions, places, moments, salts)
def test_there_and_back(instruction: Instruction, seq: int, at: int, salt: bytes) -> None:
    data = encode(instruction, seq, at, salt.hex())
    assert parse(data) == Record(seq, at, salt, instruction)
    assert orjson.dumps(orjson.loads(data), option=orjson.OPT_SORT_KEYS) == data
    assert same_content(data, instruction)


@settings(deadline=None, max_examples=300)
@given(instructions, instructions, places, moments, salts)
def test_different_things_have_different_records(
    one: Instruction, other: Instruction, seq: int, at: int, salt: bytes
) -> None:
    same = (type(one), one) == (type(other), other)
    assert (encode(one, seq, at, salt.hex()) == encode(other, seq, at, salt.hex())) is same
    assert same_content(encode(one, seq, at, salt.hex()), other) is same


@settings(deadline=None, max_examples=500)
@given(instructions, st.integers(0, 10**6), st.integers(1, 255), st.sampled_from(["flip", "insert", "drop", "cut"]))
def test_changed_bytes_are_refused_or_say_something_else(
    instruction: Instruction, at: int, byte: int, how: str
) -> None:
    data = encode(instruction, 5, 1_760_000_000_000_000, SALT.hex())
    at %= len(data)
    changed = {
        "flip": data[:at] + bytes([data[at] ^ byte]) + data[at + 1 :],
        "insert": data[:at] + bytes([byte]) + data[at:],
        "drop": data[:at] + data[at + 1 :],
        "cut": data[:at],
    }[how]
    try:
        read = parse(changed)
    except RecordError:
        return
    assert read != parse(data)
    assert encode(read.instruction, read.seq, read.at, read.salt.hex()) == changed


def test_the_largest_transaction() -> None:
    rows = tuple(Transfer(n, n + 1, MAX_AMOUNT, "PATARDPA") for n in range(1, MAX_TRANSFERS + 1))
    data = encode(Transaction(ID, "wages", rows), 2**40, 2**62, SALT.hex())
    assert len(parse(data).instruction.transfers) == MAX_TRANSFERS  # type: ignore[union-attr]


def test_same_content_needs_a_record() -> None:
    with pytest.raises(RecordError):
        same_content(b"{}", INSTRUCTIONS["payment"])
