"""Town: one currency, open: its charter, its book, its signing key, its own accounts.

Everything the currency does is a function of this room that takes a Town. It is made by `api.home`, from a
folder or from settings, and in tests by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine

from ledger.core.book import Book, Ended
from ledger.core.ids import uuid7
from ledger.core.model import Instruction, Outcome, Posted, Refused
from ledger.core.snapshot import Snapshot
from ledger.currency import acts
from ledger.currency.acts import Act
from ledger.currency.chart import Chart
from ledger.currency.charter import Charter
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.told import tell

T = TypeVar("T", bound=Instruction)


@dataclass(frozen=True)
class Town:
    """An open currency. `key` signs receipts and the directory; `engine` reads the currency's own tables.

    `machine` signs what is done at the machine, or by the program itself (None: nobody can act there). `act` is what a
    device signed, while that is carried out; see `acting`.
    """

    charter: Charter
    book: Book
    key: PrivateKey
    engine: Engine
    machine: PrivateKey | None = None
    act: Act | None = None
    chart: Chart = field(init=False)
    following: list[bytes] = field(default_factory=list, init=False, compare=False)
    """Id of the note that would replace the charter in use (see `chartered.hold`); none until that is known."""

    def __post_init__(self) -> None:
        chart = Chart.of(self.charter.code, self.charter.network, [account.name for account in self.charter.reserve])
        object.__setattr__(self, "chart", chart)

    def now(self) -> int:
        """The book's clock: microseconds since the epoch."""
        return self.book.clock()

    def steady(self) -> int:
        """Microseconds of a clock that is not set while a program runs; of one that is believed, the clock's own."""
        return self.book.watch.steady() if self.book.watch is not None else self.now()

    def new_id(self) -> bytes:
        """A new time-ordered id."""
        return uuid7(self.now(), self.book.entropy(10))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading the currency's tables: all that is read by it stood at one moment."""
        if isinstance(self.book.store, Snapshot):
            yield self.book.store.connection
            return
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")  # else each SELECT would see what was committed by then
            else:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def acting(self, act: Act | None) -> Self:
        """The same town, while it carries out what a device signed: what is posted in its name carries that."""
        other = replace(self, act=act)
        object.__setattr__(other, "following", self.following)
        return other

    def signed(self, instruction: T) -> T:
        """The instruction with what vouches for it: the act of the device that it names, the machine's signature."""
        by = instruction.evidence.get("by")
        if by is None or "signature" in instruction.evidence:
            return instruction
        if self.act is not None and by == self.act.by:
            instruction = replace(instruction, evidence={**instruction.evidence, **self.act.evidence()})
        elif by != acts.MACHINE:
            return instruction
        if self.machine is None:
            return instruction
        return acts.signed_by_machine(instruction, self.charter.network, self.machine)

    def post(
        self, instruction: Instruction, also: Callable[[Connection, Posted], None] | None = None, *,
        looked: int | None = None, confirming: bool = False,
    ) -> Posted:  # fmt: skip
        """Post one instruction, and write with `also` to the currency's tables in the same commit if it stood.

        `also` runs for a replay too (`Posted.replay`), so it must be safe to run twice. Raises `CurrencyError`
        with the engine's code when the instruction is refused; then nothing was written.
        """

        def first(connection: Connection, answers: list[Posted]) -> None:
            if also is not None:
                also(connection, answers[0])

        return self.post_all([instruction], first, looked=looked, confirming=confirming)[0]

    def post_all(
        self, instructions: Sequence[Instruction], also: Callable[[Connection, list[Posted]], None] | None = None, *,
        looked: int | None = None, confirming: bool = False,
    ) -> list[Posted]:  # fmt: skip
        """Post several instructions in one commit, all of them or none. Like `post` in everything else.

        What stands already as it would stand now, but for what vouches for it, is answered as it stands.
        """

        def check(connection: Connection, outcome: Outcome) -> None:
            for answer in outcome.answers:
                if isinstance(answer, Refused):
                    raise CurrencyError(answer.code, answer.detail)
            answers = posted(outcome)
            if self.act is not None:
                acts.keep(connection, self.act, answers)
            if also is not None:
                also(connection, answers)

        try:
            return posted(self.commit(instructions, check, looked=looked, confirming=confirming))
        except CurrencyError as error:
            if error.code != "id_taken":
                raise
            stood = [self._as_it_stands(one) for one in instructions]
            if stood == list(instructions):
                raise
        return posted(self.commit(stood, check, looked=looked, confirming=confirming))

    def _as_it_stands(self, instruction: Instruction) -> Instruction:
        found = self.book.find(instruction.id)
        same = found is not None and acts.plain(found.instruction) == acts.plain(instruction)
        return found.instruction if same and found is not None else instruction

    def commit(
        self, batch: Sequence[Instruction], also: Callable[[Connection, Outcome], None] | None = None, *,
        looked: int | None = None, confirming: bool = False,
    ) -> Outcome:  # fmt: skip
        """`Book.post`, by the charter in use and with what vouches for each: all that is posted passes here.

        Raises `CurrencyError`: charter_changed, where another charter was noted since, by another process, say, that
        opened the book with a newer one; key_unknown and act_expired, where the device whose act this is was revoked
        since, or its last second passed; account_uncovered, where units are taken from an account that is held.
        """
        from ledger.currency import clocked, uncovered  # which work with towns

        unless, act = self.following[-1] if self.following else None, self.act

        def check(connection: Connection, outcome: Outcome) -> None:
            answered = zip(batch, outcome.answers, strict=True)
            new = [(one, answer) for one, answer in answered if isinstance(answer, Posted) and not answer.replay]
            # Who joins rests on an invitation, which is looked at where it is made, and goes with the key that made it.
            told = [answer for one, answer in new if getattr(one, "kind", "") != "key_added"]
            if act is not None and told:
                acts.require_live(connection, act, clocked.judged(self, told[-1]))
            if also is not None:
                also(connection, outcome)
            uncovered.require_free(self, connection, [one for one, _answer in new])

        if looked is None and self.book.watch is not None and not confirming:
            self.book.see()
            clocked.keep(self.acting(None), self.book.look())  # the machine's note uses up nobody's act
        try:
            return self.book.post(
                [self.signed(one) for one in batch], check, looked=looked, unless=unless, confirming=confirming
            )
        except Ended:
            raise CurrencyError(
                "charter_changed",
                tell("the charter was changed since this program began, and nothing was done: restart it"),
            ) from None

    def found(self) -> None:
        """Open the currency's own accounts; those that are open stay as they are."""
        for answer in self.commit(self.chart.openings()).answers:
            if isinstance(answer, Refused):
                raise CurrencyError(
                    answer.code, tell("the book does not fit the charter: {detail}", detail=answer.detail)
                )


def posted(outcome: Outcome) -> list[Posted]:
    """The answers of an outcome in which nothing was refused."""
    return [answer for answer in outcome.answers if isinstance(answer, Posted)]
