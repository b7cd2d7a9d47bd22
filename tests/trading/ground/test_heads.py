"""A request's head is bounded in size and time, before anything of ours sees it."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from trading.ground import heads

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

REQUEST = b"GET /a HTTP/1.1\r\nHost: x\r\n"


class Pipe(asyncio.Transport):
    """What the protocol writes; closed when it says so."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Whoever feeds it goes on."""

    resume_reading = pause_reading


async def app(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"fine"})


def speak() -> tuple[heads.Heads, Pipe]:
    config = uvicorn.Config(app, http=heads.Heads, lifespan="off", log_config=None)
    config.load()
    pipe = Pipe()
    made = heads.Heads(config=config, server_state=ServerState(), app_state={})
    made.connection_made(pipe)
    return made, pipe


def looped(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in a loop of its own."""

    @functools.wraps(test)
    def run(*args: Any, **named: Any) -> None:
        asyncio.run(test(*args, **named))

    return run


async def answered(pipe: Pipe, times: int = 1) -> None:
    async with asyncio.timeout(60):
        while pipe.written.count(b"200 OK") < times:  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0)


@looped
async def test_an_ordinary_request_is_answered_and_the_next_one_too() -> None:
    made, pipe = speak()
    for times in (1, 2):
        made.data_received(REQUEST)
        made.data_received(b"X: " + b"a" * 60_000 + b"\r\n\r\n")
        await answered(pipe, times)
    assert not pipe.closed
    made.connection_lost(None)


@pytest.mark.parametrize("start", [REQUEST + b"X: ", b"GET /", REQUEST])
@looped
async def test_a_head_without_end_is_cut_at_the_limit(start: bytes) -> None:
    made, pipe = speak()
    made.data_received(start)
    more = b"a" * 4096 if start != REQUEST else b"X: y\r\n" * 512
    sent = 0
    while not pipe.closed and sent < 4 * heads.LIMIT:
        made.data_received(more)
        sent += len(more)
    assert pipe.written.startswith(b"HTTP/1.1 400")
    assert sent <= heads.LIMIT + len(more)


@pytest.mark.parametrize("start", [b"", b"GET / HT", REQUEST])
@looped
async def test_a_head_that_does_not_come_ends_the_connection(
    start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "SECONDS", 0)
    made, pipe = speak()
    if start:
        made.data_received(start)
    async with asyncio.timeout(60):
        while not pipe.closed:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert b"too slow" in pipe.written


@pytest.mark.parametrize(
    "head",
    [
        b"GET /a HTTP/1.1\r\n",
        REQUEST + b"Host: y\r\n",
        REQUEST + b"X: " + b"a" * heads.LIMIT + b"\r\n",
        REQUEST + b"Transfer-Encoding: gzip, chunked\r\n",
    ],
)
@looped
async def test_a_whole_head_that_nobody_may_send_is_refused_in_our_form(head: bytes) -> None:
    made, pipe = speak()
    made.data_received(head + b"\r\n")
    assert pipe.written.startswith(b"HTTP/1.1 400")
    assert b"content-type: application/problem+json\r\n" in pipe.written
    assert pipe.closed


@looped
async def test_a_body_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: what the edge bounds is not bounded here."""
    made, pipe = speak()
    made.data_received(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
    assert made._waiting is None
    for _ in range(50):
        made.data_received(b"a" * 4000)
    await answered(pipe)
    assert not pipe.closed
    made.connection_lost(None)
