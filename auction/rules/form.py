"""The form of the contract: takes a JSON value that stands where one of a kind must stand.

Each taker gives the value back, typed, or says in a `ScenarioError` what is wrong and where.
Source: contract/auction/README.md, scenario.schema.json.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from auction.model import ScenarioError

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,3}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_BIDDER = re.compile(r"[A-Za-z0-9_-]{1,32}")
_VAST = Decimal(10**40)  # beyond every time and count: `1e99999999` is never written out as an int
_DAY_MS = 86_400_000
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Doubled(dict[str, Any]):
    """A JSON object in which a name stood twice; no object of the contract may be one."""


def instant(value: Any, place: str) -> int:
    """Read an RFC 3339 time with an offset and at most three decimals.

    Args:
        value: what stands there.
        place: where it stands, for the message.

    Returns:
        Milliseconds since 1970-01-01T00:00:00Z. Second 60 is taken only where a leap second can be, in the last
        minute of a UTC day, and is the first instant of the next minute, as POSIX counts.

    Raises:
        ScenarioError: it is not such a time, or no such day or hour exists.
    """
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ScenarioError(
            f"{place}: not an RFC 3339 time with an offset and at most three decimals"
        )
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    leap_year = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days_in_month = 0
    if 1 <= month <= 12:
        days_in_month = 29 if month == 2 and leap_year else _MONTH_DAYS[month - 1]
    offset_hours, offset_minutes = int(match[9] or 0), int(match[10] or 0)
    if not (1 <= day <= days_in_month and hour < 24 and minute < 60 and second <= 60):
        raise ScenarioError(f"{place}: no such day or hour")
    if offset_hours > 23 or offset_minutes > 59:
        raise ScenarioError(f"{place}: no such offset")
    offset = (offset_hours * 60 + offset_minutes) * (-1 if match[8] == "-" else 1)
    minutes = (_days(year, month, day) * 24 + hour) * 60 + minute - offset
    if second == 60 and minutes % 1440 != 1439:
        raise ScenarioError(f"{place}: no leap second can be there")
    return (minutes * 60 + second) * 1000 + int((match[7] or "").ljust(3, "0"))


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the proleptic Gregorian calendar; years start in March, so that February is last."""
    year -= month <= 2
    era_day = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + era_day - 719_468


def rfc3339(ms: int) -> str:
    """Write an instant in UTC with three decimals, `2026-03-12T02:00:00.000Z`.

    Raises:
        ScenarioError: it lies outside the years 0000 to 9999, which the form cannot say.
    """
    days, rest = divmod(ms, _DAY_MS)
    second, milli = divmod(rest, 1000)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    return f"{_date(days)}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"


@lru_cache(maxsize=64)
def _date(days: int) -> str:
    """Write the date of a day since 1970-01-01; an auction has few of them."""
    era, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day -= year * 365 + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day = day - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    year += era * 400 + (month <= 2)
    if not 0 <= year <= 9999:
        raise ScenarioError(
            "a time of this auction lies outside the years 0000 to 9999; shorten its windows"
        )
    return f"{year:04}-{month:02}-{day:02}"


def fields(
    value: Any, place: str, required: Iterable[str], optional: Iterable[str] = ()
) -> dict[str, Any]:
    """Take an object that has exactly the names of the contract.

    Raises:
        ScenarioError: no object, a name twice, an unknown name or a missing one.
    """
    if not isinstance(value, dict):
        raise ScenarioError(f"{place}: not an object")
    if isinstance(value, Doubled):
        raise ScenarioError(f"{place}: a name stands twice")
    required = tuple(required)
    if missing := [name for name in required if name not in value]:
        raise ScenarioError(f"{place}: {missing[0]!r} is missing")
    if unknown := value.keys() - set(required) - set(optional):
        raise ScenarioError(f"{place}: unknown field {min(unknown)!a}")
    return value


def whole(value: Any, place: str, least: int | None = None, most: int | None = None) -> int:
    """Take a whole number; `300.0` is one (it arrives as Decimal), `true` is not.

    Raises:
        ScenarioError: it is none, or outside `least` to `most`.
    """
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        value = int(min(max(value, -_VAST), _VAST)) if value else 0
    if (
        type(value) is not int
        or (least is not None and value < least)
        or (most is not None and value > most)
    ):
        raise ScenarioError(f"{place}: not a whole number that is allowed here")
    return value


def text(value: Any, place: str) -> str:
    """Take a string. Raises `ScenarioError` where it is none."""
    if not isinstance(value, str):
        raise ScenarioError(f"{place}: not a string")
    return value


def bidder_id(value: Any, place: str) -> str:
    """Take the id of a bidder. Raises `ScenarioError` where it is none."""
    if _BIDDER.fullmatch(text(value, place)) is None:
        raise ScenarioError(f"{place}: not an id of a bidder")
    return str(value)


def array(value: Any, place: str) -> list[Any]:
    """Take an array. Raises `ScenarioError` where it is none."""
    if not isinstance(value, list):
        raise ScenarioError(f"{place}: not an array")
    return value


def choice(value: Any, place: str, *words: str) -> str:
    """Take one of the words. Raises `ScenarioError` where it is none of them."""
    if not isinstance(value, str) or value not in words:
        raise ScenarioError(f"{place}: not one of {', '.join(words)}")
    return value


def yes_no(value: Any, place: str) -> bool:
    """Take true or false. Raises `ScenarioError` where it is neither."""
    if not isinstance(value, bool):
        raise ScenarioError(f"{place}: neither true nor false")
    return value


def seconds(raw: dict[str, Any], name: str, default: int, place: str, least: int = 1) -> int:
    """Take a window of whole seconds, give milliseconds. Raises `ScenarioError` where it is none."""
    return whole(raw.get(name, default), f"{place}.{name}", least) * 1000
