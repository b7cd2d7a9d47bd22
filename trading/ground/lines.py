"""One live connection, written to without waiting; see `live.py` for the reason.

`DirectLine` gives framed bytes to uvicorn's transport, `QueuedLine` has a bounded queue and a task.
Both answer the same questions: is it congested, hopeless, gone?
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from starlette.websockets import WebSocketDisconnect

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import WebSocket

SLOW: Final = 4008  # close code: the reader was too slow; resume by seq
CONGESTED: Final = 64 * 1024
HOPELESS: Final = 256 * 1024
LAST_SECONDS: Final = 10
WIRE: Final = "kaibiao.wire"
"""Scope member under which `http.SocketWire` leaves uvicorn's protocol object."""


_log = logging.getLogger(__name__)


class Line(Protocol):
    """A subscriber of a topic."""

    topic: Any
    seq: int
    slow_since: int | None

    @property
    def gone(self) -> bool:
        """Whether the connection has ended."""
        ...

    def write(self, message: bytes) -> None:
        """Give it one text message, UTF-8; never waits."""
        ...

    def congested(self) -> bool:
        """Whether more than 64 KiB wait for the reader."""
        ...

    def hopeless(self) -> bool:
        """Whether more than 256 KiB wait for the reader."""
        ...

    async def end(self, code: int, reason: str) -> None:
        """Close it in order."""
        ...

    def abort(self, code: int) -> None:
        """Cut it without waiting for the reader."""
        ...

    def stop(self) -> None:
        """Release what serves it."""
        ...


def open_line(websocket: WebSocket) -> Line:
    """Choose the fastest honest way to write to an accepted socket."""
    protocol = websocket.scope.get(WIRE)
    transport = getattr(protocol, "transport", None)
    connection = getattr(protocol, "conn", None)
    # With deflate every connection has its own window: then the bytes are not the same for all.
    if transport is not None and getattr(connection, "extensions", None) == []:
        return DirectLine(websocket, transport)
    return QueuedLine(websocket)


def hear(websocket: WebSocket, told: Callable[[str], None]) -> None:
    """Give text messages to `told` where they come out of the transport, if we know it.

    Then no queue, no task and no pause of reading stands between arrival and stamp, which costs a
    third of a socket's work. Everything else, and what came before, still comes by `receive`; so does
    everything where the transport is not known.
    """
    protocol: Any = websocket.scope.get(WIRE)
    if getattr(getattr(protocol, "conn", None), "extensions", None) != []:
        return
    usual = protocol.send_receive_event_to_app

    def deliver() -> None:
        if protocol.curr_msg_data_type != "text" or protocol.close_sent or protocol.queue.qsize():
            usual()
            return
        try:
            text = b"".join(protocol.frames).decode()
        except UnicodeDecodeError:
            usual()  # closes with 1007
            return
        protocol.frames = []
        try:
            told(text)
        except Exception:  # noqa: BLE001 (as at the edge: one socket's error must not show or spread)
            _log.critical("unforeseen error in a socket", exc_info=True)
            protocol.transport.abort()

    protocol.send_receive_event_to_app = deliver


@lru_cache(maxsize=64)
def frame(message: bytes) -> bytes:
    """Return the one unmasked final text frame of a server (RFC 6455 §5.2)."""
    size = len(message)
    if size < 126:
        return b"\x81" + bytes([size]) + message
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + message
    return b"\x81\x7f" + size.to_bytes(8, "big") + message


class DirectLine:
    """A line whose transport we know; a write costs one system call, or a buffer append."""

    __slots__ = ("_transport", "_websocket", "seq", "slow_since", "topic")

    def __init__(self, websocket: WebSocket, transport: asyncio.Transport) -> None:
        self._websocket = websocket
        self._transport = transport
        self.topic: Any = None
        self.seq = 0
        self.slow_since: int | None = None

    @property
    def gone(self) -> bool:
        """Whether the connection has ended."""
        return self._transport.is_closing()

    def write(self, message: bytes) -> None:
        """Give it one text message; never waits."""
        if not self._transport.is_closing():
            self._transport.write(frame(message))

    def congested(self) -> bool:
        """Whether more than 64 KiB wait for the reader."""
        return self._transport.get_write_buffer_size() > CONGESTED

    def hopeless(self) -> bool:
        """Whether more than 256 KiB wait for the reader."""
        return self._transport.get_write_buffer_size() > HOPELESS

    async def end(self, code: int, reason: str) -> None:
        """Close it in order, if the reader still reads."""
        if not self._transport.is_closing():
            if self.congested():
                self._transport.abort()
            else:
                with suppress(RuntimeError):  # it has closed itself meanwhile
                    await self._websocket.close(code, reason)

    def abort(self, code: int) -> None:
        """Put a close frame behind what waits and cut the connection ten seconds later.

        A reader that reads again sees the code; one that does not costs its buffer no longer.
        """
        if not self._transport.is_closing():
            self._transport.write(b"\x88\x02" + code.to_bytes(2, "big"))
            self._transport.close()
            asyncio.get_running_loop().call_later(LAST_SECONDS, self._transport.abort)

    def stop(self) -> None:
        """Nothing serves it but the hub."""


class QueuedLine:
    """A line behind an unknown server: a queue bounded like a buffer, and one task."""

    __slots__ = ("_closing", "_queue", "_size", "_task", "_wake", "_websocket", "seq",
                 "slow_since", "topic")  # fmt: skip

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._queue: deque[bytes] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self._closing: int | None = None
        self.topic: Any = None
        self.seq = 0
        self.slow_since: int | None = None
        self._task = asyncio.get_running_loop().create_task(self._pump(), name="line")

    @property
    def gone(self) -> bool:
        """Whether the connection has ended."""
        return self._task.done()

    def write(self, message: bytes) -> None:
        """Give it one text message; never waits."""
        self._queue.append(message)
        self._size += len(message)
        self._wake.set()

    def congested(self) -> bool:
        """Whether more than 64 KiB wait for the reader."""
        return self._size > CONGESTED

    def hopeless(self) -> bool:
        """Whether more than 256 KiB wait for the reader."""
        return self._size > HOPELESS

    async def end(self, code: int, reason: str) -> None:
        """Close it in order, after what waits."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        with suppress(RuntimeError, WebSocketDisconnect):  # it has closed itself meanwhile
            await self._websocket.close(code, reason)

    def abort(self, code: int) -> None:
        """Forget what waits and close."""
        self._queue.clear()
        self._size = 0
        self._closing = code
        self._wake.set()

    def stop(self) -> None:
        """End the task unless it is closing the socket itself."""
        if self._closing is None:
            self._task.cancel()

    async def _pump(self) -> None:
        with suppress(RuntimeError, WebSocketDisconnect):  # the other side has gone: `gone` says so
            while self._closing is None:
                await self._wake.wait()
                self._wake.clear()
                while self._queue and self._closing is None:
                    message = self._queue.popleft()
                    await self._websocket.send_text(message.decode())
                    self._size -= len(message)
            await self._websocket.close(self._closing)
