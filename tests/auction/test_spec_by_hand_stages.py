"""Cap, stages, preemption and suspension, worked out by hand from spec/auction.md §§4, 5 and 7."""

import json
from hashlib import sha256
from typing import Any

import pytest

from auction.replay import replay
from tests.auction.script import LISTING, TIMED, Played, rules, timed
from tests.auction.test_contract import run

# --- §4 The cap ---

SHOT = {"kind": "one_shot", "wait_s": 240, "ask_s": 300, "quote_s": 240}
ITEM = {"kind": "second_item", "name": "自持", "start": "5", "increment": "3", "scale": 1}
OPEN = ["10:05:00 P1 bid 100"]


def test_the_cap_ends_listing_at_once_and_everything_counts_from_it() -> None:
    # Boundaries of the listing do not matter any more: WAITING 09:30-09:34, ASKING -09:39, QUOTING -09:43.
    got = Played(
        rules(price_cap="200", on_cap=SHOT),
        "09:30:00 P1 bid 200",
        "09:34:00 P2 join",
        "09:34:00 P3 join",
        "09:39:00 P2 quote 200",
        "09:39:00 P3 quote 210",
        until="09:43:00",
    )
    # mean 205: both are 5 away, the earlier wins at its own price
    assert got.verdicts == [
        "1 → 09:34:00.000", "2 → 09:39:00.000", "3 → 09:39:00.000", "4 → 09:43:00.000", "5 → 09:43:00.000",
    ]  # fmt: skip
    assert got.phases == [
        "LISTING 09:00:00.000", "WAITING 09:30:00.000", "ASKING 09:34:00.000", "QUOTING 09:39:00.000",
        "SOLD 09:43:00.000",
    ]  # fmt: skip
    assert got.outcome == "SOLD 09:43:00.000 P2 200.00"
    assert (
        Played(rules(price_cap="200"), "09:30:00 P1 bid 200").outcome
        == "SOLD 09:30:00.000 P1 200.00"
    )


def test_a_stage_is_never_shortened_and_its_end_is_late() -> None:
    capped = timed(price_cap="100", on_cap=SHOT | {"wait_s": 0})
    asked = [*OPEN, "10:05:00 P1 join", "10:05:00 P2 join", "10:05:00 P3 join", "10:05:00 P1 join"]
    got = Played(
        capped,
        *asked,  # ASKING at once, to 10:10
        "10:09:59.999 P1 quote 100",
        "10:10:00 P9 quote 100",
        "10:10:00 P1 quote 99.99",
        "10:10:00 P1 quote 100.001",
        "10:10:00 P1 quote 101",
        "10:10:00 P1 quote 102",
        "10:13:59.999 P2 quote 104",
        "10:14:00 P3 quote 103",
    )
    assert got.verdicts[4:] == [
        "ALREADY_JOINED", "NOT_OPEN", "NO_DEPOSIT", "BELOW_MIN_NEXT", "BAD_AMOUNT", "5 → 10:14:00.000",
        "ALREADY_QUOTED", "6 → 10:14:00.000", "CLOSED",
    ]  # fmt: skip
    assert got.outcome == "SOLD 10:14:00.000 P1 101.00"  # mean 102.5, both 1.5 away: the earlier
    assert got.phases[1] == "ASKING 10:05:00.000"


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        ([], "UNSOLD NO_ONE_JOINED 10:14:00.000"),
        (["10:09:00 P2 join"], "SOLD 10:14:00.000 P2 100.00"),
        (["10:09:00 P2 join", "10:09:00 P3 join"], "UNSOLD NO_QUOTES 10:18:00.000"),
        # 100, 101, 103: the exact mean 101⅓ is nearest to 101
        (
            [*(f"10:09:00 P{n} join" for n in (1, 2, 3)), "10:14:00 P1 quote 103", "10:14:00 P2 quote 100",
             "10:14:00 P3 quote 101"],
            "SOLD 10:18:00.000 P3 101.00",
        ),
        # 100, 100, 100.01: |3q − 300.01| is 0.01 for 100 and 0.02 for 100.01; of equals the earlier
        (
            [*(f"10:09:00 P{n} join" for n in (1, 2, 3)), "10:14:00 P3 quote 100.01", "10:14:00 P2 quote 100",
             "10:14:00 P1 quote 100"],
            "SOLD 10:18:00.000 P2 100.00",
        ),
    ],
)  # fmt: skip
def test_how_a_one_shot_ends(lines: list[str], outcome: str) -> None:
    assert (
        Played(timed(price_cap="100", on_cap=SHOT), *OPEN, *lines, until="12:00:00").outcome
        == outcome
    )


def test_a_one_shot_down_quotes_under_the_floor() -> None:
    down = timed(direction="down", price_cap="60", on_cap=SHOT | {"wait_s": 0})
    lines = ["10:05:00 P1 bid 60", "10:05:00 P1 join", "10:05:00 P2 join"]
    got = Played(down, *lines, "10:10:00 P1 quote 60.01", "10:10:00 P1 quote 0", until="12:00:00")
    assert got.verdicts[3:] == ["BELOW_MIN_NEXT", "4 → 10:14:00.000"]
    assert got.outcome == "SOLD 10:14:00.000 P1 0.00"


DRAW = {"kind": "lottery", "wait_s": 0, "ask_s": 10, "reveal_s": 10}


def committed(nonce: str) -> str:
    return sha256(nonce.encode()).hexdigest()


def drawn(nonces: dict[str, str]) -> str:
    """The draw of §4 for lot L, written down again; at n ≤ 3 a rejection has probability 2⁻²⁵⁵."""
    names = sorted(nonces)
    seed = sha256("|".join(["L", *(f"{name}:{nonces[name]}" for name in names)]).encode()).digest()
    value = int.from_bytes(sha256(seed + bytes(4)).digest(), "big")
    assert value < 2**256 - 2**256 % len(names)
    return names[value % len(names)]


@pytest.mark.parametrize(
    "nonces",
    [
        {"P1": "", "P2": "", "P3": ""},
        {"P1": "𠮷", "P2": "石岐|P3:x", "P3": "é"},
        {"P1": "a\u0000b", "P2": "\ue000", "P3": "\U0001f600"},
        {"P10": "x", "P2": "y", "P1": "z"},  # by code point: P1, P10, P2
        {"p": "1", "_": "2", "A": "3", "-": "4"},  # - A _ p
    ],
)
def test_a_draw_takes_any_nonce_that_is_text(nonces: dict[str, str]) -> None:
    first = next(iter(nonces))
    lines: list[Any] = [f"10:05:00 {first} bid 100"]
    lines += [f"10:05:00 {who} join {committed(nonces[who])}" for who in nonces]
    lines += [
        {"at": "10:05:10", "by": who, "do": "reveal", "nonce": nonces[who]}
        for who in reversed(list(nonces))
    ]
    got = Played(
        timed(price_cap="100", on_cap=DRAW), *lines, until="12:00:00", who=" ".join(nonces)
    )
    assert "BAD" not in "".join(got.verdicts)
    assert got.outcome == f"SOLD 10:05:20.000 {drawn(nonces)} 100.00"


def test_what_opens_no_commitment_is_refused_and_may_be_mended() -> None:
    def reveal(who: str, nonce: Any) -> dict[str, Any]:
        return {"at": "10:05:10", "by": who, "do": "reveal", "nonce": nonce}

    none = {"at": "10:05:10", "by": "P1", "do": "reveal"}
    bad: list[Any] = ["\ud800", None, 1, True, [], {}, "a ", "A", committed("a")]
    joins: list[Any] = [
        {"at": "10:05:00", "by": "P1", "do": "join", "commit": commit}
        for commit in (
            None,
            committed("a").upper(),
            committed("a") + "0",
            " " * 64,
            committed("a")[:63] + "\n",
            5,
        )
    ]
    lines = [
        *OPEN, *joins, f"10:05:00 P1 join {committed('a')}", "10:05:00 P1 join x",
        f"10:05:00 P2 join {committed('b')}", none, *(reveal("P1", nonce) for nonce in bad),
        reveal("P1", "a"), reveal("P1", "a"), reveal("P3", "b"),
    ]  # fmt: skip
    got = Played(timed(price_cap="100", on_cap=DRAW), *lines, until="12:00:00")
    assert got.verdicts == [
        "1 → 10:05:10.000", *["BAD_COMMIT"] * 6, "2 → 10:05:10.000", "ALREADY_JOINED", "3 → 10:05:10.000",
        *["BAD_REVEAL"] * 10, "4 → 10:05:20.000", "ALREADY_REVEALED", "NOT_JOINED",
    ]  # fmt: skip
    assert got.outcome == "SOLD 10:05:20.000 P1 100.00"  # P2 has not revealed and is out
    assert Played(
        timed(price_cap="100", on_cap=DRAW), *lines[:10], until="12:00:00"
    ).outcome == "UNSOLD NO_ONE_REVEALED 10:05:20.000"  # fmt: skip


def test_a_surrogate_pair_written_as_two_escapes_is_one_character() -> None:
    script = {
        "kind": "auction", "lot": "L", "bidders": ["P1", "P2"],
        "rules": timed(price_cap="100", on_cap=DRAW), "until": "2026-03-02T12:00:00Z",
        "commands": [
            {"at": "2026-03-02T10:05:00Z", "by": "P1", "do": "bid", "amount": "100"},
            *({"at": "2026-03-02T10:05:00Z", "by": p, "do": "join", "commit": committed("😀")} for p in ("P1", "P2")),
            {"at": "2026-03-02T10:05:10Z", "by": "P1", "do": "reveal", "nonce": "@"},
        ],
    }  # fmt: skip
    written = json.dumps(script).replace('"@"', '"\\ud83d\\ude00"').encode()
    assert replay(written)["results"][-1]["ok"]
    assert not replay(written.replace(b"\\ud83d", b""))["results"][-1]["ok"]


def test_a_second_ladder_up_with_a_limit_and_the_rules_of_the_price() -> None:
    item = timed(price_cap="100", on_cap=ITEM | {"limit": "12", "pause_s": 60, "extend_s": 30})
    item["increment_rule"] = "multiple"
    got = Played(
        item,
        *OPEN,  # WAITING 10:05-10:06
        "10:05:59.999 P2 bid 5.55",  # from the cap on an amount has the scale of this ladder
        "10:05:59.999 P2 bid 5",
        "10:06:00 P2 bid 4.9",
        "10:06:00 P1 bid 5",  # who reached the cap may open it
        "10:06:00 P1 bid 8",
        "10:06:10 P2 bid 8.5",  # off the grid 5, 8, 11
        "10:06:10 P2 bid 12.1",
        "10:06:20 P2 bid 11",
        "10:06:49.999 P3 bid 12",  # the limit: less than an increment above, off the grid
    )
    assert got.verdicts == [
        "1 → 10:06:00.000", "BAD_AMOUNT", "NOT_OPEN", "BELOW_MIN_NEXT", "2 → 10:06:30.000", "SELF_RAISE",
        "NOT_MULTIPLE", "ABOVE_CAP", "3 → 10:06:50.000", "4 → -",
    ]  # fmt: skip
    assert got.outcome == "SOLD 10:06:49.999 P3 100.00 12.0"
    assert Played(item, *OPEN, until="12:00:00").outcome == "SOLD 10:06:30.000 P1 100.00"


def test_a_second_ladder_down_under_append_after_a_cap_in_each_phase() -> None:
    # 竞容积率 downwards: start 5, step 3; no limit; extension rule of `timed`, windows of its own.
    item = ITEM | {"direction": "down", "extend_s": 30}
    both = rules(price_cap="200", on_cap=item, timed=TIMED | {"extension_rule": "append"})
    got = Played(
        both,
        "09:30:00 P1 bid 200",
        "09:30:00 P3 bid 5.1",
        "09:30:00 P3 bid 5",  # nobody confirmed: in LISTING everybody may
        "09:30:59.999 P2 bid 2",
        "09:31:29.999 P3 bid 0",  # 0 would need at most −1: never
        until="12:00:00",
    )
    assert got.verdicts == [
        "1 → 09:30:30.000", "BELOW_MIN_NEXT", "2 → 09:31:00.000", "3 → 09:31:30.000", "BELOW_MIN_NEXT",
    ]  # fmt: skip
    assert got.outcome == "SOLD 09:31:30.000 P2 200.00 2.0"
    # The cap reached in TIMED under confirm_2: only who confirmed may bid on the second ladder too.
    got = Played(
        both, "10:00:00 P1 confirm", "10:00:00 P2 confirm", "10:05:00 P1 bid 200", "10:05:00 P3 bid 5",
        "10:05:00 P2 bid 5", until="12:00:00",
    )  # fmt: skip
    assert got.verdicts[2:] == ["3 → 10:05:30.000", "NOT_CONFIRMED", "4 → 10:06:00.000"]


# --- §5 Deciding ---

MATCH = {"bidders": ["P2", "P3"], "window_s": 60}


def test_the_right_of_first_refusal() -> None:
    rule = timed(preemption=MATCH, reserve_price="100")
    sold = ["10:05:00 P1 bid 100"]  # MATCHING 10:10-10:11
    got = Played(
        rule, *sold, "10:09:59.999 P2 match", "10:10:00 P1 match", "10:10:00 P9 match", "10:10:01 P2 decline",
        "10:10:02 P2 match", "10:10:02 P2 decline", "10:10:03 P1 bid 110", "10:10:59.999 P3 match",
    )  # fmt: skip
    assert got.verdicts[1:] == [
        "NOT_OPEN", "NOT_ENTITLED", "NO_DEPOSIT", "2 → 10:11:00.000", "ALREADY_DECLINED",
        "ALREADY_DECLINED", "CLOSED", "3 → -",
    ]  # fmt: skip
    assert got.outcome == "SOLD 10:10:59.999 P3 100.00"
    late = Played(rule, *sold, "10:11:00 P3 match")
    assert (late.verdicts[1], late.outcome) == ("CLOSED", "SOLD 10:11:00.000 P1 100.00")
    gone = Played(rule, *sold, "10:10:05 P3 decline", "10:10:06 P2 decline")
    assert gone.outcome == "SOLD 10:10:06.000 P1 100.00"
    # The leader has the right itself: no MATCHING. The reserve comes before it.
    assert Played(rule, "10:05:00 P2 bid 100", until="12:00:00").phases[-1] == "SOLD 10:10:00.000"
    unmet = Played(timed(preemption=MATCH, reserve_price="100.01"), *sold, until="12:00:00")
    assert unmet.outcome == "UNSOLD RESERVE_NOT_MET 10:10:00.000"


def test_a_match_equals_price_and_second_value() -> None:
    rule = timed(price_cap="100", preemption=MATCH, on_cap=ITEM | {"limit": "5"})
    got = Played(rule, *OPEN, "10:05:01 P1 bid 5", "10:05:02 P3 match")
    assert got.phases[-2:] == ["MATCHING 10:05:01.000", "SOLD 10:05:02.000"]
    assert got.outcome == "SOLD 10:05:02.000 P3 100.00 5.0"
    straight = Played(timed(price_cap="100", preemption=MATCH), *OPEN, "10:05:00 P2 match")
    assert straight.outcome == "SOLD 10:05:00.000 P2 100.00"


# --- §7 Suspension ---


def test_a_boundary_at_the_very_instant_of_a_suspension_comes_first() -> None:
    got = Played(
        rules(),
        "10:00:00 CENTRE suspend",
        "10:00:01 P1 confirm",
        "10:00:01 P1 bid x",
        "10:00:01 CENTRE suspend",
        "10:00:02 P1 resume",
        "10:10:00 CENTRE resume",
        "10:10:00 CENTRE resume",
        "10:10:00 P1 confirm",
        "10:14:59.999 P2 confirm",
        "10:15:00 P2 bid 100",
    )
    assert got.verdicts == [
        "1 → -", "SUSPENDED", "BAD_AMOUNT", "SUSPENDED", "NOT_CENTRE", "2 → 10:15:00.000", "NOT_SUSPENDED",
        "3 → 10:15:00.000", "4 → 10:15:00.000", "5 → 10:20:00.000",
    ]  # fmt: skip
    assert got.phases == [
        "LISTING 09:00:00.000", "CONFIRMING 10:00:00.000", "SUSPENDED 10:00:00.000",
        "CONFIRMING 10:10:00.000", "TIMED 10:15:00.000",
    ]  # fmt: skip
    # At the end of TIMED it is over before the centre can suspend.
    late = Played(timed(), "10:05:00 P1 bid 100", "10:10:00 CENTRE suspend")
    assert (late.verdicts[1], late.outcome) == ("CLOSED", "SOLD 10:10:00.000 P1 100.00")


def test_two_suspensions_move_every_boundary_ahead_by_both() -> None:
    # 08:00-09:30 while announced (+90 min), 10:40-10:50 in LISTING (+10): listing 10:30-11:40, FROZEN from 11:39,
    # TIMED from 11:45; resumed at the same instant a suspension moves nothing.
    frozen = rules(listing=LISTING | {"freeze_s": 60}, timed=TIMED | {"entry_rule": "always"})
    got = Played(
        frozen, "08:00:00 CENTRE suspend", "09:30:00 CENTRE resume", "10:40:00 CENTRE suspend",
        "10:50:00 CENTRE resume", "11:39:00 CENTRE suspend", "11:39:00 CENTRE resume", "11:39:00 P1 bid 100",
        until="13:00:00",
    )  # fmt: skip
    assert got.verdicts[1] == "2 → 10:30:00.000"
    assert got.verdicts[3:] == ["4 → 11:39:00.000", "5 → -", "6 → 11:40:00.000", "FROZEN"]
    assert got.phases == [
        "SUSPENDED 08:00:00.000", "ANNOUNCED 09:30:00.000", "LISTING 10:30:00.000",
        "SUSPENDED 10:40:00.000", "LISTING 10:50:00.000", "FROZEN 11:39:00.000", "SUSPENDED 11:39:00.000",
        "FROZEN 11:39:00.000", "CONFIRMING 11:40:00.000", "TIMED 11:45:00.000", "UNSOLD 11:50:00.000",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "lines", "phase", "end"),
    [
        (timed(price_cap="100", on_cap=SHOT), [], "WAITING", "10:19:00.000"),
        (timed(price_cap="100", on_cap=SHOT | {"wait_s": 0}), [], "ASKING", "10:20:00.000"),
        (timed(price_cap="100", on_cap=ITEM), [], "SECOND_ITEM", "10:20:00.000"),
        (timed(price_cap="100", on_cap=ITEM | {"pause_s": 60}), [], "WAITING", "10:16:00.000"),
        (timed(price_cap="100", preemption=MATCH), [], "MATCHING", "10:16:00.000"),
    ],
)
def test_a_stage_suspended_at_its_start_goes_on_with_its_whole_window(
    rule: dict[str, Any], lines: list[str], phase: str, end: str
) -> None:
    got = Played(rule, *OPEN, "10:05:00 CENTRE suspend", "10:15:00 CENTRE resume", until="10:15:00")
    assert got.verdicts[1:] == ["2 → -", f"3 → {end}"]
    assert got.phases[-3:] == [
        f"{phase} 10:05:00.000",
        "SUSPENDED 10:05:00.000",
        f"{phase} 10:15:00.000",
    ]


def test_while_suspended_nothing_ends_and_termination_ends_it() -> None:
    asleep = Played(timed(), *OPEN, "10:06:00 CENTRE suspend", until="23:00:00")
    assert (asleep.outcome, asleep.phases[-1]) == ("OPEN -", "SUSPENDED 10:06:00.000")
    lines = [
        *OPEN, "10:06:00 CENTRE suspend", "10:07:00 P1 terminate", "10:07:00 CENTRE terminate",
        "10:07:00 CENTRE resume", "10:07:00 CENTRE suspend", "10:07:00 CENTRE terminate", "10:07:00 P2 suspend",
        "10:07:00 P2 bid 110", "10:07:00 P2 match", "10:07:00 CENTRE bid x", "10:07:00 CENTRE bid 110",
    ]  # fmt: skip
    over = Played(timed(), *lines)
    assert over.verdicts[2:] == [
        "NOT_CENTRE", "3 → -", "CLOSED", "CLOSED", "CLOSED", "NOT_CENTRE", "CLOSED", "CLOSED",
        "BAD_AMOUNT", "CLOSED",
    ]  # fmt: skip
    assert over.outcome == "TERMINATED 10:07:00.000"
    assert Played(timed(), "10:05:00 CENTRE bid 100").verdicts == ["NO_DEPOSIT"]


# --- The command line ---


def test_one_line_a_file_on_standard_output_and_nothing_else_there(tmp_path: Any) -> None:
    script = {
        "kind": "auction",
        "lot": "L",
        "title": "竞价\n",
        "rules": timed(),
        "bidders": ["P1"],
        "commands": [],
    }
    good, bad, none = tmp_path / "好 1.json", tmp_path / "bad.json", tmp_path / "none.json"
    good.write_text(json.dumps(script, ensure_ascii=False, indent=2))
    bad.write_text(json.dumps(script | {"kind": "opening"}))
    outcomes = {}
    for names in ([good], [good, bad], [bad, good], [none, good, none], [tmp_path, good], [bad]):
        result = run(*map(str, names))
        lines = result.stdout.splitlines()
        assert all(json.loads(line)["kind"] == "auction" for line in lines)
        assert result.stdout.isascii()  # whatever the terminal's encoding
        outcomes[tuple(name.name for name in names)] = (
            result.exit_code,
            len(lines),
            len(result.stderr.splitlines()),
        )
    assert list(outcomes.values()) == [
        (0, 1, 0),
        (2, 1, 1),
        (2, 1, 1),
        (2, 1, 2),
        (2, 1, 1),
        (2, 0, 1),
    ]
