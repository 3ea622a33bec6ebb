"""The texts that the scripts of a page show, found in the scripts: what a page hands to them in its language."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"

_IMPORT = re.compile(r'^(?:import|export) [^;]*?from "([^"]+)";', re.MULTILINE | re.DOTALL)
_TEXT = re.compile(r'(?<![\w$.])t\(\s*("(?:[^"\\\n]|\\.)*")')


@lru_cache
def texts_of(entry: str) -> frozenset[str]:
    """Every text that ``t("...")`` shows in `entry`, a file of `static/`, and in whatever it imports."""
    left, seen, found = [STATIC / entry], set(), set()
    while left:
        path = left.pop().resolve()
        if path in seen:
            continue
        seen.add(path)
        source = path.read_text("utf-8")
        left += [path.parent / target for target in _IMPORT.findall(source)]
        found |= {json.loads(literal) for literal in _TEXT.findall(source)}
    return frozenset(found)
