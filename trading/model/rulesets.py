"""RuleSets 规则集: the law as records with effective dates, never as constants in code.

One record is one row of the law: what it demands, how it is counted, which article says so. A
tender keeps the RuleSet in force on the day its notice was published; a new statute or a new
city is a new file under `trading/rulesets/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from trading.model.errors import ConflictError


class Regime(StrEnum):
    """Which body of law a project is under."""

    WORKS = "works"  # 工: 招标投标法
    PROCUREMENT = "procurement"  # 采: 政府采购法
    LAND = "land"  # 地: 国有建设用地使用权出让


class Unit(StrEnum):
    """What `n` counts."""

    DAY = "D"  # calendar days
    WORKING_DAY = "WD"
    HOUR = "H"
    SECOND = "S"  # only in 演示
    YEAR = "Y"
    COUNT = "COUNT"  # a number of things
    PERCENT = "PERCENT"


class Direction(StrEnum):
    """Whether one counts on from the anchor or back from it."""

    FORWARD = "FORWARD"
    BACK = "BACK"


class Bound(StrEnum):
    """Whether the period is a minimum one must leave or a maximum one may use."""

    MIN = "MIN"
    MAX = "MAX"


class Roll(StrEnum):
    """What happens when the last day of a time limit is no working day."""

    REST_DAY = "REST_DAY"  # 民法典 203: weekends and holidays roll
    HOLIDAY_ONLY = "HOLIDAY_ONLY"  # 87号令 85: names holidays, not weekends
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the law (law.md §8).

    Attributes:
        id: as in the tables of law.md, e.g. `bid.prepare_min`.
        n: how many units.
        anchor: the event the period is counted from, in words.
        pause_on: an event that holds the procedure until it is answered; empty for none.
        article: the source, as printed.
    """

    id: str
    n: int
    unit: Unit
    anchor: str
    direction: Direction
    bound: Bound
    roll: Roll
    pause_on: str
    article: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class Calendar:
    """Holidays and make-up working days of the years it knows, from the State Council's notices."""

    years: frozenset[int]
    off: frozenset[date]
    work: frozenset[date]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one regime between two dates.

    Attributes:
        name: what records print, e.g. 全国 or 演示.
        version: tells editions of one name apart.
        live: whether a live centre may use it; the demo's own, 演示, may not.
        valid_to: first day on which it is no longer in force; None while open.
    """

    name: str
    version: str
    regime: Regime
    live: bool
    valid_from: date
    valid_to: date | None
    rules: Mapping[str, Rule]
    calendar: Calendar

    def __getitem__(self, rule_id: str) -> Rule:
        """The rule of that id.

        Raises:
            ConflictError: `rule-missing`; the data file must be mended before the act is possible.
        """
        try:
            return self.rules[rule_id]
        except KeyError:
            raise ConflictError(
                "rule-missing",
                "规则集中没有该项规则",
                f"RuleSet {self.name}/{self.regime} has no rule {rule_id}; the centre must add it.",
            ) from None

    def in_force(self, day: date) -> bool:
        """Whether it is in force on a day: `[valid_from, valid_to)`."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)
