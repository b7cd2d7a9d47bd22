"""A small public key infrastructure for the tests: root, centre, supervisor with a rare name, time stamps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from documents.signer import Signer, signer
from documents.timestamp import DevelopmentTsa

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Pki:
    root: x509.Certificate
    root_key: ec.EllipticCurvePrivateKey
    centre: Signer
    supervisor: Signer
    host: Signer
    tsa_certificate: x509.Certificate
    tsa_key: rsa.RSAPrivateKey
    keys: tuple[rsa.RSAPrivateKey, ...]

    def tsa(self, at: int) -> DevelopmentTsa:
        return DevelopmentTsa(self.tsa_certificate, self.tsa_key, lambda: at)

    def anchors(self) -> tuple[x509.Certificate, ...]:
        return (self.root,)


def name(common: str, organisation: str = "") -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation or common),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def certificate(
    subject: str,
    public,
    issuer: x509.Name,
    key,
    *,
    authority: bool = False,
    stamps: bool = False,
    start: datetime = START,
    days: int = 3650,
    organisation: str = "",
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject, organisation))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                content_commitment=not authority,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    )
    if stamps:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True
        )
    return builder.sign(key, SHA256())


def build() -> Pki:
    root_key = ec.generate_private_key(ec.SECP256R1())
    root_name = name("岐江市公共资源交易中心")
    root = certificate(
        "岐江市公共资源交易中心", root_key.public_key(), root_name, root_key, authority=True
    )
    keys = tuple(rsa.generate_private_key(65537, 3072) for _ in range(3))

    def issue(slot: str, who: str, key: rsa.RSAPrivateKey) -> Signer:
        return signer(slot, who, certificate(who, key.public_key(), root_name, root_key), key)

    stamps = certificate("时间戳（开发用）", keys[2].public_key(), root_name, root_key, stamps=True)
    return Pki(
        root=root,
        root_key=root_key,
        centre=issue("centre", "岐江市公共资源交易中心", keys[0]),
        supervisor=issue("supervisor", "水务行政监督处 𬭚𬍛", keys[1]),
        host=issue("host", "王珺玥", keys[1]),
        tsa_certificate=stamps,
        tsa_key=keys[2],
        keys=keys,
    )


def build_root(who: str) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    return certificate(who, key.public_key(), name(who), key, authority=True)
