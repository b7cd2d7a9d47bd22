"""Garbage on the sockets: binary and huge frames, floods of pings, foreign pages, nobody; the centre goes on."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.acceptance.hostile.payloads import BODIES, TEXTS
from tests.acceptance.hostile.served import Served
from trading.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBPROTOCOL = "kaibiao.v1"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, stored_by_all: str) -> Iterator[Served]:
    """A centre with an opening and an auction in which one bidder has a seat."""
    with Served(tmp_path_factory.mktemp("sockets") / "home") as made:
        made.first_people()
        made.set_up(deadline=made.clock.now() // 1000 * 1000 + 3_600_000)
        _, (made.lot,) = made.session(
            {"start_price": "100.00", "increment": "10.00"}, ahead=3_600_000
        )  # type: ignore[attr-defined]
        assert made.deposit(made.one(Role.BIDDER), made.lot, "100.00").status_code == 201  # type: ignore[attr-defined]
        made.runner.run(made.settle())
        yield made


def halls(served: Served) -> list[str]:
    return [f"/openings/{served.section}/live", f"/lots/{served.lot}/live"]  # type: ignore[attr-defined]


def opened(served: Served, path: str, role: Role | None = None, **more: Any) -> connect:
    headers = {"Authorization": f"Bearer {served.one(role).token}"} if role else {}
    headers |= more.pop("headers", {})
    return connect(
        f"ws://{served.address}/api/v1{path}", additional_headers=headers, subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
        open_timeout=20, ping_interval=None, **more,
    )  # fmt: skip


def run(work: Any) -> Any:
    return asyncio.run(asyncio.wait_for(work, 60))


def well(served: Served) -> None:
    """It still answers, and its journal takes events."""
    assert requests.get(f"http://{served.address}/readyz", timeout=10).status_code == 200


async def survives(socket: Any, frames: list[str | bytes]) -> int | None:
    """Send frames; the code with which the centre closed, None where it did not."""
    try:
        for frame in frames:
            await socket.send(frame)
        for _ in range(1000):
            await asyncio.wait_for(socket.recv(), 0.3)
    except TimeoutError:
        return None
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006
    return None


GARBAGE: list[str | bytes] = [
    *(text for text in TEXTS), *(body.decode("latin-1") for body in BODIES), "{}", "[]", "null",
    json.dumps({"offer": "x", "signature": "y"}), json.dumps({"offer": 1, "signature": []}),
    json.dumps({"delegation": {}}), json.dumps({"delegation": {"statement": {}, "key": "", "signature": ""}}),
    '{"offer":"{\\"v\\":1}","signature":"AAAA"}', '{"offer":"\\ud800","signature":"\\ud800"}',
    b"", b"\x00\xff" * 100, b"\xff" * 60_000,
]  # fmt: skip


def test_a_foreign_page_and_nobody_get_no_socket(served: Served) -> None:
    async def refused(path: str, **more: Any) -> int:
        with pytest.raises(InvalidStatus) as caught:
            async with opened(served, path, **more):
                pass
        return int(caught.value.response.status_code)

    foreign = {"headers": {"Origin": "https://evil.test"}}
    bid = f"/lots/{served.lot}/bid"  # type: ignore[attr-defined]
    for path in halls(served):
        assert run(refused(path, **foreign)) == 403
    assert run(refused(bid, role=Role.BIDDER, **foreign)) == 403
    assert run(refused(bid)) == 401
    assert run(refused(bid, role=Role.OPERATOR)) == 403
    assert run(refused(f"{bid}?token={served.one(Role.BIDDER).token}")) == 401  # never in a URL
    assert run(refused("/openings/nothing/live")) in (403, 404)
    assert run(refused("/nothing", role=Role.BIDDER)) in (403, 404)
    own = {"headers": {"Origin": f"http://{served.address}"}}

    async def greeted() -> str:
        async with opened(served, halls(served)[0], **own) as socket:
            return str(json.loads(await asyncio.wait_for(socket.recv(), 10))["type"])

    assert run(greeted()) == "snapshot"
    well(served)


def test_garbage_into_the_halls_changes_nothing(served: Served) -> None:
    async def attack(path: str) -> None:
        for frame in GARBAGE:
            async with opened(served, path) as socket:
                await socket.recv()
                try:
                    await socket.send(frame)
                except ConnectionClosed:
                    continue

    for path in halls(served):
        run(attack(path))
        for since in ("%00", "x:1", ":", "a:" + "9" * 400, "\u202e", "log:-1"):

            async def asked(path: str = path, since: str = since) -> Any:
                async with opened(served, f"{path}?since={since}") as socket:
                    return json.loads(await asyncio.wait_for(socket.recv(), 10))["type"]

            assert run(asked()) == "snapshot"
    well(served)


def test_garbage_into_the_bidding_socket_is_refused_message_by_message(served: Served) -> None:
    position = served.ground.journal.position
    path = f"/lots/{served.lot}/bid"  # type: ignore[attr-defined]

    async def attack() -> None:
        for frame in GARBAGE:
            async with opened(served, path, role=Role.BIDDER) as socket:
                first = json.loads(await asyncio.wait_for(socket.recv(), 10))
                assert "type" in first
                await socket.send(frame)
                try:
                    answer = json.loads(await asyncio.wait_for(socket.recv(), 10))
                    assert answer["type"] not in ("entered", "accepted"), (frame, answer)
                except ConnectionClosed:
                    continue

    run(attack())
    rows = served.ground.journal.rows(after_position=position)
    kinds = {row.kind for row in rows if row.kind.startswith("auction")}
    assert kinds <= {"auction.unheard"}  # what cannot be read is noted as that, by its hash
    well(served)


@pytest.mark.parametrize("frame", ["x" * 1_000_000, b"x" * 1_000_000], ids=["text", "binary"])
def test_a_frame_of_a_megabyte_closes_its_own_socket(served: Served, frame: Any) -> None:
    async def attack(path: str, role: Role | None) -> int | None:
        async with opened(served, path, role=role) as socket:
            return await survives(socket, [frame])

    for path in halls(served):
        assert run(attack(path, None)) in (1009, 1006)
    assert run(attack(f"/lots/{served.lot}/bid", Role.BIDDER)) in (1009, 1006)  # type: ignore[attr-defined]
    well(served)


def test_floods_of_pings_and_messages_end_or_are_slowed_and_hold_nobody_up(served: Served) -> None:
    async def pings(path: str, role: Role | None) -> None:
        async with opened(served, path, role=role) as socket:
            for _ in range(3_000):
                await socket.ping()

    async def messages() -> int | None:
        async with opened(served, f"/lots/{served.lot}/bid", role=Role.BIDDER) as socket:  # type: ignore[attr-defined]
            return await survives(socket, ["{}"] * 3_000)

    async def windows() -> int:
        """More sockets of one seat than it may have: the ninth is told to go."""
        path = f"/lots/{served.lot}/bid"  # type: ignore[attr-defined]
        sockets = [await opened(served, path, role=Role.BIDDER) for _ in range(12)]
        closed = 0
        for socket in sockets:
            try:
                await asyncio.wait_for(socket.recv(), 5)
            except ConnectionClosed:
                closed += 1
        for socket in sockets:
            await socket.close()
        return closed

    for path in halls(served):
        run(pings(path, None))
        well(served)
    run(pings(f"/lots/{served.lot}/bid", Role.BIDDER))  # type: ignore[attr-defined]
    assert run(windows()) >= 4
    run(messages())
    well(served)


def test_a_full_house_sends_watchers_away_and_lets_bidders_in(served: Served) -> None:
    """What the file limit leaves is theirs (A8): they enter, and follow the hall that others must wait for."""
    hub = served.ground.hub
    limit, hub._limit = hub._limit, 0

    async def go() -> None:
        with pytest.raises(ConnectionClosed) as away:
            async with opened(served, f"/lots/{served.lot}/live") as watcher:  # type: ignore[attr-defined]
                await watcher.recv()
        assert away.value.rcvd is not None
        assert away.value.rcvd.code == 1013
        async with opened(served, f"/lots/{served.lot}/bid", Role.BIDDER) as desk:  # type: ignore[attr-defined]
            assert json.loads(await desk.recv())["type"] == "hello"
            await desk.send(json.dumps({"type": "follow"}))
            told = json.loads(await desk.recv())
            assert (told["type"], told["phase"], told["next"]) == ("hall", "ANNOUNCED", None)

    try:
        run(go())
    finally:
        hub._limit = limit
