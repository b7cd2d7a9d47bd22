"""Bytes that no client library sends: whatever comes, the answer is HTTP, in our form, and the centre stays."""

from __future__ import annotations

import json
import re
import socket
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.acceptance.hostile.served import Served

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = b"Host: x\r\n"
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
NONCE = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
METHODS = (
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "FROB",
)  # fmt: skip


def get(path: bytes = b"/api/v1/time", headers: bytes = b"", host: bytes = HOST) -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\n" + host + headers + b"\r\n"


def post(headers: bytes, body: bytes = b"{}", path: bytes = b"/api/v1/session/challenge") -> bytes:
    kind = b"" if b"Content-Type" in headers else b"Content-Type: application/json\r\n"
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + kind + headers + b"\r\n" + body


def sized(body: bytes, headers: bytes = b"") -> bytes:
    return post(headers + b"Content-Length: %d\r\n" % len(body), body)


UNREADABLE = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/3.0": b"GET / HTTP/3.0\r\nHost: x\r\n\r\n",
    "a word": b"G@T / HTTP/1.1\r\n" + HOST + b"\r\n",
    "no host": get(host=b""),
    "two hosts": get(host=HOST + b"Host: y\r\n"),
    "NUL in the path": get(b"/api/v1/\0time"),
    "bytes in the path": get(b"/api/v1/\xff\xfe"),
    "a space in the path": get(b"/api /v1"),
    "a long path": get(b"/" + b"a" * 70_000),
    "a long header": get(headers=b"X: " + b"a" * 70_000 + b"\r\n"),
    "a space in a name": get(headers=b"X Y: z\r\n"),
    "no colon": get(headers=b"XY\r\n"),
    "a folded header": get(headers=b"X: a\r\n b\r\n"),
    "a bare CR": get(headers=b"X: a\rSet-Cookie: b\r\n"),
    "NUL in a value": get(headers=b"X: a\0b\r\n"),
    "two lengths": post(b"Content-Length: 2\r\nContent-Length: 3\r\n", b"{}x"),
    "the same length twice": post(b"Content-Length: 2\r\nContent-Length: 2\r\n"),
    "a list of lengths": post(b"Content-Length: 2, 2\r\n"),
    "a negative length": post(b"Content-Length: -1\r\n"),
    "a signed length": post(b"Content-Length: +2\r\n"),
    "a length in words": post(b"Content-Length: two\r\n"),
    "a wide digit": post("Content-Length: ２\r\n".encode()),
    "a length of 23 digits": post(b"Content-Length: " + b"9" * 23 + b"\r\n"),
    "length and chunks": post(b"Content-Length: 4\r\n" + CHUNKED, b"2\r\n{}\r\n0\r\n\r\n"),
    "chunks, then not": post(CHUNKED + b"Transfer-Encoding: identity\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    "zipped chunks": post(b"Transfer-Encoding: gzip, chunked\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    "an unknown coding": post(b"Transfer-Encoding: xchunked\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    "a chunk without a size": post(CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n"),
    "a negative chunk": post(CHUNKED, b"-2\r\n{}\r\n0\r\n\r\n"),
    "a chunk above 2⁶⁴": post(CHUNKED, b"f" * 18 + b"\r\n{}"),
    "a chunk without its end": post(CHUNKED, b"2\r\n{}XX0\r\n\r\n"),
}
"""What the parser refuses: 400, and the connection ends."""

REFUSED = {
    "65,537 bytes": (413, sized(b" " * 65_537)),
    "65,537 bytes in one chunk": (413, post(CHUNKED, b"10001\r\n" + b"x" * 65_537 + b"\r\n0\r\n\r\n")),
    "65,537 chunks": (413, post(CHUNKED, b"1\r\nx\r\n" * 65_537 + b"0\r\n\r\n")),
    "a length of 18 digits": (413, post(b"Content-Length: " + b"9" * 18 + b"\r\n")),
    "GET with 65,537 bytes": (413, get(headers=b"Content-Length: 65537\r\n") + b"x" * 65_537),
    "65,536 bytes": (422, sized(b" " * 65_536)),
    "a trailer": (422, post(CHUNKED, b"2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n")),
    "60,000 brackets": (400, sized(b"[" * 60_000)),
    "12,000 objects in one another": (400, sized(b'{"a":' * 10_000)),
    "60,000 digits": (400, sized(b"9" * 60_000)),
    "an exponent": (422, sized(b"1e999999999")),
    "4,000 members": (422, sized(json.dumps(dict.fromkeys(map(str, range(4_000)))).encode())),
    "XML": (422, sized(b"<a/>", b"Content-Type: text/xml\r\n")),
    "a form": (422, sized(b"key=1", b"Content-Type: application/x-www-form-urlencoded\r\n")),
    "parts": (422, sized(b"--x\r\n", b"Content-Type: multipart/form-data; boundary=x\r\n")),
    "no kind of that": (422, sized(b"{}", b"Content-Type: \xff/;;\r\n")),
    "zipped": (422, sized(b"{}", b"Content-Encoding: gzip\r\n")),
    "a foreign key": (422, sized(b"{}", b"Idempotency-Key: \xff\xfe\r\n")),
    "no bearer": (401, get(b"/api/v1/proposals", b"Authorization: Bearer \xff\xfe\r\n")),
    "two bearers": (401, get(b"/api/v1/proposals", b"Authorization: Bearer a\r\n" * 2)),
    "garbage of percents": (404, get(b"/api/v1/%zz%%%1")),
    "NUL by percent": (404, get(b"/api/v1/tenders/%00")),
    "a slash by percent": (404, get(b"/api/v1/tenders/x%2fy")),
    "dots by percent": (404, get(b"/static/%2e%2e/%2e%2e/etc/passwd")),
    "dots": (404, get(b"/static/../../../etc/passwd")),
    "a slash more": (404, get(b"//api/v1/time")),
    "another's address": (404, get(b"//evil.example/%2f..")),
    "a header by percent": (404, get(b"/api/v1/tenders/%0d%0aSet-Cookie:a=b")),
    "a socket's address without one": (404, get(b"/api/v1/openings/x/live")),
    "a handshake without key": (404, get(b"/api/v1/openings/x/live", UPGRADE)),
    "a handshake of version 1": (
        404, get(b"/api/v1/openings/x/live", UPGRADE + NONCE + b"Sec-WebSocket-Version: 1\r\n"),
    ),
    "a socket where none is": (403, get(headers=UPGRADE + NONCE + b"Sec-WebSocket-Version: 13\r\n")),
    "a socket of another page": (
        403, get(b"/api/v1/openings/x/live",
                 UPGRADE + NONCE + b"Sec-WebSocket-Version: 13\r\nOrigin: https://evil.example\r\n"),
    ),
}  # fmt: skip
"""What our own code refuses, as it is declared."""


class Answer(NamedTuple):
    """One answer, taken apart by hand."""

    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, stored_by_all: str) -> Iterator[Served]:
    """A composed centre behind its real server; nobody has entered it yet."""
    with Served(tmp_path_factory.mktemp("raw") / "home") as made:
        yield made


def ask(served: Served, data: bytes) -> Answer:
    """Send bytes on a connection of their own; read one answer and nothing behind it."""
    host, _, port = served.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        try:
            line.sendall(data)
        except OSError:
            assert data, "what it answered before it hung up is read all the same"
        got = b""
        while True:
            head, ended, body = got.partition(b"\r\n\r\n")
            if ended:
                first, *rest = head.decode("latin-1").split("\r\n")
                pairs = [one.partition(": ") for one in rest]
                headers = {name.lower(): value for name, _, value in pairs}
                assert len(headers) == len(rest), rest
                size = 0 if data.startswith(b"HEAD ") else int(headers.get("content-length", 0))
                if len(body) >= size:
                    assert len(body) == size
                    return Answer(int(first.split(" ")[1]), headers, body)
            more = line.recv(65_536)
            assert more, (data[:80], got[:200])
            got += more


def judge(answer: Answer, *, empty: bool = False) -> None:
    """A refusal in our form, with the headers of every answer and nothing of the request in it."""
    assert answer.headers["content-type"] == "application/problem+json", answer
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    if not empty:
        document = json.loads(answer.body)
        assert document["status"] == answer.status
        assert document["type"].startswith("urn:kaibiao:problem:")
        assert not document["type"].endswith(":unforeseen")


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_request_is_refused_and_the_line_ends(served: Served, name: str) -> None:
    answer = ask(served, UNREADABLE[name])
    assert answer.status == 400
    assert answer.headers["connection"] == "close"
    judge(answer)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_request_of_ours_is_refused_as_declared(served: Served, name: str) -> None:
    expected, data = REFUSED[name]
    answer = ask(served, data)
    assert answer.status == expected, answer
    judge(answer)


def test_every_method_at_every_address_gets_a_declared_answer(served: Served) -> None:
    described: dict[str, Any] = served.get("/openapi.json")["paths"]
    paths = sorted({row["path"] for row in served.get("/access")["rows"]})
    assert len(paths) > 100
    for path in paths:
        filled = re.sub(r"\{[^}]+\}", "x", path)
        for method in METHODS:
            answer = ask(
                served,
                f"{method} {filled} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode(),
            )
            operation = described.get(path, {}).get(method.lower())
            foreseen = set(operation["responses"]) if operation else {"400", "401", "404", "405"}
            if method in {"GET", "HEAD"} and path not in described:  # a page, or the description
                assert answer.status in {200, 401, 404, 405}
                continue
            assert str(answer.status) in foreseen, (method, path, answer)
            if answer.status >= 400:
                judge(answer, empty=method == "HEAD")


def test_a_body_above_its_bound_is_refused_at_every_address_before_it_comes(served: Served) -> None:
    """413, declared; but for tus, whose upload is bounded by its own length, and asks who it is first."""
    for path, item in served.get("/openapi.json")["paths"].items():
        for method, operation in item.items():
            head = f"{method.upper()} {re.sub(r'{[^}]+}', 'x', path)} HTTP/1.1\r\nHost: x\r\n"
            answer = ask(served, f"{head}Content-Length: 1048577\r\n\r\n".encode())
            assert answer.status == (401 if method == "patch" else 413), (method, path, answer)
            assert str(answer.status) in operation["responses"], (method, path)
            judge(answer, empty=method == "head")


def test_the_centre_serves_on(served: Served) -> None:
    assert ask(served, get()).status == 200
    assert ask(served, get(b"/healthz")).status == 200


def test_control_a_plain_refusal_is_seen() -> None:
    plain = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    with pytest.raises(AssertionError):
        judge(Answer(400, plain, b"Invalid HTTP request received."))
