"""From a story to a page: header, footer, QR code, places for signatures; a pure function of its arguments.

The same arguments give the same bytes (reportlab's invariant mode), so a record can be drawn again years later and
compared. Where a signature will stand, the page only leaves room: the seal is the appearance of a real signature, put
there by `documents.sign`, because a seal on an unsigned page would be a template for forgers.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import segno
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, KeepTogether, PageTemplate
from reportlab.platypus.doctemplate import LayoutError

from crypto.encoding import sha256_hex
from documents import typeface, words
from documents.layout import BLUE, FAINT, HAIR, INK, SEAL, paragraph, style
from documents.model import DocumentError
from documents.slots import Field
from documents.typeface import BOLD, SANS, SERIF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.model import Facts
    from documents.slots import Slot

MARGIN = 15 * mm
SEAL_SIZE = 42 * mm
PERSON_SIZE = (46 * mm, 17 * mm)
NOTE = (
    "本记录由存证日志中的事件计算得出，附 record.json；以电子签名为准，打印件仅供阅读。"
    "任何人可离线核验：verify 本文件 --trust 信任文件。"
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn record, not yet PDF/A and not signed."""

    pdf: bytes
    fields: tuple[Field, ...]
    title: str


class Closing(Flowable):  # type: ignore[misc]
    """The foot of a record: QR code, signature lines, the seal's place over the centre's name and the date."""

    def __init__(self, code: str, slots: Sequence[Slot], centre_name: str, date: str) -> None:
        super().__init__()
        self.code, self.slots, self.date = code, slots, date
        self.centre_name = typeface.require(centre_name)
        self.fields: list[Field] = []

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        """Take the whole width; the height grows with the rows of signers beside the seal."""
        self.width = width
        people = len(self.slots) - 1
        self.per_row = max(1, int((width - SEAL_SIZE - 34 * mm) // (PERSON_SIZE[0] + 4 * mm)))
        self.rows = -(-people // self.per_row)
        self.height = max(SEAL_SIZE + 4 * mm, self.rows * (PERSON_SIZE[1] + 9 * mm) + 4 * mm)
        return self.width, self.height

    def draw(self) -> None:
        """Draw the code and the lines, and note where the signature fields lie."""
        canvas = self.canv
        self._draw_code(canvas)
        top = self.height - 2 * mm
        for number, slot in enumerate(self.slots[:-1]):
            row, column = divmod(number, self.per_row)
            left = 32 * mm + column * (PERSON_SIZE[0] + 4 * mm)
            bottom = top - (row + 1) * (PERSON_SIZE[1] + 9 * mm) + 4 * mm
            canvas.setFillColor(INK)
            canvas.setFont(SERIF, 9)
            canvas.drawString(left, bottom + PERSON_SIZE[1] + 2.2 * mm, f"{slot.zh}（电子签名）")
            canvas.setFillColor(FAINT)
            canvas.setFont(SANS, 5.6)
            canvas.drawRightString(
                left + PERSON_SIZE[0], bottom + PERSON_SIZE[1] + 2.4 * mm, slot.en
            )
            canvas.setStrokeColor(INK)
            canvas.setLineWidth(0.5)
            canvas.line(left, bottom, left + PERSON_SIZE[0], bottom)
            self._field(canvas, slot, left, bottom + 0.6 * mm, *PERSON_SIZE)
        # 骑年盖月: the seal covers part of the centre's name and of the date.
        left = self.width - SEAL_SIZE - 2 * mm
        bottom = self.height - SEAL_SIZE - 1 * mm
        middle = left + SEAL_SIZE / 2
        canvas.setFillColor(INK)
        canvas.setFont(SERIF, 10)
        canvas.drawRightString(middle + 14 * mm, bottom + SEAL_SIZE * 0.50, self.centre_name)
        canvas.drawRightString(middle + 14 * mm, bottom + SEAL_SIZE * 0.50 - 17, self.date)
        self._field(canvas, self.slots[-1], left, bottom, SEAL_SIZE, SEAL_SIZE)

    def _draw_code(self, canvas: Canvas) -> None:
        code = segno.make_qr(self.code, error="m")
        matrix = [bytes(row) for row in code.matrix]
        size = 25 * mm
        step = size / len(matrix)
        top = self.height - 3 * mm
        canvas.setFillColor(INK)
        # Whole numbers in modules, scaled once: a fifth of the page's numbers would be formatted otherwise.
        runs: list[str] = []
        for y, row in enumerate(matrix):
            run = 0
            for x, dark in enumerate((*row, 0)):
                if dark:
                    run += 1
                elif run:
                    runs.append(f"{x - run} {y} {run} 1 re")
                    run = 0
        canvas.saveState()
        canvas.translate(0, top)
        canvas.scale(step, -step)
        canvas.addLiteral(" ".join((*runs, "f")))
        canvas.restoreState()
        canvas.setFillColor(FAINT)
        canvas.setFont(SANS, 6)
        canvas.drawString(0, top - size - 9, "扫码得记录编号与事实摘要")
        canvas.drawString(0, top - size - 17, "number and digest of the facts")

    def _field(self, canvas: Canvas, slot: Slot, x: float, y: float, w: float, h: float) -> None:
        left, bottom = canvas.absolutePosition(x, y)
        box = tuple(round(value, 2) for value in (left, bottom, left + w, bottom + h))
        self.fields.append(
            Field(slot.name, canvas.getPageNumber() - 1, (box[0], box[1], box[2], box[3]))
        )


class _Pages(Canvas):  # type: ignore[misc]
    """A canvas that knows at the end how many pages there are."""

    chrome: _Chrome

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802
        """Keep the page until the number of pages is known."""
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Draw header and footer on every kept page, then write the file."""
        for number, kept in enumerate(self._kept, 1):
            self.__dict__.update(kept)
            self.chrome.draw(self, number, len(self._kept))
            super().showPage()
        super().save()


@dataclass(frozen=True, slots=True)
class _Chrome:
    """Header and footer of every page."""

    facts: Facts
    digest: str
    size: tuple[float, float]

    def draw(self, canvas: Canvas, number: int, count: int) -> None:
        head = self.facts.heading
        width, height = self.size
        top, foot = height - 11.5 * mm, 10 * mm
        canvas.setStrokeColor(HAIR)
        canvas.setLineWidth(0.6)
        canvas.line(MARGIN, top - 3 * mm, width - MARGIN, top - 3 * mm)
        canvas.line(MARGIN, foot + 3.4 * mm, width - MARGIN, foot + 3.4 * mm)
        canvas.setFillColor(FAINT)
        self._text(canvas, SERIF, 8.5, MARGIN, top, head.centre_name)
        number_text = f"编号 {head.number}"
        self._text(canvas, SERIF, 8.5, width - MARGIN, top, number_text, right=True)
        rules = f"规则集：{head.ruleset}"
        self._chip(canvas, width / 2, top, rules)
        self._text(
            canvas, SANS, 5.8, MARGIN, foot, f"事实摘要 SHA-256  {words.hash_groups(self.digest)}"
        )
        self._text(
            canvas,
            SANS,
            5.8,
            MARGIN,
            foot - 7.5,
            f"存证日志 {head.ledger_origin}  长度 {head.ledger_size}  根 {words.hash_groups(head.ledger_root)}",
        )
        self._text(
            canvas,
            SERIF,
            8.5,
            width - MARGIN,
            foot - 3,
            f"第 {number} 页 共 {count} 页",
            right=True,
        )

    def _chip(self, canvas: Canvas, middle: float, y: float, text: str) -> None:
        """The rule set's name in a frame; 演示 (demonstration) stands in seal red, so that nobody takes it for real."""
        demo = "演示" in text
        shown = f"{text}  仅供演示，不具法律效力" if demo else text
        typeface.require(shown, BOLD)
        half = typeface.width(shown, BOLD, 8) / 2 + 5
        canvas.setStrokeColor(SEAL if demo else BLUE)
        canvas.setFillColor(SEAL if demo else BLUE)
        canvas.setLineWidth(0.7)
        canvas.roundRect(middle - half, y - 3.6, 2 * half, 13, 2, stroke=1, fill=0)
        canvas.setFont(BOLD, 8)
        canvas.drawCentredString(middle, y, shown)
        canvas.setFillColor(FAINT)

    @staticmethod
    def _text(
        canvas: Canvas,
        font: str,
        size: float,
        x: float,
        y: float,
        text: str,
        *,
        right: bool = False,
    ) -> None:
        canvas.setFont(font, size)
        put = canvas.drawRightString if right else canvas.drawString
        put(x, y, typeface.shown(text, font))


def compose(
    facts: Facts,
    title: str,
    story: Sequence[Flowable],
    slots: Sequence[Slot],
    *,
    wide: bool,
    tail: Sequence[Flowable] = (),
    note: str = NOTE,
    note_en: str = "",
) -> Drawn:
    """Draw a record.

    Args:
        facts: what the record says; heading and digest are printed on every page.
        title: the record's name, for the document's properties.
        story: the body, without the closing block.
        tail: the end of the body, kept on one page with the closing block if it fits: signatures must not stand alone.
        slots: who signs, the centre last (`slots_of`).
        wide: landscape instead of portrait; the paper is A4.
        note: in small print above the closing block, what this paper is.
        note_en: the same in English, smaller beneath it.

    Raises:
        DocumentError: when a character has no glyph or a part does not fit the page.
    """
    typeface.load()
    head = facts.heading
    digest = sha256_hex(facts.record_json())
    size = landscape(A4) if wide else A4
    closing = Closing(
        f"kaibiao:record:1:{head.centre}:{head.number}:{digest}",
        slots,
        head.centre_name,
        words.day(head.issued_at),
    )
    pages = type("_PagesOf", (_Pages,), {"chrome": _Chrome(facts, digest, size)})
    target = io.BytesIO()
    document = BaseDocTemplate(
        target,
        pagesize=size,
        invariant=1,
        pageCompression=0,  # the archive step compresses everything
        title=f"{title} {head.number}",
        author=head.centre_name,
        initialFontName=SERIF,
    )
    frame = Frame(MARGIN, 15 * mm, size[0] - 2 * MARGIN, size[1] - 31 * mm, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate("record", [frame])])
    small = [paragraph(note, style(SERIF, 7.5, colour=FAINT, before=6, after=4))]
    if note_en:
        small.append(paragraph(note_en, style(SANS, 6, colour=FAINT, after=4)))
    try:
        document.build([*story, KeepTogether([*tail, *small, closing])], canvasmaker=pages)
    except LayoutError as error:
        raise DocumentError(
            f"a part of {title} {head.number} does not fit the page: {error}"
        ) from error
    return Drawn(target.getvalue(), tuple(closing.fields), f"{title} {head.number}")
