"""Moving an existing currency in: a file of past transfers, of any length, in little memory.

The file is read twice. First it is tried out against the book, line by line, and refused as a whole with what is
wrong in which line (or, if so told, imported without those lines); then it is posted, some thousand lines a commit.
Every id follows from the file's own, so a second run changes nothing and a run that was stopped is completed by the
next. Lines are posted as they stand in the file: oldest first.

Imported transfers are of a kind of their own, `import`: nobody signed them here. They may take from an account only
while its holder has no key, and once the currency is at work only where nothing but imports opened and moved it.
Accounts named as issuers may go below zero by what they issued; see `imported` for how that is covered, and `uncovered`
for what is imported when the currency is at work already. The log takes them now; the day that they count for, their
time and kind are in the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert

from ledger.core import record
from ledger.core.model import Instruction, Outcome, Posted, Refused, Transaction, Transfer
from ledger.currency.charter import PartyKind
from ledger.currency.errors import CurrencyError
from ledger.currency.import_accounts import Accounts, Target
from ledger.currency.import_rows import KINDS, FileRefused, Problem, Reader, Row, encoding_of, text_of
from ledger.currency.import_seen import Seen
from ledger.currency.imported import IMPORT, announcement, import_id
from ledger.currency.tables import HOLDING, PARTY, SALT
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town
from ledger.currency.uncovered import HELD, hold

__all__ = ["FileRefused", "ImportRefused", "Imported", "Options", "Problem", "run"]

LINES_A_COMMIT = 2_700
"""Each may open two accounts, and a batch holds 8,190 instructions."""
MOST_PROBLEMS = 1_000
DOUBTS = {
    "at_twice": "the clocks had this hour twice that day, and it names no zone; it is taken for the first of the two",
    "at_never": "the clocks left this hour out that day, and it names no zone; it is taken for the one after it",
}
"""What there is to say of lines whose hour is not sure. They are posted in the order of the file, as all are."""
_TRIES = 5
DAY_US = 86_400_000_000

Progress = Callable[[str, int, int], None]
"""Called with "check" or "import", the bytes read and all bytes."""


@dataclass(frozen=True)
class Options:
    """How to read a file. `issuers` are names that may go below zero; `parties` says who is no person.

    `skip_bad` leaves out the lines that cannot be taken; `dry_run` tries the file and posts nothing.
    """

    issuers: frozenset[str] = frozenset()
    parties: dict[str, PartyKind] = field(default_factory=dict)
    kinds: frozenset[str] = frozenset(KINDS)
    rounding: str | None = None
    unit: str | None = None
    encoding: str | None = None
    skip_bad: bool = False
    dry_run: bool = False


class Imported(NamedTuple):
    """What an import came to, in lines: posted now, stood before, left out; accounts opened; cents posted.

    `doubts` are the first lines of `doubtful` whose hour is not sure (`Row.doubt`); they are taken as they stand.
    """

    lines: int
    posted: int
    stood: int
    left_out: int
    accounts: int
    cents: int
    problems: list[Problem]
    doubts: tuple[Problem, ...] = ()
    doubtful: int = 0


class ImportRefused(FileRefused):
    """Nothing was imported. `problems` holds the first thousand, `total` counts all; of `lines` lines."""

    def __init__(self, problems: list[Problem], total: int, lines: int) -> None:
        count = tell("1 line") if total == 1 else tell("{count} lines", count=total)
        super().__init__("import_refused", tell(
            "{count} of {lines} cannot be imported; nothing was. Mend them, or leave them out with --skip-bad",
            count=count, lines=lines,
        ))  # fmt: skip
        self.problems = problems
        self.total = total
        self.lines = lines


def run(town: Town, path: Path, options: Options = Options(), progress: Progress | None = None) -> Imported:
    """Import the file at `path`. Raises `FileRefused`, `ImportRefused` (then nothing was imported), or what the
    database raises; then some of the file may stand, and running again completes it.
    """
    file = _File(town, path, options, progress)
    with Seen() as seen:
        trial = _Trial(town, options, seen)
        for batch in file.batches("check"):
            trial.take(batch)
        trial.repeated()
    if trial.total and not options.skip_bad:
        raise ImportRefused(sorted(trial.problems), trial.total, trial.lines)
    post = _Post(town, options, trial.first_new)
    if trial.first_new and not options.dry_run:
        for batch in file.batches("import"):
            post.take(batch)
    left = trial.lines - trial.stood - post.posted
    return Imported(
        trial.lines, post.posted, trial.stood, trial.total if options.dry_run else left, post.opened, post.cents,
        sorted(trial.problems), tuple(trial.doubts), trial.doubtful,
    )  # fmt: skip


class _File:
    """The lines of a file in batches, told to `progress`."""

    def __init__(self, town: Town, path: Path, options: Options, progress: Progress | None) -> None:
        try:
            self.size = path.stat().st_size
        except OSError as error:
            raise FileRefused(
                "import_unreadable", tell("{path} cannot be read: {error}", path=path, error=error.strerror)
            ) from None
        self.path = path
        self.progress = progress or (lambda phase, done, all_: None)
        self.encoding = options.encoding or encoding_of(path)
        self.options = options
        self.town = town

    def batches(self, phase: str) -> Iterator[list[Row | Problem]]:
        charter, options = self.town.charter, self.options
        latest = charter.local_date(self.town.now() + DAY_US)
        reader = Reader(
            options.unit or charter.code, ZoneInfo(charter.timezone), latest, options.kinds, options.rounding
        )
        with text_of(self.path, self.encoding) as (text, raw):
            rows = reader.rows(text)
            while batch := list(islice(rows, LINES_A_COMMIT)):
                yield batch
                self.progress(phase, raw.tell(), self.size)


def _transaction(town: Town, id_: bytes, row: Row, accounts: Accounts, *, held: bool = False) -> Transaction:
    return Transaction(
        id_,
        IMPORT,
        (Transfer(accounts[row.payer].number, accounts[row.payee].number, row.amount, town.charter.code),),
        row.day,
        evidence={"at": row.at, "kind": row.kind, **({HELD: 1} if held else {})},
    )


def _same(town: Town, stood: bytes, id_: bytes, row: Row, accounts: Accounts) -> bool:
    """Whether a record is this line's, whatever the currency was at when it was imported."""
    return any(record.same_content(stood, _transaction(town, id_, row, accounts, held=held)) for held in (False, True))


class _Trial:
    """The first reading: what would be refused if the file were posted now."""

    def __init__(self, town: Town, options: Options, seen: Seen) -> None:
        self.town = town
        self.options = options
        self.accounts = Accounts(town, options.issuers, options.parties)
        self.at_work = self.accounts.work.began()
        self.seen = seen
        self.problems: list[Problem] = []
        self.doubts: list[Problem] = []
        self.total = self.lines = self.stood = self.first_new = self.doubtful = 0

    def problem(self, line: int, code: str, reason: str) -> None:
        self.total += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(line, code, reason))

    def take(self, batch: Sequence[Row | Problem]) -> None:
        self.lines += len(batch)
        rows = [item for item in batch if isinstance(item, Row)]
        self.accounts.learn(name for row in rows for name in (row.payer, row.payee))
        network = self.town.charter.network
        ids = [import_id(network, row.id) for row in rows]
        with self.town.book.store.reading() as store:
            posted = store.posted(ids)
        for item in batch:
            if isinstance(item, Problem):
                self.problem(*item)
        for id_, row in zip(ids, rows, strict=True):
            self.seen.add(id_, row.line)
            if row.doubt:
                self.doubtful += 1
                if len(self.doubts) < MOST_PROBLEMS:
                    self.doubts.append(Problem(row.line, row.doubt, DOUBTS[row.doubt]))
            self._row(id_, row, posted.get(id_))

    def _row(self, id_: bytes, row: Row, stood: bytes | None) -> None:
        payer, payee = self.accounts[row.payer], self.accounts[row.payee]
        if stood is not None:
            if (
                payer.wrong is None is payee.wrong
                and payer.number != payee.number
                and _same(self.town, stood, id_, row, self.accounts)
            ):
                self.stood += 1
            else:
                self.problem(
                    row.line,
                    "id_taken",
                    tell(
                        "id {id!r} was imported before with other content (or with another --issuer, --round or name)",
                        id=row.id,
                    ),
                )
            return
        if barred := self.accounts.barred(payer, payee, at_work=self.at_work):
            self.problem(row.line, *barred)
            payer.doubtful = payee.doubtful = True
            return
        self.first_new = self.first_new or row.line
        left = payer.balance - row.amount
        if left < 0 and not payer.issuer and not (payer.doubtful and not self.options.skip_bad):
            self.problem(
                row.line,
                "below_floor",
                tell(
                    "{payer!r} holds {balance} and would pay {amount}; lines go oldest first, and whoever may go "
                    "below zero is named with --issuer",
                    payer=row.payer,
                    balance=Cents(payer.balance),
                    amount=Cents(row.amount),
                ),
            )
            if self.options.skip_bad:
                return
            # The money is taken to have been there, so that one cause is not told a thousand times.
            payer.doubtful = True
        payer.balance = left
        payee.balance += row.amount
        payee.doubtful = payee.doubtful or payer.doubtful

    def repeated(self) -> None:
        """The lines whose id stood in the file before."""
        for line, first in self.seen.repeated():
            reason = tell("the id of line {first} again; every transfer has an id of its own", first=first)
            self.problem(line, "id_repeated", reason)


def _stopped(line: int, reason: str) -> FileRefused:
    again = tell("The file or the book changed since it was checked; the lines before it may stand, run it again")
    return FileRefused("import_stopped", tell("line {line}: {reason}. {again}", line=line, reason=reason, again=again))


class _Again(Exception):
    """Within the commit: the currency is not what it was when the lines were made entries; make them again."""


class _Post:
    """The second reading: post the lines from `first` on."""

    def __init__(self, town: Town, options: Options, first: int) -> None:
        self.town = town
        self.skip_bad = options.skip_bad
        self.first = first
        self.accounts = Accounts(town, options.issuers, options.parties)
        self.left_out: set[int] = set()
        """Lines of the batch that make no entry: refused, or with the id of one before. Another of that id may."""
        self.posted = self.opened = self.cents = 0

    def take(self, batch: Sequence[Row | Problem]) -> None:
        rows = [item for item in batch if isinstance(item, Row) and item.line >= self.first]
        if not rows:
            return
        if not self.skip_bad and len(rows) < len(batch):
            for item in batch:
                if isinstance(item, Problem):
                    raise _stopped(item.line, item.reason)
        self.left_out.clear()
        for _ in range(_TRIES):
            try:
                return self._take(rows)
            except _Again:
                self.accounts.forget_keys()
        raise CurrencyError("busy", tell("members join and pay right now; try again in a moment"))

    def _take(self, rows: Sequence[Row]) -> None:
        self.accounts.learn(name for row in rows for name in (row.payer, row.payee))
        network, at_work = self.town.charter.network, self.accounts.work.began()
        ids = [import_id(network, row.id) for row in rows]
        with self.town.book.store.reading() as store:
            stood = store.posted([*ids, *self.accounts.openings(name for r in rows for name in (r.payer, r.payee))])
        openings: dict[int, Target] = {}
        moves: list[tuple[Row, Transaction]] = []
        for id_, row in zip(ids, rows, strict=True):
            pair = (self.accounts[row.payer], self.accounts[row.payee])
            barred = self.accounts.barred(*pair, at_work=at_work)
            if barred and not self.skip_bad:
                raise _stopped(row.line, barred[1])
            if not barred and row.line not in self.left_out:
                openings |= {target.number: target for target in pair if target.opening is not None}
                held = record.parse(stood[id_]).instruction.evidence.get(HELD) == 1 if id_ in stood else at_work
                moves.append((row, _transaction(self.town, id_, row, self.accounts, held=held)))
        new = list(openings.values())
        instructions: list[Instruction] = [target.opening for target in new if target.opening is not None]
        instructions += [transaction for _, transaction in moves]
        # What is new of them is announced: one signature of the machine is for all.
        announced = [one for one in instructions if one.id not in stood]
        note = [announcement(network, announced)] if announced else []

        def also(connection: Connection, outcome: Outcome) -> None:
            mine = Outcome(outcome.answers[len(note) :], outcome.head)
            self._posted(mine, len(new), moves, {one.id for one in announced})
            self._also(connection, mine, new, moves, at_work)

        outcome = self.town.commit([*note, *instructions], also)
        outcome = Outcome(outcome.answers[len(note) :], outcome.head)
        for target in new:
            target.opening = None
        self.opened += len(new)
        for (row, _), answer in zip(moves, outcome.answers[len(new) :], strict=True):
            if isinstance(answer, Posted) and not answer.replay:
                self.posted += 1
                self.cents += row.amount

    def _posted(
        self, outcome: Outcome, openings: int, moves: list[tuple[Row, Transaction]], announced: set[bytes]
    ) -> None:
        """In the same commit: what was announced is what was posted, or that much is announced anew."""
        lines = [None] * openings + [row.line for row, _ in moves]
        other: list[int | None] = []
        for line, answer in zip(lines, outcome.answers, strict=True):
            if isinstance(answer, Refused) and (line is None or not self.skip_bad):
                return  # which stops the import
            if answer.id in announced and (isinstance(answer, Refused) or answer.replay):
                other.append(line)
        if other:
            self.left_out |= {line for line in other if line is not None}
            raise _Again

    def _also(
        self, connection: Connection, outcome: Outcome, openings: list[Target], moves: list[tuple[Row, Transaction]],
        at_work: bool,
    ) -> None:  # fmt: skip
        """In the same commit: stop if anything was refused, look again at who joined and whether the currency works by
        now, and keep the names of the accounts opened.
        """
        for answer in outcome.answers[: len(openings)]:
            if isinstance(answer, Refused):
                raise CurrencyError(answer.code, answer.detail)
        for (row, _), answer in zip(moves, outcome.answers[len(openings) :], strict=True):
            if isinstance(answer, Refused) and not self.skip_bad:
                raise _stopped(row.line, answer.detail)
        new = [
            transaction for (_, transaction), answer in zip(moves, outcome.answers[len(openings) :], strict=True)
            if isinstance(answer, Posted) and not answer.replay
        ]  # fmt: skip
        if self.accounts.others_since(at_work, {t.transfers[0].debit for t in new}):
            self.left_out.clear()  # without what is barred by now, others may be right
            raise _Again
        if at_work and new:
            hold(self.town, connection, {t.transfers[0].credit for t in new}, outcome.head.seq)
        admitted: list[dict[str, Any]] = []
        for target, answer in zip(openings, outcome.answers, strict=False):
            if target.kind is not None and isinstance(answer, Posted) and not answer.replay:
                admitted.append({"id": answer.id, "kind": str(target.kind), "name": target.name,
                                 "admitted_at": answer.at, "closed_at": None})  # fmt: skip
        if admitted:
            connection.execute(insert(PARTY), admitted)
            mine = {target.opening.id: target.salt for target in openings if target.opening is not None}
            connection.execute(insert(SALT), [{"id": row["id"], "salt": mine[row["id"]]} for row in admitted])
            numbers = {target.opening.id: target.number for target in openings if target.opening is not None}
            connection.execute(
                insert(HOLDING), [{"account": numbers[row["id"]], "party": row["id"]} for row in admitted]
            )
