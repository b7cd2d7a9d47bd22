"""What bidders gather: a frozen mapping that is cheap to add to, and no command that costs what all before it cost."""

import json
import sys
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.engine import ranking, step
from auction.engine.gathered import Gathered, adding
from auction.model import State
from auction.replay import decode, parse_scenario
from auction.replay.scenario import run
from tests.properties.auction_scripts import at

NAMES = st.sampled_from([f"P{number}" for number in range(40)])


@given(st.lists(st.tuples(NAMES, st.integers()), max_size=120))
def test_it_holds_what_a_dict_would_hold_and_every_version_stays_as_it_was(
    entries: list[tuple[str, int]],
) -> None:
    plain: dict[str, int] = {}
    gathered = adding({}, "P0", 0)
    plain["P0"] = 0
    versions: list[tuple[Gathered[int], dict[str, int]]] = []
    for name, value in entries:
        gathered, plain = adding(gathered, name, value), {**plain, name: value}
        versions.append((gathered, plain))
    for found, expected in versions:
        assert found == expected
        assert list(found.items()) == list(expected.items())
        assert len(found) == len(expected)
        assert all((name in found) == (name in expected) for name in ("P0", "P7", "P39", "P40"))
        assert found.get("P40") is None


def test_an_addition_copies_no_more_than_the_root_of_what_is_there() -> None:
    gathered, copied = adding({}, "first", 0), 0
    for number in range(10_000):
        before, gathered = gathered, adding(gathered, f"P{number}", number)
        shared = gathered._settled is before._settled
        copied += len(gathered._fresh) if shared else len(gathered._settled)
    assert copied < 2 * 10_000 * 100


def crowd(kind: str, people: int) -> dict[str, Any]:
    """A scenario in which everybody does the same, one after the other."""
    who = [f"P{number}" for number in range(people)]
    timed = {"starts_at": at(0), "extend_s": 300}
    rules: dict[str, Any] = {
        "start_price": "100",
        "increment": "1",
        "price_cap": "100",
        "timed": timed,
    }
    windows = {"wait_s": 0, "ask_s": 9}
    said: dict[str, list[dict[str, Any]]] = {
        "confirm": [{"at": at(0)}],
        "quote": [{"at": at(0), "do": "join"}, {"at": at(9000), "amount": "101"}],
        "reveal": [{"at": at(0), "do": "join", "commit": sha256(b"n").hexdigest()}, {"at": at(9000), "nonce": "n"}],
        "decline": [{"at": at(0)}],
    }  # fmt: skip
    opening = [{"at": at(0), "by": "P0", "do": "bid", "amount": "100"}]
    turns = said.get(kind, [])
    if kind == "confirm":
        rules |= {"price_cap": None, "listing": {"opens_at": at(-9000), "closes_at": at(0)}}
        rules["timed"] = {**timed, "starts_at": at(9000)}
        opening[0]["at"] = at(-9000)
    elif kind == "quote":
        rules["on_cap"] = {"kind": "one_shot", "quote_s": 9, **windows}
    elif kind == "reveal":
        rules["on_cap"] = {"kind": "lottery", "reveal_s": 9, **windows}
    elif kind == "decline":
        rules["preemption"] = {"bidders": who[1:], "window_s": 9}
    else:
        parcels = [
            {"id": name, "holder": name, "added_gfa": "1", "start_floor_price": "1"} for name in who
        ]
        quota = {"slots": 5, "raise_base": kind, "parcels": parcels}
        rules, opening = {"increment": "1", "timed": timed, "quota": quota}, []
    commands = opening + [{"by": name, "do": kind, **turn} for turn in turns for name in who]
    if not turns:
        commands += [
            {"at": at(0), "by": name, "do": "bid", "amount": str(turn * people + number)}
            for turn in (1, 2)
            for number, name in enumerate(who)
        ]
    return {"kind": "auction", "lot": "L", "rules": rules, "bidders": who, "commands": commands}


def calls(act: Callable[[], Any]) -> int:
    """Count the calls that something makes: its work, whatever the clock says."""
    counted, before = 0, sys.getprofile()

    def count(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(before)
    return counted


def work(kind: str, people: int) -> float:
    """Calls per command of the engine."""
    played = parse_scenario(decode(json.dumps(crowd(kind, people)).encode()))
    answers: list[dict[str, Any]] = []
    spent = calls(lambda: answers.extend(run(played)["results"]))
    assert sum(answer["ok"] for answer in answers) >= len(played.commands) - 1
    return spent / len(answers)


@pytest.mark.parametrize(
    "kind", ["confirm", "quote", "reveal", "decline", "global_high", "own_high", "cutoff"]
)
def test_a_command_among_many_bidders_costs_what_one_among_few_costs(kind: str) -> None:
    assert work(kind, 800) < 1.5 * work(kind, 100)


def test_control_a_scan_of_all_before_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def scanned(state: State, _offer: Any, slots: int) -> Any:
        return tuple(ranking(state)[:slots])

    monkeypatch.setattr(step, "placed", scanned)
    assert work("cutoff", 400) > 3 * work("cutoff", 50)
