"""How an entry of the log names debits: by the number of their file, and theirs in it. Pure.

``3:1-3000`` is the whole third file, ``3:17,29-30;2:5`` four debits of two files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

_SPAN = re.compile(r"([1-9][0-9]{0,8})(?:-([1-9][0-9]{0,8}))?")


def packed(places: Iterable[tuple[int, int]]) -> str:
    """Debits, given as (file, number), as evidence names them."""
    files = []
    for file, found in groupby(sorted(places), key=lambda place: place[0]):
        spans = [f"{first}-{last}" if last > first else str(first) for first, last in _spans(n for _file, n in found)]
        files.append(f"{file}:{','.join(spans)}")
    return ";".join(files)


def unpacked(text: str) -> dict[int, list[tuple[int, int]]]:
    """Spans of numbers (both ends in them) by file, as `packed` wrote them. Raises `ValueError` for another text."""
    found: dict[int, list[tuple[int, int]]] = {}
    for part in text.split(";") if text else ():
        file, _colon, spans = part.partition(":")
        pairs = []
        for span in spans.split(","):
            matched = _SPAN.fullmatch(span)
            if not matched:
                raise ValueError("these are not debits of files")
            first = int(matched[1])
            pairs.append((first, int(matched[2] or first)))
        if not _SPAN.fullmatch(file) or int(file) in found or any(last < first for first, last in pairs):
            raise ValueError("these are not debits of files")
        if any(after[0] <= before[1] + 1 for before, after in pairwise(pairs)):
            raise ValueError("debits are named once each, and in order")
        found[int(file)] = pairs
    if list(found) != sorted(found):
        raise ValueError("files are named in order")
    return found


def size(spans: dict[int, list[tuple[int, int]]]) -> int:
    """How many debits these are."""
    return sum(last - first + 1 for pairs in spans.values() for first, last in pairs)


def places(text: object) -> set[tuple[int, int]]:
    """The debits that a text of evidence names, as (file, number). Raises `ValueError`."""
    return {
        (file, number)
        for file, pairs in unpacked(str(text)).items()
        for first, last in pairs
        for number in range(first, last + 1)
    }


def _spans(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Rows of numbers that follow each other, as their ends."""
    first = last = 0
    for number in numbers:
        if number != last + 1 or not first:
            if first:
                yield first, last
            first = number
        last = number
    if first:
        yield first, last
