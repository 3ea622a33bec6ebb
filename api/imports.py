"""Statements that came in over the API: taken at once, booked in the background, watched while that lasts.

One import is booked at a time, by one thread beside the one that takes payments; the writer's lock is held for a batch
of lines only, so a payment never waits for a file. What a stopped server left unbooked is booked at its next start.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

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
from ledger.currency.town import Town

LOGGER = logging.getLogger("patard")
KEPT = 50
DAILY_SECONDS = 600
"""How often it is looked whether units of monthly top-ups are due, or mandates to be suspended."""


@dataclass
class Import:
    """One file on its way. `state` is booking, done or failed; `done` of `total` lines are booked."""

    id: str
    file: str
    taken: list[Taken]
    state: str = "booking"
    done: int = 0
    total: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    stuck: Sequence[Stuck] = ()
    why: str = ""


class Imports:
    """The imports of one server."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.looks = Looks()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="bank")
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
        taken = taking.take(town, read(data), file=file, by=by, opening=opening, corrected=corrected,
                             quiet_days=quiet_days)  # fmt: skip
        made = self._keep(Import(self.town.new_id().hex(), file, taken, total=sum(one.new for one in taken)))
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
        kinds = {kind: count for kind, count in counts.items() if count}
        why = "\n".join(f"{one.reference}: {one.detail}" for one in done.left)
        return Import(self.town.new_id().hex(), file, [], state="done", kinds=kinds, why=why)

    def find(self, id: str) -> Import:
        """An import of this server's run. Raises `CurrencyError`: not_found."""
        found = self._known.get(id)
        if found is None:
            raise CurrencyError("not_found", "no import of this server has this id; its lines are in the list of lines")
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
            one.state, one.why = "failed", "the server was stopped; its next start goes on"
        except Exception as error:
            LOGGER.exception("booking %s", one.file)
            one.state, one.why = "failed", str(error)
        else:
            one.kinds, one.stuck, one.state = booked.kinds, booked.stuck, "done"
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
        while not self._ending.wait(inbox.SECONDS):
            if not folder.is_dir():
                continue
            try:
                # In the one thread that books, so that a file is booked by one of them.
                self._pool.submit(self._inbox, folder).result()
            except Exception:
                LOGGER.exception("the inbox %s", folder)

    def _inbox(self, folder: Path) -> None:
        for one in inbox.take_all(self.town, folder):
            LOGGER.warning("inbox: %s %s", one.file, "taken" if one.refusal is None else f"refused: {one.refusal}")
