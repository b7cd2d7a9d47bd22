"""The disk under the store, in the test's hands: it writes down every write, and fails when told.

`Disk` registers itself with SQLite as the default VFS, so that our own `database.py` and
`journal.py` run on it unchanged, in the very SQLite library that Python uses: no other build of it, no
compiler, nothing to install. SQLite's own crash tests work at this place, too (test6.c). What is
intercepted:

    xOpen, xWrite, xTruncate, xSync, xDelete    recorded; any of them may fail
    pread, pwrite, ftruncate, fcntl, …          system calls of SQLite's unix layer (xSetSystemCall),
                                                which may fail with an errno or write less than asked

The interface: sqlite3.h, objects sqlite3_vfs and sqlite3_io_methods.
"""

import _sqlite3
import ctypes
import os
from collections.abc import Callable
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_int,
    c_int64,
    c_size_t,
    c_void_p,
)
from pathlib import Path
from typing import Any, NamedTuple, Self

IOERR_WRITE, IOERR_FSYNC, IOERR_TRUNCATE, FULL, CANTOPEN = 778, 1034, 1546, 13, 14


class Op(NamedTuple):
    """What happened to a file: `write` of data at an offset, `truncate` to a size (in `offset`),
    `sync` that returned, `lost` (a sync that failed: the kernel marks its pages clean), `delete`."""

    what: str
    file: str
    offset: int = 0
    data: bytes = b""


class _Vfs(Structure):
    _fields_ = [
        ("iVersion", c_int), ("szOsFile", c_int), ("mxPathname", c_int), ("pNext", c_void_p),
        ("zName", c_char_p), ("pAppData", c_void_p), ("xOpen", c_void_p), ("xDelete", c_void_p),
        *[(name, c_void_p) for name in (
            "xAccess", "xFullPathname", "xDlOpen", "xDlError", "xDlSym", "xDlClose", "xRandomness",
            "xSleep", "xCurrentTime", "xGetLastError", "xCurrentTimeInt64", "xSetSystemCall",
            "xGetSystemCall", "xNextSystemCall")],
    ]  # fmt: skip


_METHODS = (
    "xClose", "xRead", "xWrite", "xTruncate", "xSync", "xFileSize", "xLock", "xUnlock",
    "xCheckReservedLock", "xFileControl", "xSectorSize", "xDeviceCharacteristics", "xShmMap",
    "xShmLock", "xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch",
)  # fmt: skip


class _Methods(Structure):
    _fields_ = [("iVersion", c_int), *[(name, c_void_p) for name in _METHODS]]


class _File(Structure):
    _fields_ = [("pMethods", POINTER(_Methods))]


_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, POINTER(_File), c_int, c_void_p)
_DELETE = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_CLOSE = CFUNCTYPE(c_int, c_void_p)
_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)
_SLEEP = CFUNCTYPE(c_int, c_void_p, c_int)
_SET = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p)
_GET = CFUNCTYPE(c_void_p, c_void_p, c_char_p)


def _call(result: Any, *arguments: Any) -> Any:
    return CFUNCTYPE(result, *arguments, use_errno=True)


CALLS: dict[str, Any] = {
    "open": _call(c_int, c_void_p, c_int, c_int),
    "fstat": _call(c_int, c_int, c_void_p),
    "ftruncate": _call(c_int, c_int, c_int64),
    "fcntl": _call(c_int, c_int, c_int, c_void_p),
    "pread64": _call(c_int64, c_int, c_void_p, c_size_t, c_int64),
    "pwrite64": _call(c_int64, c_int, c_void_p, c_size_t, c_int64),
    "mmap": _call(c_void_p, c_void_p, c_size_t, c_int, c_int, c_int, c_int64),
}
"""System calls that may fail, with their C types; `fdatasync` is reached through xSync alone."""

SHORT = -1
"""In place of an errno: `pwrite64` writes half of what it was asked to."""


class Fault:
    """One planned failure: the `first` call of a name and `count - 1` later ones.

    Args:
        call: `sync`, `write`, `truncate` with a SQLite result code, or a system call with an errno.
        first: counted from 1, from the moment it is armed.
        code: what it fails with.
        count: how many calls in a row fail.
        file: only calls on files whose name ends so; not for system calls.
    """

    def __init__(self, call: str, first: int, code: int, count: int = 1, file: str = "") -> None:
        self.call, self.first, self.code, self.count, self.file = call, first, code, count, file
        self.seen = 0
        self.fired = 0

    def strikes(self, call: str, file: str = "") -> bool:
        """Count a call and say whether it fails."""
        if call != self.call or not file.endswith(self.file):
            return False
        self.seen += 1
        struck = self.first <= self.seen < self.first + self.count
        self.fired += struck
        return struck


class Disk:
    """SQLite's disk for as long as the `with` block runs; one at a time in a process.

    Args:
        record: keep everything that happens.
        sleepless: SQLite's own waits (ten seconds for a lock that was lost) pass at once.

    Attributes:
        ops: everything that happened, in order, where `record` is set.
        fault: the planned failure, if any; set it at any time.
        before: called with (call, file name) before each write, truncate and sync, to die there.
    """

    _library = ctypes.CDLL(
        _sqlite3.__file__
    )  # its dependency libsqlite3, or what is linked into it
    _library.sqlite3_vfs_find.restype = POINTER(_Vfs)

    def __init__(self, *, record: bool = False, sleepless: bool = False) -> None:
        self.record = record
        self.ops: list[Op] = []
        self.fault: Fault | None = None
        self.before: Callable[[str, str], None] | None = None
        self.errors: list[BaseException] = []
        self._base = self._library.sqlite3_vfs_find(None)
        base = self._base.contents
        self._open, self._delete = _OPEN(base.xOpen), _DELETE(base.xDelete)
        self._set = _SET(base.xSetSystemCall)
        self._get = _GET(base.xGetSystemCall)
        self._names: dict[int, str] = {}
        self._tables: dict[int, _Methods] = {}
        self._kept: list[Any] = []
        self._vfs = _Vfs.from_buffer_copy(base)
        self._vfs.zName, self._vfs.pNext = b"kaibiao-test", None
        self._vfs.xOpen = self._keep(_OPEN(self._guarded(self._on_open)))
        self._vfs.xDelete = self._keep(_DELETE(self._guarded(self._on_delete)))
        if sleepless:
            self._vfs.xSleep = self._keep(_SLEEP(lambda _vfs, microseconds: microseconds))

    def __enter__(self) -> Self:
        for name, kind in CALLS.items():
            real = self._get(self._base, name.encode())
            if real:
                self._set(self._base, name.encode(), self._keep(self._failing(name, kind, real)))
        assert self._library.sqlite3_vfs_register(byref(self._vfs), 1) == 0
        return self

    def __exit__(self, *_: object) -> None:
        self._library.sqlite3_vfs_register(self._base, 1)
        self._library.sqlite3_vfs_unregister(byref(self._vfs))
        self._set(self._base, None, None)
        assert not self.errors, self.errors

    def _keep(self, function: Any) -> int:
        self._kept.append(function)
        return int(ctypes.cast(function, c_void_p).value or 0)

    def _guarded(self, function: Callable[..., int]) -> Callable[..., int]:
        """An exception cannot cross C: it is kept, and fails the test at the end."""

        def safe(*arguments: Any) -> int:
            try:
                return function(*arguments)
            except BaseException as error:  # noqa: BLE001
                self.errors.append(error)
                return FULL

        return safe

    def _failing(self, name: str, kind: Any, real: int) -> Any:
        call = kind(real)
        failed = 2**64 - 1 if name == "mmap" else -1  # MAP_FAILED

        def made(*arguments: Any) -> Any:
            if self.fault is None or not self.fault.strikes(name):
                return call(*arguments)
            if self.fault.code == SHORT:
                number, data, size, offset = arguments
                return call(number, data, size // 2, offset)
            ctypes.set_errno(self.fault.code)
            return failed

        return kind(made)

    def _on_open(self, _vfs: int, name: int, file: Any, flags: int, out: int) -> int:
        result = int(self._open(self._base, name, file, flags, out))
        if result == 0 and name:
            address = ctypes.addressof(file.contents)
            path = Path(os.fsdecode(ctypes.cast(name, c_char_p).value or b""))
            self._names[address] = path.name
            real = file.contents.pMethods
            found = ctypes.addressof(real.contents)
            if found not in self._tables:
                self._tables[found] = self._patched(real.contents)
            file.contents.pMethods = ctypes.pointer(self._tables[found])
        return result

    def _patched(self, real: _Methods) -> _Methods:
        close, write = _CLOSE(real.xClose), _WRITE(real.xWrite)
        truncate, sync = _TRUNCATE(real.xTruncate), _SYNC(real.xSync)

        def on_close(file: int) -> int:
            self._names.pop(file, None)
            return int(close(file))

        def on_write(file: int, data: int, size: int, offset: int) -> int:
            if code := self._enter("write", file):
                return code
            self._note("write", file, offset, ctypes.string_at(data, size) if self.record else b"")
            return int(write(file, data, size, offset))

        def on_truncate(file: int, size: int) -> int:
            if code := self._enter("truncate", file):
                return code
            self._note("truncate", file, size)
            return int(truncate(file, size))

        def on_sync(file: int, flags: int) -> int:
            if code := self._enter("sync", file):
                self._note("lost", file)
                return code
            result = int(sync(file, flags))
            self._note("sync", file)  # after it has returned: what was written before is safe
            return result

        made = _Methods.from_buffer_copy(real)
        for name, kind, function in (
            ("xClose", _CLOSE, on_close), ("xWrite", _WRITE, on_write),
            ("xTruncate", _TRUNCATE, on_truncate), ("xSync", _SYNC, on_sync),
        ):  # fmt: skip
            setattr(made, name, self._keep(kind(self._guarded(function))))
        return made

    def _on_delete(self, _vfs: int, name: bytes, sync_directory: int) -> int:
        self._note_name("delete", Path(os.fsdecode(name)).name, sync_directory)
        return int(self._delete(self._base, name, sync_directory))

    def _enter(self, call: str, file: int) -> int:
        name = self._names.get(file, "")
        if self.before is not None:
            self.before(call, name)
        fault = self.fault
        return fault.code if fault is not None and fault.strikes(call, name) else 0

    def _note(self, what: str, file: int, offset: int = 0, data: bytes = b"") -> None:
        self._note_name(what, self._names.get(file, ""), offset, data)

    def _note_name(self, what: str, name: str, offset: int = 0, data: bytes = b"") -> None:
        if self.record:
            self.ops.append(Op(what, name, offset, data))
