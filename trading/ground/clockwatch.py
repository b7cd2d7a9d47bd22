"""Tells operators, in the log, when what is known about the clock changes. It decides nothing: who begins asks the clock."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from trading.ground.clock import Clock, ClockHealth

LOOK_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)


class Watch:
    """Remembers what was told last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told = "fit"

    def look(self) -> ClockHealth:
        """Look once; a line is written when the standing is another than at the last look."""
        health = self._clock.health()
        if health.standing != self._told:
            self._told = health.standing
            level = logging.INFO if self._told == "fit" else logging.WARNING
            _log.log(
                level, "the clock is %s: offset %s ms, step %d ms",
                self._told, health.offset_ms, health.step_ms,
            )  # fmt: skip
        return health


@asynccontextmanager
async def watched(clock: Clock, seconds: float = LOOK_SECONDS) -> AsyncIterator[None]:
    """Look every few seconds while the block lasts; what is seen decides nothing."""

    async def looking() -> None:
        watch = Watch(clock)
        while True:
            watch.look()
            await asyncio.sleep(seconds)

    task = asyncio.get_running_loop().create_task(looking(), name="clock watch")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
