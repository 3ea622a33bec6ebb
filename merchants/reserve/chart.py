"""The months of a reserve report as a picture: circulation above, what came in and went out below.

Two scales need two panels: on one, what is out would flatten what moves. One drawing serves the page (SVG whose colours
are classes of the style sheet, for no page here has a style of its own) and paper (see `pdf`). Lengths are in units of
the drawing, y grows downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from babel.dates import format_date
from babel.numbers import format_compact_decimal
from markupsafe import Markup

from ledger.currency.reserve import Month
from ledger.i18n import Translator
from merchants.reserve.shown import LOCALES, MONTHS

TICKS: Final = 4
"""Lines of a scale on one side of nothing, at most."""
NARROW: Final = 500
"""Below this width months are named by a letter."""
FEWEST: Final = 6
"""Months that there is always room for, so that a first month is no wall."""
_STEPS: Final = (1, 2, 5)


class Bar(NamedTuple):
    """A rectangle. `look` names what it is: conversion, reconversion."""

    x: float
    y: float
    width: float
    height: float
    look: str


class Path(NamedTuple):
    """A line through points, or with `filled` what lies within them."""

    points: tuple[tuple[float, float], ...]
    look: str
    filled: bool = False


class Dot(NamedTuple):
    """A point of the line."""

    x: float
    y: float
    look: str


class Label(NamedTuple):
    """A text. `anchor` is start, middle or end; y is its baseline."""

    x: float
    y: float
    text: str
    anchor: str
    look: str


Shape: TypeAlias = Bar | Path | Dot | Label


class Drawing(NamedTuple):
    """A picture: its size, its shapes from back to front, and a sentence for those who do not see it."""

    width: int
    height: int
    shapes: list[Shape]
    told: str


class _Panel:
    """Where sums (cents) lie between `top` and `height` below it, with a scale of round numbers that holds nothing."""

    def __init__(self, sums: Sequence[int], top: float, height: float) -> None:
        low, high = min(0, *sums), max(1, *sums)
        self.step = _step(max(high, -low))
        self.low, self.high = low // self.step * self.step, -(-high // self.step) * self.step
        self.top, self.bottom = top, top + height

    def y(self, cents: int) -> float:
        """Where a sum lies."""
        return self.bottom - (cents - self.low) / (self.high - self.low) * (self.bottom - self.top)

    def ticks(self) -> range:
        """The sums of its scale."""
        return range(self.low, self.high + 1, self.step)


def _step(most: int) -> int:
    """The step of a scale up to `most`: 1, 2 or 5 and noughts, of whole units."""
    step = 100
    while True:
        for factor in _STEPS:
            if most <= TICKS * step * factor:
                return step * factor
        step *= 10


def draw(months: Sequence[Month], width: int, _: Translator) -> Drawing | None:
    """The last thirteen months, `width` units wide; None where there is none."""
    shown = months[-MONTHS:]
    if not shown:
        return None
    narrow = width < NARROW
    left, right = 44.0, width - 8.0
    each = (right - left) / max(len(shown), FEWEST)
    middles = [left + each * (index + 0.5) for index in range(len(shown))]
    columns = list(zip(middles, shown, strict=True))
    stock = _Panel([month.circulation for month in shown], 34.0, 120.0 if narrow else 150.0)
    flow = _Panel(
        [sum_ for month in shown for sum_ in (month.conversions, -month.reconversions)],
        stock.bottom + 48, 110.0 if narrow else 130.0,
    )  # fmt: skip
    shapes: list[Shape] = []
    for panel in (stock, flow):
        for cents in panel.ticks():
            y = panel.y(cents)
            shapes.append(Path(((left, y), (right, y)), "rule" if cents else "zero"))
            shapes.append(Label(left - 6, y + 4, _short(abs(cents), _), "end", "tick"))
    shapes.append(Label(left, 16, _("Units in circulation at the end of the month"), "start", "heading"))
    shapes += _legend(left, stock.bottom + 30, 116 if narrow else 134, _)
    points = tuple((x, stock.y(month.circulation)) for x, month in columns)
    if len(points) > 1:
        ground = stock.y(0)
        shapes.append(Path(((points[0][0], ground), *points, (points[-1][0], ground)), "area", filled=True))
        shapes.append(Path(points, "circulation"))
    shapes += [Dot(x, y, "circulation") for x, y in points]
    bar = min(each * 0.56, 30.0)
    for x, month in columns:
        for cents, look in ((month.conversions, "conversion"), (-month.reconversions, "reconversion")):
            if cents:
                upper, lower = sorted((flow.y(0), flow.y(cents)))
                shapes.append(Bar(x - bar / 2, upper, bar, max(lower - upper, 1.0), look))
    for index, (x, month) in enumerate(columns):
        shapes.append(Label(x, flow.bottom + 17, _month(month, _, narrow), "middle", "month"))
        if month.start.month == 1 or index == 0:
            shapes.append(Label(x, flow.bottom + 32, str(month.start.year), "middle", "year"))
    told = _("Units in circulation, conversions and reconversions by month; the table holds the same numbers.")
    return Drawing(width, int(flow.bottom) + 38, shapes, told)


def _legend(x: float, y: float, apart: float, _: Translator) -> list[Shape]:
    return [
        Bar(x, y - 9, 10, 10, "conversion"), Label(x + 15, y, _("Conversions"), "start", "heading"),
        Bar(x + apart, y - 9, 10, 10, "reconversion"),
        Label(x + apart + 15, y, _("Reconversions"), "start", "heading"),
    ]  # fmt: skip


def _month(month: Month, _: Translator, narrow: bool) -> str:
    return format_date(month.start, "LLLLL" if narrow else "LLL", locale=LOCALES[_.lang])


def _short(cents: int, _: Translator) -> str:
    """A sum of a scale in few characters; scales have whole units only."""
    return format_compact_decimal(cents // 100, locale=LOCALES[_.lang], fraction_digits=1)


def svg(drawing: Drawing, look: str) -> Markup:
    """The drawing as an SVG element of class `look`."""
    parts = [_element(shape) for shape in drawing.shapes]
    start = Markup('<svg class="chart {}" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    return start.format(look, drawing.width, drawing.height, drawing.told) + Markup("").join(parts) + Markup("</svg>")


def _element(shape: Shape) -> Markup:
    match shape:
        case Bar(x, y, width, height, look):
            return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="1.5"></rect>').format(
                look, _n(x), _n(y), _n(width), _n(height)
            )
        case Path(points, look, filled):
            place = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
            name = "polygon" if filled else "polyline"
            return Markup(f'<{name} class="{{}}" points="{{}}"></{name}>').format(look, place)
        case Dot(x, y, look):
            return Markup('<circle class="{}" cx="{}" cy="{}" r="2.5"></circle>').format(look, _n(x), _n(y))
        case Label(x, y, text, anchor, look):
            return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
                look, _n(x), _n(y), anchor, text
            )


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
