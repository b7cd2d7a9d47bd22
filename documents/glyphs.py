"""Outlines that the archive validator need not read twice: the same bytes are read whole once per process.

The validator reads the outline of every glyph a record shows, with fontTools, in Python; that was half the price of
finishing. Yet what a record embeds is cut from our own three fonts, so the same glyphs come again in every record.
A table class registered with fontTools keeps what it has read, by the glyph's bytes: an outline that differs by a
bit is read anew, and one that cannot be read fails each time. No check is left out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from fontTools.ttLib import registerCustomTableClass
from fontTools.ttLib.tables._g_l_y_f import Glyph, table__g_l_y_f

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

KEPT: Final = 4096
"""Outlines kept, some 3 KiB each; a record of three hundred rows shows fewer."""


def register() -> None:
    """Have fontTools read outlines by this module, in this process."""
    registerCustomTableClass("glyf", __name__, Outlines.__name__)


class Outlines(table__g_l_y_f):  # type: ignore[misc]
    """The table `glyf` of a font that is only read."""

    def decompile(self, data: bytes, font: TTFont) -> None:
        """Split the table into glyphs, not yet read."""
        super().decompile(data, font)
        for name, glyph in self.glyphs.items():
            self.glyphs[name] = Outline(glyph.__dict__.get("data", b""))


class Outline(Glyph):  # type: ignore[misc]
    """A glyph for reading: what it holds once expanded is shared with every glyph of the same bytes."""

    def expand(self, table: Outlines | None) -> None:
        """Read the outline, from memory if these bytes were read before."""
        data = self.__dict__.get("data")
        # A composite glyph names others, so its bytes alone do not say whether it can be read.
        if not data or data[0] & 0x80 or table is None or table.extended:
            super().expand(table)
        else:
            self.__dict__.update(_read(data))
            del self.data


@lru_cache(maxsize=KEPT)
def _read(data: bytes) -> dict[str, Any]:
    """Read a simple outline whole; what fontTools raises goes on, and is not kept."""
    glyph = Glyph(data)
    glyph.expand(Outlines("glyf"))
    held: dict[str, Any] = glyph.__dict__
    return held
