"""What a verifier trusts: the certificates of `trust.pem`, and the keys in them by their use.

One certificate per key. A note key (log, witness) is Ed25519 and its name is the subject's common name; a key of
signed statements is P-256; what seals records is RSA.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from crypto.tlog.note import COSIGNATURE, ED25519, VerifierKey
from documents import chain
from documents.model import DocumentError

LEDGER = "/ledger/"
"""Stands in a log's origin `<centre>/ledger/<log_id>` (ledger-v1 §2.2), and in no other note key's name."""


@dataclass(frozen=True)
class Trust:
    """Trusted certificates. `verify` works without any, and then says what it could not do."""

    anchors: tuple[x509.Certificate, ...]

    @classmethod
    def from_pem(cls, text: bytes) -> Trust:
        """Read a file of PEM certificates.

        Raises:
            DocumentError: when there is none in it, or one cannot be read.
        """
        try:
            return cls(tuple(x509.load_pem_x509_certificates(text)))
        except ValueError as error:
            raise DocumentError(
                f"the trust file holds no readable certificates: {error}"
            ) from error

    @cached_property
    def notes(self) -> dict[str, bytes]:
        """Ed25519 keys by name: the log under its origin, witnesses under theirs."""
        found = {}
        for certificate in self.anchors:
            key = certificate.public_key()
            if isinstance(key, Ed25519PublicKey):
                found[chain.name(certificate)] = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return found

    def log(self, origin: str) -> VerifierKey | None:
        """Return the log's verifier key, or None when its certificate is not trusted.

        A witness's key has a name of another form, so that no witness can pass for a log.
        """
        key = self.notes.get(origin) if LEDGER in origin else None
        return None if key is None else VerifierKey(origin, key, ED25519)

    def witnesses(self, origin: str) -> list[VerifierKey]:
        """Return every note key but those of logs as a witness."""
        return [
            VerifierKey(name, key, COSIGNATURE)
            for name, key in self.notes.items()
            if name != origin and LEDGER not in name
        ]

    def statement_key(self, public: bytes) -> str | None:
        """Return the name under which a P-256 key (33 bytes, compressed) is trusted, or None."""
        for certificate in self.anchors:
            key = certificate.public_key()
            if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
                continue
            if key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint) == public:
                return chain.name(certificate)
        return None


NOTHING = Trust(())
