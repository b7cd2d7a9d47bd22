"""The page kit: paper and ink, one seal red. Everything the four templates share, drawn with reportlab.

Text is never markup here: every string is escaped and asked for glyphs before it is laid out, so a company named
`<b>R&D</b>` prints as it is. Lengths are in points, positions from the lower left corner.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_LEFT, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.textsplit import dumbSplit
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Spacer, Table, TableStyle
from reportlab.platypus.paragraph import cleanBlockQuotedText

from documents import typeface
from documents.typeface import BOLD, SANS, SERIF

if TYPE_CHECKING:
    from collections.abc import Sequence

INK = HexColor("#1B2430")
FAINT = HexColor("#606A78")
LINE = HexColor("#8C8776")
HAIR = HexColor("#D9D4C7")
SUNK = HexColor("#F3F0E9")
SEAL = HexColor("#A8322A")
BLUE = HexColor("#1F4E79")

Align = Literal["left", "center", "right"]
_ALIGN = {"left": TA_LEFT, "center": TA_CENTER, "right": TA_RIGHT}
_CJK = "CJK"
_MARKUP = re.compile("[&<>\n]")
LONG = 120
"""Characters from which on a text is set smaller, and from twice as many smaller still."""
LONGER = (0.82, 0.68)
SMALLEST = 5.6
"""Points; what is smaller nobody reads on paper."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One table cell. `text` may hold line feeds; `small` is a fainter second line; `tone` is ink, faint or seal."""

    text: str
    small: str = ""
    align: Align = "left"
    tone: Literal["ink", "faint", "seal"] = "ink"
    font: str = SERIF
    size: float = 9
    small_size: float = 6


@dataclass(frozen=True, slots=True)
class Column:
    """A column: Chinese heading, English beneath, width in millimetres, alignment of its cells."""

    zh: str
    en: str
    width: float
    align: Align = "left"


@lru_cache(maxsize=512)
def style(
    font: str = SERIF,
    size: float = 9,
    *,
    leading: float = 0,
    align: Align = "left",
    colour: HexColor = INK,
    before: float = 0,
    after: float = 0,
    indent: float = 0,
) -> ParagraphStyle:
    """Return a paragraph style, the same for the same wishes; nobody changes one."""
    typeface.load()
    return ParagraphStyle(
        f"{font}-{size}-{align}",
        fontName=font,
        fontSize=size,
        leading=leading or size * 1.45,
        alignment=_ALIGN[align],
        textColor=colour,
        spaceBefore=before,
        spaceAfter=after,
        firstLineIndent=indent,
        wordWrap=_CJK,
        # The default bullet font would be Helvetica, which is not embedded.
        bulletFontName=font,
    )


class Text(Paragraph):  # type: ignore[misc]
    """A paragraph that breaks its lines once per width; a table asks for them three times."""

    _broken_at = -1.0

    def breakLinesCJK(self, widths: list[float]) -> Any:  # noqa: N802
        """Break the lines as reportlab does; of a text in one piece all characters are measured at once."""
        if len(self.frags) != 1 or hasattr(self, "blPara"):
            return super().breakLinesCJK(widths)
        piece = self.frags[0]
        measured = typeface.widths(piece.text, piece.fontName, piece.fontSize)
        lines = [(room, [line]) for room, line in dumbSplit(piece.text, measured, widths)]
        return piece.clone(
            kind=0, lines=lines, ascent=piece.fontSize, descent=-0.2 * piece.fontSize
        )

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Return width and height, from memory if the lines were broken for this width already."""
        # A row too high for its page is split, and reportlab takes the broken lines away with it.
        if self._broken_at != width or not hasattr(self, "blPara"):
            super().wrap(width, height)
            self._broken_at = width
        return self.width, self.height


def plain(text: str, font: str) -> str:
    """Return `text` as reportlab markup that prints exactly `text`, as `typeface.shown` writes it."""
    return escape(typeface.shown(text, font)).replace("\n", "<br/>")


def paragraph(text: str, wanted: ParagraphStyle) -> Paragraph:
    """Return a paragraph that prints `text` as it is; the parser of markup is spared where there is none."""
    shown = typeface.shown(text, wanted.fontName)
    if _MARKUP.search(shown) or not shown.strip():
        return Text(plain(text, wanted.fontName), wanted)
    piece = _piece(wanted).clone(text=cleanBlockQuotedText(shown))
    return Text(None, wanted, frags=[piece])


@lru_cache(maxsize=512)
def _piece(wanted: ParagraphStyle) -> Any:
    """Return what reportlab's parser makes of one letter in this style."""
    return Text("x", wanted).frags[0]


def fitted(text: str, size: float) -> float:
    """Return the size for a text: a name of hundreds of characters is set smaller, so that it stays one look long.

    Args:
        text: what is set.
        size: points it has when it is of ordinary length.
    """
    return size if len(text) <= LONG else max(size * LONGER[len(text) > 2 * LONG], SMALLEST)


def cell(content: Cell | str) -> list[Paragraph]:
    """Return the lines of one table cell: the text, and the fainter line beneath if there is one."""
    if isinstance(content, str):
        content = Cell(content)
    tone = {"ink": INK, "faint": FAINT, "seal": SEAL}[content.tone]
    size = fitted(content.text, content.size)
    lines = [
        paragraph(
            content.text,
            style(
                content.font,
                size,
                leading=size * 1.32,
                align=content.align,
                colour=tone,
            ),
        )
    ]
    if content.small:
        lines.append(_faint_line(content.small, content.small_size, content.align))
    return lines


def label(zh: str, en: str, *, size: float = 8.5, align: Align = "center") -> list[Paragraph]:
    """Return a two-line label: Chinese bold, English small and faint beneath."""
    lines = [paragraph(zh, style(BOLD, size, leading=size * 1.25, align=align))]
    if en:
        lines.append(_faint_line(en, 5.6, align))
    return lines


def _faint_line(text: str, size: float, align: Align) -> Paragraph:
    return paragraph(text, style(SANS, size, leading=size * 1.3, align=align, colour=FAINT))


def _frame(*extra: tuple[object, ...], air: float = 0) -> TableStyle:
    return TableStyle(
        [
            # A cell without text would be set in Helvetica otherwise.
            ("FONTNAME", (0, 0), (-1, -1), SERIF),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("INNERGRID", (0, 0), (-1, -1), 0.35, LINE),
            ("LINEBEFORE", (0, 0), (0, -1), 0.9, INK),
            ("LINEAFTER", (-1, 0), (-1, -1), 0.9, INK),
            ("LINEABOVE", (0, 0), (-1, 0), 0.9, INK),
            ("LINEBELOW", (0, -1), (-1, -1), 0.9, INK),
            ("LEFTPADDING", (0, 0), (-1, -1), 4),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 2.4 + air),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3.4 + air),
            *extra,
        ]
    )


def grid(columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]]) -> Table:
    """Return a ruled table with a repeated head; an empty table says 无 (none) instead of ending.

    Args:
        columns: their widths add up to the width of the frame.
        rows: one `Cell` or string per column; a string takes the column's alignment.
    """
    return _grid(columns, rows, [], head=True)


def grid_with_end(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]], end: int = 2
) -> tuple[Table, list[Flowable]]:
    """Return a long table in two pieces that look like one: its beginning, and its last rows for the tail."""
    if len(rows) <= end:
        return grid(columns, rows), []
    thin = ("LINEBELOW", (0, -1), (-1, -1), 0.35, LINE)
    first = _grid(columns, rows[:-end], [thin], head=True)
    thin = ("LINEABOVE", (0, 0), (-1, 0), 0.35, LINE)
    return first, [_grid(columns, rows[-end:], [thin], head=False)]


def _grid(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell | str]],
    extra: list[tuple[object, ...]],
    *,
    head: bool,
) -> Table:
    body: list[list[Any]] = [
        [
            cell(Cell(item, align=column.align) if isinstance(item, str) else item)
            for item, column in zip(row, columns, strict=True)
        ]
        for row in rows
    ]
    if not body:
        body = [
            [
                cell(Cell("无", small="none", align="center", tone="faint")),
                *[""] * (len(columns) - 1),
            ]
        ]
        extra = [*extra, ("SPAN", (0, 1), (-1, 1))]
    if head:
        body.insert(0, [label(column.zh, column.en) for column in columns])
        extra = [
            ("BACKGROUND", (0, 0), (-1, 0), SUNK),
            ("LINEBELOW", (0, 0), (-1, 0), 0.9, INK),
            *extra,
        ]
    return Table(
        body,
        colWidths=[column.width * mm for column in columns],
        repeatRows=int(head),
        splitInRow=1,  # a consortium may be taller than a page
        style=_frame(*extra),
    )


def pairs(
    items: Sequence[tuple[str, str, Cell | str]],
    widths: Sequence[float],
    *,
    columns: int = 2,
    air: float = 0,
) -> Table:
    """Return a table of label and value, `columns` pairs to a line; the last value of a short line spans the rest.

    Args:
        items: (Chinese label, English label, value).
        widths: millimetres of one line: label, value, label, value …
        columns: pairs per line.
        air: points added above and below each value.
    """
    rows: list[list[object]] = []
    extra: list[tuple[object, ...]] = []
    for start in range(0, len(items), columns):
        line = items[start : start + columns]
        row: list[object] = []
        for zh, en, value in line:
            extra.append(("BACKGROUND", (len(row), len(rows)), (len(row), len(rows)), SUNK))
            row += [label(zh, en), cell(value)]
        if len(line) < columns:
            extra.append(("SPAN", (len(row) - 1, len(rows)), (-1, len(rows))))
            row += [""] * (2 * columns - len(row))
        rows.append(row)
    return Table(rows, colWidths=[width * mm for width in widths], style=_frame(*extra, air=air))


class Heading(Flowable):  # type: ignore[misc]
    """A section's heading: a short red stroke, Chinese bold, English small beside it."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__()
        self.zh, self.en = typeface.require(zh, BOLD), typeface.require(en, SANS)
        self.keepWithNext = 1

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        """Take the whole line, 20 points high."""
        self.width, self.height = width, 20
        return self.width, self.height

    def draw(self) -> None:
        """Draw stroke and words on the line."""
        canvas = self.canv
        canvas.setFillColor(SEAL)
        canvas.rect(0, 4, 2.2, 10, stroke=0, fill=1)
        canvas.setFillColor(INK)
        canvas.setFont(BOLD, 10.5)
        canvas.drawString(8, 5.2, self.zh)
        canvas.setFillColor(FAINT)
        canvas.setFont(SANS, 6.5)
        canvas.drawString(14 + typeface.width(self.zh, BOLD, 10.5), 5.2, self.en)


def titles(zh: str, en: str, under: str = "") -> list[Flowable]:
    """Return the record's title: spaced bold Chinese, English beneath, and a line under it if given."""
    spaced = (
        "\u3000".join(zh) if len(zh) < 7 else " ".join(zh)
    )  # a wide space between few, a thin one between many
    lines: list[Flowable] = [
        Spacer(1, 4),
        paragraph(spaced, style(BOLD, 21, leading=27, align="center")),
        paragraph(en, style(SANS, 7.5, leading=11, align="center", colour=FAINT)),
    ]
    if under:
        lines.append(paragraph(under, style(SERIF, 9.5, leading=14, align="center")))
    return [*lines, Spacer(1, 7)]
