"""The clock never goes back, jumps with nobody, and says what it does not know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.ground import clock as clock_module
from trading.ground.clock import (
    ClockHealth,
    FrozenClock,
    SystemClock,
    beijing,
    fit_to_open,
    parse_rfc3339,
    require_fit,
    rfc3339,
)
from trading.ground.discipline import Discipline
from trading.ground.problems import Conflict, Invalid


class Machine:
    """Two clocks of a machine that an administrator can move."""

    def __init__(self, monkeypatch):
        self.wall = 1_795_482_000_000_000_000
        self.mono = 5_000_000_000
        monkeypatch.setattr(clock_module, "_wall_ns", lambda: self.wall)
        monkeypatch.setattr(clock_module.time, "monotonic_ns", lambda: self.mono)

    def pass_ms(self, ms):
        self.wall += ms * 1_000_000
        self.mono += ms * 1_000_000


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)


@pytest.mark.parametrize("jump_ms", [-3_600_000, 172_800_000, -1_000, 1_000])
def test_a_wall_clock_that_steps_moves_no_deadline_and_is_reported(machine, jump_ms):
    clock = SystemClock()
    before = clock.now()
    machine.wall += jump_ms * 1_000_000
    machine.pass_ms(50)
    assert clock.now() == before + 50
    assert clock.health().step_ms == jump_ms
    assert not fit_to_open(clock.health())


def test_a_small_difference_is_slewed_and_time_never_goes_back(machine):
    clock = SystemClock()
    last = start = clock.now()
    machine.wall -= 400 * 1_000_000
    for _ in range(1000):
        machine.pass_ms(10)
        assert clock.now() >= last
        last = clock.now()
    assert 9_990 <= last - start < 10_000  # 500 ppm of ten seconds is five milliseconds
    assert clock.health().step_ms == 0


def test_after_a_restart_the_clock_begins_at_the_last_stamp_of_the_journal(machine):
    clock = SystemClock()
    future = clock.now() + 5_000
    clock.not_before(future)
    assert clock.now() == future
    machine.pass_ms(6_000)
    assert clock.now() > future


def test_the_real_clock_runs():
    clock = SystemClock()
    readings = [clock.now() for _ in range(1000)]
    assert readings == sorted(readings)
    assert clock.health() == ClockHealth(None, 0)


def disciplined(machine, **told):
    """A clock whose kernel says this; `machine` keeps the time between two calls from counting."""
    assert machine.wall
    return SystemClock(lambda: Discipline(synchronised=True, **told))


def test_no_opening_above_a_known_offset_of_100_ms(machine):
    require_fit(disciplined(machine, offset_us=100_000).health())
    clock = disciplined(machine, offset_us=101_000)
    assert clock.health() == ClockHealth(-101)  # what is still to be added, we lack
    with pytest.raises(Conflict) as refusal:
        require_fit(clock.health())
    assert refusal.value.code == "clock-unfit"
    assert (clock.health().standing, fit_to_open(clock.health())) == ("unfit", False)


def test_what_our_time_still_lacks_of_the_wall_counts_as_offset(machine):
    clock = disciplined(machine, offset_us=-30_000)
    machine.wall -= 80 * 1_000_000  # stepped by the time source, slewed away by us
    assert clock.health() == ClockHealth(110)
    for _ in range(60):
        machine.pass_ms(1000)
        clock.now()
    assert clock.health() == ClockHealth(80)


def test_an_unknown_offset_forbids_only_where_the_settings_say_so():
    assert fit_to_open(ClockHealth(None))
    demanding = ClockHealth(None, must_be_known=True)
    assert demanding.standing == "unknown"
    assert not fit_to_open(demanding)
    with pytest.raises(Conflict):
        require_fit(demanding)
    assert fit_to_open(ClockHealth(3, must_be_known=True))
    silent = SystemClock(lambda: Discipline(synchronised=False), must_be_known=True)
    assert silent.health() == demanding


def test_a_frozen_clock_moves_only_forward():
    clock = FrozenClock(1000)
    assert clock.advance(5) == 1005
    assert clock.set(3) == 1005
    assert clock.now() == 1005


@given(st.integers(0, 253_402_300_799_999))
def test_rfc_3339_text_reads_back(ms):
    assert parse_rfc3339(rfc3339(ms)) == ms


def test_people_read_beijing_time():
    assert beijing(parse_rfc3339("2026-11-24T01:00:00Z")) == "2026-11-24 09:00:00.000"
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-24", "2026-11-24T01:00:00", "2026-11-24T01:00:00+08:00", "2026-02-30T00:00:00Z",
     "2026-11-24T24:00:01Z", "2026-11-24t01:00:00z", "２０２６-11-24T01:00:00Z", "2026-11-24T01:00:00.0000Z"],
)  # fmt: skip
def test_other_forms_of_time_are_refused(text):
    with pytest.raises(Invalid):
        parse_rfc3339(text)


@pytest.mark.parametrize("ms", [-1, 253_402_300_800_000])
def test_instants_have_a_range(ms):
    with pytest.raises(Invalid):
        rfc3339(ms)
