"""Counting time as the law counts it: days, working days, rolling, the same clock time.

The day of the event is not counted (民法典 201). A *time limit*, the last day for doing
something, rolls off rest days (民法典 203) or off named holidays only (87号令 85), as its rule
says; it ends at 24:00. A *minimum period* runs to the same clock time and does not roll, as
practice shows (law.md §1). Days are those of 北京时间.
"""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

from trading.model import Calendar, ConflictError, Direction, Roll, Rule, Unit

BEIJING: Final = timezone(timedelta(hours=8))
DAY_MS: Final = 86_400_000

_MS: Final = {Unit.DAY: DAY_MS, Unit.HOUR: 3_600_000, Unit.SECOND: 1_000}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(ms: int) -> date:
    """The day in 北京时间 that an instant (ms UTC) belongs to."""
    return (_EPOCH + timedelta(milliseconds=ms)).astimezone(BEIJING).date()


def instant(day: date, clock: time = time()) -> int:
    """The instant (ms UTC) of a clock time, 00:00 unless given, on a day in 北京时间."""
    moment = datetime.combine(day, clock, BEIJING)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def is_holiday(calendar: Calendar, day: date) -> bool:
    """Whether the State Council's notice gives the day off.

    Raises:
        ConflictError: the calendar does not know the year.
    """
    if day.year not in calendar.years:
        raise ConflictError(
            "calendar-missing",
            "缺少该年度的节假日安排",
            f"There is no calendar of {day.year}; the centre must add trading/rulesets/calendar-"
            f"{day.year}.json once the State Council has published it.",
            year=day.year,
        )
    return day in calendar.off


def is_working_day(calendar: Calendar, day: date) -> bool:
    """Whether it is a working day 工作日: no holiday, and no weekend unless made up for."""
    if is_holiday(calendar, day):
        return False
    return day.weekday() < 5 or day in calendar.work


def last_day(rule: Rule, calendar: Calendar, anchor: date) -> date:
    """The last day of a time limit, or the day a period counted in days ends on.

    Args:
        rule: in days or working days, forward or back.
        calendar: which days are holidays and which made up for.
        anchor: the day of the event; it is not counted.
    """
    step = timedelta(1 if rule.direction is Direction.FORWARD else -1)
    day = anchor
    if rule.unit is Unit.WORKING_DAY:
        left = rule.n
        while left:
            day += step
            left -= is_working_day(calendar, day)
    else:
        day += step * (_whole_days(rule))
    while _rolls(rule.roll, calendar, day):
        day += step
    return day


def earliest(rule: Rule, calendar: Calendar, anchor: int) -> int:
    """The first instant (ms UTC) at which a minimum period that began at `anchor` is over.

    Days, hours and seconds run to the same clock time; working days end with their last day.
    """
    if rule.unit in _MS:
        return anchor + rule.n * _MS[rule.unit]
    return instant(last_day(rule, calendar, day_of(anchor)) + timedelta(1))


def latest(rule: Rule, anchor: int) -> int:
    """The last instant (ms UTC) that leaves a minimum period before `anchor`."""
    return anchor - rule.n * _MS[rule.unit]


def _whole_days(rule: Rule) -> int:
    if rule.unit is Unit.DAY:
        return rule.n
    if rule.unit is Unit.SECOND:
        return 0  # only 演示: the same day
    raise ConflictError(
        "rule-unit",
        "该规则不能按日计算",
        f"Rule {rule.id} counts {rule.unit}; it has no last day. The centre must mend its data.",
    )


def _rolls(roll: Roll, calendar: Calendar, day: date) -> bool:
    match roll:
        case Roll.REST_DAY:
            return not is_working_day(calendar, day)
        case Roll.HOLIDAY_ONLY:
            return is_holiday(calendar, day)
        case Roll.NONE:
            return False
