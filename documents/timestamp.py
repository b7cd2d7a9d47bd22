"""A time-stamp authority of our own, for development only (RFC 3161): in process, any RSA key, kept loaded.

In production the authority must be a third party; a token of this one says so by its policy, and `verify` repeats it.
pyHanko's own dummy reloads its key per call and reads the wall clock; this one is told the time.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from asn1crypto import algos, cms, core, tsp, x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.timestamps import TimeStamper

from crypto.random import token

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

# An arc under 2.25 (UUID-derived OIDs, ITU-T X.667), made for this purpose: "development time stamp, no third party".
DEVELOPMENT_POLICY = "2.25.96711357841903716208465573829465120377"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DevelopmentTsa(TimeStamper):
    """Answers time-stamp requests in this process with the given certificate, key and clock."""

    def __init__(
        self, certificate: Certificate, key: RSAPrivateKey, now: Callable[[], int]
    ) -> None:
        """Take certificate (critical EKU timeStamping) and key, and a clock in ms UTC."""
        super().__init__(include_nonce=False)  # type: ignore[no-untyped-call]
        self._certificate = x509.Certificate.load(certificate.public_bytes(Encoding.DER))
        self._key = key
        self._now = now

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Answer one request (pyHanko's interface; nothing is awaited)."""
        return tsp.TimeStampResp(
            {
                "status": {"status": "granted"},
                "time_stamp_token": self._token(req["message_imprint"]),
            }
        )

    def stamp(self, digest: bytes) -> bytes:
        """Return a DER token (CMS ContentInfo) over a SHA-256 digest, for evidence files."""
        imprint = tsp.MessageImprint(
            {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest}
        )
        encoded: bytes = self._token(imprint).dump()
        return encoded

    def _token(self, imprint: tsp.MessageImprint) -> cms.ContentInfo:
        moment = _EPOCH + timedelta(milliseconds=self._now())
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": DEVELOPMENT_POLICY,
                "message_imprint": imprint,
                "serial_number": int.from_bytes(token(16), "big") >> 1,
                "gen_time": core.GeneralizedTime(moment),
                "accuracy": {"millis": 1},
                "tsa": x509.GeneralName(name="directory_name", value=self._certificate.subject),
            }
        ).dump()
        attributes = cms.CMSAttributes(
            [
                _attribute("content_type", "tst_info"),
                _attribute("message_digest", hashlib.sha256(info).digest()),
                _attribute(
                    "signing_certificate_v2",
                    {"certs": [{"cert_hash": hashlib.sha256(self._certificate.dump()).digest()}]},
                ),
            ]
        )
        signature = self._key.sign(attributes.dump(), PKCS1v15(), SHA256())
        algorithm = algos.DigestAlgorithm({"algorithm": "sha256"})
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    name="issuer_and_serial_number",
                    value={
                        "issuer": self._certificate.issuer,
                        "serial_number": self._certificate.serial_number,
                    },
                ),
                "digest_algorithm": algorithm,
                "signed_attrs": attributes,
                "signature_algorithm": {"algorithm": "sha256_rsa"},
                "signature": signature,
            }
        )
        return cms.ContentInfo(
            {
                "content_type": "signed_data",
                "content": cms.SignedData(
                    {
                        "version": "v3",
                        "digest_algorithms": [algorithm],
                        "encap_content_info": {
                            "content_type": "tst_info",
                            "content": cms.ParsableOctetString(info),
                        },
                        # Only the signer's: strict readers refuse a certificate set that is not in DER order.
                        "certificates": [self._certificate],
                        "signer_infos": [signer],
                    }
                ),
            }
        )


def _attribute(name: str, value: object) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": name, "values": [value]})
