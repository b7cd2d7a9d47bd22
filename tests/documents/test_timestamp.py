import dataclasses
import hashlib
import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import VerifierBuilder, decode_timestamp_response

from documents import cms, stamped
from documents.der import Reader, integer, oid, tlv
from documents.model import DocumentError
from documents.timestamp import response
from tests.documents import samples

MESSAGE = b"what was stamped"
DIGEST = hashlib.sha256(MESSAGE).digest()


@pytest.fixture(scope="module")
def token(world) -> bytes:
    return world.tsa(samples.T + 7).stamp(DIGEST)


def test_a_token_says_when_and_by_whom_and_that_it_is_for_development(world, token):
    stamp = stamped.check(token, DIGEST)
    assert stamp.at == samples.T + 7
    assert stamp.certificate == world.tsa_certificate
    assert stamp.development


@pytest.mark.parametrize("ms", [0, 1, 10, 100, 120, 999])
def test_every_millisecond_survives(world, ms):
    assert stamped.check(world.tsa(samples.T + ms).stamp(DIGEST), DIGEST).at == samples.T + ms


def test_the_strict_reader_of_another_project_accepts_it(world, token):
    verifier = VerifierBuilder().add_root_certificate(world.root).build()
    assert verifier.verify_message(decode_timestamp_response(response(token)), MESSAGE)


def test_openssl_accepts_it_and_refuses_another_message(world, token, tmp_path):
    (tmp_path / "root.pem").write_bytes(world.root.public_bytes(Encoding.PEM))
    (tmp_path / "token.tsr").write_bytes(response(token))
    for name, content, code in (("good", MESSAGE, 0), ("bad", MESSAGE + b"!", 1)):
        (tmp_path / name).write_bytes(content)
        done = subprocess.run(
            [
                "openssl",
                "ts",
                "-verify",
                "-data",
                name,
                "-in",
                "token.tsr",
                "-CAfile",
                "root.pem",
                "-attime",
                str(samples.T // 1000 + 100),
            ],
            cwd=tmp_path,
            check=False,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == code, done.stderr


def test_a_token_over_something_else_is_refused(token):
    with pytest.raises(DocumentError, match="something else"):
        stamped.check(token, hashlib.sha256(b"other").digest())


def test_no_single_bit_of_a_token_is_free(world, token):
    accepted = []
    for position in range(len(token)):
        changed = bytearray(token)
        changed[position] ^= 1 << position % 8
        try:
            stamp = stamped.check(bytes(changed), DIGEST)
            if stamp.certificate == world.tsa_certificate:
                accepted.append(position)
        except DocumentError:
            continue
    # A bit in the certificate's own signature leaves this check and fails at the chain; the rest fails here.
    assert accepted == []


def test_a_signature_in_place_of_a_token_is_refused(world):
    signed = cms.attributes(cms.DATA, DIGEST, world.tsa_certificate.public_bytes(Encoding.DER))
    parts = cms.Signature(
        cms.DATA, None, (world.tsa_certificate.public_bytes(Encoding.DER),), signed, bytes(384)
    )
    with pytest.raises(DocumentError, match="no time-stamp token"):
        stamped.check(cms.compose(parts), DIGEST)


def test_a_spare_certificate_changes_the_form(world, token):
    parts = cms.take_apart(token)
    root = world.root.public_bytes(Encoding.DER)
    more = cms.compose(dataclasses.replace(parts, certificates=(*parts.certificates, root)))
    assert stamped.check(more, DIGEST).others == (world.root,)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",
        b"\x30\x81\x01\x00",
        b"\x30\x82\x00\x80" + bytes(128),
        b"\x31\x00",
        b"\x30\x05\x00",
    ],
)
def test_only_strict_der_is_read(data):
    with pytest.raises(DocumentError, match="DER"):
        Reader(data).only(0x30)


def test_der_is_written_as_the_standard_says():
    assert oid("1.2.840.113549.1.7.2").hex() == "06092a864886f70d010702"
    assert [integer(n).hex() for n in (0, 127, 128, 256)] == [
        "020100",
        "02017f",
        "02020080",
        "02020100",
    ]
    assert tlv(0x04, bytes(200))[:3].hex() == "0481c8"
