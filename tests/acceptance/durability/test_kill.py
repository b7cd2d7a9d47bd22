"""kill -9 at every named point of an offer's way: nothing told is lost, nothing is doubled, no doubt remains.

A home lives through several processes. Each is killed at a point, at its first or a later passing of
it; the next one settles by their own keys whatever offers were left in doubt, bids on, and is killed in
its turn. The bidders' memory is the parent's: what a socket carried before the end counts, no more.
"""

import asyncio
import json
import os
import shutil
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import event

from auction.hall import Hall
from auction.service.bidding import BidderDesk
from auction.writer import LotWriter
from tests.acceptance.durability import scene
from tests.acceptance.durability.disk import Disk
from tests.acceptance.durability.lives import Life, die, forked
from tests.auction.stage import Stage
from trading.ground.database import Database
from trading.ground.journal import Journal

Say = Callable[[bytes], None]


class Point:
    """A place where the child dies, at its n-th passing.

    Everything that it patches is patched in the child alone, which does not live to mend it.
    """

    def __init__(self, name: str, passing: int) -> None:
        self.name = name
        self._left = passing

    def passed(self) -> None:
        """Count, and die."""
        self._left -= 1
        if self._left == 0:
            die()

    def before(self, kind: type, name: str) -> None:
        """Die at the entry of a method."""
        real = getattr(kind, name)

        def dying(*arguments: Any, **named: Any) -> Any:
            self.passed()
            return real(*arguments, **named)

        setattr(kind, name, dying)

    def after(self, kind: type, name: str) -> None:
        """Die at the return of a method."""
        real = getattr(kind, name)

        def dying(*arguments: Any, **named: Any) -> Any:
            result = real(*arguments, **named)
            self.passed()
            return result

        setattr(kind, name, dying)

    def plant(self, database: Database, disk: Disk) -> None:
        """Put it where its name says."""
        match self.name:
            case "arrived":
                self.before(BidderDesk, "receive")
            case "decided, before the append":
                self.before(LotWriter, "_write")
            case "queued for the writer thread":
                self.after(Journal, "append_nowait")
            case "in the append, nothing written":
                self.before(Journal, "_commit")
            case "in the append, before its commit":
                event.listen(database.engine, "commit", lambda _connection: self.passed())
            case "between two pages of the log":
                disk.before = lambda call, file: (
                    self.passed() if (call, file[-4:]) == ("write", "-wal") else None
                )
            case "log written, before its sync":
                disk.before = lambda call, file: (
                    self.passed() if (call, file[-4:]) == ("sync", "-wal") else None
                )
            case "after the commit":
                self.after(Journal, "_commit")
            case "listeners told, nobody answered":
                self.after(Journal, "_finish")
            case "settled, before the answer":
                self.after(LotWriter, "_settle")
            case "before the bytes of the answer":
                self.before(BidderDesk, "_answer")
            case "after the answer, before the broadcast":
                self.after(BidderDesk, "_answer")
            case "shown to the hall":
                self.before(Hall, "show")
            case _:
                raise AssertionError(self.name)


POINTS = [
    "arrived",
    "decided, before the append",
    "queued for the writer thread",
    "in the append, nothing written",
    "in the append, before its commit",
    "between two pages of the log",
    "log written, before its sync",
    "after the commit",
    "listeners told, nobody answered",
    "settled, before the answer",
    "before the bytes of the answer",
    "after the answer, before the broadcast",
    "shown to the hall",
]
HAMMER = [point for point in POINTS if "answer" not in point.split(", ")[0] and point != "arrived"]


Act = Callable[[Stage, scene.Crowd, Callable[[], None]], Awaitable[None]]
"""What a process does after it has settled the doubts of the last; it arms the point when it wishes."""


async def bid(_stage: Stage, crowd: scene.Crowd, arm: Callable[[], None]) -> None:
    """Bid until the end, which comes from elsewhere."""
    arm()
    for _ in range(40):
        await crowd.round()


async def rest(_stage: Stage, crowd: scene.Crowd, _arm: Callable[[], None]) -> None:
    """Bid once, and end in peace."""
    await crowd.round()


async def fall(stage: Stage, crowd: scene.Crowd, arm: Callable[[], None]) -> None:
    """A few offers, then the end of the auction, with the point just before it."""
    await crowd.round()
    arm()
    writer = stage.service.writer(scene.LOT)
    for _ in range(3):
        if writer.durable.outcome is None:
            assert writer.book.live.ends is not None
            stage.clock.set(writer.book.live.ends)
            stage.timers.fire()
            await stage.timers.settle()
        await crowd.round()


def child(
    home: Path,
    memory: scene.Memory,
    act: Act,
    point: Point | None = None,
    *,
    from_the_start: bool = False,
) -> Life:
    """A process of the centre on a home, which settles doubts and then acts until it is killed."""

    async def story(say: Say, disk: Disk) -> None:
        if point is not None and from_the_start:  # it may die in recovering from the last death
            real, kind = Stage.register, Stage

            def register(self: Stage, count: int) -> None:
                point.plant(self.database, disk)
                real(self, count)

            kind.register = register  # type: ignore[method-assign]
        stage = await scene.opened(home, later=1_000)
        crowd = scene.Crowd(stage, memory, lambda message: say(b"A" + message))
        offer = crowd.offer

        def sent(number: int) -> str:
            frame = offer(number)
            key = next(reversed(memory.sent))
            say(b"S" + json.dumps([key, number, frame, memory.top]).encode())
            return frame

        crowd.offer = sent  # type: ignore[method-assign]
        await crowd.settle_doubts()

        def arm() -> None:
            if point is not None and not from_the_start:
                point.plant(stage.database, disk)

        await act(stage, crowd, arm)
        await stage.stop()

    def work(say: Say) -> int:
        with ExitStack() as stack:
            disk = stack.enter_context(Disk())
            asyncio.run(story(say, disk))
        return 0

    return forked(work)


def remember(life: Life, memory: scene.Memory, kill_after: int | None = None) -> int:
    """Take down what the child said; kill it from outside after so many lines. Gives its end."""
    for count, line in enumerate(life.lines()):
        take(line, memory)
        if count == kill_after:
            os.kill(life.pid, signal.SIGKILL)
    return life.ended()


def take(line: bytes, memory: scene.Memory) -> None:
    """Take down one line of a child."""
    if line[:1] == b"S":
        key, number, frame, memory.top = json.loads(line[1:])
        memory.sent[key] = (number, frame)
    else:
        memory.hear(json.loads(line[1:]))


def killed(
    home: Path, point: str, kills: int, rnd: Random, act: Act, last: Act
) -> tuple[scene.Memory, int]:
    """One home through so many deaths at a point, and a last process that settles everything."""
    memory, deaths = scene.Memory(), 0
    for _ in range(kills):
        died = Point(point, rnd.choice([1, 1, 2, 3] if act is fall else [1, 1, 2, 3, 5, 8, 13]))
        life = child(home, memory, act, died, from_the_start=rnd.random() < 0.3)
        end = remember(life, memory)
        assert end == -signal.SIGKILL or (act is fall and end == 0), f"it ended with {end}"
        deaths += end != 0
    assert remember(child(home, memory, last), memory) == 0
    assert not memory.doubtful()
    return memory, deaths


def judge(home: Path, memory: scene.Memory) -> None:
    assert scene.faults(scene.stored(home), memory) == []
    scene.refold(home)
    shutil.rmtree(home)


@pytest.mark.parametrize("point", POINTS)
def test_kill_9_at_every_named_point_of_an_offers_way(
    template: Path, folder: Path, point: str
) -> None:
    for seed in range(2):
        home = scene.copied(template, folder / f"home-{seed}")
        memory, deaths = killed(home, point, 12, Random(f"{point} {seed}"), bid, rest)
        assert deaths == 12
        assert len(memory.told) > 8
        judge(home, memory)


def test_kill_9_from_outside_at_any_moment(template: Path, folder: Path) -> None:
    rnd = Random(9)
    for seed in range(4):
        home, memory = scene.copied(template, folder / f"home-{seed}"), scene.Memory()
        for _ in range(10):
            end = remember(child(home, memory, bid), memory, kill_after=rnd.randrange(60))
            assert end == -signal.SIGKILL
        assert remember(child(home, memory, rest), memory) == 0
        judge(home, memory)


@pytest.mark.parametrize("point", HAMMER)
def test_kill_9_at_the_hammer_gives_one_result_and_gives_deposits_back_once(
    template: Path, folder: Path, point: str
) -> None:
    for seed in range(2):
        home = scene.copied(template, folder / f"home-{seed}")
        memory, deaths = killed(home, point, 4, Random(f"hammer {point} {seed}"), fall, fall)
        assert deaths > 0
        kinds = Counter(row.kind for row in scene.stored(home))
        assert kinds["auction.result"] == 1
        assert kinds["deposit.released"] == 1
        judge(home, memory)


def test_control_a_centre_that_answers_before_it_writes_is_caught(
    template: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes each batch when the next one comes: a kill finds one that was told and is not there.

    A kill that falls right behind a write finds nothing, so a few are tried, each on a home of its own.
    """
    late = scene.commit_late(Journal._commit)
    lost: list[str] = []
    for number in range(6):
        home, memory = scene.copied(template, folder / f"home-{number}"), scene.Memory()
        with monkeypatch.context() as patched:
            patched.setattr(Journal, "_commit", late)
            ended = remember(child(home, memory, bid), memory, kill_after=40 + number)
        assert ended == -signal.SIGKILL
        faults = scene.faults(scene.stored(home), memory)
        lost += [line for line in faults if line.endswith("is lost")]
        if lost:
            break
    assert lost


@pytest.mark.soak
@pytest.mark.parametrize("point", POINTS)
def test_a_thousand_kills(template: Path, folder: Path, point: str) -> None:
    for seed in range(10):
        home = scene.copied(template, folder / f"home-{seed}")
        memory, deaths = killed(home, point, 10, Random(f"soak {point} {seed}"), bid, rest)
        assert deaths == 10
        judge(home, memory)
