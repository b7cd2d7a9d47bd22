"""At the desk: one answer for one offer, signatures and delegations that hold, and a socket that is closed when they do not."""

from pathlib import Path

import pytest

from tests.auction.played import play
from tests.auction.stage import LISTING_RULES, NOON, Desk, Stage

pytestmark = pytest.mark.usefixtures("stored")


@pytest.mark.both_databases
def test_the_same_offer_again_gets_its_first_answer_and_another_one_replay(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, _) = await stage.listed(LISTING_RULES)
        text = a.bidder.offer(lot, a.paddle, "100", key="k" * 20)
        first = await a.answer(text)
        await b.bid("150")
        again = await a.answer(text)
        assert {name: again[name] for name in ("ok", "seq", "ends_at", "arrival")} == {
            name: first[name] for name in ("ok", "seq", "ends_at", "arrival")
        }
        other = await a.answer(a.bidder.offer(lot, a.paddle, "300", key="k" * 20))
        assert other["code"] == "REPLAY"
        assert stage.service.writer(lot).book.live.seq == 2
        assert (await b.bid("170", key="k" * 20))["code"] == "SELF_RAISE"

    play(tmp_path, act)


def test_two_windows_sending_one_offer_at_once_get_one_decision(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, *_) = await stage.listed(LISTING_RULES)
        text = a.bidder.offer(lot, a.paddle, "100")
        other = Desk(stage, lot, a.bidder)
        a.say(text)
        other.say(text)
        await stage.quiet()
        assert a.got[-1]["seq"] == other.got[-1]["seq"] == 1

    play(tmp_path, act)


def test_a_bad_signature_is_recorded_and_the_third_closes_the_socket(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, _) = await stage.listed(LISTING_RULES)
        stolen = a.bidder.offer(lot, a.paddle, "100").replace(a.paddle, b.paddle)
        forged = b.bidder.offer(lot, a.paddle, "100")
        assert (await a.answer(forged))["code"] == "BAD_SIGNATURE"
        assert (await b.answer(stolen))["code"] == "BAD_SIGNATURE"
        await a.answer(forged)
        assert not a.closed
        await a.answer(forged)
        assert a.closed == [(1008, "bad-signatures")]
        unheard = [
            row.body["code"] for row in stage.service.rows(lot) if row.kind == "auction.unheard"
        ]
        assert unheard == ["BAD_SIGNATURE"] * 4

    play(tmp_path, act)


def test_a_delegation_is_signed_by_the_certified_key_for_this_hall_and_ends(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, _) = await stage.listed(LISTING_RULES)
        until = stage.clock.now() + 1000
        wrong = a.bidder.delegation(lot, a.paddle, until, key=b.bidder.key)
        assert (await a.answer(wrong))["code"] == "BAD_SIGNATURE"
        for lot_, paddle, end in [
            ("ses_9", a.paddle, until),
            (lot, b.paddle, until),
            (lot, a.paddle, NOON),
        ]:
            assert (await a.answer(a.bidder.delegation(lot_, paddle, end)))["code"] == "MALFORMED"
        assert (await a.answer(a.bidder.delegation(lot, a.paddle, until)))["type"] == "entered"
        await stage.at(10_999)
        assert (await a.bid("100"))["ok"]
        await stage.at(11_000)
        assert (await a.bid("200"))["code"] == "BAD_SIGNATURE"

    play(tmp_path, act)


def test_a_revoked_key_closes_the_desk(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        from dataclasses import replace

        _, (a, *_) = await stage.listed(LISTING_RULES)
        public = a.bidder.actor.public
        stage.state.keys[public] = replace(stage.state.keys[public], revoked_at_index=9)
        a.say(a.bidder.offer(a.lot, a.paddle, "100"))
        assert a.closed == [(1008, "key-revoked")]

    play(tmp_path, act)
