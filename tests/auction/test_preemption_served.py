"""优先购买权 over HTTP and sockets: claimed, recognised by two, in the letter, used by a client, in record and audit."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any
from unittest.mock import patch

import pytest
from websockets.sync.client import connect

from auction.record import audit, rows_from_json
from clients.sdk.hall import HallSeat
from clients.sdk.wire import Centre, Connection
from crypto.canonical import canonical
from crypto.encoding import sha256_hex
from crypto.statement import verify
from tests.acceptance.hostile.served import Served
from tests.acceptance.hostile.whole import LISTING, Whole
from tests.auction.test_letters import facts
from tests.auction.test_taking_part import woken
from tests.trading.world import CENTRE, Someone
from trading.ground.clock import SystemClock, rfc3339
from trading.model import Role

EVIDENCE = sha256_hex("租赁合同及备案证明".encode())
MINUTE, HOUR = 60_000, 3_600_000


def organisation(centre: Whole, who: Someone) -> str:
    return str(centre.service.state.keys[who.key.public].organisation)


def announced(centre: Whole, listing: bool, **right: Any) -> str:
    """A lot with a cap, so that its contest ends with one offer; bidding begins in a minute."""
    opens = centre.clock.now() // 1000 * 1000 + MINUTE
    later = opens + 10 * 24 * HOUR
    rules: dict[str, Any] = {
        **LISTING, "price_cap": "500.00", "preemption": {"window_s": 3_600, **right},
        "timed": {"starts_at": rfc3339(later if listing else opens), "entry_rule": "always"},
    }  # fmt: skip
    if listing:
        rules["listing"] = {"opens_at": rfc3339(opens), "closes_at": rfc3339(later)}
    form = {
        "name": "挂牌出让",
        "opens_at": opens,
        "rules": rules,
        "lots": [{"name": "G-01", "deposit": "100.00", "details": {"id": "G-01"}}],
    } | ({"listing_ends_at": later} if listing else {})
    made = centre.carry("session.create", form)
    centre.carry("session.publish", {"session": made["session"]})
    centre.runner.run(centre.settle())
    return str(made["lots"][0])


def applied(centre: Whole, who: Someone, lot: str, **claim: Any) -> Any:
    rules = centre.call("GET", f"/lots/{lot}").json()["rules"]
    body = {"lot": lot, "rules": sha256_hex(canonical(rules)), **claim}
    signed = centre.signed(who, "application", **body)
    answer = centre.call("POST", f"/lots/{lot}/application", signed, who)
    centre.runner.run(centre.settle())
    return answer


def paid(centre: Whole, who: Someone, lot: str) -> None:
    assert centre.deposit(who, lot, "100.00").status_code == 201
    centre.runner.run(centre.settle())


def letter(centre: Whole, who: Someone, lot: str) -> dict[str, Any]:
    signed = centre.call("GET", f"/lots/{lot}/qualification", who=who).json()
    return verify(signed, purpose="qualification", centre=CENTRE, key=centre.statements.public)


# --- Application, act and letter ---


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with Whole(tmp_path_factory.mktemp("claims") / "home") as made:
        made.first_people()
        yield made


def test_a_claim_is_recognised_by_two_people_and_the_letter_says_so(whole: Whole) -> None:
    who, other = whole.bidder(1).who, whole.bidder(2).who
    lot = announced(whole, False, proved=True)
    for claim in ("", "x", EVIDENCE.upper(), 7, [EVIDENCE]):
        assert applied(whole, who, lot, preemption=claim).status_code == 409, claim
    act = {"lot": lot, "organisation": organisation(whole, who), "evidence": EVIDENCE}
    operator, reviewer = whole.one(Role.OPERATOR), whole.one(Role.REVIEWER)
    assert whole.propose(operator, "lot.preemption", act).status_code == 409  # nobody claims it
    assert applied(whole, who, lot, preemption=EVIDENCE).status_code == 201
    assert applied(whole, other, lot).status_code == 201
    for bidder in (who, other):
        paid(whole, bidder, lot)
        assert letter(whole, bidder, lot)["preemption"] == "none"
    wrong = [
        {**act, "evidence": "0" * 64}, {**act, "organisation": organisation(whole, other)}, {**act, "more": ""},
        {**act, "lot": "lot_x"}, {**act, "evidence": None}, {"lot": lot},
    ]  # fmt: skip
    for body in wrong:
        assert whole.propose(operator, "lot.preemption", body).status_code in (404, 409, 422), body
    proposed = whole.propose(operator, "lot.preemption", act)
    assert proposed.status_code == 201
    leaves = whole.ground.ledger.size
    assert whole.confirm(operator, proposed.json()).status_code == 403  # not by one and the same
    assert whole.confirm(reviewer, proposed.json()).status_code == 200
    whole.runner.run(whole.settle())
    new = [whole.ground.ledger.leaf(index) for index in range(leaves, whole.ground.ledger.size)]
    assert all(b'"kind":"slot"' in leaf for leaf in new)  # nobody can count who has proved a right
    whole.again()
    assert letter(whole, who, lot)["preemption"] == "proof"
    assert letter(whole, other, lot)["preemption"] == "none"
    assert whole.call("GET", f"/lots/{lot}/participation", who=who).json()["entitled"] is True
    assert whole.call("GET", f"/lots/{lot}/participation", who=other).json()["entitled"] is False
    paper = whole.call("GET", f"/lots/{lot}/qualification.pdf", who=who)
    assert facts(paper.content).preemption == "proof"
    assert whole.propose(operator, "lot.preemption", act).status_code == 409  # once
    public = whole.call("GET", f"/lots/{lot}").text
    assert EVIDENCE not in public
    assert "投标单位" not in public


def test_a_right_that_the_rules_let_nobody_prove_and_one_that_comes_late_are_refused(
    whole: Whole,
) -> None:
    who = whole.bidder(1).who
    lot = announced(
        whole, False, holders=[{"lot": "G-01", "organisation": organisation(whole, who)}]
    )
    assert applied(whole, whole.bidder(2).who, lot, preemption=EVIDENCE).status_code == 409
    paid(whole, who, lot)
    assert letter(whole, who, lot)["preemption"] == "notice"
    late = announced(whole, False, proved=True)
    assert applied(whole, who, late, preemption=EVIDENCE).status_code == 201
    whole.clock.advance(MINUTE)
    whole.runner.run(woken(whole))
    assert whole.auctions.writer(late).durable.phase.value == "TIMED"
    act = {"lot": late, "organisation": organisation(whole, who), "evidence": EVIDENCE}
    assert whole.propose(whole.one(Role.OPERATOR), "lot.preemption", act).status_code == 409


# --- A hall on real sockets ---


class Shifted(SystemClock):
    """Time passes by itself, and what nobody need wait for at once."""

    shift = 0

    def now(self) -> int:
        return super().now() + self.shift


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        patch("tests.acceptance.hostile.served.SystemClock", Shifted),
        Served(tmp_path_factory.mktemp("preemption") / "home") as made,
    ):
        made.first_people()
        yield made


@pytest.fixture
def inside() -> Iterator[ExitStack]:
    """What is left behind closes."""
    with ExitStack() as opened:
        yield opened


def seat(inside: ExitStack, served: Served, lot: str, who: Someone) -> HallSeat:
    """A client of its own at its desk, over HTTP and a socket."""
    connection = inside.enter_context(closing(Connection(f"http://{served.address}", 60)))
    centre = Centre(connection, f"http://{served.address}")
    centre.token = who.token
    made = HallSeat(centre, CENTRE, lot, who.key, served.clock.now() + HOUR)
    made.enter()
    inside.callback(made.close)
    return made


def answered(hall: HallSeat, offer: Any) -> dict[str, Any]:
    hall.send(offer)
    return hall.answer(offer)


def watching(watcher: Any, wanted: Callable[[dict[str, Any]], bool]) -> list[str]:
    """Frames of a watcher up to one that is wanted."""
    frames: list[str] = []
    while not frames or not wanted(json.loads(frames[-1])):
        frames.append(watcher.recv(60))
    return frames


def shows(phase: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a frame brings a phase."""
    return lambda told: (told.get("state") or told["set"]).get("phase") == phase


def test_holders_see_their_window_and_use_it_while_nobody_learns_who_they_are(
    served: Served, inside: ExitStack
) -> None:
    people = [served.bidder(number).who for number in range(1, 5)]
    named, prover = people[:2]
    right = {
        "holders": [{"lot": "G-01", "organisation": organisation(served, named)}],
        "proved": True,
    }
    lot = announced(served, True, **right)
    assert applied(served, prover, lot, preemption=EVIDENCE).status_code == 201
    for who in people:
        paid(served, who, lot)
    act = {"lot": lot, "organisation": organisation(served, prover), "evidence": EVIDENCE}
    served.carry("lot.preemption", act)
    served.runner.run(served.settle())
    seats = [seat(inside, served, lot, who) for who in people]
    assert [one.entitled for one in seats] == [True, True, False, False]
    with connect(
        f"ws://{served.address}/api/v1/lots/{lot}/live", open_timeout=60, proxy=None
    ) as watcher:
        served.clock.shift = MINUTE
        assert answered(seats[3], seats[3].make("100.00"))["ok"]
        seen = watching(watcher, shows("LISTING"))
        assert answered(seats[2], seats[2].make("500.00"))["ok"]  # the cap ends the contest
        seen += watching(watcher, shows("MATCHING"))
        state = served.call("GET", f"/lots/{lot}").json()["state"]
        assert state["ends_at"] > served.clock.now()
        assert {"id": "MATCHING", "state": "now"}.items() <= state["phases"][-2].items()
        assert state["phases"][-2]["zh"] == "行使优先购买权"
        assert (state["best"], state["next"]) == ("500.00", None)
        assert answered(seats[3], seats[3].match())["code"] == "NOT_ENTITLED"
        assert answered(seats[0], seats[0].decline())["ok"]
        assert answered(seats[0], seats[0].match())["code"] == "ALREADY_DECLINED"
        seen += watching(watcher, lambda told: told.get("event", {}).get("kind") == "decline")
        before = "".join(seen) + served.call("GET", f"/lots/{lot}").text
        for hidden in (seats[0].paddle, seats[1].paddle):
            assert f'"{hidden}"' not in before
            assert f"{hidden} 号牌" not in before
        assert served.call("GET", f"/lots/{lot}/transcript").status_code == 409  # with the result
        won = answered(seats[1], seats[1].match())
        assert won["ok"]
        watching(watcher, shows("SOLD"))
    told = served.call("GET", f"/lots/{lot}/transcript").json()
    found = audit(rows_from_json(told["rows"]), CENTRE)
    outcome = (found.book.outcome or {})["outcome"]
    assert [(w["bidder"], w["amount"]) for w in outcome["winners"]] == [(seats[1].paddle, "500.00")]
    assert set(found.book.rights) == {seats[0].paddle, seats[1].paddle}
    state = served.call("GET", f"/lots/{lot}").json()["state"]
    assert set(state["preemption"]["held"]) == set(found.book.rights)
    records = papers(served, lot)
    assert {one["type"] for one in records} == {"transcript", "confirmation"}
    text = b"".join(served.call("GET", f"/records/{one['record']}.pdf").content for one in records)
    assert text.count(b"%PDF") == 2


def papers(served: Served, lot: str) -> list[dict[str, Any]]:
    """The records of an auction, once both are issued."""
    end = time.monotonic() + 90
    while True:
        found = served.call("GET", f"/records?subject={lot}").json()["records"]
        if len(found) >= 2 or time.monotonic() > end:
            return list(found)
        served.runner.run(asyncio.sleep(0.1))
