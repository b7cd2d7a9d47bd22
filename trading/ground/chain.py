r"""Events and their chain: pure, so that whoever replays or audits needs no database.

    chain = SHA-256("kaibiao/journal/v1\n" ‖ previous chain of the stream ‖ canonical row)

with 32 zero bytes before a stream's first row, and as canonical row the RFC 8785 form of
{at, body, centre, kind, seq, stream, v}.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from crypto.canonical import canonical, is_plain
from crypto.errors import CryptoError
from trading.ground.problems import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

LABEL: Final = b"kaibiao/journal/v1\n"
ZERO: Final = bytes(32)

_plain = msgspec.json.Encoder(order="sorted").encode
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,99}", re.ASCII)


class Draft(NamedTuple):
    """An event before it has its place: `at` is integer ms UTC, `body` JSON without floats."""

    stream: str
    kind: str
    body: dict[str, Any]
    at: int


class Row(NamedTuple):
    """An event in its place. `position` counts the whole journal, `seq` its stream, both from 1."""

    position: int
    stream: str
    seq: int
    at: int
    kind: str
    body: dict[str, Any]
    chain: bytes


def link(
    previous: bytes, centre: str, stream: str, seq: int, at: int, kind: str, text: bytes
) -> bytes:
    """Return the chain hash, 32 bytes, of a row whose canonical body is `text`.

    Raises:
        Invalid: stream or kind is no plain word.
    """
    return hashlib.sha256(
        b'%s%s{"at":%d,"body":%s,"centre":%s,"kind":"%s","seq":%d,"stream":"%s","v":1}'
        % (LABEL, previous, at, text, _quoted(centre), _name(kind), seq, _name(stream))
    ).digest()


def verify_row(row: Row, previous: bytes, centre: str) -> bool:
    """Say whether a row follows the stream's chain `previous` (zeros before its first row)."""
    text = text_of(row.body)
    return row.chain == link(previous, centre, row.stream, row.seq, row.at, row.kind, text)


def text_of(value: Any) -> bytes:
    """Return the canonical bytes of a JSON value, as `canonical` does, for the many rows of history.

    Raises:
        FormatError: as `canonical`.
    """
    if is_plain(value):
        try:
            return _plain(value)
        except UnicodeEncodeError:
            pass  # half of a surrogate pair: `canonical` says so
    return canonical(value)


def encode(draft: Draft) -> bytes:
    """Return the canonical body of a draft that may enter the journal.

    Raises:
        Invalid: its names are no plain words, its instant is none, or its body is not JSON.
    """
    _name(draft.stream)
    _name(draft.kind)
    body = draft.body
    if type(draft.at) is not int or draft.at < 0 or type(body) is not dict or (
        not is_plain(body) and _has_float(body)
    ):  # fmt: skip
        raise Invalid(
            "journal-draft-malformed", "事件格式不正确", "An event has an instant and an object."
        )
    try:
        return text_of(body)
    except CryptoError as error:
        raise Invalid(
            "journal-draft-malformed", "事件格式不正确", "The body is not canonical JSON."
        ) from error


def _has_float(value: object) -> bool:
    """No number of history is inexact: amounts are decimal strings, instants integers."""
    items: Iterable[object]
    if isinstance(value, dict):
        items = value.values()
    elif isinstance(value, list | tuple):
        items = value
    else:
        return isinstance(value, float)
    return any(type(item) is not str and _has_float(item) for item in items)


@lru_cache(maxsize=100_000)
def _name(text: str) -> bytes:
    if not _NAME.fullmatch(text):
        raise Invalid(
            "journal-name-malformed", "事件名称不正确", "Streams and kinds are plain words."
        )
    return text.encode("ascii")


@lru_cache(maxsize=100)
def _quoted(text: str) -> bytes:
    return canonical(text)
