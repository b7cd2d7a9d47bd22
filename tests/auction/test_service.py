"""Auctions alive: what is acknowledged is durable, what is durable is told, and it comes back as it was."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from auction.replay.book import Book, evolve
from auction.replay.closed import by_key
from tests.auction.stage import LISTING_RULES, NOON, QUOTA_RULES, TIMED, Desk, Stage
from trading.ground.journal import Journal

pytestmark = pytest.mark.usefixtures("stored")

Play = Callable[[Stage], Awaitable[None]]


def play(tmp_path: Path, act: Play, now: int = NOON) -> None:
    """Run one act on one home; the live book must equal the fold of its own rows at the end."""

    async def run() -> None:
        stage = await Stage(tmp_path, now).start()
        try:
            await act(stage)
            await stage.quiet()
            for lot, writer in stage.service.writers.items():
                assert refold(stage, lot) == writer.book
        finally:
            await stage.stop()

    asyncio.run(run())


def refold(stage: Stage, lot: str) -> Book:
    book = Book()
    for row in stage.service.rows(lot):
        evolve(book, row, by_key(stage.service._keys[lot]))
    return book


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


def test_a_revoked_key_closes_the_desk(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        from dataclasses import replace

        _, (a, *_) = await stage.listed(LISTING_RULES)
        public = a.bidder.actor.public
        stage.state.keys[public] = replace(stage.state.keys[public], revoked_at_index=9)
        a.say(a.bidder.offer(a.lot, a.paddle, "100"))
        assert a.closed == [(1008, "key-revoked")]

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


async def killed(tmp_path: Path, act: Play) -> None:
    """Play an act and end without any farewell: the next process finds what was durable."""
    stage = await Stage(tmp_path).start()
    await act(stage)
    await stage.service.stop()
    stage.halls.close()
    await stage.timers.close()
    await stage.hub.close()
    stage.close()


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
