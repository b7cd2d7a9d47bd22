"""A thousand whole auctions in virtual time; the same seed gives the same bytes; a planted race is found."""

import asyncio

import pytest

from auction import engine, store
from auction.writer import LotWriter
from tests.simulation.auction_world import simulate

SEEDS = 1000
PARTS = 10


@pytest.mark.parametrize("part", range(PARTS))
def test_every_auction_keeps_its_promises(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(part, SEEDS, PARTS):
        _, wrong = simulate(seed, monkeypatch.setattr)
        assert not wrong, (seed, wrong)


@pytest.mark.parametrize("seed", [3, 4, 33])
def test_the_same_seed_gives_the_same_bytes(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (simulate(seed, monkeypatch.setattr)[0] for _ in range(2))
    assert first == second


def found_within(seeds: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    return any(simulate(seed, monkeypatch.setattr)[1] for seed in range(1, seeds, 3))


def test_a_hammer_that_writes_back_what_it_read_before_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The planted race: the timer reads the state, waits, and writes its own result (peers.md W2)."""

    def racing(self: LotWriter, now: int) -> None:
        read = self.book.live
        after, entered = engine.advance(read, now)
        if entered:

            def write_back() -> None:
                self.book.state = after
                self._write(store.advanced(self.lot, entered, self._stamp(now)))

            asyncio.get_running_loop().call_later(0.2, write_back)

    monkeypatch.setattr(LotWriter, "hammer", racing)
    assert found_within(120, monkeypatch)


def test_an_answer_before_the_journal_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second planted fault: memory is kept after a storage error instead of being thrown away."""
    from auction.service import AuctionService

    async def forgetful(self: AuctionService) -> None:
        for writer in self.writers.values():
            writer.stopped = False

    monkeypatch.setattr(AuctionService, "recover", forgetful)
    assert any(simulate(seed, monkeypatch.setattr)[1] for seed in range(0, 120, 3))
