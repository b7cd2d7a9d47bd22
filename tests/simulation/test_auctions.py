"""Whole auctions from seeds, on our real journal: deaths and faults at drawn instants, every promise judged at each end.

A failing seed is seen again by `python -m tests.simulation.world SEED`.
"""

import asyncio
import logging
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

import auction.service
from auction import engine, store
from auction.model import Command
from auction.replay.book import took
from auction.writer import LotWriter
from tests.places import REPOSITORY
from tests.simulation.loop import StuckError, virtual_loop
from tests.simulation.storage import SimulatedJournal
from tests.simulation.world import Violation, play
from trading.ground.journal import Row
from trading.ground.problems import Problem

SEEDS = 1_000
BLOCK = 100


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """A simulated disk fails hundreds of times; each would be logged as critical, as it should."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_whole_auctions_keep_every_promise(first: int) -> None:
    counts = Counter[str]()
    for seed in range(first, first + BLOCK):
        counts += play(seed).counts
    assert counts["offers"] > 5 * BLOCK
    for befell in ("killed", "refused", "kept, said to have failed", "suspended", "sent again"):
        assert counts[befell] > 0, f"nothing was ever {befell}"
    assert counts["ended SOLD"] > BLOCK // 2
    for phase in ("ASKING", "QUOTING", "REVEALING", "SECOND_ITEM", "SUSPENDED"):
        assert counts[f"met {phase}"] > 0, f"nobody ever looked at {phase}"


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Twice here, and in processes that order their sets differently."""
    seeds = [str(seed) for seed in range(8)]
    said = {"".join(f"{seed} {play(int(seed)).digest}\n" for seed in seeds) for _ in range(2)}
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.simulation.world", *seeds],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        said.add(done.stdout)
    assert len(said) == 1
    assert len(set(said.pop().split()[1::2])) == len(seeds)


def found_in(seeds: range) -> list[int]:
    """The seeds that see a mistake: a broken promise, rows that do not follow, or time that stands still."""
    seen = []
    for seed in seeds:
        try:
            play(seed)
        except (Violation, Problem, StuckError):
            seen.append(seed)
    return seen


class HastyWriter(LotWriter):
    """The planted race: it checks an offer, lets others in, and then writes what it had decided before."""

    def decide(self, order: store.Order) -> Any:
        order = msgspec.structs.replace(order, at=self._stamp(order.at))
        content = order.content
        command = Command(order.by, order.do, *map(content.get, ("amount", "commit", "nonce")))
        after, events = engine.apply(self.book.live, command, order.at)

        async def write() -> list[Row]:
            await asyncio.sleep(0.1)  # as long as a question to a slow database
            draft = store.decided(self.lot, order, events, None)
            took(self.book, draft.body, after)
            return await self._write(draft)

        return asyncio.ensure_future(write())


CONTROLS = range(16)
"""Seeds of the controls: without a mistake of ours they keep every promise (they are the first of SEEDS)."""


def test_control_a_race_between_check_and_write_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auction.service, "LotWriter", HastyWriter)
    assert len(found_in(CONTROLS)) > len(CONTROLS) // 2


def test_control_answers_before_the_disk_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(self: SimulatedJournal, values: Any) -> None:
        self._loop.call_later(0.05, self._store.keep, values)

    monkeypatch.setattr(SimulatedJournal, "_keep", late)
    assert len(found_in(CONTROLS)) > len(CONTROLS) // 2


class StubbornWriter(LotWriter):
    """The planted mistake: it goes on over a storage error with what it remembers."""

    @property
    def stopped(self) -> bool:
        """Never."""
        return False

    @stopped.setter
    def stopped(self, _: bool) -> None:
        """Whoever says so."""


@pytest.fixture
def stormy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A world in which going on over a stop does harm: commits are refused often, the process takes long to begin
    anew, and bidders are quick and patient. Ours keeps every promise there.
    """
    changes = {
        "world.FAILING": 0.6, "world.FAULTS": (8,), "world.ENDINGS": ("refused",), "world.PATIENCE": (8, 15),
        "world.THINKING": (0, 0.01, 0.3, 1), "centre.LATEST_S": 20,
    }  # fmt: skip
    for name, value in changes.items():
        monkeypatch.setattr(f"tests.simulation.{name}", value)


STORMY = range(48)


@pytest.mark.usefixtures("stormy")
def test_a_storm_of_refused_commits_breaks_no_promise() -> None:
    assert found_in(STORMY) == []


@pytest.mark.usefixtures("stormy")
def test_control_an_actor_that_goes_on_over_a_stop_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was in 42 of these 48 seeds when this was written. In the others memory and disk say the same: the refused
    commit held a refused offer, or nothing was decided until the process began anew. Three in four must tell.
    """
    monkeypatch.setattr(auction.service, "LotWriter", StubbornWriter)
    monkeypatch.setattr(auction.service.AuctionService, "_halt", lambda _self: None)
    seen = found_in(STORMY)
    assert len(seen) >= len(STORMY) * 3 // 4, seen


def test_control_a_hammer_that_writes_back_what_it_read_before_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a national open system does: the timer reads the state, waits, and writes its own result."""

    def racing(self: LotWriter, now: int) -> None:
        now = self._stamp(now)
        after, entered = engine.advance(self.book.live, now)

        def write_back() -> None:
            self.book.state = after
            self._write(store.advanced(self.lot, entered, now))

        if entered:
            asyncio.get_running_loop().call_later(0.2, write_back)

    monkeypatch.setattr(LotWriter, "hammer", racing)
    assert len(found_in(CONTROLS)) > len(CONTROLS) // 2


def test_a_loop_with_nothing_to_do_says_so() -> None:
    loop = virtual_loop()
    with pytest.raises(StuckError):
        loop.run_until_complete(loop.create_future())
    loop.close()


def test_a_loop_whose_time_stands_still_says_so() -> None:
    loop = virtual_loop()

    def again() -> None:
        loop.call_later(0, again)

    again()
    with pytest.raises(StuckError):
        loop.run_until_complete(asyncio.sleep(1))
    loop.close()


def test_an_hour_passes_at_once_and_in_order() -> None:
    loop = virtual_loop()
    seen: list[float] = []
    for second in (3_600, 1, 60):
        loop.call_later(second, lambda second=second: seen.append(second))  # type: ignore[misc]
    loop.run_until_complete(asyncio.sleep(3_601))
    assert seen == [1, 60, 3_600]
    assert loop.time() == 3_601
    loop.close()


def test_a_violation_names_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: Any) -> None:
        raise Violation("planted")

    monkeypatch.setattr("tests.simulation.world.World.judge", wrong)
    with pytest.raises(Violation) as found:
        play(3)
    assert found.value.__notes__ == ["seed 3"]


def test_a_promise_that_breaks_in_a_callback_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop itself would log it and go on."""

    def wrong(*_: Any) -> None:
        raise Violation("planted")

    monkeypatch.setattr("tests.simulation.world.World.hear", wrong)
    assert len(found_in(CONTROLS)) == len(CONTROLS)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(1_000, 51_000, 1_000))
def test_fifty_thousand_more(first: int) -> None:
    for seed in range(first, first + 1_000):
        play(seed)
