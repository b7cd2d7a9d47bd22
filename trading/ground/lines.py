"""One live connection, written to without waiting; see `live.py` for the reason.

`DirectLine` gives framed bytes to the transport of a socket that the server still serves (a bidder's),
`QueuedLine` has a bounded queue and a task; a hall's watcher is a third kind (`watcher.py`).
All answer the same questions: is it congested, hopeless, gone?
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from starlette.websockets import WebSocketDisconnect

from trading.ground.frames import closing, frame
from trading.ground.sockets import socket_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fastapi import WebSocket

SLOW: Final = 4008  # close code: the reader was too slow; resume by seq
CONGESTED: Final = 64 * 1024
HOPELESS: Final = 256 * 1024
LAST_SECONDS: Final = 10


class Line(Protocol):
    """A subscriber of a topic."""

    topic: Any
    seq: int
    slow_since: int | None
    turn: int

    @property
    def gone(self) -> bool:
        """Whether the connection has ended."""
        ...

    def write(self, message: bytes) -> None:
        """Give it one text message, UTF-8; never waits."""
        ...

    def pass_on(self, framed: bytes, /) -> bool:
        """Give it one framed message if that is quick and nothing waits for it; say whether it was."""
        ...

    def bring(self, messages: Iterable[bytes], seq: int, /) -> None:
        """Give it all it lacks, after which it has `seq` and is not slow any more."""
        ...

    def beat(self) -> None:
        """See whether the other side is still there."""
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
    socket = socket_of(websocket.scope)
    if socket is not None and socket.plain:
        return DirectLine(websocket, socket.transport)
    return QueuedLine(websocket)


def hear(websocket: WebSocket, told: Callable[[str], None]) -> None:
    """Give text messages to `told` where they come out of the transport, if we know it.

    Everything else, and what came before, still comes by `receive`; so does everything where the
    transport is not known.
    """
    socket = socket_of(websocket.scope)
    if socket is not None and socket.plain:
        socket.hear(told)


class _LoopsOwn:
    """What only the event loop writes to."""

    __slots__ = ()
    seq: int
    slow_since: int | None

    def bring(self: Line, messages: Iterable[bytes], seq: int, /) -> None:
        """Give it all it lacks, after which it has `seq` and is not slow any more."""
        for message in messages:
            self.write(message)
        self.seq, self.slow_since = seq, None


class DirectLine(_LoopsOwn):
    """A line whose transport we know; a write costs one system call, or a buffer append."""

    __slots__ = ("_transport", "_websocket", "seq", "slow_since", "topic", "turn")

    def __init__(self, websocket: WebSocket, transport: asyncio.Transport) -> None:
        self._websocket = websocket
        self._transport = transport
        self.topic: Any = None
        self.seq = 0
        self.slow_since: int | None = None
        self.turn = 0

    @property
    def gone(self) -> bool:
        """Whether the connection has ended."""
        return self._transport.is_closing()

    def write(self, message: bytes) -> None:
        """Give it one text message; never waits."""
        if not self._transport.is_closing():
            self._transport.write(frame(message))

    def pass_on(self, framed: bytes, /) -> bool:
        """Give it one framed message if nothing waits for it; say whether it was given."""
        if self._transport.get_write_buffer_size() or self._transport.is_closing():
            return False
        self._transport.write(framed)
        return True

    def beat(self) -> None:
        """The server pings its own sockets."""

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
            self._transport.write(closing(code))
            self._transport.close()
            asyncio.get_running_loop().call_later(LAST_SECONDS, self._transport.abort)

    def stop(self) -> None:
        """Nothing serves it but the hub."""


class QueuedLine(_LoopsOwn):
    """A line behind an unknown server: a queue bounded like a buffer, and one task."""

    __slots__ = ("_closing", "_queue", "_size", "_task", "_wake", "_websocket", "seq",
                 "slow_since", "topic", "turn")  # fmt: skip

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._queue: deque[bytes] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self._closing: int | None = None
        self.topic: Any = None
        self.seq = 0
        self.slow_since: int | None = None
        self.turn = 0
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

    def pass_on(self, _framed: bytes, /) -> bool:
        """No quick way: `write` judges."""
        return False

    def beat(self) -> None:
        """The server pings its own sockets."""

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
