"""``bench hall``: watchers of one auction, and the bidders whose loop they share.

An offer is made every 0.6 s; "last" is from the moment when its bidder sends it to the moment when the last
watcher has the hall's frame: check, fsync and broadcast together. Bidders, watchers and server are three
processes. Beside it, with frames of the same size: `websockets` alone, and a server in C that only writes,
which is the load generator's own limit. Beside the bidders one write and fsync now and then: a slowest answer
that has a slowest fsync by its side was the disk's. With `TMPDIR` in memory there is no disk.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Final

import typer

from clients.bench.auction import Answer, send
from clients.bench.report import ROOT, Result
from clients.errors import UnfitError
from clients.verbs import verb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clients.bench.arena import Seated
    from clients.bench.centre import Running

SPARSE_US: Final = 600_000
DENSE_US: Final = 20_000
PROBE_US: Final = 5_000
QUIET: Final = 0.3
"""Seconds before a phase: a hall shows at most four frames a second."""

GRACE: Final = 1.0
"""Seconds for which watchers still listen after the last offer."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How one message reached its watchers, milliseconds; over all messages of a phase.

    Attributes:
        p50, p99: until the last of the watchers that read had it.
        size: bytes of a message, median.
        messages: that reached every watcher.
        cpu: microseconds of the server's CPU for one message to one watcher, everything it did meanwhile included;
            what other work on the machine changes least.
    """

    p50: float
    p99: float
    size: int
    messages: int
    cpu: float = 0.0

    def at(self, seconds: float, watchers: int) -> Spread:
        """The same with the CPU that it took."""
        return replace(self, cpu=seconds * 1e6 / (self.messages * watchers))


class Watchers:
    """The load generator with its watchers connected."""

    def __init__(self, child: subprocess.Popen[str], count: int, muted: int) -> None:
        self._child = child
        self.count = count
        self._muted = muted
        if _said(child) != "ready":
            raise UnfitError("the watchers could not connect")

    def listen(self, seconds: float, *, mute: bool = False) -> None:
        """Begins to collect; `spread` reads what came."""
        _pipe(self._child.stdin).write(f"{seconds} {int(mute)}\n")
        _pipe(self._child.stdin).flush()
        self._readers = self.count - (self._muted if mute else 0)

    def spread(self, sent: Sequence[int]) -> Spread:
        """How the messages that were caused at these instants reached everybody."""
        lasts, sizes = [], []
        while (line := _said(self._child)) != "end":
            _, first, last, received, size = map(int, line.split())
            place = bisect_right(sent, first)
            if received >= self._readers and place:
                lasts.append((last - sent[place - 1]) / 1e6)
                sizes.append(size)
        if not lasts:
            raise UnfitError("no message reached all watchers")
        lasts.sort()
        return Spread(
            quantile(lasts, 0.5), quantile(lasts, 0.99), sorted(sizes)[len(sizes) // 2], len(lasts)
        )


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of ascending values lies."""
    return values[min(len(values) - 1, int(len(values) * share))]


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _said(child: subprocess.Popen[str]) -> str:
    line = _pipe(child.stdout).readline()
    if not line:
        raise UnfitError("the load generator ended; its reason stands above")
    return line.rstrip("\n")


@contextmanager
def child(*command: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A helper process with pipes, ended with the block."""
    words = [str(word) for word in command]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as started:
        try:
            yield started
        finally:
            started.kill()


@contextmanager
def watching(load: Path, port: int, path: str, count: int, muted: int = 0) -> Iterator[Watchers]:
    """Connects watchers to a server of ours or of a yardstick."""
    with child(load, "watch", "127.0.0.1", str(port), str(count), path, str(muted)) as started:
        yield Watchers(started, count, muted)


def plain(
    load: Path, command: Sequence[str | Path], port: int, count: int, messages: int
) -> Spread:
    """The same with a server that only broadcasts: `bare` or ``load blast``."""
    from clients.bench.centre import START_SECONDS, Running, answers

    with child(*command) as server:
        running = Running(server.pid, port, 0.0)
        end = time.monotonic() + START_SECONDS
        while not answers(port):
            if time.monotonic() > end:
                raise UnfitError("the yardstick's server did not start")
            time.sleep(0.02)
        with watching(load, port, "/", count) as watchers:
            if _said(server) != "ready":
                raise UnfitError("the yardstick's server is not ready")
            watchers.listen(messages * SPARSE_US / 1e6 + GRACE)
            before = running.cpu()
            _pipe(server.stdin).write("go\n")
            _pipe(server.stdin).flush()
            sent = [int(_said(server).split()[1]) for _ in range(messages)]
            spread = watchers.spread(sent)
            return spread.at(running.cpu() - before, count)


class Hall:
    """One home with an open lot, its server, two bidders and one who only asks for the time.

    Args:
        folder: for plans.
        load: the load generator.
        running: the server.
        seats: three.
    """

    def __init__(self, folder: Path, load: Path, running: Running, seats: Sequence[Seated]) -> None:
        self.folder = folder
        self.load = load
        self.running = running
        self._seats = seats
        self._turn = 1

    def bidding(self, pace_us: int, seconds: float) -> list[Answer]:
        """Makes good offers at a pace; gives when each was sent and answered."""
        from clients.bench import arena

        pair = self._seats[:2]
        each = int(seconds * 1e6 / pace_us / len(pair)) + 1
        frames = arena.offers(pair, each, self._turn, too_low_every=0)
        self._turn += each
        return self._send("bidders", pair, frames, pace_us, seconds)

    def probing(self, seconds: float) -> list[Answer]:
        """Asks for the time at a pace; an answer that tarries tells of a stall of the server's loop."""
        from clients.bench import arena

        frames = [arena.probes(int(seconds * 1e6 / PROBE_US) + 1)]
        return self._send("probes", self._seats[2:], frames, PROBE_US, seconds)

    def _send(
        self, name: str, seats: Sequence[Seated], frames: Sequence[Sequence[bytes]],
        pace_us: int, seconds: float,
    ) -> list[Answer]:  # fmt: skip
        from clients.bench import arena
        from trading.ground.clock import SystemClock

        port = self.running.port
        plan = arena.write_plan(self.folder / name, seats, frames, port, SystemClock().now())
        return send(self.load, plan, port, seconds, pace_us)

    def show(
        self, watchers: Watchers, messages: int, *, mute: bool = False
    ) -> tuple[Spread, list[float]]:
        """Offers now and then, everybody watching; how frames spread, and how long probes waited."""
        seconds = messages * SPARSE_US / 1e6
        time.sleep(QUIET)
        watchers.listen(seconds + GRACE, mute=mute)
        before = self.running.cpu()
        with ThreadPoolExecutor(1) as pool:
            probes = pool.submit(self.probing, seconds)
            sent = [one[0] for one in self.bidding(SPARSE_US, seconds)]
            spread = watchers.spread(sent)
            return spread.at(self.running.cpu() - before, watchers.count), waits(probes.result())


@contextmanager
def hall(folder: Path, load: Path) -> Iterator[Hall]:
    """A fresh home with an open lot."""
    from clients.bench import arena
    from clients.bench.centre import serving

    them = arena.bidders(3)
    home = folder / "home"
    arena.prepare(home, them)
    with serving(home) as running:
        seats = arena.seat(running, them)
        arena.wait_open(running)
        yield Hall(folder, load, running, seats)


def waits(answers: Sequence[Answer]) -> list[float]:
    """Milliseconds from sending to answer, ascending."""
    return sorted((answered - sent) / 1e6 for sent, answered, _ in answers)


def measure(count: int, messages: int, seconds: float) -> Result:
    """One hall and its yardsticks.

    Args:
        count: watchers.
        messages: after which a phase ends.
        seconds: for which bidders hurry, with and without watchers.
    """
    from clients.bench import disk, native
    from clients.bench.arena import LOT
    from clients.bench.centre import free_port

    with tempfile.TemporaryDirectory(prefix="kaibiao-bench-") as place:
        folder = Path(place)
        load = native.load(folder)
        with hall(folder, load) as ours:
            with disk.beside(folder) as calm:
                idle = waits(ours.bidding(DENSE_US, seconds))
            still = waits(ours.probing(seconds))
            before, muted = ours.running.memory(), max(1, count // 100)
            path = f"/api/v1/lots/{LOT}/live"
            with watching(load, ours.running.port, path, count, muted) as watchers:
                each = (ours.running.memory() - before) / count
                spread, probes = ours.show(watchers, messages)
                hushed, _ = ours.show(watchers, messages, mute=True)
                watchers.listen(seconds)
                with disk.beside(folder) as meanwhile:
                    hurried = waits(ours.bidding(DENSE_US, seconds))
        port = free_port()
        sizes = [str(count), str(spread.size), str(messages), str(SPARSE_US)]
        bare = plain(
            load,
            [sys.executable, "-m", "clients.bench.bare", str(port), *sizes],
            port,
            count,
            messages,
        )
        limit = plain(load, [load, "blast", str(port), *sizes], port, count, messages)
    return Result(
        name="hall",
        unit=f"ms until the last of {count} watchers, p50",
        value=spread.p50,
        yardsticks={
            "p99": spread.p99,
            "1 % not reading, p50": hushed.p50,
            "1 % not reading, p99": hushed.p99,
            "websockets broadcast alone, p50": bare.p50,
            "websockets broadcast alone, p99": bare.p99,
            "load generator's own limit, p50": limit.p50,
            "load generator's own limit, p99": limit.p99,
            "server's CPU, µs a watcher and frame": spread.cpu,
            "websockets alone, µs a watcher and frame": bare.cpu,
            "generator's server in C, µs a watcher and frame": limit.cpu,
            "bytes a frame": spread.size,
            "memory per watcher, KB": each / 1000,
            "loop stalls seen by a probe, p99": quantile(probes, 0.99),
            "probe without watchers, p99": quantile(still, 0.99),
            "bidders' answers, p99": quantile(hurried, 0.99),
            "bidders' answers without watchers, p99": quantile(idle, 0.99),
            "bidders' answers, slowest": hurried[-1],
            "one write and fsync meanwhile, slowest": max(meanwhile, default=0.0),
            "bidders' answers without watchers, slowest": idle[-1],
            "one write and fsync then, slowest": max(calm, default=0.0),
        },
        ratios={
            "last watcher / websockets alone": spread.p50 / bare.p50,
            "last watcher / generator's limit": spread.p50 / limit.p50,
            "CPU / websockets alone": spread.cpu / bare.cpu,
            "bidders' p99 / without watchers": quantile(hurried, 0.99) / quantile(idle, 0.99),
        },
        notes=f"{spread.messages} of {messages} messages reached everybody in the phase counted; "
        "from the bidder's sending to the last watcher's receiving, so signature, fsync and broadcast",
    )


@verb
def command(
    watchers: Annotated[int, typer.Option(min=1, max=18_000, help="of one hall")] = 500,
    messages: Annotated[int, typer.Option(min=2, help="in each phase")] = 12,
    seconds: Annotated[float, typer.Option(help="for which bidders hurry")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """A hall full of watchers, beside a bare broadcast."""
    measure(watchers, messages, seconds).tell(as_json=as_json)
