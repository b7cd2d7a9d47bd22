"""Hostile texts: taken as they are, or refused and named; never changed in silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.model import MalformedError
from trading.model.texts import name, prose

TAKEN = [
    "广东恒𣲗水利建设集团有限公司",
    "㛃䶮生态环境工程有限公司",
    "<script>alert(1)</script>",
    "<b>&amp; “AT&T” 'x' \"y\" </b>",
    "'; DROP TABLE journal; --",
    "=HYPERLINK(1)",
    "../../etc/passwd",
    "{{ 7*7 }} ${x} %s",
    "字" * 500,
    "\U00031350公司",  # CJK Extension H, newer than Python's own tables
]
REFUSED = [
    "",
    "字" * 501,
    " 公司",
    "公司\u3000",
    "公\u202e司",  # right-to-left override
    "公\u2066司",  # isolate
    "公\u200b司",  # zero width space
    "公\x00司",
    "公\n司",
    "公\x1b[31m司",
    "公\u2028司",
    "公\ue000司",  # private use
    "公\ufdd0司",  # noncharacter
    "公\U000e0041司",  # tag
    "公\U0003fff0司",  # unassigned plane
    "公\ud800司",
    "e\u0301cole",  # not NFC
    "\uf900",  # a compatibility ideograph that NFC rewrites
]


@pytest.mark.parametrize("text", TAKEN)
def test_markup_and_rare_characters_are_text_like_any_other(text: str) -> None:
    assert name(text, "name") == text


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_shown_as_what_it_is_is_refused(text: str) -> None:
    with pytest.raises(MalformedError) as refusal:
        name(text, "name")
    assert refusal.value.code == "text-malformed"
    assert refusal.value.facts == {"field": "name"}
    assert len(text) < 3 or text not in refusal.value.detail


def test_prose_may_have_lines_but_nothing_else_more() -> None:
    assert prose("一\n二", "reason") == "一\n二"
    with pytest.raises(MalformedError):
        prose("一\r\n二", "reason")


@given(st.text(max_size=40))
def test_a_text_is_returned_unchanged_or_refused(text: str) -> None:
    try:
        assert name(text, "name") == text
    except MalformedError as refusal:
        refusal.detail.encode("utf-8")  # no half characters reach the answer
