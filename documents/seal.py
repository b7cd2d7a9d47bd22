"""What a signature looks like: the centre's round seal, a person's line. Drawn only as the appearance of a signature.

A one-page PDF each, with its fonts embedded, that `documents.sign` puts into the signature's own field; nothing here
ever reaches an unsigned page. It is no registered 电子印章 (GB/T 38540) and does not claim to be one.
"""

from __future__ import annotations

import io
import math

from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from documents import typeface
from documents.layout import BLUE, FAINT
from documents.typeface import BOLD, SANS, SERIF

RED = HexColor("#C8281E")
SEAL_POINTS = 119.06  # 42 mm, the size of a centre's seal on paper


def round_seal(centre_name: str, purpose: str) -> bytes:
    """Draw the round seal: the centre's name on the arc, a star, the purpose beneath.

    Args:
        centre_name: as in the certificate; up to about 24 characters fit the arc.
        purpose: 开标专用章, 成交确认专用章 …

    Raises:
        DocumentError: when a character has no glyph.
    """
    typeface.load()
    typeface.require(centre_name, SERIF)
    typeface.require(purpose, BOLD)
    size = SEAL_POINTS
    centre = size / 2
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=(size, size), invariant=1, initialFontName=SERIF)
    canvas.translate(centre, centre)
    canvas.setStrokeColor(RED)
    canvas.setFillColor(RED)
    canvas.setLineWidth(3.1)
    canvas.circle(0, 0, centre - 2.2, stroke=1, fill=0)
    canvas.setLineWidth(0.5)
    canvas.circle(0, 0, centre - 5.6, stroke=1, fill=0)
    _star(canvas, 15.5)
    _arc(canvas, centre_name, centre - 10.5)
    shown = 8.6 if len(purpose) <= 6 else 7.4
    canvas.setFont(BOLD, shown)
    canvas.drawCentredString(0, -centre * 0.60, purpose)
    canvas.showPage()
    canvas.save()
    return target.getvalue()


def _arc(canvas: Canvas, text: str, radius: float) -> None:
    """Set the characters upright on the upper arc, slightly narrow as seals have them."""
    sweep = math.radians(min(240.0, 21.5 * len(text)))
    size = min(14.5, 0.92 * radius * sweep / max(1, len(text)))
    step = sweep / max(1, len(text) - 1)
    for number, char in enumerate(text):
        angle = math.pi / 2 + sweep / 2 - number * step
        canvas.saveState()
        canvas.rotate(math.degrees(angle) - 90)
        canvas.translate(0, radius - size * 0.90)
        canvas.scale(0.80, 1.0)
        canvas.setFont(BOLD, size)
        canvas.drawCentredString(0, 0, char)
        canvas.restoreState()


def _star(canvas: Canvas, radius: float) -> None:
    path = canvas.beginPath()
    for corner in range(10):
        reach = (
            radius
            if corner % 2 == 0
            else radius * math.sin(math.pi / 10) / math.sin(3 * math.pi / 10)
        )
        angle = math.pi / 2 + corner * math.pi / 5
        point = reach * math.cos(angle), reach * math.sin(angle)
        (path.moveTo if corner == 0 else path.lineTo)(*point)
    path.close()
    canvas.drawPath(path, stroke=0, fill=1)


def signature_line(name: str, size: tuple[float, float], fingerprint: str) -> bytes:
    """Draw a person's or office's signature: the name in official blue, the certificate's fingerprint beneath.

    Args:
        name: the signer, as in the certificate.
        size: of the field in points.
        fingerprint: hex; its first 16 characters are shown.

    Raises:
        DocumentError: when a character has no glyph.
    """
    typeface.load()
    typeface.require(name, SERIF)
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=size, invariant=1, initialFontName=SERIF)
    shown = min(17.0, 17.0 * (size[0] - 12) / max(1.0, typeface.width(name, SERIF, 17)))
    canvas.setFillColor(BLUE)
    canvas.setFont(SERIF, shown)
    canvas.drawCentredString(size[0] / 2, size[1] * 0.42, name)
    canvas.setFillColor(FAINT)
    canvas.setFont(SANS, 5.4)
    canvas.drawCentredString(size[0] / 2, size[1] * 0.14, f"电子签名 · 证书 {fingerprint[:16]}")
    canvas.showPage()
    canvas.save()
    return target.getvalue()
