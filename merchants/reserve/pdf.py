"""The reserve report on paper: A4, one or two pages, the same bytes for the same report.

Fonts are those that every reader of PDF has, so nothing is embedded and nothing has to be shipped. They hold Western
European letters: what they lack loses its accent, or is a question mark.
"""

from __future__ import annotations

import io
import unicodedata
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from ledger.currency.charter import Charter
from ledger.currency.reserve import Reserve
from ledger.i18n import Translator
from merchants.reserve.chart import Bar, Dot, Drawing, Label, Path, draw
from merchants.reserve.shown import Fact, Shown, ShownAccount, show

MARGIN: Final = 17 * mm
WIDTH: Final = A4[0] - 2 * MARGIN
MOST_LINES: Final = 60
"""Lines of an account's explanation that are printed; the sum of the others stands below them."""

INK, SOFT, RULE, PRESS = HexColor("#1b2330"), HexColor("#585f6c"), HexColor("#ddd4c4"), HexColor("#f4efe6")
WOAD, BRASS, PAID, DANGER = HexColor("#1d4e79"), HexColor("#8a6417"), HexColor("#14633e"), HexColor("#a12a24")
_LOOKS: Final[dict[str, Color]] = {
    "conversion": WOAD, "reconversion": BRASS, "circulation": PAID, "area": HexColor("#dfe8e0"), "rule": RULE,
    "zero": SOFT, "tick": SOFT, "year": SOFT, "month": INK, "heading": INK,
}  # fmt: skip

_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9, leading=12, textColor=INK)
_SOFT = ParagraphStyle("soft", _BODY, textColor=SOFT)
_SMALL = ParagraphStyle("small", _BODY, fontSize=7.5, leading=9.5, textColor=SOFT)
_RIGHT = ParagraphStyle("right", _BODY, alignment=TA_RIGHT)
_HEADING = ParagraphStyle("heading", _BODY, fontName="Helvetica-Bold", fontSize=11.5, leading=15, spaceAfter=2 * mm)
_TITLE = ParagraphStyle("title", _HEADING, fontSize=20, leading=24, spaceAfter=0)
_FIGURE = ParagraphStyle("figure", _HEADING, fontSize=15, leading=18, spaceAfter=0)


def pdf(report: Reserve, charter: Charter, _: Translator) -> bytes:
    """The report with its explanations line by line, as a PDF file."""
    shown = show(report, charter, _, lines=True)
    title = f"{charter.name} · {_('The reserve')}"
    file = io.BytesIO()
    document = BaseDocTemplate(
        file, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
        title=latin(title), author=latin(charter.name), subject=latin(_("As of {day}").format(day=shown.on)),
        lang=_.lang, invariant=1,
    )  # fmt: skip
    foot = latin(f"{title} · {_('As of {day}').format(day=shown.on)}")

    def footer(canvas: Canvas, document: Any) -> None:
        canvas.setFont("Helvetica", 7.5)
        canvas.setFillColor(SOFT)
        canvas.drawString(MARGIN, 10 * mm, foot)
        canvas.drawRightString(A4[0] - MARGIN, 10 * mm, str(document.page))

    frame = Frame(MARGIN, MARGIN, WIDTH, A4[1] - 2 * MARGIN, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate("page", [frame], onPage=footer)])
    document.build(_story(shown, draw(report.months, 640, _), _))
    return file.getvalue()


def _story(shown: Shown, drawing: Drawing | None, _: Translator) -> list[Flowable]:
    story: list[Flowable] = [
        _text(shown.currency, _SOFT), _text(_("The reserve"), _TITLE),
        _text(" · ".join(_as_of(shown, _)), _SOFT), Spacer(0, 4 * mm),
        _verdict(shown, _), Spacer(0, 5 * mm),
        _text(_("Every euro in its place"), _HEADING), _sides(shown, _), Spacer(0, 5 * mm),
        _text(_("What must hold"), _HEADING), *_identities(shown, _), Spacer(0, 4 * mm),
        _text(_("What the bank says"), _HEADING), _banks(shown, _), Spacer(0, 2 * mm),
    ]  # fmt: skip
    if shown.liquid_share is not None:
        told = _("{share} of the reserve is there from one day to the next").format(share=shown.liquid_share)
        story.append(_text(f"{told} ({_('Available')} {shown.liquid}, {_('Placed')} {shown.placed}).", _SOFT))
    for account in shown.accounts:
        story += _explained(account, _)
    if drawing is not None:
        months = [
            _text(_("Month by month"), _HEADING),
            _Picture(drawing, WIDTH * 0.8),
            Spacer(0, 3 * mm),
            _months(shown, _),
        ]
        story += [Spacer(0, 5 * mm), KeepTogether(months)]
    return [*story, Spacer(0, 5 * mm), KeepTogether(_year(shown, _)), Spacer(0, 5 * mm), KeepTogether(_log(shown, _))]


def _as_of(shown: Shown, _: Translator) -> list[str]:
    told = [_("As of {day}").format(day=shown.on)]
    if shown.proved is not None:
        told.append(shown.proved)
    told += shown.limits
    return told


def _verdict(shown: Shown, _: Translator) -> Flowable:
    figures = [(_("In circulation"), shown.circulation), (_("Euros behind it"), shown.backing)]
    if shown.coverage is not None:
        figures.append((_("Coverage"), shown.coverage))
    verdict, colour = (_("Covered"), PAID) if shown.covered else (_("Not covered"), DANGER)
    if shown.outdated:
        verdict, colour = shown.outdated, BRASS
    if shown.awaits is not None:
        verdict, colour = _("Awaited"), BRASS
    names = [*(_text(name, _SOFT) for name, _sum in figures), ""]
    sums = [*(_text(sum_, _FIGURE) for _name, sum_ in figures), _text(verdict, _FIGURE, colour)]
    rows: list[list[Any]] = [names, sums]
    parts = [*shown.units[1:], *([shown.beyond] if shown.beyond else [])]
    told = [_text(" · ".join(f"{fact.name} {fact.sum}" for fact in parts), _SOFT)] if parts else []
    rows += [[one, *[""] * len(figures)] for one in told]
    spans = [("SPAN", (0, row), (-1, row)) for row in range(2, len(rows))]
    pads = [("LEFTPADDING", (0, 0), (-1, -1), 3 * mm), ("BACKGROUND", (0, 0), (-1, -1), PRESS)]
    edges = [("TOPPADDING", (0, 0), (-1, 0), 2.5 * mm), ("BOTTOMPADDING", (0, -1), (-1, -1), 3 * mm)]
    return Table(rows, [WIDTH / len(names)] * len(names), style=[*_PLAIN, *pads, *edges, *spans])


def _sides(shown: Shown, _: Translator) -> Flowable:
    sides = []
    for heading, facts, sum_ in (
        (_("What the euros are for"), shown.purposes, shown.purposes_sum),
        (_("Where the euros are"), shown.places, shown.places_sum),
    ):
        sides.append([Fact(heading, ""), *facts, *[None] * (_rows(shown) - len(facts)), Fact(_("Together"), sum_)])
    cells: list[list[Any]] = []
    last = len(sides[0]) - 1
    for row, pair in enumerate(zip(*sides, strict=True)):
        bold = row in (0, last)
        line: list[Any] = []
        for fact in pair:
            line += ["", ""] if fact is None else [_text(fact.name, _BODY, bold=bold), _amount(fact.sum, bold=bold)]
        cells.append([*line[:2], "", *line[2:]])
    gap = 10 * mm
    half = (WIDTH - gap) / 2
    widths = [half - 32 * mm, 32 * mm, gap, half - 32 * mm, 32 * mm]
    rules = [
        (name, (left, row), (left + 1, row), 0.75, INK) for left in (0, 3) for name, row in (("LINEABOVE", last),)
    ]  # fmt: skip
    return Table(cells, widths, style=[*_PLAIN, *rules])


def _rows(shown: Shown) -> int:
    return max(len(shown.purposes), len(shown.places))


def _identities(shown: Shown, _: Translator) -> list[Flowable]:
    found: list[Flowable] = []
    for one in shown.identities:
        mark = _text(_("holds") if one.holds else _("DOES NOT HOLD"), _BODY, PAID if one.holds else DANGER, bold=True)
        told = [
            _text(one.sentence, _BODY, bold=True), _text(f"{one.left} {one.relation} {one.right}", _BODY, WOAD),
            _text(one.formula, _SMALL),
        ]  # fmt: skip
        found.append(Table([[mark, told]], [22 * mm, WIDTH - 22 * mm], style=_PLAIN))
    return found


def _banks(shown: Shown, _: Translator) -> Flowable:
    heads = (_("Account"), _("In the ledger"), _("Statement"), _("Difference"))
    rows: list[list[Any]] = [[_text(heads[0], _SOFT), *(_amount(head, SOFT) for head in heads[1:])]]
    for account in shown.accounts:
        kind = account.kind if account.liquid else f"{account.kind} · {_('placed')}"
        name = [_text(account.name, _BODY, bold=True), _text(kind, _SMALL)]
        if account.statement is None or account.difference is None:
            rows.append([name, _amount(account.ledger), _amount(_("none"), SOFT), ""])
            continue
        day = Paragraph(latin(account.on or ""), ParagraphStyle("day", _SMALL, alignment=TA_RIGHT))
        colour = PAID if account.even else BRASS
        statement = [_amount(account.statement), day]
        rows.append([name, _amount(account.ledger), statement, _amount(account.difference, colour, bold=True)])
    rows.append([_text(_("Together"), _BODY, bold=True), _amount(shown.reserve, bold=True), "", ""])
    return Table(rows, [WIDTH - 3 * 38 * mm, *[38 * mm] * 3], style=[*_PLAIN, *_RULED])


def _explained(account: ShownAccount, _: Translator) -> list[Flowable]:
    """The difference of an account, line by line, across as many pages as it takes."""
    if not account.lines:
        return []
    heads = (_("Date"), _("What"), _("Why"))
    rows: list[list[Any]] = [[*(_text(head, _SOFT) for head in heads), _amount(_("Amount"), SOFT)]]
    for line in account.lines[:MOST_LINES]:
        what = [_text(line.what, _BODY), _text(line.reference, _SMALL)] if line.reference else _text(line.what, _BODY)
        rows.append([_text(line.on, _BODY), what, _text(line.why, _BODY), _amount(line.sum)])
    left = len(account.lines) - MOST_LINES
    if left > 0:
        told = _.ngettext("and {n} more line", "and {n} more lines", left).format(n=left)
        rows.append([_text(told, _SOFT), "", "", ""])
    rows.append([_text(_("Together"), _BODY, bold=True), "", "", _amount(account.difference or "", bold=True)])
    heading = f"{account.name} · {_('The difference, line by line')}"
    table = Table(rows, [24 * mm, 58 * mm, WIDTH - 114 * mm, 32 * mm], repeatRows=1, style=[*_PLAIN, *_RULED])
    return [CondPageBreak(35 * mm), Spacer(0, 5 * mm), _text(heading, _BODY, bold=True), Spacer(0, 1 * mm), table]


def _months(shown: Shown, _: Translator) -> Flowable:
    heads = (_("Conversions"), _("Reconversions"), _("In circulation"))
    rows: list[list[Any]] = [[_text(_("Month"), _SOFT), *(_amount(head, SOFT) for head in heads)]]
    for month in reversed(shown.months):
        rows.append([_text(month.month, _BODY), *(_amount(sum_) for sum_ in month[1:])])
    return Table(rows, [WIDTH - 3 * 38 * mm, *[38 * mm] * 3], style=[*_PLAIN, *_RULED[:1], *_TIGHT])


def _year(shown: Shown, _: Translator) -> list[Flowable]:
    parts = ((_("In, by conversion"), shown.inflow), (_("Changed back, fees included"), shown.outflow),
             (_("Share reached"), shown.share))  # fmt: skip
    total = f"{shown.total} {_('of {threshold}').format(threshold=shown.threshold)}"
    told = _(
        "From {first} to {last}. When euros in and out come to {threshold} within twelve months, the issuer must "
        "declare itself."
    )
    return [
        _text(_("Twelve months of euros"), _HEADING), _text(total, _FIGURE),
        _text(" · ".join(f"{name} {sum_}" for name, sum_ in parts), _BODY),
        _text(told.format(first=shown.first, last=shown.last, threshold=shown.threshold), _SOFT),
    ]  # fmt: skip


def _log(shown: Shown, _: Translator) -> list[Flowable]:
    root = ParagraphStyle("root", _BODY, fontName="Courier", fontSize=8)
    return [
        _text(_("The books behind it"), _HEADING),
        _text(f"{_('Entries in the log')} {shown.size} · {_('The last one')} {shown.at}", _BODY),
        _text(_("Root of the log"), _BODY), _text(shown.root, root),
    ]  # fmt: skip


_PLAIN: Final[list[tuple[Any, ...]]] = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 1),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2), ("VALIGN", (0, 0), (-1, -1), "TOP"),
]  # fmt: skip
_RULED: Final[list[tuple[Any, ...]]] = [
    ("LINEBELOW", (0, 0), (-1, -2), 0.5, RULE),
    ("LINEABOVE", (0, -1), (-1, -1), 0.75, INK),
]
_TIGHT: Final[list[tuple[Any, ...]]] = [("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 0.5)]


class _Picture(Flowable):
    """A drawing, as wide as the text. Its y grows downwards, that of paper upwards."""

    def __init__(self, drawing: Drawing, width: float) -> None:
        super().__init__()
        self.drawing = drawing
        self.scale = width / drawing.width
        self.width, self.height = width, drawing.height * self.scale

    def draw(self) -> None:
        canvas, height = self.canv, self.drawing.height
        canvas.saveState()
        canvas.scale(self.scale, self.scale)
        for shape in self.drawing.shapes:
            colour = _LOOKS[shape.look]
            canvas.setFillColor(colour)
            canvas.setStrokeColor(colour)
            match shape:
                case Bar(x, y, wide, high):
                    canvas.rect(x, height - y - high, wide, high, stroke=0, fill=1)
                case Dot(x, y):
                    canvas.circle(x, height - y, 2.5, stroke=0, fill=1)
                case Label(x, y, text, anchor):
                    canvas.setFont("Helvetica-Bold" if shape.look == "heading" else "Helvetica", 12)
                    put = {
                        "start": canvas.drawString,
                        "middle": canvas.drawCentredString,
                        "end": canvas.drawRightString,
                    }
                    put[anchor](x, height - y, latin(text))
                case Path(points, look, filled):
                    path = canvas.beginPath()
                    path.moveTo(points[0][0], height - points[0][1])
                    for x, y in points[1:]:
                        path.lineTo(x, height - y)
                    canvas.setLineWidth(2 if look == "circulation" else 0.75)
                    canvas.drawPath(path, stroke=int(not filled), fill=int(filled))
        canvas.restoreState()


def _text(text: str, style: ParagraphStyle, colour: Color | None = None, *, bold: bool = False) -> Paragraph:
    marked = escape(latin(text)).replace("≤", '<font name="Symbol">≤</font>')
    if bold:
        marked = f"<b>{marked}</b>"
    if colour is not None:
        marked = f'<font color="{colour.hexval().replace("0x", "#")}">{marked}</font>'
    return Paragraph(marked, style)


def _amount(text: str, colour: Color | None = None, *, bold: bool = False) -> Paragraph:
    return _text(text, _RIGHT, colour, bold=bold)


_INSTEAD: Final = str.maketrans({"\u202f": "\u00a0", "\u2009": "\u00a0", "\u2212": "-", "\u2011": "-"})


def latin(text: str) -> str:
    """The text in the letters that the fonts have (and ≤, which `_text` takes from another one)."""
    return "".join(char if char == "≤" else _letter(char) for char in text.translate(_INSTEAD))


def _letter(char: str) -> str:
    for form in (char, "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))):
        try:
            form.encode("cp1252")
        except UnicodeEncodeError:
            continue
        return form
    return "?"
