"""Who of ten thousand watchers is pinged when: everybody once in twenty seconds, a few at a time.

A second's share of them at once, five hundred, is five hundred pongs in one turn of the loop: an offer that met
them waited 15 ms, and there was one such second in every second (docs/benchmarks.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from trading.ground.lines import Line

PARTS: Final = 400
"""Parts of a round; a twentieth of a second each at the usual pace, for 25 of ten thousand."""


class Pulse:
    """Spreads lines over the parts of a round, the same number in each."""

    def __init__(self) -> None:
        self._turns: list[dict[Line, None]] = [{} for _ in range(PARTS)]
        self._newest = 0
        self._now = 0

    def enrol(self, line: Line) -> None:
        """Give a line its turn."""
        self._newest = line.turn = (self._newest + 1) % PARTS
        self._turns[line.turn][line] = None

    def dismiss(self, line: Line) -> None:
        """Take a line's turn from it; it must have one."""
        del self._turns[line.turn][line]

    def next(self) -> tuple[Line, ...]:
        """The lines whose turn it is now; afterwards it is the turn of others."""
        self._now = (self._now + 1) % PARTS
        return tuple(self._turns[self._now])
