"""The specification read again sentence by sentence: scenarios whose results were worked out by hand.

Nothing here computes an expectation with the engine: the reasons stand beside the figures. The section of
spec/auction.md stands in front of each group.
"""

from hashlib import sha256
from typing import Any

import pytest

from tests.auction.script import LISTING, TIMED, Played, rules, timed

# --- §1 Form ---


@pytest.mark.parametrize(
    ("scale", "amount", "taken"),
    [
        (0, "100", True),
        (0, "100.0", False),
        (0, "999999999999999", True),
        (0, "1000000000000000", False),
        (1, "100.0", True),
        (1, "100.00", False),
        (6, "100.000001", True),
        (6, "100.0000001", False),
        (6, "999999999999999.999999", True),
        (2, "100.", False),
        (2, "0100", False),
        (2, "1e2", False),
        (2, "100\n", False),
    ],
)
def test_an_amount_has_at_most_the_decimals_of_its_scale(
    scale: int, amount: str, taken: bool
) -> None:
    bid = {"at": "10:05:00", "by": "P1", "do": "bid", "amount": amount}
    assert Played(timed(scale=scale), bid).verdicts == [
        "1 → 10:10:00.000" if taken else "BAD_AMOUNT"
    ]


def test_a_clock_that_goes_back_is_kept_at_the_last_time_seen() -> None:
    # The refused command of 10:06 was seen: the bid stamped 10:05:30 after it counts at 10:06, hence end 10:11.
    # An engine that believed the stamp would say max(10:10, 10:10:30).
    got = Played(timed(), "10:06:00 P9 bid 100", "10:05:30 P1 bid 100")
    assert got.verdicts == ["NO_DEPOSIT", "1 → 10:11:00.000"]
    # Seen at the end, it is over, whatever the next stamp says.
    got = Played(timed(), "10:10:00 P1 bid 100", "10:05:30 P1 bid 100", until="10:00:00")
    assert got.verdicts == ["CLOSED", "CLOSED"]
    assert got.outcome == "UNSOLD NO_BIDS 10:10:00.000"


def test_the_clock_stays_where_the_last_command_left_it_or_until_takes_it_on() -> None:
    assert Played(timed(), "10:05:00 P1 bid 100").outcome == "OPEN -"
    early = Played(timed(), "10:05:00 P1 bid 100", until="09:00:00")
    assert (early.outcome, early.phases) == ("OPEN -", ["TIMED 10:05:00.000"])
    assert Played(timed(), until="10:04:59.999").phases == []
    assert Played(timed(), until="10:05:00").phases == ["TIMED 10:05:00.000"]
    assert Played(timed()).phases == []


def test_times_are_instants_whatever_their_offset_and_decimals() -> None:
    shifted = timed(timed={"starts_at": "2026-03-02T18:05:00.0+08:00", "extend_s": 300})
    lines = [
        "2026-03-02T00:05:00.5-10:00 P1 bid 100",  # 10:05:00.500
        "2026-03-02T15:40:00.50+05:30 P2 bid 110",  # 10:10:00.500: the end, hence late
    ]
    assert Played(shifted, *lines).verdicts == ["1 → 10:10:00.500", "CLOSED"]


def test_equal_instants_are_decided_in_their_order() -> None:
    lines = [
        "10:05:00 P1 bid 100",
        "10:05:00 P2 bid 100",
        "10:05:00 P2 bid 110",
        "10:05:00 P2 bid 120",
    ]
    assert Played(timed(), *lines).verdicts == [
        "1 → 10:10:00.000", "BELOW_MIN_NEXT", "2 → 10:10:00.000", "SELF_RAISE",
    ]  # fmt: skip


# --- §2 Phases ---


def test_every_interval_takes_its_start_and_refuses_its_end() -> None:
    frozen = rules(listing=LISTING | {"freeze_s": 60})
    got = Played(
        frozen,
        "08:59:59.999 P1 bid 100",
        "09:00:00 P1 bid 100",
        "09:58:59.999 P2 bid 110",
        "09:59:00 P3 bid 120",
        "09:59:59.999 P9 bid 120",  # the phase (3) comes before the deposit (4)
        "10:00:00 P3 bid 120",
        "10:00:00 P1 confirm",
        "10:00:00 P1 confirm",
        "10:04:59.999 P2 confirm",
        "10:05:00 P3 confirm",
        "10:05:00 P3 bid 120",
        "10:05:00 P9 bid 120",
        "10:09:59.999 P1 bid 120",
        "10:14:59.999 P2 bid 130",  # the end itself
    )
    assert got.verdicts == [
        "NOT_OPEN", "1 → 09:59:00.000", "2 → 09:59:00.000", "FROZEN", "FROZEN", "NOT_OPEN",
        "3 → 10:05:00.000", "ALREADY_CONFIRMED", "4 → 10:05:00.000", "CLOSED", "NOT_CONFIRMED",
        "NO_DEPOSIT", "5 → 10:14:59.999", "CLOSED",
    ]  # fmt: skip
    assert got.outcome == "SOLD 10:14:59.999 P1 120.00"
    assert [line.split()[0] for line in got.phases] == [
        "LISTING", "FROZEN", "CONFIRMING", "TIMED", "SOLD",
    ]  # fmt: skip


def test_an_empty_confirming_is_passed_through_and_decides_at_once() -> None:
    # closes_at = starts_at: nobody can confirm, so under confirm_2 the listing quote wins at 10:00.
    empty = rules(timed={"starts_at": "2026-03-02T10:00:00Z"})
    got = Played(empty, "09:00:00 P1 bid 100", "10:00:00 P2 bid 110")
    assert got.verdicts == ["1 → 10:00:00.000", "CLOSED"]
    assert got.phases == ["LISTING 09:00:00.000", "SOLD 10:00:00.000"]
    # Under `always` TIMED begins at 10:00 and takes the bid.
    always = rules(timed={"starts_at": "2026-03-02T10:00:00Z", "entry_rule": "always"})
    got = Played(always, "09:00:00 P1 bid 100", "10:00:00 P2 bid 110", until="11:00:00")
    assert got.verdicts == ["1 → 10:00:00.000", "2 → 10:05:00.000"]
    assert got.phases[1:] == ["TIMED 10:00:00.000", "SOLD 10:05:00.000"]


def test_one_who_confirmed_is_too_few_and_the_highest_quote_wins_whoever_made_it() -> None:
    lines = ["09:00:00 P1 bid 100", "09:00:01 P2 bid 110", "10:00:00 P1 confirm"]
    assert Played(rules(), *lines, until="10:05:00").outcome == "SOLD 10:05:00.000 P2 110.00"
    assert Played(rules(), until="10:05:00").outcome == "UNSOLD NO_BIDS 10:05:00.000"
    assert Played(rules(reserve_price="110.01"), *lines, until="10:05:00").outcome == (
        "UNSOLD RESERVE_NOT_MET 10:05:00.000"
    )
    # Two confirmed, nobody bids in TIMED: the listing quote wins though its bidder did not confirm.
    more = [*lines, "10:00:00 P3 confirm"]
    assert Played(rules(), *more, until="11:00:00").outcome == "SOLD 10:10:00.000 P2 110.00"


def test_reset_and_append_part_at_the_last_millisecond() -> None:
    lines = ["10:05:00 P1 bid 100", "10:09:59.999 P2 bid 110"]
    assert Played(timed(), *lines).verdicts == ["1 → 10:10:00.000", "2 → 10:14:59.999"]
    append = timed(timed=TIMED | {"extension_rule": "append"})
    assert Played(append, *lines).verdicts == ["1 → 10:15:00.000", "2 → 10:20:00.000"]
    # A first window of its own; reset never takes time away.
    long = timed(timed=TIMED | {"first_window_s": 3600, "extend_s": 60})
    assert Played(long, *lines).verdicts == ["1 → 11:05:00.000", "2 → 11:05:00.000"]


# --- §3 Checks ---


def test_the_first_check_that_fails_is_the_code() -> None:
    capped = timed(price_cap="145", increment_rule="multiple", on_cap=None)
    got = Played(
        capped,
        "10:04:59 P9 bid 1e3",  # 1 before 3
        "10:05:00 P9 bid 99",  # 4 before 8
        "10:05:00 P1 bid 99",  # 8 before 9
        "10:05:00 P1 bid 105",  # 9
        "10:05:00 P1 bid 110",
        "10:05:00 P1 bid 200",  # 6 before 7
        "10:05:00 P2 bid 200",  # 7
        "10:05:00 P2 bid 119",  # 8 before 9
        "10:05:00 P2 bid 140",
        "10:05:00 P3 bid 145",  # the cap: only above the highest, and off the grid
    )
    assert got.verdicts == [
        "BAD_AMOUNT", "NO_DEPOSIT", "BELOW_MIN_NEXT", "NOT_MULTIPLE", "1 → 10:10:00.000", "SELF_RAISE",
        "ABOVE_CAP", "BELOW_MIN_NEXT", "2 → 10:10:00.000", "3 → -",
    ]  # fmt: skip
    assert got.outcome == "SOLD 10:05:00.000 P3 145.00"


def test_down_is_the_mirror_image() -> None:
    down = timed(direction="down", price_cap="60", increment_rule="multiple")
    got = Played(
        down,
        "10:05:00 P1 bid 101",  # above the highest first offer
        "10:05:00 P1 bid 100",
        "10:05:00 P2 bid 91",
        "10:05:00 P2 bid 85",  # off the grid 100, 90, 80 …
        "10:05:00 P2 bid 70",
        "10:05:00 P1 bid 59.99",  # under the floor
        "10:05:00 P1 bid 60",
    )
    assert got.verdicts == [
        "BELOW_MIN_NEXT", "1 → 10:10:00.000", "BELOW_MIN_NEXT", "NOT_MULTIPLE", "2 → 10:10:00.000",
        "ABOVE_CAP", "3 → -",
    ]  # fmt: skip
    assert got.outcome == "SOLD 10:05:00.000 P1 60.00"
    # Reserve, mirrored: 80 is better than 90 and meets it, 100 is worse and does not.
    for amount, end in (
        ("80", "SOLD 10:10:00.000 P1 80.00"),
        ("100", "UNSOLD RESERVE_NOT_MET 10:10:00.000"),
    ):
        said = Played(
            timed(direction="down", reserve_price="90"),
            f"10:05:00 P1 bid {amount}",
            until="11:00:00",
        )
        assert said.outcome == end


def test_a_command_is_early_or_late_by_the_line_of_phases() -> None:
    draw = timed(
        price_cap="100", on_cap={"kind": "lottery", "wait_s": 10, "ask_s": 10, "reveal_s": 10}
    )
    commit = sha256(b"").hexdigest()
    got = Played(
        draw,
        "10:04:00 P1 join x",  # ANNOUNCED: early
        "10:05:00 P1 confirm",  # TIMED stands after CONFIRMING, though these rules lead through none
        "10:05:00 P1 match",
        "10:05:00 P1 bid 100",  # the cap: WAITING to 10:05:10
        "10:05:09.999 P2 bid 110",  # no pause before a second ladder: closed
        "10:05:09.999 P2 join x",
        f"10:05:10 P2 join {commit}",
        f"10:05:10 P1 join {commit}",
        "10:05:10 P1 quote 100",  # ASKING stands before QUOTING
        "10:05:20 P1 quote 100",  # REVEALING stands after it
        "10:05:20 P3 reveal x",
        "10:05:20 P1 join x",
        {"at": "10:05:20", "by": "P1", "do": "reveal", "nonce": ""},
        {"at": "10:05:29.999", "by": "P2", "do": "reveal", "nonce": ""},
        "10:05:30 P3 decline",
    )
    assert got.verdicts == [
        "NOT_OPEN", "CLOSED", "NOT_OPEN", "1 → 10:05:10.000", "CLOSED", "NOT_OPEN", "2 → 10:05:20.000",
        "3 → 10:05:20.000", "NOT_OPEN", "CLOSED", "NOT_JOINED", "CLOSED", "4 → 10:05:30.000",
        "5 → 10:05:30.000", "CLOSED",
    ]  # fmt: skip
    shot = timed(
        price_cap="100", on_cap={"kind": "one_shot", "wait_s": 0, "ask_s": 10, "quote_s": 10}
    )
    got = Played(
        shot, "10:05:00 P1 bid 100", "10:05:00 P1 join", "10:05:01 P2 join", "10:05:10 P1 reveal x"
    )
    assert got.verdicts[-1] == "NOT_OPEN"  # QUOTING stands before REVEALING


# --- §6 Quota ---


def parcel(number: int, **changes: Any) -> dict[str, Any]:
    base = {"id": f"L{number}", "holder": f"P{number}", "added_gfa": "1", "start_floor_price": "0"}
    return base | changes


def quota(slots: int, base: str, *parcels: Any, **changes: Any) -> dict[str, Any]:
    said = {"slots": slots, "raise_base": base, "parcels": [*parcels]}
    return {"increment": "20", "timed": TIMED, "quota": said} | changes


def test_the_three_bases_of_a_quota_session() -> None:
    lines = [
        "10:05:00 P1 bid 19", "10:05:00 P1 bid 20", "10:05:00 P2 bid 20", "10:05:00 P1 bid 100",
        "10:05:00 P2 bid 100", "10:05:00 P3 bid 20", "10:05:00 P3 bid 40", "10:05:00 P2 bid 60",
    ]  # fmt: skip
    three = [parcel(1), parcel(2), parcel(3)]
    end = "→ 10:10:00.000"
    # global_high: P1 leads at 20 and may not raise itself; P2's later bid needs 40, 100 is fine; then P3's first
    # bid of 20 stands whatever others have, its second needs 120; P2 leads: SELF_RAISE.
    assert Played(quota(2, "global_high", *three), *lines).verdicts == [
        "BELOW_MIN_NEXT", f"1 {end}", f"2 {end}", "SELF_RAISE", f"3 {end}", f"4 {end}",
        "BELOW_MIN_NEXT", "SELF_RAISE",
    ]  # fmt: skip
    # own_high: P3's second bid needs 40 only.
    assert Played(quota(2, "own_high", *three), *lines).verdicts[6] == f"5 {end}"
    # cutoff, K = 2: the second highest standing surcharge is 20 (P1), P3's own 20: 40 is enough; with K = 1 the
    # highest is 100, so that 120 is needed; with K = 4 fewer than K parcels stand, its own 20 counts.
    assert Played(quota(2, "cutoff", *three), *lines).verdicts[6] == f"5 {end}"
    assert Played(quota(1, "cutoff", *three), *lines).verdicts[6] == "BELOW_MIN_NEXT"
    assert Played(quota(4, "cutoff", *three), *lines).verdicts[6] == f"5 {end}"


def test_equal_surcharges_rank_by_acceptance_and_the_earlier_one_leads() -> None:
    two = [parcel(1), parcel(2), parcel(3)]
    lines = ["10:05:00 P2 bid 40", "10:05:00 P1 bid 40", "10:05:00 P2 bid 60", "10:05:00 P1 bid 80"]
    got = Played(quota(1, "own_high", *two), *lines, "10:05:00 P2 bid 80", until="11:00:00")
    # P2 leads at 40 (earlier), so its 60 is a raise of its own; P1's 80 then leads, and P2's 80 comes after it.
    assert got.verdicts[2:] == ["SELF_RAISE", "3 → 10:10:00.000", "4 → 10:10:00.000"]
    assert got.outcome == "SOLD 10:10:00.000 P1 80.00 80.00"


@pytest.mark.parametrize(
    ("floor", "gfa", "scale", "bid", "due"),
    [
        # (0.004999 + 0.000001) × 1 = 0.005 exactly: half up
        ("0.004999", "1", 6, "0.000001", "0.01"),
        # (0.004998 + 0.000001) × 1 = 0.004999: down
        ("0.004998", "1", 6, "0.000001", "0.00"),
        # (0.1 + 0.2) × 0.05 = 0.015: a binary float says 0.01
        ("0.1", "0.05", 1, "0.2", "0.02"),
        # (2100 + 80) × 6000 = 13,080,000 (Test C)
        ("2100", "6000", 2, "80", "13080000.00"),
        # (999999999999999.999999 + 0.000001) × 999999999999999.999999 = 10^15 × that
        ("999999999999999.999999", "999999999999999.999999", 6, "0.000001", "999999999999999999999000000000.00"),
        # (1 + 1) × 0.004999 = 0.009998
        ("1", "0.004999", 0, "1", "0.01"),
    ],
)  # fmt: skip
def test_payable_is_exact_and_rounds_half_up_only_where_it_does_not_come_out_even(
    floor: str, gfa: str, scale: int, bid: str, due: str
) -> None:
    increment = "1" if scale == 0 else "0." + "0" * (scale - 1) + "1"
    rule = quota(
        1,
        "global_high",
        parcel(1, added_gfa=gfa, start_floor_price=floor),
        scale=scale,
        increment=increment,
    )
    got = Played(rule, f"10:05:00 P1 bid {bid}", until="11:00:00", who="P1")
    assert got.raw["outcome"]["winners"][0]["payable"] == due


def test_a_quota_session_may_be_listed_and_a_holder_without_deposit_may_not_bid() -> None:
    rule = quota(1, "global_high", parcel(1), parcel(2), listing=LISTING, increment_rule="multiple")
    got = Played(
        rule,
        "09:00:00 P2 bid 20",
        "09:00:00 P1 bid 30",  # the grid counts from 0: 20, 40, 60
        "09:00:00 P1 bid 40",
        "10:00:00 P1 confirm",  # taken, without effect
        "10:05:00 P1 bid 60",  # leads
        who="P1",
        until="11:00:00",
    )
    assert got.verdicts == [
        "NO_DEPOSIT", "NOT_MULTIPLE", "1 → 10:00:00.000", "2 → 10:05:00.000", "SELF_RAISE",
    ]  # fmt: skip
    assert got.outcome == "SOLD 10:10:00.000 P1 40.00 40.00"


# --- BAD_RULES ---

DOWN = {"direction": "down"}
ITEM = {"kind": "second_item", "name": "x", "start": "5", "increment": "1"}


@pytest.mark.parametrize(
    "bad",
    [
        timed(start_price=None),
        timed(start_price="1.001"),
        timed(increment="0.00"),
        timed(scale=0, increment="1.0"),
        timed(price_cap="99.99"),
        timed(price_cap="100.01", **DOWN),
        timed(price_cap="200", reserve_price="200.01"),
        timed(price_cap="50", reserve_price="49.99", **DOWN),
        timed(on_cap={"kind": "one_shot"}),
        timed(price_cap="200", on_cap=ITEM | {"limit": "4"}),
        timed(price_cap="200", on_cap=ITEM | {"limit": "6", "direction": "down"}),
        timed(price_cap="200", on_cap=ITEM | {"increment": "0"}),
        timed(price_cap="200", on_cap=ITEM | {"scale": 0, "start": "5.0"}),
        timed(preemption={"bidders": [], "window_s": 1}),
        timed(preemption={"bidders": ["P9"], "window_s": 1}),
        timed(preemption={"bidders": ["P1", "P1"], "window_s": 1}),
        rules(listing=LISTING | {"freeze_s": 3600}),
        rules(listing=LISTING | {"closes_at": "2026-03-02T10:05:00.001Z"}),
        rules(listing=LISTING | {"closes_at": LISTING["opens_at"]}),
        quota(0, "global_high", parcel(1), parcel(2), parcel(3)),
        quota(1, "global_high", parcel(1), parcel(2)),
        quota(1, "global_high", parcel(1), parcel(2), parcel(3), parcel(4, holder="P1")),
        quota(1, "global_high", parcel(1), parcel(2), parcel(3), parcel(4, id="L1")),
        quota(1, "global_high", parcel(1), parcel(2), parcel(3, site_area="2", added_far="0.500001")),
        quota(1, "global_high", parcel(1), parcel(2), parcel(3), start_price="1"),
        quota(1, "global_high", parcel(1), parcel(2), parcel(3), price_cap="99"),
        quota(1, "global_high", parcel(1), parcel(2), parcel(3), reserve_price="1"),
        quota(1, "global_high", parcel(1), parcel(2), parcel(3), on_cap={"kind": "lottery"}),
        quota(1, "global_high", parcel(1), parcel(2), parcel(3), preemption={"bidders": ["P1"], "window_s": 1}),
        quota(1, "global_high", parcel(1), parcel(2), parcel(3), direction="down"),
    ],
)  # fmt: skip
def test_rules_that_contradict_themselves(bad: dict[str, Any]) -> None:
    assert Played(bad).raw == {"kind": "auction", "error": "BAD_RULES"}


@pytest.mark.parametrize(
    "good",
    [
        timed(price_cap="100"),
        timed(price_cap="100", **DOWN),
        timed(price_cap="200", reserve_price="200"),
        timed(price_cap="50", reserve_price="50", **DOWN),
        timed(reserve_price="1"),
        timed(price_cap="200", on_cap=ITEM | {"limit": "5"}),
        rules(listing=LISTING | {"freeze_s": 3599}),
        rules(listing=LISTING | {"closes_at": "2026-03-02T10:05:00Z"}),
        quota(9, "global_high", parcel(1), parcel(2), parcel(3), parcel(4)),
        quota(1, "global_high", parcel(1), parcel(2), parcel(3, site_area="2", added_far="0.5")),
    ],
)
def test_rules_that_only_touch_their_bounds(good: dict[str, Any]) -> None:
    assert Played(good).error is None
