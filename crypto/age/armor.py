"""ASCII armor of age files: strict PEM (RFC 7468 §3, figure 3), for files sent as text.

Only white space may stand before and behind; lines have 64 columns but the last; base64 is
canonical; LF and CRLF both end a line. Source: C2SP age.md, "ASCII armor".
"""

import base64
import io
import re
from collections.abc import Callable
from typing import Final

from crypto.encoding import unb64
from crypto.errors import FormatError

BEGIN: Final = b"-----BEGIN AGE ENCRYPTED FILE-----"
END: Final = b"-----END AGE ENCRYPTED FILE-----"

_COLUMNS: Final = 64
_LINE_BYTES: Final = 48
_SPACE: Final = b" \t\r\n"
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_BATCH: Final = 1024


def dearmor(source: io.BufferedReader) -> io.BufferedReader:
    """Return a source of the binary age file, whether `source` is armored or not.

    A binary file begins with `a`; anything that begins with white space or a dash is held to
    the armor's rules.
    """
    if source.peek(1)[:1] in (b"", b"a"):
        return source
    return io.BufferedReader(ArmorReader(source), 64 * 1024)


class ArmorReader(io.RawIOBase):
    """Decodes armor while it is read; each read may raise FormatError."""

    def __init__(self, source: io.BufferedReader) -> None:
        """Read from `source`, which stays the caller's to close."""
        self._source = source
        self._ready = b""
        self._begun = self._ended = False

    def readable(self) -> bool:
        """It can be read; nothing else."""
        return True

    def readinto(self, target: "memoryview | bytearray", /) -> int:  # type: ignore[override]
        """Fill `target` with decoded bytes; 0 only behind a sound end of the armor.

        Raises:
            FormatError: the armor breaks its rules.
        """
        if not self._begun:
            self._begin()
        if not self._ready and not self._ended:
            self._decode()
        size = min(len(target), len(self._ready))
        target[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _line(self) -> bytes:
        line = self._source.readline(_COLUMNS + 3)
        if line.endswith(b"\r\n"):
            return line[:-2]
        return line.removesuffix(b"\n")

    def _begin(self) -> None:
        self._begun = True
        while (first := self._source.read(1)) and first in _SPACE:
            pass
        if first + self._line() != BEGIN:
            raise FormatError("an armored age file begins with its BEGIN line")

    def _decode(self) -> None:
        batch: list[bytes] = []
        for _ in range(_BATCH):
            line = self._line()
            if line == END:
                self._finish()
                break
            if len(line) > _COLUMNS or len(line) % 4 or not _BASE64.fullmatch(line):
                raise FormatError("a line of the armor is not base64 of at most 64 columns")
            batch.append(unb64(line.decode("ascii")))
            if len(line) < _COLUMNS or line.endswith(b"="):
                if self._line() != END:
                    raise FormatError("a short line of the armor is not its last")
                self._finish()
                break
        self._ready = b"".join(batch)

    def _finish(self) -> None:
        self._ended = True
        while rest := self._source.read(4096):
            if rest.strip(_SPACE):
                raise FormatError("something stands behind the end of the armor")


class ArmorWriter:
    """Encodes while it is written; `close` writes the last line."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        """Write text through `write`, beginning at once."""
        self._write = write
        self._rest = b""
        write(BEGIN + b"\n")

    def write(self, data: "bytes | memoryview") -> None:
        """Take the next bytes of the binary age file."""
        whole = self._rest + data
        cut = len(whole) - len(whole) % _LINE_BYTES
        self._rest = whole[cut:]
        self._put(whole[:cut])

    def close(self) -> None:
        """Write what is left and the END line."""
        self._put(self._rest)
        self._write(END + b"\n")

    def _put(self, data: bytes) -> None:
        lines = (
            base64.b64encode(data[i : i + _LINE_BYTES]) + b"\n"
            for i in range(0, len(data), _LINE_BYTES)
        )
        self._write(b"".join(lines))
