"""The files of a dossier, wherever they lie; read in constant memory, or whole up to a bound."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol

from documents.model import DocumentError

ALGORITHMS = ("sha256", "sha512")
MAX_READ = 1 << 30
"""Bytes of a file that is read whole; the events of a hundred thousand offers have a tenth of it."""

_CHUNK = 1 << 20


class Folder(Protocol):
    """Files by their path with forward slashes; nothing else is in it."""

    def names(self) -> list[str]:
        """Return all paths, sorted."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Open one file for reading."""
        ...


class Directory:
    """A folder on disk. Links and special files are refused: what they show is not in the bag."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> list[str]:
        """Return all paths, sorted.

        Raises:
            DocumentError: for anything that is neither file nor folder, for an empty folder and for one
                that cannot be read.
        """
        found: list[str] = []
        for folder, folders, files in os.walk(self._root, onerror=_unreadable):
            here = Path(folder)
            entries = [here / name for name in (*folders, *files)]
            strange = [
                path
                for path in entries
                if path.is_symlink() or not (path.is_dir() or path.is_file())
            ]
            if strange or not entries:
                raise DocumentError(f"{(strange or [here])[0].name} does not belong into a dossier")
            found += [(here / name).relative_to(self._root).as_posix() for name in files]
        return sorted(found)

    def open(self, name: str) -> BinaryIO:
        """Open one file for reading."""
        return (self._root / name).open("rb")


def read_whole(file: BinaryIO, name: str) -> bytes:
    """Return what a file holds, if that is no more than a dossier's own files may hold.

    Raises:
        DocumentError: it is larger than `MAX_READ`.
    """
    data = file.read(MAX_READ + 1)
    if len(data) > MAX_READ:
        raise DocumentError(f"{name} has more than {MAX_READ} bytes")
    return data


def digests(file: BinaryIO) -> tuple[dict[str, str], int]:
    """Return the hex digests of a file by algorithm, and its size in bytes."""
    hashes = {name: hashlib.new(name) for name in ALGORITHMS}
    size = 0
    while chunk := file.read(_CHUNK):
        size += len(chunk)
        for one in hashes.values():
            one.update(chunk)
    return {name: one.hexdigest() for name, one in hashes.items()}, size


def _unreadable(error: OSError) -> NoReturn:
    raise DocumentError(f"a folder of the dossier cannot be read: {error.strerror}") from error
