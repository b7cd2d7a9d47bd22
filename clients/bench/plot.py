"""A small chart: one curve over a logarithmic axis, as PNG. Pillow comes with the library that draws records."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WIDTH: Final = 760
HEIGHT: Final = 420
LEFT: Final = 70
BELOW: Final = 60
ABOVE: Final = 40
INK: Final = "#1f2937"
GRID: Final = "#d1d5db"
LINE: Final = "#b91c1c"


def curve(path: Path, points: Sequence[tuple[float, float]], below: str, title: str) -> None:
    """Draws points joined by lines.

    Args:
        path: the PNG to write.
        points: x > 0 ascending, drawn by its logarithm; y ≥ 0, drawn from zero.
        below: what x is.
        title: what y is.
    """
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    top = _round_up(max(y for _, y in points) or 1)
    low, high = math.log10(points[0][0]), math.log10(points[-1][0])

    def place(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - low) / ((high - low) or 1)
        right = LEFT + across * (WIDTH - LEFT - 40)
        return right, HEIGHT - BELOW - y / top * (HEIGHT - BELOW - ABOVE)

    for step in range(5):
        y = top * step / 4
        _, height = place(points[0][0], y)
        draw.line([(LEFT, height), (WIDTH - 40, height)], GRID)
        draw.text((LEFT - 8, height), f"{y:g}", INK, font, anchor="rm")
    spots = [place(x, y) for x, y in points]
    draw.line(spots, LINE, 2)
    for (x, y), (right, height) in zip(points, spots, strict=True):
        draw.ellipse([right - 4, height - 4, right + 4, height + 4], LINE)
        draw.text((right, height - 8), f"{y:.0f}", INK, font, anchor="mb")
        draw.text((right, HEIGHT - BELOW + 8), f"{x:,.0f}", INK, font, anchor="mt")
    draw.text((WIDTH / 2, HEIGHT - 24), below, INK, font, anchor="mt")
    draw.text((LEFT, 12), title, INK, font, anchor="lt")
    image.save(path, optimize=True)


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 8 × a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 2.0, 4.0, 8.0, 10.0) if step * power >= value)
