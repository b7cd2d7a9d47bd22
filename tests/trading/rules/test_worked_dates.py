"""The worked dates of law.md §8: W1 to W11 and W13, computed by the RuleSets of the checkout."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from trading.model import RuleSet, UnlawfulError
from trading.rules.counting import earliest, instant, is_working_day, last_day, latest
from trading.rules.outcome import (
    Next,
    after_opening,
    check_price_formula,
    lowest_price_scores,
)
from trading.rules.schedule import check_change

NINE = time(9)


def day(month: int, number: int) -> date:
    return date(2026, month, number)


def limit(rules: RuleSet, rule: str, anchor: date) -> date:
    return last_day(rules[rule], rules.calendar, anchor)


def test_the_year_2026_has_248_working_days(works: RuleSet) -> None:
    days = [day(1, 1) + timedelta(n) for n in range(365)]
    assert sum(is_working_day(works.calendar, d) for d in days) == 248


def test_w1_twenty_days_from_the_documents_to_the_deadline(works: RuleSet) -> None:
    documents, deadline = instant(day(3, 10), NINE), instant(day(3, 31), NINE)
    calendar = works.calendar
    assert earliest(works["doc.sale_min"], calendar, documents) == instant(day(3, 15), NINE)
    assert earliest(works["bid.prepare_min"], calendar, documents) == instant(day(3, 30), NINE)
    assert latest(works["doc.change_lead"], deadline) == instant(day(3, 16), NINE)
    assert limit(works, "doc.objection", day(3, 31)) == day(3, 21)
    assert limit(works, "doc.objection_answer", day(3, 21)) == day(3, 24)


def test_w2_publicity_rolls_over_the_tomb_sweeping_holiday(works: RuleSet) -> None:
    assert limit(works, "pub.candidates_start", day(4, 3)) == day(4, 7)
    assert limit(works, "pub.candidates", day(4, 3)) == day(4, 7)
    end = earliest(works["pub.candidates"], works.calendar, instant(day(4, 3)))
    assert end <= instant(day(4, 8))


def test_w3_contract_report_and_deposits_of_works(works: RuleSet) -> None:
    assert limit(works, "award.contract", day(4, 8)) == day(5, 8)
    assert limit(works, "award.report", day(4, 8)) == day(4, 23)
    assert limit(works, "deposit.refund", day(4, 29)) == day(5, 6)


def test_w4_a_complaint_counts_working_days_and_made_up_saturdays(works: RuleSet) -> None:
    assert limit(works, "complaint.accept", day(4, 30)) == day(5, 8)
    assert limit(works, "complaint.decide", day(5, 8)) == day(6, 18)


def test_w5_the_deposit_of_a_withdrawn_bid(works: RuleSet, procurement: RuleSet) -> None:
    assert limit(works, "bid.withdraw_deposit", day(2, 12)) == day(2, 24)
    assert limit(procurement, "gp.deposit_withdrawn", day(2, 12)) == day(2, 26)


def test_w6_five_working_days_end_on_a_made_up_sunday(procurement: RuleSet) -> None:
    assert limit(procurement, "gp.notice", day(9, 14)) == day(9, 20)
    assert limit(procurement, "gp.doc_offer", day(9, 14)) == day(9, 20)
    prepared = earliest(procurement["gp.prepare"], procurement.calendar, instant(day(9, 14), NINE))
    assert prepared == instant(day(10, 4), NINE)
    assert prepared <= instant(day(10, 8), NINE)


def test_w7_report_determination_and_result(procurement: RuleSet) -> None:
    assert limit(procurement, "gp.report", day(10, 9)) == day(10, 12)
    assert limit(procurement, "gp.determine", day(10, 12)) == day(10, 19)
    assert limit(procurement, "gp.result", day(10, 16)) == day(10, 20)


def test_w8_queries_complaints_deposits_and_contract(procurement: RuleSet) -> None:
    assert limit(procurement, "gp.result_period", day(10, 19)) == day(10, 20)
    assert limit(procurement, "gp.query", day(10, 20)) == day(10, 29)
    assert limit(procurement, "gp.query_answer", day(10, 29)) == day(11, 9)
    assert limit(procurement, "gp.complaint", day(11, 9)) == day(11, 30)
    assert limit(procurement, "gp.deposit_losers", day(10, 19)) == day(10, 26)
    assert limit(procurement, "gp.contract", day(10, 19)) == day(11, 18)


def test_w9_a_change_fourteen_days_before_moves_the_deadline(works: RuleSet) -> None:
    change, deadline = instant(day(9, 28), NINE), instant(day(10, 12), NINE)
    moved = instant(day(10, 13), NINE)
    with pytest.raises(UnlawfulError) as refusal:
        check_change(works, changed_at=change, deadline=deadline, new_deadline=deadline)
    assert refusal.value.rule == "招标投标法 23; 实施条例 21"
    assert refusal.value.facts["violations"][0]["lawful"] == "not before 2026-10-13T01:00:00.000Z"
    check_change(works, changed_at=change, deadline=deadline, new_deadline=moved)
    with pytest.raises(UnlawfulError):
        check_change(works, changed_at=change, deadline=deadline, new_deadline=moved - 1)


def test_a_deadline_never_moves_forward_by_a_change(works: RuleSet) -> None:
    deadline = instant(day(10, 12), NINE)
    with pytest.raises(UnlawfulError):
        check_change(works, changed_at=0, deadline=deadline, new_deadline=deadline - 1000)


def test_w10_notice_listing_deposits_and_result_of_land(land: RuleSet) -> None:
    start = earliest(land["land.notice"], land.calendar, instant(day(9, 1), NINE))
    assert start == instant(day(9, 21), NINE)
    ends = earliest(land["land.listing_min"], land.calendar, start)
    assert ends == instant(day(10, 1), NINE)
    assert limit(land, "land.deposit", day(9, 30)) == day(10, 13)
    assert limit(land, "land.result", day(9, 30)) == day(10, 20)


def test_w11_one_of_three_revoked_at_decryption(works: RuleSet, procurement: RuleSet) -> None:
    assert after_opening(works, at_deadline=3, remaining=2) is Next.EVALUATE_WITH_REASONS
    assert after_opening(procurement, at_deadline=3, remaining=2) is Next.NO_EVALUATION
    for rules in (works, procurement):
        assert after_opening(rules, at_deadline=2, remaining=2) is Next.NOT_OPENED
        assert after_opening(rules, at_deadline=3, remaining=3) is Next.EVALUATE


def test_w13_the_price_weight_of_goods(procurement: RuleSet, works: RuleSet) -> None:
    prices = [980_000_000, 1_020_000_000, 950_000_000, 1_000_000_000, 1_100_000_000]

    def check(rules: RuleSet, weight: int, *, dropped: int = 0, lowest: bool = True) -> None:
        check_price_formula(rules, weight=weight, goods=True, dropped=dropped, lowest_first=lowest)

    for weight in (25, 29):
        with pytest.raises(UnlawfulError) as refusal:
            check(procurement, weight)
        assert refusal.value.rule == "87号令 55"
    check(procurement, 30)
    assert lowest_price_scores(prices, 30) == [2908, 2794, 3000, 2850, 2591]
    with pytest.raises(UnlawfulError):  # the trimmed mean
        check(procurement, 30, dropped=2)
    with pytest.raises(UnlawfulError):
        check(procurement, 30, lowest=False)
    check(works, 25, dropped=2, lowest=False)
    check_price_formula(procurement, weight=10, goods=False, dropped=0, lowest_first=True)
