"""Logs help an operator and tell no secret."""

import asyncio
import inspect
import io
import json
import logging

import pytest
import structlog
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from trading.ground import logs
from trading.ground.clock import FrozenClock
from trading.ground.http import Edge
from trading.ground.logs import HIDDEN, configure, redact

NINE = 1_795_482_000_000


@pytest.fixture
def lines():
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    configure("INFO", FrozenClock(NINE), stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    structlog.reset_defaults()


def test_an_event_is_one_json_object_with_the_deciding_clocks_time(lines):
    structlog.get_logger("room").warning("opening-paused", section="sec_x", by=None, n=3)
    logging.getLogger("library").error("plain %s", "text")
    first, second = lines()
    assert first == {
        "at": "2026-11-24T01:00:00.000Z", "level": "warning", "logger": "room",
        "event": "opening-paused", "section": "sec_x", "by": None, "n": 3,
    }  # fmt: skip
    assert second["event"] == "plain text"


SECRETS = {
    "key": "abc", "private_key": "abc", "share": "1", "price": "48650000.00", "amount": 5, "token": "t",
    "passphrase": "p", "password": "p", "authorization": "Bearer x", "salt": b"s", "seed": "s", "ceiling": 1,
    "reserve_price": "1", "phone": "13800138000",
}  # fmt: skip


@pytest.mark.parametrize("name", SECRETS)
def test_a_field_named_like_a_secret_is_hidden(lines, name):
    structlog.get_logger("room").info(
        "event", **{name: SECRETS[name], "nested": {name: SECRETS[name]}}
    )
    (line,) = lines()
    assert line[name] == HIDDEN
    assert line["nested"] == {name: HIDDEN}


@pytest.mark.parametrize(
    "text",
    ["AGE-SECRET-KEY-1QQQQQQQQ", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----",
     "Bearer abc.def", "11010519491231002X", "call 13800138000"],
)  # fmt: skip
def test_a_secret_inside_a_text_is_hidden(text):
    shown = redact("note", f"before {text} after")
    assert HIDDEN in shown
    assert "MIIB" not in shown
    assert "1QQQ" not in shown
    assert "138001" not in shown


def test_foreign_text_cannot_forge_a_line_or_turn_it_round(lines):
    structlog.get_logger("room").info("event", name='x"}\n{"event":"forged"} \u202e')
    (line,) = lines()
    assert "\n" not in line["name"]
    assert "\u202e" not in line["name"]


def test_bytes_and_objects_are_named_not_shown():
    assert redact("content", b"12345") == "[5 bytes]"
    assert redact("items", [1, "a", b"x"]) == [1, "a", "[1 bytes]"]
    assert redact("thing", 1.5) == "1.5"


def test_an_error_is_placed_but_its_text_is_not_repeated(lines):
    def fails():
        try:
            int("48650000.00 of 张三")
        except ValueError as inner:
            raise KeyError("secret") from inner

    try:
        fails()
    except KeyError:
        logging.getLogger("room").exception("it failed")
    (line,) = lines()
    assert line["error"] == ["builtins.KeyError", "builtins.ValueError"]
    assert "test_logs.py" in line["trace"][0]
    assert "48650000" not in json.dumps(line)
    assert "张三" not in json.dumps(line, ensure_ascii=False)


def test_requests_are_not_logged(lines):
    logging.getLogger("uvicorn.access").info('"POST /uploads"')
    logging.getLogger("uvicorn.error").info('"WebSocket /live" [accepted]')
    assert lines() == []


def test_a_refused_handshake_is_no_error_and_what_else_the_server_says_is_shown(lines):
    server = logging.getLogger("uvicorn.error")
    server.error("ASGI callable returned without completing handshake.")
    assert lines() == []
    server.error("ASGI callable should return None, but returned '%s'.", 1)
    try:
        int("what somebody sent")
    except ValueError:
        server.exception("Exception in ASGI application\n")
    assert [line["level"] for line in lines()] == ["error", "error"]
    assert lines()[1]["error"] == ["builtins.ValueError"]


def test_the_line_that_is_left_out_is_the_one_that_uvicorn_writes():
    text = inspect.getsource(WebSocketsSansIOProtocol)
    assert f'self.logger.error("{logs._REFUSED_HANDSHAKE}")' in text


def test_a_socket_whose_handler_ends_without_an_answer_is_an_error_in_the_log(caplog):
    sent = []

    async def silent(scope, receive, send):
        await receive()

    async def refusing(scope, receive, send):
        await send({"type": "websocket.close", "code": 1008})

    async def send(message):
        sent.append(message["type"])

    async def receive():
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/", "headers": [], "extensions": {"websocket.http.response": {}}}  # fmt: skip
    asyncio.run(Edge(refusing, FrozenClock(0))(dict(scope), receive, send))
    assert sent[0] == "websocket.http.response.start"
    assert caplog.messages == []
    asyncio.run(Edge(silent, FrozenClock(0))(dict(scope), receive, send))
    assert caplog.messages == ["a socket's handler ended without an answer"]
