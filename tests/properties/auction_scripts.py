"""Whole auctions drawn from a seed: small rules, few bidders, instants that crowd the boundaries."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from auction import engine
from auction.model import Command, Do, Phase, State
from auction.rules import parse_rules

ORIGIN = datetime(2026, 3, 12, 1, 0, tzinfo=UTC)
_ORIGIN_MS = int(ORIGIN.timestamp()) * 1000
BIDDERS = ["P1", "P2", "P3", "P4"]
NONCES = {who: f"nonce {who} 随机" for who in [*BIDDERS, "P9"]}
HOSTILE: list[Any] = [
    None, True, 0, 1, 30.5, "", " 30", "30 ", "+30", "-30", "3e1", "030", "30.", ".5", "30.001", "１２", "NaN", "1_0",
    "0x10", [], {}, ["30"], "9" * 16, "30.0000000", "\ud800", "30\n", "٣", "Infinity",
]  # fmt: skip


def at(ms: int) -> str:
    """An instant in one of the offsets that a file may use."""
    moment = ORIGIN + timedelta(milliseconds=ms)
    if ms % 3 == 0:
        return (
            (moment + timedelta(hours=8))
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "+08:00")
        )
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def scenario(seed: int) -> dict[str, Any]:
    """One scenario; the same seed gives the same.

    The engine is asked where it stands only to steer the script to deep places, never what is right.
    """
    rnd = Random(seed)
    script: dict[str, Any] = {
        "kind": "auction", "lot": f"WG-{seed % 7}", "rules": _rules(rnd), "bidders": BIDDERS, "commands": [],
    }  # fmt: skip
    state = engine.begin(parse_rules(script["rules"], script["lot"], BIDDERS))
    clock = rnd.choice([-2000, -1, 0, 0])
    for _ in range(rnd.randint(0, 60)):
        ahead = None if state.ends is None else state.ends - _ORIGIN_MS
        clock = _next_instant(rnd, clock, ahead)
        state, _ = engine.advance(state, clock + _ORIGIN_MS)
        raw = _command(rnd, script["rules"], state)
        script["commands"].append({"at": at(clock), **raw})
        amount, commit, nonce = (raw.get(name) for name in ("amount", "commit", "nonce"))
        command = Command(raw["by"], Do(raw["do"]), amount, commit, nonce)
        state, _ = engine.apply(state, command, clock + _ORIGIN_MS)
        if state.outcome and rnd.random() < 0.3:
            break
    script["until"] = rnd.choice([None, at(clock + rnd.choice([0, 1, 10_000, 600_000]))])
    return script


def _next_instant(rnd: Random, clock: int, ahead: int | None) -> int:
    """Mostly a little later, often on the next boundary or a millisecond off it, at times back."""
    turn = rnd.random()
    if turn < 0.7 or ahead is None:
        return clock + rnd.choice([0, 0, 1, 10, 100, 300, 500])
    if turn < 0.94:
        return ahead + rnd.choice([-1, 0, 0, 1, 300])
    return clock - rnd.choice([1, 1500]) if turn < 0.97 else clock + rnd.choice([3000, 9000])


def _rules(rnd: Random) -> dict[str, Any]:
    up, scale = rnd.random() < 0.7, rnd.choice([0, 1, 2, 2, 6])
    listing, starts = None, 0
    if rnd.random() < 0.8:
        freeze, closes = rnd.choice([0, 0, 2, 3]), rnd.choice([4000, 6000])
        starts = closes + rnd.choice([0, 3000, 4000])
        listing = {"opens_at": at(0), "closes_at": at(closes), "freeze_s": freeze}
    timed = {"starts_at": at(starts), "extend_s": rnd.choice([2, 3, 5])}
    timed["extension_rule"] = rnd.choice(["reset", "append"])
    timed["entry_rule"] = rnd.choice(["always", "always", "confirm_2"])
    if rnd.random() < 0.3:
        timed["first_window_s"] = rnd.choice([1, 4, 9])
    rules: dict[str, Any] = {
        "direction": "up" if up else "down", "scale": scale, "increment": rnd.choice(["10", "5", "7"]),
        "increment_rule": rnd.choice(["at_least", "at_least", "multiple"]), "allow_self_raise": rnd.random() < 0.4,
        "listing": listing, "timed": timed,
    }  # fmt: skip
    if rnd.random() < 0.2:
        rules["direction"], rules["quota"] = "up", _quota(rnd)
        return rules
    rules["start_price"] = "100"
    if rnd.random() < 0.8:
        rules["price_cap"] = ("130" if up else "70") if rnd.random() < 0.9 else "100"
        if rnd.random() < 0.85:
            rules["on_cap"] = _on_cap(rnd)
    if rnd.random() < 0.3:
        rules["reserve_price"] = rnd.choice(["100", "120"] if up else ["100", "80"])
        if rules.get("price_cap") == "100":
            rules["reserve_price"] = "100"
    if rnd.random() < 0.4:
        rules["preemption"] = {
            "bidders": rnd.sample(BIDDERS, rnd.randint(1, 2)),
            "window_s": rnd.choice([1, 3]),
        }
    return rules


def _on_cap(rnd: Random) -> dict[str, Any]:
    kind = rnd.choice(["one_shot", "lottery", "second_item"])
    if kind == "second_item":
        down = rnd.random() < 0.5
        return {
            "kind": kind, "name": "竞低容积率", "direction": "down" if down else "up", "scale": rnd.choice([0, 1, 2]),
            "start": "50", "increment": rnd.choice(["5", "10"]), "limit": rnd.choice([None, "30" if down else "70", "50"]),
            "pause_s": rnd.choice([0, 2]), "extend_s": rnd.choice([2, 3]),
        }  # fmt: skip
    last = "quote_s" if kind == "one_shot" else "reveal_s"
    return {
        "kind": kind,
        "wait_s": rnd.choice([0, 2]),
        "ask_s": rnd.choice([2, 3]),
        last: rnd.choice([2, 4]),
    }


def _quota(rnd: Random) -> dict[str, Any]:
    parcels = [
        {
            "id": f"L{n}", "holder": who, "added_gfa": rnd.choice(["0.005", "33.333333", "7500"]),
            "start_floor_price": rnd.choice(["0", "1", "1200.123456"]),
        }
        for n, who in enumerate([*BIDDERS, "P9"])
    ]  # fmt: skip
    return {
        "slots": rnd.choice([1, 2, 3, 9]),
        "raise_base": rnd.choice(["global_high", "own_high", "cutoff"]),
        "parcels": parcels,
    }


_APT = {
    Phase.LISTING: ["bid"],
    Phase.CONFIRMING: ["confirm"],
    Phase.TIMED: ["bid"],
    Phase.ASKING: ["join"],
    Phase.QUOTING: ["quote"],
    Phase.REVEALING: ["reveal"],
    Phase.SECOND_ITEM: ["bid"],
    Phase.MATCHING: ["match", "decline", "decline"],
    Phase.SUSPENDED: ["resume"],
}


def _command(rnd: Random, rules: dict[str, Any], state: State) -> dict[str, Any]:
    if state.phase is Phase.SUSPENDED and rnd.random() < 0.5:
        return {"by": "CENTRE", "do": "resume"}
    if rnd.random() < 0.06:
        do = rnd.choice(["suspend"] * 6 + ["resume"] * 2 + ["terminate"])
        return {"by": rnd.choice(["CENTRE", "CENTRE", "CENTRE", "P1"]), "do": do}
    by = rnd.choice([*BIDDERS * 4, "P9", "CENTRE"])
    apt = _APT.get(state.phase, ["bid"])
    do = rnd.choice(apt) if rnd.random() < 0.85 else rnd.choice([do.value for do in Do])
    command: dict[str, Any] = {"by": by, "do": do}
    if do in ("bid", "quote"):
        command["amount"] = _amount(rnd, rules, do, state)
    if do == "join" and rnd.random() < 0.9:
        command["commit"] = rnd.choice(
            [sha256(NONCES.get(by, "").encode()).hexdigest()] * 4 + ["A" * 64, 5]
        )
    if do == "reveal" and rnd.random() < 0.95:
        command["nonce"] = rnd.choice([NONCES.get(by, "")] * 5 + ["x", None, 3])
    return command


def _amount(rnd: Random, rules: dict[str, Any], do: str, state: State) -> Any:
    if rnd.random() < 0.06:
        return rnd.choice(HOSTILE)
    if do == "quote":
        return rnd.choice(["130", "131", "135", "140", "129", "70", "69", "60.5", "130.00"])
    if "quota" in rules:
        return rnd.choice(
            ["5", "7", "10", "14", "15", "20", "21", "25", "30", "40", "45", "50.5", "60", "4"]
        )
    if state.phase is Phase.SECOND_ITEM or rnd.random() < 0.1:
        return rnd.choice(
            ["50", "50", "45", "55", "60", "65", "30", "40", "35", "70", "70.5", "71", "29"]
        )
    up = [
        "100",
        "100",
        "105",
        "107",
        "110",
        "114",
        "115",
        "120",
        "121",
        "125",
        "130",
        "130",
        "131",
        "110.5",
    ]
    down = ["99", "95", "93", "90", "86", "85", "80", "75", "70", "70", "69", "100", "100", "0"]
    return rnd.choice(up if (rules["direction"] == "up") == (rnd.random() < 0.95) else down)
