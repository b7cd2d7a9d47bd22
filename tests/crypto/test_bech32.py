import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.bech32 import MAX_CHARACTERS, decode, encode
from crypto.errors import FormatError

EXAMPLE = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"


def test_the_recipient_of_the_age_specification_is_read_and_written():
    hrp, data = decode(EXAMPLE)
    assert (hrp, len(data)) == ("age", 32)
    assert encode(hrp, data) == EXAMPLE
    assert decode(EXAMPLE.upper()) == ("AGE", data)


@pytest.mark.parametrize("text", ["A12UEL5L", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"])
def test_valid_texts_of_bip_173_are_read(text):
    hrp, data = decode(text)
    assert encode(hrp, data) == text


@pytest.mark.parametrize(
    "text",
    [
        "\x201nwldj5",
        "\x7f1axkwrx",
        "pzry9x0s0muk",
        "1pzry9x0s0muk",
        "x1b4n0q5v",
        "li1dgmt3",
        "A1G7SGD8",
        "10a06t8",
        "1qzzfhee",
        "A12uEL5L",
        "de1lg7wt\xff",
        "",
        "age1" + "q" * MAX_CHARACTERS,
    ],
)
def test_invalid_texts_are_refused(text):
    with pytest.raises(FormatError):
        decode(text)


@given(st.binary(max_size=80), st.sampled_from(["age", "age1tag", "AGE-SECRET-KEY-"]))
def test_what_is_written_is_read(data, hrp):
    assert decode(encode(hrp, data)) == (hrp, data)


@given(st.integers(4, len(EXAMPLE) - 1), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_one_mistyped_character_is_found(place, character):
    text = EXAMPLE[:place] + character + EXAMPLE[place + 1 :]
    if text != EXAMPLE:
        with pytest.raises(FormatError):
            decode(text)


@given(st.text(max_size=60))
def test_any_text_is_a_key_or_a_format_error(text):
    with contextlib.suppress(FormatError):
        decode(text)


@pytest.mark.parametrize("hrp", ["", "aB", "a b", "é"])
def test_a_prefix_outside_the_grammar_is_refused(hrp):
    with pytest.raises(FormatError):
        encode(hrp, b"x")
