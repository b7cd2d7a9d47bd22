"""Amounts: one grammar, exact, and as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.ground.money import capital, format_amount, grouped, parse_amount
from trading.ground.problems import Invalid

HOSTILE = [
    "", " ", "+1", "-1", "-0", "01", "00", "1.", ".5", "1.234", "1e3", "1E3", "1_000", "1,000",
    "NaN", "nan", "Infinity", "-inf", "0x1", "0b1", "１２３", "١٢٣", "1 ", " 1", "1\n", "\n1",
    "1.0.0", "1..0", "१", "二", "½", "²", "1\x00", "9" * 16, "9" * 5000, "1e999", "1e-320",
    "0.0000001", "true", "null", "[]", "1\u200b", "\ufeff1", "1\u202e", "1/2", "1;2", "1'",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_numeral_is_refused(text):
    with pytest.raises(Invalid):
        parse_amount(text, 2)


@pytest.mark.parametrize("value", [True, None, 1, 1.5, [], {}, b"2", float("nan")])
def test_a_value_that_is_no_string_is_refused(value):
    with pytest.raises(Invalid):
        parse_amount(value, 2)


@given(st.integers(0, 10**15 - 1), st.integers(0, 6))
def test_parse_and_format_are_inverse(value, scale):
    assert parse_amount(format_amount(value, scale), scale) == value


@pytest.mark.parametrize(
    ("text", "scale", "value"),
    [("0", 2, 0), ("48650000.00", 2, 4865000000), ("1.5", 2, 150), ("2.153", 3, 2153), ("7", 0, 7)],
)
def test_amounts_are_read_exactly(text, scale, value):
    assert parse_amount(text, scale) == value


def test_decimals_beyond_the_scale_are_refused_even_when_zero():
    with pytest.raises(Invalid):
        parse_amount("1.0", 0)


def test_thousands_are_grouped_for_people():
    assert grouped("48650000.00") == "48,650,000.00"
    assert grouped("7") == "7"


@pytest.mark.parametrize(
    ("fen", "words"),
    [  # the first five are the examples of 支付结算办法 附一
        (140950, "壹仟肆佰零玖元伍角"),
        (600714, "陆仟零柒元壹角肆分"),
        (168032, "壹仟陆佰捌拾元零叁角贰分"),
        (10700053, "壹拾万柒仟元零伍角叁分"),
        (1640902, "壹万陆仟肆佰零玖元零贰分"),
        (32504, "叁佰贰拾伍元零肆分"),
        (4865000000, "肆仟捌佰陆拾伍万元整"),
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角"),
        (1000, "壹拾元整"),
        (10040000, "壹拾万零肆佰元整"),
        (10_000_500_000, "壹亿零伍仟元整"),
        (11_000_000_000, "壹亿壹仟万元整"),
        (100_000_000_000_000, "壹万亿元整"),
        (100_000_000_000_100, "壹万亿零壹元整"),
        (120_000_000_000_000, "壹万贰仟亿元整"),
    ],
)
def test_capital_numerals_follow_the_rule(fen, words):
    assert capital(fen) == words


def read_back(words: str) -> int:
    """An independent reader of capital numerals: fen."""
    digits = {c: i for i, c in enumerate("零壹贰叁肆伍陆柒捌玖")}
    units = {"拾": 10, "佰": 100, "仟": 1000}
    yuan_text, _, rest = words.partition("元") if "元" in words else ("", "", words)

    def number(text: str) -> int:
        for mark, base in (("亿", 10**8), ("万", 10**4)):
            if mark in text:
                high, _, low = text.rpartition(mark)
                return number(high) * base + number(low)
        total = digit = 0
        for c in text:
            if c in digits:
                digit = digits[c]
            else:
                total += digit * units[c]
                digit = 0
        return total + digit

    fen = number(yuan_text) * 100
    for mark, weight in (("角", 10), ("分", 1)):
        if mark in rest:
            fen += digits[rest[rest.index(mark) - 1]] * weight
    return fen


@given(st.integers(0, 10**17 - 1))
def test_capital_numerals_read_back_to_the_same_amount(fen):
    words = capital(fen)
    assert read_back(words) == fen
    assert "零零" not in words


@pytest.mark.parametrize("fen", [-1, 10**17])
def test_capital_numerals_have_a_range(fen):
    with pytest.raises(ValueError, match="amount"):
        capital(fen)
