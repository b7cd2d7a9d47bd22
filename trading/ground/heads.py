"""The server's HTTP protocol, with what uvicorn's own lacks: bounds of a request's head, and our form of a refusal.

Its parser keeps a header until the line ends, however long that takes: one stranger with one connection could fill the
memory, and others could hold every connection by never ending their first line. It takes a request without a host or
with two, and codings of a body that nobody undoes; and what it refuses itself it refuses in plain text.

What it relies on, uvicorn 0.54: `HttpToolsProtocol` with `connection_made`, `connection_lost`, `data_received`,
`on_message_begin`, `on_headers_complete`, `send_400_response`, `_should_upgrade`, `headers`, `url`, `parser`; `tests/trading/ground/test_heads.py` fails otherwise.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from trading.ground.http import HEADERS
from trading.ground.problems import MEDIA_TYPE, URN

if TYPE_CHECKING:
    import asyncio

LIMIT: Final = 64 * 1024
"""Bytes of request line and headers; a page's longest has below 2 KiB."""

SECONDS: Final = 30.0
"""Within which a head must be whole, from the connection or its first byte on."""

_NONCE: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")  # 16 bytes, RFC 6455 §4.1
_REFUSED: Final = b"".join(
    name + b": " + value + b"\r\n"
    for name, value in (
        *HEADERS,
        (b"content-type", MEDIA_TYPE.encode()),
        (b"connection", b"close"),
    )
)


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
        """The head is whole; the edge bounds its body. An error here is for the parser a request that it cannot read."""
        self._arrived()
        fault = self._fault()
        if fault:
            raise ValueError(fault)
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse as everything else does (RFC 9457), but for the time: nothing of the centre has seen this."""
        problem = {
            "type": f"{URN}request-malformed",
            "title": "请求无法解析",
            "status": 400,
            "detail": msg,
        }
        body = json.dumps(problem, ensure_ascii=False).encode()
        size = f"content-length: {len(body)}\r\n\r\n".encode()
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + _REFUSED + size + body)
        self.transport.close()

    def _fault(self) -> str:
        """What of a whole head nobody may send; empty when there is nothing."""
        size, hosts, coded = len(self.url), 0, b""
        for name, value in self.headers:
            size += len(name) + len(value)
            hosts += name == b"host"
            if name == b"transfer-encoding":
                coded += value.lower()
        if size > LIMIT:
            return "too large"
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            return "not one host"  # RFC 9112 §3.2
        if coded not in (b"", b"chunked"):
            return "a coding that is not undone here"  # RFC 9112 §6.1
        return ""

    def _should_upgrade(self) -> bool:
        """A handshake that RFC 6455 §4.2.1 does not allow is a request like any other, and refused by the router."""
        if not super()._should_upgrade():
            return False
        said = dict(self.headers)
        return (
            self.parser.get_method() == b"GET"
            and said.get(b"sec-websocket-version") == b"13"
            and _NONCE.fullmatch(said.get(b"sec-websocket-key", b"")) is not None
        )

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
