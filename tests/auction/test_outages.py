"""What a crash leaves: the outage rule moves the end, boundaries before it count, and nothing is lost."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.auction.played import killed, play
from tests.auction.stage import LISTING_RULES, NOON, QUOTA_RULES, Desk, Stage
from trading.ground.journal import Journal

pytestmark = pytest.mark.usefixtures("stored")


def test_a_recovery_of_what_is_sound_waits_for_offers_on_their_way_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second stop may be mended when the first has been: what is durable soon must be in the fold."""
    gate = threading.Event()
    commit = Journal._commit

    def slow(self: Journal, items: Any) -> Any:
        assert gate.wait(60)
        return commit(self, items)

    async def act(stage: Stage) -> None:
        lot, (a, *_) = await stage.listed({**LISTING_RULES, "outage_min_s": 0})
        offer = a.bidder.offer(lot, a.paddle, "100")
        with monkeypatch.context() as patched:
            patched.setattr(Journal, "_commit", slow)
            a.say(offer)
            stage.service.turn.settle()
            recovery = asyncio.ensure_future(stage.service.recover())
            for _ in range(100):
                await asyncio.sleep(0)
            gate.set()
            await recovery
        await stage.quiet()
        first = next(said for said in a.got if said["type"] == "answer")
        again = await a.answer(offer)
        assert (first["ok"], again["receipt"]["row"]) == (True, first["receipt"]["row"])
        rows = [row for row in stage.service.rows(lot) if "key" in row.body]
        assert len(rows) == 1

    play(tmp_path, act)


@pytest.mark.both_databases
def test_after_a_crash_the_outage_rule_moves_the_end_and_nothing_is_lost(tmp_path: Path) -> None:
    answered: list[dict[str, Any]] = []
    texts: list[str] = []

    async def before(stage: Stage) -> None:
        lot, (a, *_) = await stage.quota()
        texts.append(a.bidder.offer(lot, a.paddle, "20"))
        answered.append(await a.answer(texts[0]))
        await stage.at(15_000)  # the centre was alive until here: a row says so
        await stage.quiet()

    async def after(stage: Stage) -> None:
        writer = stage.service.writer("ses_1")
        assert writer.durable.seq == 3  # the offer, suspend, resume
        assert writer.durable.ends == NOON + 70_000 + 40_000  # alive at 15, back at 55
        a, b = Desk(stage, "ses_1", stage.bidders[0]), Desk(stage, "ses_1", stage.bidders[1])
        again = await a.answer(texts[0])
        assert (again["seq"], again["arrival"]) == (answered[0]["seq"], answered[0]["arrival"])
        await b.enter()
        assert (await b.bid("20"))["ok"]

    asyncio.run(killed(tmp_path, before))
    play(tmp_path, after, now=NOON + 55_000)


def test_an_outage_shorter_than_the_minimum_ends_at_the_minimum(tmp_path: Path) -> None:
    rules = {**QUOTA_RULES, "outage_min_s": 300}

    async def before(stage: Stage) -> None:
        await stage.quota(rules)

    async def after(stage: Stage) -> None:
        writer = stage.service.writer("ses_1")
        assert writer.durable.phase == "SUSPENDED"
        await stage.at(10_000 + 300_000 - 1)
        assert writer.durable.phase == "SUSPENDED"
        await stage.at(10_000 + 300_000)
        assert writer.durable.phase == "TIMED"
        assert writer.durable.ends == NOON + 70_000 + 300_000

    asyncio.run(killed(tmp_path, before))
    play(tmp_path, after, now=NOON + 12_000)


def test_a_boundary_before_the_outage_counts_though_no_timer_fired(tmp_path: Path) -> None:
    async def before(stage: Stage) -> None:
        _, (a, *_) = await stage.quota()
        await a.bid("20")
        stage.clock.set(NOON + 71_000)  # no timer wakes, but a row shows that the centre lived
        await stage.quiet()

    async def after(stage: Stage) -> None:
        outcome = stage.service.writer("ses_1").book.outcome
        assert outcome is not None
        assert outcome["outcome"]["closed_at"] == "2026-11-24T04:01:10.000Z"

    asyncio.run(killed(tmp_path, before))
    play(tmp_path, after, now=NOON + 500_000)


def test_an_announced_auction_is_not_suspended_by_a_restart_before_its_hour(tmp_path: Path) -> None:
    async def before(stage: Stage) -> None:
        await stage.publish(QUOTA_RULES, holders=2)

    async def after(stage: Stage) -> None:
        assert stage.service.writer("ses_1").durable.phase == "ANNOUNCED"
        assert stage.service.writer("ses_1").durable.seq == 0

    asyncio.run(killed(tmp_path, before))
    play(tmp_path, after, now=NOON + 5_000)
