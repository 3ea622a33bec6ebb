"""Tags as OFX 1 has them: leaves need no end tag, everything that holds others does.

The norm is a document type that nobody sends along, so what is a leaf shows in the file: one of its name has a text, or
no end tag of its name stands anywhere, or it ends in itself (`<MEMO/>`). All else must be nested rightly down to the
last character.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from ledger.currency.bank.formats.fields import unescaped, unreadable
from ledger.currency.bank.formats.nodes import MAX_DEPTH, MAX_NODES, Node, too_many
from ledger.currency.told import tell

# A `<` that begins no tag is text: people write "<3".
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9._]*)(\s*/)?>([^<]*(?:<(?![/A-Za-z!?])[^<]*)*)")
_LEAF = re.compile(r"<([A-Za-z][A-Za-z0-9._]*)>\s*[^<\s]")
_END = re.compile(r"</([A-Za-z][A-Za-z0-9._]*)>")


def sgml_nodes(text: str, root: str, names: Collection[str]) -> Iterator[tuple[str, Node]]:
    """Each element of those names when it ends, with the name of its parent; one inside another is not in the outer.

    What stands before the root is the header, and skipped. Raises `StatementError`: statement_unreadable.
    """
    found = re.compile(rf"<{root}>", re.IGNORECASE).search(text)
    if found is None:
        raise unreadable(tell("the file has a header and no <{root}> after it: it is cut", root=root))
    place = found.start()
    ended = {name.upper() for name in _END.findall(text)} - {name.upper() for name in _LEAF.findall(text)}
    if root not in ended:
        raise unreadable(tell("the end of the file, </{root}>, is missing: it is cut", root=root), text.count("\n") + 1)
    stack: list[Node] = []
    leaf = ""
    line, counted, room = 1, 0, MAX_NODES
    while place < len(text):
        line += text.count("\n", counted, place)
        counted = place
        tag = _TAG.match(text, place)
        if tag is None:
            raise unreadable(
                tell("no tag can be read in {said!r}: the file is cut or damaged", said=text[place : place + 20]), line
            )
        place = tag.end()
        name, value = tag[2].upper(), tag[4].strip()
        if tag[1]:
            if value:
                raise unreadable(tell("a text stands behind </{name}>", name=name), line)
            if name == leaf:
                leaf = ""
                continue
            if not stack or stack[-1].name != name:
                inside = tell("within <{name}>", name=stack[-1].name) if stack else tell("after the end")
                raise unreadable(
                    tell("</{name}> stands {inside}: the file is cut or damaged", name=name, inside=inside), line
                )
            node = stack.pop()
            if name in names:
                yield stack[-1].name if stack else "", node
                room = MAX_NODES
            elif stack:
                stack[-1].children.append(node)
            continue
        if not stack and (name != root or tag.start() != found.start()):
            raise unreadable(tell("<{name}> stands after the end of the file's content", name=name), line)
        room -= 1
        if room < 0:
            raise too_many(line)
        node = Node(name, unescaped(value), line)
        leaf = ""
        if value or name not in ended or tag[3]:
            if not stack:
                raise unreadable(tell("a text stands behind <{name}>: the file is damaged", name=name), line)
            stack[-1].children.append(node)
            leaf = name
        elif len(stack) < MAX_DEPTH:
            stack.append(node)
        else:
            raise unreadable(tell("tags are nested more than {max_depth} deep", max_depth=MAX_DEPTH), line)
