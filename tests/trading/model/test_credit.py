"""统一社会信用代码: both check digits, and the flagged test series."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.model import MalformedError, code_for_tests, credit_code
from trading.model.credit import ALPHABET

REAL = ("91350100M000100Y43", "91110108551385082Q", "12100000400010275N")
# The first is the worked example of GB 32100-2015; the others are public registrations.


@pytest.mark.parametrize("text", REAL)
def test_codes_of_the_standard_and_of_registers_are_taken(text: str) -> None:
    assert not credit_code(text).test


def test_the_codes_of_the_shared_case_are_flagged_as_test_codes(shared: Path) -> None:
    case = json.loads((shared / "data/water-tender.json").read_text())
    codes = [bidder["credit_code"] for bidder in case["bidders"]]
    assert codes == [code_for_tests(n) for n in range(1, 8)]
    assert all(credit_code(code).test for code in codes)


@given(st.integers(0, 9999))
def test_every_test_code_is_flagged(number: int) -> None:
    assert credit_code(code_for_tests(number)).test


@given(st.sampled_from(REAL), st.integers(0, 17), st.sampled_from(ALPHABET))
def test_one_mistyped_character_is_refused(text: str, place: int, character: str) -> None:
    wrong = text[:place] + character + text[place + 1 :]
    if wrong == text:
        assert credit_code(wrong).text == text
    else:
        with pytest.raises(MalformedError):
            credit_code(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9144",
        "91440000MA4W0001X",
        "91440000ma4w0001xx",
        "91440000MA4W0001XXX",
        "９1440000MA4W0001XX",
        "I1440000MA4W0001XX",
        "91440000MA4W0001XX\n",
        "91440000MA4W0001XY",
    ],
)
def test_malformed_codes_are_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        credit_code(text)
