"""The reserve report as HTML: what its template is given, and the report alone for the office's page."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ledger.currency.charter import Charter
from ledger.currency.reserve import Reserve
from ledger.i18n import Translator
from merchants.reserve import chart
from merchants.reserve.shown import show

NARROW, WIDE = 340, 640
"""Widths of the two charts, one of which the style sheet shows: text of one size fits a phone or a screen."""
FRESH_SECONDS: Final = 60
"""The public page is no older than this: however many look at it, the log is read once in so long."""
TEMPLATES: Final = Path(__file__).parent.parent / "templates"


def values(report: Reserve, charter: Charter, _: Translator, *, lines: bool = False) -> dict[str, Any]:
    """What `reserve_report.html` needs. `lines`: with explanations line by line, for auditors."""
    drawn = [(chart.draw(report.months, width, _), look) for width, look in ((NARROW, "narrow"), (WIDE, "wide"))]
    charts = [chart.svg(drawing, look) for drawing, look in drawn if drawing is not None]
    return {"shown": show(report, charter, _, lines=lines), "charts": charts}


def fragment(report: Reserve, charter: Charter, _: Translator) -> str:
    """The report with its explanations, without a page around it; `static/reserve.css` gives it its looks."""
    return _environment().get_template("reserve_report.html").render(_=_, **values(report, charter, _, lines=True))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
