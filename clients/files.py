"""Small files of our own, read strictly and written whole."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from clients import sentences as say
from clients.errors import ClientError, UsageError
from crypto.canonical import parse
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from pathlib import Path

MAX_JSON = 16 * 1024 * 1024


def write_durably(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Writes a file so that after a crash either the old or the new one is there, whole."""
    partial = path.with_name(path.name + ".part")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_json(path: Path, value: Any, mode: int = 0o644) -> None:
    """Writes JSON for people and machines, durably."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    write_durably(path, text.encode() + b"\n", mode)


def check_target(path: Path) -> None:
    """Refuses, before any work, an output that cannot be made: it replaces whatever bears its name, whole.

    Raises:
        UsageError: its folder does not exist, or what bears its name is a folder or a device.
    """
    if not path.parent.is_dir():
        raise UsageError(say.NO_FOLDER(path=path.parent))
    if path.exists() and not path.is_file():
        raise UsageError(say.NO_PLACE_FOR_FILE(path=path))


def read_bounded(path: Path, limit: int, what: str) -> bytes:
    """Reads a file whole, if it is no larger than it may be; also one that tells no size (a pipe, a device).

    Args:
        path: of the file.
        limit: bytes.
        what: is read, for the sentence.

    Raises:
        UsageError: there is no such file, or it cannot be read.
        ClientError: it is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise UsageError(say.UNREADABLE(what=what, path=path)) from error
    if len(data) > limit:
        raise ClientError(say.TOO_LARGE(path=path, limit=limit, what=what))
    return data


def read_json(path: Path) -> Any:
    """Reads a JSON file strictly (no duplicate keys, bounded).

    Raises:
        UsageError: there is no such file.
        ClientError: it is no JSON of ours.
    """
    data = read_bounded(path, MAX_JSON, "JSON file")
    try:
        return parse(data)
    except CryptoError as error:
        raise ClientError(say.NOT_PARSED(path=path, error=error)) from error
