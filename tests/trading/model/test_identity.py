"""Parties, keys as of an index, the codec of journal rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.model import (
    CENTRE_STAFF,
    EXCLUSIVE,
    SEPARATED_ADMINS,
    Custody,
    Key,
    MalformedError,
    Party,
    Possession,
    Role,
    Section,
    SectionKey,
    SummaryField,
    consortium,
)
from trading.model.codec import from_json, to_json

KEY = Key("0" * 16, b"\x02" * 33, "per_a", "org_a", Role.BIDDER, "", 5, 9)
SECTION = Section(
    "sec_a",
    "ten_a",
    "施工标段",
    4_865_000_000,
    "",
    80_000_000,
    365,
    1_000_000,
    3,
    Custody(("c1", "c2", "c3"), 2, 600, "补救"),
    Possession.REQUIRED,
    ("0.25",),
    (SummaryField("total_price", "投标总价", "amount", "元"),),
    key=SectionKey("age1tag1x", "cer_a", {"n": 3}, 1_000_000, 3),
    pauses=((5, 9), (11, None)),
)


def test_a_key_is_valid_from_its_issuance_to_before_its_revocation() -> None:
    assert [KEY.valid_at(i) for i in (4, 5, 8, 9, 10)] == [False, True, True, False, False]
    assert replace(KEY, revoked_at_index=None).valid_at(10**9)
    assert not replace(KEY, issued_at_index=-1).valid_at(10**9)


def test_the_lead_of_a_consortium_comes_first_and_the_rest_keep_their_order() -> None:
    a, b, c = Party("a", lead=False), Party("b", lead=True), Party("c", lead=False)
    assert consortium([a, b, c]) == (b, a, c)


@pytest.mark.parametrize(
    "leads",
    [[], [False], [True, True], [True] + [False] * 16],
    ids=["nobody", "no lead", "two leads", "seventeen"],
)
def test_a_bidder_has_one_lead_and_at_most_sixteen_parties(leads: list[bool]) -> None:
    with pytest.raises(MalformedError):
        consortium(Party(f"org_{i}", lead=lead) for i, lead in enumerate(leads))


def test_no_organisation_is_in_a_consortium_twice() -> None:
    with pytest.raises(MalformedError):
        consortium([Party("a", lead=True), Party("a", lead=False)])


@pytest.mark.parametrize(
    "value", [None, [], {"organisation": "a"}, {"organisation": "a", "lead": 1}]
)
def test_a_party_of_another_form_is_refused(value: object) -> None:
    with pytest.raises(MalformedError):
        Party.from_json(value)


def test_the_separated_roles_are_exclusive() -> None:
    assert CENTRE_STAFF | SEPARATED_ADMINS < EXCLUSIVE


def test_a_section_and_a_key_come_back_from_the_journal_as_they_went() -> None:
    assert from_json(Section, to_json(SECTION)) == SECTION
    assert from_json(Key, to_json(KEY)) == KEY


@given(st.sampled_from(sorted(to_json(SECTION))), st.sampled_from([True, "x", [], {}, 1.5]))
def test_a_row_of_another_shape_is_refused(member: str, value: object) -> None:
    row = {**to_json(SECTION), member: value}
    try:
        back = from_json(Section, row)
    except (ValueError, TypeError):
        return
    assert to_json(back) == row


def test_a_missing_or_further_member_is_refused() -> None:
    row = to_json(SECTION)
    with pytest.raises(ValueError, match="members"):
        from_json(Section, {**row, "more": 1})
    del row["name"]
    with pytest.raises(ValueError, match="members"):
        from_json(Section, row)
