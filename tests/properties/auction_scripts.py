"""Whole auctions drawn from a seed: small rules, few bidders, instants that crowd the boundaries.

`test_auction_engine.py` holds the scripts themselves to account: they come to every code in every phase.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from auction import engine
from auction.model import Command, Do, Phase, State
from auction.rules import parse_rules

ORIGIN = datetime(2026, 3, 12, 1, 0, tzinfo=UTC)
_ORIGIN_MS = int(ORIGIN.timestamp()) * 1000
PEOPLE = ["P1", "P2", "P10", "a_b", "Z-9"]
"""By code point: P1, P10, P2, Z-9, a_b."""
NONCES = {who: f"nonce {who} 随机" for who in [*PEOPLE, "P9"]} | {"P10": "", "Z-9": "|P1:x"}
NO_COMMITS: list[Any] = ["A" * 64, 5, "a" * 63, "a" * 65, "a" * 64 + "\n", "１" * 64, None, "g" * 64]  # fmt: skip
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
    bidders = rnd.sample(PEOPLE, rnd.choice([2, 3, 4, 4, 4, 5]))
    rules = _rules(rnd, bidders)
    script: dict[str, Any] = {
        "kind": "auction", "lot": f"WG-{seed % 7}", "rules": rules, "bidders": bidders, "commands": [],
    }  # fmt: skip
    state = engine.begin(parse_rules(rules, script["lot"], bidders))
    clock = rnd.choice([-2000, -1, 0, 0])
    for _ in range(rnd.choice([rnd.randint(0, 60), 80])):
        ahead = None if state.ends is None else state.ends - _ORIGIN_MS
        clock = _next_instant(rnd, clock, ahead)
        state, _ = engine.advance(state, clock + _ORIGIN_MS)
        tried = [_command(rnd, script, state)]
        if rnd.random() < (0.1 if state.capped_in or state.matching else 0.03):
            tried = _sweep(rnd, script, state) + tried
        for raw in tried:
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
    if turn < 0.75 or ahead is None:
        return clock + rnd.choice([0, 0, 1, 10, 100, 300, 500])
    if turn < 0.94:
        return ahead + rnd.choice([-1, 0, 0, 1, 300])
    return clock - rnd.choice([1, 1500]) if turn < 0.97 else clock + rnd.choice([3000, 9000])


def _rules(rnd: Random, bidders: list[str]) -> dict[str, Any]:
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
        rules["direction"], rules["quota"] = "up", _quota(rnd, bidders)
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
            "bidders": rnd.sample(bidders, rnd.randint(1, 2)),
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
    windows = {
        "wait_s": rnd.choice([0, 2]),
        "ask_s": rnd.choice([2, 3]),
        last: rnd.choice([2, 4]),
    }
    return {"kind": kind} | {name: s for name, s in windows.items() if rnd.random() < 0.9}


AREAS: list[dict[str, Any]] = [
    {"added_gfa": "0.005"}, {"added_gfa": "33.333333", "added_far": "2"}, {"added_gfa": "7500", "site_area": None},
    {"added_gfa": "2400.6", "site_area": "2000.50", "added_far": "1.2"}, {"added_gfa": "9" * 15 + ".999999"},
]  # fmt: skip


def _quota(rnd: Random, bidders: list[str]) -> dict[str, Any]:
    parcels = [
        {
            "id": f"L{n}", "holder": who, "start_floor_price": rnd.choice(["0", "1", "1200.123456"]),
            **rnd.choice(AREAS),
        }
        for n, who in enumerate([*bidders, "P9"])
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


def _sweep(rnd: Random, script: dict[str, Any], state: State) -> list[dict[str, Any]]:
    """Everything that this phase cannot take, from everybody; it changes nothing, so the script goes on as before."""
    kinds = [do.value for do in Do if do not in ("suspend", "resume", "terminate")]
    out = [do for do in kinds if do not in _APT.get(state.phase, [])]
    everybody = [*script["bidders"], "P9", "CENTRE"]
    swept: list[dict[str, Any]] = [{"by": rnd.choice(everybody), "do": do} for do in out]
    for command in swept:
        if command["do"] in ("bid", "quote"):
            command["amount"] = rnd.choice(["50", "130", "130.00"])
    swept += [{"by": "P9", "do": do, "amount": rnd.choice(HOSTILE)} for do in ("bid", "quote")]
    swept += [{"by": who, "do": rnd.choice(_APT[Phase.MATCHING])} for who in everybody[-2:]]
    again = "suspend" if state.phase is Phase.SUSPENDED else "resume"
    swept.append({"by": "CENTRE", "do": again})
    swept += [
        {"by": rnd.choice(everybody[:-1]), "do": do} for do in ("suspend", "resume", "terminate")
    ]
    return rnd.sample(swept, len(swept))


def _command(rnd: Random, script: dict[str, Any], state: State) -> dict[str, Any]:
    rules, bidders = script["rules"], script["bidders"]
    if state.phase is Phase.SUSPENDED and rnd.random() < 0.5:
        return {"by": "CENTRE", "do": "resume"}
    if rnd.random() < 0.06:
        do = rnd.choice(["suspend"] * 6 + ["resume"] * 2 + ["terminate"])
        return {"by": rnd.choice(["CENTRE", "CENTRE", "CENTRE", bidders[0]]), "do": do}
    by = rnd.choice([*bidders * 4, "P9", "CENTRE"])
    if state.phase is Phase.MATCHING and rnd.random() < 0.5:
        by = rnd.choice(rules["preemption"]["bidders"])
    apt = _APT.get(state.phase, ["bid"])
    do = rnd.choice(apt) if rnd.random() < 0.85 else rnd.choice([do.value for do in Do])
    command: dict[str, Any] = {"by": by, "do": do}
    if do in ("bid", "quote"):
        command["amount"] = _amount(rnd, rules, do, state)
    if do == "join" and rnd.random() < 0.9:
        sound = sha256(NONCES.get(by, "").encode()).hexdigest()
        command["commit"] = rnd.choice([sound] * 3 + [rnd.choice(NO_COMMITS)])
    if do == "reveal" and rnd.random() < 0.95:
        command["nonce"] = rnd.choice([NONCES.get(by, "")] * 5 + ["x", None, 3, "\ud800"])
    return command


def _amount(rnd: Random, rules: dict[str, Any], do: str, state: State) -> Any:
    if rnd.random() < 0.06:
        return rnd.choice(HOSTILE)
    if do == "quote":
        return rnd.choice(["130", "131", "135", "140", "129", "70", "69", "60.5", "130.00"])
    if state.phase in (Phase.LISTING, Phase.TIMED) and rnd.random() < 0.15:
        return rules.get("price_cap", "130")
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
