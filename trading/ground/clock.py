"""Time: integer milliseconds UTC, asked once per act and passed down.

The only file that may ask the machine's clock. Intervals are `[start, end)`. People read 北京时间.

The system clock is the wall clock at start carried on by the monotonic one: an administrator or
a broken time server that moves the wall clock moves no deadline. Small differences are slewed
away, a step is reported by `health` and followed only by a restart. How far the wall clock itself
is off, the kernel is asked (`discipline`).
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, Protocol

from trading.ground.problems import Conflict, Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.ground.discipline import Discipline

MAX_OPENING_OFFSET_MS: Final = 100  # no opening and no auction above this known offset (§3)
SLEW_PPM: Final = 500  # as chrony and adjtime do: half a millisecond a second
STEP_MS: Final = 1_000  # a larger difference is a step, never slewed (reliability.md, Time)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEIJING = timezone(timedelta(hours=8))  # no daylight saving since 1991; older dates never occur
_LAST = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClockHealth:
    """What is known about the clock's error.

    Attributes:
        offset_ms: our time less true time as far as known, signed; None when unknown.
        step_ms: by how much the wall clock stepped away since start; 0 when it did not.
        must_be_known: whether nothing may begin while the offset is unknown.
    """

    offset_ms: int | None
    step_ms: int = 0
    must_be_known: bool = False

    @property
    def standing(self) -> Literal["fit", "unknown", "unfit"]:
        """What is to be told: whether the clock is known to be right, known to be wrong, or neither."""
        if self.step_ms or abs(self.offset_ms or 0) > MAX_OPENING_OFFSET_MS:
            return "unfit"
        return "unknown" if self.offset_ms is None else "fit"


class Clock(Protocol):
    """Whoever tells the time; passed in, never imported."""

    def now(self) -> int:
        """Milliseconds since 1970 UTC, never less than the last answer."""
        ...

    def health(self) -> ClockHealth:
        """What is known about the error of `now`."""
        ...


class SystemClock:
    """The machine's clock, kept from running backwards or jumping. Safe in every thread.

    Args:
        discipline: says what is known about the wall clock, as `discipline.read`; without it nothing is.
        must_be_known: whether nothing may begin while that is unknown.
    """

    def __init__(
        self,
        discipline: Callable[[], Discipline | None] | None = None,
        *,
        must_be_known: bool = False,
    ) -> None:
        self._discipline = discipline
        self._must_be_known = must_be_known
        self._lock = threading.Lock()
        self._mono = time.monotonic_ns()
        self._nanoseconds = _wall_ns()
        self._last = self._nanoseconds
        self._step_ms = 0

    def now(self) -> int:
        """Milliseconds since 1970 UTC, never less than the last answer."""
        with self._lock:
            return self._advance() // 1_000_000

    def health(self) -> ClockHealth:
        """What is known now: the kernel's word about the wall clock, and our distance from the wall.

        A clock that stands, since the journal's last stamp lies ahead of the wall, has stepped too.
        """
        told = self._discipline() if self._discipline is not None else None
        off_us = told.ahead_us() if told is not None else None
        with self._lock:
            shown = self._advance()
            ahead = shown - self._nanoseconds
            stands = -(ahead // 1_000_000) if ahead >= STEP_MS * 1_000_000 else 0
            wall = shown - _wall_ns()
        offset = None if off_us is None else round(Fraction(off_us * 1000 + wall, 1_000_000))
        return ClockHealth(offset, self._step_ms or stands, self._must_be_known)

    def not_before(self, ms: int) -> None:
        """Never answer less than this: the journal's last stamp after a restart."""
        with self._lock:
            self._last = max(self._last, ms * 1_000_000)

    def _advance(self) -> int:
        mono = time.monotonic_ns()
        elapsed = mono - self._mono
        self._mono = mono
        self._nanoseconds += elapsed
        difference = _wall_ns() - self._nanoseconds
        if abs(difference) >= STEP_MS * 1_000_000:
            self._step_ms = difference // 1_000_000
        else:
            self._step_ms = 0
            bound = elapsed * SLEW_PPM // 1_000_000
            self._nanoseconds += max(-bound, min(bound, difference))
        self._last = max(self._last, self._nanoseconds)
        return self._last


class FrozenClock:
    """A clock for tests and replays: it moves when told."""

    def __init__(self, ms: int) -> None:
        self._now = ms
        self.offset_ms: int | None = None

    def now(self) -> int:
        """The instant it was last set to."""
        return self._now

    def health(self) -> ClockHealth:
        """The offset that the test has set."""
        return ClockHealth(self.offset_ms)

    def advance(self, ms: int) -> int:
        """Move on by `ms` ≥ 0 and return the new instant."""
        return self.set(self._now + ms)

    def set(self, ms: int) -> int:
        """Move to an instant; a clock never goes back, so an earlier one is ignored."""
        self._now = max(self._now, ms)
        return self._now

    def not_before(self, ms: int) -> None:
        """Never answer less than this, as `SystemClock` does."""
        self.set(ms)


def fit_to_open(health: ClockHealth) -> bool:
    """Say whether an opening or an auction may begin by this clock.

    A known offset above 100 ms forbids it, and so does a step of the wall clock, until somebody has looked. An unknown
    offset forbids it where the centre's settings say so: a live centre's do, an embedded one has no second clock.
    """
    return health.standing == "fit" or (health.standing == "unknown" and not health.must_be_known)


def require_fit(health: ClockHealth) -> None:
    """Refuse to begin an opening or an auction by an unfit clock.

    Raises:
        Conflict: `clock-unfit`, with both figures.
    """
    if not fit_to_open(health):
        raise Conflict(
            "clock-unfit",
            "服务器时钟异常，暂不能开标或开拍",
            "The clock's known error is above 100 ms, or nothing is known of it. The centre must mend its time source.",
            offset_ms=health.offset_ms,
            step_ms=health.step_ms,
        )


def moment(ms: int) -> datetime:
    """Return an instant as an aware `datetime` in UTC, for libraries that want one.

    Raises:
        Invalid: before 1970 or after 9999.
    """
    if not 0 <= ms <= _LAST:
        raise Invalid("time-out-of-range", "时间超出范围", "Instants lie between 1970 and 9999.")
    return _EPOCH + timedelta(milliseconds=ms)


def rfc3339(ms: int) -> str:
    """Write an instant for machines: `2026-11-24T01:00:00.000Z`."""
    return moment(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rfc3339(text: str) -> int:
    """Read what `rfc3339` writes; seconds without a fraction are taken too.

    Raises:
        Invalid: any other form, another zone than `Z`, or no such date.
    """
    if _RFC3339.fullmatch(text):
        try:
            parsed = datetime.fromisoformat(text)
        except ValueError:
            pass  # a well-formed date that the calendar does not have: refused below
        else:
            return (parsed - _EPOCH) // timedelta(milliseconds=1)
    raise Invalid("time-malformed", "时间格式不正确", "Write instants as 2026-11-24T01:00:00.000Z.")


def beijing(ms: int) -> str:
    """Write an instant for people, in 北京时间: `2026-11-24 09:00:00.000`."""
    local = moment(ms).astimezone(_BEIJING).replace(tzinfo=None)
    return local.isoformat(sep=" ", timespec="milliseconds")


def _wall_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_REALTIME)
