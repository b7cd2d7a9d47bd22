"""Clocks that jump and processes that stand still: no end moves, and who came late is late.

The wall clock is the machine's; the centre's carries it on by the monotonic one (`trading/ground/clock.py`).
So an auction during which the wall clock leaps by an hour or by days leaves the same bytes as one in
peace.
"""

import asyncio
import json
import mmap
import os
import signal
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.acceptance.durability import scene
from tests.acceptance.durability.lives import forked
from tests.auction import stage as stage_module
from tests.auction.stage import NOON
from trading.ground import clock as clock_module
from trading.ground.clock import ClockHealth, SystemClock, fit_to_open

HOUR, DAY = 3_600_000, 86_400_000
LEAPS = [-HOUR, HOUR, 2 * DAY, -2 * DAY, -1_500, 60_000]


class Machine:
    """The two clocks of a machine, and hands that turn one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall = (NOON + 11_000) * 1_000_000
        self.mono = 7_000_000_000
        monkeypatch.setattr(clock_module, "_wall_ns", lambda: self.wall)
        monkeypatch.setattr(clock_module.time, "monotonic_ns", lambda: self.mono)

    def pass_ms(self, ms: int) -> None:
        self.wall += ms * 1_000_000
        self.mono += ms * 1_000_000

    def leap_ms(self, ms: int) -> None:
        self.wall += ms * 1_000_000


class Follower(SystemClock):
    """The control: a clock that believes the wall."""

    def now(self) -> int:
        return clock_module._wall_ns() // 1_000_000


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(monkeypatch)
    monkeypatch.setattr(stage_module, "FrozenClock", lambda _now: SystemClock())
    return made


def auction(home: Path, machine: Machine, leaps: dict[int, int]) -> bytes:
    """Twenty rounds, the hammer, a late offer; gives the head of the auction's chain."""

    async def act() -> bytes:
        stage = await scene.opened(home)
        crowd = scene.Crowd(stage, scene.Memory())
        for number in range(20):
            machine.pass_ms(1_700)
            machine.leap_ms(leaps.get(number, 0))
            stage.timers.fire()
            await stage.timers.settle()
            await crowd.round()
        assert stage.clock.health().step_ms == sum(leaps.values())  # the operator hears of it
        assert fit_to_open(stage.clock.health()) == (sum(leaps.values()) == 0)
        machine.pass_ms(100_000)
        stage.timers.fire()
        await stage.timers.settle()
        await crowd.round()
        head = stage.service.rows(scene.LOT)[-1].chain
        assert stage.service.writer(scene.LOT).durable.outcome is not None
        await stage.stop()
        return head

    return asyncio.run(act())


def calm(template: Path, folder: Path) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage_module, "FrozenClock", lambda _now: SystemClock())
        return auction(scene.copied(template, folder / "calm"), Machine(patch), {})


def test_an_auction_whose_wall_clock_leaps_leaves_the_same_bytes(
    template: Path, folder: Path, machine: Machine
) -> None:
    expected, start = calm(template, folder), (machine.wall, machine.mono)
    for seed in range(12):
        rnd = Random(seed)
        leaps = {rnd.randrange(20): rnd.choice(LEAPS) for _ in range(rnd.randint(1, 4))}
        machine.wall, machine.mono = start
        assert auction(scene.copied(template, folder / str(seed)), machine, leaps) == expected


def test_control_a_clock_that_follows_the_wall_is_caught(
    template: Path, folder: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = calm(template, folder)
    monkeypatch.setattr(stage_module, "FrozenClock", lambda _now: Follower())
    assert auction(scene.copied(template, folder / "other"), machine, {3: HOUR // 2}) != expected


def test_a_restart_under_a_wall_clock_two_days_ahead_gives_the_time_back(
    template: Path, folder: Path, machine: Machine
) -> None:
    home, memory = scene.copied(template, folder / "home"), scene.Memory()

    async def before() -> None:
        stage = await scene.opened(home)
        await scene.Crowd(stage, memory).round()
        await stage.stop()

    async def after() -> int:
        stage = await scene.opened(home)
        crowd = scene.Crowd(stage, memory)
        await crowd.round()
        left = stage.service.writer(scene.LOT).durable.ends
        assert left is not None
        await stage.stop()
        return left - stage.clock.now()

    asyncio.run(before())
    machine.leap_ms(2 * DAY)
    assert asyncio.run(after()) == 60_000  # a whole window: the outage took none of it
    assert not scene.faults(scene.stored(home), memory)


def test_a_clock_that_stands_until_the_wall_has_caught_up_is_not_fit(machine: Machine) -> None:
    """The wall was days ahead when rows were stamped, and was set right before this start."""
    clock = SystemClock()
    future = clock.now() + 2 * DAY
    clock.not_before(future)
    machine.pass_ms(5_000)
    assert clock.now() == future  # it never goes back, so it stands
    assert clock.health().step_ms == -(2 * DAY - 5_000)
    assert not fit_to_open(clock.health())
    machine.pass_ms(2 * DAY)
    assert fit_to_open(clock.health())


# --- A process that stands still over the hammer ---


class Shared:
    """A clock in memory that two processes share; the parent sets it."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, 8)

    def set(self, ms: int) -> int:
        self._page[:8] = struct.pack("q", ms)
        return ms

    def now(self) -> int:
        return int(struct.unpack("q", self._page[:8])[0])

    def health(self) -> ClockHealth:
        return ClockHealth(0)

    def not_before(self, ms: int) -> None:
        self.set(max(ms, self.now()))


class Lazy(Shared):
    """The control: it looks at the time now and then, as a coarse cached clock does."""

    def __init__(self, real: Shared) -> None:
        self._page = real._page
        self._seen = super().now()

    def now(self) -> int:
        return self._seen

    def not_before(self, ms: int) -> None:
        self._seen = self.set(max(ms, super().now()))


def stalled(home: Path, clock: Shared, centre_clock: Callable[[], Any]) -> scene.Memory:
    """An offer in time, a stop of the process over the end, offers that wait at its door."""
    memory, paddles = scene.Memory(), scene.paddles(home)
    reading, writing = os.pipe()

    async def serve(say: Callable[[bytes], None]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stage_module, "FrozenClock", lambda _now: centre_clock())
            stage = await scene.opened(home)
        crowd = scene.Crowd(stage, scene.Memory(), say)
        with os.fdopen(reading, "rb") as door:
            loop = asyncio.get_running_loop()
            while line := await loop.run_in_executor(None, door.readline):
                number, _, frame = line.decode().strip().partition(" ")
                crowd.say(int(number), frame)
                await crowd.answered()
        await stage.stop()

    def work(say: Callable[[bytes], None]) -> int:
        os.close(writing)
        asyncio.run(serve(say))
        return 0

    life = forked(work)
    os.close(reading)
    lines = life.lines()

    bidders = [stage_module.Bidder(number) for number in range(scene.BIDDERS)]

    def send(number: int, amount: str, key: str) -> None:
        bidder = bidders[number]
        frame = bidder.offer(scene.LOT, paddles[number], amount, key=key)
        memory.sent[key] = (number, frame)
        os.write(writing, f"{number} {frame}\n".encode())

    send(0, "500", "in-time-0000000000000")
    memory.hear(json.loads(next(lines)))
    ends = memory.told["in-time-0000000000000"].arrival + 60_000
    clock.set(ends - 1)
    send(1, "600", "last-ms-0000000000000")
    memory.hear(json.loads(next(lines)))
    os.kill(life.pid, signal.SIGSTOP)
    os.waitpid(life.pid, os.WUNTRACED)
    clock.set(ends - 1 + 60_000 + 5_000)
    send(2, "700", "too-late-000000000000")
    os.kill(life.pid, signal.SIGCONT)
    memory.hear(json.loads(next(lines)))
    os.close(writing)
    list(lines)
    assert life.ended() == 0
    return memory


def test_offers_that_wait_at_the_door_of_a_stalled_process_are_judged_when_they_enter(
    template: Path, folder: Path
) -> None:
    clock, home = Shared(), scene.copied(template, folder / "home")
    clock.set(NOON + 11_000)
    memory = stalled(home, clock, lambda: clock)
    assert memory.told["last-ms-0000000000000"].ok
    late = memory.told["too-late-000000000000"]
    assert (late.ok, late.code) == (False, "CLOSED")
    assert late.arrival == clock.now()
    assert not scene.faults(scene.stored(home), memory)
    outcome = scene.refold(home).outcome
    assert outcome is not None
    assert outcome["outcome"]["winners"][0]["amount"] == "600.00"


def test_control_a_centre_with_a_cached_clock_takes_the_late_offer(
    template: Path, folder: Path
) -> None:
    clock, home = Shared(), scene.copied(template, folder / "home")
    clock.set(NOON + 11_000)
    assert stalled(home, clock, lambda: Lazy(clock)).told["too-late-000000000000"].ok
