"""Certificates for a trust file: one per key, as contract/cli.md has them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from clients.custodian.card import HOST_OU, NOTE_OU, STATEMENT_OU
from crypto.signature import load_public
from tests.documents.pki import START, Pki


class Maker:
    """Gathers certificates issued under the root of the tests."""

    def __init__(self, pki: Pki) -> None:
        self._pki = pki
        self.pem = ""

    def add(self, certificate: x509.Certificate) -> None:
        self.pem += certificate.public_bytes(Encoding.PEM).decode()

    def issue(self, name: str, public: Any, unit: str = "") -> None:
        parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if unit:
            parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"{name} 公司"))
            parts.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
        self.add(
            x509.CertificateBuilder()
            .subject_name(x509.Name(parts))
            .issuer_name(self._pki.root.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(START)
            .not_valid_after(START + timedelta(days=3650))
            .sign(self._pki.root_key, SHA256())
        )

    def statement(self, name: str, public33: bytes, unit: str = "") -> None:
        self.issue(name, load_public(public33), unit)

    def note(self, name: str, public32: bytes, unit: str = "") -> None:
        self.issue(name, Ed25519PublicKey.from_public_bytes(public32), unit)

    def custodian(self, name: str, key: bytes, host: bytes, note: Any) -> None:
        self.statement(name, key, STATEMENT_OU)
        self.statement(name, host, HOST_OU)
        self.issue(name, note.public_key(), NOTE_OU)
