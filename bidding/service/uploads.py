"""Resumable uploads by tus 1.0: creation, checksum, expiration, termination.

An offset is told only when its bytes are on the disk. Sealed files are ciphertext and are not
looked into here; once whole, a file moves into the content store, which keeps it twice.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from bidding.model import ConflictError, MalformedError, TooLargeError, UnknownError
from bidding.model.tender import MAX_BID_BYTES
from bidding.store import Upload, Uploads
from bidding.store.uploads import OPEN, USED, WHOLE
from crypto.encoding import unb64
from crypto.errors import CryptoError
from trading.ground.ids import new_id
from trading.ground.problems import Kind, StorageFailed, StorageFull

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bidding.service.room import Room

EXPIRES_MS: Final = 7 * 86_400_000
MAX_OPEN: Final = 32  # of one organisation that nothing names, whole or not: 2 GiB each, kept twice
ALGORITHMS: Final = ("sha256", "sha1")  # the tus specification demands sha1
BLOCK: Final = 1024 * 1024
SWEEP_MS: Final = 3_600_000


class UploadDesk:
    """Takes files in. Other organisations' uploads do not exist for whoever asks."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._table = Uploads(room.database)
        self._folder = room.home / "uploads"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._turns: dict[str, asyncio.Lock] = {}
        self._beginning: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def start(self) -> None:
        """Clear what a crash left without a row; sweep expired uploads from time to time."""
        known = self._table.ids()
        for path in self._folder.iterdir():
            if path.name not in known:
                path.unlink()
        self._sweep_later()

    async def create(self, owner: str, length: int, now: int) -> Upload:
        """Begin an upload of `length` bytes.

        Raises:
            TooLargeError: more than a bid may have.
            ConflictError: the organisation has too many that nothing names.
        """
        if not 1 <= length <= MAX_BID_BYTES:
            raise TooLargeError(
                "upload-too-large",
                "文件大小超出限制",
                f"A sealed bid has 1 to {MAX_BID_BYTES} bytes.",
            )
        async with self._beginning[
            owner
        ]:  # counted and begun in one turn: a hundred at once are a hundred
            if self._table.count_unnamed(owner) >= MAX_OPEN:
                raise ConflictError(
                    "uploads-too-many", "未使用的上传过多", "Hand in or delete one of them first."
                )
            upload = Upload(new_id("upl"), owner, length, 0, OPEN, now + EXPIRES_MS)
            await asyncio.to_thread(_begin, self._path(upload.id))
            await self._table.create(upload, now)
        return upload

    def find(self, id_: str, owner: str) -> Upload:
        """Return an upload with its durable offset.

        Raises:
            UnknownError: there is none, or it is another's.
        """
        upload = self._table.get(id_)
        if upload is None or upload.owner != owner:
            raise UnknownError("upload-unknown", "没有该上传", "There is no such upload.")
        return upload

    async def append(
        self, id_: str, owner: str, offset: int, body: AsyncIterator[bytes], checksum: str
    ) -> Upload:
        """Append bytes at `offset`; what came before a cut connection stays.

        Args:
            id_: of the upload.
            owner: organisation of the session.
            offset: where the client believes it stands.
            body: the request's bytes.
            checksum: tus header `algorithm base64`, or "": with one, all of the body or nothing.

        Raises:
            ConflictError: another offset than the durable one, or already whole.
            TooLargeError: more bytes than Upload-Length.
            MalformedError: `upload-checksum`, with status 460.
        """
        turn = self._turns.setdefault(id_, asyncio.Lock())
        async with turn:
            upload = self.find(id_, owner)
            if upload.state != OPEN or offset != upload.offset:
                raise ConflictError(
                    "upload-offset",
                    "上传偏移量不符",
                    f"The server holds {upload.offset} bytes; go on from there.",
                    offset=upload.offset,
                )
            if offset == upload.length:  # a crash came between the last byte and the content store
                return await self.whole(upload)
            want = _checksum(checksum)
            try:
                await self._write(upload, body, want)
            finally:
                end = await asyncio.to_thread(self._settle, upload, offset)
                await self._table.set(id_, offset=end)
            upload = self.find(id_, owner)
            return await self.whole(upload) if upload.offset == upload.length else upload

    async def whole(self, upload: Upload) -> Upload:
        """Move a complete upload into the content store; again after a crash is fine."""
        if upload.blob is None:
            path, name = self._path(upload.id), _blob_name(upload.id)
            blob = await asyncio.to_thread(self._room.blobs.adopt, path, name)
            await self._table.set(upload.id, state=WHOLE, blob=blob)
        return self.find(upload.id, upload.owner)

    async def use(self, id_: str) -> None:
        """Note that a submission names it: it stays."""
        await self._table.set(id_, state=USED)

    def held(self, owner: str, sha256: str) -> Upload | None:
        """Return an organisation's whole upload with this hash, or None."""
        return self._table.held(owner, sha256)

    async def end(self, id_: str, owner: str) -> None:
        """Give an upload up (tus termination).

        Raises:
            ConflictError: a submission names it.
        """
        upload = self.find(id_, owner)
        if upload.state == USED or _blob_name(id_) in self._named():
            raise ConflictError(
                "upload-used", "该上传已被投标引用", "A submission names it; withdraw that instead."
            )
        await self._drop(upload)

    async def _drop(self, upload: Upload) -> None:
        await self._table.remove(upload.id)
        self._turns.pop(upload.id, None)
        self._path(upload.id).unlink(missing_ok=True)
        await asyncio.to_thread(self._room.blobs.remove, _blob_name(upload.id))

    async def _sweep(self) -> None:
        named = self._named()
        for upload in self._table.expired(self._room.clock.now()):
            if _blob_name(upload.id) not in named:
                await self._drop(upload)
        self._sweep_later()

    def _sweep_later(self) -> None:
        self._room.timers.at(self._room.clock.now() + SWEEP_MS, self._sweep, "bidding:uploads")

    def _named(self) -> set[str]:
        """Blobs that a submission or an objection names: the journal's word, whatever a crash left in our table."""
        books = self._room.shelf.books.values()
        bids = {kept.blob.name for book in books for kept in book.kept.values() if kept.blob}
        return bids | {blob.name for book in books for blob in book.files.values()}

    async def _write(
        self, upload: Upload, body: AsyncIterator[bytes], want: tuple[str, bytes] | None
    ) -> None:
        """Write the body behind the durable offset; with a checksum all of it or nothing."""
        digest = hashlib.new(want[0]) if want else None
        end = upload.offset
        parts: list[bytes] = []
        whole = False
        file = await asyncio.to_thread(self._open, upload)
        try:
            async for chunk in body:
                end += len(chunk)
                if end > upload.length:
                    raise _too_long()
                parts.append(chunk)
                if digest is not None:
                    digest.update(chunk)
                if sum(map(len, parts)) >= BLOCK:
                    await asyncio.to_thread(_put, file, parts)
                    parts = []
            whole = want is None or (digest is not None and digest.digest() == want[1])
            if not whole:
                raise _damaged()
        finally:
            if whole or want is None:
                _put(file, parts)  # at most one block; what arrived is kept
            else:
                os.ftruncate(file, upload.offset)
            os.close(file)

    def _open(self, upload: Upload) -> int:
        try:
            file = os.open(self._path(upload.id), os.O_RDWR | os.O_CLOEXEC)
            os.ftruncate(file, upload.offset)
            os.lseek(file, upload.offset, os.SEEK_SET)
        except OSError as error:
            raise _storage(error) from error
        return file

    def _settle(self, upload: Upload, offset: int) -> int:
        """Make what arrived durable; return the new offset."""
        try:
            file = os.open(self._path(upload.id), os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(file)
                return max(offset, min(os.fstat(file).st_size, upload.length))
            finally:
                os.close(file)
        except OSError as error:
            raise _storage(error) from error

    def _path(self, id_: str) -> Path:
        return self._folder / id_


def _blob_name(upload: str) -> str:
    """The one blob that an upload becomes, so that a second try finds what the first one left."""
    return f"blob_{upload.partition('_')[2]}"


def _begin(path: Path) -> None:
    """Make an empty file whose name is on the disk before anybody is told it."""
    try:
        path.touch(mode=0o600)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise _storage(error) from error


def _put(file: int, parts: list[bytes]) -> None:
    try:
        for part in parts:
            view = memoryview(part)
            while view:
                view = view[os.write(file, view) :]
    except OSError as error:
        raise _storage(error) from error


def _too_long() -> TooLargeError:
    return TooLargeError(
        "upload-too-long", "上传超过声明长度", "More bytes came than Upload-Length says."
    )


def _damaged() -> MalformedError:
    problem = MalformedError(
        "upload-checksum", "校验和不符", "These bytes were damaged on the way; send them again."
    )
    problem.status = 460  # the status that tus clients know (tus 1.0, checksum)
    return problem


def _checksum(text: str) -> tuple[str, bytes] | None:
    if not text:
        return None
    algorithm, _, value = text.partition(" ")
    try:
        digest = unb64(value)
    except CryptoError:
        digest = b""
    if algorithm not in ALGORITHMS or not digest:
        raise MalformedError(
            "upload-checksum-form",
            "校验和格式不正确",
            f"Upload-Checksum names one of {', '.join(ALGORITHMS)} and base64.",
            kind=Kind.MALFORMED,
        )
    return algorithm, digest


def _storage(error: OSError) -> StorageFull | StorageFailed:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StorageFull()
    return StorageFailed("The upload could not be written. What was acknowledged stays.")
