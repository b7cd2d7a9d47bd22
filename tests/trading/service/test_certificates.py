"""A certificate that somebody brings is whatever bytes they like: it fits their key, or it is refused as malformed."""

import base64
import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.signature import SigningKey
from trading.model import MalformedError
from trading.service.certificates import check_own

MINE = SigningKey.from_scalar(7)
EC = bytes.fromhex("06072a8648ce3d0201")  # the algorithm of its key
VERSION = bytes.fromhex("a003020102")
FROM, TO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "水务行政监督处")])


def certificate(public: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> bytes:
    made = x509.CertificateBuilder(NAME, NAME, public, 7, FROM, TO)
    return made.sign(MINE.private, hashes.SHA256()).public_bytes(Encoding.DER)


OWN = certificate(MINE.private.public_key())
OTHERS = (
    certificate(ec.generate_private_key(ec.SECP256R1()).public_key()),
    certificate(ec.generate_private_key(ec.SECP224R1()).public_key()),
    certificate(ed25519.Ed25519PrivateKey.generate().public_key()),
)


def pem(der: bytes) -> str:
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"


def test_ones_own_is_taken_and_anothers_is_not() -> None:
    check_own(pem(OWN), MINE.public)
    for der in OTHERS:
        with pytest.raises(MalformedError):
            check_own(pem(der), MINE.public)


@pytest.mark.parametrize(
    "der",
    [
        OWN.replace(EC, EC[:-1] + b"\x7f"),  # a kind of key that nobody knows
        OWN.replace(VERSION, VERSION[:-1] + b"\x03"),
        OWN[:-1],
        OWN + b"\0",
        b"",
    ],
)
def test_what_is_nearly_a_certificate_is_refused(der: bytes) -> None:
    assert der != OWN
    with pytest.raises(MalformedError):
        check_own(pem(der), MINE.public)


@settings(max_examples=400)
@given(
    st.sampled_from((OWN, *OTHERS)),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3), st.binary(max_size=3)), max_size=3),
)
def test_changed_bytes_are_refused_in_our_own_words_or_change_nothing_of_the_key(
    der: bytes, changes: list[tuple[int, int, bytes]]
) -> None:
    for place, cut, put in changes:
        der = der[:place] + put + der[place + cut :]
    try:
        check_own(pem(der), MINE.public)
    except MalformedError:
        return
    assert MINE.public[1:] in der
