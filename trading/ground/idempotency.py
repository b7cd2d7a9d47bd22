"""Idempotency keys: a command repeated with its key gets its first answer and acts once.

A client that lost an answer sends the same request with the same `Idempotency-Key` again. The answer
is stored, durably, before it is sent. A key belongs to one caller (the bearer token) and one address;
the same key with another body is refused (409). This keeps honest retries from acting twice; what
must never double even so (a submission, an offer) is also settled by its own signed statement.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from sqlalchemy import delete

from trading.ground.problems import Conflict, Invalid
from trading.ground.tables import AnswerRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlmodel import Session
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from trading.ground.clock import Clock
    from trading.ground.database import Database

HEADER: Final = b"idempotency-key"
KEPT_MS: Final = 24 * 3600 * 1000
MAX_ANSWER: Final = 1024 * 1024  # bytes; a larger answer is not kept, its command is not repeated
COMMANDS: Final = frozenset({"POST", "PUT", "DELETE", "PATCH"})

_KEY = re.compile(rb"[\x21-\x7e]{8,200}")
_ROWS: Final = AnswerRow.__table__  # type: ignore[attr-defined]


class _Answer(NamedTuple):
    request_sha256: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Idempotency:
    """ASGI middleware inside `http.Edge`, which has taken the body in.

    Args:
        app: what answers.
        database: keeps the answers for 24 hours.
        clock: says when they expire.
        exempt: paths that begin so are left alone (tus requests: their offset is the key).
        secret: paths whose answers are never kept: a token would lie in the database as it is.
        known: says whether a request has a caller whom the gate knows; nobody else may fill the disk.
    """

    def __init__(
        self,
        app: ASGIApp,
        database: Database,
        clock: Clock,
        exempt: tuple[str, ...] = (),
        secret: frozenset[str] = frozenset(),
        known: Callable[[Scope], bool] = lambda _: True,
    ) -> None:
        self._app = app
        self._database = database
        self._clock = clock
        self._exempt = exempt
        self._secret = secret
        self._known = known
        self._running: dict[str, asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        if (
            HEADER not in headers
            or b"authorization"
            not in headers  # without a caller there is nothing to scope a key by
            or scope["method"] not in COMMANDS
            or scope["path"].startswith(self._exempt)
            or scope["path"].rstrip("/") in self._secret
            or not self._known(scope)
        ):
            await self._app(scope, receive, send)
            return
        if not _KEY.fullmatch(headers[HEADER]):
            raise Invalid(
                "idempotency-key-malformed", "幂等键格式不正确", "Use 8 to 200 visible characters."
            )
        key = _digest(
            headers[b"authorization"], headers[HEADER], scope["method"].encode(),
            scope["path"].encode(),
        )  # fmt: skip
        body, inbound = await _taken(receive)
        request = _digest(body, scope.get("query_string", b""))
        while (running := self._running.get(key)) is not None:
            await running.wait()
        self._running[key] = done = asyncio.Event()
        try:
            answer = await self._database.run(_find(key, self._clock.now()))
            if answer is None:
                await self._act(scope, inbound, send, key, request)
            elif answer.request_sha256 != request:
                raise Conflict(
                    "idempotency-key-reused", "幂等键已用于另一请求",
                    "This key came with another body before. Take a new key for a new command.",
                )  # fmt: skip
            else:
                await _send(answer, send, repeated=True)
        finally:
            del self._running[key]
            done.set()

    async def _act(
        self, scope: Scope, receive: Receive, send: Send, key: str, request: str
    ) -> None:
        start: Message = {}
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self._app(scope, receive, collect)
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]
        ]
        answer = _Answer(request, start["status"], headers, b"".join(parts))
        # A failure of ours, and a refusal for want of a login, may end otherwise next time.
        if answer.status < 500 and answer.status not in {401, 408, 429} and (
            len(answer.body) <= MAX_ANSWER
        ):  # fmt: skip
            await self._database.run(_keep(key, answer, self._clock.now()))
        await _send(answer, send, repeated=False)


async def _taken(receive: Receive) -> tuple[bytes, Receive]:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    body = b"".join(parts)
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return body, again


async def _send(answer: _Answer, send: Send, *, repeated: bool) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if repeated:
        headers.append((b"idempotent-replayed", b"true"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _find(key: str, now: int) -> Callable[[Session], _Answer | None]:
    def work(session: Session) -> _Answer | None:
        session.execute(delete(_ROWS).where(_ROWS.c.expires_at <= now))
        row = session.get(AnswerRow, key)
        if row is None:
            return None
        headers: list[tuple[str, str]] = msgspec.json.decode(
            row.headers, type=list[tuple[str, str]]
        )
        return _Answer(row.request_sha256, row.status, headers, row.body)

    return work


def _keep(key: str, answer: _Answer, now: int) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        session.add(
            AnswerRow(
                key_sha256=key,
                request_sha256=answer.request_sha256,
                status=answer.status,
                headers=msgspec.json.encode(answer.headers).decode(),
                body=answer.body,
                expires_at=now + KEPT_MS,
            )
        )

    return work


def _digest(*parts: Any) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
