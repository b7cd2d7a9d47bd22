"""What of the catalogue of abuse (docs/cases.md, A) no other room tests."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from auction.record import audit
from tests.auction.script import Played, timed
from tests.auction.stage import CENTRE, LISTING_RULES, NOON, Desk, Stage


def play(home: Path, act: Callable[[Stage], Awaitable[None]]) -> None:
    async def run() -> None:
        stage = await Stage(home).start()
        await act(stage)
        await stage.stop()

    asyncio.run(run())


def test_of_two_equal_offers_in_one_millisecond_the_first_leads_and_the_other_is_told(
    tmp_path: Path,
) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, _) = await stage.listed(LISTING_RULES)
        a.say(a.bidder.offer(lot, a.paddle, "100"))  # neither waits for the other's commit
        b.say(b.bidder.offer(lot, b.paddle, "100"))
        await stage.quiet()
        won, lost = a.got[-1], b.got[-1]
        assert (won["ok"], won["seq"], won["arrival"]) == (True, 1, lost["arrival"])
        assert (lost["ok"], lost["code"], lost["next"]) == (False, "BELOW_MIN_NEXT", "110.00")
        rows = [row.body["by"] for row in stage.service.rows(lot) if row.kind == "auction.decided"]
        assert rows == [a.paddle, b.paddle]

    play(tmp_path, act)


def test_an_offer_on_a_stale_state_is_refused_with_what_would_be_taken(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        _, (a, b, c) = await stage.listed(LISTING_RULES)
        assert (await a.bid("100"))["ok"]
        assert (await b.bid("150", seen=0))[
            "ok"
        ]  # it saw nothing of a's offer and is good all the same
        stale = await c.bid("110", seen=1)
        assert (stale["code"], stale["next"]) == ("BELOW_MIN_NEXT", "160.00")
        assert (await c.bid(stale["next"], seen=2))["ok"]

    play(tmp_path, act)


@pytest.mark.parametrize("shared", [True, False])
def test_one_key_for_two_paddles_blocks_nobody_and_stands_in_the_audit(
    tmp_path: Path, shared: bool
) -> None:
    async def act(stage: Stage) -> None:
        (lot,) = await stage.publish(LISTING_RULES)
        first, second = stage.bidders[:2]
        if shared:
            second.delegate = first.delegate
        for bidder in (first, second):
            await stage.deposit(lot, bidder)
        await stage.at(10_000)
        a, b = [await Desk(stage, lot, bidder).enter() for bidder in (first, second)]
        assert (await a.bid("100"))["ok"]
        assert (await b.bid("110"))["ok"]
        await stage.at(600_000)
        found = audit(stage.service.rows(lot), CENTRE).shared
        assert found == ((tuple(sorted([a.paddle, b.paddle])),) if shared else ())

    play(tmp_path, act)


@pytest.mark.parametrize("rule", ["reset", "append"])
def test_an_auction_with_a_cap_ends_after_so_many_steps_whoever_bids(rule: str) -> None:
    # From 100 to the cap 200 by 10 there are 11 offers; each moves the end by 300 s at most, so that it is over
    # at 10:05 + 300 s + 11 × 300 s at the latest, however its bidders go about it.
    capped = timed(
        price_cap="200", timed={"starts_at": "2026-03-02T10:05:00Z", "extension_rule": rule}
    )
    lines = [
        f"{10 + (5 + 5 * n - 1) // 60}:{(5 + 5 * n - 1) % 60:02}:59.{1000 - n} P{1 + n % 2} bid {90 + 10 * n}"
        for n in range(1, 12)
    ]
    got = Played(capped, *lines)
    assert got.verdicts[-1] == "11 → -"
    assert got.outcome == "SOLD 10:59:59.989 P2 200.00"
    assert all("→" in verdict for verdict in got.verdicts)


def test_a_stall_at_the_hammer_is_in_row_and_log_and_moves_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, _) = await stage.listed(LISTING_RULES)
        assert (await a.bid("100"))["ok"]  # end at NOON + 70 s
        stage.clock.set(NOON + 75_000)  # five seconds in which nothing ran
        stage.timers.fire()
        await stage.timers.settle()
        assert (await b.bid("110"))["code"] == "CLOSED"
        row = next(
            r
            for r in stage.service.rows(lot)
            if r.kind == "auction.advanced" and r.at > NOON + 10_000
        )
        assert row.at == NOON + 75_000
        assert row.body["entered"] == [{"phase": "SOLD", "at": "2026-11-24T04:01:10.000Z"}]

    play(tmp_path, act)
    assert "crossed a boundary 5000 ms late" in caplog.text
