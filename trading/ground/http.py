"""The edge of the house: what happens to every request before and after our own code.

`Edge` is pure ASGI. Coming in: the arrival stamp (of the last body byte, before anything is parsed),
the body limit, the origin of sockets. Going out: the security headers, and one form for every
refusal (RFC 9457). An error that nobody foresaw becomes 503 with a reference number; its
details go to the log only.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketState

from trading.ground.clock import rfc3339
from trading.ground.ids import new_id
from trading.ground.problems import MEDIA_TYPE, STATUS, Kind, Problem, TooLarge, Unavailable
from trading.ground.sockets import WIRE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fastapi import FastAPI
    from starlette.requests import HTTPConnection
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from trading.ground.clock import Clock

BODY_LIMIT: Final = 64 * 1024  # bytes, design.md §3; a tus PATCH is bounded by its Upload-Length
CUSTODY_LIMIT: Final = 1024 * 1024
"""A custodian answers for all bids of a section in one signed statement, some 140 bytes a bid: 64 KiB would end
below 450 of them, this holds the 4,096 acts of a section's tree."""
CUSTODY: Final = "/api/v1/custody/"
BODY_SECONDS: Final = 30  # a body of 64 KiB that takes longer holds a place against others
INTERNAL_ERROR: Final = 500
UPLOADS: Final = "/api/v1/uploads/"

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
)
"""reference/web.md §2, measured with every page; a page that starts a Worker adds its policy."""

HEADERS: Final = (
    (b"content-security-policy", (CSP + "trusted-types 'none'").encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
    (b"cache-control", b"no-store"),
)
HSTS: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")

_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


def worker_csp(policy: str) -> str:
    """Return the CSP of a page that makes one Trusted Types policy, for its Worker's address."""
    return f"{CSP}trusted-types {policy}"


class Edge:
    """The outermost ASGI application; wrap the whole FastAPI application in it.

    Args:
        app: what answers.
        clock: whose stamp decides; left in `request.state.arrival`, integer ms UTC.
        origins: further origins that browsers' sockets may come from, as `https://host`.
    """

    def __init__(self, app: ASGIApp, clock: Clock, origins: Iterable[str] = ()) -> None:
        self._app = app
        self._clock = clock
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = failed = False
        fault: Exception | None = None

        async def answer(message: Message) -> None:
            nonlocal started, failed
            if message["type"] == "http.response.start":
                # A framework's bare 500 is held back; the error itself follows as an exception.
                failed = message["status"] == INTERNAL_ERROR
                started = not failed
                message = {**message, "headers": self._headers(scope, message)}
            if not failed:
                await send(message)

        try:
            inbound = await self._arrive(scope, receive)
            if inbound is not None:
                await self._app(scope, inbound, answer)
        except Problem as problem:
            await problem_response(problem, self._clock)(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 (the last resort: nothing is shown raw)
            fault = error
        if failed or fault is not None:
            reference = new_id("err")
            _log.critical("unforeseen error %s", reference, exc_info=fault)
            if not started:
                await problem_response(unforeseen(reference), self._clock)(scope, receive, answer)

    async def _arrive(self, scope: Scope, receive: Receive) -> Receive | None:
        """Take the body in, stamp its last byte, and return a `receive` that replays it.

        Returns None when the client has gone before its last byte: nobody waits for an answer.
        """
        state = scope.setdefault("state", {})
        headers = dict(scope["headers"])
        if b"content-length" not in headers and b"transfer-encoding" not in headers:
            state["arrival"] = self._clock.now()
            return receive
        if scope["method"] == "PATCH" and scope["path"].startswith(UPLOADS):
            return self._stamping(state, receive)
        limit = CUSTODY_LIMIT if scope["path"].startswith(CUSTODY) else BODY_LIMIT
        if _length(headers) > limit:
            raise _body_too_large(limit)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        return None
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > limit:
                        raise _body_too_large(limit)
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            raise Problem(
                "body-too-slow", "请求传输过慢", "The body took longer than 30 s; send it again.",
                kind=Kind.TIMEOUT,
            ) from None  # fmt: skip
        state["arrival"] = self._clock.now()
        body = b"".join(parts)
        if _has_half_pairs(body):
            raise Problem(
                "text-half-pair", "请求含不成对的代理码位",
                "A text in the body has half of a surrogate pair (RFC 8259 §8.2); nobody can write it "
                "down or sign it. Mend it and send it again.",
                kind=Kind.INVALID, rule="RFC 8785 §3.2.2.2",
            )  # fmt: skip
        return _replay(body, receive)

    def _stamping(self, state: dict[str, Any], receive: Receive) -> Receive:
        async def stamped() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                state["arrival"] = self._clock.now()
            return message

        return stamped

    def _headers(self, scope: Scope, message: Message) -> list[tuple[bytes, bytes]]:
        given = list(message.get("headers", []))
        names = {name.lower() for name, _ in given}
        given += [(name, value) for name, value in HEADERS if name not in names]
        if scope.get("scheme") == "https":
            given.append(HSTS)
        return given

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The protocol object behind a bound `send` is what `sockets.py` hands on.
        scope[WIRE] = getattr(send, "__self__", None)
        answered = False

        async def answer(message: Message) -> None:
            nonlocal answered
            if message["type"] == "websocket.close" and not answered:
                await problem_response(_no_socket(), self._clock)(scope, receive, answer)
                return
            answered = True
            if message["type"] == "websocket.http.response.start":
                message = {**message, "headers": self._headers(scope, message)}
            await send(message)

        if not self._own(dict(scope["headers"])):
            await WebSocket(scope, receive, answer).close(1008)
            return
        try:
            await self._app(scope, receive, answer)
        except Exception:  # noqa: BLE001 (one socket's error must not show or spread)
            _log.critical("unforeseen error in a socket %s", new_id("err"), exc_info=True)
        else:
            if not answered:  # `logs` leaves out the server's own line, which a refusal has as well
                _log.error("a socket's handler ended without an answer")

    def _own(self, headers: dict[bytes, bytes]) -> bool:
        """Refuse sockets opened by a foreign page (cross-site WebSocket hijacking)."""
        origin = headers.get(b"origin")
        if origin is None:  # no browser
            return True
        host = origin.partition(b"://")[2]
        return host == headers.get(b"host") or origin.decode("latin-1") in self._origins


def problem_response(problem: Problem, clock: Clock) -> Response:
    """Return the RFC 9457 answer of a problem."""
    headers = {}
    if problem.status == STATUS[Kind.UNAUTHENTICATED]:
        headers["www-authenticate"] = "Bearer"
    if problem.status in {STATUS[Kind.TOO_MANY], STATUS[Kind.UNAVAILABLE]}:
        headers["retry-after"] = "1"
    if problem.status in {STATUS[Kind.TOO_LARGE], STATUS[Kind.TIMEOUT]}:
        headers["connection"] = "close"  # its body was not read
    document = problem.document(rfc3339(clock.now()))
    return Response(_encode(document), problem.status, headers, MEDIA_TYPE)


def install_handlers(
    app: FastAPI, clock: Clock, page: Callable[[Request, Problem], Response] | None = None
) -> None:
    """Let a FastAPI application answer every refusal as problem+json, sockets included.

    Args:
        app: whose refusals they are.
        clock: the server time in an answer.
        page: draws a refusal for whoever opened an address in a browser; programs get JSON all the same.
    """

    async def refuse(
        connection: HTTPConnection, problem: Problem, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The answer, which Starlette sends; a socket that was accepted is closed instead."""
        if isinstance(connection, WebSocket) and (
            connection.application_state is not WebSocketState.CONNECTING
        ):
            await connection.close(1008, problem.code)
            return None
        if page is not None and isinstance(connection, Request) and _by_a_person(connection):
            response = page(connection, problem)
        else:
            response = problem_response(problem, clock)
        response.headers.update(headers or {})
        return response

    async def known(connection: HTTPConnection, error: Exception) -> Any:
        assert isinstance(error, Problem)
        return await refuse(connection, error)

    async def plain(connection: HTTPConnection, error: Exception) -> Any:
        assert isinstance(error, HTTPException)
        return await refuse(connection, _plain_problem(error.status_code), error.headers)

    async def invalid(connection: HTTPConnection, error: Exception) -> Any:
        assert isinstance(error, RequestValidationError)
        return await refuse(connection, _validation_problem(error))

    app.add_exception_handler(Problem, known)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(RequestValidationError, invalid)


def _by_a_person(request: Request) -> bool:
    """Say whether a browser opens a page: it asks for HTML, at an address that is not the programs'."""
    accepted = request.headers.get("accept", "")
    return (
        request.method == "GET"
        and "text/html" in accepted
        and not request.url.path.startswith("/api/")
    )


def unforeseen(reference: str) -> Unavailable:
    """What a client is told of an error that nobody foresaw."""
    return Unavailable(
        "unforeseen",
        "系统内部错误",
        "The centre met an error it did not foresee. Tell it the reference; try again later.",
        reference=reference,
    )


def _plain_problem(status: int) -> Problem:
    kinds = {value: kind for kind, value in STATUS.items() if kind is not Kind.TOO_EARLY}
    kind = kinds.get(status, Kind.MALFORMED)
    words = {
        Kind.NOT_FOUND: ("not-found", "没有这个地址", "There is nothing at this address."),
        Kind.NOT_ALLOWED: ("method-not-allowed", "不支持该方法", "This address has other methods."),
        Kind.MALFORMED: ("request-malformed", "请求无法解析", "The request could not be read."),
    }
    code, title, detail = words.get(kind, (kind.value.replace("_", "-"), "请求被拒绝", ""))
    return Problem(code, title, detail, kind=kind)


def _validation_problem(error: RequestValidationError) -> Problem:
    errors = [
        {
            "at": "/".join(_plain(part) for part in one["loc"]),
            "rule": _plain(one["type"]),
            "says": _plain(one["msg"]),
        }
        for one in error.errors()[:20]
    ]
    return Problem(
        "request-invalid", "请求内容不符合要求", "Mend the members named in `errors` and send it again.",
        kind=Kind.INVALID, errors=errors,
    )  # fmt: skip


def _plain(part: object) -> str:
    """Foreign names may stand in a location: show them in ASCII and not at length."""
    return str(part)[:200].encode("ascii", "backslashreplace").decode("ascii")


def _has_half_pairs(body: bytes) -> bool:
    """Say whether a JSON body has a text that UTF-8 cannot carry; what is no JSON has none."""
    if not _SURROGATE.search(body):
        return False
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False  # its own handler refuses it
    return False


def _no_socket() -> Problem:
    """What is told to a handshake that is closed before it is accepted."""
    return Problem(
        "socket-refused", "连接被拒绝",
        "No socket is opened at this address, or not for this page or person.", kind=Kind.FORBIDDEN,
    )  # fmt: skip


def _length(headers: dict[bytes, bytes]) -> int:
    text = headers.get(b"content-length", b"0")
    return int(text) if len(text) < 20 and text.isdigit() else CUSTODY_LIMIT + 1


def _body_too_large(limit: int) -> TooLarge:
    return TooLarge(
        "body-too-large", "请求内容过大",
        f"Bodies hold at most {limit // 1024} KiB here; files go by upload.", limit=limit,
    )  # fmt: skip


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
