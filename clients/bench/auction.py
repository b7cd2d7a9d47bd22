"""``bench auction``: offers decided in one lot, each signed, verified, chained and fsynced before its answer.

A hundred bidders on real WebSockets, each with one offer on its way; the server is the product's own, in a
process of its own, without the token bucket. Nineteen of twenty offers are good; the twentieth is too low, and
the engine refuses it after its signature held.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from clients.bench.report import ROOT, Result
from clients.errors import UnfitError
from clients.verbs import verb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clients.bench.arena import Seated
    from clients.bench.centre import Running

SLOW_MS: Final = 2
SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
YARDSTICK_SECONDS: Final = 1.5


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of bidders came to.

    Attributes:
        rate: answers a second, from the first offer to the last answer.
        p50, p99, worst: milliseconds from sending an offer to its answer.
        accepted: share of the answers that accept.
        cpu: the server's CPU microseconds per offer, and `loop` those of its event loop's thread.
        others: how many cores other work on this machine took meanwhile.
    """

    answers: int
    rate: float
    p50: float
    p99: float
    worst: float
    accepted: float
    cpu: float = 0
    loop: float = 0
    others: float = 0


Answer = tuple[int, int, int]
"""Sent and answered, ns of the monotonic clock; 1 accepted, 0 refused, 2 neither."""


def read_answers(rows: Sequence[Answer]) -> Load:
    """Sums up what bidders were answered.

    Raises:
        UnfitError: no offer was answered, or one was not even heard.
    """
    if not rows or any(kind == 2 for _, _, kind in rows):
        raise UnfitError("an offer was not heard; see the server's log")
    waits = sorted(answered - sent for sent, answered, _ in rows)
    seconds = (max(row[1] for row in rows) - min(row[0] for row in rows)) / 1e9
    good = sum(kind == 1 for _, _, kind in rows)
    middle, late = (waits[int(len(waits) * q)] / 1e6 for q in (0.5, 0.99))
    return Load(
        answers=len(rows),
        rate=len(rows) / seconds,
        p50=middle,
        p99=late,
        worst=waits[-1] / 1e6,
        accepted=good / len(rows),
    )


def send(load: Path, plan: Path, port: int, seconds: float, pace_us: int = 0) -> list[Answer]:
    """Lets the bidders of a plan send their messages; at a pace, or each when its last is answered."""
    from clients.bench.centre import HOST

    done = subprocess.run(
        [str(load), "bid", HOST, str(port), str(plan), str(seconds), str(pace_us)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise UnfitError(f"the load generator ended: {done.stderr[-600:]}")
    rows = (line.split() for line in done.stdout.splitlines())
    return [(int(sent), int(answered), int(kind)) for sent, answered, kind in rows]


def bid(load: Path, plan: Path, running: Running, seconds: float) -> Load:
    """Lets the bidders of a plan bid as fast as they are answered."""
    from clients.bench.centre import busy

    spent = _children()
    before, begin = (running.cpu(), running.loop(), busy()), time.perf_counter()
    said = read_answers(send(load, plan, running.port, seconds))
    after, took = (running.cpu(), running.loop(), busy()), time.perf_counter() - begin
    ours, loop, everybody = (late - early for early, late in zip(before, after, strict=True))
    others = everybody - ours - (_children() - spent)
    return replace(
        said,
        cpu=ours / said.answers * 1e6,
        loop=loop / said.answers * 1e6,
        others=max(0.0, others) / took,
    )


def _children() -> float:
    """CPU seconds of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def commits(folder: Path, seconds: float, environment: Mapping[str, str]) -> dict[str, float]:
    """What the store allows at this moment: `raw` and `single`, commits a second."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        done = subprocess.run(
            [sys.executable, "-m", "clients.bench.commits", f"{place}/store", str(seconds)],
            capture_output=True, text=True, check=True, cwd=ROOT, env=os.environ | environment,
        )  # fmt: skip
    return dict(json.loads(done.stdout))


def run_lot(
    load: Path, folder: Path, people: int, each: int, seconds: float,
    environment: Mapping[str, str], rows: int = 0,
) -> tuple[Load, dict[str, Any]]:  # fmt: skip
    """One lot on a fresh home, from the first offer to the last answer, and a yardstick on either side.

    Args:
        load: the load generator.
        folder: where the home is made.
        people: bidders.
        each: offers that each of them has ready.
        seconds: after which nobody begins another.
        environment: of the server and of the yardsticks.
        rows: rows that the journal holds beforehand.
    """
    from clients.bench import arena
    from clients.bench.centre import serving
    from trading.ground.clock import SystemClock

    them = arena.bidders(people)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        home = Path(place) / "home"
        arena.prepare(home, them, rows)
        before = commits(folder, YARDSTICK_SECONDS, environment)
        with serving(home, environment) as running:
            seats: Sequence[Seated] = arena.seat(running, them)
            frames = arena.offers(seats, each)
            now = SystemClock().now()
            plan = arena.write_plan(Path(place) / "plan", seats, frames, running.port, now)
            arena.wait_open(running)
            measured = bid(load, plan, running, seconds)
            about = {"started": running.started, "memory": running.memory()}
        after = commits(folder, YARDSTICK_SECONDS, environment)
    yardsticks = {name: max(before[name], after[name]) for name in before}
    return measured, about | yardsticks


def measure(people: int, each: int, seconds: float, *, slow: bool = True) -> Result:
    """One lot on this disk, and on one whose fsync costs 2 ms more.

    Args:
        people: bidders.
        each: offers that each of them has ready.
        seconds: after which nobody begins another.
        slow: whether the slow disk is measured too.
    """
    from clients.bench import native

    with tempfile.TemporaryDirectory(prefix="kaibiao-bench-") as place:
        folder = Path(place)
        load = native.load(folder)
        ours, beside = run_lot(load, folder, people, each, seconds, {})
        yardsticks, ratios = _figures("", ours, beside)
        if slow:
            shim = {"LD_PRELOAD": str(native.slow_sync(folder))}
            more, also = _figures(
                "2 ms fsync, ", *run_lot(load, folder, people, each, seconds, shim)
            )
            yardsticks |= more
            ratios |= also
    return Result(
        name="auction",
        unit="offers/s",
        value=ours.rate,
        yardsticks=yardsticks,
        ratios=ratios,
        notes=f"one lot, {people} bidders with one offer each on its way, {ours.answers} offers; "
        "server and load generator are two processes on one machine",
    )


def _figures(
    disk: str, ours: Load, beside: Mapping[str, Any]
) -> tuple[dict[str, float], dict[str, float]]:
    yardsticks = {
        f"{disk}offers/s": ours.rate,
        f"{disk}p50 ms": ours.p50,
        f"{disk}p99 ms": ours.p99,
        f"{disk}slowest ms": ours.worst,
        f"{disk}accepted %": ours.accepted * 100,
        f"{disk}server's CPU µs per offer": ours.cpu,
        f"{disk}event loop's CPU µs per offer": ours.loop,
        f"{disk}cores taken by others": ours.others,
        f"{disk}raw commits/s": beside["raw"],
        f"{disk}one transaction per offer, offers/s": beside["single"],
    }
    ratios = {
        f"{disk}ours / raw commits": ours.rate / beside["raw"],
        f"{disk}ours / one transaction per offer": ours.rate / beside["single"],
    }
    return yardsticks, ratios


def growth(sizes: Sequence[int], people: int, each: int, folder: Path) -> Result:
    """Cost per offer as the journal grows, written as `growth.json` and `growth.png` into a folder.

    Each size is a home of its own with so many rows of other business; CPU of the server is what is
    compared, as it depends least on what else the machine does.
    """
    from clients.bench import native
    from clients.bench.plot import curve

    rows = []
    with tempfile.TemporaryDirectory(prefix="kaibiao-bench-") as place:
        load = native.load(Path(place))
        for size in sizes:
            ours, beside = run_lot(load, Path(place), people, each, 10, {}, size)
            rows.append(
                {"rows": size, "cpu_us": ours.cpu, "offers_per_s": ours.rate, "p50_ms": ours.p50,
                 "p99_ms": ours.p99, "raw_commits_per_s": beside["raw"], "start_s": beside["started"]}
            )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "growth.json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    curve(
        folder / "growth.png",
        [(row["rows"], row["cpu_us"]) for row in rows],
        "rows in the journal",
        "server's CPU per offer, microseconds",
    )
    costs = [row["cpu_us"] for row in rows]
    return Result(
        name="auction growth",
        unit="µs CPU per offer at the last size",
        value=costs[-1],
        yardsticks={f"{row['rows']} rows": row["cpu_us"] for row in rows},
        ratios={"last / first": costs[-1] / costs[0]},
        notes=f"{people} bidders, {each} offers each, a fresh home per size",
    )


@verb
def command(
    bidders: Annotated[int, typer.Option(min=2, help="on sockets of their own")] = 100,
    offers: Annotated[int, typer.Option(min=1, help="that each of them has ready")] = 250,
    seconds: Annotated[float, typer.Option(help="no offer begins later")] = 8,
    grow: Annotated[
        Path | None, typer.Option(help="folder for the growth curve instead, 10³ to 10⁶ rows")
    ] = None,
    most: Annotated[int, typer.Option(help="largest journal of the curve")] = SIZES[-1],
    fast_disk_only: Annotated[bool, typer.Option(help="leave the 2 ms disk out")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Offers decided in one lot, durable before they are answered."""
    if grow is not None:
        sizes = [size for size in SIZES if size <= most]
        growth(sizes, bidders, min(offers, 100), grow).tell(as_json=as_json)
    else:
        measure(bidders, offers, seconds, slow=not fast_disk_only).tell(as_json=as_json)
