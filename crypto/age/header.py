"""The textual header of an age v1 file: strict grammar, stanzas, header MAC.

    age-encryption.org/v1
    -> p256tag 4-byte-tag 65-byte-encapsulation
    32-byte-body
    --- 32-byte-MAC

One header has one byte form: whatever is read here is written back alike, so that neither spaces
nor base64 tricks make two files of one. Source: C2SP age.md, "Header" and its ABNF.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Protocol

from crypto import hkdf
from crypto.encoding import b64raw, unb64raw
from crypto.errors import AuthenticationError, FormatError
from crypto.hpke import load_point

VERSION_LINE: Final = b"age-encryption.org/v1\n"
MAX_HEADER_BYTES: Final = 64 * 1024
"""A bid's header has about 220 bytes, a hybrid stanza 2,000; more is an attack on memory."""

FILE_KEY_BYTES: Final = 16
MAC_BYTES: Final = 32
P256TAG: Final = "p256tag"
GREASE_SUFFIX: Final = "-grease"

_COLUMNS: Final = 64
_MARK: Final = b"---"
_ARGUMENTS: Final = re.compile(rb"-> [!-~]+(?: [!-~]+)*\n")
_BODY_LINE: Final = re.compile(rb"[A-Za-z0-9+/]{0,64}\n")
_END_LINE: Final = re.compile(rb"--- ([A-Za-z0-9+/]{43})\n")


class LineSource(Protocol):
    """What a header is read from: a buffered binary file; reading stops right behind the MAC."""

    def readline(self, size: int, /) -> bytes:
        """Return up to `size` bytes, at most to the next line feed."""
        ...


class P256Tag(NamedTuple):
    """What a p256tag stanza says, lengths and curve checked."""

    tag: bytes
    """4 bytes derived from encapsulation and recipient: for whom the stanza claims to be."""
    enc: bytes
    """The HPKE encapsulation, 65 bytes uncompressed."""
    body: bytes
    """The wrapped file key, 32 bytes."""


@dataclass(frozen=True)
class Stanza:
    """One wrapping of the file key: type, arguments and body."""

    type: str
    arguments: tuple[str, ...]
    body: bytes

    def to_bytes(self) -> bytes:
        """Return the stanza's lines, the last one shorter than 64 columns (it may be empty)."""
        text = b64raw(self.body)
        lines = [text[i : i + _COLUMNS] for i in range(0, len(text) + 1, _COLUMNS)]
        first = " ".join(("->", self.type, *self.arguments))
        return "\n".join([first, *lines, ""]).encode("ascii")

    def p256tag(self) -> P256Tag:
        """Read this stanza as a p256tag.

        Raises:
            FormatError: not this type, or an argument or the body has another length, or the
                encapsulation is not a point on P-256.
        """
        if self.type != P256TAG:
            raise FormatError(f"the stanza is of type {self.type}, not p256tag")
        if len(self.arguments) != 2:
            raise FormatError("a p256tag stanza has a tag and an encapsulation, nothing else")
        tag, enc = (unb64raw(argument) for argument in self.arguments)
        if len(tag) != 4 or len(self.body) != FILE_KEY_BYTES + 16:
            raise FormatError("the tag or the body of a p256tag stanza has a wrong length")
        load_point(enc)
        return P256Tag(tag, enc, self.body)


@dataclass(frozen=True)
class Header:
    """A whole header, as read or as made.

    Attributes:
        stanzas: in the order of the file, at least one.
        mac: 32 bytes, not yet checked; `check_mac` does.
    """

    stanzas: tuple[Stanza, ...]
    mac: bytes

    @classmethod
    def make(cls, stanzas: Sequence[Stanza], file_key: bytes) -> "Header":
        """Return the header of these stanzas with its MAC."""
        return cls(tuple(stanzas), _mac(file_key, _mac_input(stanzas)))

    @cached_property
    def raw(self) -> bytes:
        """The header's bytes, byte for byte those that were read."""
        return _mac_input(self.stanzas) + f" {b64raw(self.mac)}\n".encode("ascii")

    def check_mac(self, file_key: bytes) -> None:
        """Check that `file_key` is this file's key and the header is as its maker left it.

        Raises:
            AuthenticationError: the key is another, or the header was changed.
        """
        if not hmac.compare_digest(_mac(file_key, _mac_input(self.stanzas)), self.mac):
            raise AuthenticationError(
                "the header MAC does not fit: another key or a changed header"
            )

    def p256tag(self) -> P256Tag:
        """Return the only p256tag stanza.

        Raises:
            FormatError: there is none, there are several, or it is malformed.
        """
        found = [stanza for stanza in self.stanzas if stanza.type == P256TAG]
        if len(found) != 1:
            raise FormatError(f"exactly one p256tag stanza is wanted, there are {len(found)}")
        return found[0].p256tag()

    def bid_stanza(self) -> P256Tag:
        """Return the p256tag stanza of a sealed bid (docs/spec/sealed-bid-v1.md §2).

        A second key to a bid would be a second opener, so beside the one stanza only types ending
        in `-grease` are allowed; stock age tools add them and nobody can open them.

        Raises:
            FormatError: as `p256tag`, or a foreign stanza stands in the header.
        """
        foreign = [
            stanza.type
            for stanza in self.stanzas
            if stanza.type != P256TAG and not stanza.type.endswith(GREASE_SUFFIX)
        ]
        if foreign:
            raise FormatError(f"a sealed bid may not hold a stanza of type {foreign[0]}")
        return self.p256tag()


def read_header(source: LineSource) -> Header:
    """Read a header; the source then stands at the payload's nonce.

    Args:
        source: a buffered binary file, not armored (see `crypto.age.armor`).

    Raises:
        FormatError: the bytes do not follow the grammar, or there are more than
            `MAX_HEADER_BYTES` of them.
    """
    lines = _Lines(source)
    if lines.next() != VERSION_LINE:
        raise FormatError("not an age v1 file: its first line is not age-encryption.org/v1")
    stanzas: list[Stanza] = []
    line = lines.next()
    while line.startswith(b"-> "):
        stanzas.append(_read_stanza(line, lines))
        line = lines.next()
    end = _END_LINE.fullmatch(line)
    if end is None:
        raise FormatError("the age header has a line that is neither a stanza nor its MAC")
    if not stanzas:
        raise FormatError("the age header has no stanza")
    return Header(tuple(stanzas), unb64raw(end[1].decode("ascii")))


class _Lines:
    """Lines of a header within the bound on its size."""

    def __init__(self, source: LineSource) -> None:
        self._source = source
        self._left = MAX_HEADER_BYTES

    def next(self) -> bytes:
        line = self._source.readline(self._left)
        self._left -= len(line)
        if not line.endswith(b"\n"):
            raise FormatError("the age header is cut off or too long")
        return line


def _read_stanza(first: bytes, lines: _Lines) -> Stanza:
    if _ARGUMENTS.fullmatch(first) is None:
        raise FormatError("a stanza's arguments are printable words with one space between")
    kind, *arguments = first[3:-1].decode("ascii").split(" ")
    body: list[bytes] = []
    while True:
        line = lines.next()
        if _BODY_LINE.fullmatch(line) is None:
            raise FormatError("a stanza's body is base64 of at most 64 columns, with a short end")
        body.append(line[:-1])
        if len(line) <= _COLUMNS:  # shorter than 64 columns and a line feed: the last one
            break
    return Stanza(kind, tuple(arguments), unb64raw(b"".join(body).decode("ascii")))


def _mac_input(stanzas: Sequence[Stanza]) -> bytes:
    """Everything up to and including the three dashes (age.md, "Header MAC")."""
    return b"".join([VERSION_LINE, *(stanza.to_bytes() for stanza in stanzas), _MARK])


def _mac(file_key: bytes, data: bytes) -> bytes:
    return hmac.digest(hkdf.derive(file_key, b"", b"header"), data, "sha256")
