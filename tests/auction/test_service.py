"""Auctions alive: what is acknowledged is durable, what is durable is told, and it comes back as it was."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.auction.played import play
from tests.auction.stage import LISTING_RULES, NOON, QUOTA_RULES, TIMED, Stage

pytestmark = pytest.mark.usefixtures("stored")


def codes(answers: list[dict[str, Any]]) -> list[Any]:
    return [answer.get("code") or answer.get("seq") for answer in answers]


@pytest.mark.both_databases
def test_offers_are_judged_and_answered_with_their_stamp(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, _) = await stage.listed(LISTING_RULES)
        first = await a.bid("100")
        assert (first["ok"], first["seq"], first["arrival"]) == (True, 1, NOON + 10_000)
        assert first["next"] == "110.00"
        assert codes([await b.bid("105"), await b.bid("110"), await b.bid("120")]) == [
            "BELOW_MIN_NEXT",
            2,
            "SELF_RAISE",
        ]
        assert stage.hall(lot)["leader"] == b.paddle

    play(tmp_path, act)


@pytest.mark.both_databases
def test_the_hammer_falls_by_itself_and_the_deposits_of_losers_go_back_once(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, c) = await stage.listed(LISTING_RULES)
        await a.bid("100")
        await b.bid("200")
        await stage.at(10_000 + 60_000 - 1)
        assert stage.service.writer(lot).durable.outcome is None
        await stage.at(10_000 + 60_000)
        (result,) = [row for row in stage.service.rows(lot) if row.kind == "auction.result"]
        assert result.body["event"] == "DEAL_CONFIRMED"
        assert result.body["outcome"]["winners"][0]["bidder"] == b.paddle
        late = await c.bid("300")
        assert late["code"] == "CLOSED"
        released = [d for d in stage.state.deposits.values() if d.released_at is not None]
        assert {d.organisation for d in released} == {"org_0", "org_2"}
        rows = [row for row in stage.journal.rows("trading") if row.kind == "deposit.released"]
        assert len(rows) == 1

    play(tmp_path, act)


def test_without_a_deposit_there_is_no_seat(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        (lot,) = await stage.publish(LISTING_RULES)
        await stage.deposit(lot, stage.bidders[0], amount=99_99)
        assert stage.service.seat_of(lot, "org_0") is None
        await stage.deposit(lot, stage.bidders[1])
        assert stage.service.seat_of(lot, "org_1") is not None

    play(tmp_path, act)


def test_a_released_deposit_ends_the_right_to_bid(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, _) = await stage.listed(LISTING_RULES)
        await a.bid("100")
        await stage.business("deposit.released", {"deposits": [f"dep_{lot}_1"]})
        assert (await b.bid("110"))["code"] == "NO_DEPOSIT"

    play(tmp_path, act)


def test_what_a_hall_does_not_show_makes_no_frame_and_lets_no_offer_wait(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, _) = await stage.listed(LISTING_RULES)
        hall, topic = stage.halls[lot], stage.hub._topics[f"lot:{lot}"]
        hall.flush()
        hall._quiet_from = 0.0  # as long after its last frame
        before = topic.seq
        await b.enter()
        await b.answer("nothing that can be read")
        assert topic.seq == before
        await a.bid("100")
        assert topic.seq == before + 1

    play(tmp_path, act)


def test_a_frame_brings_the_new_offers_and_not_the_list_of_all(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, _) = await stage.listed(LISTING_RULES)
        hall, topic = stage.halls[lot], stage.hub._topics[f"lot:{lot}"]
        await a.bid("100")
        hall.flush()
        known = list(hall.state["offers"])
        await b.bid("105")
        await b.bid("110")
        hall.flush()
        frame = json.loads(topic.ring[-1])
        assert "offers" not in frame["set"]
        assert [offer["amount"] for offer in frame["add"]["offers"]][-1] == "110"
        told = [json.loads(one).get("add", {}).get("offers", []) for one in topic.ring]
        assert [offer for few in told for offer in few] == hall.state["offers"]
        assert known == hall.state["offers"][: len(known)]

    play(tmp_path, act)


@pytest.mark.both_databases
def test_the_quota_session_ranks_and_pays_exactly(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, c) = await stage.quota()
        for desk, amount in [(a, "20"), (b, "20"), (c, "20"), (c, "40")]:
            assert (await desk.bid(amount))["ok"]
        await stage.at(80_000)
        outcome = stage.service.writer(lot).book.outcome
        assert outcome is not None
        winners = outcome["outcome"]["winners"]
        assert [(w["parcel"], w["amount"], w["payable"]) for w in winners] == [
            ("L3", "40.00", "1240000.00"),
            ("L1", "20.00", "1220000.00"),
        ]
        assert outcome["deposits_released"] == ["dep_lot_1_1"]

    play(tmp_path, act)


def test_the_centres_suspension_and_resumption_are_followed_at_their_instants(
    tmp_path: Path,
) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, b, _) = await stage.listed(LISTING_RULES)
        await a.bid("100")
        await stage.at(20_000)
        await stage.business("target.suspended", {"target": lot, "reason": "网络故障"})
        assert (await b.bid("200"))["code"] == "SUSPENDED"
        await stage.at(200_000)
        await stage.business("target.resumed", {"target": lot})
        state = stage.service.writer(lot).durable
        assert state.ends == NOON + 70_000 + 180_000
        assert (await b.bid("200"))["ok"]

    play(tmp_path, act)


def test_termination_ends_without_a_winner_and_gives_all_deposits_back(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, *_) = await stage.listed(LISTING_RULES)
        await a.bid("100")
        await stage.business("session.terminated", {"session": "ses_1"})
        outcome = stage.service.writer(lot).book.outcome
        assert outcome is not None
        assert outcome["event"] == "TERMINATED"
        assert len(outcome["deposits_released"]) == 3

    play(tmp_path, act)


@pytest.mark.parametrize("kind", ["one_shot", "lottery"])
def test_what_is_closed_stays_closed_in_rows_and_hall_until_its_phase_ends(
    tmp_path: Path, kind: str
) -> None:
    from hashlib import sha256

    last = "quote_s" if kind == "one_shot" else "reveal_s"
    on_cap = {"kind": kind, "wait_s": 0, "ask_s": 10, last: 10}
    rules = {**LISTING_RULES, "price_cap": "200", "on_cap": on_cap, "timed": TIMED}
    nonces = ["n1-secret-nonce", "n2-secret-nonce"]

    async def act(stage: Stage) -> None:
        lot, desks = await stage.listed(rules)

        def public() -> str:
            return repr([row.body for row in stage.service.rows(lot)]) + repr(stage.hall(lot))

        assert (await desks[0].bid("200"))["ok"]
        for desk, nonce in zip(desks, nonces, strict=False):
            commit = sha256(nonce.encode()).hexdigest()
            assert (await desk.bid(None, do="join", commit=commit))["ok"]
            assert kind == "one_shot" or commit not in public()
        await stage.at(20_000)
        assert kind == "one_shot" or sha256(nonces[0].encode()).hexdigest() in public()
        secrets = ["237.77", "241.13"] if kind == "one_shot" else nonces
        for desk, secret in zip(desks, secrets, strict=False):
            answer = await (
                desk.bid(secret, do="quote")
                if kind == "one_shot"
                else desk.bid(None, do="reveal", nonce=secret)
            )
            assert answer["ok"]
            assert secret in answer["opened"]["value"]
            assert secret not in public()
        await stage.at(30_000)
        assert stage.hall(lot)["phase"] == "SOLD"
        assert all(secret in public() for secret in secrets)

    play(tmp_path, act)


def test_identities_stay_closed_until_the_result(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, *_) = await stage.listed(LISTING_RULES)
        await a.bid("100")
        public = repr([row.body for row in stage.service.rows(lot)]) + repr(stage.hall(lot))
        for bidder in stage.bidders[:3]:
            assert bidder.organisation not in public
            assert bidder.name not in public
        await stage.at(100_000)
        public = repr([row.body for row in stage.service.rows(lot)]) + repr(stage.hall(lot))
        assert a.bidder.name in public

    play(tmp_path, act)


@pytest.mark.both_databases
def test_the_ledger_gets_each_lots_chain_head_as_of_the_end_of_a_slot(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        lot, (a, *_) = await stage.listed(LISTING_RULES)
        slot = stage.clock.now() // 1000
        await a.bid("100")
        assert stage.service.ready(slot)
        head = stage.service.rows(lot)[-1].chain.hex()
        assert stage.service.commitments(slot - 1) != {lot: head}
        assert stage.service.commitments(slot) == {lot: head}
        assert stage.service.commitments(slot + 1) == {lot: head}

    play(tmp_path, act)


def test_bad_rules_announce_nothing_and_harm_nothing(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        await stage.publish({"increment": "0", "timed": TIMED}, session="ses_bad")
        assert not stage.service.writers
        await stage.publish(QUOTA_RULES, holders=2)
        assert list(stage.service.writers) == ["ses_1"]

    play(tmp_path, act)
