"""XAES-256-GCM against its specification's own vectors."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import xaes
from crypto.errors import AuthenticationError, FormatError

NONCE = b"ABCDEFGHIJKLMNOPQRSTUVWX"


@pytest.mark.parametrize(
    ("key", "derived", "aad", "ciphertext"),
    [
        (
            b"\x01" * 32,
            "c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b",
            b"",
            "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271",
        ),
        (
            b"\x03" * 32,
            "e9c621d4cdd9b11b00a6427ad7e559aeedd66b3857646677748f8ca796cb3fd8",
            b"c2sp.org/XAES-256-GCM",
            "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
        ),
    ],
)
def test_the_vectors_of_the_specification(key, derived, aad, ciphertext):
    assert xaes.derive_key(key, NONCE).hex() == derived
    assert xaes.encrypt(key, NONCE, b"XAES-256-GCM", aad).hex() == ciphertext
    assert xaes.decrypt(key, NONCE, bytes.fromhex(ciphertext), aad) == b"XAES-256-GCM"


def test_the_accumulated_vector_of_ten_thousand_messages():
    stream = hashlib.shake_128().digest(10_000 * 568)
    at = 0

    def take(size):
        nonlocal at
        at += size
        return stream[at - size : at]

    found = hashlib.shake_128()
    for _ in range(10_000):
        key, nonce = take(32), take(24)
        plaintext, aad = take(take(1)[0]), take(take(1)[0])
        ciphertext = xaes.encrypt(key, nonce, plaintext, aad)
        found.update(ciphertext)
    want = "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"
    assert found.hexdigest(32) == want


@given(
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=24, max_size=24),
    st.binary(max_size=80),
    st.data(),
)
def test_one_flipped_bit_anywhere_is_refused(key, nonce, plaintext, data):
    ciphertext = bytearray(xaes.encrypt(key, nonce, plaintext, b"aad"))
    assert xaes.decrypt(key, nonce, bytes(ciphertext), b"aad") == plaintext
    bit = data.draw(st.integers(0, 8 * len(ciphertext) - 1))
    ciphertext[bit // 8] ^= 1 << bit % 8
    with pytest.raises(AuthenticationError):
        xaes.decrypt(key, nonce, bytes(ciphertext), b"aad")


@pytest.mark.parametrize(("key", "nonce"), [(31, 24), (33, 24), (32, 12), (32, 25)])
def test_wrong_lengths_are_refused(key, nonce):
    with pytest.raises(FormatError):
        xaes.encrypt(bytes(key), bytes(nonce), b"")


def test_a_ciphertext_shorter_than_its_tag_is_refused():
    with pytest.raises(AuthenticationError):
        xaes.decrypt(bytes(32), bytes(24), b"short")
