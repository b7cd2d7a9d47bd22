"""A certificate in a record that cannot be read is said to be so, whatever is wrong with it."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from documents import cms
from documents.model import DocumentError

KIND = bytes.fromhex("06072a8648ce3d0201")  # the algorithm of an EC key
VERSION = bytes.fromhex("a003020102")


def made() -> bytes:
    key = ec.derive_private_key(7, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "中心")])
    from_, to = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, from_, to)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


OWN = made()


def test_a_certificate_is_read() -> None:
    assert cms.load(OWN).serial_number == 7


@pytest.mark.parametrize(
    "der",
    [
        OWN.replace(KIND, KIND[:-1] + b"\x7f"),
        OWN.replace(VERSION, VERSION[:-1] + b"\x03"),
        OWN[:-1],
        OWN + b"\0",
        b"",
    ],
)
def test_what_is_nearly_one_is_refused(der: bytes) -> None:
    assert der != OWN
    with pytest.raises(DocumentError):
        cms.load(der)
