"""The canonical bytes of a log entry, and back. Pure.

Canonical JSON: keys sorted, no spaces, UTF-8, integers and strings (and lists of them) only, absent rather
than null; numbers that may pass 2^53 (account numbers) are 16 lower-case hex digits. The stored bytes are the
truth: what has one meaning has one encoding, and `parse` refuses every other one.

    {"at":US,"id":HEX,"kind":"payment","salt":HEX,"seq":N,"transfers":[[D,C,CENTS,UNIT]],"v":1}

plus `booked_on` (YYYY-MM-DD), `corrects` and `evidence` where there are any. An opening has `account` instead of
`transfers`, a closing `closes`, a note neither. The salt is 16 random bytes: the published hash of a guessable
record tells nothing.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import orjson

from ledger.core.model import (
    NO_EVIDENCE,
    Account,
    Closing,
    Evidence,
    Instruction,
    Malformed,
    Note,
    Opening,
    Side,
    Transaction,
    Transfer,
)

VERSION = 1


class RecordError(ValueError):
    """Bytes that are not the canonical record of anything. The text says what is wrong with them."""


class Record(NamedTuple):
    """A log entry: where and when the log took it, its salt, and what it says."""

    seq: int
    at: int
    salt: bytes
    instruction: Instruction


def encode(instruction: Instruction, seq: int, at: int, salt: str) -> bytes:
    """Canonical bytes of any posted instruction. `salt` is 32 hex digits.

    The keys stand in the template in their order. Only evidence can hold text that needs escaping: kinds and units
    are plain ASCII by their constructors.
    """
    account = closes = corrects = transfers = ""
    if type(instruction) is Transaction:
        kind = instruction.kind
        if instruction.corrects is not None:
            corrects = f'"corrects":"{instruction.corrects.hex()}",'
        # `to_bytes(8).hex()` takes half as long as the format 016x.
        moves = [
            f'["{t.debit.to_bytes(8).hex()}","{t.credit.to_bytes(8).hex()}",{t.amount},"{t.unit}"]'
            for t in instruction.transfers
        ]
        transfers = f'"transfers":[{",".join(moves)}],'
    elif type(instruction) is Opening:
        kind = "open"
        account = f'"account":{_account(instruction.account)},'
    elif type(instruction) is Closing:
        kind = "close"
        closes = f'"closes":"{instruction.number:016x}",'
    else:
        assert type(instruction) is Note
        kind = instruction.kind
    booked_on = "" if instruction.booked_on is None else f'"booked_on":"{instruction.booked_on}",'
    evidence = f'"evidence":{_sorted(dict(instruction.evidence))},' if instruction.evidence else ""
    return (
        f'{{{account}"at":{at},{booked_on}{closes}{corrects}{evidence}"id":"{instruction.id.hex()}","kind":"{kind}",'
        f'"salt":"{salt}","seq":{seq},{transfers}"v":{VERSION}}}'
    ).encode()


def _account(account: Account) -> str:
    shown: dict[str, str | int] = {
        "normal": account.normal.name.lower(),
        "number": f"{account.number:016x}",
        "unit": account.unit,
    }
    if account.floor is not None:
        shown["floor"] = account.floor
    if account.ceiling is not None:
        shown["ceiling"] = account.ceiling
    if account.cover is not None:
        shown["cover"] = f"{account.cover:016x}"
    return _sorted(shown)


def _sorted(value: dict[str, str | int]) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


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


def shown(data: bytes) -> tuple[str, date | None, Evidence]:
    """Kind, booked_on and evidence of a record that the book itself wrote: what a statement shows, unverified."""
    body = orjson.loads(data)
    booked_on = date.fromisoformat(body["booked_on"]) if "booked_on" in body else None
    return body["kind"], booked_on, body.get("evidence", NO_EVIDENCE)


def same_content(record: bytes, instruction: Instruction) -> bool:
    """Whether `record` is what posting `instruction` would have written, wherever and whenever that was."""
    stood = parse(record)
    return encode(instruction, stood.seq, stood.at, stood.salt.hex()) == record


__all__ = ["Malformed", "Record", "RecordError", "encode", "parse", "same_content", "shown"]
