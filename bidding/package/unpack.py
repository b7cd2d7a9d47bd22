"""Unpacking: decrypted bytes in, files to a sink, a verdict only at the very end.

What the sink got is nothing until `finish` returns: the caller keeps it out of sight before
that and throws it away when a `PackageError` comes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from bidding.model import FileEntry, Limits, MalformedError, Manifest, PackageError
from bidding.model.tender import DEFAULT_LIMITS
from bidding.package import tar
from bidding.package.summary import check_summary
from crypto import statement
from crypto.canonical import canonical, parse
from crypto.errors import CryptoError, SignatureError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bidding.model import SummaryField

MAX_MANIFEST: Final = 256 * 1024  # 200 names of 255 bytes and their hashes take 100 KiB


class Sink(Protocol):
    """Takes the files as they come; nothing of it may be shown before `finish`."""

    def begin(self, name: str, size: int) -> None:
        """A file begins."""

    def write(self, data: memoryview) -> None:
        """Take some of its bytes."""

    def end(self) -> None:
        """End the file; it is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the package must say of itself, from the submission and the tender.

    Attributes:
        key: 33 bytes, of the key that signed the submission.
        fields: of the bid summary.
    """

    centre: str
    tender: str
    section: str
    bidder: str
    parties: tuple[str, ...]
    key: bytes
    fields: Sequence[SummaryField]
    limits: Limits = DEFAULT_LIMITS


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A package in which everything fits.

    Attributes:
        manifest: as signed.
        summary: 开标一览表 in the section's order.
        manifest_sha256: of the bytes of manifest.json.
    """

    manifest: Manifest
    summary: dict[str, str]
    manifest_sha256: str


class Unpacker:
    """Reads one package fed in chunks of any size; `write` then `finish`, or an error from either.

    Args:
        expected: what it must fit.
        sink: where contents go.
    """

    def __init__(self, expected: Expected, sink: Sink) -> None:
        self._expected = expected
        self._sink = sink
        self._state: Callable[[bytes], None] = self._header
        self._need = tar.BLOCK
        self._buffer = bytearray()
        self._head = b""
        self._name = ""
        self._size = self._left = self._padding = self._manifest_size = 0
        self._digest = hashlib.sha256()
        self._entries: list[FileEntry] = []
        self._names: set[str] = set()
        self._manifest: bytes | None = None
        self._total = 0
        self._done = False

    def write(self, data: bytes | memoryview) -> int:
        """Take the next bytes; return how many, as a file does.

        Raises:
            PackageError: `package-…` with the rule that is broken.
        """
        view = memoryview(data)
        count = len(view)
        while view:
            if self._left:  # content of a file goes straight to the sink, uncopied
                part = view[: self._left]
                self._digest.update(part)
                self._sink.write(part)
                self._left -= len(part)
                view = view[len(part) :]
                if not self._left:
                    self._end_file()
            else:
                if self._done:
                    raise PackageError(
                        "package-trailing",
                        "投标文件包尾有多余数据",
                        "Bytes follow the end of the package.",
                    )
                take = min(self._need - len(self._buffer), len(view))
                self._buffer += view[:take]
                view = view[take:]
                if len(self._buffer) == self._need:
                    block, self._buffer = bytes(self._buffer), bytearray()
                    self._state(block)
        return count

    def finish(self) -> Unpacked:
        """Say that no more comes, and check what only now can be checked.

        1. the package ended where it says;
        2. the manifest is a signed statement in canonical form, by the submitting key;
        3. it names this tender, section and bidder;
        4. it lists exactly the files that came, in order, with size and hash;
        5. the bid summary fits the section's definition.

        Raises:
            PackageError: with the code of the first that does not hold.
        """
        if not self._done or self._manifest is None:  # 1
            raise PackageError(
                "package-truncated", "投标文件包不完整", "The package ends too early."
            )
        manifest = self._read_manifest(self._manifest)  # 2
        want = self._expected
        if (manifest.tender, manifest.section) != (want.tender, want.section):  # 3
            raise PackageError(
                "package-foreign-section",
                "投标文件不属于本标段",
                "It was packed for another section.",
            )
        if (manifest.bidder, manifest.parties) != (want.bidder, want.parties):
            raise PackageError(
                "package-foreign-bidder", "投标文件不属于递交人", "It was packed by another bidder."
            )
        if manifest.files != tuple(self._entries):  # 4
            raise PackageError(
                "package-hash",
                "投标文件与清单不符",
                "Names, sizes or hashes differ from the manifest's.",
            )
        summary = check_summary(manifest.summary, want.fields)  # 5
        return Unpacked(manifest, summary, hashlib.sha256(self._manifest).hexdigest())

    # One method for each kind of block; each sets what comes next.

    def _header(self, block: bytes) -> None:
        if self._manifest is not None:
            if any(block):
                raise tar.malformed("the manifest must be the last file")
            self._next(self._last_block, tar.BLOCK)
            return
        pax = tar.read_pax_size(block)
        if pax is None:
            self._begin_file(*tar.read_plain(block), block)
        elif not 0 < pax <= tar.BLOCK:
            raise tar.malformed("a pax header is empty or longer than one block")
        else:
            self._head = block
            self._next(self._pax, 2 * tar.BLOCK)

    def _pax(self, blocks: bytes) -> None:
        size = tar.read_pax_size(self._head) or 0
        name = tar.read_pax_name(blocks[:size])
        _, length = tar.read_plain(blocks[tar.BLOCK :])
        self._begin_file(name, length, self._head + blocks)

    def _begin_file(self, name: str, size: int, head: bytes) -> None:
        if tar.header(name, size) != head:
            raise tar.malformed("a header has another form than this version writes")
        self._padding = tar.padding(size)
        if name == tar.MANIFEST:
            if not 0 < size <= MAX_MANIFEST:
                raise tar.malformed(f"the manifest is empty or larger than {MAX_MANIFEST} bytes")
            self._manifest_size = size
            self._next(self._manifest_text, size + self._padding)
            return
        limits = self._expected.limits
        folded = tar.fold(tar.check_name(name, limits.name_bytes))
        self._total += size
        if folded in self._names or len(self._names) >= limits.files:
            raise PackageError(
                "package-name-twice" if folded in self._names else "package-too-large",
                "文件名重复或文件过多",
                f"Names are unique, and there are at most {limits.files} files.",
            )
        if self._total > limits.bid_bytes:
            raise PackageError("package-too-large", "投标文件超过限制", "It holds too many bytes.")
        self._names.add(folded)
        self._name, self._size, self._left = name, size, size
        self._digest = hashlib.sha256()
        self._sink.begin(name, size)
        if not size:
            self._end_file()

    def _end_file(self) -> None:
        self._sink.end()
        self._entries.append(
            FileEntry(name=self._name, size=self._size, sha256=self._digest.hexdigest())
        )
        if self._padding:
            self._next(self._zeros, self._padding)
        else:
            self._next(self._header, tar.BLOCK)

    def _zeros(self, block: bytes) -> None:
        if any(block):
            raise tar.malformed("padding is not zero")
        self._next(self._header, tar.BLOCK)

    def _manifest_text(self, blocks: bytes) -> None:
        self._manifest, rest = blocks[: self._manifest_size], blocks[self._manifest_size :]
        self._zeros(rest)

    def _last_block(self, block: bytes) -> None:
        if any(block):
            raise tar.malformed("the package does not end with two zero blocks")
        self._done = True

    def _next(self, state: Callable[[bytes], None], need: int) -> None:
        self._state, self._need = state, need

    def _read_manifest(self, text: bytes) -> Manifest:
        want = self._expected
        try:
            signed = parse(text)
            body = statement.verify(
                signed, purpose=Manifest.PURPOSE, centre=want.centre, key=want.key
            )
            if canonical(signed) != text:
                raise tar.malformed("the manifest is not in canonical form")
            return Manifest.from_body(body)
        except SignatureError as error:
            raise PackageError(
                "package-signature",
                "投标文件清单签名无效",
                "The manifest is not signed by the key that submitted the bid.",
            ) from error
        except PackageError:
            raise
        except (CryptoError, MalformedError) as error:
            raise tar.malformed("the manifest is no signed manifest of this version") from error
