"""What the disk does by itself while a server is measured on it: one page written and made durable now and then.

An answer that tarries because this machine's disk did, for whomever, is told from one that our code kept.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVERY_SECONDS: Final = 0.05
"""Seldom enough to cost the server nothing, often enough that no longer stall of the disk passes between two."""

PAGE: Final = bytes(4096)


@contextmanager
def beside(folder: Path) -> Iterator[list[float]]:
    """Writes while the block lasts; gives the milliseconds that each write with its fsync took."""
    took: list[float] = []
    over = threading.Event()

    def write() -> None:
        with (folder / "page").open("ab", buffering=0) as file:
            while not over.wait(EVERY_SECONDS):
                begin = time.perf_counter()
                file.write(PAGE)
                os.fsync(file.fileno())
                took.append((time.perf_counter() - begin) * 1e3)

    thread = threading.Thread(target=write, name="bench-disk")
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()
