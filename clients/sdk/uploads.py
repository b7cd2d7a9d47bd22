"""Uploads by tus 1.0 (creation, checksum): resumable, with progress, any size at constant memory.

Where an upload stands is asked of the server each time, never remembered: after a lost answer only the
server knows. The address of the upload is kept beside the file, so that another run goes on with it.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from clients.errors import ClientError
from clients.sdk import sentences as say
from clients.sdk.wire import API, Centre, RefusedError, WireError

if TYPE_CHECKING:
    from pathlib import Path

VERSION: Final = {"Tus-Resumable": "1.0.0"}
BLOCK: Final = 256 * 1024
TRIES: Final = 5

Progress = Callable[[int, int], None]
"""Called with (bytes the server has or is being sent, bytes in all)."""


def _silent(done: int, total: int) -> None:
    """No progress shown."""


def create(centre: Centre, size: int, metadata: dict[str, str]) -> str:
    """Creates an upload and returns its path below ``/api/v1``.

    Args:
        centre: with a session.
        size: bytes in all.
        metadata: tus metadata, e.g. ``{"section": "sec_…"}``.
    """
    pairs = ",".join(
        f"{key} {b64encode(value.encode()).decode()}" for key, value in metadata.items()
    )
    headers = {**VERSION, "Upload-Length": str(size), "Upload-Metadata": pairs}
    answer = centre.raw("POST", "/uploads", b"", headers=headers)
    location = answer.headers.get("location", "")
    start = location.find(API + "/uploads/")
    if start < 0:
        raise ClientError(say.UPLOAD_NOWHERE())
    return location[start + len(API) :]


def offset(centre: Centre, path: str) -> int:
    """How many bytes the server holds durably."""
    answer = centre.raw("HEAD", path, headers=VERSION)
    try:
        return int(answer.headers["upload-offset"])
    except (KeyError, ValueError) as error:
        raise WireError(say.UPLOAD_UNKNOWN()) from error


def send(
    centre: Centre,
    file: Path,
    path: str,
    progress: Progress = _silent,
    *,
    piece: int | None = None,
    tries: int = TRIES,
) -> None:
    """Brings an upload to its end, resuming where the server stands.

    Args:
        centre: with a session.
        file: what to send; must not change meanwhile.
        path: as `create` returned it.
        progress: called as bytes go out.
        piece: bytes per PATCH, each with a checksum; None sends the rest in one.
        tries: how often a cut connection is taken up again.

    Raises:
        WireError: the connection was cut ``tries`` times.
        RefusedError: the centre refused (expired, too large, session over).
    """
    total = file.stat().st_size
    failures = 0
    while True:
        try:
            done = offset(centre, path)
            progress(done, total)
            if done >= total:
                return
            _patch(centre, file, path, done, min(total, done + piece) if piece else total, progress)
        except WireError:
            failures += 1
            if failures >= tries:
                raise


def send_until(centre: Centre, file: Path, path: str, end: int) -> None:
    """Send what the server lacks up to byte ``end`` and leave the rest for later.

    Raises:
        WireError, RefusedError: see `send`.
    """
    start = offset(centre, path)
    if start < end:
        _patch(centre, file, path, start, end, _silent)


def _patch(centre: Centre, file: Path, path: str, start: int, end: int, progress: Progress) -> None:
    headers = {
        **VERSION,
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(end - start),
        "Upload-Offset": str(start),
    }
    total = file.stat().st_size
    if end < total:
        # A checksum costs a second reading, so it is made for pieces only; the whole file's hash is
        # signed in the submission anyway.
        digest = hashlib.sha256()
        for block in _blocks(file, start, end):
            digest.update(block)
        headers["Upload-Checksum"] = "sha256 " + b64encode(digest.digest()).decode()

    def counted() -> Iterator[bytes]:
        sent = start
        for block in _blocks(file, start, end):
            yield block
            sent += len(block)
            progress(sent, total)

    centre.raw("PATCH", path, counted(), headers=headers)


def _blocks(file: Path, start: int, end: int) -> Iterator[bytes]:
    with file.open("rb") as source:
        source.seek(start)
        left = end - start
        while left > 0:
            block = source.read(min(BLOCK, left))
            if not block:
                raise ClientError(say.BECAME_SHORTER(file=file))
            left -= len(block)
            yield block


def delete(centre: Centre, path: str) -> None:
    """Gives up an upload that no submission names; an unknown one is no error."""
    try:
        centre.raw("DELETE", path, headers=VERSION)
    except RefusedError as problem:
        if problem.status not in {404, 410}:
            raise


def resume_or_create(
    centre: Centre, file: Path, metadata: dict[str, str], known: Any = None
) -> str:
    """The path of an upload for a file: a known one that is still alive, or a new one."""
    if isinstance(known, str) and known:
        try:
            offset(centre, known)
        except RefusedError as problem:
            if problem.status not in {403, 404, 410}:
                raise
        else:
            return known
    return create(centre, file.stat().st_size, metadata)
