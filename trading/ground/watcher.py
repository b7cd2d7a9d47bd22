"""One watcher of a hall from its handshake on: only frames, and of those few.

It is the `asyncio.Protocol` of its transport (see `sockets.py`), has no task, queue or timer of its own,
and keeps what it knows in slots: ten thousand of them cost what one feed would.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from trading.ground.frames import (
    CLOSE,
    PING,
    PONG,
    PROTOCOL_ERROR,
    TEXT,
    TOO_BIG,
    Frame,
    FrameError,
    closing,
    control,
    frame,
    read,
)
from trading.ground.lines import CONGESTED, HOPELESS, LAST_SECONDS

if TYPE_CHECKING:
    from collections.abc import MutableSet

MAX_INCOMING: Final = 4_096  # bytes of a watcher's message; it has only probes to send
CHATTER: Final = 40
"""Messages that a watcher may send between two pings of ours, that is in 20 s."""

INVALID_TEXT: Final = 1007
POLICY: Final = 1008
GOING: Final = 1012  # the service restarts


class Keeper(Protocol):
    """The hub, as a watcher knows it."""

    def heard(self, line: Any, text: str) -> None:
        """Take what a watcher says."""
        ...

    def unsubscribe(self, line: Any) -> None:
        """Forget a watcher."""
        ...


class Watcher(asyncio.Protocol):
    """A line to one watcher; see `lines.Line` for what the hub asks of it.

    Args:
        keeper: who is told.
    """

    __slots__ = ("_closing", "_fresh", "_is_text", "_keeper", "_parts", "_rest", "_served", "_spoken",
                 "_transport", "seq", "slow_since", "topic", "turn")  # fmt: skip

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._transport: asyncio.Transport = None  # type: ignore[assignment]  # until `inherit`
        self._served: MutableSet[Any] = set()
        self._rest = b""
        self._parts: bytes | None = None
        self._is_text = True
        self._closing = False
        self._fresh = True
        self._spoken = 0
        self.topic: Any = None
        self.seq = 0
        self.slow_since: int | None = None
        self.turn = 0

    def inherit(self, transport: asyncio.Transport, served: MutableSet[Any]) -> None:
        """Begin with a transport; leave the set of what is served when it is lost."""
        self._transport = transport
        self._served = served

    # What comes in.

    def data_received(self, data: bytes) -> None:
        """Take the frames that are whole."""
        self._fresh = True
        if self._rest:
            data = self._rest + data
        at = 0
        try:
            while not self._transport.is_closing() and (
                found := read(data, at, MAX_INCOMING)
            ) is not None:  # fmt: skip
                at = found.end
                self._take(found)
        except FrameError as error:  # where the next frame begins is not known any more
            self._say_close(error.code)
            self._transport.close()
            at = len(data)
        self._rest = data[at:]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        """Be forgotten."""
        self._served.discard(self)
        self._keeper.unsubscribe(self)

    def _take(self, found: Frame) -> None:
        if found.opcode == CLOSE:
            if not self._closing:
                self._closing = True
                self._transport.write(control(CLOSE, found.payload[:2]))
            self._transport.close()
        elif self._closing or found.opcode == PONG:
            return
        elif found.opcode == PING:
            if not self.congested():  # who reads no pongs gets no more of them
                self._transport.write(control(PONG, found.payload))
        else:
            self._message(found)

    def _message(self, found: Frame) -> None:
        """Put a message together; only text is looked at, and little of it."""
        if (found.opcode == 0) is (self._parts is None):
            raise FrameError(PROTOCOL_ERROR)  # a part of nothing, or a message within another
        if found.opcode:
            self._is_text = found.opcode == TEXT
        whole = (self._parts or b"") + found.payload
        if len(whole) > MAX_INCOMING:
            raise FrameError(TOO_BIG)
        if not found.final:
            self._parts = whole
            return
        self._parts = None
        self._spoken += 1
        if self._spoken > CHATTER:
            self.close(POLICY, "nothing to send here")
        elif self._is_text:
            try:
                text = whole.decode()
            except UnicodeDecodeError:
                raise FrameError(INVALID_TEXT) from None
            self._keeper.heard(self, text)

    # What goes out.

    @property
    def gone(self) -> bool:
        """Whether the connection has ended or is ending."""
        return self._closing or self._transport.is_closing()

    def write(self, message: bytes) -> None:
        """Give it one text message; never waits."""
        if not self._closing and not self._transport.is_closing():
            self._transport.write(frame(message))

    def pass_on(self, framed: bytes, /) -> bool:
        """Give it one framed message if nothing waits for it; the hub's quick way.

        Returns:
            Whether it was given.
        """
        transport = self._transport
        if transport.get_write_buffer_size() or self._closing or transport.is_closing():
            return False
        transport.write(framed)
        return True

    def congested(self) -> bool:
        """Whether more than 64 KiB wait for the reader."""
        return self._transport.get_write_buffer_size() > CONGESTED

    def hopeless(self) -> bool:
        """Whether more than 256 KiB wait for the reader."""
        return self._transport.get_write_buffer_size() > HOPELESS

    def beat(self) -> None:
        """Ping it, every 20 s; who has said nothing since the last ping, not even pong, is cut off."""
        if not self._fresh:
            self._transport.abort()
        elif not self.gone and not self.slow_since:
            self._fresh = False
            self._spoken = 0
            self._transport.write(control(PING, b""))

    def close(self, code: int, reason: str) -> None:
        """Close it in order: the other side answers, or is cut off ten seconds later."""
        if self.gone:
            return
        if self.congested():
            self._transport.abort()
            return
        self._say_close(code, reason)
        asyncio.get_running_loop().call_later(LAST_SECONDS, self._transport.abort)

    async def end(self, code: int, reason: str) -> None:
        """Close it in order."""
        self.close(code, reason)

    def abort(self, code: int) -> None:
        """Put a close frame behind what waits and cut the connection ten seconds later."""
        if not self.gone:
            self._say_close(code)
            self._transport.close()
            asyncio.get_running_loop().call_later(LAST_SECONDS, self._transport.abort)

    def shutdown(self) -> None:
        """Close, because the server stops."""
        if not self.gone:
            self._say_close(GOING)
        self._transport.close()

    def stop(self) -> None:
        """Nothing serves it but the hub."""

    def _say_close(self, code: int, reason: str = "") -> None:
        if not self._closing:
            self._closing = True
            self._transport.write(closing(code, reason))
