"""Identifiers tell their kind and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.ground.ids import check_id, is_id, new_id
from trading.ground.problems import Invalid


def test_an_identifier_has_its_prefix_and_26_random_characters():
    made = {new_id("sec") for _ in range(1000)}
    assert len(made) == 1000
    assert all(is_id(one, "sec") and len(one) == 30 for one in made)


def test_identifiers_are_not_sequential():
    made = [new_id("bid") for _ in range(50)]
    assert made != sorted(made)


@pytest.mark.parametrize("prefix", ["", "S", "sec_", "ｓｅｃ", "toolongprefix"])
def test_a_prefix_of_another_form_is_a_mistake_of_ours(prefix):
    with pytest.raises(ValueError, match="prefix"):
        new_id(prefix)


@given(st.text(max_size=40))
def test_foreign_text_is_refused_and_never_repeated(text):
    with pytest.raises(Invalid) as refusal:
        check_id("§" + text, "sec")
    assert "§" not in refusal.value.detail


def test_an_identifier_of_another_kind_is_refused():
    with pytest.raises(Invalid):
        check_id(new_id("lot"), "sec")
