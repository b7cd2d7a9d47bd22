"""Bidders come before whoever looks on: their answer, then the hall for their desks, then the watchers (A8)."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from auction.hall import Hall
from tests.auction.played import play
from tests.auction.stage import LISTING_RULES, QUOTA_RULES, Desk, Stage

WATCHERS = 30


class Watcher:
    """A line of the hub that notes when a frame reaches it."""

    def __init__(self, order: list[str]) -> None:
        self.order, self.frames = order, 0
        self.topic: Any = None
        self.seq = self.turn = 0
        self.slow_since: int | None = None
        self.gone = False

    def write(self, _message: bytes) -> None:
        self.frames += 1
        self.order.append("watcher")

    def pass_on(self, framed: bytes, /) -> bool:
        self.write(framed)
        return True

    def bring(self, messages: Any, seq: int, /) -> None:
        for message in messages:
            self.write(message)
        self.seq, self.slow_since = seq, None

    def beat(self) -> None: ...

    def congested(self) -> bool:
        return False

    hopeless = congested

    async def end(self, code: int, reason: str) -> None: ...

    def abort(self, code: int) -> None: ...

    def stop(self) -> None: ...


async def attended(stage: Stage, lot: str, order: list[str]) -> list[Any]:
    """Watchers of the hall, who note when a frame reaches them."""
    topic = stage.hub._topic(f"lot:{lot}")
    watchers = [Watcher(order) for _ in range(WATCHERS)]
    for watcher in watchers:
        stage.hub._begin(topic, watcher, None)
    order.clear()
    return watchers


def noting(desk: Desk, name: str, order: list[str]) -> None:
    """Note what a desk is told, beside keeping it."""
    keep = desk.desk._send

    def note(message: bytes) -> None:
        order.append(f"{name} {json.loads(message)['type']}")
        keep(message)

    desk.desk._send = note


async def delivered(stage: Stage, watchers: list[Any], frames: int) -> None:
    """Wait until every watcher has so many frames."""
    async with asyncio.timeout(60):
        while any(watcher.frames < frames for watcher in watchers):  # noqa: ASYNC110 (no event of theirs)
            await asyncio.sleep(0)


def offered(act: Callable[[Stage, str, list[Desk], list[str], list[Any]], Awaitable[None]]) -> Any:
    """A lot with three bidders, of whom the second follows, and thirty watchers who came before it."""

    async def run(stage: Stage) -> None:
        lot, desks = await stage.listed(LISTING_RULES)
        stage.hall(lot)
        stage.halls[lot]._quiet_from = 0.0
        order: list[str] = []
        watchers = await attended(stage, lot, order)
        for name, desk in zip(("first", "second", "third"), desks, strict=True):
            noting(desk, name, order)
        desks[1].say(json.dumps({"type": "follow"}))
        assert order == ["second hall"]
        await act(stage, lot, desks, order, watchers)

    return run


def test_an_answer_goes_before_the_desks_and_these_before_every_watcher(tmp_path: Path) -> None:
    async def act(
        stage: Stage, lot: str, desks: list[Desk], order: list[str], watchers: list[Any]
    ) -> None:
        seen = watchers[0].frames
        order.clear()
        assert (await desks[0].bid("100"))["ok"]
        await delivered(stage, watchers, seen + 1)
        assert order == ["first answer", "second hall", *["watcher"] * WATCHERS]
        told = desks[1].got[-1]
        assert (told["best"], told["leader"], told["next"]) == ("100.00", desks[0].paddle, "110.00")
        order.clear()
        stage.halls[lot]._quiet_from = 0.0
        await desks[1].bid("110")  # one's own answer before one's own frame, too
        await delivered(stage, watchers, seen + 2)
        assert order == ["second answer", "second hall", *["watcher"] * WATCHERS]

    play(tmp_path, offered(act))


def test_control_a_hall_that_serves_watchers_first_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Hall._publish

    def late(self: Hall) -> None:
        desks = self._desks()
        self._desks = list
        real(self)
        for desk in desks:
            self._loop.call_later(0.05, desk.look, self.state)
        self._desks = lambda: desks

    async def act(
        stage: Stage, lot: str, desks: list[Desk], order: list[str], watchers: list[Any]
    ) -> None:
        monkeypatch.setattr(Hall, "_publish", late)
        seen = watchers[0].frames
        order.clear()
        assert (await desks[0].bid("100"))["ok"]
        await delivered(stage, watchers, seen + 1)
        assert order[:2] != ["first answer", "second hall"]

    play(tmp_path, offered(act))


def test_a_desk_that_does_not_follow_is_told_its_own_answers_alone(tmp_path: Path) -> None:
    async def act(
        stage: Stage, lot: str, desks: list[Desk], order: list[str], watchers: list[Any]
    ) -> None:
        assert (await desks[0].bid("100"))["ok"]
        await stage.at(20_000)
        assert not [one for one in order if one.startswith("third")]

    play(tmp_path, offered(act))


def test_who_follows_is_told_its_own_next_offer_at_every_publication(tmp_path: Path) -> None:
    """Under quota each holder's is another, and what stays closed stays closed here too."""

    async def act(stage: Stage) -> None:
        rules = {**QUOTA_RULES, "quota": {"slots": 2, "raise_base": "own_high"}}
        session, desks = await stage.quota(rules)
        for desk in desks:
            desk.say(json.dumps({"type": "follow"}))
        await desks[0].bid("40")
        stage.hall(session)
        told = [desk.got[-1] for desk in desks]
        assert [one["type"] for one in told] == ["hall"] * 3
        assert [one["next"] for one in told] == ["60.00", "20.00", "20.00"]
        members = {"type", "phase", "ends_at", "best", "leader", "next", "server_now"}
        assert all(set(one) == members for one in told)
        await stage.at(600_000)
        stage.hall(session)
        assert desks[2].got[-1]["phase"] == "SOLD"

    play(tmp_path, act)
