"""The pages that people open in a browser."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ledger.currency.town import Town


def routes(town: Town) -> list[BaseRoute]:
    """The routes of every page of `town`."""
    return []
