"""A time-stamp authority of our own, for development only (RFC 3161): in process, RSA, key kept loaded.

In production the authority must be a third party; a token of this one says so by its policy, and `verify` repeats it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from crypto.encoding import sha256
from crypto.random import token
from documents import cms
from documents.der import OCTETS, SEQUENCE, integer, oid, tlv
from documents.stamped import DEVELOPMENT_POLICY

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GENERALIZED_TIME = 0x18
_ACCURACY_MILLIS = 0x81
_TSA, _DIRECTORY_NAME = 0xA0, 0xA4
_SERIAL_BYTES = 16


class DevelopmentTsa:
    """Stamps digests in this process with the given certificate, key and clock."""

    def __init__(
        self, certificate: Certificate, key: RSAPrivateKey, now: Callable[[], int]
    ) -> None:
        """Take a certificate (critical EKU timeStamping), its key, and a clock in ms UTC."""
        self._certificate = certificate.public_bytes(Encoding.DER)
        self._key = key
        self._now = now

    def stamp(self, digest: bytes) -> bytes:
        """Return a time-stamp token (DER of a CMS ContentInfo) over a SHA-256 digest."""
        info = self._info(digest)
        signed = cms.attributes(cms.TST_INFO, sha256(info), self._certificate)
        value = self._key.sign(cms.to_sign(signed), PKCS1v15(), SHA256())
        return cms.compose(cms.Signature(cms.TST_INFO, info, (self._certificate,), signed, value))

    def _info(self, digest: bytes) -> bytes:
        """TSTInfo, RFC 3161 §2.4.2."""
        moment = _EPOCH + timedelta(milliseconds=self._now())
        fraction = f"{moment:.%f}".rstrip("0").rstrip(".")  # DER: no trailing zeros
        return tlv(
            SEQUENCE,
            integer(1),
            oid(DEVELOPMENT_POLICY),
            tlv(SEQUENCE, cms.DIGEST, tlv(OCTETS, digest)),
            # One length always, so that the room left for a signature is known: top bits 01.
            integer(
                int.from_bytes(token(_SERIAL_BYTES), "big") >> 2 | 1 << (8 * _SERIAL_BYTES - 2)
            ),
            tlv(_GENERALIZED_TIME, f"{moment:%Y%m%d%H%M%S}{fraction}Z".encode()),
            tlv(SEQUENCE, tlv(_ACCURACY_MILLIS, b"\x01")),
            tlv(_TSA, tlv(_DIRECTORY_NAME, cms.subject(self._certificate))),
        )


def response(stamp: bytes) -> bytes:
    """Wrap a token as a granted TimeStampResp (RFC 3161 §2.4.2), which is what stock tools read (`openssl ts`)."""
    return tlv(SEQUENCE, tlv(SEQUENCE, integer(0)), stamp)
