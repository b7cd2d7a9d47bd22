"""Application, deposit, letter of qualification; a clock that is known to be wrong; deposits given back once."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from auction.record import audit
from auction.service.participation import rules_digest
from crypto.canonical import canonical
from crypto.encoding import sha256_hex
from crypto.statement import verify
from tests.acceptance.hostile.whole import LISTING, Whole
from tests.auction.stage import CENTRE, LISTING_RULES, NOON, QUOTA_RULES, Desk, Stage
from tests.trading.world import CENTRE as WHOLE_CENTRE
from tests.trading.world import Someone
from trading.ground.journal import Draft
from trading.model import Role, code_for_tests

APPLY: dict[str, Any] = {**LISTING, "application": "required"}


@pytest.fixture
def whole(tmp_path: Path) -> Any:
    with Whole(tmp_path / "home") as made:
        made.first_people()
        yield made


def apply(whole: Whole, who: Someone, lot: str, rules: str = "") -> Any:
    read = whole.call("GET", f"/lots/{lot}").json()["rules"]
    digest = rules or sha256_hex(canonical(read))
    signed = whole.signed(who, "application", lot=lot, rules=digest)
    answer = whole.call("POST", f"/lots/{lot}/application", signed, who)
    whole.runner.run(whole.settle())
    return answer


def letter(whole: Whole, who: Someone, lot: str) -> Any:
    return whole.call("GET", f"/lots/{lot}/qualification", who=who)


async def woken(whole: Whole) -> None:
    whole.ground.timers.fire()
    await whole.settle()


def paid(whole: Whole, who: Someone, lot: str) -> None:
    assert whole.deposit(who, lot, "100.00").status_code == 201
    whole.runner.run(whole.settle())


@pytest.mark.parametrize("deposit_first", [True, False])
def test_where_the_rules_ask_for_an_application_both_admit_and_a_letter_says_so(
    whole: Whole, deposit_first: bool
) -> None:
    _, (lot,) = whole.session(APPLY)
    who, other = whole.bidder(1).who, whole.bidder(2).who
    steps = [lambda: paid(whole, who, lot), lambda: apply(whole, who, lot)]
    for step in steps if deposit_first else reversed(steps):
        assert letter(whole, who, lot).status_code == 403
        step()
    signed = letter(whole, who, lot).json()
    said = verify(signed, purpose="qualification", centre=WHOLE_CENTRE, key=whole.statements.public)
    seat = whole.call("GET", f"/lots/{lot}/participation", who=who).json()
    assert (said["lot"], said["paddle"], seat["admitted"]) == (lot, seat["paddle"], True)
    assert (said["name"], said["credit_code"]) == ("投标单位1", code_for_tests(1))
    assert said["deposit_amount"] == "100.00"
    assert said["rules"] == rules_digest(whole.auctions.writer(lot).book)
    # Nobody else gets it, and nothing public says who sits there.
    assert letter(whole, other, lot).status_code == 403
    assert whole.call("GET", f"/lots/{lot}/qualification").status_code == 401
    for role in (Role.OPERATOR, Role.AUDITOR):
        assert letter(whole, whole.one(role), lot).status_code == 403
    assert "投标单位1" not in whole.call("GET", f"/lots/{lot}").text
    whole.again()
    assert letter(whole, who, lot).json()["statement"] == signed["statement"]
    assert apply(whole, who, lot).status_code == 409


def test_an_application_names_the_rules_as_announced(whole: Whole) -> None:
    _, (lot,) = whole.session(APPLY)
    who = whole.bidder(1).who
    assert apply(whole, who, lot, "0" * 64).status_code == 409
    signed = whole.signed(whole.bidder(2).who, "application", lot=lot, rules="0" * 64)
    assert whole.call("POST", f"/lots/{lot}/application", signed, who).status_code == 401
    assert apply(whole, who, lot).status_code == 201
    again = whole.call("POST", "/lots/lot_x/application", whole.signed(who, "application"), who)
    assert again.status_code in (404, 422)


def test_without_that_rule_the_signed_deposit_is_the_application(whole: Whole) -> None:
    _, (lot,) = whole.session(LISTING)
    who = whole.bidder(1).who
    paid(whole, who, lot)
    assert letter(whole, who, lot).status_code == 200
    other = whole.bidder(2).who
    assert letter(whole, other, lot).status_code == 403


# --- The clock ---


def test_no_auction_begins_by_a_clock_known_to_be_wrong_until_two_people_resume_it(
    whole: Whole,
) -> None:
    _, (lot,) = whole.session(LISTING)

    def phase() -> str:
        return whole.auctions.writer(lot).durable.phase.value

    whole.clock.offset_ms = -101
    whole.clock.advance(25_000)
    whole.runner.run(woken(whole))
    assert phase() == "SUSPENDED"
    assert whole.service.lot(lot).suspended
    refused = whole.resume(lot)
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "clock-unfit")
    whole.again()
    assert phase() == "SUSPENDED"
    whole.clock.offset_ms = 100  # as good as the rule asks
    assert whole.resume(lot).status_code == 200
    assert phase() == "TIMED"
    assert not whole.service.lot(lot).suspended
    rows = whole.auctions.rows(lot)
    suspended = [r.body for r in rows if r.body.get("do") == "suspend"]
    assert [(body["verdict"]["ok"], body["reason"]) for body in suspended] == [
        (True, "clock-unfit")
    ]
    assert [r.body["by"] for r in whole.ground.journal.rows("ledger") if r.kind == "suspended"] == [
        "rule"
    ]


def test_the_first_offer_does_not_pass_before_the_timer_and_what_runs_is_never_stopped(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        stage = await Stage(tmp_path).start()
        (lot,) = await stage.publish({**LISTING_RULES, "outage_min_s": 0})
        await stage.deposit(lot, stage.bidders[0])
        await stage.at(9_000)
        desk = await Desk(stage, lot, stage.bidders[0]).enter()
        stage.clock.offset_ms = 250
        stage.clock.set(NOON + 10_000)
        assert (await desk.bid("100"))["code"] == "SUSPENDED"
        stage.clock.offset_ms = None
        await stage.business("target.resumed", {"target": lot, "reason": ""})
        stage.clock.offset_ms = 250
        assert (await desk.bid("100"))["ok"]
        await stage.at(200_000)
        assert stage.service.writer(lot).durable.phase.value == "SOLD"
        audit(stage.service.rows(lot), CENTRE)
        await stage.stop()

    asyncio.run(run())


# --- Deposits ---


async def given_back(stage: Stage) -> Counter[str]:
    """How often each deposit was released, by whatever row of the centre's business."""
    rows = [row for row in stage.journal.rows("trading") if row.kind == "deposit.released"]
    return Counter(deposit for row in rows for deposit in row.body["deposits"])


def test_a_deposit_released_by_two_people_is_not_released_again_with_the_result(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        stage = await Stage(tmp_path).start()
        session, desks = await stage.quota({**QUOTA_RULES, "quota": {"slots": 1}})
        for number, desk in enumerate(desks):
            assert (await desk.bid(str(100 + 20 * number)))["ok"]
        await stage.business("deposit.released", {"deposits": ["dep_lot_0_0"], "reason": "退出"})
        await stage.at(300_000)
        assert await given_back(stage) == {"dep_lot_0_0": 1, "dep_lot_1_1": 1}
        rows = stage.service.rows(session)
        assert rows[-1].body["deposits_released"] == ["dep_lot_1_1"]
        audit(rows, CENTRE)
        await stage.service.recover()
        await stage.at(400_000)
        assert await given_back(stage) == {"dep_lot_0_0": 1, "dep_lot_1_1": 1}
        assert stage.state.deposits["dep_lot_2_2"].released_at is None  # the winner's
        await stage.stop()

    asyncio.run(run())


@pytest.mark.parametrize("people_first", [True, False])
def test_a_release_by_two_people_racing_the_hammer_gives_back_once(
    tmp_path: Path, people_first: bool
) -> None:
    """Both rows are on their way before either is known to the other: the first in the journal is the release."""

    async def run() -> None:
        stage = await Stage(tmp_path).start()
        session, desks = await stage.quota({**QUOTA_RULES, "quota": {"slots": 1}}, 2)
        for number, desk in enumerate(desks):
            assert (await desk.bid(str(100 + 20 * number)))["ok"]
        stage.clock.set(NOON + 300_000)
        act = Draft(
            "trading",
            "deposit.released",
            {"deposits": ["dep_lot_0_0"], "reason": "退出"},
            stage.clock.now(),
        )
        if people_first:
            stage.journal.append_nowait([act])
        stage.service.writer(session).hammer(stage.clock.now())
        if not people_first:
            stage.clock.advance(5)
            stage.journal.append_nowait([act._replace(at=stage.clock.now())])
        await stage.quiet()
        released = stage.state.deposits["dep_lot_0_0"].released_at
        assert released == NOON + 300_000
        await stage.stop()
        again = await Stage(tmp_path, stage.clock.now() + 1).start()
        assert again.state.deposits["dep_lot_0_0"].released_at == released
        results = [r for r in again.service.rows(session) if r.kind == "auction.result"]
        assert len(results) == 1
        await again.stop()

    asyncio.run(run())
