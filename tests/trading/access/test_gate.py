"""The table and the gate: deny by default, both directions checked, sockets included."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from starlette.routing import Mount
from starlette.websockets import WebSocketDisconnect

from trading.access import MOUNT, PUBLIC, WS, Access, Gate, Rule, actor, maybe_actor, routes_of
from trading.ground.clock import FrozenClock
from trading.model import Actor, ConflictError, LoginError, Role

STAFF = frozenset({Role.OPERATOR})
ROWS = (
    Rule("GET", "/api/v1/open", PUBLIC, "anybody"),
    Rule("GET", "/api/v1/things/{thing}", STAFF, "staff"),
    Rule("POST", "/api/v1/things/{thing}", STAFF, "staff"),
    Rule(WS, "/api/v1/live", STAFF, "staff"),
    Rule(WS, "/api/v1/watch", PUBLIC, "anybody"),
)


class Session:
    def __init__(self, role: Role) -> None:
        self.actor = Actor("per", "org", role, "key", b"")


class Sessions:
    """Tokens and tickets are role names; a ticket works once."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def by_token(self, token: str) -> Session | None:
        return Session(Role(token)) if token in set(Role) else None

    def by_ticket(self, ticket: str) -> Session | None:
        if ticket in self.used:
            return None
        self.used.add(ticket)
        return self.by_token(ticket)


def build() -> FastAPI:
    inner = APIRouter()

    @inner.get("/open")
    def opened(who: Annotated[Actor | None, Depends(maybe_actor)]) -> str:
        return who.role if who else "nobody"

    @inner.get("/things/{thing}")
    def read(thing: str, who: Annotated[Actor, Depends(actor)]) -> str:
        return f"{thing} {who.role}"

    @inner.post("/things/{thing}")
    def write(thing: str) -> str:
        return thing

    @inner.websocket("/live")
    async def live(socket: WebSocket, who: Annotated[Actor, Depends(actor)]) -> None:
        await socket.accept("kaibiao.v1")
        await socket.send_text(who.role)
        await socket.close()

    @inner.websocket("/watch")
    async def watch(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    outer = APIRouter(prefix="/v1")
    outer.include_router(inner)
    app = FastAPI(openapi_url=None)
    app.include_router(outer, prefix="/api")
    return app


def client(rows: tuple[Rule, ...] = ROWS) -> TestClient:
    app = build()
    access = Access(rows)
    access.check(app)
    return TestClient(Gate(app, access, Sessions(), FrozenClock(0), ["https://friend.example"]))


def bearer(role: str) -> dict[str, str]:
    return {"authorization": f"Bearer {role}"}


def test_the_table_and_the_routes_agree() -> None:
    assert sorted(routes_of(build())) == sorted((r.method, r.path) for r in ROWS)
    client()


@pytest.mark.parametrize("place", range(len(ROWS)))
def test_a_route_without_a_row_stops_the_start(place: int) -> None:
    with pytest.raises(ConflictError, match="no row"):
        client(ROWS[:place] + ROWS[place + 1 :])


def test_a_row_without_a_route_stops_the_start() -> None:
    with pytest.raises(ConflictError, match="no route"):
        client((*ROWS, Rule("GET", "/api/v1/ghost", PUBLIC, "")))


def test_two_rows_for_one_route_stop_the_start() -> None:
    with pytest.raises(ConflictError, match="two rows"):
        Access((*ROWS, Rule("GET", "/api/v1/open", STAFF, "")))


def test_a_swallowed_route_stops_the_start() -> None:
    app = build()

    @app.get("/api/v1/{any}/mine")
    def first() -> str:
        return ""

    @app.get("/api/v1/things/mine")
    def second() -> str:
        return ""

    rows = (
        *ROWS,
        Rule("GET", "/api/v1/{any}/mine", PUBLIC, ""),
        Rule("GET", "/api/v1/things/mine", STAFF, ""),
    )
    with pytest.raises(ConflictError, match="swallowed"):
        Access(rows).check(app)


def test_a_mounted_application_can_only_be_public() -> None:
    app = build()
    app.router.routes.append(Mount("/static", PlainTextResponse("x")))
    Access((*ROWS, Rule(MOUNT, "/static", PUBLIC, ""))).check(app)
    with pytest.raises(ConflictError, match="mounted"):
        Access((*ROWS, Rule(MOUNT, "/static", STAFF, ""))).check(app)


def test_public_routes_need_nobody_and_know_who_asks() -> None:
    assert client().get("/api/v1/open").json() == "nobody"
    assert client().get("/api/v1/open", headers=bearer("bidder")).json() == "bidder"
    assert client().get("/api/v1/open", headers=bearer("rubbish")).json() == "nobody"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_a_closed_route_asks_for_a_login_and_a_role(method: str) -> None:
    path = "/api/v1/things/x"
    answer = client().request(method, path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    refused = client().request(method, path, headers=bearer("bidder"))
    assert refused.status_code == 403
    if method != "HEAD":
        assert answer.json()["type"].endswith("login-needed")
        assert answer.json()["server_time"] == "1970-01-01T00:00:00.000Z"
        assert client().request(method, path, headers=bearer("operator")).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/api/v1/nothing", "/api/v1/things", "/api/v1/things/x/y", "//api/v1/open", "/API/v1/open"],
)
def test_what_is_no_route_reaches_no_handler(path: str) -> None:
    assert client().get(f"http://testserver{path}").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_method_without_a_row_reaches_no_handler(method: str) -> None:
    assert client().request(method, "/api/v1/things/x").status_code == 405


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://testserver", 200),
        ("https://friend.example", 200),
        ("https://testserver", 403),
        ("http://testserver.evil.example", 403),
        ("null", 403),
    ],
)
def test_a_foreign_page_cannot_change_anything(origin: str, status: int) -> None:
    headers = bearer("operator") | {"origin": origin}
    assert client().post("/api/v1/things/x", headers=headers).status_code == status


def refused(door: TestClient, path: str, **options: object) -> int:
    with (
        pytest.raises((WebSocketDisconnect, RuntimeError)) as closed,
        door.websocket_connect(path, **options),
    ):
        pass
    return getattr(closed.value, "status_code", 0) or getattr(closed.value, "code", 0)


def test_sockets_pass_the_same_gate() -> None:
    door = client()
    assert refused(door, "/api/v1/live") in (401, 1008)
    assert refused(door, "/api/v1/live", headers=bearer("bidder")) in (403, 1008)
    with door.websocket_connect("/api/v1/live", headers=bearer("operator")) as socket:
        assert socket.receive_text() == "operator"
    with door.websocket_connect("/api/v1/watch") as socket:
        assert socket.receive_text() == "hello"
    assert refused(door, "/api/v1/watch", headers={"origin": "https://evil.example"}) in (403, 1008)


def test_a_socket_ticket_works_once_and_is_no_subprotocol() -> None:
    door = client()
    offer = ["kaibiao.v1", "ticket.operator"]
    with door.websocket_connect("/api/v1/live", subprotocols=offer) as socket:
        assert socket.accepted_subprotocol == "kaibiao.v1"
    assert refused(door, "/api/v1/live", subprotocols=offer) in (401, 1008)


def test_the_table_prints_every_row() -> None:
    text = Access(ROWS).text()
    assert len(text.splitlines()) == len(ROWS)
    assert "public" in text
    assert "operator" in text


def test_nobody_is_acting_on_a_route_without_a_login() -> None:
    app = FastAPI()

    @app.get("/x")
    def x(who: Annotated[Actor, Depends(actor)]) -> str:
        return who.role

    with pytest.raises(LoginError):
        TestClient(app).get("/x")
