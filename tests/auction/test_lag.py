"""Server lag is recorded and never extends (design.md §2 Engine): in the row, in the transcript, in no decision."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auction.record import audit, transcript_facts
from auction.replay.book import LAG_MS
from documents.model import TranscriptFacts
from documents.model.auction import Lag
from documents.transcript import draw
from tests.auction.played import play
from tests.auction.stage import CENTRE, LISTING_RULES, NOON, Stage
from tests.documents.samples import heading


def facts_of(stage: Stage, lot: str) -> TranscriptFacts:
    rows = stage.service.rows(lot)
    audit(rows, CENTRE)
    return transcript_facts(rows, replace(heading("JL-1"), centre=CENTRE))


@pytest.mark.parametrize("late", [LAG_MS - 1, LAG_MS, 30_000])
def test_an_offer_that_waited_is_judged_by_its_arrival_and_its_row_says_how_long(
    tmp_path: Path, late: int
) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, *_) = await stage.listed(LISTING_RULES)
        stage.clock.set(NOON + 69_999)  # one millisecond before the end
        a.say(a.bidder.offer(lot, a.paddle, "100"))
        stage.clock.set(NOON + 69_999 + late)  # nothing ran meanwhile
        await stage.quiet()
        row: Any = next(r for r in stage.service.rows(lot) if r.kind == "auction.decided")
        assert (row.at, row.body["verdict"]["ok"]) == (NOON + 69_999, True)
        assert row.body["verdict"]["ends_at"] == "2026-11-24T04:02:09.999Z"  # arrival + extend_s
        assert row.body.get("lag_ms") == (late if late >= LAG_MS else None)
        await stage.at(129_999)
        told = [lag for lag in facts_of(stage, lot).lags if lag.what == "OFFER"]
        expected = [Lag(what="OFFER", due=NOON + 69_999, late_ms=late)]
        assert told == (expected if late >= LAG_MS else [])

    play(tmp_path, act)


def test_a_boundary_crossed_late_stands_in_the_transcript_at_its_own_instant(
    tmp_path: Path,
) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, *_) = await stage.listed(LISTING_RULES)
        assert (await a.bid("100"))["ok"]  # end at NOON + 70 s
        await stage.at(70_300)
        facts = facts_of(stage, lot)
        assert facts.closed_at == NOON + 70_000
        assert facts.lags == (Lag(what="SOLD", due=NOON + 70_000, late_ms=300),)
        assert TranscriptFacts.from_json(facts.to_json()) == facts
        assert draw(facts).pdf.startswith(b"%PDF")

    play(tmp_path, act)


def test_a_server_in_time_records_no_lag(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, _) = await stage.listed(LISTING_RULES)
        assert (await a.bid("100"))["ok"]
        assert (await b.bid("110"))["ok"]
        await stage.at(70_000)
        assert facts_of(stage, lot).lags == ()

    play(tmp_path, act)


def test_the_centres_own_acts_are_not_late_offers(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, _ = await stage.listed(LISTING_RULES)
        await stage.business("target.suspended", {"target": lot, "reason": "r"})
        assert not any("lag_ms" in row.body for row in stage.service.rows(lot))

    play(tmp_path, act)
