"""Tenders, auctions, deposits, suspension: from registration to the hidden number."""

import asyncio
from typing import Any

import pytest

from crypto.signature import SigningKey
from tests.trading.world import World
from trading.model import (
    ConflictError,
    DepositForm,
    ForbiddenError,
    Role,
    SectionKey,
    Stage,
    code_for_tests,
)


def test_a_tender_goes_from_registration_to_its_notice(world: World) -> None:
    made = world.carry("tender.create", world.tender_form())
    (section,) = made["sections"]
    operator = world.one(Role.OPERATOR)
    assert world.get("/tenders") == []
    assert world.call("GET", f"/tenders/{made['tender']}").status_code == 404
    assert world.get(f"/tenders/{made['tender']}", operator)["stage"] == "draft"
    early = world.propose(operator, "tender.publish", {"tender": made["tender"]})
    assert early.status_code == 409  # no key yet
    world.key_up(section)
    assert world.call("GET", f"/sections/{section}/tender.json").status_code == 404
    before = world.ground.ledger.size
    world.carry("tender.publish", {"tender": made["tender"]})
    assert b'"kind":"tender_published"' in world.ground.ledger.leaf(before)
    (line,) = world.get("/tenders")
    assert line["sections"][0]["deadline"] == world.service.section(section).deadline
    whole = world.get(f"/tenders/{made['tender']}")
    assert whole["ruleset"] == ["演示", "2026-11-24"]
    assert whole["sections"][0]["control_price"] == "48650000.00"
    assert world.get(f"/sections/{section}/tender.json") == whole["sections"][0]["tender_file"]
    world.runner.run(world.service.notice_issued(section, "rec_x", 1))
    assert world.get(f"/tenders/{made['tender']}")["sections"][0]["notice"] == "rec_x"
    again = world.propose(operator, "tender.publish", {"tender": made["tender"]})
    assert again.status_code == 409


def test_an_unlawful_schedule_is_refused_naming_the_article(world: World) -> None:
    made = world.carry("tender.create", world.tender_form())
    world.key_up(made["sections"][0])
    world.clock.advance(8_000)  # two seconds are left, 演示 wants three
    refused = world.propose(world.one(Role.OPERATOR), "tender.publish", {"tender": made["tender"]})
    assert refused.status_code == 409
    problem = refused.json()
    assert problem["rule"] == "演示; 实施条例 16"
    assert {v["rule"] for v in problem["violations"]} == {"doc.sale_min", "bid.prepare_min"}


def test_a_schedule_is_judged_again_when_the_second_person_signs(world: World) -> None:
    made = world.carry("tender.create", world.tender_form())
    world.key_up(made["sections"][0])
    body = {"tender": made["tender"]}
    proposed = world.propose(world.one(Role.OPERATOR), "tender.publish", body).json()
    world.clock.advance(8_000)
    assert world.confirm(world.one(Role.REVIEWER), proposed).status_code == 409
    assert world.service.tender(made["tender"]).stage is Stage.DRAFT


@pytest.mark.parametrize(
    "change",
    [
        {"control_price": "NaN"},
        {"control_price": "48650000.001"},
        {"control_price": "-1.00"},
        {"control_price": None},
        {"control_price_note": "说明"},
        {"deposit": 800000},
        {"deadline": "soon"},
        {"deadline": True},
        {"minimum": "3"},
        {"float_points": ["0,25"]},
        {"float_points": ["٠.٢٥"]},
        {"summary_fields": []},
        {"summary_fields": [{"name": "Total", "title": "x", "kind": "amount"}]},
        {"name": "标\u202e段"},
        {"custody": {"custodians": ["custodian-1", "custodian-1"], "threshold": 2}},
        {"proof_of_possession": "optional"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_a_malformed_section_is_refused(world: World, change: dict[str, Any]) -> None:
    form = world.tender_form()
    form["sections"][0] |= change
    refused = world.propose(world.one(Role.OPERATOR), "tender.create", form)
    assert refused.status_code == 422, refused.text


def test_custodians_of_a_section_are_registered_and_each_named_once(world: World) -> None:
    for custodians in (["custodian-1", "nobody"], ["custodian-1", "custodian-1"]):
        form = world.tender_form()
        form["sections"][0]["custody"]["custodians"] = custodians
        refused = world.propose(world.one(Role.OPERATOR), "tender.create", form)
        assert refused.json()["type"].endswith("custodians-unknown")


def test_a_tenderer_registers_its_own_tender_and_the_centre_confirms(world: World) -> None:
    form = world.tender_form()
    made = world.carry("tender.create", form, Role.TENDERER, Role.OPERATOR)
    tenderer, agent = world.one(Role.TENDERER), world.one(Role.AGENT)
    assert world.get(f"/tenders/{made['tender']}", tenderer)["stage"] == "draft"
    assert world.call("GET", f"/tenders/{made['tender']}", who=agent).status_code == 404
    proposed = world.propose(agent, "tender.create", form).json()  # not its own
    assert world.confirm(world.one(Role.OPERATOR), proposed).status_code == 409


def test_a_section_gets_one_key_for_its_own_deadline(world: World) -> None:
    made = world.carry("tender.create", world.tender_form())
    item = world.service.section(made["sections"][0])
    key = SectionKey("age1tag1q", "cer", {}, item.deadline + 1000, item.minimum)
    with pytest.raises(ConflictError):
        world.runner.run(world.service.assign_key(item.id, key))
    world.key_up(item.id)
    with pytest.raises(ConflictError):
        world.key_up(item.id)


def test_deposits_are_hidden_from_everybody_until_t(world: World) -> None:
    _, section = world.announced()
    bidder = world.one(Role.BIDDER)
    assert world.deposit(bidder, section).status_code == 201
    watchers = [world.one(Role.OPERATOR), world.one(Role.REVIEWER), world.one(Role.SUPERVISOR)]
    empty = "sec_" + "a" * 26
    for watcher in watchers:
        shown = world.call("GET", f"/deposits?target={section}", who=watcher)
        assert (shown.status_code, shown.json()["type"][-14:]) == (403, "deposit-hidden")
        assert world.call("GET", f"/deposits?target={empty}", who=watcher).status_code == 404
    with pytest.raises(ForbiddenError):
        world.service.deposit_status(section, bidder.organisation)
    world.clock.set(world.service.section(section).deadline)
    assert world.service.deposit_status(section, bidder.organisation) is DepositForm.PAID
    assert world.service.deposit_status(section, "org_other") is DepositForm.NONE
    (shown,) = world.get(f"/deposits?target={section}", world.one(Role.OPERATOR))
    assert shown["amount"] == "800000.00"


def test_no_answer_before_t_tells_how_many_have_put_down_deposits(world: World) -> None:
    """Every readable address, for every role, byte by byte: nobody, then three bidders."""
    tender, section = world.announced()
    world.auction()
    bidders = [world.hire(Role.BIDDER, code_for_tests(n), f"投标公司{n}") for n in range(11, 14)]
    watchers = [
        None,
        *(world.one(r) for r in (Role.OPERATOR, Role.REVIEWER, Role.SUPERVISOR, Role.TENDERER)),
        world.one(Role.AUDITOR),
        world.one(Role.BIDDER),
    ]
    paths = [
        "/centre", "/roster", "/access", "/tenders", f"/tenders/{tender}",
        f"/sections/{section}/tender.json", "/auctions", f"/deposits?target={section}",
        "/deposits/me", "/proposals", "/enrolments", "/organisations/me",
    ]  # fmt: skip

    def everything() -> list[tuple[int, bytes]]:
        answers = [world.call("GET", path, who=w) for w in watchers for path in paths]
        return [(a.status_code, a.content) for a in answers]

    before = everything()
    for bidder in bidders:
        assert world.deposit(bidder, section).status_code == 201
    assert everything() == before


def test_a_deposit_is_declared_once_in_time_and_in_full(world: World) -> None:
    _, section = world.announced()
    bidder = world.one(Role.BIDDER)
    assert world.deposit(bidder, section, "799999.99").status_code == 409
    assert world.deposit(bidder, "sec_" + "a" * 26).status_code == 404
    assert world.deposit(bidder, section).status_code == 201
    assert world.deposit(bidder, section).status_code == 409
    assert [d["target"] for d in world.get("/deposits/me", bidder)] == [section]
    late = world.hire(Role.BIDDER, code_for_tests(7), "横琴迟报建设有限公司")
    world.clock.set(world.service.section(section).deadline - 1)
    assert (
        world.deposit(world.hire(Role.BIDDER, code_for_tests(8), "乙"), section).status_code == 201
    )
    world.clock.advance(1)
    assert world.deposit(late, section).status_code == 410


def test_a_deposit_is_released_exactly_once(world: World) -> None:
    _, section = world.announced()
    made = world.deposit(world.one(Role.BIDDER), section).json()
    release = {"deposits": [made["id"]], "reason": "未中标"}
    operator = world.one(Role.OPERATOR)
    assert world.propose(operator, "deposit.release", release).status_code == 409
    world.clock.set(world.service.section(section).deadline)
    twice = release | {"deposits": [made["id"]] * 2}
    assert world.propose(operator, "deposit.release", twice).status_code == 409
    first = world.propose(operator, "deposit.release", release).json()
    second = world.propose(operator, "deposit.release", release).json()
    assert world.confirm(world.one(Role.REVIEWER), first).status_code == 200
    assert world.confirm(world.one(Role.REVIEWER), second).status_code == 409
    assert world.propose(operator, "deposit.release", release).status_code == 409
    assert world.get("/deposits/me", world.one(Role.BIDDER))[0]["released_at"] is not None


def test_a_quota_lot_is_for_its_holder_only(world: World) -> None:
    holder = world.one(Role.BIDDER)
    _, lot = world.auction(holder=code_for_tests(1))
    other = world.hire(Role.BIDDER, code_for_tests(2), "他人公司")
    assert world.deposit(other, lot, "1200000.00").status_code == 403
    assert not world.service.deposit_held(lot, holder.organisation)
    assert world.deposit(holder, lot, "1200000.00").status_code == 201
    assert world.service.deposit_held(lot, holder.organisation)


def test_a_session_is_published_with_its_lots(world: World) -> None:
    session, lot = world.auction()
    (listed,) = world.get("/auctions")
    assert listed["rules"] == {"slots": 5, "increment": "20"}
    assert listed["lots"][0]["id"] == lot
    world.carry("session.terminate", {"target": session, "reason": "权属争议"})
    assert world.get(f"/auctions/{session}")["stage"] == "terminated"


def test_one_suspends_and_two_resume(world: World) -> None:
    _, section = world.announced()
    seen: list[str] = []
    world.ground.journal.listen(lambda row: seen.append(row.kind))
    supervisor, operator = world.one(Role.SUPERVISOR), world.one(Role.OPERATOR)

    def suspend() -> int:
        signed = world.signed(supervisor, "suspension", target=section, reason="系统故障")
        return world.call("POST", "/suspensions", signed, supervisor).status_code

    assert suspend() == 204
    assert suspend() == 409
    assert world.service.section(section).suspended
    assert world.get("/tenders")[0]["sections"][0]["suspended"]
    body = {"target": section, "reason": "故障已排除"}
    proposed = world.propose(operator, "target.resume", body).json()
    assert world.confirm(operator, proposed).status_code == 403
    assert world.service.section(section).suspended
    world.clock.advance(5_000)
    assert world.confirm(supervisor, proposed).status_code == 200
    assert not world.service.section(section).suspended
    ((start, end),) = world.service.section(section).pauses
    assert end is not None
    assert end - start == 5_000
    assert [k for k in seen if k.startswith("target.")] == ["target.suspended", "target.resumed"]


def test_a_tender_is_terminated_by_two(world: World) -> None:
    tender, section = world.announced()
    body = {"target": tender, "reason": "项目取消"}
    world.carry("tender.terminate", body, Role.TENDERER, Role.SUPERVISOR)
    assert world.service.section(section).stage is Stage.TERMINATED
    assert world.deposit(world.one(Role.BIDDER), section).status_code == 409


def test_state_is_the_same_after_a_restart(world: World) -> None:
    _, section = world.announced()
    _, lot = world.auction()
    assert world.deposit(world.one(Role.BIDDER), section).status_code == 201
    operator = world.one(Role.OPERATOR)
    signed = world.signed(operator, "suspension", target=lot, reason="停电")
    assert world.call("POST", "/suspensions", signed, operator).status_code == 204
    pending = world.propose(operator, "target.resume", {"target": lot, "reason": "恢复"}).json()
    before = world.service.state
    world.restart()
    assert world.service.state == before
    assert world.confirm(world.one(Role.REVIEWER), pending).status_code == 200
    assert not world.service.lot(lot).suspended


def test_two_second_signatures_at_once_carry_an_act_once(world: World) -> None:
    asked = world.enrol(SigningKey.generate(), "bidder", code_for_tests(1)).json()
    body = {"enrolment": asked["enrolment"]}
    proposed = world.propose(world.one(Role.OPERATOR), "key.issue", body).json()
    reviewer = world.one(Role.REVIEWER)
    said = {"proposal": proposed["proposal"], "digest": proposed["digest"]}
    signed = [world.signed(reviewer, "confirmation", **said) for _ in range(4)]

    async def all_at_once() -> list[int]:
        path = f"/api/v1/proposals/{proposed['proposal']}/confirm"
        headers = {"authorization": f"Bearer {reviewer.token}"}
        answers = await asyncio.gather(
            *(world.client.post(path, json=s, headers=headers) for s in signed)
        )
        return sorted(a.status_code for a in answers)

    assert world.runner.run(all_at_once()) == [200, 404, 404, 404]


def test_land_is_not_tendered_but_auctioned(world: World) -> None:
    form = world.tender_form() | {"regime": "land"}
    refused = world.propose(world.one(Role.OPERATOR), "tender.create", form)
    assert refused.status_code == 422
