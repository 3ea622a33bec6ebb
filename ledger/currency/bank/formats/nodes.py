"""A file of tags as nodes, whatever its syntax: XML, read as strictly as it is written.

XML comes from outside, so it may do nothing but hold text: no document type (and with it no entities that swell or
that fetch files), no network, libxml2's own limits on depth and length, and no repair of what is broken.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

from lxml import etree

from ledger.currency.bank.formats.fields import unreadable
from ledger.currency.bank.statement import StatementError
from ledger.currency.told import tell

MAX_DEPTH: Final = 64
"""Of an element within the one that is read; camt.053 needs 15."""

MAX_NODES: Final = 1_000_000
"""Within the one that is read: a batch of 70,000 transactions, which is what goes into 32 MB."""

_DECLARED = re.compile(rb"""\A(?:\xef\xbb\xbf)?\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([\w.-]{1,40})""")
_ENCODINGS: Final = ("UTF-8", "UTF8", "US-ASCII", "ASCII", "ISO-8859-1", "ISO-8859-15", "LATIN1", "WINDOWS-1252")


@dataclass(slots=True)
class Node:
    """An element: its name without namespace, its text, its line in the file, its attribute `Ccy`, its children."""

    name: str
    text: str
    line: int
    currency: str = ""
    children: list[Node] = field(default_factory=list)

    def get(self, *path: str) -> Node | None:
        """The first element down that path."""
        node = self
        for name in path:
            for child in node.children:
                if child.name == name:
                    node = child
                    break
            else:
                return None
        return node

    def value(self, *path: str) -> str:
        """The text of the first element down that path, without blanks at its ends; "" where there is none."""
        node = self.get(*path)
        return "" if node is None else node.text.strip()

    def each(self, name: str) -> list[Node]:
        """All children of that name."""
        return [child for child in self.children if child.name == name]


def xml_nodes(data: bytes, names: Collection[str], encoding: str | None = None) -> Iterator[tuple[str, Node]]:
    """Each element of those names when it ends, with the name of its parent; one inside another is not in the outer.

    One element at a time is in memory. `encoding` goes before what the file declares. Raises `StatementError`:
    statement_unreadable.
    """
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        line = data.count(b"\n", 0, data.index(b"<!")) + 1
        raise unreadable(
            tell("the file has a document type (DOCTYPE), which no bank file has: it may have been forged"), line
        )
    if not data.rstrip().endswith(b">"):
        raise unreadable(tell("the end of the file is missing"), data.count(b"\n") + 1)
    declared = _DECLARED.match(data)
    if encoding is None and declared and declared[1].decode("ascii", "replace").upper() not in _ENCODINGS:
        raise unreadable(tell("the file declares a text encoding that no bank uses"), 1)
    wanted = frozenset(names)
    # huge_tree stays off: it lifts the limits on depth and on the length of a text.
    parsing: Any = etree.iterparse(
        BytesIO(data), tag=[f"{{*}}{name}" for name in wanted], encoding=encoding, resolve_entities=False,
        no_network=True, load_dtd=False, huge_tree=False, recover=False, collect_ids=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    local = _Local()
    room = [MAX_NODES]
    try:
        for _, element in parsing:
            parent = element.getparent()
            yield local[parent.tag] if parent is not None else "", _node(element, wanted, local, 1, room)
            element.clear(keep_tail=False)
            room[0] = MAX_NODES
    except etree.XMLSyntaxError as error:
        what = str(error.msg or "").split(", line")[0]
        raise unreadable(tell("the file is cut or damaged ({what})", what=what), error.lineno or None) from None


def too_many(line: int) -> StatementError:
    """The error of an element that holds more than any of a bank's does."""
    return StatementError(
        "statement_too_large", tell("the file holds more than any statement; fetch a shorter period"), line
    )


class _Local(dict[Any, str]):
    """Names without their namespace, by the names with it; what is no element has none."""

    def __missing__(self, tag: Any) -> str:
        name = self[tag] = tag[tag.rfind("}") + 1 :] if isinstance(tag, str) else ""
        return name


def _node(element: Any, skipped: frozenset[str], local: _Local, depth: int, room: list[int]) -> Node:
    if depth > MAX_DEPTH:
        raise unreadable(
            tell("elements are nested more than {max_depth} deep", max_depth=MAX_DEPTH), element.sourceline
        )
    node = Node(local[element.tag], element.text or "", element.sourceline or 0, element.get("Ccy", ""))
    if len(element) and (node.text.strip() or any(child.tail and child.tail.strip() for child in element)):
        raise unreadable(tell("a text stands beside the elements of {name}", name=node.name), node.line)
    room[0] -= len(element)
    if room[0] < 0:
        raise too_many(node.line)
    for child in element:
        if len(child):
            if local[child.tag] not in skipped:
                node.children.append(_node(child, skipped, local, depth + 1, room))
            continue
        name = local[child.tag]
        if name and name not in skipped:
            node.children.append(Node(name, child.text or "", child.sourceline or 0, child.get("Ccy", "")))
    return node
