"""Timers: wake a callback at an instant of our clock. The deadline is state; a timer only wakes.

Nothing is stored here. At start each service reads its deadlines from the journal and sets its
timers again; one that lies in the past fires at once, and the service decides by its own rule
what an overdue deadline means. A callback that fails is logged and woken again, later and later,
until it succeeds or is cancelled: a deadline is never lost to an exception.
"""

from __future__ import annotations

import asyncio
import heapq
import inspect
import itertools
import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trading.ground.clock import Clock

LONGEST_NAP_MS: Final = 1_000  # the clock may be slewed: look at it again at least this often
FIRST_RETRY_MS: Final = 1_000
LAST_RETRY_MS: Final = 60_000

_log = logging.getLogger(__name__)


class Timers:
    """Wakes callbacks in the event loop; used only from there.

    Args:
        clock: whose instants are meant.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, str]] = []
        self._order = itertools.count()
        self._callbacks: dict[str, tuple[int, Callable[[], Awaitable[None] | None], int]] = {}
        self._handle: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def at(self, ms: int, callback: Callable[[], Awaitable[None] | None], key: str) -> None:
        """Wake `callback()` at or just after an instant.

        Args:
            ms: instant, ms UTC; an overdue one fires at the loop's next turn.
            callback: plain or async; runs once unless it fails.
            key: names the deadline; setting it again replaces the earlier instant.
        """
        self._set(ms, callback, key, 0)

    def cancel(self, key: str) -> None:
        """Forget a deadline; unknown keys are fine."""
        self._callbacks.pop(key, None)

    def pending(self) -> dict[str, int]:
        """Keys and instants of all deadlines to come."""
        return {key: entry[0] for key, entry in self._callbacks.items()}

    def fire(self) -> None:
        """Wake whatever is due by the clock now; tests with a frozen clock call it themselves."""
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            ms, _, key = heapq.heappop(self._heap)
            entry = self._callbacks.get(key)
            if entry is None or entry[0] != ms:
                continue  # cancelled or moved meanwhile
            del self._callbacks[key]
            _, callback, retries = entry
            task = asyncio.get_running_loop().create_task(self._wake(callback, key, retries))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._arm()

    async def settle(self) -> None:
        """Wait until every callback that has been woken is done; for tests and for closing."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Forget all deadlines and let running callbacks end."""
        self._callbacks.clear()
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        await self.settle()

    def _set(
        self, ms: int, callback: Callable[[], Awaitable[None] | None], key: str, retries: int
    ) -> None:
        self._callbacks[key] = (ms, callback, retries)
        heapq.heappush(self._heap, (ms, next(self._order), key))
        self._arm()

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._heap:
            nap = min(max(self._heap[0][0] - self._clock.now(), 0), LONGEST_NAP_MS)
            self._handle = asyncio.get_running_loop().call_later(nap / 1000, self.fire)

    async def _wake(
        self, callback: Callable[[], Awaitable[None] | None], key: str, retries: int
    ) -> None:
        try:
            result = callback()
            if inspect.isawaitable(result):
                await result
        except Exception:  # noqa: BLE001 (logged, and tried again: see the module's text)
            _log.critical("the timer %s failed, try %d", key, retries + 1, exc_info=True)
            if key not in self._callbacks:
                wait = min(FIRST_RETRY_MS << min(retries, 10), LAST_RETRY_MS)
                self._set(self._clock.now() + wait, callback, key, retries + 1)
