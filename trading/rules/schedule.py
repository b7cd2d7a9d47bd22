"""Is a schedule lawful? Each refusal names the article and what would be lawful.

Pure: it is given every instant. All violations are found before refusing, so that a tenderer
mends them in one go; a deadline on a rest day is warned of, not refused (law.md §8).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from trading.ground.clock import rfc3339
from trading.model import Regime, Rule, RuleSet, Section, UnlawfulError
from trading.rules.counting import day_of, earliest, is_working_day, latest

SLOT_MS: Final = 1000  # T lies on a slot boundary (design §2, release)
PREPARE: Final = {Regime.WORKS: "bid.prepare_min", Regime.PROCUREMENT: "gp.prepare"}
OFFER: Final = {Regime.WORKS: "doc.sale_min", Regime.PROCUREMENT: "gp.doc_offer"}
CHANGE: Final = {
    Regime.WORKS: "doc.change_lead",
    Regime.PROCUREMENT: "gp.change",
    Regime.LAND: "land.notice_change",
}
MINIMUM: Final = {Regime.WORKS: "open.min_bidders", Regime.PROCUREMENT: "gp.open_min"}


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a schedule breaks. `lawful`: the nearest lawful value, as text."""

    rule: str
    article: str
    title: str
    lawful: str

    def to_json(self) -> dict[str, str]:
        """The form in a problem's facts."""
        return {
            "rule": self.rule,
            "article": self.article,
            "title": self.title,
            "lawful": self.lawful,
        }


def check_tender(
    rules: RuleSet,
    *,
    published_at: int,
    documents_from: int,
    documents_to: int,
    sections: Iterable[Section],
) -> list[str]:
    """Check a tender about to be published.

    Args:
        rules: the RuleSet of the day of the notice.
        published_at: instant of the notice, ms UTC.
        documents_from: first issue of the documents, ms UTC.
        documents_to: end of their offer, ms UTC.
        sections: each with its deadline T, deposit, control price, custody.

    Returns:
        Warnings, in Chinese; they hinder nothing.

    Raises:
        UnlawfulError: with every violation in `facts.violations`; `rule` is the first's article.
    """
    found: list[Violation] = []
    warnings: list[str] = []
    issue = max(documents_from, published_at)  # documents cannot be had before the notice
    offer = rules[OFFER[rules.regime]]
    if documents_to < (end := earliest(offer, rules.calendar, issue)):
        found.append(_late(offer, "招标文件发售期不足", end))
    for section in sections:
        prepare = rules[PREPARE[rules.regime]]
        if section.deadline < (end := earliest(prepare, rules.calendar, issue)):
            found.append(_late(prepare, "投标准备时间不足", end))
        found += _of_section(rules, section)
        if rules.live:
            warnings += _warnings(rules, section)
    refuse(found)
    return warnings


def check_session(
    rules: RuleSet, *, published_at: int, opens_at: int, listing_ends_at: int | None
) -> None:
    """Check an auction session about to be published.

    Args:
        rules: the RuleSet of the day of the notice.
        published_at: instant of the notice, ms UTC.
        opens_at: start of the listing 挂牌 or of bidding, ms UTC.
        listing_ends_at: end of the listing, ms UTC; None for a session without one.

    Raises:
        UnlawfulError: as `check_tender`.
    """
    found: list[Violation] = []
    notice = rules["land.notice"]
    if opens_at < (end := earliest(notice, rules.calendar, published_at)):
        found.append(_late(notice, "公告至开始的时间不足", end))
    listing = rules["land.listing_min"]
    if listing_ends_at is not None and listing_ends_at < (
        end := earliest(listing, rules.calendar, opens_at)
    ):
        found.append(_late(listing, "挂牌时间不足", end))
    refuse(found)


def check_change(rules: RuleSet, *, changed_at: int, deadline: int, new_deadline: int) -> None:
    """Check a change of the documents that can affect bids.

    Args:
        rules: those the tender keeps.
        changed_at: instant at which all who took documents are told, ms UTC.
        deadline: T before the change, ms UTC.
        new_deadline: T after it, the same if unmoved.

    Raises:
        UnlawfulError: too late for this T, with the earliest lawful new one (顺延, 法 23).
    """
    rule = rules[CHANGE[rules.regime]]
    if new_deadline < deadline:
        refuse([Violation(rule.id, rule.article, "截止时间只能顺延", rfc3339(deadline))])
    if changed_at > latest(rule, new_deadline):
        lawful = earliest(rule, rules.calendar, changed_at)
        refuse([_late(rule, "澄清或修改距截止不足, 须顺延", lawful)])


def refuse(found: list[Violation]) -> None:
    """Raise `UnlawfulError` if anything was found.

    Raises:
        UnlawfulError: `schedule-unlawful`.
    """
    if not found:
        return
    first = found[0]
    facts: dict[str, Any] = {"violations": [violation.to_json() for violation in found]}
    raise UnlawfulError(
        "schedule-unlawful",
        first.title,
        f"Rule {first.rule} ({first.article}) asks for {first.lawful}; whoever proposed it must "
        f"change it. {len(found)} rule(s) are broken, all are listed.",
        rule=first.article,
        **facts,
    )


def _warnings(rules: RuleSet, section: Section) -> list[str]:
    day = day_of(section.deadline)
    if day.year not in rules.calendar.years:  # its notice may not be out yet: nothing to refuse
        return [f"{section.name}: {day.year} 年节假日安排尚未录入"]
    if not is_working_day(rules.calendar, day):
        return [f"{section.name}: 投标截止日为休息日"]
    return []


def _of_section(rules: RuleSet, section: Section) -> list[Violation]:
    found = []
    if section.deadline % SLOT_MS:
        found.append(Violation("slot", "design §2", "截止时间须为整秒", "a whole second"))
    least = rules[MINIMUM[rules.regime]]
    if section.minimum < least.n:
        found.append(Violation(least.id, least.article, "最少投标人数过低", str(least.n)))
    cap = rules["deposit.cap"]
    if section.control_price is not None and (
        section.deposit * 100 > section.control_price * cap.n
    ):
        found.append(Violation(cap.id, cap.article, "投标保证金超过上限", f"<= {cap.n} %"))
    custody = section.custody
    if not 2 <= custody.threshold <= len(custody.custodians) or custody.window_s < 1:
        found.append(
            Violation(
                "unlock", "电子招标投标办法 30, 31", "解密方式未按规定写明",
                "t of n custodians with 2 <= t <= n, a window and a remedy",
            )
        )  # fmt: skip
    return found


def _late(rule: Rule, title: str, lawful: int) -> Violation:
    return Violation(rule.id, rule.article, title, f"not before {rfc3339(lawful)}")
