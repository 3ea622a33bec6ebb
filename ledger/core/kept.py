"""What the store on SQLite keeps in memory between two batches."""

from __future__ import annotations

from collections.abc import Collection

from ledger.core import rules
from ledger.core.model import Head
from ledger.core.rules import State


class Kept:
    """What the writing connection knows from its own commits, so that the next batch need not read it again.

    It counts only while nobody else commits: SQLite's `data_version` is another as soon as any other connection, of
    this process or another, has changed anything in the file. A batch that does not end in a commit drops it.
    """

    LIMIT = 65_536
    """Accounts kept (about 30 MB), more than a local currency has; beyond it everything is dropped."""

    def __init__(self) -> None:
        self.drop()

    def drop(self) -> None:
        """Forget everything."""
        self.version = -1
        self.head: Head | None = None
        self.accounts: dict[int, State] = {}
        self.covers: dict[int, State] | None = None

    def begin(self, version: int) -> None:
        """Forget everything unless it was learned at this `data_version`."""
        if version != self.version or len(self.accounts) > self.LIMIT:
            self.drop()
            self.version = version

    def learn(self, states: Collection[State]) -> None:
        """Keep accounts as the database has them, or will have them after this commit."""
        self.accounts.update((state.number, state) for state in states)
        covers = self.covers or {}
        for state in states:
            if state.cover is not None:
                covers[state.number] = state
                covers[state.cover] = self.accounts[state.cover]
        rules.guard(covers)
        self.covers = covers
