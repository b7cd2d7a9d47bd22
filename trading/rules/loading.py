"""RuleSets and calendars from their data files' text; which one is in force."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from crypto.canonical import parse
from crypto.errors import CryptoError
from trading.model import (
    Bound,
    Calendar,
    ConflictError,
    Direction,
    MalformedError,
    Regime,
    Roll,
    Rule,
    RuleSet,
    Unit,
    UnlawfulError,
)


def read_calendar(texts: Iterable[str]) -> Calendar:
    """Read the calendars of several years as one.

    Args:
        texts: JSON `{"year", "source", "off": ["MM-DD/MM-DD" …], "work": ["MM-DD" …]}`.

    Raises:
        MalformedError: a text is not of that form.
    """
    years: set[int] = set()
    off: set[date] = set()
    work: set[date] = set()
    for text in texts:
        data = _object(text)
        try:
            year = int(data["year"])
            for span in data["off"]:
                first, last = (date.fromisoformat(f"{year}-{end}") for end in span.split("/"))
                off |= {first + timedelta(n) for n in range((last - first).days + 1)}
            work |= {date.fromisoformat(f"{year}-{day}") for day in data["work"]}
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable("calendar") from error
        years.add(year)
    return Calendar(frozenset(years), frozenset(off), frozenset(work))


def read_rulesets(text: str, calendar: Calendar) -> list[RuleSet]:
    """Read one data file: the same rows for each of its regimes.

    Raises:
        MalformedError: the text is not of that form, or a rule id stands twice.
    """
    data = _object(text)
    try:
        since = date.fromisoformat(data["valid_from"])
        until = data["valid_to"] and date.fromisoformat(data["valid_to"])
        rules = [_rule(row, since) for row in data["rules"]]
        by_id = MappingProxyType({rule.id: rule for rule in rules})
        if len(by_id) != len(rules):
            raise _unreadable("RuleSet")
        return [
            RuleSet(
                data["name"], data["version"], Regime(regime), data["live"],
                since, until, by_id, calendar,
            )
            for regime in data["regimes"]
        ]  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable("RuleSet") from error


def check_name(rulesets: Iterable[RuleSet], name: str, *, live: bool) -> None:
    """Check, at start, that the centre has RuleSets of the name in its settings and may use them.

    Args:
        rulesets: all that the centre has.
        name: as in the settings.
        live: whether the centre does real business.

    Raises:
        ConflictError: there is none of that name.
        UnlawfulError: a live centre was told to use demonstration rules.
    """
    found = [r for r in rulesets if r.name == name]
    if not found:
        raise ConflictError(
            "ruleset-missing",
            "没有适用的规则集",
            "No file in trading/rulesets has the name that the settings give; correct either.",
        )
    if live and not all(r.live for r in found):
        raise _not_live()


def choose(
    rulesets: Iterable[RuleSet], name: str, regime: Regime, day: date, *, live: bool
) -> RuleSet:
    """Choose the RuleSet of a name that is in force for a regime on a day.

    Args:
        rulesets: all that the centre has.
        name: as the settings and records name it.
        regime: of the project.
        day: of the notice, in 北京时间.
        live: whether the centre does real business; it then refuses 演示.

    Raises:
        ConflictError: there is none, or more than one edition claims the day.
        UnlawfulError: a live centre was told to use demonstration rules.
    """
    found = [r for r in rulesets if r.name == name and r.regime == regime and r.in_force(day)]
    if len(found) != 1:
        raise ConflictError(
            "ruleset-missing",
            "没有适用的规则集",
            f"{len(found)} RuleSets of that name are in force for {regime} on {day}; the centre "
            "must have exactly one.",
        )
    if live and not found[0].live:
        raise _not_live()
    return found[0]


def _not_live() -> UnlawfulError:
    return UnlawfulError(
        "ruleset-not-live",
        "演示规则集不得用于正式交易",
        "These rules have compressed periods; a live centre must use those of the law.",
        rule="design §3",
    )


def _rule(row: Mapping[str, Any], since: date) -> Rule:
    if type(row["n"]) is not int or row["n"] < 0:
        raise _unreadable("RuleSet")
    return Rule(
        row["id"],
        row["n"],
        Unit(row["unit"]),
        row["anchor"],
        Direction(row["direction"]),
        Bound(row["bound"]),
        Roll(row["roll"]),
        row["pause_on"],
        row["article"],
        since,
    )


def _object(text: str) -> dict[str, Any]:
    try:
        value = parse(text)
    except CryptoError as error:
        raise _unreadable("rules file") from error
    if not isinstance(value, dict):
        raise _unreadable("rules file")
    return value


def _unreadable(what: str) -> MalformedError:
    return MalformedError(
        "ruleset-malformed",
        "规则数据不正确",
        f"A {what} in trading/rulesets is not of the documented form; mend the file.",
    )
