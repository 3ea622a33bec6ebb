"""Files of payouts as the log has them: what was ordered, whether it was fetched or withdrawn. Tables only index it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection

from ledger.core.ids import derived_id
from ledger.core.record import Record
from ledger.currency import logged
from ledger.currency.bank.payouts.index import FETCHED, ORDERED, PAID, WITHDRAWN, unpacked

BESIDE = "beside"
"""What an entry that pays says of cents which no file let leave (see `beside`)."""
BACK, TAKEN = "bank_back", "bank_withdrawn"
"""Kinds of the entries that put a line back into suspense, or take it away: what it had paid is due again."""


class Acted(NamedTuple):
    """When somebody did something (us), and who: a key (hex) or "console"; `seq` is the entry that says so."""

    at: int
    by: str
    seq: int


class Noted(NamedTuple):
    """A file: `seq` is the place of the note that ordered it, `places` those of its reconversions, `total` cents.

    `people` sign it. `fetched` is when it was for the first time.
    """

    id: bytes
    seq: int
    ordered: Acted
    number: int
    reserve: int
    message: str
    requested_on: date
    total: int
    transfers: int
    people: int
    sha256: bytes
    places: tuple[int, ...]
    fetched: Acted | None
    withdrawn: Acted | None

    @property
    def ended(self) -> int | None:
        """The entry with which signing it was over: it left for the bank, or was given up."""
        return min((one.seq for one in (self.fetched, self.withdrawn) if one is not None), default=None)


def batch_id(network: bytes, number: int) -> bytes:
    """Id of the note that orders the file `number`, from 1."""
    return derived_id("patard/payouts", network, str(number))


def withdrawal_id(batch: bytes) -> bytes:
    """Id of the note that withdraws a file."""
    return derived_id("patard/payouts-withdrawn", batch)


def fetching_id(batch: bytes) -> bytes:
    """Id of the note that a file was fetched for the first time."""
    return derived_id("patard/payouts-fetched", batch)


def noted(connection: Connection, batches: Iterable[bytes], *, but: int | None = None) -> dict[bytes, Noted]:
    """These files, by id; one that was never ordered in the log is none. `but` leaves out the entry at that place.

    That is the one which a commit is about to make.
    """
    wanted = list(batches)
    found = logged.by_ids(connection, [id_ for one in wanted for id_ in (one, fetching_id(one), withdrawal_id(one))])
    files = {}
    for id_ in wanted:
        note = logged.note(found.get(id_), ORDERED)
        if note is not None:
            fetched = _acted(found.get(fetching_id(id_)), FETCHED, but)
            withdrawn = _acted(found.get(withdrawal_id(id_)), WITHDRAWN, but)
            try:
                files[id_] = _noted(found[id_], fetched, withdrawn)
            except (KeyError, ValueError):  # a note that nobody here wrote: `check` finds it
                continue
    return files


def beside(connection: Connection, after: int) -> list[Record]:
    """The entries behind that place which paid what no file let leave, and stand."""
    found: dict[bytes, Record] = {}
    for record in logged.of_kinds(connection, (PAID, BACK, TAKEN), after=after):
        said = record.instruction.evidence
        if BESIDE in said:
            found[record.instruction.id] = record
        for name in ("undoes", "returns"):
            found.pop(bytes.fromhex(str(said.get(name, ""))), None)
    return list(found.values())


def _noted(record: Record, fetched: Acted | None, withdrawn: Acted | None) -> Noted:
    said = record.instruction.evidence
    number, total, count, people = (int(said[name]) for name in ("number", "total", "count", "people"))
    return Noted(
        record.instruction.id, record.seq, Acted(record.at, str(said["by"]), record.seq), number,
        int(str(said["reserve"]), 16), str(said["message"]), date.fromisoformat(str(said["requested_on"])),
        total, count, people, bytes.fromhex(str(said["sha256"])),
        tuple(unpacked(str(said["payouts"]))), fetched, withdrawn,
    )  # fmt: skip


def _acted(record: Record | None, kind: str, but: int | None) -> Acted | None:
    note = logged.note(record, kind)
    if record is None or note is None or record.seq == but:
        return None
    return Acted(record.at, str(note.evidence.get("by")), record.seq)
