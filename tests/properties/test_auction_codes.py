"""Every code of spec/auction.md §3 in every phase, as a table written by hand: none is missing, and no other arises."""

import json
from collections.abc import Iterator

from auction import engine
from auction.model import Entered, Phase, Refused
from auction.replay import decode, parse_scenario
from tests.properties.auction_scripts import scenario

LINE = [
    "ANNOUNCED", "LISTING", "FROZEN", "CONFIRMING", "TIMED", "WAITING", "ASKING", "QUOTING", "REVEALING", "SECOND_ITEM",
    "MATCHING", "SOLD", "UNSOLD", "TERMINATED",
]  # fmt: skip
"""The line of §2, left to right; TERMINATED closes everything, as what stands last does."""
LADDER = "BAD_AMOUNT NO_DEPOSIT SELF_RAISE ABOVE_CAP BELOW_MIN_NEXT NOT_MULTIPLE ok"
BID = {
    "ANNOUNCED": "BAD_AMOUNT NOT_OPEN",
    "LISTING": LADDER,
    "FROZEN": "BAD_AMOUNT FROZEN",
    "CONFIRMING": "BAD_AMOUNT NOT_OPEN",
    "TIMED": LADDER + " NOT_CONFIRMED",
    "WAITING": "BAD_AMOUNT NOT_OPEN CLOSED",  # the pause before a second ladder is not open yet
    "SECOND_ITEM": LADDER + " NOT_CONFIRMED",
}
OWN = {
    "confirm": ("CONFIRMING", "NO_DEPOSIT ALREADY_CONFIRMED ok"),
    "join": ("ASKING", "NO_DEPOSIT ALREADY_JOINED BAD_COMMIT ok"),
    "quote": ("QUOTING", "BAD_AMOUNT NO_DEPOSIT NOT_JOINED ALREADY_QUOTED BELOW_MIN_NEXT ok"),
    "reveal": ("REVEALING", "NO_DEPOSIT NOT_JOINED ALREADY_REVEALED BAD_REVEAL ok"),
    "match": ("MATCHING", "NO_DEPOSIT NOT_ENTITLED ALREADY_DECLINED ok"),
    "decline": ("MATCHING", "NO_DEPOSIT NOT_ENTITLED ALREADY_DECLINED ok"),
}
CENTRE = {
    "live": {"suspend": "ok", "resume": "NOT_SUSPENDED", "terminate": "ok"},
    "SUSPENDED": {"suspend": "SUSPENDED", "resume": "ok", "terminate": "ok"},
    "final": {"suspend": "CLOSED", "resume": "CLOSED", "terminate": "CLOSED"},
}

Cell = tuple[str, str, str]


def table() -> Iterator[Cell]:
    """Phase, command and code, for all that §§3 and 7 can answer."""
    for phase in [*LINE, "SUSPENDED"]:
        codes = {"bid": BID.get(phase, "BAD_AMOUNT CLOSED")}
        for do, (own, inside) in OWN.items():
            early = LINE.index(phase) < LINE.index(own) if phase in LINE else False
            outside = ("BAD_AMOUNT " if do == "quote" else "") + ("NOT_OPEN" if early else "CLOSED")
            codes[do] = inside if phase == own else outside
        if phase == "SUSPENDED":
            amounts = ("bid", "quote")
            codes = {do: "BAD_AMOUNT SUSPENDED" if do in amounts else "SUSPENDED" for do in codes}
        state = "final" if phase in ("SOLD", "UNSOLD", "TERMINATED") else "live"
        for do, code in CENTRE[phase if phase == "SUSPENDED" else state].items():
            codes[do] = code + " NOT_CENTRE"
        yield from ((phase, do, code) for do, some in codes.items() for code in some.split())


def reached(seeds: range) -> tuple[set[Cell], set[tuple[str, str]]]:
    """What the scripts of these seeds bring about: the codes, and the pairs of phases that follow one another."""
    cells, steps = set(), set()
    for seed in seeds:
        played = parse_scenario(decode(json.dumps(scenario(seed)).encode()))
        state = engine.begin(played.rules)
        last = state.phase
        for at, command in played.commands:
            before, _ = engine.advance(state, at)
            state, events = engine.apply(state, command, at)
            verdict = events[-1]
            code = verdict.code.value if isinstance(verdict, Refused) else "ok"
            cells.add((before.phase.value, command.do.value, code))
            for event in events:
                if isinstance(event, Entered):
                    steps.add((last.value, event.phase.value))
                    last = event.phase
    return cells, steps


def test_every_code_of_every_phase_arises_and_no_other() -> None:
    cells, steps = reached(range(2500))
    allowed = set(table())
    assert len(allowed) == 262
    assert (allowed - cells, cells - allowed) == (set(), set())
    live = [phase.value for phase in Phase if not phase.is_final and phase is not Phase.SUSPENDED]
    assert {(phase, "SUSPENDED") for phase in live} <= steps
    assert {("SUSPENDED", phase) for phase in live} <= steps
    assert {(phase, "TERMINATED") for phase in [*live, "SUSPENDED"]} <= steps
    assert {(phase, "MATCHING") for phase in live} - steps == {
        (phase, "MATCHING") for phase in ("ANNOUNCED", "WAITING", "MATCHING")
    }
