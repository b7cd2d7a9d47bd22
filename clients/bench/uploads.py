"""``bench uploads``: bidders who hand in at once, each a file of its own by tus, to one server."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clients.bench.report import Result, random_file, size_of
from clients.verbs import verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clients.bench.arena import Seated

COPIES = 2  # of every whole file, in the content store
MEGA = 1e6


def plain_write(source: Path, folder: Path, times: int) -> float:
    """MB/s of one process that writes a file so many times as often as the centre keeps it, and syncs each."""
    import os

    block = source.read_bytes()
    begin = time.perf_counter()
    for number in range(times):
        with (folder / f"plain-{number}").open("wb") as file:
            file.write(block)
            file.flush()
            os.fsync(file.fileno())
    took = time.perf_counter() - begin
    for number in range(times):
        (folder / f"plain-{number}").unlink()
    return len(block) * times / MEGA / took


def send(server: str, token: str, file: Path) -> None:
    """One bidder's upload, from creation to the last byte."""
    from clients.sdk import uploads
    from clients.sdk.wire import Centre

    with closing(Centre.at(server)) as centre:
        centre.token = token
        uploads.send(centre, file, uploads.create(centre, file.stat().st_size, {}))


@contextmanager
def parallel(server: str, seats: list[Seated], file: Path, count: int) -> Iterator[None]:
    """Uploads of so many files under way while the block lasts; left when all are whole."""
    with ThreadPoolExecutor(count) as pool:
        jobs = [pool.submit(send, server, seats[n % len(seats)].token, file) for n in range(count)]
        yield
        for job in jobs:
            job.result()


def measure(count: int, size: int, together: int) -> Result:
    """Uploads files, so many at a time.

    Args:
        count: files in all.
        size: bytes of each.
        together: uploads under way at once.
    """
    from clients.bench import arena
    from clients.bench.centre import serving

    with tempfile.TemporaryDirectory(prefix="kaibiao-bench-") as place:
        folder = Path(place)
        file = random_file(folder / "bid.age", size)
        them = arena.bidders(min(together, 20))
        arena.prepare(folder / "home", them)
        before = plain_write(file, folder, COPIES)
        with serving(folder / "home") as running:
            seats = arena.seat(running, them)
            spent, begin = running.cpu(), time.perf_counter()
            left = count
            while left:
                now = min(left, together)
                with parallel(running.server, seats, file, now):
                    left -= now
            took = time.perf_counter() - begin
            cpu, peak = running.cpu() - spent, running.memory("VmHWM")
        after = plain_write(file, folder, COPIES)
    total = count * size / MEGA
    plain = max(before, after) / COPIES
    return Result(
        name="uploads",
        unit="MB/s together",
        value=total / took,
        yardsticks={
            f"one process that writes {COPIES} copies and syncs, MB/s of content": plain,
            "server's peak RSS in MiB": peak / (1 << 20),
            "server's CPU ms per MB": cpu * 1000 / total,
        },
        ratios={"uploads / plain writing": total / took / plain},
        notes=f"{count} files of {size} bytes, {together} at once; received, hashed, kept in {COPIES} copies",
    )


@verb
def command(
    files: Annotated[int, typer.Option(min=1, help="in all")] = 20,
    size: Annotated[str, typer.Option(help="of each: 20M, 100M, …")] = "20M",
    together: Annotated[int, typer.Option(min=1, help="at once")] = 20,
    whole: Annotated[bool, typer.Option(help="200 files of 100 MiB")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Many bids handed in at once."""
    if whole:
        measure(200, size_of("100M"), together).tell(as_json=as_json)
    else:
        measure(files, size_of(size), together).tell(as_json=as_json)
