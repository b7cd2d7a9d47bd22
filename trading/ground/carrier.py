"""The thread that carries a frame to ten thousand watchers while the event loop goes on with its offers.

Two thirds of what a frame to one watcher costs are the kernel's, and a transport holds the interpreter's lock
meanwhile. `os.write` gives it away: an offer that arrives, or the journal's thread, has it after some 10 µs,
and the kernel's work goes on beside theirs (docs/adr/0014).

The thread touches nothing but `Watcher.take`, which is exact about who writes to a socket, and when. Where a
socket does not take a frame at once the loop's own way begins.
"""

from __future__ import annotations

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from trading.ground.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trading.ground.lines import Line

REST_SECONDS: Final = 0.001
RESTS: Final = 100
"""How often a round stands aside while a commit is on its way: the journal's thread needs the interpreter for each
of its statements, and an offer's answer waits for it."""

SWITCH_SECONDS: Final = 0.0005
"""How long a thread that wants the interpreter waits before it insists, as long as a round lasts; else 5 ms."""


class Carrier:
    """Brings watchers up to date, one round after another; the thread begins with the first.

    Args:
        busy: whether a commit is on its way; asked in the thread.
    """

    def __init__(self, busy: Callable[[], bool]) -> None:
        self._busy = busy
        self._pool: ThreadPoolExecutor | None = None
        self._stopping = False

    async def carry(
        self, lines: Sequence[Line], frames: Mapping[int, bytes], seq: int
    ) -> list[Line]:
        """Bring the lines of a topic up to date.

        Args:
            lines: in the order in which they are served.
            frames: for the seq that a line has, the framed bytes that it lacks.
            seq: what a line has after them.

        Returns:
            Those that the loop must look after: they read slowly, lack more, or are no watchers of ours.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "hub-carrier")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._round, loop, lines, frames, seq)

    def close(self) -> None:
        """End the thread; afterwards it is in no socket. It waits for one write at most."""
        pool, self._pool = self._pool, None
        if pool is not None:
            self._stopping = True
            pool.shutdown()
            self._stopping = False

    def _round(
        self, loop: asyncio.AbstractEventLoop, lines: Sequence[Line], frames: Mapping[int, bytes], seq: int
    ) -> list[Line]:  # fmt: skip
        left: list[Line] = []
        rests, usual = RESTS, sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            for line in lines:
                if self._stopping:
                    break
                if not isinstance(line, Watcher) or not line.take(frames, seq):
                    left.append(line)
                elif line.owes:
                    loop.call_soon_threadsafe(line.settle)
                while rests and self._busy():
                    rests -= 1
                    time.sleep(REST_SECONDS)
        finally:
            sys.setswitchinterval(usual)
        return left
