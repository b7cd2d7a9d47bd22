"""The server's HTTP protocol with two bounds that uvicorn's own lacks: how large the head of a request may be, and how slow.

Its parser keeps a header until the line ends, however long that takes: one stranger with one connection could fill the
memory, and others could hold every connection by never ending their first line.

What it relies on, uvicorn 0.54: `HttpToolsProtocol` with `connection_made`, `connection_lost`, `data_received`,
`on_message_begin`, `on_headers_complete`, `send_400_response`; `tests/trading/ground/test_heads.py` fails otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

LIMIT: Final = 64 * 1024
"""Bytes of request line and headers; a page's longest has below 2 KiB."""

SECONDS: Final = 30.0
"""Within which a head must be whole, from the connection or its first byte on."""


class Heads(HttpToolsProtocol):
    """uvicorn's HTTP protocol; give it to its option `http`."""

    _size = 0
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; a head that is still not whole and above the limit ends the connection."""
        super().data_received(data)
        if self._waiting is None or self.transport.is_closing():
            return
        self._size += len(data)
        if self._size > LIMIT:
            self._refuse("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """The first byte of a request is there."""
        super().on_message_begin()
        self._size = 0
        self._wait()

    def on_headers_complete(self) -> None:
        """The head is whole; the edge bounds its body."""
        self._arrived()
        super().on_headers_complete()

    def _wait(self) -> None:
        self._arrived()
        self._waiting = self.loop.call_later(
            SECONDS, self._refuse, "The head of the request was too slow."
        )

    def _arrived(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _refuse(self, told: str) -> None:
        self._arrived()
        if not self.transport.is_closing():
            self.send_400_response(told)
