"""Time that passes only when nothing else is left to do: hours in milliseconds, and always in the same order.

An event loop of our own time: where no callback is ready it moves on to the next timer at once. It polls no
socket and starts no thread, so a run depends on nothing but its seed. (`_run_once` and `_scheduled` are
asyncio's own affair; `test_auctions.py` holds them to what is used here.)
"""

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

from trading.ground.clock import ClockHealth

ORIGIN = 1_795_492_800_000  # 2026-11-24 12:00:00 北京时间


MOST_TURNS = 4_000
"""Turns of the loop within one instant; who needs more wakes itself again and again, for ever."""


class StuckError(Exception):
    """Nothing is ready and nothing is scheduled, or time stands still; yet the story has not ended."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._turns = 0

    def time(self) -> float:
        """Seconds of virtual time."""
        return self._now

    def begin_anew(self) -> None:
        """Allow this instant as many turns as any."""
        self._turns = 0

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        """Run it here and now: a thread would bring an order of its own."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 (it belongs to whoever awaits)
            future.set_exception(error)
        return future

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody has to be woken."""

    def _process_events(self, event_list: Any) -> None:
        """No socket is watched."""

    def _run_once(self) -> None:
        scheduled = self._scheduled  # type: ignore[attr-defined]
        if not self._ready:  # type: ignore[attr-defined]
            while scheduled and scheduled[0].cancelled():
                heapq.heappop(scheduled)._scheduled = False
                self._timer_cancelled_count -= 1  # type: ignore[attr-defined]
            if scheduled and scheduled[0].when() > self._now:
                self._now, self._turns = scheduled[0].when(), 0
            elif scheduled:
                pass  # due already
            elif not self._stopping:  # type: ignore[attr-defined]
                raise StuckError
        self._turns += 1
        if self._turns > MOST_TURNS:
            raise StuckError
        super()._run_once()  # type: ignore[misc]


class NoSelector:
    """Takes the selector's place: there is nothing to wait for."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def select(self, _timeout: Any = None) -> list[Any]:
        """No socket is ever ready."""
        return []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def virtual_loop() -> VirtualLoop:
    """Make a loop that starts at second 0."""
    loop = VirtualLoop()
    loop._selector = NoSelector(loop._selector)
    return loop


class VirtualClock:
    """Our clock over a virtual loop, ms UTC."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> int:
        """The instant, ms UTC."""
        return ORIGIN + round(self._loop.time() * 1000)

    def health(self) -> ClockHealth:
        """Nothing is known against it."""
        return ClockHealth(0)
