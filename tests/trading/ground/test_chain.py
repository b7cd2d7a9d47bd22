import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import canonical as rfc8785
from crypto.canonical import parse
from crypto.errors import FormatError
from tests.crypto.test_canonical import VALUES
from trading.ground.chain import text_of


def slowly(value):
    """RFC 8785 written out, part by part, with no encoder in C."""
    parts: list[str] = []
    rfc8785._write(value, parts, 0)
    return "".join(parts).encode()


@given(VALUES)
def test_history_is_written_as_rfc_8785_says_however_it_is_encoded(value):
    assert text_of(value) == rfc8785.canonical(value) == slowly(value)


@given(st.dictionaries(st.text(st.characters(codec="ascii")), st.text() | st.integers() | VALUES))
def test_what_has_no_canonical_form_is_refused_by_every_encoder(body):
    try:
        expected = slowly(body)
    except (FormatError, UnicodeEncodeError):
        with pytest.raises(FormatError):
            text_of(body)
    else:
        assert text_of(body) == expected


def test_every_character_is_escaped_as_rfc_8785_says():
    for first in range(0, 0x110000, 0x1000):
        text = "".join(chr(code) for code in range(first, first + 0x1000) if code >> 11 != 27)
        assert text_of(text) == slowly(text)


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_the_published_cases_come_out_byte_for_byte(vectors, name):
    folder = vectors("jcs")
    made = text_of(parse((folder / "input" / f"{name}.json").read_bytes()))
    assert made == (folder / "output" / f"{name}.json").read_bytes()
