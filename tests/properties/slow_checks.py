"""Which commands the slow reading takes: spec/auction.md §3 and what stands beside each command, once more in words.

The other half, `slow_auction.py`, tells the story; this one is asked at each command and only looks.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

LINE = [
    "ANNOUNCED",
    "LISTING",
    "FROZEN",
    "CONFIRMING",
    "TIMED",
    "WAITING",
    "ASKING",
    "QUOTING",
    "REVEALING",
    "SECOND_ITEM",
    "MATCHING",
    "SOLD",
    "UNSOLD",
]
OWN = {
    "confirm": "CONFIRMING",
    "join": "ASKING",
    "quote": "QUOTING",
    "reveal": "REVEALING",
    "match": "MATCHING",
    "decline": "MATCHING",
}


def millis(text):
    moment = datetime.fromisoformat(text)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def number(value, scale):
    if not isinstance(value, str) or not re.fullmatch(
        r"(0|[1-9][0-9]{0,14})(\.[0-9]+)?", value, re.ASCII
    ):
        return None
    if len(value.partition(".")[2]) > scale:
        return None
    return Decimal(value)


class SlowChecks:
    """The checks of a `SlowAuction`, which keeps the rules, the history and where it stands."""

    def judge(self, command, phase):
        do, by = command["do"], command["by"]
        done = phase in ("SOLD", "UNSOLD", "TERMINATED")
        paused = self.paused_at is not None and not done
        if do in ("suspend", "resume", "terminate"):
            if by != "CENTRE":
                return "NOT_CENTRE", None
            if done:
                return "CLOSED", None
            if do == "suspend" and paused:
                return "SUSPENDED", None
            return ("NOT_SUSPENDED" if do == "resume" and not paused else None), None
        bids = [h for h in self.history if h[1]["do"] == "bid"]
        after_cap = self.cap is not None and any(h[2] == self.cap for h in bids)
        second = after_cap and self.on_cap and self.on_cap["kind"] == "second_item"
        amount = None
        if do in ("bid", "quote"):
            scale = self.on_cap.get("scale", 2) if second and do == "bid" else self.scale
            amount = number(command.get("amount"), scale)
            if amount is None:
                return "BAD_AMOUNT", None
        if paused:
            return "SUSPENDED", None
        if phase == "TERMINATED":
            return "CLOSED", None
        if do == "bid":
            if phase in ("ANNOUNCED", "CONFIRMING") or (phase == "WAITING" and second):
                return "NOT_OPEN", None
            if phase == "FROZEN":
                return "FROZEN", None
            if phase not in ("LISTING", "TIMED", "SECOND_ITEM"):
                return "CLOSED", None
        elif phase != OWN[do]:
            return ("NOT_OPEN" if LINE.index(phase) < LINE.index(OWN[do]) else "CLOSED"), None
        if by not in self.s["bidders"]:
            return "NO_DEPOSIT", None
        return getattr(self, "judge_" + do)(command, phase, bids, amount), amount

    def judge_bid(self, command, phase, bids, amount):
        by, r = command["by"], self.r
        confirmed = {h[1]["by"] for h in self.history if h[1]["do"] == "confirm"}
        up, start, step, limit, rungs = (
            self.up,
            r.get("start_price"),
            r["increment"],
            self.cap,
            bids,
        )
        if phase == "SECOND_ITEM":
            n = next(n for n, h in enumerate(bids) if h[2] == self.cap)
            in_timed = bids[n][0] >= millis(self.timed["starts_at"])
            o = self.on_cap
            up, start, step, limit = (
                o.get("direction", "up") == "up",
                o["start"],
                o["increment"],
                o.get("limit"),
            )
            limit, rungs = limit and Decimal(limit), bids[n + 1 :]
        else:
            in_timed = phase == "TIMED"
        if in_timed and not self.always and by not in confirmed:
            return "NOT_CONFIRMED"
        sign = 1 if up else -1
        step = Decimal(step)
        if self.quota:
            ranked = self.ranked(bids)
            leader, start = (ranked[0] if ranked else None), Decimal(0)
            own = next((b[2] for b in ranked if b[1]["by"] == by), None)
            base = self.quota.get("raise_base", "global_high")
            high = max((b[2] for b in bids), default=Decimal(0))
            kth = (
                ranked[self.quota["slots"] - 1][2]
                if len(ranked) >= self.quota["slots"]
                else Decimal(0)
            )
            least = (
                step
                if own is None
                else step + {"global_high": high, "own_high": own, "cutoff": max(own, kth)}[base]
            )
        else:
            start = Decimal(start)
            leader = max(rungs, key=lambda b: (sign * b[2], -rungs.index(b))) if rungs else None
            least = start if leader is None else leader[2] + sign * step
        if leader and leader[1]["by"] == by and not r.get("allow_self_raise", False):
            return "SELF_RAISE"
        if limit is not None and sign * amount > sign * limit:
            return "ABOVE_CAP"
        if limit is not None and amount == limit and leader:
            if sign * amount <= sign * leader[2]:
                return "BELOW_MIN_NEXT"
        elif sign * amount < sign * least:
            return "BELOW_MIN_NEXT"
        if (
            r.get("increment_rule", "at_least") == "multiple"
            and amount != limit
            and (amount - start) % step != 0
        ):
            return "NOT_MULTIPLE"
        return None

    def did(self, do, by):
        return [h[1] for h in self.history if h[1]["do"] == do and h[1]["by"] == by]

    def judge_confirm(self, command, phase, bids, amount):
        return "ALREADY_CONFIRMED" if self.did("confirm", command["by"]) else None

    def judge_join(self, command, phase, bids, amount):
        if self.did("join", command["by"]):
            return "ALREADY_JOINED"
        commit = command.get("commit")
        bad = not isinstance(commit, str) or not re.fullmatch(r"[0-9a-f]{64}", commit)
        return "BAD_COMMIT" if self.on_cap["kind"] == "lottery" and bad else None

    def judge_quote(self, command, phase, bids, amount):
        if not self.did("join", command["by"]):
            return "NOT_JOINED"
        if self.did("quote", command["by"]):
            return "ALREADY_QUOTED"
        return "BELOW_MIN_NEXT" if self.better(self.cap, amount) else None

    def judge_reveal(self, command, phase, bids, amount):
        if not self.did("join", command["by"]):
            return "NOT_JOINED"
        if self.did("reveal", command["by"]):
            return "ALREADY_REVEALED"
        nonce = command.get("nonce")
        if not isinstance(nonce, str) or any("\ud800" <= sign <= "\udfff" for sign in nonce):
            return "BAD_REVEAL"  # no text that UTF-8 could write
        commit = self.did("join", command["by"])[0]["commit"]
        fits = sha256(nonce.encode()).hexdigest() == commit
        return None if fits else "BAD_REVEAL"

    def judge_match(self, command, phase, bids, amount):
        if command["by"] not in self.pre["bidders"]:
            return "NOT_ENTITLED"
        return "ALREADY_DECLINED" if self.did("decline", command["by"]) else None

    judge_decline = judge_match
