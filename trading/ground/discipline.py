"""What the kernel says of its own clock: `adjtimex(2)`, asked and never set.

Whoever keeps a machine's time (chrony, ntpd, systemd-timesyncd) tells the kernel whether it is synchronised, what is
still to be slewed away, and how far off the clock may be; the kernel lets that bound grow by half a millisecond a second
and calls the clock unsynchronised again at 16 s. One call takes a microsecond, so that nothing is kept: who judges a
beginning asks afresh. chrony tells the kernel only with `rtcsync` in its configuration, which distributions set.
A container sees its host's kernel; where there is no such call, nothing is known.

Sources: adjtimex(2); Linux `include/uapi/linux/timex.h`; RFC 5905 (maximum and estimated error).
"""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from typing import Final

UNSYNC: Final = 0x0040  # STA_UNSYNC
FAULT: Final = 0x1000  # STA_CLOCKERR, the clock's own hardware
NANO: Final = 0x2000  # STA_NANO: `offset` counts nanoseconds
BOUND_US: Final = 1_000_000
"""Beyond this bound, half an hour after the last word of a time source, nothing is known any more."""


@dataclass(frozen=True, slots=True)
class Discipline:
    """The kernel's answer.

    Attributes:
        synchronised: somebody keeps this clock, and no fault is known.
        offset_us: still to be added to the wall clock, signed µs.
        estimated_us: how far off its keeper thinks it is, ≥ 0 µs.
        bound_us: how far off it may be at most, ≥ 0 µs.
    """

    synchronised: bool
    offset_us: int = 0
    estimated_us: int = 0
    bound_us: int = 0

    def ahead_us(self) -> int | None:
        """Return by how much the wall clock is ahead of true time, signed µs; None when nobody knows.

        The keeper's estimate counts as known error where it is larger than what is being slewed away. The bound does
        not: it says what cannot be excluded, and grows by itself between two words of a good source.
        """
        if not self.synchronised or self.bound_us > BOUND_US:
            return None
        return max(-self.offset_us, self.estimated_us, key=abs)


class _Timeval(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("fraction", ctypes.c_long))


class _Timex(ctypes.Structure):
    """`struct timex` of the C library."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", _Timeval),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    )


def read() -> Discipline | None:
    """Ask the kernel; None where it has no such call or does not allow it."""
    if not sys.platform.startswith("linux"):
        return None
    call = getattr(ctypes.CDLL(None), "adjtimex", None)
    if call is None:
        return None
    told = _Timex()  # modes 0: only asked
    if call(ctypes.byref(told)) < 0:
        return None
    return parse(told.status, told.offset, told.esterror, told.maxerror)


def parse(status: int, offset: int, estimated_us: int, bound_us: int) -> Discipline:
    """Read the kernel's figures.

    Args:
        status: its `STA_` bits.
        offset: µs, or ns where `STA_NANO` is set.
        estimated_us: `esterror`.
        bound_us: `maxerror`.
    """
    if status & NANO:
        offset //= 1000
    return Discipline(not status & (UNSYNC | FAULT), offset, estimated_us, bound_us)
