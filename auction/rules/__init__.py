"""Rules as data: reads the JSON of a rule set into `Rules`, strictly and by hand.

Two things can be wrong with a rule set. It may not have the form of the contract (an unknown field, a word where a
number belongs): `ScenarioError`, which names the place. Or it has the form and contradicts itself (a cap below the
start price): `BadRulesError`, which names every contradiction. The form is judged first, and whole.

Source: contract/auction/README.md "rules", "BAD_RULES"; spec/auction.md §§2-6.
"""

from collections.abc import Sequence
from typing import Any

from auction.model import (
    CENTRE,
    BadRulesError,
    Direction,
    Ladder,
    Listing,
    Lottery,
    OneShot,
    Parcel,
    Preemption,
    Quota,
    RaiseBase,
    Rules,
    ScenarioError,
    SecondItem,
    Timed,
    amount_or_none,
)
from auction.rules.form import (
    array,
    bidder_id,
    choice,
    fields,
    instant,
    seconds,
    text,
    whole,
    yes_no,
)

MICRO = 6
"""Decimals of areas and floor prices; every amount has at most as many."""


class _Faults(list[str]):
    """The contradictions found so far; the form is read to its end before they count."""

    def check(self, holds: bool, complaint: str) -> None:
        if not holds:
            self.append(complaint)

    def amount(self, value: Any, scale: int, place: str) -> int:
        """Read an amount; what is none is a contradiction, and 0 stands in until it is reported."""
        number = amount_or_none(value, scale)
        self.check(number is not None, f"{place} is not an amount with at most {scale} decimals")
        return number or 0

    def maybe(self, value: Any, scale: int, place: str) -> int | None:
        return None if value is None else self.amount(value, scale, place)


def parse_rules(raw: Any, lot: str, bidders: Sequence[str]) -> Rules:
    """Read a rule set.

    Args:
        raw: the `rules` object as decoded from JSON.
        lot: the id of the lot, which goes into the seed of a draw.
        bidders: the qualified bidders with a confirmed deposit, ids of the contract's form.

    Raises:
        ScenarioError: it does not have the form of the contract.
        BadRulesError: it contradicts itself; the text has every contradiction.
    """
    raw = fields(raw, "rules", ("increment", "timed"), _RULE_FIELDS)
    faults = _Faults()
    direction = Direction(choice(raw.get("direction", "up"), "rules.direction", "up", "down"))
    scale = whole(raw.get("scale", 2), "rules.scale", 0, 6)
    multiple = (
        choice(
            raw.get("increment_rule", "at_least"), "rules.increment_rule", "at_least", "multiple"
        )
        == "multiple"
    )
    self_raise = yes_no(raw.get("allow_self_raise", False), "rules.allow_self_raise")
    quota = None if raw.get("quota") is None else _quota(raw["quota"], bidders, faults)
    if quota is None:
        start = faults.amount(raw.get("start_price"), scale, "start_price")
    else:
        start = 0
        for name in ("start_price", "price_cap", "reserve_price", "on_cap", "preemption"):
            faults.check(raw.get(name) is None, f"{name} under quota")
        faults.check(direction is Direction.UP, "direction down under quota")
    cap = faults.maybe(raw.get("price_cap"), scale, "price_cap")
    reserve = faults.maybe(raw.get("reserve_price"), scale, "reserve_price")
    price = Ladder(
        direction,
        scale,
        start,
        faults.amount(raw["increment"], scale, "increment"),
        cap,
        multiple,
        self_raise,
    )
    _check_ladder(price, "start_price", "price_cap", "increment", faults)
    faults.check(
        reserve is None or cap is None or not direction.better(reserve, cap),
        "reserve_price is beyond price_cap",
    )
    listing = None if raw.get("listing") is None else _listing(raw["listing"], faults)
    timed = _timed(raw["timed"], always=listing is None or quota is not None)
    faults.check(
        listing is None or listing.closes_at <= timed.starts_at, "listing closes after timed starts"
    )
    on_cap = None if raw.get("on_cap") is None else _on_cap(raw["on_cap"], price, faults)
    faults.check(on_cap is None or cap is not None, "on_cap without price_cap")
    preemption = (
        None if raw.get("preemption") is None else _preemption(raw["preemption"], bidders, faults)
    )
    faults.check(len(set(bidders)) == len(bidders), "a bidder stands twice")
    faults.check(CENTRE not in bidders, f"a bidder is called {CENTRE}")
    unit = text(raw.get("unit", "万元"), "rules.unit")
    if faults:
        raise BadRulesError("; ".join(faults))
    return Rules(
        lot, price, unit, reserve, listing, timed, on_cap, preemption, quota, frozenset(bidders)
    )


_RULE_FIELDS = (
    "direction", "scale", "unit", "start_price", "increment_rule", "allow_self_raise", "reserve_price", "price_cap",
    "listing", "on_cap", "preemption", "quota",
)  # fmt: skip


def _check_ladder(ladder: Ladder, start: str, limit: str, increment: str, faults: _Faults) -> None:
    faults.check(ladder.increment > 0, f"{increment} is 0")
    worse = ladder.limit is not None and ladder.direction.better(ladder.start, ladder.limit)
    faults.check(not worse, f"{limit} is worse than {start}")


def _listing(raw: Any, faults: _Faults) -> Listing:
    raw = fields(raw, "listing", ("opens_at", "closes_at"), ("freeze_s",))
    listing = Listing(
        instant(raw["opens_at"], "listing.opens_at"),
        instant(raw["closes_at"], "listing.closes_at"),
        seconds(raw, "freeze_s", 0, "listing", least=0),
    )
    faults.check(
        listing.opens_at < listing.closes_at - listing.freeze, "listing ends before it begins"
    )
    return listing


def _timed(raw: Any, *, always: bool) -> Timed:
    raw = fields(
        raw, "timed", ("starts_at",), ("extend_s", "first_window_s", "extension_rule", "entry_rule")
    )
    extend = seconds(raw, "extend_s", 300, "timed")
    first = (
        extend if raw.get("first_window_s") is None else seconds(raw, "first_window_s", 0, "timed")
    )
    append = (
        choice(raw.get("extension_rule", "reset"), "timed.extension_rule", "reset", "append")
        == "append"
    )
    confirm = (
        choice(raw.get("entry_rule", "confirm_2"), "timed.entry_rule", "confirm_2", "always")
        == "confirm_2"
    )
    return Timed(
        instant(raw["starts_at"], "timed.starts_at"), first, extend, append, confirm and not always
    )


def _on_cap(raw: Any, price: Ladder, faults: _Faults) -> OneShot | Lottery | SecondItem:
    if not isinstance(raw, dict) or "kind" not in raw:
        raise ScenarioError("on_cap: not an object with a kind")
    place = "on_cap"
    kind = choice(raw["kind"], "on_cap.kind", "one_shot", "lottery", "second_item")
    if kind == "second_item":
        return _second_item(raw, price, faults)
    last = "quote_s" if kind == "one_shot" else "reveal_s"
    raw = fields(raw, place, ("kind",), ("wait_s", "ask_s", last))
    stage = OneShot if kind == "one_shot" else Lottery
    return stage(
        seconds(raw, "wait_s", 240, place, least=0),
        seconds(raw, "ask_s", 300, place),
        seconds(raw, last, 240, place),
    )


def _second_item(raw: Any, price: Ladder, faults: _Faults) -> SecondItem:
    place = "on_cap"
    raw = fields(
        raw,
        place,
        ("kind", "name", "start", "increment"),
        ("unit", "direction", "scale", "limit", "pause_s", "extend_s"),
    )
    scale = whole(raw.get("scale", 2), "on_cap.scale", 0, 6)
    ladder = Ladder(
        Direction(choice(raw.get("direction", "up"), "on_cap.direction", "up", "down")),
        scale,
        faults.amount(raw["start"], scale, "on_cap.start"),
        faults.amount(raw["increment"], scale, "on_cap.increment"),
        faults.maybe(raw.get("limit"), scale, "on_cap.limit"),
        price.multiple,
        price.self_raise,
    )
    _check_ladder(ladder, "on_cap.start", "on_cap.limit", "on_cap.increment", faults)
    return SecondItem(
        text(raw["name"], "on_cap.name"),
        text(raw.get("unit", ""), "on_cap.unit"),
        ladder,
        seconds(raw, "pause_s", 0, place, least=0),
        seconds(raw, "extend_s", 300, place),
    )


def _preemption(raw: Any, bidders: Sequence[str], faults: _Faults) -> Preemption:
    raw = fields(raw, "preemption", ("bidders", "window_s"))
    entitled = [
        bidder_id(who, "preemption.bidders") for who in array(raw["bidders"], "preemption.bidders")
    ]
    faults.check(bool(entitled), "preemption of nobody")
    faults.check(len(set(entitled)) == len(entitled), "a preemption bidder stands twice")
    faults.check(set(entitled) <= set(bidders), "a preemption bidder is not a bidder")
    return Preemption(frozenset(entitled), seconds(raw, "window_s", 0, "preemption"))


def _quota(raw: Any, bidders: Sequence[str], faults: _Faults) -> Quota:
    raw = fields(raw, "quota", ("slots", "parcels"), ("raise_base",))
    slots = whole(raw["slots"], "quota.slots")
    faults.check(slots >= 1, "quota.slots is below 1")
    base = RaiseBase(choice(raw.get("raise_base", "global_high"), "quota.raise_base", *RaiseBase))
    parcels = [
        _parcel(item, f"quota.parcels[{n}]", faults)
        for n, item in enumerate(array(raw["parcels"], "parcels"))
    ]
    if not parcels and not bidders:
        raise ScenarioError("quota.parcels: empty")
    by_holder = {parcel.holder: parcel for parcel in parcels}
    faults.check(len(by_holder) == len(parcels), "a holder stands twice")
    faults.check(len({parcel.id for parcel in parcels}) == len(parcels), "a parcel id stands twice")
    faults.check(by_holder.keys() >= set(bidders), "a bidder holds no parcel")
    return Quota(slots, base, by_holder)


def _parcel(raw: Any, place: str, faults: _Faults) -> Parcel:
    raw = fields(
        raw, place, ("id", "holder", "added_gfa", "start_floor_price"), ("site_area", "added_far")
    )
    parcel = Parcel(
        text(raw["id"], f"{place}.id"),
        bidder_id(raw["holder"], f"{place}.holder"),
        faults.amount(raw["added_gfa"], MICRO, f"{place}.added_gfa"),
        faults.amount(raw["start_floor_price"], MICRO, f"{place}.start_floor_price"),
        faults.maybe(raw.get("site_area"), MICRO, f"{place}.site_area"),
        faults.maybe(raw.get("added_far"), MICRO, f"{place}.added_far"),
    )
    if parcel.site_area is not None and parcel.added_far is not None:
        product = parcel.site_area * parcel.added_far
        faults.check(
            product == parcel.added_gfa * 10**MICRO,
            f"{place}.added_gfa is not site_area x added_far",
        )
    return parcel
