"""Content store: large files kept twice, found by a random name, believed only by their hash.

A name says nothing of the content and gives no order. Whoever keeps a `Blob` (in the journal)
keeps its SHA-256; every read compares it, and a copy that differs is replaced from another one
before anybody speaks of a damaged bid. All calls block: run them in a thread.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from trading.ground.ids import check_id, new_id
from trading.ground.problems import NotFound, StorageFailed, StorageFull, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

REPLICAS: Final = 2
CHUNK: Final = 1024 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Blob(NamedTuple):
    """A kept file: its random name, the SHA-256 of its bytes in hexadecimal, its size in bytes."""

    name: str
    sha256: str
    size: int


class CorruptBlob(Unavailable):
    """No copy has the bytes that were kept. That is the centre's fault, never the bidder's."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "blob-corrupt",
            "存储副本全部损坏",
            "Every stored copy differs from its hash. The centre must restore one from a backup.",
            blob=name,
        )


class Blobs:
    """The store in one directory: `1/`, `2/` … hold one copy each and may be other volumes.

    Args:
        root: the directory; made if it is absent.
        replicas: how many copies are kept, ≥ 1.
    """

    def __init__(self, root: Path, replicas: int = REPLICAS) -> None:
        self._places = [root / str(number + 1) for number in range(replicas)]
        self._arriving = root / "arriving"
        with _storage():
            for place in (*self._places, self._arriving):
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in self._arriving.iterdir():  # of a process that was killed while writing
                left.unlink()

    def writer(self) -> BlobWriter:
        """Begin a blob; use it as a context manager, so that a failure leaves nothing."""
        return BlobWriter(self, self._arriving / new_id("part"))

    def put(self, chunks: bytes | Iterable[bytes]) -> Blob:
        """Keep bytes, all copies durable when it returns.

        Raises:
            StorageFull: no room; nothing was kept.
        """
        with self.writer() as writer:
            for chunk in (chunks,) if isinstance(chunks, bytes) else chunks:
                writer.write(chunk)
            return writer.finish()

    def adopt(self, path: Path, name: str = "") -> Blob:
        """Take over a finished file of the same volume (an upload); its path is gone afterwards.

        Args:
            path: the file.
            name: of the blob; whoever gives one may ask again after a crash, and gets the same blob.

        Raises:
            StorageFull: no room for the other copies; the file stays where it was.
        """
        first, *others = self._paths(name or new_id("blob"))
        digest, size = hashlib.sha256(), 0
        with _storage():
            if name and not path.exists() and first.exists():  # the crash came behind the rename
                found = _digest(first)
                return Blob(first.name, *found)
            try:
                with path.open("rb") as source:
                    os.fsync(source.fileno())
                    for copy in others:
                        copy.unlink(missing_ok=True)
                    outputs = [_create(copy) for copy in others]
                    try:
                        while chunk := source.read(CHUNK):
                            digest.update(chunk)
                            size += len(chunk)
                            for output in outputs:
                                _write(output, chunk)
                        for output in outputs:
                            os.fsync(output)
                    finally:
                        for output in outputs:
                            os.close(output)
            except BaseException:
                for copy in others:
                    copy.unlink(missing_ok=True)
                raise
            path.rename(first)
            for place in (*self._places, path.parent):
                _sync_directory(place)
        return Blob(first.name, digest.hexdigest(), size)

    def there(self, blob: Blob) -> bool:
        """Say whether a copy of the right size exists; its content is not read."""
        with _storage():
            return any(
                path.is_file() and path.stat().st_size == blob.size
                for path in self._paths(blob.name)
            )

    def beginnings(self, blob: Blob) -> Iterator[bytes]:
        """Read the first chunk of each copy, unchecked: for what may be judged before the whole is.

        Raises:
            CorruptBlob: no copy of the right size is there.
        """
        found = 0
        for path in self._paths(blob.name):
            with _storage():
                if not path.is_file() or path.stat().st_size != blob.size:
                    continue
                with path.open("rb") as file:
                    beginning = file.read(CHUNK)
            found += 1
            yield beginning
        if not found:
            raise CorruptBlob(blob.name)

    def verified(self, blob: Blob) -> Path:
        """Return the path of a copy that was read whole and has the blob's hash.

        Copies that are missing or differ are replaced from it.

        Raises:
            CorruptBlob: no copy has it.
        """
        paths = self._paths(blob.name)
        with _storage():
            verdicts = [_digest(path) == (blob.sha256, blob.size) for path in paths]
            if not any(verdicts):
                raise CorruptBlob(blob.name)
            good = paths[verdicts.index(True)]
            for path, whole in zip(paths, verdicts, strict=True):
                if not whole:
                    _replace(good, path)
        return good

    def read(self, blob: Blob) -> bytes:
        """Return the bytes of a small blob, checked.

        Raises:
            CorruptBlob: no copy has its hash.
        """
        for path in self._paths(blob.name):
            with _storage():
                content = path.read_bytes() if path.exists() else b""
            if hashlib.sha256(content).hexdigest() == blob.sha256:
                return content
        raise CorruptBlob(blob.name)

    def chunks(self, blob: Blob) -> Iterator[bytes]:
        """Stream a blob; believe what came only when the iterator has ended without an error.

        Raises:
            CorruptBlob: at the end, when the bytes had another hash; `verified` repairs.
        """
        digest = hashlib.sha256()
        for path in self._paths(blob.name)[:1]:
            with _storage():
                file = path.open("rb") if path.exists() else None
            if file is None:
                break
            with file:
                while True:
                    with _storage():
                        chunk = file.read(CHUNK)
                    if not chunk:
                        break
                    digest.update(chunk)
                    yield chunk
        if digest.hexdigest() != blob.sha256:
            raise CorruptBlob(blob.name)

    def remove(self, name: str) -> None:
        """Remove every copy of a blob that nothing names any more."""
        with _storage():
            for path in self._paths(name):
                path.unlink(missing_ok=True)

    def names(self) -> set[str]:
        """Names of all blobs of which a copy exists; for backup and for finding orphans."""
        with _storage():
            return {entry.name for place in self._places for entry in place.iterdir()}

    def _paths(self, name: str) -> list[Path]:
        return [place / check_id(name, "blob") for place in self._places]


class BlobWriter:
    """One blob on its way in; made by `Blobs.writer`."""

    def __init__(self, blobs: Blobs, path: Path) -> None:
        self._blobs = blobs
        self._path = path
        with _storage():
            self._file = _create(path)
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._path.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            StorageFull: no room.
        """
        with _storage():
            _write(self._file, chunk)
        self.size += len(chunk)

    def finish(self) -> Blob:
        """Make all copies durable and return the blob."""
        with _storage():
            os.fsync(self._file)
            os.close(self._file)
            self._file = -1
            try:
                return self._blobs.adopt(self._path)
            finally:
                self._path.unlink(missing_ok=True)


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _write(file: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(file, view) :]


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _digest(path: Path) -> tuple[str, int]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return digest, file.tell()
    except FileNotFoundError:
        return "", -1
    except OSError as error:
        if error.errno == errno.EIO:  # an unreadable copy is a bad copy, not a full stop
            return "", -1
        raise


def _replace(good: Path, bad: Path) -> None:
    fresh = bad.with_suffix(".mending")
    shutil.copyfile(good, fresh)
    with fresh.open("rb+") as file:
        os.fsync(file.fileno())
    fresh.replace(bad)
    _sync_directory(bad.parent)


@contextmanager
def _storage() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound("blob-unknown", "没有这个文件", "There is no such file here.") from error
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull from error
        raise StorageFailed("A file could not be written or read. Nothing was kept.") from error
