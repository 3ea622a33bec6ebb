"""Statements that came in over the API: taken at once, booked in the background, watched while that lasts.

One import is booked at a time, by one thread beside the one that takes payments; the writer's lock is held for a batch
of lines only, so a payment never waits for a file. What a stopped server left unbooked is booked at its next start.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from anyio import CapacityLimiter

from ledger.currency.bank import booking, inbox, taking
from ledger.currency.bank.booking import Stuck
from ledger.currency.bank.formats.read import read
from ledger.currency.bank.mandates import daily
from ledger.currency.bank.mandates.rejecting import KIND as DEBITS
from ledger.currency.bank.payouts import answers
from ledger.currency.bank.payouts.index import REJECTED
from ledger.currency.bank.taking import Taken
from ledger.currency.errors import CurrencyError
from ledger.currency.sure import Looks
from ledger.currency.told import detail_of, tell
from ledger.currency.town import Town

LOGGER = logging.getLogger("patard")
KEPT = 50
STUCK_KEPT = 100
"""Of one import, lines that could not be booked. All of them are kept in the book, and tried again."""
WHY_KEPT = 200
"""Sentences about what an answer of the bank leaves to decide."""
AT_ONCE = 2
"""Files that are read at one time: one may take hundreds of MB while it is."""
DAILY_SECONDS = 600
"""How often it is looked whether units of monthly top-ups are due, or mandates to be suspended."""


class Counts(NamedTuple):
    """What is kept of a statement that was taken: not its lines, of which fifty files have too many to hold."""

    reserve: str
    format: str
    first: date
    last: date
    opening: int
    closing: int
    lines: int
    new: int
    gone: int

    @classmethod
    def of(cls, one: Taken) -> Counts:
        """Of a statement as it was taken."""
        s = one.statement
        return cls(one.account.name, s.format, s.first, s.last, s.opening, s.closing, len(s.lines), one.new, one.gone)


class NotBooked(NamedTuple):
    """A line that could not be booked: its reference, signed cents, and why."""

    reference: str
    amount: int
    code: str
    detail: str

    @classmethod
    def of(cls, one: Stuck) -> NotBooked:
        """Of what booking gives."""
        return cls(one.line.reference, one.line.amount, one.code, one.detail)


@dataclass
class Import:
    """One file on its way. `state` is booking, done or failed; `done` of `total` lines are booked."""

    id: str
    file: str
    taken: list[Counts]
    state: str = "booking"
    done: int = 0
    total: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    stuck: list[NotBooked] = field(default_factory=list)
    why: tuple[str, ...] = ()
    """What a person should know besides, a sentence each."""


class Imports:
    """The imports of one server."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.looks = Looks()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="bank")
        self.readers = CapacityLimiter(AT_ONCE)
        """What uploads are read under, so that they wait for each other and nobody else for them."""
        self._known: OrderedDict[str, Import] = OrderedDict()
        self._ending = threading.Event()
        self._watcher: threading.Thread | None = None
        self._ticker = threading.Thread(target=self._tick, name="daily", daemon=True)

    def start(self, folder: Path | None = None) -> None:
        """Book what an earlier run left, and from now on take what is put into `folder`, where one is given."""
        if booking.waiting(self.town):
            self._pool.submit(self._rest)
        if folder is not None:
            self._watcher = threading.Thread(target=self._watch, args=(folder,), name="inbox", daemon=True)
            self._watcher.start()
        self._ticker.start()

    def stop(self) -> None:
        """End: a batch of lines under way is finished, the rest is booked by the next start."""
        self._ending.set()
        if self._watcher is not None:
            self._watcher.join()
        if self._ticker.is_alive():
            self._ticker.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def take(
        self, data: bytes, file: str, *, town: Town, by: str, opening: bool, corrected: bool, quiet_days: bool
    ) -> Import:
        """Take a file and begin to book it; `town` carries what the device `by` signed.

        The bank's answer to a file of payouts is taken at once: what it rejects, and why, is in `kinds` and `why`.
        Raises `StatementError` and `CurrencyError`; then nothing was kept.
        """
        if answers.is_report(data):
            return self._keep(self._answered(town, data, file, by))
        statements = read(data)
        taken = taking.take(town, statements, file=file, by=by, opening=opening, corrected=corrected,
                             quiet_days=quiet_days)  # fmt: skip
        counts = [Counts.of(one) for one in taken]
        others = tuple(f"…{account}" for account in taking.skipped(town, statements))
        why = (
            (tell("skipped what is of accounts that are not the reserve's: {others}", others=others),) if others else ()
        )
        made = self._keep(Import(self.town.new_id().hex(), file, counts, total=sum(one.new for one in taken), why=why))
        self._pool.submit(self._book, made)
        return made

    def _keep(self, made: Import) -> Import:
        self._known[made.id] = made
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return made

    def _answered(self, town: Town, data: bytes, file: str, by: str) -> Import:
        done = answers.take(town, answers.read(data), by=by)
        counts = {REJECTED: len(done.undone), DEBITS: len(done.debits)}
        counts |= Counter(f"payee_{payee.outcome}" for _payout, payee in done.payees)
        kinds = {kind: count for kind, count in counts.items() if count}
        why = tuple(tell("{name}: {reason}", name=one.reference, reason=one.detail) for one in done.left[:WHY_KEPT])
        return Import(self.town.new_id().hex(), file, [], state="done", kinds=kinds, why=why)

    def find(self, id: str) -> Import:
        """An import of this server's run. Raises `CurrencyError`: not_found."""
        found = self._known.get(id)
        if found is None:
            raise CurrencyError(
                "not_found", tell("no import of this server has this id; its lines are in the list of lines")
            )
        return found

    def _book(self, one: Import) -> None:
        def progress(done: int, total: int) -> None:
            one.done, one.total = done, total
            if self._ending.is_set():
                raise InterruptedError

        try:
            # By the machine: the statement says who sent it, and whose key may be revoked by the time of its last line.
            booked = booking.book(self.town, progress=progress)
        except InterruptedError:
            one.state, one.why = "failed", (tell("the server was stopped; its next start goes on"),)
        except Exception as error:
            LOGGER.exception("booking %s", one.file)
            one.state, one.why = "failed", (detail_of(error),)
        else:
            one.stuck = [NotBooked.of(stuck) for stuck in booked.stuck[:STUCK_KEPT]]
            one.kinds, one.state = booked.kinds, "done"
            self._daily()

    def _rest(self) -> None:
        try:
            booking.book(self.town)
        except Exception:
            LOGGER.exception("booking what an earlier run left")

    def _tick(self) -> None:
        # Not at once: whoever starts a server wants to see it as it was left.
        while not self._ending.wait(DAILY_SECONDS):
            try:
                # In the one thread that books: what comes back and what is released do not meet.
                self._pool.submit(self._daily)
            except RuntimeError:  # the pool was shut down at this moment
                return

    def _daily(self) -> None:
        try:
            done = daily.run(self.town, self.looks)
        except Exception:
            LOGGER.exception("monthly top-ups")
            return
        if not done.is_nothing:
            LOGGER.warning("monthly top-ups: %d released, %d suspended", done.released.debits, len(done.suspended))

    def _watch(self, folder: Path) -> None:
        watched = inbox.Inbox(folder)
        while not self._ending.wait(inbox.SECONDS):
            if not folder.is_dir():
                continue
            try:
                # In the one thread that books, so that a file is booked by one of them.
                self._pool.submit(self._inbox, watched).result()
            except Exception:
                LOGGER.exception("the inbox %s", folder)

    def _inbox(self, watched: inbox.Inbox) -> None:
        for one in watched.take_all(self.town):
            LOGGER.warning("inbox: %s %s", one.file, "taken" if one.refusal is None else f"refused: {one.refusal}")
