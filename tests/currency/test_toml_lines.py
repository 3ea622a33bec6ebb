"""The lines of keys, held against what tomllib reads, on texts written in every style TOML has."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.currency.toml_lines import Path, key_lines

SAMPLE = '''# comment = 1
top = 1   # [not.a.header]

"quoted # key" = "a = 1 \\" # [x]"
'literal' = 'C:\\'
dotted . "in two" = 2024-01-01T00:00:00Z
lines = """
fake = 1
[fake]
"" \\""" ""\\
"""""
raw = \'\'\'
fake = 1 '' \'\'\'
list = [ 1, # , ]
  "two, ]", [ 3,
  4 ], { a = 1, b.c = [5] },
]
empty = []
inline = { x = {}, y = "}" }
[table]
key = true
[[ rows ]]
n = 1
[rows.sub]
m = 2
[[rows.deep]]
[[rows.deep]]
k = 1
[[rows]]
n = -inf
[[rows.deep]]
k = 2
[table.under]
'''


def test_each_line_of_the_sample() -> None:
    lines = key_lines(SAMPLE)
    assert lines == {
        ("top",): 2,
        ("quoted # key",): 4,
        ("literal",): 5,
        ("dotted",): 6,
        ("dotted", "in two"): 6,
        ("lines",): 7,
        ("raw",): 12,
        ("list",): 14,
        ("list", 0): 14,
        ("list", 1): 15,
        ("list", 2): 15,
        ("list", 2, 0): 15,
        ("list", 2, 1): 16,
        ("list", 3): 16,
        ("list", 3, "a"): 16,
        ("list", 3, "b"): 16,
        ("list", 3, "b", "c"): 16,
        ("list", 3, "b", "c", 0): 16,
        ("empty",): 18,
        ("inline",): 19,
        ("inline", "x"): 19,
        ("inline", "y"): 19,
        ("table",): 20,
        ("table", "key"): 21,
        ("rows",): 22,
        ("rows", 0): 22,
        ("rows", 0, "n"): 23,
        ("rows", 0, "sub"): 24,
        ("rows", 0, "sub", "m"): 25,
        ("rows", 0, "deep"): 26,
        ("rows", 0, "deep", 0): 26,
        ("rows", 0, "deep", 1): 27,
        ("rows", 0, "deep", 1, "k"): 28,
        ("rows", 1): 29,
        ("rows", 1, "n"): 30,
        ("rows", 1, "deep"): 31,
        ("rows", 1, "deep", 0): 31,
        ("rows", 1, "deep", 0, "k"): 32,
        ("table", "under"): 33,
    }
    assert set(lines) == set(paths(tomllib.loads(SAMPLE)))


def test_windows_line_ends_count_once() -> None:
    assert key_lines(SAMPLE.replace("\n", "\r\n")) == key_lines(SAMPLE)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "a = 1"])
def test_small_texts(text: str) -> None:
    assert list(key_lines(text)) == list(paths(tomllib.loads(text)))


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every key and array item of what tomllib read."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield (*path, key)
        yield from paths(item, (*path, key))


keys = st.text(alphabet="ab-_1 .'\"#=[]é\\", min_size=1, max_size=4)
strings = st.text(alphabet="ab\"'#=[]{},\\\n\té", max_size=8)
scalars = st.one_of(st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False), strings)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(keys, values, max_size=4)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class Writer:
    """Writes a document as TOML, choosing a style at each step."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.out: list[str] = []

    def choose(self, *styles: str) -> str:
        return self.data.draw(st.sampled_from(styles))

    def value(self, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            if self.choose("basic", "lines") == "lines":
                return (
                    '"""\n'
                    + value.replace("\\", "\\\\").replace('"""', '""\\"').replace("\t", "\\t")
                    + ('\\\n  """' if not value.endswith('"') else '"""')
                )
            return quoted(value)
        if isinstance(value, list):
            gap = self.choose("", " ", "\n  # a = [\n")
            return "[" + gap + ("," + gap).join(self.value(item) for item in value) + gap + "]"
        if isinstance(value, dict):
            return "{ " + ", ".join(f"{quoted(k)} = {self.value(v)}" for k, v in value.items()) + " }"
        return repr(value)

    def table(self, table: dict[str, Any], prefix: list[str]) -> None:
        later: list[tuple[str, Any]] = []
        for key, value in table.items():
            tables = isinstance(value, list) and value and all(isinstance(v, dict) for v in value)
            if tables or (isinstance(value, dict) and self.choose("header", "inline") == "header"):
                later.append((key, value))
            else:
                self.out.append(
                    f"{quoted(key)}{self.choose('', ' ')}= {self.value(value)}{self.choose('', ' # x = [1')}"
                )
        for key, value in later:
            header = " . ".join(quoted(part) for part in [*prefix, key])
            for item in value if isinstance(value, list) else [value]:
                self.out.append(self.choose("", "# [fake]"))
                self.out.append(f"[[{header}]]" if isinstance(value, list) else f"[ {header} ]")
                self.table(item, [*prefix, key])


@given(documents, st.data())
def test_every_key_tomllib_reads_has_the_line_it_stands_on(document: dict[str, Any], data: st.DataObject) -> None:
    writer = Writer(data)
    writer.table(document, [])
    text = "\n".join(writer.out)
    lines = key_lines(text)
    assert set(lines) == set(paths(tomllib.loads(text)))
    for path, line in lines.items():
        if isinstance(path[-1], str):
            assert quoted(path[-1]) in text.split("\n")[line - 1]
