"""The edge: the stamp of the last byte, bounded bodies, one form of refusal, hardened answers."""

import asyncio
import json

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from tests.trading.ground.edged import protect, small_app
from trading.ground import http as http_module
from trading.ground.clock import FrozenClock
from trading.ground.http import BODY_LIMIT, CSP, Edge, worker_csp

NINE = 1_795_482_000_000


@pytest.fixture
def acts():
    return []


@pytest.fixture
def app(acts):
    return small_app(acts)


@pytest.fixture
def client(app, lite, clock):
    with TestClient(
        protect(app, lite, clock), base_url="http://centre", raise_server_exceptions=True
    ) as client:
        yield client


def test_every_answer_is_hardened(client):
    for answer in (
        client.get("/stamp"),
        client.get("/nowhere"),
        client.post("/raw", content=b"x" * 70_000),
    ):
        assert answer.headers["content-security-policy"] == CSP + "trusted-types 'none'"
        assert "'unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in answer.headers


def test_over_tls_browsers_are_told_to_stay_there(app, lite, clock):
    with TestClient(protect(app, lite, clock), base_url="https://centre") as client:
        assert "max-age" in client.get("/stamp").headers["strict-transport-security"]


def test_a_page_with_a_worker_sends_its_own_policy_once(client):
    headers = client.get("/worker").headers.get_list("content-security-policy")
    assert headers == [worker_csp("worker-url")]


@pytest.mark.parametrize("size", [0, 1, BODY_LIMIT])
def test_a_body_within_the_limit_comes_through_whole(client, size):
    assert client.post("/raw", content=b"x" * size).json() == size


def test_a_body_beyond_the_limit_is_refused_by_its_length_and_by_its_bytes(client):
    announced = client.post("/raw", content=b"x" * (BODY_LIMIT + 1))
    streamed = client.post("/raw", content=(b"x" * 1000 for _ in range(100)))
    for answer in (announced, streamed):
        assert answer.status_code == 413
        assert answer.json()["type"] == "urn:kaibiao:problem:body-too-large"
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 30, "x", "1_0", "٣"])
def test_a_strange_length_is_refused(app, lite, clock, length):
    status, _ = raw_call(protect(app, lite, clock), [(b"content-length", length.encode())], [])
    assert status == 413


def raw_call(asgi, headers, messages, path="/acts", method="POST"):
    """Speak ASGI by hand: `messages` are what `receive` gives, callables run first."""
    sent = []
    queue = list(messages)

    async def receive():
        while queue:
            message = queue.pop(0)
            if callable(message):
                message()
                continue
            return message
        await asyncio.sleep(3600)
        return None

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": headers, "scheme": "http", "server": ("centre", 80), "client": ("1.2.3.4", 5),
        "http_version": "1.1", "root_path": "",
    }  # fmt: skip
    asyncio.run(asyncio.wait_for(asgi(scope, receive, send), 60))
    if not sent:
        return None, None
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], json.loads(body)


def part(body, more):
    return {"type": "http.request", "body": body, "more_body": more}


def test_the_arrival_is_that_of_the_last_body_byte_before_anything_is_parsed(app, lite, clock):
    status, answer = raw_call(
        protect(app, lite, clock),
        [(b"content-type", b"application/json"), (b"content-length", b"14")],
        [
            part(b'{"amou', True), lambda: clock.advance(700), part(b'nt":"1"}', True),
            lambda: clock.advance(23), part(b"", False), lambda: clock.advance(10_000),
        ],
    )  # fmt: skip
    assert status == 200
    assert answer["arrival"] == NINE + 723


def test_an_upload_is_stamped_at_its_last_byte_and_not_bounded(app, lite, clock):
    chunks = [part(b"x" * 60_000, True)] * 10
    status, answer = raw_call(
        protect(app, lite, clock),
        [(b"content-length", b"600001")],
        [*chunks, lambda: clock.advance(5), part(b"x", False)],
        "/api/v1/uploads/upl_x",
        "PATCH",
    )
    assert (status, answer) == (200, {"size": 600_001, "arrival": NINE + 5})


def test_a_request_without_a_body_is_stamped_when_it_comes(client):
    assert client.get("/stamp").json() == NINE


def test_who_hangs_up_before_the_last_byte_has_sent_nothing(app, lite, clock, acts):
    sent = raw_call(
        protect(app, lite, clock),
        [(b"content-length", b"14")],
        [part(b'{"amount":"1"', True), {"type": "http.disconnect"}],
    )
    assert sent == (None, None)
    assert acts == []


def test_a_body_that_trickles_is_cut(app, lite, clock, monkeypatch):
    monkeypatch.setattr(http_module, "BODY_SECONDS", 0.01)
    status, answer = raw_call(
        protect(app, lite, clock), [(b"content-length", b"9")], [part(b"{", True)]
    )
    assert (status, answer["type"]) == (408, "urn:kaibiao:problem:body-too-slow")


def test_every_refusal_is_a_problem_with_the_server_time(client):
    gone = client.post("/refuse/gone")
    assert gone.headers["content-type"] == "application/problem+json"
    assert gone.json() == {
        "type": "urn:kaibiao:problem:bid-deadline-passed", "title": "投标截止时间已过", "status": 410,
        "detail": "Late.", "rule": "§3", "server_time": "2026-11-24T01:00:00.000Z",
    }  # fmt: skip
    assert client.post("/refuse/login").headers["www-authenticate"] == "Bearer"
    assert client.post("/refuse/often").headers["retry-after"] == "1"
    for answer, status in (
        (client.get("/nowhere"), 404), (client.get("/acts"), 405),
        (client.post("/acts", content=b"{"), 422), (client.post("/acts", json={"amount": 1}), 422),
        (client.post("/acts", json={"amount": "1", "role": "x"}), 422),
        (client.post("/acts", content=b"[" * 60_000, headers={"content-type": "application/json"}), 400),
    ):  # fmt: skip
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"].startswith("urn:kaibiao:problem:")


def test_foreign_text_is_not_echoed_raw(client):
    evil = '{"amount":"1","\\u202e<script>\\ud800":"48650000.00"}'
    answer = client.post(
        "/acts", content=evil.encode(), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert "48650000" not in answer.text
    assert "\u202e" not in answer.text


def test_an_unforeseen_error_shows_a_reference_and_nothing_else(client, caplog):
    answer = client.post("/refuse/bug")
    assert answer.status_code == 503
    document = answer.json()
    assert document["type"] == "urn:kaibiao:problem:unforeseen"
    assert document["reference"] in caplog.text
    assert "48650000" not in answer.text


def test_a_socket_refused_before_it_is_accepted_gets_the_problem(client):
    with (
        pytest.raises(WebSocketDenialResponse) as refusal,
        client.websocket_connect("/live?how=early"),
    ):
        pass
    assert refusal.value.status_code == 409
    assert refusal.value.json()["type"] == "urn:kaibiao:problem:too-early"


def test_a_socket_refused_later_is_closed_with_the_code_as_reason(client):
    with (
        client.websocket_connect("/live?how=late") as socket,
        pytest.raises(WebSocketDisconnect) as end,
    ):
        socket.receive_text()
    assert (end.value.code, end.value.reason) == (1008, "too-late")


@pytest.mark.parametrize(
    ("origin", "served"),
    [("http://centre", True), ("https://partner.example", True), ("http://evil.example", False),
     ("null", False), ("http://centre.evil.example", False), ("", False)],
)  # fmt: skip
def test_a_foreign_page_cannot_open_a_socket(app, lite, clock, origin, served):
    asgi = protect(app, lite, clock, ["https://partner.example"])
    with TestClient(asgi, base_url="http://centre") as client:
        headers = {"origin": origin, "host": "centre"}
        if served:
            with client.websocket_connect("/live", headers=headers) as socket:
                assert socket.receive_text() == "hello"
        else:
            with (
                pytest.raises(WebSocketDisconnect),
                client.websocket_connect("/live", headers=headers),
            ):
                pass


def test_lifespan_passes_through():
    started = []

    async def app(scope, _receive, _send):
        started.append(scope["type"])

    asyncio.run(Edge(app, FrozenClock(0))({"type": "lifespan"}, None, None))
    assert started == ["lifespan"]
