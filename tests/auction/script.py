"""Scenarios written as a person would write them down, and results as short lines to compare by eye.

A command is "09:00:00 P1 bid 100"; times are UTC on 2026-03-02. A verdict is "2 → 09:05:00.000" or its code.
"""

import json
from typing import Any

from auction.replay import replay

DAY = "2026-03-02T"
FIELD = {"bid": "amount", "quote": "amount", "join": "commit", "reveal": "nonce"}
TIMED = {"starts_at": DAY + "10:05:00Z"}
LISTING = {"opens_at": DAY + "09:00:00Z", "closes_at": DAY + "10:00:00Z"}


def rules(**changes: Any) -> dict[str, Any]:
    """A rule set with listing 09:00-10:00 and TIMED from 10:05 for whoever confirmed; start 100, step 10."""
    base = {"start_price": "100", "increment": "10", "listing": LISTING, "timed": TIMED}
    return base | changes


def timed(**changes: Any) -> dict[str, Any]:
    """A rule set with TIMED from 10:05 alone."""
    return rules(listing=None, timed=TIMED | {"extend_s": 300}) | changes


def command(line: str | dict[str, Any]) -> dict[str, Any]:
    """Read a command; a dict stands as it is, its time alone is completed."""
    if isinstance(line, dict):
        return line | {"at": instant(line["at"])}
    at, by, do, *more = line.split(" ", 3)
    said = {"at": instant(at), "by": by, "do": do}
    return said | {FIELD[do]: more[0]} if more else said


def instant(text: str) -> str:
    """Complete a time of day."""
    return text if "T" in text else f"{DAY}{text}Z"


def short(text: str | None) -> str:
    """Shorten a time in UTC to the time of day."""
    return "-" if text is None else text.removeprefix(DAY).removesuffix("Z")


class Played:
    """A scenario's result: `verdicts`, `phases` and `outcome` as short text."""

    def __init__(
        self, rule: dict[str, Any], *lines: Any, until: str | None = None, who: str = "P1 P2 P3"
    ) -> None:
        script: dict[str, Any] = {
            "kind": "auction",
            "lot": "L",
            "rules": rule,
            "bidders": who.split(),
        }
        script["commands"] = [command(line) for line in lines]
        script["until"] = until and instant(until)
        self.raw = replay(json.dumps(script).encode())
        self.error = self.raw.get("error")
        if self.error is None:
            self._shorten()

    def _shorten(self) -> None:
        self.verdicts = [
            f"{v['seq']} → {short(v['ends_at'])}" if v["ok"] else v["code"]
            for v in self.raw["results"]
        ]
        self.phases = [f"{p['phase']} {short(p['at'])}" for p in self.raw["phases"]]
        said = self.raw["outcome"]
        parts = [said["status"], said["reason"], short(said["closed_at"])]
        for won in said["winners"]:
            parts += [won["bidder"], won["amount"], won["second_item"], won["payable"]]
        self.outcome = " ".join(part for part in parts if part is not None)
