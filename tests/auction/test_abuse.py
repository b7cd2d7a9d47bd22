"""The catalogue of abuse (reference/reliability.md §2, A1-A22): which test answers which line, and the rest of them.

`ANSWERS` is read by a test, so that no line loses its test by a renaming.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from auction.record import audit
from tests.auction.script import Played, timed
from tests.auction.stage import CENTRE, LISTING_RULES, NOON, Desk, Stage
from tests.places import REPOSITORY

ANSWERS: dict[str, tuple[str, ...]] = {
    "A1 two bids in one millisecond": (
        "auction/test_abuse.py::test_of_two_equal_offers_in_one_millisecond_the_first_leads_and_the_other_is_told",
    ),
    "A2 a bid on a stale state": (
        "auction/test_abuse.py::test_an_offer_on_a_stale_state_is_refused_with_what_would_be_taken",
    ),
    "A3 increments": (
        "auction/test_spec_by_hand.py::test_the_first_check_that_fails_is_the_code",
        "properties/test_auction_engine.py::test_the_engine_and_the_slow_reading_of_the_rules_agree",
    ),
    "A4 A5 hostile numerals": ("auction/test_hostile_numbers.py::test_no_offer_is_taken",),
    "A6 deposit or qualification withdrawn": (
        "auction/test_service.py::test_a_released_deposit_ends_the_right_to_bid",
        "auction/test_service.py::test_without_a_deposit_there_is_no_seat",
    ),
    "A7 one device for two bidders": (
        "auction/test_abuse.py::test_one_key_for_two_paddles_blocks_nobody_and_stands_in_the_audit",
    ),
    "A8 reconnect storm": (
        "trading/ground/test_live.py::test_at_nine_tenths_of_the_file_limit_new_watchers_are_asked_to_come_later",
    ),
    "A9 slow consumer": (
        "trading/ground/test_live.py::test_a_reader_that_does_not_read_delays_nobody_and_is_conflated_then_closed",
    ),
    "A10 floods": (
        "acceptance/hostile/test_sockets.py::test_floods_of_pings_and_messages_end_or_are_slowed_and_hold_nobody_up",
        "acceptance/hostile/test_sockets.py::test_a_frame_of_a_megabyte_closes_its_own_socket",
        "peer_probes/test_auction_probes.py::test_the_bucket_refuses_what_comes_too_fast",
    ),
    "A11 at the hammer": (
        "peer_probes/test_auction_probes.py::test_w2_an_acknowledged_bid_beside_the_hammer_is_never_lost",
        "auction/test_spec_by_hand.py::test_reset_and_append_part_at_the_last_millisecond",
    ),
    "A12 endless extension": (
        "auction/test_abuse.py::test_an_auction_with_a_cap_ends_after_so_many_steps_whoever_bids",
    ),
    "A13 kill -9": (
        "acceptance/durability/test_kill.py::test_kill_9_at_every_named_point_of_an_offers_way",
    ),
    "A14 a lost answer": (
        "auction/test_service.py::test_the_same_offer_again_gets_its_first_answer_and_another_one_replay",
    ),
    "A15 A16 the disk": (
        "acceptance/durability/test_disk_faults.py::test_every_call_fails_in_turn",
        "acceptance/durability/test_disk_faults.py::test_a_database_locked_by_somebody_else_is_waited_for_then_refused",
    ),
    "A17 the wall clock leaps": (
        "acceptance/durability/test_clock.py::test_an_auction_whose_wall_clock_leaps_leaves_the_same_bytes",
        "auction/test_taking_part.py::test_no_auction_begins_by_a_clock_known_to_be_wrong_until_two_people_resume_it",
    ),
    "A18 a stall at the hammer": (
        "acceptance/durability/test_clock.py::test_offers_that_wait_at_the_door_of_a_stalled_process_are_judged_when_they_enter",
        "auction/test_abuse.py::test_a_stall_at_the_hammer_is_in_row_and_log_and_moves_nothing",
    ),
    "A19 a second process": (
        "auction/test_faults.py::test_a_second_process_on_the_same_home_refuses_to_start",
    ),
    "A20 a bid cancelled by the operator": (
        "peer_probes/test_auction_probes.py::test_w6_superseded_offers_stay_and_nothing_can_be_taken_back",
    ),
    "A21 identities": (
        "auction/test_what_each_role_sees.py::test_who_sits_behind_a_paddle_is_nobodys_to_read_until_the_result",
    ),
    "A22 jumps of phase": (
        "auction/test_spec_by_hand.py::test_a_command_is_early_or_late_by_the_line_of_phases",
        "auction/test_spec_by_hand_stages.py::test_the_cap_ends_listing_at_once_and_everything_counts_from_it",
    ),
}


def play(home: Path, act: Callable[[Stage], Awaitable[None]]) -> None:
    async def run() -> None:
        stage = await Stage(home).start()
        await act(stage)
        await stage.stop()

    asyncio.run(run())


def test_every_line_of_the_catalogue_has_a_test_that_is_there() -> None:
    lines = {word for line in ANSWERS for word in re.findall(r"\bA\d+\b", line)}
    assert lines == {f"A{n}" for n in range(1, 23)}
    for where in (each for answers in ANSWERS.values() for each in answers):
        file, _, name = where.partition("::")
        assert f"def {name}(" in (REPOSITORY / "tests" / file).read_text(encoding="utf-8"), where


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
