"""Suspensions and the rules of sessions: what is taken can be followed by every room, for ever."""

from typing import Any

import pytest

from tests.acceptance.hostile.whole import LISTING, QUOTA, Whole
from trading.ground.clock import rfc3339
from trading.model import Role, code_for_tests


def phase(whole: Whole, auction: str) -> str:
    """Of the durable state; the hall shows it a quarter of a second later."""
    return whole.auctions.writer(auction).durable.phase.value


def quota_session(whole: Whole) -> tuple[str, list[str]]:
    codes = tuple(code_for_tests(n) for n in (11, 12, 13))
    for number, _ in enumerate(codes, 11):
        whole.bidder(number)
    return whole.session(QUOTA, codes)


def test_a_quota_session_is_suspended_and_resumed_as_a_whole(whole: Whole) -> None:
    session, lots = quota_session(whole)
    supervisor = whole.one(Role.SUPERVISOR)
    before = phase(whole, session)
    assert whole.suspend(supervisor, session).status_code == 204
    assert phase(whole, session) == "SUSPENDED"
    assert all(whole.service.lot(lot).suspended for lot in lots)
    assert whole.suspend(supervisor, session).status_code == 409
    whole.again()
    assert phase(whole, session) == "SUSPENDED"
    assert whole.resume(session).status_code == 200
    assert phase(whole, session) == before
    assert not any(whole.service.lot(lot).suspended for lot in lots)
    assert whole.resume(session).status_code == 409
    whole.again()
    assert phase(whole, session) == before


def test_a_parcel_of_a_quota_session_is_not_suspended_alone(whole: Whole) -> None:
    session, lots = quota_session(whole)
    refused = whole.suspend(whole.one(Role.OPERATOR), lots[0])
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("session-is-one-auction")
    assert phase(whole, session) != "SUSPENDED"


def test_a_session_of_lots_of_their_own_is_suspended_whole_and_by_lot(whole: Whole) -> None:
    session, (one, other) = whole.session(LISTING, ("", ""))
    operator = whole.one(Role.OPERATOR)
    before = phase(whole, one)
    assert whole.suspend(operator, one).status_code == 204
    assert (phase(whole, one), phase(whole, other)) == ("SUSPENDED", before)
    assert whole.suspend(operator, session).status_code == 204  # what still runs
    assert phase(whole, other) == "SUSPENDED"
    assert whole.resume(other).status_code == 200
    assert (phase(whole, one), phase(whole, other)) == ("SUSPENDED", before)
    assert whole.resume(session).status_code == 200
    assert phase(whole, one) == before


def test_what_cannot_be_suspended_is_refused_before_the_journal(whole: Whole) -> None:
    made = whole.carry("tender.create", whole.tender_form())
    supervisor = whole.one(Role.SUPERVISOR)
    targets: list[Any] = [
        made["tender"], supervisor.organisation, supervisor.person, "custodian-1", "",
        "x", "sec_" + "a" * 26, None, {"a": 1}, ["x"], 7,
    ]  # fmt: skip
    rows = whole.ground.journal.position
    for target in targets:
        signed = whole.signed(supervisor, "suspension", target=target, reason="系统故障")
        answer = whole.call("POST", "/suspensions", signed, supervisor)
        assert answer.status_code in (404, 422), (target, answer.text)
        body = {"target": target, "reason": "恢复"}
        assert whole.propose(supervisor, "target.resume", body).status_code in (404, 422), target
    assert whole.suspend(supervisor, made["sections"][0]).status_code == 409  # a draft
    assert whole.ground.journal.position == rows


HOSTILE_RULES: list[dict[str, Any]] = [
    {},
    {"slots": 5, "increment": "20"},
    {**QUOTA, "quota": 7},
    {**QUOTA, "quota": {"slots": "many"}},
    {**QUOTA, "quota": {"slots": {}}},
    {**QUOTA, "increment": None},
    {**QUOTA, "increment": {"a": []}},
    {**LISTING, "outage_min_s": "soon"},
    {**LISTING, "outage_min_s": 10**15},
    {**LISTING, "on_cap": {"kind": "lottery", "wait_s": 10**12}, "price_cap": "200.00"},
    {**LISTING, "start_price": "NaN"},
    {**LISTING, "start_price": 1},
    {**LISTING, "on_cap": []},
    {**LISTING, "listing": "x"},
    {**LISTING, "reserve_price": "1"},
    {**LISTING, "unit": 7},
    {**LISTING, "\u202e": "x"},
]


def form(whole: Whole, rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    opens = whole.clock.now() // 1000 * 1000 + 20_000
    timed = {"starts_at": rfc3339(opens), "extend_s": 60}
    return {
        "name": "R22-01",
        "opens_at": opens,
        "rules": {"timed": timed, **rules},
        "lots": [{"name": "L1", "deposit": "100.00", "details": {}}],
        **more,
    }


def test_rules_that_no_auction_can_follow_are_refused_before_they_are_registered(
    whole: Whole,
) -> None:
    operator = whole.one(Role.OPERATOR)
    good = whole.propose(operator, "session.create", form(whole, LISTING))
    assert good.status_code == 201, good.text
    for rules in HOSTILE_RULES:
        refused = whole.propose(operator, "session.create", form(whole, rules))
        assert refused.status_code == 422, (rules, refused.text)


def test_an_auction_does_not_begin_before_the_hours_whose_lawful_distance_was_checked(
    whole: Whole,
) -> None:
    operator = whole.one(Role.OPERATOR)
    early = {"timed": {"starts_at": rfc3339(whole.clock.now() + 1000), "extend_s": 60}}
    now = whole.clock.now() // 1000 * 1000
    listed = {"listing": {"opens_at": rfc3339(now + 20_000), "closes_at": rfc3339(now + 25_000)}}
    listed |= {"timed": {"starts_at": rfc3339(now + 30_000)}}
    for rules, more in (
        (early, {}),
        (listed, {}),  # a listing of which the notice says nothing
        (listed, {"listing_ends_at": now + 29_000}),
        ({"timed": {"starts_at": "9999-12-31T00:00:00Z", "extend_s": 60}}, {}),
    ):
        made = form(whole, {**LISTING, **rules}, **more)
        refused = whole.propose(operator, "session.create", made)
        assert refused.status_code == 422, (rules, refused.text)
    made = form(whole, {**LISTING, **listed}, listing_ends_at=now + 25_000)
    assert whole.propose(operator, "session.create", made).status_code == 201


def test_what_could_not_be_followed_once_stops_neither_the_start_nor_other_acts(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal from before the check: the last act of all is one that no auction can follow."""
    operator = whole.one(Role.OPERATOR)
    with monkeypatch.context() as patch:
        patch.setattr(whole.service.auctions, "_judges", [])
        made = whole.carry("session.create", form(whole, {"slots": 5}))
        whole.carry("session.publish", {"session": made["session"]})
    _, (lot,) = whole.session(LISTING)
    assert whole.suspend(operator, made["session"]).status_code == 204
    assert whole.suspend(operator, lot).status_code == 204
    assert phase(whole, lot) == "SUSPENDED"
    whole.again()
    with monkeypatch.context() as patch:
        patch.setattr(whole.service.auctions, "_judges", [])
        made = whole.carry("session.create", form(whole, {"slots": 6}))
        whole.carry("session.publish", {"session": made["session"]})
    whole.again()
    assert phase(whole, lot) == "SUSPENDED"


def test_a_durable_row_about_something_unknown_is_followed_and_changes_nothing(
    whole: Whole,
) -> None:
    """A listener that fails would end the process, whoever wrote the row."""
    before = dict(whole.service.state.lots)
    for kind in ("target.suspended", "target.resumed"):
        row = whole.service.desk.row(kind, {"target": "ses_x", "reason": "x"}, whole.clock.now())
        whole.runner.run(whole.ground.journal.append(row))
    assert whole.service.state.lots == before
