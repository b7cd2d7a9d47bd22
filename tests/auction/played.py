"""Playing one act on one home, to its end or to a kill."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from auction.replay.book import Book, evolve
from auction.replay.closed import by_key
from tests.auction.stage import NOON, Stage

Play = Callable[[Stage], Awaitable[None]]


def play(tmp_path: Path, act: Play, now: int = NOON) -> None:
    """Run one act on one home; the live book must equal the fold of its own rows at the end."""

    async def run() -> None:
        stage = await Stage(tmp_path, now).start()
        try:
            await act(stage)
            await stage.quiet()
            for lot, writer in stage.service.writers.items():
                assert refold(stage, lot) == writer.book
        finally:
            await stage.stop()

    asyncio.run(run())


def refold(stage: Stage, lot: str) -> Book:
    book = Book()
    for row in stage.service.rows(lot):
        evolve(book, row, by_key(stage.service._keys[lot]))
    return book


async def killed(tmp_path: Path, act: Play) -> None:
    """Play an act and end without any farewell: the next process finds what was durable."""
    stage = await Stage(tmp_path).start()
    await act(stage)
    await stage.service.stop()
    stage.halls.close()
    await stage.timers.close()
    await stage.hub.close()
    stage.close()
