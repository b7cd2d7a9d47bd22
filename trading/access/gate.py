"""The gate: every request and socket is judged by its row before any handler sees it.

Pure ASGI, so that routes of every kind pass through it. What it lets through carries who is
acting; handlers take `Depends(actor)`. Whose object it is, and in which phase, the services ask.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, Protocol

from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from trading.access.table import PUBLIC, WS, Access, Rule
from trading.ground.clock import Clock
from trading.ground.http import problem_response
from trading.ground.problems import Problem
from trading.model import Actor, ForbiddenError, LoginError, Role
from trading.model import Scope as Power

TICKET: Final = "ticket."
"""Prefix of the WebSocket subprotocol that carries a one-time ticket; never in a URL."""

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Login(Protocol):
    """An open session, as the gate knows it."""

    @property
    def actor(self) -> Actor:
        """Who is acting."""
        ...


class Logins(Protocol):
    """Who can turn what a request carries into an open session."""

    def by_token(self, token: str) -> Login | None:
        """The session of a bearer token, None if there is none that holds."""
        ...

    def by_ticket(self, ticket: str) -> Login | None:
        """The session of a one-time ticket, which is used up; None if it does not hold."""
        ...

    def allows(self, who: Actor, scope: Power, where: Collection[str] = ()) -> bool:
        """Whether somebody may act for a bidder in a scope now; `where`: words that name what in."""
        ...


class Gate:
    """ASGI middleware that admits by the access table.

    Args:
        app: what lies behind.
        access: the joined table.
        logins: turns tokens and tickets into sessions.
        clock: for the time in a refusal.
        origins: origins that browsers may speak from besides the server's own.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        logins: Logins,
        clock: Clock,
        origins: Sequence[str] = (),
    ) -> None:
        self._app = app
        self._access = access
        self._logins = logins
        self._clock = clock
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one request or socket; anything else (lifespan) passes."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        method = WS if scope["type"] == "websocket" else scope["method"]
        rule = self._access.match(method, scope["path"])
        try:
            self._admit(scope, method, rule)
        except Problem as problem:
            await self._refuse(scope, receive, send, problem)
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope, method: str, rule: Rule | None) -> None:
        headers = Headers(scope=scope)
        if method not in SAFE:
            self._check_origin(scope, headers)
        if rule is None:  # no such route: the router answers 404 or 405, no handler runs
            return
        login = self._login(headers)
        if login is not None:
            scope.setdefault("state", {}).update(login=login, actor=login.actor)
        if rule.roles is PUBLIC:
            return
        if login is None:
            raise LoginError(
                "login-needed",
                "请先登录",
                "This needs a session: sign a challenge (POST /api/v1/session/challenge).",
            )
        if login.actor.role not in rule.roles:
            raise ForbiddenError(
                "role-not-allowed",
                "当前角色无权进行此操作",
                f"The role {login.actor.role} may not do this; the access table says who may.",
            )
        if login.actor.role is Role.DELEGATE and rule.scope is not None:
            self._check_power(login.actor, rule.scope, scope["path"].split("/"))

    def _check_power(self, who: Actor, scope: Power, where: Collection[str]) -> None:
        if not self._logins.allows(who, scope, where):
            raise ForbiddenError(
                "delegation-missing",
                "委托权限不足或已到期",
                f"This delegate may not do this here and now: it takes a delegation for {scope}, "
                "signed by the bidder's own key.",
                rule="民法典 165",
            )

    def _login(self, headers: Headers) -> Login | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return self._logins.by_token(token)
        for protocol in headers.get("sec-websocket-protocol", "").split(","):
            if (name := protocol.strip()).startswith(TICKET):
                return self._logins.by_ticket(name.removeprefix(TICKET))
        return None

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        # Only browsers send it, and they cannot be made to lie about it (RFC 6454 §7.3).
        origin = headers.get("origin")
        if origin is None or origin in self._origins:
            return
        secure = scope.get("scheme") in ("https", "wss")
        if origin != f"{'https' if secure else 'http'}://{headers.get('host', '')}":
            raise ForbiddenError(
                "origin-foreign",
                "请求来源不被允许",
                "A page of another site sent this. Open the centre's own page.",
            )

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, problem: Problem) -> None:
        response = problem_response(problem, self._clock)
        if scope["type"] == "http":
            await response(scope, receive, send)
        else:
            await WebSocket(scope, receive, send).send_denial_response(response)


def guard(
    app: FastAPI,
    rows: Iterable[Rule],
    logins: Logins,
    clock: Clock,
    origins: Sequence[str] = (),
) -> Gate:
    """Join the rows, compare them with the application, and put the gate before it.

    The joined table stays at `app.state.access`, from where it is printed.

    Raises:
        ConflictError: table and routes differ; the centre does not start.
    """
    access = Access(rows)
    access.check(app)
    app.state.access = access
    return Gate(app, access, logins, clock, origins)


def known(scope: Scope) -> bool:
    """Whether a request that came through the gate has a caller with an open session."""
    return isinstance(scope.get("state", {}).get("actor"), Actor)


def actor(connection: HTTPConnection) -> Actor:
    """Dependency: who is acting.

    Raises:
        LoginError: nobody is logged in (only possible on a public route).
    """
    found: Any = connection.scope.get("state", {}).get("actor")
    if not isinstance(found, Actor):
        raise LoginError("login-needed", "请先登录", "This needs a session: log in first.")
    return found


def maybe_actor(connection: HTTPConnection) -> Actor | None:
    """Dependency of a public route: who is acting, if somebody is logged in."""
    found = connection.scope.get("state", {}).get("actor")
    return found if isinstance(found, Actor) else None
