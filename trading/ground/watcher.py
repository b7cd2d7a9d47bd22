"""One watcher of a hall from its handshake on: only frames, and of those few.

It is the `asyncio.Protocol` of its transport (see `sockets.py`), has no task, queue or timer of its own,
and keeps what it knows in slots: ten thousand of them cost what one feed would.

**Two threads write to its socket**: the loop through the transport, the carrier (`carrier.py`) straight to the
file. Whoever writes holds the watcher's lock, for one write, and under it these things are so:

- The carrier writes only where the transport has nothing waiting and nothing is owed; so bytes keep their order.
- What the socket did not take of the carrier's frame is owed, and goes before anything else the loop writes.
- A transport closes its file after `connection_lost`, which makes the carrier forget the number; so it never
  writes to a number that has become another connection's.
- Under TLS the socket is not ours to write to: there is no file, and the loop does all.
"""

from __future__ import annotations

import asyncio
import os
from threading import Lock
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
    from collections.abc import Iterable, Mapping, MutableSet

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

    __slots__ = ("_closing", "_file", "_fresh", "_is_text", "_keeper", "_lock", "_owed", "_parts", "_rest",
                 "_served", "_spoken", "_transport", "seq", "slow_since", "topic", "turn")  # fmt: skip

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._transport: asyncio.Transport = None  # type: ignore[assignment]  # until `inherit`
        self._served: MutableSet[Any] = set()
        self._lock = Lock()
        self._file = -1
        self._owed = b""
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
        socket = transport.get_extra_info("socket")
        if socket is not None and transport.get_extra_info("sslcontext") is None:
            self._file = socket.fileno()

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
        """Be forgotten, also by the carrier: the transport closes its file next."""
        with self._lock:
            self._file, self._owed = -1, b""
        self._served.discard(self)
        self._keeper.unsubscribe(self)

    def _take(self, found: Frame) -> None:
        if found.opcode == CLOSE:
            if not self._closing:
                self._closing = True
                self._give(control(CLOSE, found.payload[:2]))
            self._transport.close()
        elif self._closing or found.opcode == PONG:
            return
        elif found.opcode == PING:
            if not self.congested():  # who reads no pongs gets no more of them
                self._give(control(PONG, found.payload))
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
            self._give(frame(message))

    def pass_on(self, framed: bytes, /) -> bool:
        """Give it one framed message if nothing waits for it; the loop's quick way.

        Returns:
            Whether it was given.
        """
        with self._lock:
            if self._waiting() or self.gone:
                return False
            self._transport.write(framed)
            return True

    def take(self, frames: Mapping[int, bytes], seq: int) -> bool:
        """Write what it lacks straight to its socket; the carrier's way, in another thread than the loop.

        Args:
            frames: for the seq that a watcher has, the framed bytes that it lacks.
            seq: what it has after them.

        Returns:
            Whether it has them now, but for what it `owes`.
        """
        with self._lock:
            framed = frames.get(self.seq)
            slow = self.slow_since is not None or self._waiting()
            if framed is None or self._file < 0 or slow or self.gone:
                return False
            try:
                sent = os.write(self._file, framed)
            except OSError:  # full, or broken: the transport is about to find out
                return False
            self.seq, self._owed = seq, framed[sent:]
            return True

    @property
    def owes(self) -> bool:
        """Whether the end of a frame has still to be written: `settle`."""
        return bool(self._owed)

    def settle(self) -> None:
        """Let the transport write what the socket did not take from the carrier."""
        if self._owed:
            self._give(b"")

    def bring(self, messages: Iterable[bytes], seq: int) -> None:
        """Give it all it lacks; it is not slow any more."""
        with self._lock:
            if not self.gone:
                for message in messages:
                    self._put(frame(message))
            self.seq, self.slow_since = seq, None

    def congested(self) -> bool:
        """Whether more than 64 KiB wait for the reader."""
        return self._waiting() > CONGESTED

    def hopeless(self) -> bool:
        """Whether more than 256 KiB wait for the reader."""
        return self._waiting() > HOPELESS

    def _waiting(self) -> int:
        return self._transport.get_write_buffer_size() + len(self._owed)

    def _give(self, data: bytes) -> None:
        """Write through the transport; only the loop does."""
        with self._lock:
            self._put(data)

    def _put(self, data: bytes) -> None:
        owed, self._owed = self._owed, b""
        self._transport.write(owed + data)

    def beat(self) -> None:
        """Ping it, every 20 s; who has said nothing since the last ping, not even pong, is cut off."""
        if not self._fresh:
            self._transport.abort()
        elif not self.gone and not self.slow_since:
            self._fresh = False
            self._spoken = 0
            self._give(control(PING, b""))

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
            self._give(closing(code, reason))
