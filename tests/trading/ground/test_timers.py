"""Timers wake what is due, in order, once; and lose nothing to an exception."""

import asyncio

import pytest

from trading.ground.clock import FrozenClock, SystemClock
from trading.ground.timers import Timers


def with_timers(story):
    async def run():
        clock = FrozenClock(1_000_000)
        timers = Timers(clock)
        try:
            return await story(clock, timers)
        finally:
            await timers.close()

    return asyncio.run(run())


async def pass_time(clock, timers, ms):
    clock.advance(ms)
    timers.fire()
    await timers.settle()


def test_callbacks_run_in_order_of_their_instants_and_not_before():
    async def story(clock, timers):
        woken = []
        for ms in (300, 100, 200):
            timers.at(1_000_000 + ms, lambda ms=ms: woken.append(ms), f"t{ms}")
        await pass_time(clock, timers, 99)
        assert woken == []
        await pass_time(clock, timers, 1)
        assert woken == [100]
        await pass_time(clock, timers, 1000)
        return woken

    assert with_timers(story) == [100, 200, 300]


def test_a_deadline_set_again_moves_and_a_cancelled_one_never_fires():
    async def story(clock, timers):
        woken = []
        timers.at(1_000_100, lambda: woken.append("early"), "a")
        timers.at(1_000_200, lambda: woken.append("late"), "a")
        timers.at(1_000_100, lambda: woken.append("never"), "b")
        timers.cancel("b")
        timers.cancel("unknown")
        assert timers.pending() == {"a": 1_000_200}
        await pass_time(clock, timers, 150)
        assert woken == []
        await pass_time(clock, timers, 50)
        return woken

    assert with_timers(story) == ["late"]


def test_an_overdue_deadline_fires_at_the_next_turn_of_the_loop():
    async def story(_clock, timers):
        woken = asyncio.Event()

        async def wake():
            woken.set()

        timers.at(5, wake, "overdue")
        await asyncio.wait_for(woken.wait(), 5)
        return True

    assert with_timers(story)


def test_a_callback_that_fails_is_woken_again_until_it_succeeds():
    async def story(clock, timers):
        tries = []

        def fails_twice():
            tries.append(clock.now())
            if len(tries) < 3:
                raise OSError

        timers.at(1_000_000, fails_twice, "deadline")
        for _ in range(10):
            await pass_time(clock, timers, 1000)
        return [moment - tries[0] for moment in tries]

    assert with_timers(story) == [0, 1000, 3000]


def test_a_failing_callback_does_not_undo_a_deadline_set_meanwhile():
    async def story(clock, timers):
        woken = []

        def moves_and_fails():
            timers.at(1_005_000, lambda: woken.append(clock.now()), "a")
            raise OSError

        timers.at(1_000_100, moves_and_fails, "a")
        await pass_time(clock, timers, 100)
        assert timers.pending() == {"a": 1_005_000}
        await pass_time(clock, timers, 4_900)
        return woken

    assert with_timers(story) == [1_005_000]


def test_the_loop_itself_wakes_a_real_deadline():
    async def story():
        clock = SystemClock()
        timers = Timers(clock)
        woken = asyncio.Event()
        due = clock.now() + 20
        timers.at(due, woken.set, "a")
        await asyncio.wait_for(woken.wait(), 5)
        late = clock.now() - due
        await timers.close()
        return late

    assert asyncio.run(story()) >= 0


def test_control_nothing_fires_after_closing():
    async def story():
        timers = Timers(FrozenClock(0))
        timers.at(0, lambda: pytest.fail("fired"), "a")
        await timers.close()
        await asyncio.sleep(0)
        assert timers.pending() == {}

    asyncio.run(story())
