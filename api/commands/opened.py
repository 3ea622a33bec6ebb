"""The currency that a command works on: the one that PATARD_HOME names, opened and closed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from api.home import home_of, open_town
from ledger.currency.town import Town


@contextmanager
def opened(*, read_only: bool = False, upgrade: bool = False, alone: bool = False) -> Iterator[Town]:
    """The town of the environment. Raises what `open_town` raises."""
    town = open_town(home_of(), read_only=read_only, upgrade=upgrade, alone=alone)
    try:
        yield town
    finally:
        town.book.close()
