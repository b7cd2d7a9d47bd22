"""``trust.pem``: the keys that a person has decided to believe, as certificates in one file.

Issuers, dates and extensions are not judged here: a pinned key is pinned. What a key is for stands in the OU
of its certificate's subject, whose O names the organisation and whose CN a note key's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clients import sentences as say
from clients.custodian.card import HOST_OU, NOTE_OU, STATEMENT_OU
from clients.errors import ClientError
from clients.files import read_bounded

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE: Final = 4 * 1024 * 1024
LEDGER: Final = "/ledger/"
"""Within the name of a ledger's key: `<centre>/ledger/<log id>`."""
MARK: Final = " 声明签名"
"""Ends the name in the certificate of a centre's key for statements (`trading.ground.ca`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """One pinned key.

    Attributes:
        name: subject CN; for a note key its name.
        organisation: subject O, may be empty.
        unit: subject OU: what the key is for, may be empty.
        public: P-256 compressed (33 bytes) or Ed25519 (32 bytes).
        issuer: name of whoever issued the certificate, DER; only compared, never believed.
    """

    name: str
    organisation: str
    unit: str
    public: bytes
    issuer: bytes = b""


@dataclass(frozen=True, slots=True)
class Trust:
    """All pinned keys of a file; keys of other kinds (RSA of PDF signers) are left to `verify`."""

    keys: tuple[TrustedKey, ...]

    def hosts(self) -> dict[bytes, TrustedKey]:
        """Host keys of custodians, by 33 bytes: the only keys a ceremony may have been held by."""
        return {key.public: key for key in self.keys if key.unit == HOST_OU}

    def notes(self) -> dict[str, bytes]:
        """Ed25519 keys of logs and witnesses by note name."""
        return {key.name: key.public for key in self.keys if len(key.public) == 32}

    def logs(self, centre: str) -> dict[str, bytes]:
        """Keys of a centre's ledgers, by name: one, and one more for each restore."""
        return {name: key for name, key in self.notes().items() if name.startswith(centre + LEDGER)}

    def witnesses(self) -> dict[str, bytes]:
        """Keys of log witnesses by name: every note key that is no ledger's."""
        return {name: key for name, key in self.notes().items() if LEDGER not in name}

    def statements(self) -> dict[bytes, TrustedKey]:
        """P-256 keys that may sign statements: all but the custodians' host keys."""
        return {
            key.public: key for key in self.keys if len(key.public) == 33 and key.unit != HOST_OU
        }

    def others(self) -> dict[bytes, TrustedKey]:
        """Statement keys that are not a custodian's or witness's: centre, supervisor, bidders."""
        return {
            public: key for public, key in self.statements().items() if key.unit != STATEMENT_OU
        }

    def speakers(self, centre: str) -> dict[bytes, TrustedKey]:
        """Keys that may sign a tender file of a centre: those marked as a centre's, if any is marked.

        Of several centres in one file a marked key speaks for the one whose id is its name or whose ledger has a
        certificate of the same issuer, as `verify` has it.
        """
        others = self.others()
        marked = {
            public: key
            for public, key in others.items()
            if key.name == centre or key.organisation.endswith(MARK) or key.name.endswith(MARK)
        }
        logs = {key.name.split(LEDGER)[0]: key.issuer for key in self.keys if LEDGER in key.name}
        if len(logs) < 2:
            return marked or others
        return {
            public: key
            for public, key in (marked or others).items()
            if key.name == centre or (key.name not in logs and key.issuer == logs.get(centre))
        }

    def custodians(self) -> dict[bytes, TrustedKey]:
        """Statement keys of custodians and witnesses."""
        return {
            public: key for public, key in self.statements().items() if key.unit == STATEMENT_OU
        }


def read(path: Path) -> Trust:
    """Reads a file of PEM certificates.

    Raises:
        UsageError: there is no such file.
        ClientError: it holds no certificate, or something that is none.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509.oid import NameOID

    data = read_bounded(path, MAX_FILE, "trust file")
    try:
        certificates = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise ClientError(say.NO_CERTIFICATES(path=path)) from error

    def first(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
        found = name.get_attributes_for_oid(oid)
        return str(found[0].value) if found else ""

    keys = []
    for certificate in certificates:
        public = certificate.public_key()
        if isinstance(public, Ed25519PublicKey):
            raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        elif isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1):
            raw = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        else:
            continue
        subject = certificate.subject
        keys.append(
            TrustedKey(
                name=first(subject, NameOID.COMMON_NAME),
                organisation=first(subject, NameOID.ORGANIZATION_NAME),
                unit=first(subject, NameOID.ORGANIZATIONAL_UNIT_NAME),
                public=raw,
                issuer=certificate.issuer.public_bytes(),
            )
        )
    return Trust(tuple(keys))


__all__ = ["HOST_OU", "NOTE_OU", "STATEMENT_OU", "Trust", "TrustedKey", "read"]
