"""The canonical bytes of a log entry, and back. Pure.

Canonical JSON: keys sorted, no spaces, UTF-8, integers and strings (and lists of them) only, absent rather
than null; numbers that may pass 2^53 (account numbers) are 16 lower-case hex digits. The stored bytes are the
truth: what has one meaning has one encoding, and `parse` refuses every other one.

    {"at":US,"id":HEX,"kind":"payment","salt":HEX,"seq":N,"transfers":[[D,C,CENTS,UNIT]],"v":1}

plus `booked_on` (YYYY-MM-DD), `corrects` and `evidence` where there are any. An opening has `account` instead of `transfers`, a closing
`closes`, a note neither. The salt is 16 random bytes: the published hash of a guessable record tells nothing.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import orjson

from ledger.core.model import (
    NO_EVIDENCE,
    Account,
    Closing,
    Instruction,
    Malformed,
    Note,
    Opening,
    Side,
    Transaction,
    Transfer,
)

VERSION = 1
_SORTED = orjson.OPT_SORT_KEYS


class RecordError(ValueError):
    """Bytes that are not the canonical record of anything. The text says what is wrong with them."""


class Record(NamedTuple):
    """A log entry: where and when the log took it, its salt, and what it says."""

    seq: int
    at: int
    salt: bytes
    instruction: Instruction


def encode(instruction: Instruction, seq: int, at: int, salt: str) -> bytes:
    """Canonical bytes of any posted instruction. `salt` is 32 hex digits."""
    body: dict[str, Any]
    if type(instruction) is Transaction:
        body = {
            "at": at,
            "id": instruction.id.hex(),
            "kind": instruction.kind,
            "salt": salt,
            "seq": seq,
            "transfers": [
                # Half the time of formatting with %016x.
                (t.debit.to_bytes(8).hex(), t.credit.to_bytes(8).hex(), t.amount, t.unit)
                for t in instruction.transfers
            ],
            "v": VERSION,
        }
        if instruction.corrects is not None:
            body["corrects"] = instruction.corrects.hex()
        elif instruction.evidence is NO_EVIDENCE and instruction.booked_on is None:
            # Everything so far was put in key order; only the three rarer keys make sorting necessary.
            return orjson.dumps(body)
        return _finish(body, instruction)
    body = {
        "at": at,
        "id": instruction.id.hex(),
        "salt": salt,
        "seq": seq,
        "v": VERSION,
    }
    if isinstance(instruction, Opening):
        account = instruction.account
        body["kind"] = "open"
        body["account"] = shown = {
            "normal": account.normal.name.lower(),
            "number": f"{account.number:016x}",
            "unit": account.unit,
        }
        for name in ("floor", "ceiling"):
            bound = getattr(account, name)
            if bound is not None:
                shown[name] = bound
        if account.cover is not None:
            shown["cover"] = f"{account.cover:016x}"
    elif isinstance(instruction, Closing):
        body["kind"] = "close"
        body["closes"] = f"{instruction.number:016x}"
    else:
        assert isinstance(instruction, Note)
        body["kind"] = instruction.kind
    return _finish(body, instruction)


def _finish(body: dict[str, Any], instruction: Instruction) -> bytes:
    if instruction.evidence:
        body["evidence"] = dict(instruction.evidence)
    if instruction.booked_on is not None:
        body["booked_on"] = instruction.booked_on
    return orjson.dumps(body, option=_SORTED)


def parse(data: bytes) -> Record:
    """The record that `data` is. Raises `RecordError` for anything but canonical bytes."""
    try:
        body = orjson.loads(data)
        record = _read(body)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise RecordError(f"not a record: {error}") from error
    if encode(record.instruction, record.seq, record.at, record.salt.hex()) != data:
        raise RecordError("not the canonical encoding of what it says")
    return record


def _read(body: dict[str, Any]) -> Record:
    if body["v"] != VERSION:
        raise RecordError(f"record version {body['v']!r}; this program reads version {VERSION}")
    seq, at, salt = body["seq"], body["at"], bytes.fromhex(body["salt"])
    if type(seq) is not int or type(at) is not int or seq < 1 or at < 1 or len(salt) != 16:
        raise RecordError("seq, at or salt out of range")
    id_ = bytes.fromhex(body["id"])
    booked_on = date.fromisoformat(body["booked_on"]) if "booked_on" in body else None
    evidence = body.get("evidence", NO_EVIDENCE)
    instruction: Instruction
    if "transfers" in body:
        transfers = tuple(Transfer(int(d, 16), int(c, 16), amount, unit) for d, c, amount, unit in body["transfers"])
        corrects = bytes.fromhex(body["corrects"]) if "corrects" in body else None
        instruction = Transaction(id_, body["kind"], transfers, booked_on, corrects, evidence)
    elif "account" in body:
        shown = body["account"]
        cover = int(shown["cover"], 16) if "cover" in shown else None
        side = Side[shown["normal"].upper()]
        number = int(shown["number"], 16)
        account = Account(number, shown["unit"], side, shown.get("floor"), shown.get("ceiling"), cover)
        instruction = Opening(id_, account, booked_on, evidence)
    elif "closes" in body:
        instruction = Closing(id_, int(body["closes"], 16), booked_on, evidence)
    else:
        instruction = Note(id_, body["kind"], evidence, booked_on)
    return Record(seq, at, salt, instruction)


def same_content(record: bytes, instruction: Instruction) -> bool:
    """Whether `record` is what posting `instruction` would have written, wherever and whenever that was."""
    stood = parse(record)
    return encode(instruction, stood.seq, stood.at, stood.salt.hex()) == record


__all__ = ["Malformed", "Record", "RecordError", "encode", "parse", "same_content"]
