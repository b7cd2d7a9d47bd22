"""Paper of listed lots sold in every way: the price contest, one quote, a draw, a second item, a whole house."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from auction.record import confirmation_facts, transcript_facts
from documents import confirmation, transcript
from documents.model import ConfirmationFacts, TranscriptFacts
from tests.auction.played import play
from tests.auction.stage import CENTRE, LISTING_RULES, Desk, Stage
from tests.auction.test_paper import facts_of, kinds
from tests.auction.test_paper import play as play_house
from tests.documents.samples import heading

CAP: dict[str, Any] = {**LISTING_RULES, "price_cap": "200"}
TWO: dict[str, Any] = {"kind": "second_item", "name": "竞低容积率", "direction": "down", "start": "3.50",
                       "increment": "0.10", "extend_s": 60}  # fmt: skip
Way = Callable[[Stage, list[Desk]], Awaitable[None]]


async def by_price(stage: Stage, desks: list[Desk]) -> None:
    for desk, amount in zip(desks, ("100", "110", "130"), strict=True):
        assert (await desk.bid(amount))["ok"]
    await stage.at(200_000)


async def by_one_quote(stage: Stage, desks: list[Desk]) -> None:
    assert (await desks[0].bid("200"))["ok"]
    for desk in desks[1:]:
        assert (await desk.bid(None, do="join"))["ok"]
    await stage.at(70_000)
    assert (await desks[1].bid("210", do="quote"))["ok"]
    assert (await desks[2].bid("210", do="quote"))["ok"]
    await stage.at(140_000)


async def by_draw(stage: Stage, desks: list[Desk]) -> None:
    assert (await desks[0].bid("200"))["ok"]
    for desk in desks[1:]:
        commit = sha256(b"nonce").hexdigest()
        assert (await desk.bid(None, do="join", commit=commit))["ok"]
    await stage.at(70_000)
    assert (await desks[2].bid(None, do="reveal", nonce="nonce"))["ok"]
    await stage.at(140_000)


async def by_second_item(stage: Stage, desks: list[Desk]) -> None:
    assert (await desks[0].bid("200"))["ok"]
    assert (await desks[1].bid("3.50"))["ok"]
    assert (await desks[2].bid("2.80"))["ok"]
    await stage.at(140_000)


async def by_nobody_on_the_second_item(stage: Stage, desks: list[Desk]) -> None:
    assert (await desks[2].bid("200"))["ok"]
    await stage.at(140_000)


STAGE: dict[str, Any] = {"wait_s": 0, "ask_s": 60}


@pytest.mark.parametrize(
    ("rules", "way", "price", "seq", "second"),
    [
        (LISTING_RULES, by_price, "130", 3, ""),
        ({**CAP, "on_cap": {"kind": "one_shot", **STAGE, "quote_s": 60}}, by_one_quote, "210", 4, ""),
        ({**CAP, "on_cap": {"kind": "lottery", **STAGE, "reveal_s": 60}}, by_draw, "200", 4, ""),
        ({**CAP, "on_cap": TWO}, by_second_item, "200", 3, "竞低容积率 2.80"),
        ({**CAP, "on_cap": TWO}, by_nobody_on_the_second_item, "200", 1, ""),
    ],
    ids=["price", "one quote", "draw", "second item", "second item, nobody"],
)  # fmt: skip
def test_who_won_stands_in_transcript_and_confirmation(
    tmp_path: Path, rules: dict[str, Any], way: Way, price: str, seq: int, second: str
) -> None:
    async def act(stage: Stage) -> None:
        lot, desks = await stage.listed(rules)
        await way(stage, desks)
        rows, head = stage.service.rows(lot), replace(heading("JL-1"), centre=CENTRE)
        told = transcript_facts(rows, head)
        (deal,) = confirmation_facts(
            rows, lambda _: head, transcript_number="JL-1", conditions=("十日内签约。",)
        )
        (won,) = told.winners
        winner = desks[1] if way is by_one_quote else desks[2]
        assert (won.paddle, deal.paddle) == (winner.paddle, winner.paddle)
        assert (float(won.surcharge), deal.winning_seq) == (float(price), seq)
        assert (won.second, deal.second) == (second, second)
        assert deal.payable == f"{price}0000.00"  # 万元
        assert TranscriptFacts.from_json(told.to_json()) == told
        assert ConfirmationFacts.from_json(deal.to_json()) == deal
        assert transcript.draw(told).pdf.startswith(b"%PDF")
        assert confirmation.draw(deal).pdf.startswith(b"%PDF")

    play(tmp_path, act)


def test_a_listed_lot_that_was_sold_has_its_transcript_and_confirmation_issued(
    tmp_path: Path,
) -> None:
    async def act(house: Any) -> None:
        lot, desks = await house.listed(LISTING_RULES)
        await by_price(house, desks)
        await house.paper.idle()
        assert kinds(house, lot) == ["transcript", "confirmation"]
        record = house.documents.all(lot)[1].record
        assert facts_of(await house.documents.pdf(record)).paddle == desks[2].paddle

    play_house(tmp_path, act)
