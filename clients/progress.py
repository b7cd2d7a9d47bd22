"""Progress: a bar with rich on a terminal, a plain line at the end elsewhere, nothing with ``--json``."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def bar(title: str, total: int, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Shows how far something has come.

    Args:
        title: what is being done.
        total: bytes in all.
        quiet: show nothing.

    Yields:
        A function to be called with the bytes done since its last call.
    """
    if quiet:
        yield lambda _: None
        return
    if not sys.stderr.isatty():
        yield lambda _: None
        print(f"{title}: {total} bytes", file=sys.stderr)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=5) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.update(task, advance=count)
