"""One keep-alive HTTP connection to a centre: JSON in, JSON out, problems as exceptions.

Not here: what the calls mean. Nothing is retried here except a connection that the server closed while it
was idle: whether a request may be repeated is known only to the caller.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol, Self
from urllib.parse import urlencode, urlsplit

from clients.errors import ClientError, IncompleteError
from clients.sdk import sentences as say

API = "/api/v1"
TIMEOUT_SECONDS = 30
MAX_ANSWER = 64 * 1024 * 1024  # a centre's answer is read whole; more than this is not an answer


class WireError(IncompleteError):
    """The centre could not be reached or answered nonsense; try again later."""


class RefusedError(ClientError):
    """The centre refused, in the form of RFC 9457.

    Attributes:
        status: HTTP status code.
        code: the stable code, last part of ``urn:kaibiao:problem:<code>``; ``http-<status>`` when absent.
        body: the whole problem document.
    """

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.body = dict(body)
        kind = str(body.get("type", ""))
        self.code = kind.rsplit(":", 1)[-1] if ":problem:" in kind else f"http-{status}"
        told = [str(body[name]) for name in ("title", "detail") if body.get(name)]
        words = " · ".join(told) or say.NO_REASON()
        super().__init__(f"{words} [{self.code}]")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read whole. ``headers`` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            WireError: the body is not JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise WireError(say.NOT_JSON()) from error


Body = bytes | BinaryIO | Iterable[bytes] | None


class Transport(Protocol):
    """What carries one request; tests put a centre of their own behind it."""

    def send(self, method: str, path: str, headers: Mapping[str, str], body: Body) -> Answer:
        """Carries one request to its answer; raises WireError when there is none."""
        ...

    def close(self) -> None:
        """Gives the connection back."""
        ...


@dataclass
class Connection:
    """A Transport over TCP or TLS. Not for use from two threads at once.

    Args:
        server: base URL, ``http://host:port`` or ``https://…``; a path is kept as prefix.
        timeout: seconds that a single read or write may last.
    """

    server: str
    timeout: float = TIMEOUT_SECONDS
    _http: http.client.HTTPConnection | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.server)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise WireError(say.NO_ADDRESS(server=self.server))
        self._parts = parts

    def _open(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self.timeout, context=context)
        return http.client.HTTPConnection(host, port, timeout=self.timeout)

    def send(self, method: str, path: str, headers: Mapping[str, str], body: Body) -> Answer:
        """Sends one request; an idle connection closed by the server is opened once more.

        Raises:
            WireError: no answer (refused, cut, timed out, too long).
        """
        fresh = self._http is None
        try:
            return self._exchange(method, path, headers, body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            self.close()
            # Only whole bytes can be sent again; a file has been read from already.
            if fresh or not (body is None or isinstance(body, bytes)):
                raise WireError(say.CUT(error=error)) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise WireError(say.SILENT(server=self.server, error=error)) from error
        try:
            return self._exchange(method, path, headers, body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise WireError(say.SILENT(server=self.server, error=error)) from error

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: Body) -> Answer:
        if self._http is None:
            self._http = self._open()
        self._http.request(
            method, self._parts.path.rstrip("/") + path, body=body, headers=dict(headers)
        )
        response = self._http.getresponse()
        data = response.read(MAX_ANSWER + 1)
        if len(data) > MAX_ANSWER:
            self.close()
            raise WireError(say.ANSWER_TOO_LONG(limit=MAX_ANSWER))
        named = {name.lower(): value for name, value in response.getheaders()}
        if named.get("connection", "").lower() == "close":
            self.close()
        return Answer(response.status, named, data)

    def close(self) -> None:
        """Closes the connection; the next request opens a new one."""
        if self._http is not None:
            self._http.close()
            self._http = None


@dataclass
class Centre:
    """A centre, as its HTTP interface ``/api/v1`` shows it.

    Args:
        transport: what carries the requests.
        origin: the address as browsers write it; signed at login.
        token: bearer token of a login session, or None for public reads.
        login: opens a session anew when the centre says that there is none (401).
    """

    transport: Transport
    origin: str = ""
    token: str | None = None
    login: Callable[[Centre], object] | None = None

    @classmethod
    def at(cls, server: str, *, timeout: float = TIMEOUT_SECONDS) -> Centre:
        """A centre at a base URL."""
        parts = urlsplit(server)
        return cls(Connection(server, timeout), f"{parts.scheme}://{parts.netloc}".lower())

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One JSON call below ``/api/v1``; returns the decoded answer, None for an empty one.

        Raises:
            RefusedError: the centre refused (status 400 and above).
            WireError: no answer, or one that is not JSON.
        """
        payload = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        sent = {"Accept": "application/json", **(headers or {})}
        if payload is not None:
            sent["Content-Type"] = "application/json"
        answer = self.raw(method, path, payload, query=query, headers=sent)
        return answer.json() if answer.body else None

    def raw(
        self,
        method: str,
        path: str,
        body: Body = None,
        *,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call with a body of any kind; refusals are raised as in `call`."""
        target = API + path + ("?" + urlencode(query) if query else "")
        answer = self._send(method, target, headers, body)
        renew = self.login
        if answer.status == 401 and renew is not None and (body is None or isinstance(body, bytes)):
            self.login = None  # logging in asks the centre too; it must not begin again
            try:
                renew(self)
            finally:
                self.login = renew
            answer = self._send(method, target, headers, body)
        if answer.status >= 400:
            raise RefusedError(answer.status, _problem(answer))
        return answer

    def _send(
        self, method: str, target: str, headers: Mapping[str, str] | None, body: Body
    ) -> Answer:
        sent = dict(headers or {})
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        return self.transport.send(method, target, sent, body)

    def about(self) -> dict[str, Any]:
        """``GET /centre``: id, name, keys, log key, server time, rule set."""
        return dict(self.call("GET", "/centre"))

    def __enter__(self) -> Self:
        """Returns itself; whatever happens in the block, the connection is closed after it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the connection."""
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self.transport.close()


def _problem(answer: Answer) -> dict[str, Any]:
    """The problem document of a refusal; an answer of some proxy becomes one."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    return {
        "title": f"HTTP {answer.status}",
        "detail": answer.body[:200].decode("utf-8", "replace"),
    }
