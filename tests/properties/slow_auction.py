"""A second, slow reading of spec/auction.md, written apart from the engine to disagree with it.

The engine keeps a state and moves it; this model keeps only the list of accepted commands and, at each question, tells
the whole story again from the start. Time is effective time (real time less all suspensions), amounts are Decimals.
"""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from hashlib import sha256

from tests.properties.slow_checks import SlowChecks, millis


def stamp(ms):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class SlowAuction(SlowChecks):
    def __init__(self, scenario):
        self.s = scenario
        self.r = r = scenario["rules"]
        self.scale = r.get("scale", 2)
        self.up = r.get("direction", "up") == "up"
        self.cap = r.get("price_cap") and Decimal(r["price_cap"])
        self.on_cap = r.get("on_cap")
        self.quota = r.get("quota")
        self.pre = r.get("preemption")
        self.timed = r["timed"]
        self.always = (
            not r.get("listing")
            or self.quota
            or self.timed.get("entry_rule", "confirm_2") == "always"
        )
        self.history = []  # accepted: (effective time, command, amount)
        self.lost = 0
        self.paused_at = None
        self.over_at = None
        self.log = []
        self.logged = 0

    # -- the story told again --

    def story(self):
        """All windows as they follow from what was accepted so far, and the end, in effective time."""
        r, t = self.r, self.timed
        starts = millis(t["starts_at"])
        windows = []
        if r.get("listing"):
            opens, closes = millis(r["listing"]["opens_at"]), millis(r["listing"]["closes_at"])
            freeze = r["listing"].get("freeze_s", 0) * 1000
            windows = [
                ("LISTING", opens, closes - freeze),
                ("FROZEN", closes - freeze, closes),
                ("CONFIRMING", closes, starts),
            ]
            windows = [w for w in windows if w[1] < w[2]]
        bids = [h for h in self.history if h[1]["do"] == "bid"]
        capped = next(
            (n for n, h in enumerate(bids) if self.cap is not None and h[2] == self.cap), None
        )
        price = bids if capped is None else bids[: capped + 1]
        extend = t.get("extend_s", 300) * 1000
        end = starts + (t.get("first_window_s") or t.get("extend_s", 300)) * 1000
        for at, _, _ in price:
            if at >= starts:
                end = end + extend if self.append else max(end, at + extend)
        enough = self.always or sum(h[1]["do"] == "confirm" for h in self.history) >= 2
        if capped is not None:
            tc = price[-1][0]
            whole = [*windows, ("TIMED", starts, end)] if enough else windows
            windows = [(name, a, min(b, tc)) for name, a, b in whole if a <= tc]
            if self.on_cap:
                return self.stage(windows, tc, price, bids[capped + 1 :])
            return self.deal(windows, tc, price[-1][1]["by"], self.cap, None)
        if not enough:
            end = starts
        else:
            windows.append(("TIMED", starts, end))
        if not price:
            return windows, (end, "UNSOLD", "NO_BIDS", [])
        if self.quota:
            return windows, (end, "SOLD", None, self.slots(price))
        best = self.best(price)
        return self.deal(windows, end, best[1]["by"], best[2], None)

    @property
    def append(self):
        return self.timed.get("extension_rule", "reset") == "append"

    def better(self, a, b):
        return a > b if self.up else a < b

    def best(self, bids):
        best = None
        for bid in bids:
            if best is None or self.better(bid[2], best[2]):
                best = bid
        return best

    def stage(self, windows, tc, price, later):
        kind, o = self.on_cap["kind"], self.on_cap
        if kind == "second_item":
            begin = tc + o.get("pause_s", 0) * 1000
            extend = o.get("extend_s", 300) * 1000
            end = begin + extend
            best = (None, price[-1][1], None)
            for bid in later:
                end = end + extend if self.append else max(end, bid[0] + extend)
                best = bid
                if o.get("limit") and bid[2] == Decimal(o["limit"]):
                    end = bid[0]
            windows = [*windows, ("WAITING", tc, begin), ("SECOND_ITEM", begin, end)]
            windows = [w for w in windows if w[0] != "WAITING" or w[1] < w[2]]
            return self.deal(windows, end, best[1]["by"], self.cap, best[2])
        asked = tc + o.get("wait_s", 240) * 1000
        asked_end = asked + o.get("ask_s", 300) * 1000
        windows = [
            *windows,
            *([("WAITING", tc, asked)] if tc < asked else []),
            ("ASKING", asked, asked_end),
        ]
        joined = [h[1] for h in self.history if h[1]["do"] == "join"]
        if not joined:
            return windows, (asked_end, "UNSOLD", "NO_ONE_JOINED", [])
        if len(joined) == 1:
            return self.deal(windows, asked_end, joined[0]["by"], self.cap, None)
        name, field = ("QUOTING", "quote_s") if kind == "one_shot" else ("REVEALING", "reveal_s")
        end = asked_end + o.get(field, 240) * 1000
        windows.append((name, asked_end, end))
        if kind == "one_shot":
            quotes = [h for h in self.history if h[1]["do"] == "quote"]
            if not quotes:
                return windows, (end, "UNSOLD", "NO_QUOTES", [])
            mean = Fraction(sum(Fraction(q[2]) for q in quotes), len(quotes))
            near = min(abs(Fraction(q[2]) - mean) for q in quotes)
            won = next(q for q in quotes if abs(Fraction(q[2]) - mean) == near)
            return self.deal(windows, end, won[1]["by"], won[2], None)
        shown = {h[1]["by"]: h[1]["nonce"] for h in self.history if h[1]["do"] == "reveal"}
        if not shown:
            return windows, (end, "UNSOLD", "NO_ONE_REVEALED", [])
        text = self.s["lot"] + "".join(f"|{by}:{shown[by]}" for by in sorted(shown))
        seed = sha256(text.encode()).digest()
        for i in range(1000):
            v = int(sha256(seed + i.to_bytes(4, "big")).hexdigest(), 16)
            if v < 2**256 - 2**256 % len(shown):
                return self.deal(windows, end, sorted(shown)[v % len(shown)], self.cap, None)
        raise AssertionError

    def deal(self, windows, at, bidder, price, second):
        reserve = self.r.get("reserve_price")
        if reserve is not None and self.better(Decimal(reserve), price):
            return windows, (at, "UNSOLD", "RESERVE_NOT_MET", [])
        if self.pre and bidder not in self.pre["bidders"]:
            end = at + self.pre["window_s"] * 1000
            declined = set()
            for when, command, _ in self.history:
                if command["do"] == "match":
                    bidder, end = command["by"], when
                if command["do"] == "decline":
                    declined.add(command["by"])
                    if declined == set(self.pre["bidders"]):
                        end = when
            windows = [*windows, ("MATCHING", at, end)]
            at = end
        return windows, (at, "SOLD", None, [self.winner(bidder, price, second)])

    def winner(self, bidder, price, second, parcel=None, payable=None):
        amount = f"{price:.{self.scale}f}"
        if second is not None:
            second = f"{second:.{self.on_cap.get('scale', 2)}f}"
        return {
            "bidder": bidder,
            "parcel": parcel,
            "amount": amount,
            "second_item": second,
            "payable": payable,
        }

    def ranked(self, bids):
        last = {}
        for n, bid in enumerate(bids):
            last[bid[1]["by"]] = (-bid[2], n, bid)
        return [bid for _, _, bid in sorted(last.values(), key=lambda item: item[:2])]

    def slots(self, bids):
        winners = []
        for _, command, amount in self.ranked(bids)[: self.quota["slots"]]:
            parcel = next(p for p in self.quota["parcels"] if p["holder"] == command["by"])
            with localcontext() as context:
                context.prec = 200
                due = (Decimal(parcel["start_floor_price"]) + amount) * Decimal(parcel["added_gfa"])
                due = due.quantize(Decimal("0.01"), ROUND_HALF_UP)
            winners.append(self.winner(command["by"], amount, None, parcel["id"], f"{due:f}"))
        return winners

    # -- where it stands --

    def stand(self, tau):
        """Phase, its end, and the end of all; writes newly entered phases to the log."""
        windows, final = self.story()
        entries = [(w[0], w[1]) for w in windows if w[1] <= tau]
        over = final[0] <= tau and len(entries) == len(windows)
        if over:
            entries.append((final[1], final[0]))
        self.log += [(name, at + self.lost) for name, at in entries[self.logged :]]
        if over and len(entries) > self.logged:
            self.closed = (final[0] + self.lost, *final[1:])
        self.logged = len(entries)
        if over:
            return final[1], None
        if not entries:
            return "ANNOUNCED", (windows[0][1] if windows else final[0])
        return entries[-1][0], windows[len(entries) - 1][2]

    def run(self):
        seen, results, self.closed = None, [], None
        for command in self.s["commands"]:
            at = millis(command["at"])
            seen = at if seen is None else max(seen, at)
            results.append(self.command(command, seen))
        until = self.s.get("until") and millis(self.s["until"])
        if until is not None and self.over_at is None and self.paused_at is None:
            self.stand(max(until, seen if seen is not None else until) - self.lost)
        if self.over_at is not None:
            outcome = {
                "status": "TERMINATED",
                "reason": None,
                "closed_at": stamp(self.over_at),
                "winners": [],
            }
        elif self.closed:
            at, status, reason, winners = self.closed
            outcome = {
                "status": status,
                "reason": reason,
                "closed_at": stamp(at),
                "winners": winners,
            }
        else:
            outcome = {"status": "OPEN", "reason": None, "closed_at": None, "winners": []}
        phases = [{"phase": name, "at": stamp(at)} for name, at in self.log]
        return {"kind": "auction", "results": results, "phases": phases, "outcome": outcome}

    def command(self, command, now):
        if self.over_at is not None:
            phase, tau = "TERMINATED", None
        else:
            tau = (now if self.paused_at is None else self.paused_at) - self.lost
            phase, _ = self.stand(tau)
        code, amount = self.judge(command, phase)
        if code:
            return {"ok": False, "code": code}
        do = command["do"]
        seq = self.seq = getattr(self, "seq", 0) + 1
        if do == "terminate":
            self.over_at = now
            self.log.append(("TERMINATED", now))
            return {"ok": True, "seq": seq, "ends_at": None}
        if do == "suspend":
            self.paused_at = now
            self.log.append(("SUSPENDED", now))
            return {"ok": True, "seq": seq, "ends_at": None}
        if do == "resume":
            self.lost += now - self.paused_at
            self.paused_at = None
            self.log.append((phase, now))
        else:
            self.history.append((tau, command, amount))
        _, end = self.stand(tau)
        return {"ok": True, "seq": seq, "ends_at": None if end is None else stamp(end + self.lost)}
