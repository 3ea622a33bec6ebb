"""A town as it stood at one moment: log, accounts and the currency's tables, all read from one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace

from ledger.core import snapshot as core
from ledger.currency.town import Town


def as_of(town: Town, moment: core.Snapshot) -> Town:
    """`town` as it stood at `moment`, for as long as that lasts. Nothing can be posted to it."""
    book = copy(town.book)
    book.store = moment
    return replace(town, book=book)


@contextmanager
def snapshot(town: Town) -> Iterator[Town]:
    """`town` as it stands now; one that stands still already stays as it is."""
    if isinstance(town.book.store, core.Snapshot):
        yield town
        return
    with core.snapshot(town.engine) as moment:
        yield as_of(town, moment)
