"""What a seed draws before its auction begins: the rules, and what a bidder does in each phase of them.

Windows are short, so that extensions, ends and every stage after the cap are met within a minute of virtual time.
"""

import hashlib
from collections.abc import Iterator
from random import Random
from typing import Any

ONE_SHOT = {"kind": "one_shot", "wait_s": 1, "ask_s": 4, "quote_s": 4}
LOTTERY = {"kind": "lottery", "wait_s": 1, "ask_s": 4, "reveal_s": 4}
SECOND = {"kind": "second_item", "name": "竞自持", "start": "5", "increment": "1", "limit": "9", "pause_s": 2, "extend_s": 3}  # fmt: skip

AFTER_CAP = frozenset({"WAITING", "ASKING", "QUOTING", "REVEALING"})
"""Phases that nobody leaves: who has come so far sees it through."""


def rules(rnd: Random, quota: bool) -> dict[str, Any]:
    """Draw the rules of a session of parcels (`quota`) or of one listed lot."""
    timed = {
        "starts_at": "2026-11-24T04:00:10Z",
        "extend_s": rnd.choice([2, 3, 5]),
        "extension_rule": rnd.choice(["reset", "append"]),
        "entry_rule": "always",
    }
    drawn: dict[str, Any] = {"increment": "10", "timed": timed}
    drawn["outage_min_s"] = rnd.choice([0, 0, 1, 10])
    if quota:
        base = rnd.choice(["global_high", "own_high", "cutoff"])
        return drawn | {"unit": "元/㎡", "quota": {"slots": rnd.randint(1, 3), "raise_base": base}}
    drawn |= {"start_price": "100", "allow_self_raise": rnd.random() < 0.5}
    if rnd.random() < 0.2:
        drawn |= {"direction": "down", "price_cap": "50"}
    elif rnd.random() < 0.5:
        drawn["price_cap"] = rnd.choice(["130", "200"])
    if "price_cap" in drawn:
        drawn["on_cap"] = rnd.choice([None, ONE_SHOT, LOTTERY, SECOND])
    return drawn


class Mind:
    """One bidder: what it does next, by the hall as it last looked.

    Args:
        rnd: of the world.
        number: its own, from 0.
    """

    def __init__(self, rnd: Random, number: int) -> None:
        self._rnd = rnd
        self._next = "100"
        self._nonce = f"nonce of bidder {number} {rnd.random()}"
        self._joined = False

    def acts(self, hall: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """What it sends now; each the members of a command. Now and then by an old look."""
        rnd = self._rnd
        match hall["phase"]:
            case "ASKING" if not self._joined:
                self._joined = True
                commit = hashlib.sha256(self._nonce.encode()).hexdigest()
                yield {"do": "join", "commit": commit}
            case "QUOTING":
                yield {
                    "do": "quote",
                    "amount": str(int(hall["cap"].partition(".")[0]) + rnd.randint(0, 40)),
                }
            case "REVEALING":
                yield {"do": "reveal", "nonce": self._nonce}
            case _:
                yield {"do": "bid", "amount": self._amount(hall)}

    def _amount(self, hall: dict[str, Any]) -> str:
        rnd = self._rnd
        if rnd.random() < 0.8:
            self._next = hall["next"] or self._next
        step = rnd.choice([0, 0, 0, 10, 20, -10, 7])
        least = int(self._next.partition(".")[0])
        if hall["cap"] is not None and rnd.random() < 0.25:
            return str(hall["cap"])
        return str(max(0, least + (step if hall["direction"] == "up" else -step)))
