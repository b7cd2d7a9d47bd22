"""What the kernel says of its clock is read as it is meant, and changes are told once."""

from __future__ import annotations

import sys

import pytest

from trading.ground import discipline
from trading.ground.clock import ClockHealth, FrozenClock
from trading.ground.clockwatch import Watch
from trading.ground.discipline import FAULT, NANO, UNSYNC, Discipline, parse


@pytest.mark.parametrize(
    ("status", "offset", "estimated", "bound", "ahead"),
    [
        (NANO, -2_500_000, 900, 31_000, 2_500),  # ntpd, slewing: we are ahead, so it is taken away
        (NANO, 2_500_000, 900, 31_000, -2_500),
        (0, 2_500, 900, 31_000, -2_500),  # counted in microseconds
        (0, 0, 700, 31_000, 700),  # chrony slews by frequency: only its estimate tells
        (0, 0, 0, 1_000_000, 0),
        (0, 0, 0, 1_000_001, None),  # no word of a source for half an hour
        (UNSYNC, 0, 16_000_000, 16_000_000, None),
        (FAULT, 0, 0, 0, None),
    ],
)
def test_known_error_is_what_is_being_slewed_or_the_keepers_own_estimate(
    status: int, offset: int, estimated: int, bound: int, ahead: int | None
) -> None:
    assert parse(status, offset, estimated, bound).ahead_us() == ahead


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="adjtimex is of Linux")
def test_the_kernel_answers_and_its_clock_stays_as_it_is() -> None:
    first, second = discipline.read(), discipline.read()
    assert first is not None
    assert second is not None
    assert first.synchronised == second.synchronised
    assert first.bound_us >= 0
    assert abs(first.offset_us) < 1_000_000


def test_without_the_call_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discipline.sys, "platform", "darwin")
    assert discipline.read() is None


def test_operators_read_of_a_change_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    clock = FrozenClock(0)
    clock.offset_ms = 2
    watch = Watch(clock)
    for offset in (2, None, None, 101, 3):
        clock.offset_ms = offset
        watch.look()
    told = [(record.levelname, record.getMessage().split(":")[0]) for record in caplog.records]
    assert told == [
        ("WARNING", "the clock is unknown"),
        ("WARNING", "the clock is unfit"),
        ("INFO", "the clock is fit"),
    ]
    assert watch.look() == ClockHealth(3)


def test_control_an_unsynchronised_kernel_knows_nothing_however_small_its_figures() -> None:
    assert Discipline(synchronised=False, offset_us=1).ahead_us() is None
