"""Small files of our own, read strictly and written whole."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

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


def read_json(path: Path) -> Any:
    """Reads a JSON file strictly (no duplicate keys, bounded).

    Raises:
        UsageError: there is no such file.
        ClientError: it is no JSON of ours.
    """
    try:
        if path.stat().st_size > MAX_JSON:
            raise ClientError(f"{path} is larger than {MAX_JSON} bytes")
        return parse(path.read_bytes())
    except OSError as error:
        raise UsageError(f"there is no readable file {path}") from error
    except CryptoError as error:
        raise ClientError(f"{path} cannot be read: {error}") from error
