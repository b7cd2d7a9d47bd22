"""Falling ladders in words: what is too low on a rising ladder is too high here, and everybody is told so."""

import asyncio
import json
from pathlib import Path
from typing import Any

from auction.record import transcript_facts
from documents import words
from tests.auction.stage import LISTING_RULES, Stage
from tests.auction.test_record import HEADING
from tests.places import REPOSITORY

CATALOGUE = json.loads((REPOSITORY / "clients/web/i18n/catalogue.json").read_text("utf-8"))
DOWN: dict[str, Any] = {**LISTING_RULES, "direction": "down", "price_cap": "50"}
ITEM = {
    "kind": "second_item", "name": "竞低容积率", "direction": "down", "start": "3.50", "increment": "0.10",
    "limit": "1.00", "unit": "",
}  # fmt: skip


def played(
    home: Path, rules: dict[str, Any], amounts: tuple[str, ...]
) -> tuple[Any, dict[str, str]]:
    """The hall after some offers, and the lines of the transcript by their names."""

    async def run() -> tuple[Any, dict[str, str]]:
        stage = await Stage(home).start()
        lot, desks = await stage.listed(rules)
        for turn, amount in enumerate(amounts):
            await desks[turn % 3].bid(amount)
        hall = stage.hall(lot)
        await stage.at(900_000)
        await stage.at(1_900_000)
        lines = transcript_facts(stage.service.rows(lot), HEADING).rules
        await stage.stop()
        return hall, {one.name: one.value for one in lines}

    return asyncio.run(run())


def test_a_falling_price_has_a_floor_and_steps_down(tmp_path: Path) -> None:
    hall, lines = played(tmp_path, DOWN, ("110", "100", "95", "49.99"))
    assert [(o["amount"], o["code"], o["down"]) for o in hall["offers"]] == [
        ("110", "BELOW_MIN_NEXT", True), ("100", None, True), ("95", "BELOW_MIN_NEXT", True),
        ("49.99", "ABOVE_CAP", True),
    ]  # fmt: skip
    assert (hall["direction"], hall["price_direction"]) == ("down", "down")
    assert lines["竞价方向"] == "价低者得"
    assert (lines["降价幅度"], lines["最低限价"]) == ("10.00 万元", "50.00 万元")
    assert not {"增价幅度", "最高限价"} & lines.keys()


def test_a_falling_second_item_on_a_rising_price_is_told_apart(tmp_path: Path) -> None:
    rules = {**LISTING_RULES, "price_cap": "200", "on_cap": ITEM}
    hall, lines = played(tmp_path, rules, ("90", "200", "3.60", "3.50", "3.45", "0.99"))
    told = [
        (o["amount"], o["code"], o.get("second", False), o.get("down", False))
        for o in hall["offers"]
    ]
    assert told == [
        ("90", "BELOW_MIN_NEXT", False, False), ("200", None, False, False), ("3.60", "BELOW_MIN_NEXT", True, True),
        ("3.50", None, True, True), ("3.45", "BELOW_MIN_NEXT", True, True), ("0.99", "ABOVE_CAP", True, True),
    ]  # fmt: skip
    assert (hall["direction"], hall["price_direction"]) == ("down", "up")
    assert lines["限价后"] == "竞低容积率：自 3.50 起逐次降低，降幅 0.10，下限 1.00"
    assert (lines["增价幅度"], lines["最高限价"]) == ("10.00 万元", "200.00 万元")


def test_every_word_that_names_a_direction_has_its_mirror() -> None:
    """Pages choose by direction; paper, where one line serves both, names none."""
    for code in ("BELOW_MIN_NEXT", "ABOVE_CAP", "NOT_MULTIPLE"):
        up, down = CATALOGUE[f"offer.{code}"][0], CATALOGUE[f"offer.{code}_down"][0]
        assert up != down
        assert not set("低高增降") & set(words.RESULT[code])
    for key in ("auction.step", "auction.cap", "auction.limit", "auction.next", "auction.next_why", "auction.price_stands"):  # fmt: skip
        assert CATALOGUE[key] != CATALOGUE[f"{key}_down"]
