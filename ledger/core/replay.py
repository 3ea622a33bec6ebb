"""Replay: a book made anew from its records alone, through the rules, byte for byte.

Only the record bytes are taken from the source. Order, time and salt stand in them; everything else (columns,
leaves, transfers, balances, pointers, the head) is computed again, as if every instruction were posted once
more. So a replay proves that the rules accept the whole log, and `diff` then shows where what was stored beside
the records is not what they come to. A replay that was interrupted goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Engine

from ledger.core import check_rows, record, rules, tree
from ledger.core.book import MAX_BATCH, needs
from ledger.core.check_report import differences
from ledger.core.check_rows import Row, Rows
from ledger.core.model import Head, Refused
from ledger.core.store import Store

BATCH = 4_096
"""Records in one commit."""
MOST_DIFFERENCES = 1_000

Progress = Callable[[int, int], None]


class ReplayError(ValueError):
    """A record that cannot stand where it stands. `code` is stable, `seq` its place, `id` its id if it has one.

    Codes: record_malformed, seq_gap, at_not_growing, id_repeated, other_book, and every refusal of the rules.
    """

    def __init__(self, code: str, seq: int, id_: bytes | None, detail: str) -> None:
        named = f" (transaction {id_.hex()})" if id_ is not None else ""
        super().__init__(f"entry {seq}{named}: {code}: {detail}")
        self.code = code
        self.seq = seq
        self.id = id_
        self.detail = detail


class Difference(NamedTuple):
    """A row that is stored otherwise than the records make it. `key` is its seq, place or account number.

    `seq` is the log entry it belongs to: for an account, that of its last transfer or its opening; 0 for none.
    """

    table: str
    key: int
    seq: int
    detail: str


class Rebuilt(NamedTuple):
    """What came of a rebuild: the new head, and how the source differs from it.

    At most `MOST_DIFFERENCES` are listed; `different` counts them all.
    """

    head: Head
    differences: list[Difference]
    different: int


def rebuild(source: Store | Engine, into: Store, progress: Progress | None = None) -> Rebuilt:
    """Replay the records of `source` into the book `into`, which is new or was begun so; then compare the two.

    The source is read in one snapshot and cannot be written through it. `progress` is told how many records are
    done, and of how many. Raises `ReplayError`, or what either database raises.
    """
    with check_rows.rows_of(source) as rows:
        head = replay((row[5] for row in rows.log()), into, total=_length(rows), progress=progress)
        with check_rows.rows_of(into) as made:
            found = diff(rows, made)
            differences = list(islice(found, MOST_DIFFERENCES))
            return Rebuilt(head, differences, len(differences) + sum(1 for _ in found))


def replay(
    records: Iterable[bytes], into: Store, *, total: int = 0, progress: Progress | None = None, batch: int = BATCH
) -> Head:
    """Post `records`, in log order from the first, to `into`; its log, transfers, accounts and head come out as in
    the book that they are from. What `into` holds already must be the beginning of the same records.

    Returns the head. Raises `ReplayError` at the first record that the rules do not accept as it stands; every
    batch of `batch` records before it is kept.
    """
    if not 1 <= batch <= MAX_BATCH:
        raise ValueError(f"a batch holds 1 to {MAX_BATCH} records, got {batch}")
    stream = iter(records)
    with into.reading() as store:
        head = store.head()
    _skip(stream, head)
    if progress:
        progress(head.seq, max(total, head.seq))
    while data := list(islice(stream, batch)):
        head = _post(into, data, head.seq)
        if progress:
            progress(head.seq, max(total, head.seq))
    return head


def _skip(stream: Iterator[bytes], head: Head) -> None:
    """Pass over the records that are in the book already, which must be the same."""
    peaks: list[bytes] = []
    size = 0
    while size < head.seq:
        data = list(islice(stream, min(BATCH, head.seq - size)))
        if not data or any(type(each) is not bytes for each in data):
            break
        size = tree.append(peaks, size, [tree.leaf_hash(each) for each in data])
    if (size, tree.root(peaks)) != (head.seq, head.root):
        raise ReplayError("other_book", head.seq, None, "the book to replay into holds other records than these")


def _post(into: Store, data: Sequence[bytes], done: int) -> Head:
    """One commit: the records `data`, which come after entry `done`."""
    read = [_parse(each, seq) for seq, each in enumerate(data, done + 1)]
    batch = [each.instruction for each in read]
    numbers, corrects = needs(batch)
    with into.writing() as store:
        head = store.head()
        if head.seq != done:
            raise ReplayError("other_book", head.seq, None, "somebody else writes to the book to replay into")
        fold = rules.fold(
            head,
            batch,
            now=0,
            times=[each.at for each in read],
            salts=b"".join(each.salt for each in read),
            posted=store.posted([each.id for each in batch]),
            accounts=store.batch_accounts(numbers),
            originals=store.originals(corrects) if corrects else {},
        )
        if [row[-1] for row in fold.log] != list(data):
            _explain(fold, data, read)
        store.write(fold)
    return fold.head


def _parse(data: Any, seq: int) -> record.Record:
    try:
        if type(data) is not bytes:
            raise record.RecordError(f"a record is bytes, not {type(data).__name__}")
        read = record.parse(data)
    except record.RecordError as error:
        raise ReplayError("record_malformed", seq, None, str(error)) from error
    if read.seq != seq:
        raise ReplayError("seq_gap", seq, None, f"the record that comes next says it is entry {read.seq}")
    return read


def _explain(fold: rules.Fold, data: Sequence[bytes], read: Sequence[record.Record]) -> None:
    """Raises for the first record that did not come out as it went in."""
    records = (row[-1] for row in fold.log)
    for answer, old, (seq, at, _, instruction) in zip(fold.answers, data, read, strict=True):
        if isinstance(answer, Refused):
            code = "id_repeated" if answer.code == "id_taken" else answer.code
            raise ReplayError(code, seq, instruction.id, answer.detail)
        if answer.replay:
            raise ReplayError("id_repeated", seq, instruction.id, f"it stands as entry {answer.seq} already")
        if next(records) != old:
            raise ReplayError("at_not_growing", seq, instruction.id, f"taken at {at}, no later than the one before")
    raise AssertionError("every record came out as it went in")


def _length(rows: Rows) -> int:
    """Entries to come, for the progress; 0 when the damaged source does not say."""
    try:
        return int(rows.head()[0][1])
    except Exception:
        return 0


# --- where what is stored differs from what the records make ---------------------------------------------------------

_LOG, _TRANSFER, _ACCOUNT, _HEAD = (
    text.split(", ") for text in (check_rows.LOG, check_rows.TRANSFER, check_rows.ACCOUNT, check_rows.HEAD)
)


def diff(stored: Rows, right: Rows) -> Iterator[Difference]:
    """Every row in which `stored` is not `right`, table by table in the order of their keys; both are streamed."""
    yield from _table("log", _LOG, stored.log(), right.log(), lambda row: row[0])
    yield from _table("transfer", _TRANSFER, stored.transfers(), right.transfers(), lambda row: row[0] >> 8)
    yield from _table("account", _ACCOUNT, stored.accounts(), right.accounts(), lambda row: row[10] >> 8 or row[6])
    heads, (head,) = stored.head(), right.head()
    if len(heads) != 1:
        yield Difference("head", 1, head[1], f"{len(heads)} rows instead of one")
    elif heads[0] != head:
        yield Difference("head", 1, head[1], differences(_HEAD, heads[0], head))


def _table(
    table: str, names: list[str], stored: Iterator[Row], right: Iterator[Row], seq: Callable[[Row], int]
) -> Iterator[Difference]:
    """The differences of two lists of rows in the order of their first column."""
    row, should = next(stored, None), next(right, None)
    while row is not None or should is not None:
        if row == should:
            row, should = next(stored, None), next(right, None)
        elif should is None or row is not None and _key(row) < should[0]:
            assert row is not None
            yield Difference(table, _key(row), _seq(seq, row), "the records know nothing of it")
            row = next(stored, None)
        elif row is None or _key(row) > should[0]:
            yield Difference(table, should[0], seq(should), "it is missing")
            should = next(right, None)
        else:
            yield Difference(table, should[0], seq(should), differences(names, row, should))
            row, should = next(stored, None), next(right, None)


def _key(row: Row) -> int:
    """The first column; -1 for what is no whole number, so that it comes before every honest row."""
    return row[0] if type(row[0]) is int else -1


def _seq(seq: Callable[[Row], int], row: Row) -> int:
    try:
        return seq(row)
    except TypeError:
        return 0
