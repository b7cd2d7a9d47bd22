"""Every page in a real Chromium: nothing violates the policy, nothing overflows, and a hall never guesses what it missed."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Browser, Page, expect, sync_playwright

from crypto.tlog.evidence import Evidence
from tests.auction.stage import LISTING_RULES
from tests.bidding.test_two_histories import bring, forged
from tests.web.site import CHROMIUM, Rooms, Site, auction, free_port, opening
from trading.ground.http import HEADERS

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = (390, 1366, 1920)
WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective + " " + e.blockedURI));
"""
WAIT = 60_000  # ms; the cores are shared


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM)
        yield made
        made.close()


@dataclass
class Seen:
    """An open page and what its console said."""

    page: Page
    said: list[str] = field(default_factory=list)

    def clean(self) -> None:
        """No violation, no error, and nothing wider than the window."""
        assert self.page.evaluate("violations") == []
        assert self.said == []
        wide, window = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide == window, self.page.url


def look(browser: Browser, address: str, width: int = 1366, **more: Any) -> Seen:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai", **more
    )  # fmt: skip
    seen = Seen(context.new_page())
    seen.page.set_default_timeout(WAIT)
    seen.page.add_init_script(WATCH)
    seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
    seen.page.on(
        "console", lambda m: seen.said.append(m.text) if m.type in {"error", "warning"} else None
    )
    seen.page.goto(address)
    return seen


def shows(page: Page, place: str, text: str) -> None:
    expect(page.locator(place).first).to_contain_text(text, timeout=WAIT)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rooms, Site]]:
    """An opening that is over: record signed, dossier filed."""
    with opening(tmp_path_factory.mktemp("ended") / "home") as (rooms, site):
        site.turns.do(rooms.sealed)
        site.turns.do(rooms.filed)
        yield rooms, site


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_an_ended_opening_are_clean_at_every_width(
    ended: tuple[Rooms, Site], browser: Browser, width: int, language: str
) -> None:
    rooms, site = ended
    suffix = "" if language == "zh" else "?lang=en"
    for path, place, words in (
        ("/", "h2#tenders", ("招标与开标", "Tenders and openings")),
        ("/records", "h1", ("记录与核验", "Records and checks")),
        ("/custody", "h1", ("密钥托管人值守", "Custodians on duty")),
        (f"/open/{rooms.section}", ".slip", ("开标记录表", "Opening record")),
    ):
        seen = look(browser, site.base + path + suffix, width)
        shows(seen.page, place, words[language == "en"])
        seen.clean()
        assert seen.page.locator("html").get_attribute("lang") == ("zh-CN", "en")[language == "en"]
        seen.page.context.close()


def test_an_ended_opening_shows_what_came_of_each_bid_with_icon_and_word(
    ended: tuple[Rooms, Site], browser: Browser
) -> None:
    rooms, site = ended
    page = look(browser, f"{site.base}/open/{rooms.section}", 1920).page
    shows(page, ".reading tbody", "46,382,715.40")
    shows(page, ".reading tbody .chip", "✓已解密")
    shows(page, ".board", "应答错误")
    shows(page, ".slip", "归档包")
    record = page.locator(".slip a", has_text="开标记录表").get_attribute("href")
    answer = httpx.get(site.base + str(record))
    assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")
    page.context.close()


def test_the_portal_says_how_far_an_opening_is_and_what_was_signed(
    ended: tuple[Rooms, Site], browser: Browser
) -> None:
    _, site = ended
    page = look(browser, site.base).page
    shows(page, "table .chip", "开标完成")
    shows(page, ".papers", "开标记录表")
    page.context.close()


def test_portal_and_records_work_without_scripts(
    ended: tuple[Rooms, Site], browser: Browser
) -> None:
    rooms, site = ended
    page = look(browser, site.base, java_script_enabled=False).page
    shows(page, "table", "查看开标结果")
    page.goto(site.base + "/records")
    with page.expect_download() as download:
        page.locator("td a", has_text="PDF").first.click()
    assert Path(download.value.path()).read_bytes()[:5] == b"%PDF-"
    hall = httpx.get(f"{site.base}/open/{rooms.section}").text
    assert "<noscript>" in hall
    assert "实时大厅需要浏览器脚本" in hall
    page.context.close()


def test_strict_headers_stand_on_every_page_and_refusal(ended: tuple[Rooms, Site]) -> None:
    rooms, site = ended
    for path, status in (
        ("/", 200), ("/records", 200), ("/custody", 200), (f"/open/{rooms.section}", 200), ("/open/nothing", 404),
        ("/static/js/hall.js", 200), ("/static/js/nothing.js", 404), ("/i18n/en.json", 200), ("/i18n/fr.json", 404),
    ):  # fmt: skip
        answer = httpx.get(site.base + path)
        assert answer.status_code == status, path
        for name, value in HEADERS:
            if name != b"cache-control":
                assert answer.headers[name.decode()] == value.decode(), path


def test_the_board_shows_a_silent_custodian_red_and_two_histories_to_everybody(
    tmp_path: Path, browser: Browser
) -> None:
    with opening(tmp_path / "home") as (rooms, site):
        site.turns.do(lambda: rooms.cosign("custodian-1"))
        seen = look(browser, site.base + "/custody", 390)
        shows(seen.page, "tbody tr:nth-child(1) .chip.ok", "在线")
        shows(seen.page, "tbody tr:nth-child(2) .chip.bad", "失联")
        shows(seen.page, "h2 + p .chip.bad", "在线托管人不足")
        assert "两份历史" not in seen.page.content()
        value = site.turns.do(lambda: two_histories(rooms)).to_json()
        assert site.turns.do(lambda: bring(rooms, value)).status_code == 201
        seen.page.reload()
        shows(seen.page, "h2 .chip.bad", "两份历史")
        shows(seen.page, "main", rooms.ground.ledger.origin)
        seen.clean()
        seen.page.context.close()


def two_histories(rooms: Rooms) -> Evidence:
    ledger = rooms.ground.ledger
    return Evidence(ledger.vkey, ledger.checkpoint(), forged(rooms))


def test_an_unknown_opening_is_a_page_that_says_so(
    ended: tuple[Rooms, Site], browser: Browser
) -> None:
    page = look(browser, ended[1].base + "/open/nothing", 390).page
    shows(page, "h1", "没有该标段")
    shows(page, "main", "section-unknown")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.context.close()


def test_a_printed_hall_is_ink_on_paper(ended: tuple[Rooms, Site], browser: Browser) -> None:
    rooms, site = ended
    page = look(browser, f"{site.base}/open/{rooms.section}").page
    shows(page, ".reading", "序号")
    tone = "(({ backgroundColor, color }) => [backgroundColor, color])(getComputedStyle(document.body))"
    assert page.evaluate(tone) == ["rgb(11, 22, 34)", "rgb(242, 245, 248)"]
    page.emulate_media(media="print")
    assert page.evaluate(tone) == ["rgb(255, 255, 255)", "rgb(27, 36, 48)"]
    page.context.close()


def test_the_checks_would_see_a_violation_and_an_overflow(
    ended: tuple[Rooms, Site], browser: Browser
) -> None:
    seen = look(browser, ended[1].base)
    shows(seen.page, "h2#tenders", "招标与开标")
    seen.page.evaluate("document.body.setAttribute('style', 'color: red')")
    with pytest.raises(AssertionError):
        seen.clean()
    assert seen.page.evaluate("violations") != []
    seen.page.evaluate(
        "violations.length = 0; document.querySelector('main').style.minWidth = '3000px'"
    )
    seen.said.clear()
    with pytest.raises(AssertionError):
        seen.clean()
    seen.page.context.close()


def test_a_live_opening_hall_follows_without_reload_fills_a_gap_and_outlives_a_restart(
    tmp_path: Path, browser: Browser
) -> None:
    with opening(tmp_path / "home") as (rooms, site):
        do = site.turns.do
        seen = look(browser, f"{site.base}/open/{rooms.section}", 1920)
        page = seen.page
        shows(page, ".big", "保密")
        shows(page, "[data-connection]", "已连接")
        assert page.locator(".reading").count() == 0
        shows(page, ".board .chip.bad", "失联")  # nobody has cosigned, T is a minute away
        page.evaluate("window.marked = true")
        seen.clean()

        do(lambda: rooms.until(rooms.deadline + 20))  # deltas: closed, published, unlocking
        shows(page, ".reading tbody", "密封")
        shows(page, ".steps .now", "解锁与解密")
        do(rooms.cosign)
        assert do(lambda: rooms.release("custodian-1")).status_code < 300
        shows(page, ".board", "已应答")

        topic = rooms.ground.hub._topics[f"opening:{rooms.section}"]
        do(lambda: setattr(topic, "seq", topic.seq + 1))  # a delta that this page never gets
        assert do(lambda: rooms.release("custodian-3")).status_code < 300
        shows(page, ".steps .now", "唱标")
        do(lambda: rooms.pace("read_next"))
        shows(page, ".reading tbody", "46,382,715.40")
        assert seen.said == []

        site.stop()
        shows(page, ".banner", "连接中断")
        shows(page, "[data-connection]", "重连中")
        do(rooms.restart)
        assert do(lambda: rooms.pace("read_all")).status_code == 200
        site.serve(rooms.served)
        shows(page, ".reading tbody", "45,998,800.88")
        shows(page, ".banner.good", "连接已恢复")
        shows(page, "[data-connection]", "已连接")
        assert page.evaluate("window.marked")
        assert page.evaluate("violations") == []
        page.context.close()


def test_a_live_auction_hall_follows_offers_to_the_result(tmp_path: Path, browser: Browser) -> None:
    with auction(tmp_path) as (house, site, desks):

        def run(work: Any) -> Any:
            return site.turns.do(lambda: site.turns.runner.run(work))

        seen = look(browser, f"{site.base}/auction/ses_1", 1920)
        page = seen.page
        shows(page, ".steps .now", "限时竞价")
        shows(page, ".standing", "未报价")
        for number, amount in ((0, "20"), (1, "20"), (2, "20"), (2, "30")):
            run(desks[number].bid(amount))
        shows(page, ".big .value", "20.00")
        shows(page, ".offers .chip.bad", "低于最低有效报价")
        run(desks[2].bid("40"))
        shows(page, ".big .value", "40.00")
        shows(page, ".standing", "（1,200 + 40）× 1,000 ㎡")
        shows(page, ".ladder", "L3")
        run(desks[0].bid("10"))
        shows(page, ".ladder", "×↓")  # beyond the scale: said, never drawn as another amount
        run(house.later(100_000))
        run(house.paper.idle())
        shows(page, ".note", "已结束")
        shows(page, ".standing", "未成交")
        shows(page, ".slip", "成交确认书")
        seen.clean()
        for width, suffix in ((390, ""), (1366, "?lang=en")):
            other = look(browser, f"{site.base}/auction/ses_1{suffix}", width)
            shows(other.page, ".slip", "成交确认书" if not suffix else "Deal confirmation")
            other.clean()
            other.page.context.close()
        missing = look(browser, f"{site.base}/auction/nothing", 390)
        assert missing.page.locator("h1").text_content()
        assert httpx.get(f"{site.base}/auction/nothing").status_code == 404
        page.context.close()


def test_after_the_cap_a_hall_shows_the_second_item_and_who_goes_on(
    tmp_path: Path, browser: Browser
) -> None:
    cap = {**LISTING_RULES, "price_cap": "200"}
    item = {"kind": "second_item", "name": "竞低容积率", "direction": "down", "start": "3.50", "increment": "0.10"}  # fmt: skip
    with auction(tmp_path / "item", {**cap, "on_cap": item}) as (_, site, desks):
        page = look(browser, f"{site.base}/auction/lot_0", 390)
        for desk, amount in zip(desks, ("200", "3.50", "3.30"), strict=True):
            site.turns.do(lambda desk=desk, amount=amount: site.turns.runner.run(desk.bid(amount)))
        shows(page.page, ".bigs", "竞低容积率：当前最优")
        shows(page.page, ".bigs", "价格停在最高限价 200.00 万元")
        shows(page.page, ".bigs", "下一有效报价不高于")
        shows(page.page, ".bigs", "降幅 0.10")
        shows(page.page, ".standing", "领先")
        site.turns.do(lambda: site.turns.runner.run(desks[0].bid("3.25")))
        shows(page.page, ".offers .chip.bad", "高于最高有效报价")
        expect(page.page.locator("svg.ladder circle")).to_have_count(2)  # of this ladder alone
        page.clean()
        page.page.context.close()
    once = {"kind": "one_shot", "wait_s": 0, "ask_s": 60, "quote_s": 60}
    with auction(tmp_path / "once", {**cap, "on_cap": once}) as (house, site, desks):

        def run(work: Any) -> Any:
            return site.turns.do(lambda: site.turns.runner.run(work))

        page = look(browser, f"{site.base}/auction/lot_0", 1366)
        run(desks[0].bid("200"))
        for desk in desks[1:]:
            run(desk.bid(None, do="join"))
        run(house.at(70_000))
        run(desks[1].bid("210", do="quote"))
        shows(page.page, ".bigs", "已报 1 份，结束前不公开")
        paddles = "|".join(desk.paddle for desk in desks)  # which may hold the same digits
        assert "210" not in re.sub(paddles, "", page.page.text_content("main") or "")
        page.clean()
        page.page.context.close()


def test_the_hall_says_the_right_of_first_refusal_with_its_window(
    tmp_path: Path, browser: Browser
) -> None:
    named = [{"lot": "L1", "organisation": "org_2"}]
    rules = {**LISTING_RULES, "preemption": {"window_s": 120, "holders": named}}
    with auction(tmp_path, rules) as (house, site, desks):

        def run(work: Any) -> Any:
            return site.turns.do(lambda: site.turns.runner.run(work))

        page = look(browser, f"{site.base}/auction/lot_0", 390)
        run(desks[0].bid("100"))
        shows(page.page, ".bigs", "设有优先购买权，行使期 120 秒")
        run(house.at(80_000))
        shows(page.page, ".steps .now", "行使优先购买权")
        shows(page.page, ".bigs", "行使优先购买权 · 剩余时间")
        shows(page.page, ".bigs", "公告载明的优先购买权人：" + desks[2].bidder.name)
        expect(page.page.locator(".big .value").nth(2)).to_contain_text("100.00")
        run(desks[2].bid(None, do="match"))
        shows(page.page, ".bigs", f"优先购买权人：{desks[2].paddle} 号牌")
        shows(page.page, ".standing", desks[2].bidder.name)
        page.clean()
        page.page.context.close()


def test_a_fresh_centre_from_the_front_door_shows_empty_pages(
    tmp_path: Path, browser: Browser
) -> None:
    port = free_port()
    arguments = [sys.executable, "main.py", "serve", "--home", str(tmp_path / "home"), "--port", str(port)]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(arguments, cwd=ROOT, stdout=log, stderr=log, env={**os.environ})
    try:
        base = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 90
        while True:
            try:
                if httpx.get(f"{base}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                assert time.monotonic() < end, (tmp_path / "log").read_text("utf-8")
                time.sleep(0.1)
        for path, words in (("/", "目前没有公告中的项目"), ("/records", "还没有签署的记录")):
            seen = look(browser, base + path, 390)
            shows(seen.page, "main", words)
            seen.clean()
            seen.page.context.close()
        # Nothing at an address: words for a person, JSON for a program.
        lost = look(browser, base + "/opne/sec_x", 390).page
        shows(lost, "h1", "没有这个地址")
        shows(lost, "main a.first", "项目与竞价")
        lost.goto(base + "/opne/sec_x?lang=en")
        shows(lost, "h1", "There is nothing at this address.")
        assert httpx.get(f"{base}/opne/sec_x").json()["type"] == "urn:kaibiao:problem:not-found"
        lost.context.close()
    finally:
        process.terminate()
        process.wait(10)
