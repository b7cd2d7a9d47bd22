"""RuleSets as data, lawful schedules, four eyes, fresh commands."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.model import (
    ACTS,
    Act,
    Actor,
    ConflictError,
    Custody,
    ForbiddenError,
    Key,
    LoginError,
    MalformedError,
    Possession,
    Regime,
    Role,
    RuleSet,
    Section,
    State,
    UnlawfulError,
)
from trading.rules.conduct import check_fresh, check_pair, check_proposer, check_role
from trading.rules.counting import day_of, instant, is_working_day, last_day
from trading.rules.loading import check_name, choose, read_calendar, read_rulesets
from trading.rules.schedule import check_session, check_tender

TODAY = date(2026, 11, 24)
T0 = instant(date(2026, 3, 30), time(9))
SECTION = Section(
    "sec_a", "ten_a", "施工标段", 4_865_000_000, "", 80_000_000, 365, T0, 3,
    Custody(("c1", "c2", "c3", "c4", "c5"), 3, 600, "补救"), Possession.REQUIRED, (), (),
)  # fmt: skip


def publish(rules: RuleSet, section: Section = SECTION, **times: int) -> list[str]:
    issue = instant(date(2026, 3, 10), time(9))
    schedule = {
        "published_at": issue,
        "documents_from": issue,
        "documents_to": instant(date(2026, 3, 15), time(9)),
    }
    return check_tender(rules, sections=[section], **(schedule | times))


def test_a_schedule_exactly_at_the_minimum_is_lawful(works: RuleSet) -> None:
    assert publish(works) == []


@pytest.mark.parametrize(
    ("change", "article"),
    [
        ({"deadline": T0 - 1000}, "招标投标法 24"),
        ({"deadline": T0 + 1}, "design §2"),
        ({"minimum": 2}, "招标投标法 28; 实施条例 44"),
        ({"deposit": 97_300_001}, "实施条例 26"),
        ({"custody": Custody(("c1", "c2"), 3, 600, "")}, "电子招标投标办法 30, 31"),
        ({"custody": Custody(("c1", "c2"), 1, 600, "")}, "电子招标投标办法 30, 31"),
        ({"custody": Custody(("c1", "c2"), 2, 0, "")}, "电子招标投标办法 30, 31"),
    ],
)
def test_an_unlawful_section_is_refused_with_its_article(
    works: RuleSet, change: dict[str, object], article: str
) -> None:
    with pytest.raises(UnlawfulError) as refusal:
        publish(works, replace(SECTION, **change))
    assert refusal.value.rule == article
    assert refusal.value.code == "schedule-unlawful"


def test_documents_must_be_offered_for_five_days(works: RuleSet) -> None:
    with pytest.raises(UnlawfulError) as refusal:
        publish(works, documents_to=instant(date(2026, 3, 15), time(9)) - 1)
    assert refusal.value.rule == "实施条例 16"


def test_documents_dated_before_the_notice_count_from_the_notice(works: RuleSet) -> None:
    with pytest.raises(UnlawfulError):
        publish(works, documents_from=instant(date(2026, 1, 5)), published_at=T0 - 86_400_000)


def test_every_violation_is_told_at_once(works: RuleSet) -> None:
    with pytest.raises(UnlawfulError) as refusal:
        publish(works, replace(SECTION, deadline=T0 - 1000, minimum=1))
    assert [v["rule"] for v in refusal.value.facts["violations"]] == [
        "bid.prepare_min",
        "open.min_bidders",
    ]


def test_a_deadline_on_a_rest_day_is_warned_of_not_refused(works: RuleSet) -> None:
    sunday = replace(SECTION, deadline=instant(date(2026, 4, 5), time(9)))
    assert publish(works, sunday) == ["施工标段: 投标截止日为休息日"]


def test_a_land_session_needs_twenty_days_of_notice(land: RuleSet) -> None:
    notice, opens = instant(date(2026, 9, 1), time(9)), instant(date(2026, 9, 21), time(9))
    check_session(land, published_at=notice, opens_at=opens, listing_ends_at=None)
    with pytest.raises(UnlawfulError) as refusal:
        check_session(land, published_at=notice, opens_at=opens - 1, listing_ends_at=opens)
    assert len(refusal.value.facts["violations"]) == 2


def test_each_regime_has_one_ruleset_in_force_and_one_for_demonstration(
    rulesets: list[RuleSet],
) -> None:
    for regime in Regime:
        assert choose(rulesets, "全国", regime, TODAY, live=True).live
        assert not choose(rulesets, "演示", regime, TODAY, live=False).live


def test_a_live_centre_refuses_the_demonstration_rules(rulesets: list[RuleSet]) -> None:
    with pytest.raises(UnlawfulError) as refusal:
        choose(rulesets, "演示", Regime.WORKS, TODAY, live=True)
    assert refusal.value.code == "ruleset-not-live"


def test_the_name_in_the_settings_is_checked_at_start(rulesets: list[RuleSet]) -> None:
    check_name(rulesets, "全国", live=True)
    check_name(rulesets, "演示", live=False)
    with pytest.raises(UnlawfulError):
        check_name(rulesets, "演示", live=True)
    with pytest.raises(ConflictError):
        check_name(rulesets, "月球", live=False)


def test_a_deadline_in_a_year_without_a_calendar_is_warned_of(works: RuleSet) -> None:
    next_year = replace(SECTION, deadline=instant(date(2027, 1, 5), time(9)))
    assert publish(works, next_year) == ["施工标段: 2027 年节假日安排尚未录入"]


def test_rules_before_their_day_or_after_it_are_not_chosen(works: RuleSet) -> None:
    with pytest.raises(ConflictError):
        choose([works], "全国", Regime.WORKS, date(2019, 3, 1), live=True)
    ended = replace(works, valid_to=TODAY)
    with pytest.raises(ConflictError):
        choose([ended], "全国", Regime.WORKS, TODAY, live=True)
    with pytest.raises(ConflictError):  # two editions claim the day
        choose([works, works], "全国", Regime.WORKS, TODAY, live=True)


def test_the_demonstration_rules_have_every_rule_of_the_law(rulesets: list[RuleSet]) -> None:
    for regime in Regime:
        law = choose(rulesets, "全国", regime, TODAY, live=True)
        demo = choose(rulesets, "演示", regime, TODAY, live=False)
        assert set(law.rules) <= set(demo.rules)


def test_a_year_without_a_calendar_is_refused_not_guessed(works: RuleSet) -> None:
    with pytest.raises(ConflictError) as refusal:
        last_day(works["complaint.accept"], works.calendar, date(2027, 1, 4))
    assert refusal.value.facts == {"year": 2027}


def test_an_unknown_rule_is_a_conflict_not_a_crash(works: RuleSet) -> None:
    with pytest.raises(ConflictError):
        works["no.such.rule"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"name": 1}', '{"regimes": ["sea"], "rules": []}'],
)
def test_a_broken_rules_file_is_refused(works: RuleSet, text: str) -> None:
    with pytest.raises(MalformedError):
        read_rulesets(text, works.calendar)
    with pytest.raises(MalformedError):
        read_calendar([text])


@given(st.integers(0, 365 * 86_400_000 - 1))
def test_a_day_begins_at_its_own_first_instant(offset: int) -> None:
    ms = instant(date(2026, 1, 1)) + offset
    day = day_of(ms)
    assert instant(day) <= ms < instant(day) + 86_400_000


@given(st.dates(date(2026, 1, 1), date(2026, 12, 1)), st.integers(1, 15))
def test_a_limit_in_working_days_ends_on_a_working_day_and_has_n_of_them(
    works: RuleSet, anchor: date, n: int
) -> None:
    rule = replace(works["complaint.accept"], n=n)
    try:
        end = last_day(rule, works.calendar, anchor)
    except ConflictError:
        return  # it would end in a year without a calendar
    days = [date.fromordinal(o) for o in range(anchor.toordinal() + 1, end.toordinal() + 1)]
    assert sum(is_working_day(works.calendar, d) for d in days) == n
    assert is_working_day(works.calendar, end)


def actor(role: Role, person: str = "", key: str = "") -> Actor:
    return Actor(person or f"per_{role}", "org", role, key or f"key_{role}", b"")


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_two_different_persons_roles_and_keys_carry_an_act(act: Act) -> None:
    for first in Role:
        if first not in act.proposers:
            with pytest.raises(ForbiddenError):
                check_proposer(act, actor(first))
            continue
        check_proposer(act, actor(first))
        for second in Role:
            if second in act.confirmers and second != first:
                check_pair(act, actor(first), actor(second))
                with pytest.raises(ForbiddenError):  # one person with two keys
                    check_pair(act, actor(first), actor(second, person=f"per_{first}"))
                with pytest.raises(ForbiddenError):  # two persons with one key
                    check_pair(act, actor(first), actor(second, key=f"key_{first}"))
            else:
                with pytest.raises(ForbiddenError):
                    check_pair(act, actor(first), actor(second, person="another"))


def test_every_act_can_be_carried_by_somebody() -> None:
    for act in ACTS:
        assert any(a != b for a in act.proposers for b in act.confirmers), act.name


NONCE = "0123456789abcdef"


@pytest.mark.parametrize("drift", [-60_000, 0, 60_000])
def test_a_command_is_taken_within_a_minute_of_its_time(drift: int) -> None:
    check_fresh(State(), {"nonce": NONCE, "at": T0 + drift}, T0)


@pytest.mark.parametrize("drift", [-60_001, 60_001])
def test_a_command_of_another_time_is_refused(drift: int) -> None:
    with pytest.raises(LoginError):
        check_fresh(State(), {"nonce": NONCE, "at": T0 + drift}, T0)


def test_a_command_is_taken_once() -> None:
    with pytest.raises(ConflictError):
        check_fresh(State(nonces={NONCE: T0}), {"nonce": NONCE, "at": T0}, T0)


@pytest.mark.parametrize(
    "body",
    [{}, {"nonce": "short", "at": T0}, {"nonce": NONCE, "at": True}, {"nonce": NONCE, "at": "0"}],
)
def test_a_command_without_nonce_or_time_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(MalformedError):
        check_fresh(State(), body, T0)


def holding(*roles: tuple[Role, str, str]) -> State:
    state = State()
    for number, (role, person, organisation) in enumerate(roles):
        public = bytes([number]) * 33
        state.keys[public] = Key(str(number), public, person, organisation, role, "", 0)
    return state


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        (Role.OPERATOR, Role.REVIEWER),
        (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN),
        (Role.SECURITY_ADMIN, Role.AUDIT_ADMIN),
        (Role.AUDITOR, Role.SUPERVISOR),
        (Role.OPERATOR, Role.SYSTEM_ADMIN),
    ],
)
def test_exclusive_roles_need_two_persons(held: Role, wanted: Role) -> None:
    state = holding((held, "per_a", "org_a"))
    with pytest.raises(UnlawfulError):
        check_role(state, organisation="", person="per_a", role=wanted, test=False, live=True)
    check_role(state, organisation="", person="per_b", role=wanted, test=False, live=True)


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        (Role.OPERATOR, Role.BIDDER),
        (Role.BIDDER, Role.REVIEWER),
        (Role.OPERATOR, Role.SUPERVISOR),
        (Role.SUPERVISOR, Role.BIDDER),
    ],
)
def test_some_roles_need_two_organisations(held: Role, wanted: Role) -> None:
    state = holding((held, "per_a", "org_a"))
    with pytest.raises(UnlawfulError):
        check_role(state, organisation="org_a", person="", role=wanted, test=False, live=True)
    check_role(state, organisation="org_b", person="", role=wanted, test=False, live=True)


def test_a_live_centre_refuses_test_codes() -> None:
    def check(*, live: bool) -> None:
        check_role(State(), organisation="", person="", role=Role.BIDDER, test=True, live=live)

    check(live=False)
    with pytest.raises(UnlawfulError):
        check(live=True)


def test_custodians_do_not_enrol_as_persons() -> None:
    with pytest.raises(MalformedError):
        check_role(State(), organisation="", person="", role=Role.CUSTODIAN, test=False, live=False)
