"""Forced re-dating over HTTP under the RuleSets of the law: W9, and every instant around it."""

from __future__ import annotations

from datetime import date, time
from typing import TYPE_CHECKING, Any

import pytest

from tests.trading import world as worlds
from tests.trading.world import World
from trading.model import Role
from trading.rules.counting import DAY_MS, instant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NINE = time(9)
DEADLINE = instant(date(2026, 10, 12), NINE)
LAWFUL = instant(date(2026, 10, 13), NINE)


@pytest.fixture(params=["works", "procurement"])
def world(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: str
) -> Iterator[World]:
    """A section announced on 1 September 2026 with T on Mon 10-12 09:00, under the law's own periods."""
    start = instant(date(2026, 9, 1), NINE)
    monkeypatch.setattr(worlds, "START", start)
    with World(tmp_path / "home", ruleset="全国") as made:
        made.first_people()
        form = made.tender_form(deadline=DEADLINE)
        form |= {"regime": request.param, "documents_to": start + 10 * DAY_MS}
        created = made.carry("tender.create", form)
        made.section = created["sections"][0]  # type: ignore[attr-defined]
        made.key_up(created["sections"][0])
        made.carry("tender.publish", {"tender": created["tender"]})
        yield made


def amend(world: World, at: int, deadline: int | None, **changes: Any) -> Any:
    """Propose the addendum of W9 at an instant; its answer."""
    world.clock.set(at)
    for role in (Role.TENDERER, Role.REVIEWER):
        assert world.login(world.one(role)).status_code == 201
    body = {
        "section": world.section,  # type: ignore[attr-defined]
        "title": "第一号补遗", "text": "更换图纸。", "affects_bids": True, "deadline": deadline, **changes,
    }  # fmt: skip
    proposed = world.propose(world.one(Role.TENDERER), "section.amend", body)
    if proposed.status_code != 201:
        return proposed
    return world.confirm(world.one(Role.REVIEWER), proposed.json())


def test_w9_a_change_fourteen_days_before_is_refused_without_a_new_deadline(world: World) -> None:
    issued = instant(date(2026, 9, 28), NINE)
    for deadline in (None, LAWFUL - 1000):
        refused = amend(world, issued, deadline)
        assert refused.status_code == 409
        (violation,) = refused.json()["violations"]
        assert violation["lawful"] == "not before 2026-10-13T01:00:00.000Z"  # Tue 09:00 北京时间
        assert "23" in violation["article"] or "27" in violation["article"]
    done = amend(world, issued, LAWFUL)
    assert done.status_code == 200, done.text
    section = world.service.section(world.section)  # type: ignore[attr-defined]
    assert section.deadline == LAWFUL
    assert world.service.state.announcement(section.id).version == 2


def test_fifteen_days_before_it_needs_none_and_a_millisecond_later_it_does(world: World) -> None:
    exact = DEADLINE - 15 * DAY_MS
    assert amend(world, exact, None).status_code == 200
    assert amend(world, exact + 1, None).status_code == 409
    assert amend(world, exact + 1, None, affects_bids=False).status_code == 200


def test_the_deadline_never_comes_earlier(world: World) -> None:
    early = instant(date(2026, 9, 10), NINE)
    refused = amend(world, early, DEADLINE - 1000)
    assert refused.status_code == 409
    world.restart()
    assert world.service.section(world.section).deadline == DEADLINE  # type: ignore[attr-defined]
