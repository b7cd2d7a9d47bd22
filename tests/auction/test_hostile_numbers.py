"""At least two hundred hostile numerals on every numeric field: none accepted, none an error of ours."""

import asyncio
import copy
import json
import re
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from auction.model import BadRulesError, ScenarioError
from auction.replay import decode, replay
from auction.rules import parse_rules
from auction.service.business import plan
from crypto.canonical import canonical, parse
from crypto.encoding import b64
from crypto.errors import CryptoError
from crypto.statement import PREFIX, make, sign
from tests.auction.hostile import TOKENS
from tests.auction.stage import CENTRE, LISTING_RULES, TIMED, Desk, Stage, frame
from trading.model import State

SECOND = {"kind": "second_item", "name": "自持", "start": "5", "increment": "1", "extend_s": 3600}
ONE_SHOT = {"kind": "one_shot", "wait_s": 0, "ask_s": 1, "quote_s": 3600}


def test_there_are_enough_of_them() -> None:
    assert len(set(TOKENS)) >= 200


def signed(desk: Desk, do: str, token: str) -> str:
    """Sign an offer whose amount is a raw JSON token; where it has a canonical form, in that."""
    body = {
        "lot": desk.lot,
        "paddle": desk.paddle,
        "do": do,
        "key": "hostile-key-00000000",
        "amount": "@@",
    }
    text = canonical(make("offer", CENTRE, body)).decode().replace('"@@"', token)
    with suppress(CryptoError):  # what is no JSON stays as broken as it is
        text = canonical(parse(text)).decode()
    raw = text.encode(errors="surrogatepass")
    return frame(text, desk.bidder.delegate.sign(PREFIX + raw))


@pytest.mark.parametrize("field", ["bid", "quote", "second item"])
def test_no_offer_is_taken(tmp_path: Path, field: str) -> None:
    on_cap = {"bid": None, "quote": ONE_SHOT, "second item": SECOND}[field]
    rules = {
        **LISTING_RULES,
        "price_cap": "200",
        "on_cap": on_cap,
        "timed": {**TIMED, "extend_s": 3600},
    }
    rules["price_cap"] = "200" if on_cap else None

    async def act() -> None:
        stage = await Stage(tmp_path).start()
        try:
            lot, (a, b, _) = await stage.listed(rules)
            if on_cap:
                assert (await b.bid("200"))["ok"]
            if field == "quote":
                for desk in (a, b):
                    assert (await desk.bid(None, do="join"))["ok"]
                await stage.at(11_000)
            before = stage.service.writer(lot).book.live
            for token in TOKENS:
                a.say(signed(a, "quote" if field == "quote" else "bid", token))
                a.desk._strikes = 0
            await stage.quiet()
            answers = a.got[-len(TOKENS) :]
            codes = {answer["code"] for answer in answers if answer["type"] != "entered"}
            assert codes <= {"BAD_AMOUNT", "MALFORMED", "REPLAY"}
            assert not any(answer.get("ok") for answer in answers)
            after = stage.service.writer(lot).book.live
            assert (after.seq, after.leader, after.quotes) == (
                before.seq,
                before.leader,
                before.quotes,
            )
            assert not a.closed
        finally:
            await stage.stop()

    asyncio.run(act())


@pytest.mark.parametrize("member", ["v", "t0"])
def test_no_other_number_of_a_bidders_socket_is_taken_for_one(tmp_path: Path, member: str) -> None:
    """The version of an offer, a clock probe; what a watcher of the hall says it has seen is in the hub's tests."""

    async def act() -> None:
        stage = await Stage(tmp_path).start()
        try:
            lot, (a, *_) = await stage.listed(LISTING_RULES)
            before = stage.service.writer(lot).book.live.seq
            for token in TOKENS:
                if member == "v":
                    text = canonical(make("offer", CENTRE, {"lot": lot, "paddle": a.paddle, "do": "bid",
                                                            "key": "hostile-key-00000000", "amount": "100"}))  # fmt: skip
                    wrong = text.decode().replace('"v":1}', f'"v":{token}}}')
                    signature = a.bidder.delegate.sign(
                        PREFIX + wrong.encode(errors="surrogatepass")
                    )
                    a.say(frame(wrong, signature))
                else:
                    a.say(f'{{"type":"probe","t0":{token}}}')
                a.desk._strikes = 0
            await stage.quiet()
            assert stage.service.writer(lot).book.live.seq == before
            told = a.got[-len(TOKENS) :]
            whole = [token for token in TOKENS if re.fullmatch(r"-?(0|[1-9][0-9]*)", token)]
            probes = [answer for answer in told if answer["type"] == "probe"]
            assert len(probes) == (len(whole) if member == "t0" else 0)
            assert {answer["code"] for answer in told if answer["type"] == "problem"} == {
                "MALFORMED"
            }
            assert len(told) == len(TOKENS)
            assert not a.closed
        finally:
            await stage.stop()

    asyncio.run(act())


def test_no_outage_minimum_is_taken_that_is_no_whole_number() -> None:
    """It stands beside the contract's rules, in those of a session."""
    for token in TOKENS:
        try:
            minimum = json.loads(token)
        except ValueError:
            continue  # no request with it is JSON
        rules = {**LISTING_RULES, "outage_min_s": minimum}
        session: Any = SimpleNamespace(id="ses_1", rules=rules)
        if type(minimum) is int and minimum >= 0:
            assert plan(session, [], State()) == []
            continue
        with pytest.raises(ScenarioError):
            plan(session, [], State())


def test_no_expiry_of_a_delegation_is_taken(tmp_path: Path) -> None:
    async def act() -> None:
        stage = await Stage(tmp_path).start()
        try:
            _, (a, *_) = await stage.listed(LISTING_RULES)
            for token in TOKENS:
                body = {
                    "lot": a.lot,
                    "paddle": a.paddle,
                    "delegate": b64(a.bidder.delegate.public),
                    "expires_at": 77,
                }
                whole = json.dumps({"delegation": sign(a.bidder.key, "delegation", CENTRE, body)})
                a.say(whole.replace('"expires_at": 77', f'"expires_at": {token}'))
                a.desk._strikes = 0
            await stage.quiet()
            assert {answer["type"] for answer in a.got[-len(TOKENS) :]} == {"problem"}
        finally:
            await stage.stop()

    asyncio.run(act())


PRICE: dict[str, Any] = {
    "scale": 2, "increment": "50", "start_price": "3000", "reserve_price": "3100", "price_cap": "3200",
    "listing": {"opens_at": "2026-03-12T09:00:00Z", "closes_at": "2026-03-12T10:00:00Z", "freeze_s": 600},
    "timed": {"starts_at": "2026-03-12T10:05:00Z", "extend_s": 300, "first_window_s": 300},
    "on_cap": {"kind": "second_item", "name": "", "start": "5", "increment": "1", "limit": "100", "scale": 0, "pause_s": 1, "extend_s": 1},
    "preemption": {"bidders": ["P1"], "window_s": 60},
}  # fmt: skip
PARCEL = {
    "id": "L1",
    "holder": "P1",
    "added_gfa": "1",
    "start_floor_price": "1",
    "site_area": "1",
    "added_far": "1",
}
QUOTA: dict[str, Any] = {
    "increment": "20", "timed": {"starts_at": "2026-03-12T10:05:00Z"}, "quota": {"slots": 1, "parcels": [PARCEL]},
}  # fmt: skip
STAGES: dict[str, Any] = {
    "one_shot": {"kind": "one_shot", "wait_s": 1, "ask_s": 1, "quote_s": 1},
    "lottery": {"kind": "lottery", "wait_s": 1, "ask_s": 1, "reveal_s": 1},
}
WHOLE = [
    *(f"{kind}.{name}" for kind, stage in STAGES.items() for name in stage if name != "kind"),
    "scale", "listing.freeze_s", "timed.extend_s", "timed.first_window_s", "on_cap.scale", "on_cap.pause_s",
    "on_cap.extend_s", "preemption.window_s", "quota.slots",
]  # fmt: skip
AMOUNTS = {
    "increment": 2, "start_price": 2, "reserve_price": 2, "price_cap": 2, "on_cap.start": 0, "on_cap.increment": 0,
    "on_cap.limit": 0, "quota.parcels.0.added_gfa": 6, "quota.parcels.0.start_floor_price": 6,
    "quota.parcels.0.site_area": 6, "quota.parcels.0.added_far": 6,
}  # fmt: skip


def means(field: str, token: str) -> bool:
    """Whether a token is a sound value of a field after all, by a rule of its own."""
    if token == "null":
        return (
            field in ("reserve_price", "price_cap", "on_cap.limit", "timed.first_window_s")
            or "site" in field
            or "far" in field
        )
    if field in WHOLE:
        number = re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", token)
        return number is not None and Decimal(token) == Decimal(token).to_integral_value()
    amount = re.fullmatch(r'"(0|[1-9][0-9]{0,14})(\.([0-9]+))?"', token)
    return amount is not None and len(amount[3] or "") <= AMOUNTS[field]


@pytest.mark.parametrize("field", [*WHOLE, *AMOUNTS])
def test_rules_with_a_hostile_number_are_refused(field: str) -> None:
    base = QUOTA if field.startswith("quota") else PRICE
    kind, _, window = field.partition(".")
    if kind in STAGES:
        base, field = {**PRICE, "on_cap": STAGES[kind]}, f"on_cap.{window}"
    parse_rules(base, "L", ["P1"])  # the harness: without the number they are sound
    *way, last = field.split(".")
    for token in TOKENS:
        rules = copy.deepcopy(base)
        place: Any = rules
        for step in way:
            place = place[int(step)] if step.isdecimal() else place[step]
        place[last] = "@@"
        text = json.dumps(rules).replace('"@@"', token)
        try:
            parse_rules(decode(text.encode(errors="surrogatepass")), "L", ["P1"])
        except (ScenarioError, BadRulesError):
            continue
        assert means(f"{kind}.{window}" if kind in STAGES else field, token), token


def test_a_scenario_takes_none_of_them_as_an_amount() -> None:
    script = {
        "kind": "auction", "lot": "L", "rules": {"start_price": "0", "increment": "1", "timed": {"starts_at": "2026-01-01T00:00:00Z"}},
        "bidders": ["P1"], "commands": [{"at": "2026-01-01T00:00:00Z", "by": "P1", "do": "bid", "amount": "@@"}],
    }  # fmt: skip
    for token in TOKENS:
        text = json.dumps(script).replace('"@@"', token).encode(errors="surrogatepass")
        try:
            result = replay(text)
        except ScenarioError:
            continue  # not JSON at all
        assert result["results"] == [{"ok": False, "code": "BAD_AMOUNT"}], token
