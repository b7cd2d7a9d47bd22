"""The vendored fonts: loaded once, checked by digest, and asked before anything is drawn.

A record with a box where a name should be is worse than no record, and a record that one participant's rare or
hostile character keeps from being made at all is worse still. So what participants have written is printed by
`shown`: a character that the font has not stands there by its code point, 〔U+20BB7〕, whole and legible, and
`record.json` holds the character itself. The centre's own words go through `require`, which refuses.
The list of characters is `fonts/characters.txt`.
"""

from __future__ import annotations

import hashlib
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from documents.model import DocumentError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

SERIF = "KaibiaoSerif"
BOLD = "KaibiaoSerifBold"
SANS = "KaibiaoSans"

FOLDER = Path(__file__).parent / "fonts"
_FILES = {
    SERIF: "NotoSerifSC-Regular.ttf",
    BOLD: "NotoSerifSC-Bold.ttf",
    SANS: "NotoSansSC-Regular.ttf",
}
# A no-break space and a soft hyphen do not print what they are; the renderer would turn them into something else.
_TREACHEROUS = frozenset({0xA0, 0xAD})
_lock = threading.Lock()


@cache
def _registered() -> dict[str, frozenset[int]]:
    """Load the fonts into reportlab and return the characters each can show."""
    sums = {
        name: digest
        for digest, name in (
            line.split() for line in (FOLDER / "SHA256SUMS").read_text("ascii").splitlines()
        )
    }
    shown: dict[str, frozenset[int]] = {}
    for font, file in _FILES.items():
        path = FOLDER / file
        if hashlib.sha256(path.read_bytes()).hexdigest() != sums[file]:
            raise DocumentError(
                f"the font {file} is not the one this version was made with; restore it and start again"
            )
        # asciiReadable=False: every font starts an empty subset, so a page never embeds letters it does not use.
        loaded = TTFont(font, str(path), asciiReadable=False)
        pdfmetrics.registerFont(loaded)
        shown[font] = frozenset(loaded.face.charToGlyph) - _TREACHEROUS
    # An empty table cell would otherwise pull in Helvetica, which is not embedded and so not PDF/A.
    rl_config.canvas_basefontname = SERIF
    rl_config.useA85 = 0  # binary streams; the archive step writes them anew anyway
    return shown


def load() -> None:
    """Register the fonts with reportlab, once per process, whichever thread comes first.

    Raises:
        DocumentError: when a font file differs from SHA256SUMS.
    """
    with _lock:
        _registered()


def characters(font: str) -> AbstractSet[int]:
    """Return the code points that `font` (SERIF, BOLD or SANS) can show."""
    load()
    return _registered()[font]


def require(text: str, font: str = SERIF) -> str:
    """Return `text` unchanged if every character of it can be drawn.

    Args:
        text: what is to be printed; line feeds are layout and allowed.
        font: SERIF, BOLD or SANS.

    Raises:
        DocumentError: naming each character without a glyph. Whoever registered the name decides how it is written;
            the printer does not.
    """
    missing = sorted(set(map(ord, text)) - characters(font) - {0x0A})
    if missing:
        named = ", ".join(
            f"U+{code:04X} {chr(code)}".rstrip() if chr(code).isprintable() else f"U+{code:04X}"
            for code in missing
        )
        raise DocumentError(
            f"no font here can show {named} (in {text!r}); the record is not drawn with a box in its place"
        )
    return text


def shown(text: str, font: str = SERIF) -> str:
    """Return `text` as it is printed: each character that `font` has not, by its code point.

    Args:
        text: what somebody wrote; line feeds are layout and stay.
        font: SERIF, BOLD or SANS.
    """
    known = characters(font)
    return "".join(
        each if ord(each) in known or each == "\n" else f"〔U+{ord(each):04X}〕" for each in text
    )


def width(text: str, font: str, size: float) -> float:
    """Return the width of `text` in points."""
    load()
    return float(pdfmetrics.stringWidth(text, font, size))


def widths(text: str, font: str, size: float) -> list[float]:
    """Return the width of each character in points, each as `width` gives it."""
    face = pdfmetrics.getFont(font).face
    unit, known, other = 0.001 * size, face.charWidths.get, face.defaultWidth
    return [unit * known(ord(each), other) for each in text]
