import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.age.armor import ArmorReader, ArmorWriter, dearmor
from crypto.errors import FormatError


def armored(data, cut=7):
    out = io.BytesIO()
    writer = ArmorWriter(out.write)
    for start in range(0, len(data), cut):
        writer.write(data[start : start + cut])
    writer.close()
    return out.getvalue()


def read(text):
    return ArmorReader(io.BufferedReader(io.BytesIO(text))).readall()


@given(st.binary(max_size=400), st.integers(1, 100), st.sampled_from([b"", b"\n", b" \t\r\n"]))
def test_armor_comes_off_as_it_was_put_on(data, cut, space):
    text = armored(data, cut)
    assert read(space + text + space) == data
    assert read(text.replace(b"\n", b"\r\n")) == data
    assert max(map(len, text.splitlines())) <= 64


def test_large_armor_is_decoded_in_pieces():
    data = bytes(range(256)) * 1000
    reader = ArmorReader(io.BufferedReader(io.BytesIO(armored(data, 5000))))
    pieces = iter(lambda: reader.read(1000), b"")
    assert b"".join(pieces) == data


@given(st.data())
def test_one_changed_byte_never_reads_as_the_same_data_in_another_form(data):
    original = b"sealed bid, sealed bid, sealed bid, sealed bid, sealed bid"
    text = bytearray(armored(original))
    place = data.draw(st.integers(0, len(text) - 2))
    text[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(FormatError):
        assert read(bytes(text)) != original


@given(st.binary(max_size=200), st.sampled_from([b"", b"-----BEGIN AGE ENCRYPTED FILE-----\n"]))
def test_any_bytes_are_armor_or_a_format_error(data, begin):
    with contextlib.suppress(FormatError):
        read(begin + data)


def test_a_binary_file_passes_untouched_and_an_empty_one_too():
    for data in (b"age-encryption.org/v1\n", b""):
        source = io.BufferedReader(io.BytesIO(data))
        assert dearmor(source) is source
    with pytest.raises(FormatError):
        dearmor(io.BufferedReader(io.BytesIO(b"zip"))).read()
