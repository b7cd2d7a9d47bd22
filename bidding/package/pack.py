"""Packing: files in, tar bytes out, one pass, constant memory.

The manifest comes last because it holds the hashes of what went before; so a bid is packed,
sealed and hashed inside and outside while each file is read once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bidding.model import FileEntry, Limits, Manifest, PackageError, TooLargeError
from bidding.model.tender import DEFAULT_LIMITS
from bidding.package import tar
from crypto.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Source:
    """One file to pack.

    Attributes:
        name: as the manifest will list it.
        size: bytes it must have; a file that changes meanwhile is refused.
        chunks: gives its content; called once.
    """

    name: str
    size: int
    chunks: Callable[[], Iterable[bytes]]


def pack(
    sources: Sequence[Source],
    manifest: Manifest,
    sign: Callable[[dict[str, Any]], dict[str, Any]],
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[bytes]:
    """Yield the package's bytes.

    Args:
        sources: the files, in the order they are to stand in.
        manifest: with `files` empty; they are filled in here.
        sign: returns the signed form of the manifest's body, as
            `lambda body: statement.sign(key, Manifest.PURPOSE, centre, body)`.
        limits: of the tender file.

    Raises:
        PackageError: a bad or repeated name, or a file whose size is not what was said.
        TooLargeError: too many files or bytes.
    """
    _check(sources, limits)
    entries: list[FileEntry] = []
    for source in sources:
        yield tar.header(source.name, source.size)
        digest, size = hashlib.sha256(), 0
        for chunk in source.chunks():
            digest.update(chunk)
            size += len(chunk)
            if size > source.size:
                break
            yield chunk
        if size != source.size:
            raise PackageError(
                "package-file-changed",
                "文件在打包时发生变化",
                f"{source.name} has not the {source.size} bytes it had; pack it again.",
            )
        yield bytes(tar.padding(size))
        entries.append(FileEntry(name=source.name, size=size, sha256=digest.hexdigest()))
    text = canonical(sign(replace(manifest, files=tuple(entries)).to_body()))
    yield tar.header(tar.MANIFEST, len(text))
    yield text
    yield bytes(tar.padding(len(text)))
    yield tar.END


def _check(sources: Sequence[Source], limits: Limits) -> None:
    if not sources:
        raise PackageError("package-empty", "投标文件为空", "A bid has at least one file.")
    if len(sources) > limits.files or sum(s.size for s in sources) > limits.bid_bytes:
        raise TooLargeError(
            "package-too-large",
            "投标文件超过限制",
            f"A bid has at most {limits.files} files and {limits.bid_bytes} bytes.",
        )
    seen: set[str] = set()
    for source in sources:
        folded = tar.fold(tar.check_name(source.name, limits.name_bytes))
        if folded in seen:
            raise PackageError(
                "package-name-twice", "文件名重复", "Two files of the bid have the same name."
            )
        seen.add(folded)
