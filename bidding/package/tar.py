"""Tar headers with exactly one byte form for a name and a size.

A header is ustar (POSIX.1-1988): regular file, mode 0644, owner 0, time 0, no prefix. A name that is
not ASCII or longer than 100 bytes stands in a pax header before it, whose only keyword is `path`
(POSIX.1-2001). `tar -tf` of any vendor reads it. Readers here re-make the header and compare, so
that there is no second way to write a package and nothing to hide in one.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from bidding.model import PackageError
from bidding.model.tender import MAX_NAME_BYTES

BLOCK: Final = 512
END: Final = bytes(2 * BLOCK)  # two zero blocks, and not a byte after them
MANIFEST: Final = "manifest.json"

_PLAIN_NAME: Final = 100
_PAX_NAME: Final = "PaxHeader"
_PAX_BODY_NAME: Final = "file"  # shown only by tools older than pax
_MAX_SIZE: Final = 8**11 - 1


def check_name(name: str, limit: int = MAX_NAME_BYTES) -> str:
    """Return a file name if a package may hold it.

    Args:
        name: relative, parts separated by `/`; display data only, nothing is stored under it.
        limit: most bytes of its UTF-8 form.

    Raises:
        PackageError: empty, too long, absolute, with an empty, `.` or `..` part, a backslash or a
            control character, or the manifest's own name.
    """
    parts = name.split("/")
    try:
        length = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        length = limit + 1
    if (
        not 1 <= length <= limit
        or any(part in {"", ".", ".."} for part in parts)
        or "\\" in name
        or any(unicodedata.category(character) == "Cc" for character in name)
        or fold(name) == MANIFEST
    ):
        raise PackageError(
            "package-name",
            "投标文件内的文件名不符合要求",
            f"A name is relative, of at most {limit} bytes, without .., backslash or control "
            f"characters, and not {MANIFEST}.",
        )
    return name


def fold(name: str) -> str:
    """Return what makes names equal: two that differ only in case would collide on some disks."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def header(name: str, size: int) -> bytes:
    """Return the header of one file: 512 bytes, or 1,536 with a pax path.

    Args:
        name: checked name, or the manifest's.
        size: bytes of content, 0 to 8 GiB - 1.
    """
    if name.isascii() and len(name) <= _PLAIN_NAME:
        return _ustar(name, size, b"0")
    record = _pax_record(name)
    return (
        _ustar(_PAX_NAME, len(record), b"x")
        + record.ljust(_padded(len(record)), b"\0")
        + _ustar(_PAX_BODY_NAME, size, b"0")
    )


def padding(size: int) -> int:
    """Return how many zero bytes follow a content of `size` bytes."""
    return -size % BLOCK


def read_pax_size(block: bytes) -> int | None:
    """Return the size of the pax record that follows, or None when the block is no pax header."""
    if block[156:157] != b"x":
        return None
    return _size_field(block)


def read_pax_name(record: bytes) -> str:
    """Return the path out of a pax record.

    Raises:
        PackageError: anything but one `path` in its shortest form.
    """
    try:
        name = record.split(b"path=", 1)[1].removesuffix(b"\n").decode("utf-8")
    except (IndexError, UnicodeDecodeError):
        raise malformed("a pax header holds one path in UTF-8 and nothing else") from None
    if _pax_record(name) != record:
        raise malformed("a pax header holds one path and nothing else")
    return name


def read_plain(block: bytes) -> tuple[str, int]:
    """Return name and size out of a ustar block; the caller compares with `header`.

    Raises:
        PackageError: no readable name or size.
    """
    name = block[:_PLAIN_NAME].rstrip(b"\0")
    if not name or not name.isascii():
        raise malformed("a header's name is empty or not ASCII")
    return name.decode("ascii"), _size_field(block)


def malformed(detail: str) -> PackageError:
    """Return the error for bytes that no packer of this version writes."""
    return PackageError("package-malformed", "投标文件包格式不符", f"{detail}.")


def _size_field(block: bytes) -> int:
    digits = block[124:135]
    if not all(48 <= digit <= 55 for digit in digits) or block[135:136] != b"\0":
        raise malformed("a header's size is not eleven octal digits")
    return int(digits, 8)


def _pax_record(name: str) -> bytes:
    content = b" path=" + name.encode("utf-8") + b"\n"
    length = len(content)
    while len(str(length)) + len(content) != length:  # its own digits count
        length = len(str(length)) + len(content)
    return str(length).encode("ascii") + content


def _padded(size: int) -> int:
    return size + padding(size)


def _ustar(name: str, size: int, kind: bytes) -> bytes:
    if not 0 <= size <= _MAX_SIZE:
        raise malformed("a file is larger than a header can say")
    fields = (
        name.encode("ascii").ljust(100, b"\0"),
        b"0000644\0",
        b"0000000\0",
        b"0000000\0",
        b"%011o\0" % size,
        b"00000000000\0",
        b"        ",  # the checksum counts its own field as spaces
        kind,
        bytes(100),
        b"ustar\x0000",
        bytes(32),
        bytes(32),
        b"0000000\0",
        b"0000000\0",
        bytes(167),
    )
    block = b"".join(fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]
