"""Processes that are made to be killed: forked from the warm test process, so that a life costs milliseconds.

A child has its own event loop, database and engine, and one pipe on which it says what the sockets of
its bidders would have carried. Nothing of the parent is open in it.
"""

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple


class Life(NamedTuple):
    """A running child and the end of its pipe."""

    pid: int
    pipe: BinaryIO

    def lines(self) -> Iterator[bytes]:
        """What it said, line by line, to its end; a line cut by its death was never said."""
        with self.pipe:
            for line in self.pipe:
                if line.endswith(b"\n"):
                    yield line

    def ended(self) -> int:
        """Wait for its end: its exit status, or minus the signal that killed it."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def forked(work: Callable[[Callable[[bytes], None]], int]) -> Life:
    """Run `work(say)` in a child; what it returns is the exit status, an exception is 99."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of the test runner, all idle
        pid = os.fork()
    if pid:
        os.close(writing)
        return Life(pid, os.fdopen(reading, "rb"))
    status = 99
    try:
        os.close(reading)
        status = work(lambda line: _write(writing, line + b"\n"))
    except BaseException:  # noqa: BLE001 (nothing may reach the test runner that was copied with us)
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)


def die() -> None:
    """As `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


def _write(number: int, data: bytes) -> None:
    while data:
        data = data[os.write(number, data) :]
