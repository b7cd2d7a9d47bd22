"""Until when the documents may be objected to, what an objection holds, and by when it is answered.

Works (实施条例 22): objections reach the tenderer at least ten days before T, an answer takes three
days, and the procedure is held until it is given. Government procurement (政府采购法 52, 53;
条例 53): seven working days from the end of the notice period, seven working days for the answer,
and only the contract waits. Which of them holds is data: a rule's `pause_on`.
"""

import unicodedata
from datetime import timedelta
from typing import Final

from trading.ground.clock import beijing
from trading.model import Bound, Direction, LateError, Regime, Rule, RuleSet, Unit, UnlawfulError
from trading.model.identity import Organisation
from trading.rules.counting import day_of, earliest, instant, last_day, latest

OBJECTION: Final = {Regime.WORKS: "doc.objection", Regime.PROCUREMENT: "gp.query"}
ANSWER: Final = {Regime.WORKS: "doc.objection_answer", Regime.PROCUREMENT: "gp.query_answer"}
NOTICE_PERIOD: Final = "gp.notice"
_DAYS: Final = frozenset({Unit.DAY, Unit.WORKING_DAY})
_HEAD: Final = 4  # characters of a name that tell nothing: 某某公司


def objections_end(rules: RuleSet, *, published_at: int, deadline: int) -> int:
    """The instant (ms UTC) from which an objection to the documents is too late, exclusive.

    Args:
        rules: those that the tender keeps.
        published_at: instant of the notice, ms UTC.
        deadline: T, ms UTC.
    """
    rule = rules[OBJECTION[rules.regime]]
    if rule.direction is Direction.BACK:
        return min(deadline, _end(rule, rules, deadline))
    notice = rules[NOTICE_PERIOD]
    over = _end(notice, rules, published_at)
    # A period that ends with a day ends at 24:00: the day itself is its last instant's.
    anchor = over - 1 if notice.unit in _DAYS else over
    return min(deadline, _end(rule, rules, anchor))


def answer_by(rules: RuleSet, received_at: int) -> int:
    """The end (ms UTC, exclusive) of the time for an answer to an objection received at an instant."""
    return _end(rules[ANSWER[rules.regime]], rules, received_at)


def holds(rules: RuleSet) -> bool:
    """Whether an objection to the documents holds the procedure until it is answered."""
    return bool(rules[OBJECTION[rules.regime]].pause_on)


def check_objection(rules: RuleSet, *, published_at: int, deadline: int, at: int) -> None:
    """Check that an objection comes in time.

    Raises:
        LateError: with the rule, and the last day for it.
    """
    end = objections_end(rules, published_at=published_at, deadline=deadline)
    if at >= end:
        rule = rules[OBJECTION[rules.regime]]
        raise LateError(
            "objection-late",
            "已过异议期限",
            f"Objections to the documents were taken before {beijing(end)} (rule {rule.id}). "
            "A complaint to the supervisor remains open.",
            rule=rule.article,
        )


def check_unnamed(text: str, organisation: Organisation) -> None:
    """Check that a text that others will read does not say who wrote it.

    Raises:
        UnlawfulError: it holds the organisation's own name, the telling part of it or its code.

    Source: 招标投标法 22 (who takes the documents stays secret until the opening).
    """
    told = _plain(text)
    name = _plain(organisation.name)
    parts = {_plain(organisation.credit_code), name if len(name) >= _HEAD else ""}
    if any(part and part in told for part in parts):
        raise UnlawfulError(
            "text-names-its-author",
            "内容写明了本单位名称或代码",
            "Everybody will read it. Leave out your own name and credit code, then send it again.",
            rule="招标投标法 22",
        )


def _plain(text: str) -> str:
    """Letters and digits only, in one width and case: spaces and full-width forms hide no name."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if c.isalnum())


def _end(rule: Rule, rules: RuleSet, anchor: int) -> int:
    """End of a time limit, exclusive: the last day's 24:00, or for hours and seconds the instant."""
    if rule.unit in _DAYS:
        day = last_day(rule, rules.calendar, day_of(anchor))
        return instant(day + timedelta(1))
    if rule.direction is Direction.BACK:
        return latest(rule, anchor) + 1
    end = earliest(rule, rules.calendar, anchor)
    return end if rule.bound is Bound.MIN else end + 1
