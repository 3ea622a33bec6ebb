"""Draws `results.json`: each figure as the part of its floor that it reaches.

`python -m benchmarks.plot` writes two files, for light and dark pages; a test holds them to the figures.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

HERE = Path(__file__).parent
ROW, TOP, LEFT, WIDE, NUMBERS = 18, 34, 158, 460, 150
"""Pixels: height of a row, above the first, for the names, for a ratio of 1, for the rates."""
MOST = 1.12
"""The ratio up to which bars are drawn."""


class Look(NamedTuple):
    """Colours of text, of quiet lines, and of the bars of both stores."""

    text: str
    quiet: str
    sqlite: str
    postgres: str


LOOKS = {
    "light": Look("#1f2328", "#b8c0c8", "#1a7f64", "#3b6ea8"),
    "dark": Look("#e6edf3", "#4b535d", "#4cc2a0", "#7fb0e6"),
}


def draw(results: list[dict[str, Any]], look: Look) -> str:
    """The plot as SVG, transparent behind."""
    rows = [row for row in results if row["ratio"] is not None]
    width, height = LEFT + int(WIDE * MOST) + NUMBERS, TOP + ROW * len(rows) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'role="img" font-family="system-ui, sans-serif" font-size="12">',
        "<title>Each benchmark as the part of its floor that it reaches</title>",
    ]
    for tenth in (0, 5, 10):
        x = LEFT + WIDE * tenth / 10
        parts.append(f'<path d="M{x:g} {TOP - 8}V{height - 10}" stroke="{look.quiet}" stroke-dasharray="2 3"/>')
        told = "the floor" if tenth == 10 else f"{tenth / 10:g}"
        parts.append(f'<text x="{x:g}" y="{TOP - 14}" text-anchor="middle" fill="{look.text}">{told}</text>')
    for index, row in enumerate(rows):
        y = TOP + ROW * index
        colour = look.sqlite if row["store"] == "sqlite" else look.postgres
        long = WIDE * min(row["ratio"], MOST)
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end" fill="{look.text}">{escape(row["name"])}</text>'
            f'<rect x="{LEFT}" y="{y + 3}" width="{long:.1f}" height="11" rx="2" fill="{colour}"/>'
            f'<text x="{LEFT + long + 6:.1f}" y="{y + 12}" fill="{look.text}">{row["ratio"]:.2f}</text>'
            f'<text x="{width - 4}" y="{y + 12}" text-anchor="end" fill="{look.text}">{row["rate"]:,.0f}/s</text>'
        )
    named = (("SQLite", look.sqlite), ("PostgreSQL", look.postgres))
    for index, (name, colour) in enumerate(named):
        x = LEFT + WIDE * 0.58 + index * 70
        parts.append(f'<text x="{x:g}" y="{TOP - 14}" fill="{colour}" font-weight="600">{name}</text>')
    return "\n".join((*parts, "</svg>", ""))


def drawn() -> dict[Path, str]:
    """Each file, and what it should hold."""
    results = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    return {HERE / f"plot-{name}.svg": draw(results, look) for name, look in LOOKS.items()}


def main() -> None:
    """Write the files."""
    for path, text in drawn().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
