"""The embedded certificate authority: a P-256 root and what it certifies.

For a demonstration and for small centres; a live centre configures outside roots. The centre's own
keys: sealing (RSA-3072, signs the PDF records), timestamp (RSA-3072, a development authority,
visibly named so), log (Ed25519, signs checkpoints). People and organisations bring their public keys. Keys
of supervisors and custodians never come from here: theirs are certified only as brought.

Names are taken as they are, rare characters included (UTF8String, RFC 5280 §4.1.2.4). X.509 bounds
a common name at 64, which the library counts in bytes; a longer one is cut there, and the whole name
stands in the organisation attribute (of a person or role: in pseudonym).
"""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crypto.random import token
from trading.ground.clock import moment
from trading.ground.problems import Invalid, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from trading.ground.clock import Clock

LOG_KEY: Final = "log.key.pem"
RSA_BITS: Final = 3072
COMMON_NAME: Final = 64  # bytes; ub-common-name, RFC 5280 appendix A.1
MAX_NAME: Final = 500  # design.md §3
BACKDATE: Final = timedelta(minutes=5)  # a verifier's clock may be a little behind

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey


class Profile(StrEnum):
    """What a certificate is for."""

    SEALING = "sealing"  # 电子签章 of the centre on records
    TIMESTAMP = "timestamp"  # RFC 3161, development
    LOG = "log"  # checkpoints of the ledger
    PERSON = "person"
    ORGANISATION = "organisation"
    OUTSIDE = "outside"  # a key brought by a supervisor, custodian or witness


DAYS: Final = {
    Profile.SEALING: 1826,
    Profile.TIMESTAMP: 3652,
    Profile.LOG: 3652,
    Profile.PERSON: 365,
    Profile.ORGANISATION: 365,
    Profile.OUTSIDE: 1826,
}
ROOT_DAYS: Final = 7305


K_co = TypeVar("K_co", bound=PrivateKey, covariant=True)


@dataclass(frozen=True, slots=True)
class Credential(Generic[K_co]):
    """A key of the centre with its certificate."""

    key: K_co
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """The certificate as PEM text."""
        return pem(self.certificate)


class Authority:
    """The certificate authority in one directory of the home.

    Files `NAME.key.pem` (for the owner only) and `NAME.pem`; a credential of the centre is made when
    it is first asked for.

    Args:
        folder: where keys and certificates lie.
        centre: the centre's id.
        centre_name: the centre's name, the organisation in its own certificates.
        clock: dates what is issued.
    """

    def __init__(self, folder: Path, centre: str, centre_name: str, clock: Clock) -> None:
        self._folder = folder
        self._centre = centre
        self._centre_name = centre_name
        self._clock = clock
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = self._load("root") or self._make_root()

    @property
    def root(self) -> x509.Certificate:
        """The root certificate, what others trust."""
        return self._root.certificate

    def sealing(self) -> Credential[rsa.RSAPrivateKey]:
        """Return the credential that seals the centre's records."""
        return self._own("sealing", Profile.SEALING, self._centre_name)

    def timestamp(self) -> Credential[rsa.RSAPrivateKey]:
        """Return the development timestamp authority's credential."""
        name = f"{self._centre} Development TSA 开发用时间戳"
        return self._own("timestamp", Profile.TIMESTAMP, name)

    def statements(self) -> Credential[ec.EllipticCurvePrivateKey]:
        """Return the P-256 credential that signs what the centre states: receipts, tender files."""
        found = self._load("statements")
        if found is not None:
            assert isinstance(found.key, ec.EllipticCurvePrivateKey)
            return Credential(found.key, found.certificate)
        key = ec.generate_private_key(ec.SECP256R1())
        name = f"{self._centre_name} 声明签名"
        made = Credential(key, self.issue(Profile.ORGANISATION, key.public_key(), name))
        self._store("statements", made)
        return made

    def log_key(self) -> ed25519.Ed25519PrivateKey:
        """Return the key that signs the ledger's checkpoints, made at first use."""
        path = self._folder / LOG_KEY
        if not path.exists():
            _write_key(path, ed25519.Ed25519PrivateKey.generate())
        return read_log_key(self._folder)

    def log_certificate(self, origin: str) -> x509.Certificate:
        """Certify the log's key under its origin, which is its note key's name."""
        return self.issue(Profile.LOG, self.log_key().public_key(), origin)

    def issue(
        self, profile: Profile, public_key: PublicKey, name: str, *, code: str = "", days: int = 0
    ) -> x509.Certificate:
        """Certify a public key; the caller puts `ledger_entry` of the result into the ledger.

        Args:
            profile: what the key may be used for.
            public_key: P-256, RSA or Ed25519.
            name: of a person, an organisation or a role; any assigned or unassigned character
                except control and formatting ones.
            code: 统一社会信用代码 (stands as serialNumber) or an id of ours (as userId).
            days: validity; by default the profile's.

        Raises:
            Invalid: the name is empty, too long, or has invisible characters.
        """
        now = moment(self._clock.now())
        end = now + timedelta(days=days or DAYS[profile])
        builder = _builder(
            self._name(profile, name, code), public_key, now,
            min(end, self._root.certificate.not_valid_after_utc),
        )  # fmt: skip
        builder = builder.issuer_name(self._root.certificate.subject)
        for extension, critical in _extensions(profile):
            builder = builder.add_extension(extension, critical)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._root.key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        return builder.sign(self._signing_key(), hashes.SHA256())

    def revocations(self, revoked: list[tuple[int, int]], days: int = 30) -> bytes:
        """Return a revocation list in PEM.

        Args:
            revoked: pairs of certificate serial number and instant, ms UTC.
            days: when the next one is due at the latest.
        """
        now = moment(self._clock.now())
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._root.certificate.subject)
            .last_update(now - BACKDATE)
            .next_update(now + timedelta(days=days))
        )
        for serial, at in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(serial)
                .revocation_date(moment(at))
                .build()
            )
        listed = builder.sign(self._signing_key(), hashes.SHA256())
        return listed.public_bytes(serialization.Encoding.PEM)

    def _signing_key(self) -> ec.EllipticCurvePrivateKey:
        assert isinstance(self._root.key, ec.EllipticCurvePrivateKey)
        return self._root.key

    def _name(self, profile: Profile, name: str, code: str) -> x509.Name:
        name = _checked(name)
        organisation = name if profile is Profile.ORGANISATION else self._centre_name
        attributes = [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        ]
        short = name.encode()[:COMMON_NAME].decode(errors="ignore")
        if short != name and profile is not Profile.ORGANISATION:
            attributes.append(x509.NameAttribute(NameOID.PSEUDONYM, name))
        if code:  # a credit code is a PrintableString, an id of ours is not
            oid = NameOID.SERIAL_NUMBER if code.isalnum() and code.isascii() else NameOID.USER_ID
            attributes.append(x509.NameAttribute(oid, code))
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, short))
        return x509.Name(attributes)

    def _own(self, stem: str, profile: Profile, name: str) -> Credential[rsa.RSAPrivateKey]:
        found = self._load(stem)
        if found is not None:
            assert isinstance(found.key, rsa.RSAPrivateKey)
            return Credential(found.key, found.certificate)
        key = rsa.generate_private_key(65537, RSA_BITS)
        credential = Credential(key, self.issue(profile, key.public_key(), name))
        self._store(stem, credential)
        return credential

    def _make_root(self) -> Credential[PrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        now = moment(self._clock.now())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, _checked(self._centre_name)),
                x509.NameAttribute(NameOID.COMMON_NAME, f"{self._centre} Root CA"),
            ]
        )
        builder = _builder(name, key.public_key(), now, now + timedelta(days=ROOT_DAYS))
        certificate = (
            builder.issuer_name(name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        credential: Credential[PrivateKey] = Credential(key, certificate)
        self._store("root", credential)
        return credential

    def _load(self, stem: str) -> Credential[PrivateKey] | None:
        path = self._folder / f"{stem}.pem"
        if not path.exists():
            return None
        key = _read_key(self._folder / f"{stem}.key.pem")
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        if certificate.public_key() != key.public_key():
            raise _unusable(stem)
        return Credential(key, certificate)

    def _store(self, stem: str, credential: Credential[PrivateKey]) -> None:
        # The key first: a certificate without its key would be taken for a complete credential.
        _write_key(self._folder / f"{stem}.key.pem", credential.key)
        _write(self._folder / f"{stem}.pem", credential.pem.encode("ascii"))


def read_log_key(folder: Path) -> ed25519.Ed25519PrivateKey:
    """Return the log's key from a home's `keys`.

    Raises:
        Unavailable: it is not there or cannot be read.
    """
    key = _read_key(folder / LOG_KEY)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise _unusable(LOG_KEY)
    return key


def pem(certificate: x509.Certificate) -> str:
    """Return a certificate as PEM text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def ledger_entry(certificate: x509.Certificate, profile: Profile) -> dict[str, Any]:
    """Return what the ledger says of an issuance: hashes only, since a subject may be a person."""
    key = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key)
    return {
        "profile": profile.value,
        "serial": f"{certificate.serial_number:x}",
        "certificate": certificate.fingerprint(hashes.SHA256()).hex(),
        "public_key": digest.finalize().hex(),
    }


def issued_by(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    """Say whether the root signed a certificate; dates and purposes are the caller's matter."""
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _builder(name: x509.Name, key: PublicKey, start: Any, end: Any) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key)
        .serial_number(int.from_bytes(token(16)) >> 1 | 1)  # positive, 127 random bits
        .not_valid_before(start - BACKDATE)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _extensions(profile: Profile) -> list[tuple[x509.ExtensionType, bool]]:
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True)
    ]
    if profile is Profile.TIMESTAMP:  # RFC 3161 §2.3: this purpose alone, and critical
        extensions.append((_usage(digital_signature=True), True))
        extensions.append((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True))
    else:
        extensions.append((_usage(digital_signature=True, content_commitment=True), True))
    return extensions


def _usage(**true: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
             "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{name: true.get(name, False) for name in names})


def _checked(name: str) -> str:
    # Cc control, Cf formatting (bidi marks, zero width), Cs half a surrogate pair, Z? but space
    bad = any(
        unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in name
    )  # unassigned characters pass: the standard grows faster than our tables
    if bad or not name.strip() or len(name) > MAX_NAME:
        raise Invalid(
            "name-unfit",
            "名称含有不可见字符或长度不符",
            "Names are visible text up to 500 characters.",
        )
    return name


def _read_key(path: Path) -> PrivateKey:
    try:
        # Our own file: proving again that an RSA key's factors are prime takes 0.1 s at every start.
        key = serialization.load_pem_private_key(
            path.read_bytes(), None, unsafe_skip_rsa_key_validation=True
        )
    except (OSError, ValueError) as error:
        raise _unusable(path.name) from error
    assert isinstance(key, PrivateKey)
    return key


def _write_key(path: Path, key: PrivateKey) -> None:
    _write(
        path,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, content)
        os.fsync(file)
    finally:
        os.close(file)
    fresh.replace(path)


def _unusable(what: str) -> Unavailable:
    return Unavailable(
        "credential-unusable", "证书或私钥无法使用",
        f"{what} cannot be read or does not fit. Restore the home's keys from a backup.",
    )  # fmt: skip
