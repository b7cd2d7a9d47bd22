"""Offers of one turn of the loop: checked together, decided in their order, passed by nobody."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from auction.service import turn
from auction.service.bidding import Bucket
from auction.service.turn import Signed, Turn
from crypto.encoding import b64
from crypto.signature import SigningKey
from tests.auction.played import play
from tests.auction.stage import LISTING_RULES, NOON, Desk, Stage, frame
from trading.ground.slots import slot_of


def decided(stage: Stage, lot: str) -> list[tuple[str, str, bool]]:
    return [
        (row.body["by"], row.body["content"]["amount"], row.body["verdict"]["ok"])
        for row in stage.service.rows(lot)
        if row.kind == "auction.decided"
    ]


def test_a_turn_of_many_offers_is_decided_in_the_order_of_arrival(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, desks = await stage.listed(LISTING_RULES, 3)
        expected = []
        for number in range(3 * turn.WORTH_SHARING):
            desk, amount = desks[number % 3], str(100 + 10 * number)
            if number == 7:
                text = json.loads(desk.bidder.offer(lot, desk.paddle, amount))["offer"]
                desk.say(frame(text, bytes(64)))  # signed by nobody: refused, and the others stand
            else:
                desk.say(desk.bidder.offer(lot, desk.paddle, amount))
                expected.append((desk.paddle, f"{amount}", True))
        assert decided(stage, lot) == []
        await stage.quiet()
        assert decided(stage, lot) == expected
        assert [m["code"] for m in desks[1].got if m["type"] == "problem"] == ["BAD_SIGNATURE"]

    play(tmp_path, act)


def test_no_hammer_passes_an_offer_that_arrived_before_the_end(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, *_) = await stage.listed(LISTING_RULES)
        stage.clock.set(NOON + 69_999)
        a.say(a.bidder.offer(lot, a.paddle, "100"))
        stage.service.writer(lot).hammer(NOON + 70_000)
        await stage.quiet()
        (row,) = [row for row in stage.service.rows(lot) if row.kind == "auction.decided"]
        assert (row.at, row.body["verdict"]["ok"]) == (NOON + 69_999, True)
        assert stage.service.writer(lot).book.live.ends == NOON + 129_999

    play(tmp_path, act)


def test_no_slot_is_ready_while_an_offer_of_it_waits(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, *_) = await stage.listed(LISTING_RULES)
        slot = slot_of(stage.clock.now())
        assert stage.service.ready(slot)
        a.say(a.bidder.offer(lot, a.paddle, "100"))
        assert not stage.service.ready(slot)
        await stage.quiet()
        assert stage.service.ready(slot)

    play(tmp_path, act)


def test_after_the_third_bad_signature_nothing_of_the_turn_is_heard(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, *_) = await stage.listed(LISTING_RULES)
        for _ in range(3):
            text = json.loads(a.bidder.offer(lot, a.paddle, "100"))["offer"]
            a.say(frame(text, bytes(64)))
        a.say(a.bidder.offer(lot, a.paddle, "100"))
        await stage.quiet()
        assert a.closed == [(1008, "bad-signatures")]
        assert decided(stage, lot) == []

    play(tmp_path, act)


def test_the_bucket_stands_before_the_signature_and_leaves_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[Signed] = []
    monkeypatch.setattr(Signed, "holds", lambda self: bool(checked.append(self)) or True)

    async def act(stage: Stage) -> None:
        lot, (a, *_) = await stage.listed(LISTING_RULES)
        hasty = Desk(stage, lot, a.bidder, Bucket(5, 2))
        rows = len(stage.service.rows(lot))
        for _ in range(5):  # signed by nobody: whoever floods costs no verification
            text = json.loads(a.bidder.offer(lot, a.paddle, "100"))["offer"]
            hasty.say(frame(text, bytes(64)))
        await stage.quiet()
        assert len(checked) == 2
        assert [m.get("code") for m in hasty.got].count("offers-too-fast") == 3
        assert len(stage.service.rows(lot)) == rows + 2
        assert hasty.closed == []

    play(tmp_path, act)


@pytest.mark.parametrize("count", [1, turn.WORTH_SHARING - 1, turn.WORTH_SHARING, 50])
def test_two_threads_check_as_one_does(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    key, told = SigningKey.from_scalar(5), []

    async def run() -> None:
        gathered = Turn()
        for number in range(count):
            message = b"offer %d" % number
            signature = b64(key.sign(message if number % 3 else b"another"))

            def decide(holds: bool, number: int = number) -> None:
                told.append((number, holds))

            gathered.add(Signed(key.public, message, signature), decide)
        await asyncio.sleep(0)
        gathered.close()

    asyncio.run(run())
    assert told == [(number, number % 3 > 0) for number in range(count)]


def test_what_is_no_signature_does_not_hold() -> None:
    key = SigningKey.from_scalar(5)
    sound = Signed(key.public, b"x", b64(key.sign(b"x")))
    assert sound.holds()
    wrong: list[Any] = ["", "é", b64(bytes(64)), b64(bytes(63)), sound.signature[:-1]]
    assert not any(sound._replace(signature=text).holds() for text in wrong)
