"""The page of a section before its opening, in a real Chromium: clean at every width, and a key of one's own speaks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Browser, sync_playwright

from tests.bidding.amending import moved
from tests.bidding.test_clarifications import attach, objected
from tests.web.site import CHROMIUM, Rooms, Site, Turns
from tests.web.test_pages import WAIT, WIDTHS, look, shows
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")

QUESTION = "抗渗等级是多少？<b>x</b>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM)
        yield made
        made.close()


@pytest.fixture(scope="module")
def announced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rooms, Site]]:
    """A section with an addendum that moved T, a document, and an objection that waits."""
    turns = Turns()
    home = tmp_path_factory.mktemp("announced") / "home"
    rooms: Rooms = turns.do(lambda: Rooms(home, turns, centre_name="岐江市公共资源交易中心"))
    site = Site(turns)

    def prepare() -> None:
        rooms.first_people()
        rooms.set_up(minimum=3)
        rooms.hand_in(2, "46382715.40")
        document = attach(rooms, b"x" * 4000, rooms.one(Role.TENDERER), "图纸（修订）.pdf").json()
        assert moved(rooms, 3_600_000, documents=[document["document"]]).status_code == 200
        objected(rooms, rooms.bidder(1).who)
        rooms.awaited(lambda: rooms.service.state.announcement(rooms.section).on_paper >= 2)

    try:
        turns.do(prepare)
        yield rooms, site.serve(rooms.served)
    finally:
        site.stop()
        turns.do(rooms.close)
        turns.end()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_clean_at_every_width_in_both_languages(
    announced: tuple[Rooms, Site], browser: Browser, width: int
) -> None:
    rooms, site = announced
    words = [("", "异议尚未答复", "截止时间顺延")]
    if width == min(WIDTHS):  # the longer words where they have least room
        words.append(("?lang=en", "waits for its answer", "Deadline moved"))
    for suffix, held, moved_ in words:
        seen = look(browser, f"{site.base}/section/{rooms.section}{suffix}", width)
        shows(seen.page, ".notice-bar", held)
        shows(seen.page, ".versions", moved_)
        shows(seen.page, "#desk", "PEM")
        seen.clean()
        seen.page.context.close()


def test_documents_and_both_notices_are_had_without_scripts(
    announced: tuple[Rooms, Site], browser: Browser
) -> None:
    rooms, site = announced
    page = look(browser, site.base, java_script_enabled=False).page
    page.locator("a", has_text="招标文件与答疑").click()
    assert page.locator(".versions a", has_text="签章公告").count() == 2
    with page.expect_download() as download:
        page.locator("td a", has_text="下载").click()
    assert Path(download.value.path()).read_bytes() == b"x" * 4000
    assert rooms.section in page.url
    page.context.close()


def test_a_bidder_sees_its_own_bid_overtaken_and_fetches_its_receipt(
    announced: tuple[Rooms, Site], browser: Browser, tmp_path: Path
) -> None:
    rooms, site = announced
    bidder = rooms.bidder(2)
    act = bidder.receipts[-1]["statement"]["entry"]["id"]
    (tmp_path / "own.pem").write_text(bidder.who.key.to_pem(), "utf-8")
    seen = look(browser, f"{site.base}/section/{rooms.section}")
    page = seen.page
    page.set_input_files("#desk input[type=file]", str(tmp_path / "own.pem"))
    shows(page, "#desk .chip.ok", "有效")
    shows(page, "#desk .chip.warn", "已有新版")
    for name in ("回执 JSON", "回执 PDF"):
        with page.expect_download() as download:
            page.locator("#desk button", has_text=name).click()
        content = Path(download.value.path()).read_bytes()
        assert act.encode() in content if "JSON" in name else content.startswith(b"%PDF")
    seen.clean()
    page.context.close()


def test_a_bidder_asks_and_the_tenderer_answers_with_keys_of_their_own(
    announced: tuple[Rooms, Site], browser: Browser, tmp_path: Path
) -> None:
    rooms, site = announced
    keys = {"bidder": rooms.bidder(1).who.key, "tenderer": rooms.one(Role.TENDERER).key}
    for name, key in keys.items():
        (tmp_path / f"{name}.pem").write_text(key.to_pem(), "utf-8")
    (tmp_path / "none.pem").write_text("-----BEGIN NOTHING-----", "utf-8")
    seen = look(browser, f"{site.base}/section/{rooms.section}")
    page = seen.page
    page.set_input_files("#desk input[type=file]", str(tmp_path / "none.pem"))
    shows(page, "#desk output.bad", "PEM")
    page.set_input_files("#desk input[type=file]", str(tmp_path / "bidder.pem"))
    shows(page, "#desk output.ok", "投标人")
    page.locator("#desk textarea").first.fill(QUESTION)
    page.locator("#desk form button").first.click()
    shows(page, "#desk form output.ok", "已受理")
    page.locator("#desk textarea").first.fill("我们投标单位1想问")
    page.locator("#desk form button").first.click()
    shows(page, "#desk form output.bad", "招标投标法 22")
    page.set_input_files("#desk input[type=file]", str(tmp_path / "tenderer.pem"))
    shows(page, "#desk .asked", QUESTION)
    for answer in ("P8。", "已修改。"):
        place = page.locator("#desk form", has=page.locator("textarea")).filter(
            has_text="答复提问" if answer == "P8。" else "答复异议"
        )
        place.locator("textarea").fill(answer)
        place.locator("button").click()
        place.locator("output.ok").wait_for(timeout=WAIT)
    page.reload()
    shows(page, ".talk", QUESTION)
    assert page.locator(".notice-bar").count() == 0
    assert page.evaluate("violations") == []
    page.context.close()
