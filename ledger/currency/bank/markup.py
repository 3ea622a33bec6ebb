"""XML as banks exchange it, written: one namespace, elements and texts, nothing else. The same tree, the same bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias
from xml.sax.saxutils import escape

Tree: TypeAlias = "Iterable[tuple[str, str | Tree | None]]"
"""Elements in their order: (name, text or elements below it); None leaves the element out.

A name may bring attributes: ``InstdAmt Ccy="EUR"``.
"""


def document(namespace: str, tree: Tree) -> bytes:
    """A whole file in UTF-8, one element a line, its root a ``Document`` of that namespace."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write([(f'Document xmlns="{namespace}"', tree)], "", lines)
    return "".join(lines).encode()


def _write(tree: Tree, indent: str, lines: list[str]) -> None:
    for name, content in tree:
        if content is None:
            continue
        end = name.partition(" ")[0]
        if isinstance(content, str):
            lines.append(f"{indent}<{name}>{escape(content)}</{end}>\n")
        else:
            lines.append(f"{indent}<{name}>\n")
            _write(content, indent + " ", lines)
            lines.append(f"{indent}</{end}>\n")
