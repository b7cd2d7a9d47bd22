"""The dossiers of a home: one folder of bags, handed out as ZIP files that are made while they are sent.

A dossier is there when its public rendition is; the full one was in its place before. What a killed process
left unfinished is swept away when the folder is opened.
"""

from __future__ import annotations

import shutil
import threading
import zipfile
from typing import TYPE_CHECKING, Final

from documents.bag import FULL, PUBLIC, Directory
from documents.dossier import SCRATCH, Contents, bag_name, write_both
from trading.ground.problems import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK: Final = 1 << 20
_ENDING: Final = f"-{PUBLIC}.bag"
_EPOCH: Final = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # the earliest a ZIP can say; the same bag gives the same bytes


class Shelf:
    """Dossiers in one folder, which this process owns. All calls block: run them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = threading.Lock()
        for left in folder.glob(f"{SCRATCH}*"):
            shutil.rmtree(left, ignore_errors=True)

    def put(self, contents: Contents) -> tuple[Path, Path]:
        """Write both renditions and return their folders, the public one first; one dossier at a time.

        Raises:
            DocumentError: when there is one already, or a name is outside the layout.
        """
        with self._turn:
            return write_both(contents, self._folder)

    def subjects(self) -> list[str]:
        """Return the ids of sections and sessions that have a dossier."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name.removesuffix(_ENDING) for path in self._folder.glob(f"*{_ENDING}"))

    def holds(self, subject: str) -> bool:
        """Say whether there is a dossier of a section or session."""
        return subject in self.subjects()  # compared whole: no path is built from a foreign name

    def public_zip(self, subject: str) -> Iterator[bytes]:
        """Return the public rendition as a ZIP file with one top folder, piece by piece.

        Raises:
            NotFound: there is no dossier of this section or session.
        """
        return self._zip(subject, PUBLIC)

    def full_zip(self, subject: str) -> Iterator[bytes]:
        """Return the full rendition, with which bids can be read; as `public_zip`."""
        return self._zip(subject, FULL)

    def _zip(self, subject: str, rendition: str) -> Iterator[bytes]:
        if not self.holds(subject):
            raise NotFound("no-such-dossier", "没有这个归档包", "There is no dossier of this id.")
        name = bag_name(subject, rendition)
        return _zipped(Directory(self._folder / name), name)


class _Pipe:
    """What a ZIP writer writes to: gives what has come, and cannot seek back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is kept open."""

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def _zipped(folder: Directory, top: str) -> Iterator[bytes]:
    """Give a ZIP of a folder, stored: hashes, ciphertext and PDF do not shrink."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for inside in folder.names():
            entry = zipfile.ZipInfo(f"{top}/{inside}", _EPOCH)
            entry.external_attr = 0o644 << 16
            with (
                folder.open(inside) as file,
                archive.open(entry, "w", force_zip64=True) as target,
            ):
                while chunk := file.read(CHUNK):
                    target.write(chunk)
                    yield pipe.take()
    yield pipe.take()
