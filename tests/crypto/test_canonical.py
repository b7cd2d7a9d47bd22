import contextlib
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.canonical import MAX_DEPTH, MAX_INTEGER, canonical, parse
from crypto.errors import FormatError

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20
)


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_the_published_cases_come_out_byte_for_byte(vectors, name):
    folder = vectors("jcs")
    made = canonical(parse((folder / "input" / f"{name}.json").read_bytes()))
    assert made == (folder / "output" / f"{name}.json").read_bytes()
    assert made == bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text())


def test_ten_thousand_numbers_are_written_as_ecmascript_writes_them(vectors):
    lines = (vectors("jcs") / "es6_numbers_first_10000.txt").read_text().splitlines()
    assert len(lines) == 10_000
    wrong = [
        line
        for line in lines
        for bits, expected in [line.split(",")]
        if canonical(struct.unpack(">d", int(bits, 16).to_bytes(8))[0]).decode() != expected
    ]
    assert wrong == []


@pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])
def test_nan_and_infinity_have_no_form(bits):
    with pytest.raises(FormatError):
        canonical(struct.unpack(">d", bytes.fromhex(bits))[0])


@given(VALUES)
def test_canonical_is_stable_and_loses_nothing(value):
    made = canonical(value)
    assert parse(made) == value
    assert canonical(parse(made)) == made


@given(st.dictionaries(TEXT, st.integers(0, 9), max_size=8))
def test_the_order_of_keys_is_that_of_utf_16(value):
    keys = list(json.loads(canonical(value)))
    assert keys == sorted(value, key=lambda key: key.encode("utf-16-be"))


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b"NaN",
        b"[-Infinity]",
        b"1e999",
        b"9007199254740993",
        b"-1000000000000000000000",
        b"1" * 100_000,
        b'"\\ud800"',
        b'{"\\udc00":1}',
        b'"\xff"',
        b'\xef\xbb\xbf{"a":1}',
        b"[" * 65 + b"]" * 65,
        b"[" * 200_000,
        b'{"a":' * 70 + b"1" + b"}" * 70,
        b"01",
        b"",
        b"[1,]",
        b'"a\nb"',
        b"1 2",
        '"\ud800"',
    ],
    ids=range(21),
)
def test_json_that_two_readers_could_read_differently_is_refused(text):
    with pytest.raises(FormatError):
        parse(text)


@given(st.binary(max_size=60) | st.text('{}[]",:0123eE+-.\\u truefalsn', max_size=40))
def test_any_bytes_are_json_or_a_format_error(data):
    with contextlib.suppress(FormatError):
        canonical(parse(data))


@pytest.mark.parametrize(
    "value", [{1: 2}, {None: 1}, b"bytes", {1, 2}, object(), 2**53, "\ud800", {"a\udfff": 1}]
)
def test_what_is_not_json_has_no_canonical_form(value):
    with pytest.raises(FormatError):
        canonical(value)


def nest(depth):
    value = 0
    for _ in range(depth):
        value = [value]
    return value


def test_nesting_is_bounded_alike_in_both_directions():
    deepest = nest(MAX_DEPTH)
    assert parse(canonical(deepest)) == deepest
    with pytest.raises(FormatError):
        canonical([deepest])
