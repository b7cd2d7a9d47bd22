"""WebSocket frames (RFC 6455 §5.2) as a hall needs them: one text frame out, a browser's frames in.

Without deflate a server's frame is the same bytes on every connection, so it is made once per event.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

PROTOCOL_ERROR: Final = 1002
TOO_BIG: Final = 1009

_KNOWN: Final = frozenset({0x0, TEXT, BINARY, CLOSE, PING, PONG})
_SHORT: Final = (
    126  # lengths below it stand in the second byte itself; control frames have no other
)
_LONG: Final = 65_536


class FrameError(Exception):
    """Bytes that are no frame of a client's, or one that is too long.

    Attributes:
        code: with which RFC 6455 §7.4.1 wants the connection closed.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Frame(NamedTuple):
    """A client's frame.

    Attributes:
        opcode: 0 for the continuation of a message.
        final: whether the message ends with it.
        payload: unmasked.
        end: where the next frame begins.
    """

    opcode: int
    final: bool
    payload: bytes
    end: int


@lru_cache(maxsize=64)
def frame(message: bytes) -> bytes:
    """Return the one unmasked final text frame of a server."""
    return _head(0x80 | TEXT, len(message)) + message


def control(opcode: int, payload: bytes) -> bytes:
    """Return a server's control frame; the payload has at most 125 bytes."""
    return _head(0x80 | opcode, len(payload)) + payload


def closing(code: int, reason: str = "") -> bytes:
    """Return a server's close frame."""
    return control(CLOSE, code.to_bytes(2, "big") + reason.encode()[:123])


def read(data: bytes, at: int, limit: int) -> Frame | None:
    """Read a client's frame that begins at an offset; None while some of it has still to come.

    Args:
        data: what has arrived.
        at: where the frame begins.
        limit: most bytes that its payload may have.

    Raises:
        FrameError: unmasked, reserved bits or opcodes, a control frame that is long or in parts, or
            longer than the limit; said as soon as its head is there.
    """
    if len(data) < at + 2:
        return None
    first, second = data[at], data[at + 1]
    opcode, final, size = first & 0x0F, first >= 0x80, second & 0x7F
    control_bits = opcode >= CLOSE and (size >= _SHORT or not final)
    if first & 0x70 or opcode not in _KNOWN or second < 0x80 or control_bits:
        raise FrameError(PROTOCOL_ERROR)
    at += 2
    if size >= _SHORT:
        width = 2 if size == _SHORT else 8
        if len(data) < at + width:
            return None
        size = int.from_bytes(data[at : at + width], "big")
        at += width
    if size > limit:
        raise FrameError(TOO_BIG)
    end = at + 4 + size
    if len(data) < end:
        return None
    mask = data[at : at + 4]
    return Frame(opcode, final, _unmasked(data[at + 4 : end], mask), end)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")


def _head(first: int, size: int) -> bytes:
    if size < _SHORT:
        return bytes((first, size))
    if size < _LONG:
        return bytes((first, _SHORT)) + size.to_bytes(2, "big")
    return bytes((first, _SHORT + 1)) + size.to_bytes(8, "big")
