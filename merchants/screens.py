"""Codes on the terminal that a command runs in: the one place that knows how they look there."""

from __future__ import annotations

import os
from typing import TextIO


def has_colour(stream: TextIO) -> bool:
    """Whether escape codes are welcome: a terminal, and neither NO_COLOR nor TERM=dumb."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def terminal_code(text: str, stream: TextIO, *, epc: bool = False) -> str:
    """The code of a text for `stream`, its last line ended. Raises `CodeError`.

    Where no colours can be set, blocks have those of the terminal: light ones on a dark ground, as most have.
    """
    from merchants import codes

    return codes.terminal(text, "ansi" if has_colour(stream) else "dark", epc=epc)
