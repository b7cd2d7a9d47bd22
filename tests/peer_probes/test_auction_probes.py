"""What was found wrong in an open peer (reference/peers.md W1-W7), asked of our own API over HTTP and WebSocket."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from auction import api, hall
from tests.auction.stage import LISTING_RULES, NOON, Stage, frame
from trading.access import Access, Gate
from trading.ground.clock import FrozenClock
from trading.ground.http import install_handlers
from trading.service.sessions import ABSOLUTE_MS, IDLE_MS, Login
from trading.store import StoredLogin

END = 70_000
"""End of TIMED after NOON, ms, while nobody has bid."""


class Logins:
    """Token n is bidder n's session."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.open: dict[str, Login] = {}

    def by_token(self, token: str) -> Login:
        who, now = self.stage.bidders[int(token)].actor, self.stage.clock.now()
        stored = StoredLogin(token, who.person, who.key_id, now, now, now + ABSOLUTE_MS)
        return self.open.setdefault(token, Login(stored, who, now))

    def by_ticket(self, ticket: str) -> Login:
        return self.by_token(ticket)


class Probe:
    """One bidder's socket over the wire."""

    def __init__(self, world: "World", number: int) -> None:
        self.world, self.bidder = world, world.stage.bidders[number]
        headers = {"authorization": f"Bearer {number}"}
        answer = world.client.get(f"/api/v1/lots/{world.lot}/participation", headers=headers)
        self.paddle = answer.json()["paddle"]
        self.socket: WebSocketTestSession = world.open(f"/api/v1/lots/{world.lot}/bid", headers)
        assert self.socket.receive_json()["type"] == "hello"
        self.socket.send_text(self.bidder.delegation(world.lot, self.paddle, NOON + 3_600_000))
        assert self.socket.receive_json()["type"] == "entered"

    def say(self, text: str) -> dict[str, Any]:
        self.socket.send_text(text)
        return dict(self.socket.receive_json())

    def bid(self, amount: Any, **more: Any) -> dict[str, Any]:
        return self.say(self.bidder.offer(self.world.lot, self.paddle, amount, **more))


class World:
    """A centre behind its API, one listed lot in TIMED, three bidders."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.sockets = ExitStack()
        self.stage: Stage
        self.lot = ""
        self.logins: Logins

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> Any:
            self.stage = await Stage(home).start()
            app.include_router(api.router(self.stage.service, burst=10_000))
            app.include_router(hall.router(self.stage.service, self.stage.halls))
            (self.lot,) = await self.stage.publish(LISTING_RULES)
            for bidder in self.stage.bidders[:3]:
                await self.stage.deposit(self.lot, bidder)
            await self.stage.at(10_000)
            self.logins = gate._logins = Logins(self.stage)
            yield
            await self.stage.stop()

        app = FastAPI(lifespan=lifespan)
        access = Access((*api.ACCESS, *hall.ACCESS))
        gate = Gate(app, access, None, lambda: NOON)  # type: ignore[arg-type]
        install_handlers(app, FrozenClock(NOON))
        self.client = TestClient(gate)
        self.app = app

    def open(self, path: str, headers: dict[str, str] | None = None) -> WebSocketTestSession:
        return self.sockets.enter_context(
            self.client.websocket_connect(path, headers=headers or {})
        )

    def at(self, ms: int) -> None:
        assert self.client.portal is not None
        self.client.portal.call(self.stage.at, ms)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    with made.client, made.sockets:
        yield made


def test_w1_a_bid_45_seconds_late_is_refused_though_no_timer_has_ticked(world: World) -> None:
    bidder = Probe(world, 0)
    world.stage.clock.set(NOON + END + 45_000)
    answer = bidder.bid("100")
    assert (answer["ok"], answer["code"], answer["arrival"]) == (
        False,
        "CLOSED",
        NOON + END + 45_000,
    )
    world.client.portal.call(world.stage.hall, world.lot)  # type: ignore[union-attr]
    outcome = world.client.get(f"/api/v1/lots/{world.lot}").json()["state"]["outcome"]
    assert (outcome["status"], outcome["closed_at"]) == ("UNSOLD", "2026-11-24T04:01:10.000Z")


def test_w2_an_acknowledged_bid_beside_the_hammer_is_never_lost(world: World) -> None:
    first, second = Probe(world, 0), Probe(world, 1)
    world.stage.clock.set(NOON + END - 1)
    assert first.bid("100")["ok"]
    world.stage.clock.set(NOON + END - 1 + 60_000 - 1)
    assert second.bid("850")["ok"]
    world.at(END + 200_000)
    rows = world.client.get(f"/api/v1/lots/{world.lot}/transcript").json()["rows"]
    accepted = [row["body"]["content"]["amount"] for row in rows if row["body"].get("do") == "bid"]
    assert accepted == ["100", "850"]
    (result,) = [row for row in rows if row["kind"] == "auction.result"]
    assert result["body"]["outcome"]["winners"][0]["amount"] == "850.00"


def test_w3_nan_is_not_money(world: World) -> None:
    bidder = Probe(world, 0)
    text = json.loads(bidder.bidder.offer(world.lot, bidder.paddle, "@@"))["offer"]
    for numeral in ("NaN", "Infinity", "-Infinity", "1e999"):
        assert bidder.say(frame(text.replace('"@@"', numeral), bytes(64)))["code"] == "MALFORMED"


def test_w4_true_is_not_money(world: World) -> None:
    answer = Probe(world, 0).bid(True)
    assert (answer["type"], answer["code"]) == ("answer", "BAD_AMOUNT")


def test_w5_a_wrong_type_is_a_refusal_with_a_code_and_an_event_never_an_error(world: World) -> None:
    bidder = Probe(world, 0)
    for amount in (850, 850.5, None, ["850"], {"amount": "850"}, "８５０", "850 ", -1):
        assert bidder.bid(amount)["code"] == "BAD_AMOUNT"
    rows = world.stage.service.rows(world.lot)
    codes = [row.body["verdict"].get("code") for row in rows if row.kind == "auction.decided"]
    assert codes == ["BAD_AMOUNT"] * 8


def test_w6_superseded_offers_stay_and_nothing_can_be_taken_back(world: World) -> None:
    a, b = Probe(world, 0), Probe(world, 1)
    assert a.bid("100")["ok"]
    assert b.bid("200")["ok"]
    assert a.bid("250")["ok"]
    assert a.bid("-1")["code"] == "BAD_AMOUNT"
    assert a.bid(None, do="cancel")["code"] == "MALFORMED"
    world.at(END + 200_000)
    rows = world.client.get(f"/api/v1/lots/{world.lot}/transcript").json()["rows"]
    amounts = [
        r["body"]["content"]["amount"] for r in rows if r["body"].get("verdict", {}).get("ok")
    ]
    assert amounts == ["100", "200", "250"]


def test_w7_who_connects_in_the_middle_sees_the_state_at_once_and_misses_nothing(
    world: World,
) -> None:
    bidder, other = Probe(world, 0), Probe(world, 1)
    assert bidder.bid("100")["ok"]
    world.client.portal.call(world.stage.halls[world.lot].flush)  # type: ignore[union-attr]
    watcher = world.open(f"/api/v1/lots/{world.lot}/live")
    snapshot = watcher.receive_json()
    assert (snapshot["type"], snapshot["state"]["best"]) == ("snapshot", "100.00")
    assert other.bid("120")["ok"]
    world.client.portal.call(world.stage.halls[world.lot].flush)  # type: ignore[union-attr]
    delta = watcher.receive_json()
    assert (delta["seq"], delta["set"]["best"]) == (snapshot["seq"] + 1, "120.00")
    since = f"{snapshot['log_id']}:{snapshot['seq']}"
    again = world.open(f"/api/v1/lots/{world.lot}/live?since={since}")
    resumed = again.receive_json()
    assert {k: v for k, v in resumed.items() if k != "server_now"} == {
        k: v for k, v in delta.items() if k != "server_now"
    }


def test_the_transcript_waits_for_the_result(world: World) -> None:
    answer = world.client.get(f"/api/v1/lots/{world.lot}/transcript")
    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:kaibiao:problem:result-pending",
    )
    assert world.client.get("/api/v1/lots/lot_none").status_code == 404


def test_who_has_no_seat_gets_no_socket(world: World) -> None:
    answer = world.client.get(
        f"/api/v1/lots/{world.lot}/participation", headers={"authorization": "Bearer 5"}
    )
    assert answer.status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        world.client.websocket_connect(
            f"/api/v1/lots/{world.lot}/bid", headers={"authorization": "Bearer 5"}
        ) as socket,
    ):
        socket.receive_text()


def test_a_bidder_sees_and_closes_its_other_windows(world: World) -> None:
    first = Probe(world, 0)
    second = world.open(f"/api/v1/lots/{world.lot}/bid", {"authorization": "Bearer 0"})
    assert second.receive_json()["windows"] == 2
    second.send_text('{"type":"close_others"}')
    with pytest.raises(WebSocketDisconnect) as closed:
        first.socket.receive_text()
    assert closed.value.code == 4009


def test_a_logout_cuts_the_bidders_sockets_at_once(world: World) -> None:
    first, second = Probe(world, 0), Probe(world, 1)
    world.client.portal.call(world.logins.open["0"].end)  # type: ignore[union-attr]
    with pytest.raises(WebSocketDisconnect) as ended:
        first.socket.receive_json()
    assert (ended.value.code, ended.value.reason) == (1008, "session-ended")
    assert second.bid("100")["ok"]


def test_a_session_that_ran_out_decides_nothing_and_messages_keep_it_alive(world: World) -> None:
    bidder, watched = Probe(world, 0), world.logins.open["0"]
    world.stage.clock.set(NOON + 20_000)
    assert bidder.bid("100")["ok"]
    assert watched.seen_at == NOON + 20_000
    world.stage.clock.set(NOON + 20_000 + IDLE_MS)
    bidder.socket.send_text(bidder.bidder.offer(world.lot, bidder.paddle, "200"))
    with pytest.raises(WebSocketDisconnect):
        bidder.socket.receive_json()
    world.at(20_000 + IDLE_MS)
    rows = world.client.get(f"/api/v1/lots/{world.lot}/transcript").json()["rows"]
    assert [r["body"]["content"]["amount"] for r in rows if r["body"].get("do") == "bid"] == ["100"]


def test_the_bucket_refuses_what_comes_too_fast() -> None:
    from auction.service.bidding import Bucket

    bucket = Bucket(5, 2)
    assert [bucket.take(1000) for _ in range(3)] == [True, True, False]
    assert [bucket.take(1000 + 199), bucket.take(1000 + 200), bucket.take(1000 + 200)] == [
        False,
        True,
        False,
    ]


def test_a_seat_has_so_many_windows_and_no_more(world: World) -> None:
    windows = [Probe(world, 0)]
    for number in range(2, api.WINDOWS + 1):
        more = world.open(f"/api/v1/lots/{world.lot}/bid", {"authorization": "Bearer 0"})
        assert more.receive_json()["windows"] == number
    late = world.open(f"/api/v1/lots/{world.lot}/bid", {"authorization": "Bearer 0"})
    with pytest.raises(WebSocketDisconnect) as closed:
        late.receive_text()
    assert (closed.value.code, closed.value.reason) == (1013, "too-many-windows")
    assert windows[0].bid("100")["ok"]
    assert Probe(world, 1).bid("110")["ok"]  # another seat has its own


def test_an_answer_reaches_the_bidders_own_socket_alone(world: World) -> None:
    """The personal channel is apart from the public one, and from every other bidder's."""
    first, second = Probe(world, 0), Probe(world, 1)
    hall_socket = world.open(f"/api/v1/lots/{world.lot}/live")
    assert hall_socket.receive_json()["type"] == "snapshot"
    answer = first.bid("100")
    assert answer["receipt"]["row"]["body"]["offer"]
    frame = hall_socket.receive_text()
    assert '"best":"100' in frame
    assert "signature" not in frame
    assert "receipt" not in frame
    second.socket.send_text('{"type":"probe","t0":7}')
    assert second.socket.receive_json()["t0"] == 7  # the next it hears is what it asked for
