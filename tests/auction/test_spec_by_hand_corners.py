"""spec/auction.md by hand, where two of its sections meet: preemption and stages, suspension and matching, quota and listing.

Expected values are worked out from the text, as in `test_spec_by_hand.py`.
"""

from typing import Any

from tests.auction.script import LISTING, TIMED, Played, rules, timed

MATCH = {"bidders": ["P2", "P3"], "window_s": 60}
SHOT = {"kind": "one_shot", "wait_s": 0, "ask_s": 10, "quote_s": 10}
ITEM = {"kind": "second_item", "name": "竞自持", "start": "5", "increment": "3", "scale": 1}
CAPPED = ["10:05:00 P1 bid 100"]


# --- §5 after every way into it ---


def test_too_few_confirmed_leads_to_matching_at_the_start_of_timed() -> None:
    lines = ["09:00:00 P1 bid 100", "10:05:59.999 P3 match"]
    got = Played(rules(preemption=MATCH), *lines)
    assert got.verdicts == ["1 → 10:00:00.000", "2 → -"]
    assert got.phases[1:] == [
        "CONFIRMING 10:00:00.000", "MATCHING 10:05:00.000", "SOLD 10:05:59.999",
    ]  # fmt: skip
    assert got.outcome == "SOLD 10:05:59.999 P3 100.00"


def test_a_cap_in_listing_sells_at_once_and_needs_no_whole_increment() -> None:
    # 104 is 4 above 100: less than the increment of 10 and off its grid, but it is the cap.
    rule = rules(price_cap="104", increment_rule="multiple")
    got = Played(rule, "09:00:00 P1 bid 100", "09:30:00 P2 bid 104", "09:30:00 P1 bid 104")
    assert got.verdicts == ["1 → 10:00:00.000", "2 → -", "CLOSED"]
    assert got.phases == ["LISTING 09:00:00.000", "SOLD 09:30:00.000"]
    held = Played(rule | {"preemption": MATCH}, "09:30:00 P1 bid 104", "09:30:59 P2 match")
    assert held.verdicts == ["1 → 09:31:00.000", "2 → -"]
    assert held.outcome == "SOLD 09:30:59.000 P2 104.00"


def test_who_wins_a_stage_is_matched_at_the_price_of_the_stage() -> None:
    rule = timed(price_cap="100", on_cap=SHOT, preemption=MATCH | {"bidders": ["P3"]})
    # ASKING 10:05:00-10, QUOTING -20. Of 120 and 130 both are 5 from the mean: the earlier, P1's 130, wins; P3 pays 130.
    both = [*CAPPED, "10:05:01 P1 join", "10:05:02 P2 join"]
    quotes = ["10:05:10 P1 quote 130", "10:05:11 P2 quote 120"]
    got = Played(rule, *both, *quotes, "10:05:20 P1 match", "10:06:19.999 P3 match")
    assert got.verdicts[-2:] == ["NOT_ENTITLED", "6 → -"]
    assert got.phases[-2:] == ["MATCHING 10:05:20.000", "SOLD 10:06:19.999"]
    assert got.outcome == "SOLD 10:06:19.999 P3 130.00"
    # One joined: it would be sold to it at the cap at the end of ASKING; it is matched from there.
    alone = Played(rule, *CAPPED, "10:05:01 P2 join", "10:05:10 P3 decline")
    assert alone.phases[-2:] == ["MATCHING 10:05:10.000", "SOLD 10:05:10.000"]
    assert alone.outcome == "SOLD 10:05:10.000 P2 100.00"
    # Who has the right and wins the stage itself is not asked.
    own = Played(rule, *CAPPED, "10:05:01 P3 join", until="10:05:10")
    assert own.phases[-1] == "SOLD 10:05:10.000"


def test_a_second_ladder_without_offers_is_matched_without_a_second_value() -> None:
    rule = timed(price_cap="100", on_cap=ITEM | {"extend_s": 30}, preemption=MATCH)
    got = Played(rule, *CAPPED, "10:05:30 P2 decline", "10:05:31 P3 match")
    assert got.phases[-2:] == ["MATCHING 10:05:30.000", "SOLD 10:05:31.000"]
    assert got.outcome == "SOLD 10:05:31.000 P3 100.00"


def test_down_the_reserve_is_the_most_that_is_paid() -> None:
    down = timed(direction="down", reserve_price="90", preemption=MATCH)
    over = Played(down, "10:05:00 P1 bid 90.01", until="12:00:00")
    assert over.outcome == "UNSOLD RESERVE_NOT_MET 10:10:00.000"
    met = Played(down, "10:05:00 P1 bid 90", "10:10:00 P2 match")
    assert met.outcome == "SOLD 10:10:00.000 P2 90.00"


# --- §4 the scale of an amount ---


def test_from_the_cap_on_a_bid_has_the_second_scale_to_the_end_and_a_quote_that_of_the_price() -> (
    None
):
    rule = timed(price_cap="100", on_cap=ITEM | {"limit": "5"}, preemption=MATCH)
    got = Played(
        rule,
        "10:05:00 P1 bid 100.5",  # two decimals before the cap; above it
        *CAPPED,
        "10:05:00 P1 quote 1.05",  # QUOTING stands before SECOND_ITEM: late
        "10:05:00 P1 quote 1.055",
        "10:05:01 P1 bid 5",  # the limit: MATCHING
        "10:05:02 P1 bid 5.55",
        "10:05:02 P1 bid 5.5",
        "10:05:02 P1 quote 5.55",
        "10:05:03 CENTRE suspend",
        "10:05:03 P1 bid 5.55",
        "10:05:03 P1 bid 5.5",
        "10:05:04 CENTRE terminate",
        "10:05:04 P1 bid 5.55",
        "10:05:04 P1 bid 5.5",
    )
    assert got.verdicts == [
        "ABOVE_CAP", "1 → 10:10:00.000", "CLOSED", "BAD_AMOUNT", "2 → 10:06:01.000", "BAD_AMOUNT", "CLOSED",
        "CLOSED", "3 → -", "BAD_AMOUNT", "SUSPENDED", "4 → -", "BAD_AMOUNT", "CLOSED",
    ]  # fmt: skip


# --- §7 where a command settles the auction ---


def test_matching_is_suspended_in_its_middle_and_goes_on_with_what_was_left() -> None:
    rule = timed(price_cap="100", preemption=MATCH)  # MATCHING 10:05:00-10:06:00
    got = Played(
        rule,
        *CAPPED,
        "10:05:40 CENTRE suspend",
        "10:30:00 P2 match",
        "10:30:00 CENTRE resume",  # 20 s were left
        "10:30:01 P2 decline",
        "10:30:19.999 P3 match",
    )
    assert got.verdicts == [
        "1 → 10:06:00.000", "2 → -", "SUSPENDED", "3 → 10:30:20.000", "4 → 10:30:20.000", "5 → -",
    ]  # fmt: skip
    assert got.outcome == "SOLD 10:30:19.999 P3 100.00"
    late = [*CAPPED, "10:05:40 CENTRE suspend", "10:30:00 CENTRE resume", "10:30:20 P3 match"]
    assert Played(rule, *late).outcome == "SOLD 10:30:20.000 P1 100.00"
    ended = [*CAPPED, "10:05:59.999 CENTRE terminate", "10:05:59.999 P2 match"]
    assert Played(rule, *ended).outcome == "TERMINATED 10:05:59.999"


def test_a_termination_at_the_very_end_comes_after_it_and_one_before_the_beginning_ends_it() -> (
    None
):
    sold = Played(timed(), *CAPPED, "10:10:00 CENTRE terminate")
    assert (sold.verdicts[1], sold.outcome) == ("CLOSED", "SOLD 10:10:00.000 P1 100.00")
    early = Played(rules(), "08:00:00 CENTRE terminate", "09:00:00 P1 bid 100", until="12:00:00")
    assert early.verdicts == ["1 → -", "CLOSED"]
    assert early.phases == ["TERMINATED 08:00:00.000"]


def test_a_suspension_at_the_stamp_of_a_clock_that_went_back_counts_from_the_last_time_seen() -> (
    None
):
    got = Played(
        timed(),
        "10:06:00 P9 confirm",
        "10:05:30 CENTRE suspend",  # seen: 10:06
        "10:05:45 CENTRE resume",  # at once
        "10:05:50 P1 bid 100",
    )
    assert got.verdicts == ["CLOSED", "1 → -", "2 → 10:10:00.000", "3 → 10:11:00.000"]
    assert got.phases[1:] == ["SUSPENDED 10:06:00.000", "TIMED 10:06:00.000"]


# --- §6 beside the listing ---


def test_surcharges_of_the_listing_extend_nothing_and_confirming_stands_before_timed() -> None:
    parcels = [
        {"id": f"L{n}", "holder": f"P{n}", "added_gfa": "1", "start_floor_price": "0"}
        for n in (1, 2)
    ]
    rule: dict[str, Any] = {
        "increment": "20", "listing": LISTING, "timed": TIMED | {"extension_rule": "append", "extend_s": 60},
        "quota": {"slots": 1, "parcels": parcels},
    }  # fmt: skip
    got = Played(
        rule,
        "09:00:00 P1 bid 20",
        "09:00:00 P2 bid 40",
        "10:00:00 P1 bid 60",
        "10:05:59.999 P1 bid 60",  # 10:05-10:06 although two bid before
        who="P1 P2",
        until="12:00:00",
    )
    assert got.verdicts == [
        "1 → 10:00:00.000", "2 → 10:00:00.000", "NOT_OPEN", "3 → 10:07:00.000",
    ]  # fmt: skip
    assert [line.split()[0] for line in got.phases] == ["LISTING", "CONFIRMING", "TIMED", "SOLD"]
    assert got.outcome == "SOLD 10:07:00.000 P1 60.00 60.00"
