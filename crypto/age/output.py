"""A file that appears only when it is whole.

Everything is written to a hidden temporary file in the target's own folder, forced to the disk and
renamed; an error, of whatever kind, leaves the target as it was and no temporary file. Only a
power cut or a kill can leave one, named `.….part`.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from crypto.encoding import Bytes
from crypto.random import token

SUFFIX: Final = ".part"


@contextmanager
def whole_file(target: Path) -> Iterator["Output"]:
    """Open `target` for writing; leaving the block without an error makes it appear.

    Args:
        target: the final path; an existing file is replaced in one step, at the very end.

    Yields:
        Where to write to. Only the owner may read the file: it may hold an opened bid.

    Raises:
        OSError: the folder cannot be written to, or the disk is full.
    """
    temporary = target.with_name(f".{token(8).hex()}{SUFFIX}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with io.FileIO(descriptor, "wb") as file:
            yield Output(file)
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


class Output:
    """The unbuffered temporary file; a write takes all it is given."""

    def __init__(self, file: io.FileIO) -> None:
        """Write to `file`."""
        self._file = file

    def write(self, data: Bytes) -> int:
        """Write all of `data`, however often the system takes only a part."""
        view = memoryview(data)
        done = 0
        while done < len(view):
            done += self._file.write(view[done:]) or 0
        return done


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
