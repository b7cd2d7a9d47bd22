"""The reserve: entered by two people, decided with, opened nowhere; and what an auditor can say about it."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
import typer
from typer.testing import CliRunner

from auction.record import audit, transcript_facts
from auction.replay.book import JournalError
from auction.replay.closed import Disclosure
from clients.auditor.auction import Auction
from clients.auditor.checklist import NotChecked
from clients.auditor.command import verify
from clients.auditor.keys import Keys
from crypto.canonical import canonical
from tests.acceptance.hostile.whole import LISTING, Whole
from tests.auction.house import House
from tests.auction.stage import CENTRE, LISTING_RULES, NOON, Stage
from tests.auction.test_record import HEADING
from trading.ground.clock import rfc3339
from trading.ground.private import Private
from trading.model import Role

RESERVE = "117.35"
LOT = "lot_0"


async def reserved(stage: Stage, value: str = RESERVE) -> Disclosure:
    """Enter a reserve for the lot to come; give the slip."""
    private = Private(stage.database)
    kept = await private.put("lot_0", "reserve", value)
    body = {"lot": "lot_0", "ref": kept.ref, "commitment": kept.commitment}
    await stage.business("lot.reserved", body)
    return Disclosure(value, private.open(kept.ref).salt.hex())


async def sold_or_not(home: Path, bids: tuple[str, ...]) -> tuple[Any, ...]:
    """An auction with a reserve of 117.35, from its bids to its end: rows, result, slip, and what the hall showed."""
    stage = Stage(home)
    slip = await reserved(stage)
    await stage.start()
    lot, desks = await stage.listed({**LISTING_RULES, "outage_min_s": 0})
    for desk, amount in zip(desks, bids, strict=False):
        assert (await desk.bid(amount))["ok"]
    shown = [stage.hall(lot)]
    await stage.service.recover()  # what is folded in the middle decides with the same reserve
    await stage.at(600_000)
    await stage.at(900_000)
    shown.append(stage.hall(lot))
    rows = stage.service.rows(lot)
    seen = [desk.got for desk in desks]
    whole = [canonical(row.body) for row in stage.journal.rows()]
    await stage.stop()
    return rows, rows[-1].body["outcome"], slip, shown, seen, whole


@pytest.mark.parametrize(
    ("bids", "status", "reason"),
    [(("100", "117.34"), "UNSOLD", "RESERVE_NOT_MET"), (("100", "117.35"), "SOLD", None)],
)
def test_the_engine_decides_with_the_reserve_and_nobody_reads_it(
    tmp_path: Path, bids: tuple[str, ...], status: str, reason: str | None
) -> None:
    rows, outcome, slip, shown, seen, whole = asyncio.run(sold_or_not(tmp_path, bids))
    assert (outcome["status"], outcome["reason"]) == (status, reason)
    announced = rows[0].body
    assert announced["reserve"]["commitment"] == slip.commitment
    assert set(announced["reserve"]) == {"commitment", "sealed"}
    assert "reserve_price" not in announced["rules"]
    # What each role receives: the public hall, bidders' own channels, the rows that are the transcript, the whole
    # journal. The value stands in none (a bid of the very amount is its bidder's own), the salt in none at all.
    assert [state["reserve"] for state in shown] == [True, True]
    said = json.dumps([shown, seen], ensure_ascii=False).encode() + b"".join(whole)
    assert slip.salt.encode() not in said
    if status == "UNSOLD":
        assert RESERVE.encode() not in said
    values = [v for row in rows if row.kind == "auction.disclosed" for v in row.body["values"]]
    assert values
    assert RESERVE not in [value["value"] for value in values]


@pytest.mark.parametrize("bids", [("100", "117.34"), ("100", "117.35")])
def test_an_auditor_checks_all_but_the_reserve_and_with_the_slip_that_too(
    tmp_path: Path, bids: tuple[str, ...]
) -> None:
    rows, _, slip, *_ = asyncio.run(sold_or_not(tmp_path, bids))
    assert audit(rows, CENTRE).not_checked == ("reserve_price",)
    assert audit(rows, CENTRE, reserve=slip).not_checked == ()
    for wrong in (Disclosure("117.34", slip.salt), Disclosure(RESERVE, "00" * 32)):
        with pytest.raises(JournalError, match="does not fit the commitment"):
            audit(rows, CENTRE, reserve=wrong)


def test_a_sale_below_the_reserve_is_found_by_whoever_has_the_slip(tmp_path: Path) -> None:
    with patch("auction.replay.book._with_reserve", lambda book, _: dict(book.rules)):
        rows, outcome, slip, *_ = asyncio.run(sold_or_not(tmp_path, ("100", "110")))
    assert outcome["status"] == "SOLD"
    assert audit(rows, CENTRE).not_checked == ("reserve_price",)
    with pytest.raises(JournalError):
        audit(rows, CENTRE, reserve=slip)


def test_the_auditors_report_calls_it_not_checked_and_that_is_no_fault(tmp_path: Path) -> None:
    rows, *_ = asyncio.run(sold_or_not(tmp_path, ("100", "117.34")))
    evidence: Any = SimpleNamespace(centre=CENTRE, streams={f"lot:{LOT}": rows})
    one = Auction(evidence, LOT, Keys())
    assert "UNSOLD" in one.check_replay()
    with pytest.raises(NotChecked, match="salted commitment"):
        one.check_reserve()


def filed(home: Path) -> tuple[Path, Disclosure]:
    """A dossier of a lot with a reserve, and the slip of it."""

    async def run() -> Disclosure:
        house = await House(home).start()
        private = house.ground.private
        kept = await private.put(LOT, "reserve", RESERVE)
        body = {"lot": LOT, "ref": kept.ref, "commitment": kept.commitment}
        await house.business("lot.reserved", body)
        _, desks = await house.listed({**LISTING_RULES, "outage_min_s": 0})
        for desk, amount in zip(desks, ("100", "120"), strict=False):
            assert (await desk.bid(amount))["ok"]
        await house.later(100_000)
        await house.filed()
        slip = Disclosure(RESERVE, private.open(kept.ref).salt.hex())
        await house.stop()
        return slip

    slip = asyncio.run(run())
    return home / "dossiers" / f"{LOT}-public.bag", slip


def test_verify_opens_the_reserve_for_whoever_was_given_the_slip(tmp_path: Path) -> None:
    bag, slip = filed(tmp_path / "home")
    app = typer.Typer()
    app.command()(verify)

    def said(*slips: Any) -> tuple[int, Any]:
        options = []
        for number, one in enumerate(slips):
            path = tmp_path / f"slip-{number}.json"
            path.write_text(one if isinstance(one, str) else json.dumps(one))
            options += ["--reserve-slip", str(path)]
        at = rfc3339(NOON + 3_600_000)
        found = CliRunner().invoke(app, [str(bag), "--at", at, "--json", *options])
        if found.exit_code == 2:
            return 2, found.output
        checks = json.loads(found.stdout)["checks"]
        return found.exit_code, next(one for one in checks if one["id"] == "auction.reserve")

    good = {"value": slip.value, "salt": slip.salt}
    other = {"value": "130.00", "salt": slip.salt}
    _, check = said()
    assert (check["status"], check["essential"]) == ("not_checked", False)
    assert said(good)[1]["status"] == "ok"
    assert (
        RESERVE in said(other, {**good, "ref": "prv_1", "commitment": slip.commitment})[1]["detail"]
    )
    code, check = said(other)
    assert (code, check["status"], check["essential"]) == (1, "failed", True)
    for wrong in (
        "",
        "[]",
        "{}",
        {"value": 117, "salt": slip.salt},
        {"value": "1", "salt": "zz" * 32},
    ):
        assert said(wrong)[0] == 2


def test_no_paper_says_the_reserve(tmp_path: Path) -> None:
    rows, *_ = asyncio.run(sold_or_not(tmp_path, ("100", "117.34")))
    facts = transcript_facts(rows, HEADING)
    assert RESERVE.encode() not in canonical(facts.to_json())


# --- Entry, over HTTP ---


@pytest.fixture
def whole(tmp_path: Path) -> Any:
    with Whole(tmp_path / "home") as made:
        made.first_people()
        yield made


def drafted(whole: Whole, rules: dict[str, Any] | None = None) -> tuple[str, str]:
    """A session of one lot that is registered and not announced."""
    opens = whole.clock.now() // 1000 * 1000 + 20_000
    timed = {"starts_at": rfc3339(opens), "extend_s": 60, "entry_rule": "always"}
    form = {
        "name": "挂牌出让",
        "opens_at": opens,
        "rules": {**LISTING, "price_cap": "500.00", **(rules or {}), "timed": timed},
        "lots": [{"name": "G-01", "deposit": "100.00", "details": {"id": "G-01"}}],
    }
    made = whole.carry("session.create", form)
    return made["session"], made["lots"][0]


def test_two_people_enter_a_reserve_and_the_second_can_recompute_it(whole: Whole) -> None:
    session, lot = drafted(whole)
    operator, reviewer = whole.one(Role.OPERATOR), whole.one(Role.REVIEWER)
    answer = whole.call("POST", f"/lots/{lot}/reserve", {"value": "123.45"}, operator)
    assert answer.status_code == 201
    slip = answer.json()
    # The second person's own sum, from the value and the salt handed over outside the system.
    assert Disclosure("123.45", slip["salt"]).commitment == slip["commitment"]
    act = {"lot": lot, "ref": slip["ref"], "commitment": slip["commitment"]}
    proposed = whole.propose(operator, "lot.reserve", act)
    assert proposed.status_code == 201
    assert whole.confirm(operator, proposed.json()).status_code == 403  # not by one and the same
    assert whole.confirm(reviewer, proposed.json()).status_code == 200
    whole.carry("session.publish", {"session": session})
    whole.runner.run(whole.settle())
    public = whole.call("GET", f"/lots/{lot}").json()
    assert public["state"]["reserve"] is True
    assert whole.auctions.writer(lot).book.live.rules.reserve == 12345
    leaf = [
        row.body for row in whole.ground.journal.rows("ledger") if row.kind == "reserve_committed"
    ]
    assert [(one["lot"], one["commitment"]) for one in leaf] == [(lot, slip["commitment"])]
    for row in whole.ground.journal.rows():
        assert b"123.45" not in canonical(row.body)
        assert slip["salt"].encode() not in canonical(row.body)
    whole.again()
    assert whole.auctions.writer(lot).book.live.rules.reserve == 12345
    assert whole.propose(operator, "lot.reserve", act).status_code == 409  # announced


def test_what_is_no_reserve_of_this_lot_is_refused(whole: Whole) -> None:
    _, lot = drafted(whole)
    _, other = drafted(whole)
    operator = whole.one(Role.OPERATOR)
    for value in ("500.01", "1e3", "１２３", "123.456", "-1", "", "9" * 16):
        answer = whole.call("POST", f"/lots/{lot}/reserve", {"value": value}, operator)
        assert answer.status_code == 422, value
    for body in ({}, {"value": 1}, {"value": None}, {"value": "1", "x": 1}):
        assert whole.call("POST", f"/lots/{lot}/reserve", body, operator).status_code == 422
    for role in (Role.BIDDER, Role.SUPERVISOR, Role.AUDITOR):
        answer = whole.call("POST", f"/lots/{lot}/reserve", {"value": "200"}, whole.one(role))
        assert answer.status_code == 403
    slip = whole.call("POST", f"/lots/{lot}/reserve", {"value": "200"}, operator).json()
    good = {"lot": lot, "ref": slip["ref"], "commitment": slip["commitment"]}
    bad: list[dict[str, Any]] = [
        {**good, "commitment": "0" * 64}, {**good, "ref": "prv_x"}, {**good, "lot": other},
        {**good, "lot": 7}, {"lot": lot}, {**good, "value": "200"},
    ]  # fmt: skip
    for act in bad:
        assert whole.propose(operator, "lot.reserve", act).status_code in (404, 409, 422)
