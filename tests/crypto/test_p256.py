"""P-256 against OpenSSL, and its laws under hypothesis."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import jacobian, p256
from crypto.errors import FormatError
from crypto.p256 import INFINITY, G, N, P, Point, Secret

scalars = st.integers(2, N - 2)
small = st.integers(-5, 5)


def from_openssl(scalar: int) -> Point:
    """Return scalar·G as OpenSSL computes it."""
    numbers = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
    return Point(numbers.x, numbers.y)


points = scalars.map(from_openssl)


@given(scalars, scalars)
def test_a_secret_multiplies_like_the_open_arithmetic(k, base):
    q = from_openssl(base)
    assert Secret(k).mul(q) == k * q == (k * base) * G


@given(scalars)
def test_both_encodings_are_read_back(k):
    point = Secret(k).public()
    assert Point.parse(point.compressed()) == Point.parse(point.uncompressed()) == point


@given(small | scalars, small | scalars, points)
def test_multiplication_distributes(a, b, q):
    assert a * q + b * q == (a + b) * q
    assert a * q - b * q == (a - b) * q


@settings(max_examples=25)
@given(st.lists(st.tuples(small | scalars, points), max_size=40))
def test_a_sum_of_multiples_is_the_sum_of_the_multiples(pairs):
    ks, qs = [k for k, _ in pairs], [q for _, q in pairs]
    want = p256.total(k * q for k, q in pairs)
    assert p256.multiply_sum(ks, qs) == want


@settings(max_examples=20)
@given(st.lists(st.tuples(scalars, points), min_size=1, max_size=8))
def test_straus_and_buckets_agree(pairs):
    ks, qs = [k for k, _ in pairs], [(q.x, q.y) for _, q in pairs]
    one = jacobian.straus(ks, jacobian.odd_multiples(qs))
    other = jacobian.buckets(ks, qs)
    assert jacobian.to_affine([one]) == jacobian.to_affine([other])


@given(scalars)
def test_infinity_is_neutral_and_never_encoded(k):
    q = from_openssl(k)
    assert q - q == INFINITY
    assert q + INFINITY == INFINITY + q == q
    assert N * q == INFINITY
    assert q + q == 2 * q
    with pytest.raises(FormatError):
        INFINITY.compressed()
    with pytest.raises(FormatError):
        Secret(k).mul(INFINITY)


@pytest.mark.parametrize("k", [0, 1, N - 1, N, N + 2, -2])
def test_the_exceptional_scalars_are_refused(k):
    with pytest.raises(FormatError):
        Secret(k)


@pytest.mark.parametrize("k", [2, 3, N - 2, N - 3, (N - 1) // 2, (N + 1) // 2])
def test_the_scalars_beside_the_exceptional_ones_work(k):
    q = from_openssl(7)
    assert Secret(k).mul(q) == k * q


def test_a_secret_does_not_print_itself():
    assert "12345" not in f"{Secret(12345)!r} {Secret(12345)}"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        bytes(33),
        bytes(65),
        b"\x04" + bytes(64),
        b"\x02" + P.to_bytes(32),
        b"\x02" + (P + 5).to_bytes(32),
        b"\x02" + (1).to_bytes(32),  # x = 1 has no y on this curve
        b"\x04" + G.x.to_bytes(32) + (G.y + 1).to_bytes(32),
        b"\x04" + G.x.to_bytes(32),
        b"\x06" + G.uncompressed()[1:],
        b"\x07" + G.uncompressed()[1:],
        G.compressed() + b"\x00",
        G.uncompressed()[:-1],
    ],
)
def test_what_is_not_one_canonical_point_is_refused(data):
    with pytest.raises(FormatError):
        Point.parse(data)


def test_x_equal_to_one_really_has_no_point():
    square = (1 - 3 + jacobian.B) % P
    assert pow(square, (P - 1) // 2, P) == P - 1  # the control of the case above


@given(st.binary(min_size=33, max_size=33) | st.binary(min_size=65, max_size=65))
def test_random_bytes_never_fail_otherwise(data):
    try:
        point = Point.parse(data)
    except FormatError:
        return
    assert data in {point.compressed(), point.uncompressed()}


@given(st.integers(0, 2**256 - 1))
def test_a_scalar_must_be_reduced(value):
    if value < N:
        assert p256.parse_scalar(value.to_bytes(32)) == value
    else:
        with pytest.raises(FormatError):
            p256.parse_scalar(value.to_bytes(32))


@given(st.lists(st.integers(1, P - 1), max_size=9))
def test_inverses_invert(values):
    assert all(a * b % P == 1 for a, b in zip(values, jacobian.inverses(values), strict=True))
