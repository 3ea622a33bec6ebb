"""The terminal that a command runs in: how wide its lines are, and how codes look there."""

from __future__ import annotations

import os
import re
import shutil
from typing import TextIO

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_PIECES = re.compile(
    r"""
    [^ \n`]*`[^`\n]+`[^ \n]*                      # a command in its quotes
    | (?<=:[ ])(?:wallet|patard)[ ][^\n]+\Z       # a command that ends the sentence
    | [A-Z]{2}[0-9]{2}(?:[ ][A-Z0-9]{1,4}\b)+[^ ]* # an IBAN, in groups of four
    | [^ \n]+
    """,
    re.VERBOSE,
)
"""What is never broken over two lines: words (so codes and links too), commands, IBANs."""


def wrapped(text: str, stream: TextIO) -> str:
    """Prose as wide as the terminal, 80 columns where it does not say. What goes to no terminal stays as it is.

    A line in columns, set apart by two spaces and more, is broken in its last one, and goes on under it; where that
    has less than half of the width, the line stays as it is.
    """
    if not stream.isatty():
        return text
    width = shutil.get_terminal_size((80, 24)).columns
    return "\n".join(_wrapped(line, width) for line in text.split("\n"))


def _wrapped(line: str, width: int) -> str:
    if _long(line) <= width:
        return line
    told = line.rstrip(" ")
    before = told[: told.rfind("  ") + 2] if "  " in told else ""
    indent = _long(before)
    if indent > width // 2:
        return line
    lines, left = [""], width - indent
    for piece in _PIECES.findall(told[len(before) :]):
        if lines[-1] and _long(piece) + 1 > left:
            lines.append("")
            left = width - indent
        gap = " " if lines[-1] else ""
        lines[-1] += gap + piece
        left -= len(gap) + _long(piece)
    # A question keeps the space before its answer.
    return before + ("\n" + " " * indent).join(lines) + line[len(told) :]


def _long(text: str) -> int:
    return len(_ESCAPES.sub("", text))


def has_colour(stream: TextIO) -> bool:
    """Whether escape codes are welcome: a terminal, and neither NO_COLOR nor TERM=dumb."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def terminal_code(text: str, stream: TextIO, *, epc: bool = False) -> str:
    """The code of a text for `stream`, its last line ended. Raises `CodeError`.

    Where no colours can be set, blocks have those of the terminal: light ones on a dark ground, as most have.
    """
    from merchants import codes

    return codes.terminal(text, "ansi" if has_colour(stream) else "dark", epc=epc)
