"""The hall's page while people talk, a bidder is muted, the opening is paused with a date, and an objection has a file."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import expect, sync_playwright

from tests.acceptance.opening.test_hall import mute, reconvene, say, upload
from tests.acceptance.opening.test_scenarios import now, object_
from tests.web.site import CHROMIUM, Rooms, opening
from trading.model import Role

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")
WAIT = 60_000  # ms; the cores are shared


def unlocked(rooms: Rooms) -> None:
    rooms.until(rooms.deadline + 20)
    rooms.cosign()
    for name in ("custodian-1", "custodian-3"):
        assert rooms.release(name).json()["status"] == "answered"
    assert say(rooms, rooms.one(Role.OPERATOR), "各位投标人好").status_code == 201  # type: ignore[arg-type]
    assert say(rooms, rooms.bidders["投标单位1"].who, "<b>收到</b>").status_code == 201  # type: ignore[arg-type]
    assert mute(rooms, "").status_code == 201  # type: ignore[arg-type]


def paused(rooms: Rooms) -> None:
    supervisor = rooms.one(Role.SUPERVISOR)
    signed = rooms.signed(supervisor, "suspension", target=rooms.section, reason="网络核查")
    assert rooms.call("POST", "/suspensions", signed, supervisor).status_code < 300
    rooms.runner.run(rooms.settle())
    date = (rooms.clock.now() // 1000 + 20) * 1000
    assert reconvene(rooms, date).status_code == 201  # type: ignore[arg-type]


def objected(rooms: Rooms) -> None:
    body = {"target": rooms.section, "reason": "已核查"}
    proposed = rooms.propose(rooms.one(Role.OPERATOR), "target.resume", body).json()
    assert rooms.confirm(rooms.one(Role.SUPERVISOR), proposed).status_code == 200
    rooms.until(rooms.clock.now() + 21_000)
    whole: Any = rooms
    assert now(whole, "read_all").status_code == 200
    assert now(whole, "confirm").status_code == 200
    bidder = rooms.bidders["投标单位2"]
    file = upload(whole, bidder.who, b"%PDF")
    assert object_(whole, bidder, "请核对大小写", (file,)).status_code == 201


def test_talk_mutes_a_date_and_files_are_shown(tmp_path: Path) -> None:
    with opening(tmp_path / "home") as (rooms, site), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        page = browser.new_page(
            viewport={"width": 390, "height": 844}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        said: list[str] = []
        page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
        page.goto(f"{site.base}/open/{rooms.section}")
        expect(page.locator(".steps")).to_be_visible(timeout=WAIT)
        expect(page.locator(".talk")).to_have_count(
            0
        )  # before the bidders are published nobody talks
        rooms.turns.do(lambda: unlocked(rooms))
        talk = page.locator(".talk")
        expect(talk).to_contain_text("各位投标人好", timeout=WAIT)
        expect(talk).to_contain_text("<b>收到</b>")  # text, never markup
        expect(talk).to_contain_text("已对全体投标人禁言")
        expect(page.locator(".feed")).not_to_contain_text("各位投标人好")
        rooms.turns.do(lambda: paused(rooms))
        expect(page.locator(".note")).to_contain_text("中止原因：网络核查", timeout=WAIT)
        expect(page.locator(".note")).to_contain_text("复会")
        expect(page.locator(".big").nth(2)).to_contain_text("距复会")
        rooms.turns.do(lambda: objected(rooms))
        expect(page.locator(".reading .said")).to_contain_text("依据.pdf", timeout=WAIT)
        wide, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide == window
        assert said == []
        browser.close()
