import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st

from crypto import hpke
from crypto.errors import AuthenticationError, CryptoError, FormatError
from crypto.signature import SigningKey

RECIPIENT = SigningKey.from_scalar(1234567)
POINT = RECIPIENT.public65


def dh(private: SigningKey, point65: bytes) -> bytes:
    """What the custodians would compute together; only tests hold the whole key."""
    return private.private.exchange(ec.ECDH(), hpke.load_point(point65))


@pytest.mark.parametrize("aead", [1, 2, 3])
def test_the_vectors_of_rfc_9180_base_mode_pass(vectors, aead):
    path = vectors("rfc9180") / "hpke-base-p256-hkdfsha256.json"
    (vector,) = (v for v in json.loads(path.read_bytes()) if int(v["aead_id"]) == aead)
    info, enc, recipient = (bytes.fromhex(vector[k]) for k in ("info", "enc", "pkRm"))
    secret = SigningKey.from_scalar(int(vector["skRm"], 16))
    ephemeral = SigningKey.from_scalar(int(vector["skEm"], 16))
    first = vector["encryptions"][0]
    aad, plaintext = bytes.fromhex(first["aad"]), bytes.fromhex(first["pt"])
    assert hpke.seal(recipient, info, aad, plaintext, ephemeral, aead)[:2] == (
        enc,
        bytes.fromhex(first["ct"]),
    )
    value = dh(secret, enc)
    sender = hpke.Context(value, enc, recipient, info, aead)
    receiver = hpke.Context(value, enc, recipient, info, aead)
    assert len(vector["encryptions"]) == 257
    for message in vector["encryptions"]:
        aad, pt, ct = (bytes.fromhex(message[k]) for k in ("aad", "pt", "ct"))
        assert sender.seal(aad, pt) == ct
        assert receiver.open(aad, ct) == pt


@given(st.binary(max_size=100), st.binary(max_size=20), st.binary(max_size=20))
def test_the_library_opens_what_we_seal_and_we_open_what_it_seals(plaintext, info, aad):
    suite = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    enc, sealed, _ = hpke.seal(POINT, info, b"", plaintext)
    assert suite.decrypt(enc + sealed, RECIPIENT.private, info) == plaintext
    other = suite.encrypt(plaintext, RECIPIENT.private.public_key(), info)
    enc, sealed = other[:65], other[65:]
    value = dh(RECIPIENT, enc)
    assert hpke.open_with_dh(value, enc, POINT, info, b"", sealed) == plaintext
    with pytest.raises(AuthenticationError):
        hpke.open_with_dh(value, enc, POINT, info, aad + b"x", sealed)


def test_the_ephemeral_key_comes_back_and_is_fresh_each_time():
    first, second = (hpke.seal(POINT, b"", b"", b"m") for _ in range(2))
    assert first[0] == first[2].public65 != second[0]


@given(st.sampled_from(range(5)), st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_byte_anywhere_does_not_open(which, place, change):
    enc, sealed, _ = hpke.seal(POINT, b"info", b"aad", b"price")
    parts = [dh(RECIPIENT, enc), enc, POINT, b"info", sealed]
    part = bytearray(parts[which])
    part[place % len(part)] ^= change
    parts[which] = bytes(part)
    value, enc, point, info, sealed = parts
    with pytest.raises(CryptoError):
        hpke.open_with_dh(value, enc, point, info, b"aad", sealed)


@given(st.binary(max_size=66), st.binary(max_size=66), st.binary(max_size=40))
def test_random_bytes_raise_only_our_family(point, value, sealed):
    with pytest.raises(FormatError):
        hpke.seal(point, b"", b"", b"m")
    with pytest.raises(CryptoError):
        hpke.open_with_dh(value, POINT, POINT, b"", b"", sealed)
    with pytest.raises(CryptoError):
        hpke.open_with_dh(bytes(32), point, POINT, b"", b"", sealed)
