import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.encoding import b64, b64raw, sha256, sha256_hex, unb64, unb64raw
from crypto.errors import FormatError


@given(st.binary(max_size=200))
def test_base64_comes_back(data):
    assert unb64(b64(data)) == data
    assert unb64raw(b64raw(data)) == data


@pytest.mark.parametrize(
    "text",
    ["A", "AA", "AA=", "AB==", "AAB=", "AA==\n", " AA==", "A-==", "AA==AA==", "====", "é==="],
)
def test_padded_base64_has_one_form(text):
    with pytest.raises(FormatError):
        unb64(text)


@pytest.mark.parametrize("text", ["A", "AB", "AAB", "AA==", "AA\n", "AAA A", "AAAA="])
def test_raw_base64_has_one_form(text):
    with pytest.raises(FormatError):
        unb64raw(text)


@given(st.text(max_size=40))
def test_any_text_is_base64_of_one_value_or_a_format_error(text):
    with contextlib.suppress(FormatError):
        assert b64(unb64(text)) == text


def test_hashes_are_sha256():
    assert sha256(b"abc") == hashlib.sha256(b"abc").digest()
    assert sha256_hex(memoryview(b"abc")).startswith("ba7816bf")
