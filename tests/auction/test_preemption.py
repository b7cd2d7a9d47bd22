"""优先购买权 in a live session: named by the notice or proved, closed until the result, used in its window."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from auction.model import ScenarioError
from auction.record import audit, confirmation_facts
from auction.rules.right import terms
from auction.service import business
from crypto.canonical import canonical
from tests.auction.preemption import (
    EVIDENCE,
    NAMED,
    PROVED,
    RULES,
    SOLD,
    contested,
    facts,
    fixed_paddles,
    line,
    outcome,
    play,
    recognised,
)
from tests.auction.stage import CENTRE, LISTING_RULES, NOON, QUOTA_RULES, Desk, Stage
from tests.auction.test_record import HEADING
from tests.auction.test_what_each_role_sees import seen


@pytest.fixture(autouse=True)
def _drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed_paddles(monkeypatch)


def phase(stage: Stage) -> str:
    return str(stage.hall("lot_0")["phase"])


def test_a_holder_named_by_the_notice_matches_and_wins_at_the_same_price(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        desks = await contested(stage)
        holder = desks[2]
        hall = stage.hall("lot_0")
        assert (hall["phase"], hall["ends_at"]) == ("MATCHING", NOON + 70_000 + 120_000)
        assert {
            "id": "MATCHING",
            "state": "now",
            "zh": "行使优先购买权",
            "en": "Right of first refusal",
        } in hall["phases"]
        assert hall["preemption"] == {**NAMED, "holders": [holder.bidder.name], "held": None}
        assert (await desks[0].bid(None, do="match"))["code"] == "NOT_ENTITLED"
        assert (await holder.bid(None, do="match"))["ok"]
        (won,) = outcome(stage)["winners"]
        assert (won["bidder"], won["amount"]) == (holder.paddle, "110.00")
        hall = stage.hall("lot_0")
        assert hall["preemption"]["held"] == [holder.paddle]
        assert [(row["paddle"], row["holder"]) for row in hall["standing"]] == [
            (holder.paddle, holder.bidder.name)
        ]
        said = [one["kind"] for one in hall["feed"]]
        assert said[-2:] == ["match", "phase"]  # what an act brings about is told after it
        rows = stage.service.rows("lot_0")
        given = [row for row in rows if row.kind == "auction.entitled"]
        assert [set(row.body) for row in given] == [{"closed", "cause"}]
        commitment = given[0].body["closed"]["commitment"]
        transcript, (confirmed,) = facts(stage)
        assert commitment in line(transcript, "优先购买权人")
        assert line(transcript, "优先购买权") == f"公告载明：{holder.bidder.name}；行使期 120 秒"
        assert line(transcript, "优先购买权行使").endswith(f"{holder.paddle} 号牌行使")
        assert (confirmed.holder, confirmed.conditions[0]) == (holder.bidder.name, "十日内签约")
        assert commitment in confirmed.conditions[1]
        # An auditor hands in the sentences of the paper: they are not said twice, and none can be left out.
        again = confirmation_facts(
            rows, lambda _: HEADING, transcript_number="ZS-1", conditions=confirmed.conditions
        )
        assert again == [confirmed]

    play(tmp_path, act)


def test_declined_or_left_unused_the_leader_wins(tmp_path: Path) -> None:
    async def declined(stage: Stage) -> None:
        desks = await contested(stage)
        assert (await desks[2].bid(None, do="decline"))["ok"]
        assert outcome(stage)["winners"][0]["bidder"] == desks[1].paddle
        assert line(facts(stage)[0], "优先购买权行使").endswith("放弃")
        said = [one["zh"] for one in stage.hall("lot_0")["feed"] if one["kind"] == "decline"]
        assert said == ["一位优先购买权人 放弃优先购买权"]

    async def unused(stage: Stage) -> None:
        desks = await contested(stage)
        await stage.at(190_000)
        (won,) = outcome(stage)["winners"]
        assert (won["bidder"], outcome(stage)["closed_at"]) == (
            desks[1].paddle,
            "2026-11-24T04:03:10.000Z",
        )
        transcript, (confirmed,) = facts(stage)
        assert line(transcript, "优先购买权行使") == f"{desks[2].paddle} 号牌期内未行使"
        assert confirmed.conditions == ("十日内签约",)

    play(tmp_path / "declined", declined)
    play(tmp_path / "unused", unused)


def test_until_the_result_nothing_says_which_paddle_holds_it(tmp_path: Path) -> None:
    """The notice names the organisation, so the paddle alone would say who sits there."""

    async def act(stage: Stage) -> None:
        rules = {**RULES, "preemption": {**NAMED, "proved": True}}
        (lot,) = await stage.publish(rules)
        await recognised(stage, stage.bidders[0])
        for bidder in stage.bidders[:4]:
            await stage.deposit(lot, bidder)
        await stage.at(10_000)
        desks = [await Desk(stage, lot, bidder).enter() for bidder in stage.bidders[:4]]
        prover, leader, holder, rival = desks
        assert (await leader.bid("100"))["ok"]
        await stage.at(SOLD)
        assert (await holder.bid(None, do="decline"))["ok"]
        assert phase(stage) == "MATCHING"  # the prover's right is still there
        views = seen(stage, lot, rival)
        for desk in (holder, prover):
            assert not any(desk.paddle in text for text in views.values())
        for reader in ("watcher", "rival", "ledger"):
            assert EVIDENCE not in views[reader]
        assert holder.bidder.name in views["watcher"]  # the notice's own word
        assert prover.bidder.name not in json.dumps(views, ensure_ascii=False)
        # Nor do the rows, which are in nobody's hands yet, in the very fields that the chain commits to.
        for row in stage.service.rows(lot):
            if row.kind == "auction.entitled":
                assert holder.paddle not in canonical(row.body).decode()
        assert [desk.got[-1].get("ok") for desk in (holder,)] == [True]
        assert (await prover.bid(None, do="match"))["ok"]
        assert set(stage.hall(lot)["preemption"]["held"]) == {holder.paddle, prover.paddle}
        audit(stage.service.rows(lot), CENTRE)

    play(tmp_path, act)


def test_that_a_holder_takes_part_shows_in_no_frame_before_its_window(tmp_path: Path) -> None:
    """Byte by byte: a watcher's frames with the holder among three bidders, and without it."""

    def watched(home: Path, bidders: tuple[int, ...]) -> list[bytes]:
        async def act(stage: Stage) -> list[bytes]:
            (lot,) = await stage.publish(RULES)
            for number in bidders:
                await stage.deposit(lot, stage.bidders[number])
            await stage.at(10_000)
            desks = [await Desk(stage, lot, stage.bidders[n]).enter() for n in bidders]
            stage.hall(lot)
            for desk, amount in zip(desks, ("100", "110"), strict=False):
                assert (await desk.bid(amount))["ok"]
                stage.hall(lot)
            topic = stage.hub._topics[f"lot:{lot}"]
            return [*topic.ring, topic.snapshot(stage.clock.now())]

        return list(play(home, act))

    with_holder = watched(tmp_path / "with", (0, 1, 2))
    assert with_holder == watched(tmp_path / "without", (0, 1, 3))


def test_a_holder_without_a_letter_changes_nothing(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        desks = await contested(stage, count=2)
        assert outcome(stage)["winners"][0]["bidder"] == desks[1].paddle
        rows = stage.service.rows("lot_0")
        assert all(row.kind != "auction.entitled" for row in rows)
        assert line(facts(stage)[0], "优先购买权人") == "限时竞价开始前无人以此取得竞买资格"
        audit(rows, CENTRE)

    play(tmp_path, act)


def test_a_holder_whose_deposit_went_back_or_who_leads_has_nothing_to_match(tmp_path: Path) -> None:
    async def released(stage: Stage) -> None:
        lot, desks = await stage.listed(RULES)
        assert (await desks[0].bid("100"))["ok"]
        await stage.business("deposit.released", {"deposits": [f"dep_{lot}_2"], "reason": "退出"})
        await stage.at(SOLD)
        assert outcome(stage)["winners"][0]["bidder"] == desks[0].paddle
        audit(stage.service.rows(lot), CENTRE)

    async def leads(stage: Stage) -> None:
        _, desks = await stage.listed(RULES)
        assert (await desks[2].bid("100"))["ok"]
        await stage.at(SOLD)
        assert outcome(stage)["winners"][0]["bidder"] == desks[2].paddle
        assert line(facts(stage)[0], "优先购买权行使") == "未进入行使期"
        assert facts(stage)[1][0].conditions == ("十日内签约",)

    play(tmp_path / "released", released)
    play(tmp_path / "leads", leads)


@pytest.mark.both_databases
def test_a_restart_in_the_window_resumes_it_and_the_holder_still_matches(tmp_path: Path) -> None:
    async def act() -> None:
        stage = await Stage(tmp_path).start()
        desks = await contested(stage)
        await stage.at(100_000)
        await stage.stop()
        again = await Stage(tmp_path, NOON + 500_000).start()
        state = again.service.writer("lot_0").durable
        assert state.phase.value == "MATCHING"
        assert state.ends is not None
        assert state.ends > NOON + 500_000  # the outage moved the end of the window
        holder = await Desk(again, "lot_0", again.bidders[2]).enter()
        assert holder.paddle == desks[2].paddle
        assert (await holder.bid(None, do="match"))["ok"]
        assert outcome(again)["winners"][0]["bidder"] == holder.paddle
        audit(again.service.rows("lot_0"), CENTRE)
        await again.stop()

    asyncio.run(act())


def test_a_right_proved_after_the_deposit_counts_and_one_after_timed_bidding_began_does_not(
    tmp_path: Path,
) -> None:
    async def act(stage: Stage) -> None:
        (lot,) = await stage.publish(PROVED)
        for bidder in stage.bidders[:3]:
            await stage.deposit(lot, bidder)
        await recognised(stage, stage.bidders[2])
        await recognised(stage, stage.bidders[2])  # answered again after a crash
        await stage.at(10_000)
        await recognised(stage, stage.bidders[1])
        desks = [await Desk(stage, lot, bidder).enter() for bidder in stage.bidders[:3]]
        assert (await desks[0].bid("100"))["ok"]
        await stage.at(SOLD)
        assert (await desks[1].bid(None, do="match"))["code"] == "NOT_ENTITLED"
        assert (await desks[2].bid(None, do="match"))["ok"]
        rows = stage.service.rows(lot)
        assert sum(row.kind == "auction.entitled" for row in rows) == 1
        assert "申请时证明" in line(facts(stage)[0], "优先购买权人")
        audit(rows, CENTRE)

    play(tmp_path, act)


# --- Rules ---


def test_a_session_names_organisations_and_never_paddles(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        from trading.model import Lot, Session

        def planned(right: Any, rules: dict[str, Any] = LISTING_RULES) -> Any:
            lots = [Lot(f"lot_{n}", "ses", name, "", 1, {}) for n, name in enumerate("ABB")]
            session = Session("ses", "s", (), NOON, 0, {**rules, "preemption": right}, NOON)
            return business.plan(session, lots, stage.state)

        named = {"lot": "A", "organisation": "org_1"}
        first, second, _ = planned({"window_s": 60, "holders": [named]})
        told = [{"name": stage.bidders[1].name, "credit_code": "CODEk1"}]
        assert first.rules["preemption"] == {"window_s": 60, "holders": told, "proved": False}
        assert second.rules["preemption"] is None
        wrong: list[Any] = [
            {"bidders": ["101"], "window_s": 60}, {"window_s": 60}, {"window_s": 0, "proved": True},
            {"window_s": 60, "holders": [named, named]}, {"window_s": 60, "holders": [{"lot": "A"}]},
            {"window_s": 60, "holders": [{**named, "lot": "B"}]}, {"window_s": 60, "holders": [{**named, "lot": "C"}]},
            {"window_s": 60, "holders": [{**named, "organisation": "org_x"}]}, {"window_s": 60, "proved": 1}, [], 7,
            {"window_s": 60, "proved": True, "more": 1}, {"window_s": "60", "proved": True},
        ]  # fmt: skip
        for right in wrong:
            with pytest.raises(ScenarioError):
                planned(right)
        with pytest.raises(ScenarioError, match="quota"):
            planned({"window_s": 60, "proved": True}, QUOTA_RULES)
        assert terms({"window_s": 60, "proved": True}).window == 60_000

    play(tmp_path, act)
