"""Questions whose asker nobody knows, objections that hold, over HTTP; their time by the law's own RuleSets."""

from __future__ import annotations

import json
from datetime import date, time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.world import Someone, World
from trading.model import Organisation, Role, UnlawfulError, code_for_tests
from trading.rules.counting import DAY_MS, instant
from trading.rules.objecting import answer_by, check_unnamed, holds, objections_end
from trading.store import load_rulesets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from trading.model import RuleSet

NINE = time(9)
ASKER = "广东恒𣲗水利建设集团有限公司"


def rules(regime: str) -> RuleSet:
    return next(r for r in load_rulesets() if r.live and r.regime == regime)


def test_w1_objections_to_the_twenty_first_and_its_answer_to_the_twenty_fourth() -> None:
    deadline = instant(date(2026, 3, 31), NINE)
    end = objections_end(
        rules("works"), published_at=instant(date(2026, 3, 10), NINE), deadline=deadline
    )
    assert end == instant(date(2026, 3, 22))
    assert answer_by(rules("works"), end - 1) == instant(date(2026, 3, 25))
    assert holds(rules("works"))


def test_w6_queries_in_procurement_run_seven_working_days_from_the_notice_periods_end() -> None:
    published = instant(
        date(2026, 9, 14), NINE
    )  # notice period to Sun 09-20, a make-up working day
    end = objections_end(
        rules("procurement"), published_at=published, deadline=instant(date(2026, 10, 30), NINE)
    )
    assert end == instant(date(2026, 10, 1))  # 21 to 24, 28 to 30: 25 to 27 are off
    assert not holds(rules("procurement"))


@given(st.sampled_from(["works", "procurement"]), st.integers(21, 120), st.integers(0, DAY_MS))
def test_a_later_deadline_never_shortens_the_time_to_object(
    regime: str, days: int, ms: int
) -> None:
    published = instant(date(2026, 3, 10), NINE) + ms
    ends = [
        objections_end(rules(regime), published_at=published, deadline=published + n * DAY_MS)
        for n in (days, days + 1)
    ]
    assert ends[0] <= ends[1]
    assert ends[0] <= published + days * DAY_MS
    assert published < ends[0]


@pytest.mark.parametrize(
    "text",
    [
        f"我司{ASKER}请问",
        "代码 " + code_for_tests(1),
        " ".join(ASKER),
        "广东恒𣲗水利建设集团有限公司",
    ],
)
def test_a_text_that_names_its_author_is_refused(text: str) -> None:
    with pytest.raises(UnlawfulError):
        check_unnamed(text, Organisation("org_a", ASKER, code_for_tests(1), test=True))


@pytest.fixture
def world(tmp_path: Path, stored: str) -> Iterator[World]:
    with World(tmp_path / "home") as made:
        made.first_people()
        _, made.section = made.announced()  # type: ignore[attr-defined]
        yield made


def ask(world: World, text: str, who: Someone | None = None) -> httpx.Response:
    path = f"/sections/{world.section}/questions"  # type: ignore[attr-defined]
    return world.call("POST", path, {"text": text}, who or world.one(Role.BIDDER))


def answer(world: World, id_: str, role: Role = Role.TENDERER, **changes: Any) -> httpx.Response:
    said = {"section": world.section, "question": id_, "text": "以图纸为准。", "affects_bids": False, "addendum": 0}  # type: ignore[attr-defined]  # fmt: skip
    who = world.one(role)
    signed = world.signed(who, "answer", **(said | changes))
    path = f"/sections/{world.section}/questions/{id_}/answer"  # type: ignore[attr-defined]
    return world.call("POST", path, signed, who)


def public(world: World, who: Someone | None = None) -> dict[str, Any]:
    found: dict[str, Any] = world.get(f"/sections/{world.section}/announcement", who)  # type: ignore[attr-defined]
    return found


def waiting(world: World) -> list[dict[str, Any]]:
    path = f"/sections/{world.section}/questions"  # type: ignore[attr-defined]
    found: list[dict[str, Any]] = world.get(path, world.one(Role.TENDERER))
    return found


def test_a_question_is_public_with_its_answer_and_nothing_says_who_asked(world: World) -> None:
    asker = world.one(Role.BIDDER)
    assert ask(world, "第3章的抗渗等级是多少？\n请明确。").status_code == 204
    assert public(world)["questions"] == []
    (question,) = waiting(world)
    assert answer(world, question["id"]).status_code == 204
    (shown,) = public(world)["questions"]
    assert (shown["text"], shown["answer"]) == ("第3章的抗渗等级是多少？\n请明确。", "以图纸为准。")
    assert answer(world, question["id"]).status_code == 409
    row = next(r for r in world.ground.journal.rows("trading") if r.kind == "question.asked")
    assert set(row.body) == {"question"}
    told = json.dumps([dict(row.body), shown, question], ensure_ascii=False)
    for secret in (asker.organisation, asker.person, ASKER, code_for_tests(1)):
        assert secret not in told
    world.restart()
    assert public(world)["questions"] == [shown]


def test_answers_that_affect_bids_leave_the_lawful_time_or_come_with_an_addendum(
    world: World,
) -> None:
    ask(world, "能否改用塑料管？")
    (question,) = waiting(world)
    world.clock.set(world.service.section(world.section).deadline - 1000)  # type: ignore[attr-defined]
    refused = answer(world, question["id"], affects_bids=True)
    assert refused.status_code == 409, refused.text
    assert "招标投标法 23" in refused.json()["rule"]
    for wrong in (1, 2, 7):
        assert answer(world, question["id"], addendum=wrong).status_code == 422
    assert answer(world, question["id"]).status_code == 204


def test_who_may_ask_and_answer_and_until_when(world: World) -> None:
    assert ask(world, "我们" + ASKER + "想问").status_code == 409
    assert ask(world, "x" * 2001).status_code == 422
    assert ask(world, "\u202e反向").status_code == 422
    assert ask(world, " ").status_code == 422
    assert ask(world, "<script>alert(1)</script>").status_code == 204
    (question,) = waiting(world)
    other = world.hire(Role.TENDERER, code_for_tests(8101), "另一招标人")
    path = f"/sections/{world.section}/questions"  # type: ignore[attr-defined]
    assert world.call("GET", path, who=other).status_code == 403
    world.people["mine"], world.people[Role.TENDERER] = world.people[Role.TENDERER], other
    assert answer(world, question["id"]).status_code == 403
    world.people[Role.TENDERER] = world.people["mine"]
    assert answer(world, "que_unknown").status_code == 404
    assert answer(world, question["id"], question="que_x").status_code == 422
    world.clock.set(world.service.section(world.section).deadline)  # type: ignore[attr-defined]
    assert ask(world, "迟了").status_code == 410
    assert answer(world, question["id"]).status_code == 410


def test_nobody_floods_the_tenderer(world: World) -> None:
    answers = [ask(world, f"第{n}个问题").status_code for n in range(21)]
    assert answers == [204] * 20 + [429]
    other = world.hire(Role.BIDDER, code_for_tests(2), "投标单位2")
    assert ask(world, "另一家的问题", other).status_code == 204


def object_(
    world: World, who: Someone | None = None, text: str = "业绩要求排斥潜在投标人。"
) -> httpx.Response:
    someone = who or world.one(Role.BIDDER)
    signed = world.signed(someone, "document_objection", section=world.section, text=text)  # type: ignore[attr-defined]
    path = f"/sections/{world.section}/objections"  # type: ignore[attr-defined]
    return world.call("POST", path, signed, someone)


def settle(world: World, id_: str, **changes: Any) -> httpx.Response:
    said = {
        "section": world.section,
        "objection": id_,
        "text": "业绩要求已修改。",
        "addendum": 0,
    }  # type: ignore[attr-defined]
    who = world.one(Role.TENDERER)
    signed = world.signed(who, "objection_answer", **(said | changes))
    path = f"/sections/{world.section}/objections/{id_}/answer"  # type: ignore[attr-defined]
    return world.call("POST", path, signed, who)


@pytest.mark.both_databases
def test_an_objection_holds_until_it_is_answered_and_names_nobody_before_t(world: World) -> None:
    taken = object_(world)
    assert taken.status_code == 201, taken.text
    assert taken.json()["holds"] is True
    assert public(world)["held"] is True
    assert object_(world).status_code == 409  # one at a time
    watchers = [None, world.one(Role.OPERATOR), world.one(Role.SUPERVISOR), world.one(Role.TENDERER), world.one(Role.AUDITOR)]  # fmt: skip
    views = [public(world, who) for who in watchers]
    assert all(view == views[0] for view in views)
    assert views[0]["objections"][0]["organisation"] == ""
    assert settle(world, taken.json()["objection"], objection="obj_x").status_code == 422
    assert settle(world, "obj_unknown").status_code == 404
    assert settle(world, taken.json()["objection"]).status_code == 204
    assert settle(world, taken.json()["objection"]).status_code == 409
    assert public(world)["held"] is False
    world.clock.set(world.service.section(world.section).deadline)  # type: ignore[attr-defined]
    assert public(world)["objections"][0]["organisation"] == ""
    assert public(world, world.one(Role.SUPERVISOR))["objections"][0]["organisation"] == ASKER
    world.restart()
    assert not world.service.state.announcement(world.section).held  # type: ignore[attr-defined]


def test_an_objection_is_taken_in_its_time_and_names_no_author(world: World) -> None:
    assert object_(world, text=f"{ASKER}认为不妥").status_code == 409
    assert object_(world, text="").status_code == 422
    end = public(world)["objections_end"]
    world.clock.set(end)
    late = object_(world)
    assert late.status_code == 410, late.text
    assert "22" in late.json()["rule"]


def test_a_stolen_session_alone_objects_to_nothing(world: World) -> None:
    other = world.hire(Role.BIDDER, code_for_tests(3), "投标单位3")
    signed = world.signed(other, "document_objection", section=world.section, text="不妥")  # type: ignore[attr-defined]
    path = f"/sections/{world.section}/objections"  # type: ignore[attr-defined]
    assert world.call("POST", path, signed, world.one(Role.BIDDER)).status_code == 401
