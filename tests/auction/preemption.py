"""A contest over a lot whose notice names a holder of 优先购买权 or lets one be proved, and its record."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from auction.record import confirmation_facts, rows_from_json, transcript_facts
from auction.service import business
from auction.writer.receipts import row_json
from tests.auction.stage import LISTING_RULES, NOON, Bidder, Desk, Stage
from tests.auction.test_record import HEADING

NAMED: dict[str, Any] = {
    "window_s": 120,
    "holders": [{"lot": "L1", "organisation": "org_2"}],
    "proved": False,
}
RULES: dict[str, Any] = {**LISTING_RULES, "outage_min_s": 0, "preemption": NAMED}
PROVED: dict[str, Any] = {**RULES, "preemption": {"window_s": 120, "proved": True}}
EVIDENCE = "ab" * 32
SOLD = 80_000
"""By then the price contest is over, in ms after NOON, and a window of 120 s runs."""


def fixed_paddles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw paddles that stand in no instant and no hash, and are the same in every play."""

    def draw(count: int, taken: Any) -> list[str]:
        first = len(set(taken))
        return [f"{88_880_000 + number}" for number in range(first, first + count)]

    monkeypatch.setattr(business, "draw_paddles", draw)


def play(home: Path, act: Callable[[Stage], Awaitable[Any]], now: int = NOON) -> Any:
    async def run() -> Any:
        stage = await Stage(home, now).start()
        try:
            return await act(stage)
        finally:
            await stage.stop()

    return asyncio.run(run())


async def contested(stage: Stage, rules: dict[str, Any] = RULES, count: int = 3) -> list[Desk]:
    """Bidders 0 and 1 have bid 100 and 110, nobody else; the price contest is over."""
    _, desks = await stage.listed(rules, count)
    for desk, amount in zip(desks, ("100", "110"), strict=False):
        assert (await desk.bid(amount))["ok"]
    await stage.at(SOLD)
    return desks


async def recognised(stage: Stage, bidder: Bidder) -> None:
    """What two people's act writes, and the application before it."""
    said = {"lot": "lot_0", "organisation": bidder.organisation}
    await stage.business("lot.entitled", {**said, "evidence": EVIDENCE})


def outcome(stage: Stage) -> dict[str, Any]:
    found = stage.service.writer("lot_0").book.outcome
    assert found is not None
    return dict(found["outcome"])


def facts(stage: Stage) -> tuple[Any, Any]:
    """Transcript and confirmations, from the rows as everybody gets them."""
    rows = rows_from_json(
        json.loads(json.dumps([row_json(r) for r in stage.service.rows("lot_0")]))
    )
    made = confirmation_facts(
        rows, lambda _: HEADING, transcript_number="ZS-1", conditions=["十日内签约"]
    )
    return transcript_facts(rows, HEADING), made


def line(transcript: Any, name: str) -> str:
    return next((one.value for one in transcript.rules if one.name == name), "")
