"""Rule sets: the form is that of the schema, and every contradiction that the contract names is found."""

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from auction.model import BadRulesError, ScenarioError
from auction.replay import decode, parse_scenario
from auction.rules import parse_rules
from tests.places import SHARED
from tests.properties.auction_scripts import scenario

SCHEMA = SHARED / "contract" / "auction" / "scenario.schema.json"
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 2.0, 2.5, 7, 10**30, "", "up", "x y", "1", "1.5", "1.1234567", "-1", "always", [], {}, ["P1"],
    ["P1", "P1"], [1], {"kind": "one_shot"}, "2026-03-12T10:00:00+08:00", "P1",
]  # fmt: skip
COVERED = {
    "start_price", "increment", "reserve_price", "price_cap", "start", "limit", "slots", "bidders", "added_gfa",
    "start_floor_price", "site_area", "added_far", "parcels",
}  # fmt: skip
"""Fields of which the contract itself says BAD_RULES, whatever the schema says of them."""


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        found += places(item, (*path, key))
    return found


def mutate(script: Any, rnd: random.Random) -> tuple[Any, ...]:
    """Change one place: another value, a missing field or a new one."""
    path = rnd.choice(places(script))
    parent = script
    for key in path[:-1]:
        parent = parent[key]
    turn = rnd.random()
    if turn < 0.2 and isinstance(parent, dict):
        del parent[path[-1]]
    elif turn < 0.3 and isinstance(parent, dict):
        name = rnd.choice(["extra", "quota", "unit", "title", "nonce", "scale", "limit"])
        parent[name] = rnd.choice(ODD)
        return (*path[:-1], name)
    else:
        parent[path[-1]] = copy.deepcopy(rnd.choice(ODD))
    return path


def verdict(script: Any) -> str:
    try:
        parse_scenario(decode(json.dumps(script).encode()))
    except ScenarioError:
        return "refused"
    except BadRulesError:
        return "BAD_RULES"
    return "fine"


@pytest.mark.skipif(
    not SCHEMA.exists(), reason="the folder of outside vectors is not beside this checkout"
)
@settings(max_examples=1000)
@given(st.integers(0, 2**32))
def test_the_form_agrees_with_the_schema_under_mutation(seed: int) -> None:
    rnd = random.Random(seed)
    script = copy.deepcopy(scenario(seed))
    script["commands"] = script["commands"][:3]
    path = mutate(script, rnd)
    errors = list(Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(script))
    if not errors:
        assert verdict(script) in ("fine", "BAD_RULES")
    elif COVERED & {*path}:
        assert verdict(script) in ("refused", "BAD_RULES")
    else:
        assert verdict(script) == "refused", (path, [error.message for error in errors])


BASE: dict[str, Any] = {
    "start_price": "3000", "increment": "50", "price_cap": "3200", "reserve_price": "3100",
    "listing": {"opens_at": "2026-03-12T09:00:00Z", "closes_at": "2026-03-12T10:00:00Z", "freeze_s": 600},
    "timed": {"starts_at": "2026-03-12T10:05:00Z"},
    "on_cap": {"kind": "second_item", "name": "自持", "start": "5", "increment": "1", "limit": "100", "scale": 0},
    "preemption": {"bidders": ["P1"], "window_s": 60},
}  # fmt: skip
QUOTA: dict[str, Any] = {
    "increment": "20",
    "timed": {"starts_at": "2026-03-12T10:05:00Z"},
    "quota": {
        "slots": 1,
        "parcels": [
            {"id": "L1", "holder": "P1", "site_area": "0.00001", "added_far": "0.1", "added_gfa": "0.000001", "start_floor_price": "1"},
            {"id": "L2", "holder": "P2", "added_gfa": "6400", "start_floor_price": "1500.123456"},
            {"id": "L3", "holder": "P9", "added_gfa": "6400", "start_floor_price": "1500", "site_area": "1"},
        ],
    },
}  # fmt: skip
BIDDERS = ["P1", "P2"]


def changed(base: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    rules = copy.deepcopy(base)
    *way, last = path.split(".")
    place: Any = rules
    for step in way:
        place = place[int(step) if step.isdecimal() else step]
    place[int(last) if last.isdecimal() else last] = value
    return rules


CONTRADICTIONS = [
    (BASE, "start_price", "3000.001"), (BASE, "start_price", None), (BASE, "start_price", "1e3"), (BASE, "start_price", 3000),
    (BASE, "increment", "0"), (BASE, "increment", "0.00"), (BASE, "increment", "50.000"), (BASE, "price_cap", "2999.99"),
    (BASE, "reserve_price", "3200.01"), (BASE, "price_cap", "3099.99"), (BASE, "price_cap", None), (BASE, "reserve_price", "3100.123"),
    (BASE, "listing.opens_at", "2026-03-12T09:50:00Z"), (BASE, "listing.freeze_s", 3600), (BASE, "direction", "down"),
    (BASE, "timed.starts_at", "2026-03-12T09:59:59.999Z"), (BASE, "on_cap.start", "5.0"), (BASE, "on_cap.increment", "0"),
    (BASE, "on_cap.limit", "4"), (BASE, "on_cap.direction", "down"), (BASE, "preemption.bidders", []),
    (BASE, "preemption.bidders", ["P1", "P1"]), (BASE, "preemption.bidders", ["P3"]), (BASE, "on_cap.limit", "1e2"),
    (QUOTA, "start_price", "1"), (QUOTA, "price_cap", "100"), (QUOTA, "reserve_price", "100"), (QUOTA, "direction", "down"),
    (QUOTA, "on_cap", {"kind": "one_shot"}), (QUOTA, "preemption", {"bidders": ["P1"], "window_s": 1}),
    (QUOTA, "quota.slots", 0), (QUOTA, "quota.slots", -5), (QUOTA, "quota.parcels.1.id", "L1"),
    (QUOTA, "quota.parcels.2.holder", "P1"), (QUOTA, "quota.parcels.1.holder", "P8"), (QUOTA, "increment", "0"),
    (QUOTA, "quota.parcels.0.added_gfa", "0.000002"), (QUOTA, "quota.parcels.1.added_gfa", "1.1234567"),
    (QUOTA, "quota.parcels.1.start_floor_price", "-1"), (QUOTA, "quota.parcels", []),
]  # fmt: skip


@pytest.mark.parametrize(("base", "path", "value"), CONTRADICTIONS)
def test_a_contradiction_is_bad_rules(base: dict[str, Any], path: str, value: Any) -> None:
    with pytest.raises(BadRulesError):
        parse_rules(changed(base, path, value), "L", BIDDERS)


@pytest.mark.parametrize("bidders", [["P1", "P2", "P1"], ["P1", "P2", "CENTRE"]])
def test_bidders_repeat_nobody_and_are_not_the_centre(bidders: list[str]) -> None:
    with pytest.raises(BadRulesError):
        parse_rules(BASE, "L", bidders)


@pytest.mark.parametrize(
    ("base", "path", "value"),
    [
        (BASE, "unit", "元"), (BASE, "price_cap", "3100"), (BASE, "reserve_price", "1"), (BASE, "listing.freeze_s", 3599),
        (BASE, "timed.starts_at", "2026-03-12T10:00:00Z"), (BASE, "on_cap.limit", None), (BASE, "on_cap.limit", "5"),
        (BASE, "on_cap", None), (BASE, "on_cap.start", "0"), (BASE, "listing", None), (BASE, "preemption", None),
        (QUOTA, "quota.slots", 99), (QUOTA, "listing", BASE["listing"]), (QUOTA, "timed.entry_rule", "confirm_2"),
        (QUOTA, "quota.parcels.0.added_far", None), (QUOTA, "direction", "up"), (QUOTA, "start_price", None),
        (QUOTA, "quota.raise_base", "cutoff"), (QUOTA, "quota.parcels.1.site_area", "3.7"), (BASE, "timed.extend_s", 300.0),
    ],
)  # fmt: skip
def test_what_only_touches_a_bound_is_fine(base: dict[str, Any], path: str, value: Any) -> None:
    rules = changed(base, path, value)
    parse_rules(decode(json.dumps(rules).encode()), "L", BIDDERS)


def test_the_product_of_area_and_ratio_is_compared_exactly() -> None:
    parcel = {"site_area": "3333.333333", "added_far": "0.3", "start_floor_price": "1"}
    rules = changed(
        QUOTA, "quota.parcels.0", {**parcel, "id": "L1", "holder": "P1", "added_gfa": "999.999999"}
    )
    with pytest.raises(BadRulesError):  # the product is 999.9999999
        parse_rules(rules, "L", BIDDERS)


def test_every_contradiction_is_named_at_once() -> None:
    rules = changed(changed(BASE, "increment", "0"), "preemption.bidders", [])
    with pytest.raises(BadRulesError, match=r"increment is 0; .*preemption of nobody"):
        parse_rules(rules, "L", BIDDERS)
