"""Opening one sealed bid with the custodians' combined value, in one pass, to a sink.

Given the public point dh = key · encapsulation, everything here is repeatable by whoever holds
the sealed file: the same bytes give the same files or the same error code. So an error is the
sealer's own, and its code with the file is the evidence (design.md, promise 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bidding.model import PackageError
from bidding.package.unpack import Expected, Sink, Unpacked, Unpacker
from crypto.age.file import open_payload
from crypto.age.header import read_header
from crypto.age.stanzas import unwrap_p256tag
from crypto.errors import AuthenticationError, FormatError, NoMatchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.age.header import Header, LineSource, P256Tag
    from crypto.age.stream import Source
    from crypto.encoding import Bytes

    class SealedFile(LineSource, Source, Protocol):
        """A buffered binary file."""


def unseal(
    sealed: SealedFile,
    recipient65: bytes,
    dh32: bytes,
    expected: Expected,
    sink: Sink,
    *,
    threads: int = 1,
    copy: Callable[[memoryview], object] | None = None,
) -> Unpacked:
    """Open a sealed bid.

    1. the header is one of a bid, its stanza for this recipient;
    2. the stanza opens with the combined value;
    3. the header's MAC holds;
    4. every chunk of the payload is authentic and the last one is there;
    5. the package fits (`Unpacker`).

    Args:
        sealed: the file from its first byte.
        recipient65: the section's key.
        dh32: x coordinate of the combined point.
        expected: what the package must say of itself.
        sink: takes the files; nothing in it counts before this returns.
        threads: 1 or 2, for the payload.
        copy: also takes the package's bytes as they come; the same holds for it.

    Raises:
        PackageError: with the code of the first step that fails.
    """
    header, stanza = _header(sealed)  # 1
    try:
        file_key = unwrap_p256tag(stanza, recipient65, dh32)  # 2
    except NoMatchError as error:
        raise _wrong("header-foreign-recipient", "密文不是为本标段加密的", error) from error
    except (AuthenticationError, FormatError) as error:
        raise _wrong("stanza-damaged", "密钥段无法解开", error) from error
    return _open(header, sealed, file_key, Unpacker(expected, sink), threads, copy)


def unseal_disclosed(
    sealed: SealedFile,
    file_key: bytes,
    expected: Expected,
    sink: Sink,
    *,
    threads: int = 1,
    copy: Callable[[memoryview], object] | None = None,
) -> Unpacked:
    """Open a sealed bid with the file key that its bidder handed over after a quorum failure.

    As `unseal` without step 2. Arguments and errors as there.
    """
    header, _ = _header(sealed)
    return _open(header, sealed, file_key, Unpacker(expected, sink), threads, copy)


def _header(sealed: SealedFile) -> tuple[Header, P256Tag]:
    try:
        header = read_header(sealed)
        return header, header.bid_stanza()
    except FormatError as error:
        raise _wrong("header-malformed", "密文头部格式不符", error) from error


def _open(
    header: Header,
    sealed: SealedFile,
    file_key: bytes,
    reader: Unpacker,
    threads: int,
    copy: Callable[[memoryview], object] | None,
) -> Unpacked:
    try:
        header.check_mac(file_key)  # 3
    except AuthenticationError as error:
        raise _wrong("header-mac", "密文头部校验失败", error) from error
    try:
        write = reader.write if copy is None else _both(reader, copy)
        open_payload(sealed, file_key, write, threads=threads)  # 4
    except (AuthenticationError, FormatError) as error:
        raise _wrong("payload-damaged", "密文内容已损坏", error) from error
    return reader.finish()  # 5


def _both(reader: Unpacker, copy: Callable[[memoryview], object]) -> Callable[[Bytes], object]:
    def write(data: Bytes) -> None:
        copy(memoryview(data))
        reader.write(memoryview(data))

    return write


def _wrong(code: str, title: str, error: Exception) -> PackageError:
    return PackageError(code, title, f"{error}.")
