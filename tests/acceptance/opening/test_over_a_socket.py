"""O1 over a real socket, watched by two: the same bytes for both, a snapshot and then gapless deltas."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.acceptance.opening import test_scenarios as scenarios
from trading.model import Role

if TYPE_CHECKING:
    from tests.acceptance.opening.conftest import Loopback


class Watcher:
    """Somebody at the hall's page; `headers` say who, if anybody."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
        self.frames: list[str] = []

    async def watch(self, address: str, section: str) -> None:
        url = f"ws://{address}/api/v1/openings/{section}/live"
        self.socket = await connect(
            url,
            additional_headers=self.headers,
            subprotocols=["kaibiao.v1"],
            ping_interval=None,  # type: ignore[list-item]
        )
        self.frames.append(str(await self.socket.recv()))
        self.task = asyncio.ensure_future(self._follow())

    async def _follow(self) -> None:
        try:
            async for frame in self.socket:
                self.frames.append(str(frame))
        except ConnectionClosed:
            return

    async def end(self) -> None:
        await self.socket.close()
        await self.task


def test_o1_over_a_real_socket_is_seen_alike_by_everybody(loopback: Loopback) -> None:
    set_up, watchers = loopback.set_up, list[Watcher]()

    def watched(**changes: Any) -> str:
        section = set_up(**changes)
        token = loopback.one(Role.SUPERVISOR).token
        for headers in ({}, {"Authorization": f"Bearer {token}"}):
            one = Watcher(headers)
            loopback.runner.run(one.watch(loopback.address, section))
            watchers.append(one)
        return section

    loopback.set_up = watched  # type: ignore[method-assign]
    scenarios.o1(loopback)
    for one in watchers:
        loopback.runner.run(one.end())
    nobody, supervisor = (one.frames for one in watchers)
    assert nobody == supervisor
    first, *deltas = [json.loads(frame) for frame in nobody]
    assert first["type"] == "snapshot"
    assert [one["seq"] for one in deltas] == [first["seq"] + n for n in range(1, len(deltas) + 1)]
    state, feed = first["state"], list(first["state"]["feed"])
    for one in deltas:
        changed = dict(one.get("set", {}))
        lines = {row["submission"]: row for row in changed.pop("rows_changed", ())}
        state = {**state, **changed}
        state["rows"] = [lines.get(row["submission"], row) for row in state["rows"]]
        feed += [one["event"]] if "event" in one else []
    assert {**state, "feed": feed} == loopback.hall()
    assert any("rows_changed" in one.get("set", {}) for one in deltas)
    early = [one for one in deltas if one["t"] < loopback.deadline]
    assert early == []  # six acts and three sign-ins before T, and nobody saw one of them
