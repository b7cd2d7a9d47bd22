"""Worked cases of law.md that the engine must decide so."""

import json
from typing import Any

from auction.replay import replay

BIDS = [("P2", "3000"), ("P3", "3050"), ("P1", "3100")]


def listing(entry_rule: str) -> dict[str, Any]:
    """Three listing quotes; only P3, not the highest, wants to go on."""
    script = {
        "kind": "auction", "lot": "W12", "bidders": ["P1", "P2", "P3"], "until": "2026-03-12T10:30:00+08:00",
        "rules": {
            "start_price": "3000", "increment": "50", "timed": {"starts_at": "2026-03-12T10:05:00+08:00", "entry_rule": entry_rule},
            "listing": {"opens_at": "2026-03-02T09:00:00+08:00", "closes_at": "2026-03-12T10:00:00+08:00"},
        },
        "commands": [{"at": f"2026-03-05T10:1{n}:00+08:00", "by": who, "do": "bid", "amount": amount} for n, (who, amount) in enumerate(BIDS)]
        + [{"at": "2026-03-12T10:01:00+08:00", "by": "P3", "do": "confirm"}, {"at": "2026-03-12T10:06:00+08:00", "by": "P3", "do": "bid", "amount": "3150"}],
    }  # fmt: skip
    return replay(json.dumps(script).encode())


def test_w12_one_willing_bidder_is_enough_for_the_timed_stage_of_state_land() -> None:
    result = listing("always")
    assert "TIMED" in [item["phase"] for item in result["phases"]]
    assert result["outcome"]["winners"][0] == {
        "bidder": "P3", "parcel": None, "amount": "3150.00", "second_item": None, "payable": None,
    }  # fmt: skip


def test_w12_confirm_2_would_sell_to_the_highest_quote() -> None:
    result = listing("confirm_2")
    assert "TIMED" not in [item["phase"] for item in result["phases"]]
    assert result["outcome"]["winners"][0]["bidder"] == "P1"
