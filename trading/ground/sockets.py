"""The server's WebSocket protocol, with two doors of our own; the one file that knows uvicorn's inside.

uvicorn takes a class for its option `ws`. This is its own sans-I/O implementation, and besides:

`hand_over`: after the handshake another `asyncio.Protocol` takes the transport. A hall's watcher then costs
    3 KB instead of 35: parser, queue, events, keepalive, request, task and the coroutines of the whole HTTP
    stack are let go. Refusals, Origin, access table and router come before and are untouched.
`hear`: text messages are given to a function where they come out of the transport; no queue, no task and no
    pause of reading stands between arrival and stamp, which saves a third of a bidder's socket's work.

What it relies on, uvicorn 0.54: the attributes `transport`, `conn` (websockets' ServerProtocol), `queue`,
`connections`, `frames`, `curr_msg_data_type`, `close_sent`, `handshake_complete` and the methods `stop_keepalive`,
`send_receive_event_to_app`. `tests/trading/ground/test_sockets.py` fails where one of them is no longer so.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, Protocol

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, MutableSet

    from starlette.types import Scope

WIRE: Final = "kaibiao.wire"
"""Scope member under which the edge leaves the server's protocol object."""

_log = logging.getLogger(__name__)


class Heir(Protocol):
    """Who takes a transport over: an `asyncio.Protocol` that uvicorn can also shut down."""

    def inherit(self, transport: asyncio.Transport, served: MutableSet[Any]) -> None:
        """Begin with a transport; leave the set of what is served when it is lost."""
        ...

    def shutdown(self) -> None:
        """Close, because the server stops."""
        ...


class _Nowhere(asyncio.Transport):
    """What the framework still says to a socket that has been handed over goes here."""

    def is_closing(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Forget it."""

    def close(self) -> None:
        """It belongs to somebody else."""


_NOWHERE: Final = _Nowhere()


class Socket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, which can be handed over or listened to."""

    _ear: Callable[[str], None] | None = None

    @property
    def plain(self) -> bool:
        """Whether it is open and a server's frame on it is the same bytes as on any other.

        With deflate every connection has its own window.
        """
        return self.handshake_complete and not self.close_sent and self.conn.extensions == []

    def hand_over(self, heir: Heir) -> bool:
        """Give the transport to an heir, who gets every byte that comes from now on.

        Returns:
            Whether it was done. Not with deflate, nor where the client has spoken already.
        """
        spoken = self.queue.qsize() or self.frames or self.conn.reader.buffer
        if not self.plain or spoken or self.transport.is_closing():
            return False
        transport, self.transport = self.transport, _NOWHERE
        self.stop_keepalive()
        self.connections.discard(self)
        self.connections.add(heir)  # type: ignore[arg-type]
        heir.inherit(transport, self.connections)
        transport.set_protocol(heir)  # type: ignore[arg-type]
        return True

    def hear(self, told: Callable[[str], None]) -> None:
        """Give text messages to `told` at once; everything else still comes by `receive`."""
        self._ear = told

    def send_receive_event_to_app(self) -> None:
        """Give a whole message to who listens, else to the application."""
        ear = self._ear
        if (
            ear is None
            or self.curr_msg_data_type != "text"
            or self.close_sent
            or self.queue.qsize()
        ):
            super().send_receive_event_to_app()
            return
        try:
            text = b"".join(self.frames).decode()
        except UnicodeDecodeError:
            super().send_receive_event_to_app()  # closes with 1007
            return
        self.frames = []
        try:
            ear(text)
        except Exception:  # noqa: BLE001 (as at the edge: one socket's error must not show or spread)
            _log.critical("unforeseen error in a socket", exc_info=True)
            self.transport.abort()


def socket_of(scope: Scope) -> Socket | None:
    """The protocol object behind a connection; None behind a test client or another server."""
    wire = scope.get(WIRE)
    return wire if isinstance(wire, Socket) else None
