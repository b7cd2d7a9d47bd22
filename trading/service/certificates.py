"""Certificates: those the centre issues, and those that people bring themselves.

No certificate of a key names a person: it names the organisation, so that it can stay in the
history for good. Which person holds the key, the journal knows by an id.
"""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from crypto.tlog.note import VerifierKey
from trading.ground.ca import Authority, Profile, pem
from trading.model import MalformedError, Organisation


def check_own(certificate: str, public: bytes) -> None:
    """Check that a certificate (PEM, one) is for a key (33 bytes) that was presented with it.

    Who issued it is for people to judge: they compare fingerprints outside this system.

    Raises:
        MalformedError: it is no certificate, or it is for another key.
    """
    try:
        key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise _refusal("It is not one X.509 certificate in PEM") from error
    if (
        not isinstance(key, ec.EllipticCurvePublicKey)
        or not isinstance(key.curve, ec.SECP256R1)
        or key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint) != public
    ):
        raise _refusal("It is for another key than the one presented")


def for_organisation(authority: Authority, public: bytes, organisation: Organisation) -> str:
    """Certify a key (33 bytes) of an organisation; returns PEM."""
    certificate = authority.issue(
        Profile.ORGANISATION, _p256(public), organisation.name, code=organisation.credit_code
    )
    return pem(certificate)


def as_brought(authority: Authority, public: bytes, organisation: str) -> str:
    """Certify a key (33 bytes) that an outside organisation made and brought; returns PEM."""
    return pem(authority.issue(Profile.OUTSIDE, _p256(public), organisation))


def note_key(authority: Authority, vkey: VerifierKey) -> str:
    """Certify a brought note key; its subject is the key's name. Returns PEM."""
    public = ed25519.Ed25519PublicKey.from_public_bytes(vkey.public)
    return pem(authority.issue(Profile.OUTSIDE, public, vkey.name))


def _p256(public: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)


def _refusal(reason: str) -> MalformedError:
    return MalformedError(
        "certificate-refused",
        "证书与密钥不符",
        f"{reason}. Present the certificate of the same P-256 key.",
    )
