"""The one shape of CMS signature (RFC 5652) that records and time stamps carry, built and checked by the same template.

A verifier that only parses leaves bytes uncovered: a version number, a spare certificate, an odd length form. Here
`compose` builds the whole structure from its variable parts, and `take_apart` accepts a structure only if composing
its parts gives the same bytes again. What varies is covered elsewhere: certificates by their issuers or by pinning,
attributes by the signature, the signature by the key, the time-stamp token by the same rules once more.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from crypto.encoding import sha256
from documents.der import INTEGER, OCTETS, OID, SEQUENCE, SET, Reader, integer, oid, tlv
from documents.model import DocumentError

DATA = oid("1.2.840.113549.1.7.1")
SIGNED_DATA = oid("1.2.840.113549.1.7.2")
TST_INFO = oid("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE = oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = oid("1.2.840.113549.1.9.4")
_SIGNING_CERTIFICATE = oid("1.2.840.113549.1.9.16.2.47")
_TIME_STAMP = oid("1.2.840.113549.1.9.16.2.14")
_NULL = b"\x05\x00"
_SHA256 = oid("2.16.840.1.101.3.4.2.1")
DIGEST = tlv(SEQUENCE, _SHA256)
_DIGESTS = (DIGEST, tlv(SEQUENCE, _SHA256, _NULL))
SIGNATURE = tlv(SEQUENCE, oid("1.2.840.113549.1.1.11"), _NULL)
_SIGNATURES = (SIGNATURE, tlv(SEQUENCE, oid("1.2.840.113549.1.1.1"), _NULL))
_CONTEXT_0, _CONTEXT_1 = 0xA0, 0xA1


@dataclass(frozen=True, slots=True)
class Signature:
    """The variable parts of a signature.

    Attributes:
        content_type: DATA for a detached signature over a file, TST_INFO for a time stamp (DER of the OID).
        content: the enclosed content, None when detached.
        certificates: DER, the signer's first, in the order of the DER set when written.
        attributes: the signed attributes, each in DER.
        value: the RSA signature.
        token: DER of the time-stamp token, None if there is none.
        digest / algorithm: DER of the two algorithm identifiers.
    """

    content_type: bytes
    content: bytes | None
    certificates: tuple[bytes, ...]
    attributes: tuple[bytes, ...]
    value: bytes
    token: bytes | None = None
    digest: bytes = DIGEST
    algorithm: bytes = SIGNATURE


def attributes(content_type: bytes, digest: bytes, certificate: bytes) -> tuple[bytes, ...]:
    """Return the signed attributes of CAdES baseline B: content type, message digest, signing certificate v2.

    Args:
        content_type: DER of an OID.
        digest: SHA-256 of what is signed.
        certificate: DER of the signer's certificate, whose hash is signed too (RFC 5035).
    """
    certificate_id = tlv(SEQUENCE, tlv(SEQUENCE, tlv(SEQUENCE, tlv(OCTETS, sha256(certificate)))))
    return (
        _attribute(_CONTENT_TYPE, content_type),
        _attribute(_MESSAGE_DIGEST, tlv(OCTETS, digest)),
        _attribute(_SIGNING_CERTIFICATE, certificate_id),
    )


def to_sign(signed: tuple[bytes, ...]) -> bytes:
    """Return the bytes over which the signature is made: the attributes as a DER set."""
    return tlv(SET, *sorted(signed))


def compose(parts: Signature) -> bytes:
    """Return the DER of the whole ContentInfo."""
    signer, version = parts.certificates[0], 1 if parts.content_type == DATA else 3
    info = [
        integer(1),
        issuer_and_serial(signer),
        parts.digest,
        tlv(_CONTEXT_0, *sorted(parts.attributes)),
        parts.algorithm,
        tlv(OCTETS, parts.value),
    ]
    if parts.token is not None:
        info.append(tlv(_CONTEXT_1, _attribute(_TIME_STAMP, parts.token)))
    content = () if parts.content is None else (tlv(_CONTEXT_0, tlv(OCTETS, parts.content)),)
    return tlv(
        SEQUENCE,
        SIGNED_DATA,
        tlv(
            _CONTEXT_0,
            tlv(
                SEQUENCE,
                integer(version),
                tlv(SET, parts.digest),
                tlv(SEQUENCE, parts.content_type, *content),
                tlv(_CONTEXT_0, *sorted(parts.certificates)),
                tlv(SET, tlv(SEQUENCE, *info)),
            ),
        ),
    )


def take_apart(encoded: bytes) -> Signature:
    """Return the parts of a signature that has exactly the shape of `compose`.

    Raises:
        DocumentError: for any other bytes, however small the difference.
    """
    outer = Reader(encoded).only(SEQUENCE)
    outer.raw(OID)
    data = outer.enter(_CONTEXT_0).only(SEQUENCE)
    data.raw(INTEGER)
    data.raw(SET)
    enclosed = data.enter(SEQUENCE)
    content_type = enclosed.raw(OID)
    content = enclosed.enter(_CONTEXT_0).take(OCTETS) if enclosed.more() else None
    certificates = data.enter(_CONTEXT_0).all(SEQUENCE)
    info = data.enter(SET).only(SEQUENCE)
    info.raw(INTEGER)
    who = info.raw(SEQUENCE)
    digest = info.raw(SEQUENCE)
    signed = info.enter(_CONTEXT_0).all(SEQUENCE)
    algorithm = info.raw(SEQUENCE)
    value = info.take(OCTETS)
    token = None
    if info.more():
        attribute = info.enter(_CONTEXT_1).only(SEQUENCE)
        attribute.raw(OID)
        token = attribute.enter(SET).raw(SEQUENCE)
    own = [certificate for certificate in certificates if issuer_and_serial(certificate) == who]
    if len(own) != 1 or digest not in _DIGESTS or algorithm not in _SIGNATURES:
        raise DocumentError(
            "the signature names no certificate it carries, or algorithms that records do not use"
        )
    others = [certificate for certificate in certificates if certificate != own[0]]
    parts = Signature(
        content_type, content, (own[0], *others), tuple(signed), value, token, digest, algorithm
    )
    if compose(parts) != encoded:
        raise DocumentError("the signature is not in the exact form that records have")
    return parts


def check(parts: Signature, digest: bytes) -> x509.Certificate:
    """Check the signature itself and return the signer's certificate; its chain is another matter.

    Args:
        parts: from `take_apart`.
        digest: SHA-256 of what must have been signed.

    Raises:
        DocumentError: when content type, digest, signing certificate or the signature do not fit.
    """
    wanted = attributes(parts.content_type, digest, parts.certificates[0])
    # A foreign authority may sign more attributes or write the certificate's id at more length; ours has exactly these.
    missing = [a for a in wanted[:2] if a not in parts.attributes]
    if missing or len({_attribute_type(a) for a in parts.attributes}) != len(parts.attributes):
        raise DocumentError("the signature was made over other content")
    identifiers = [a for a in parts.attributes if _attribute_type(a) == _SIGNING_CERTIFICATE]
    if len(identifiers) != 1 or tlv(OCTETS, sha256(parts.certificates[0])) not in identifiers[0]:
        raise DocumentError("the signature does not name its own certificate")
    certificate = load(parts.certificates[0])
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or len(parts.value) != key.key_size // 8:
        raise DocumentError("records and their time stamps are signed with RSA")
    try:
        key.verify(parts.value, to_sign(parts.attributes), PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise DocumentError("the signature does not verify under its certificate's key") from error
    return certificate


def load(certificate: bytes) -> x509.Certificate:
    """Return a certificate from DER.

    Raises:
        DocumentError: when it cannot be read.
    """
    try:
        loaded = x509.load_der_x509_certificate(certificate)
        loaded.public_key()  # a key of an unknown kind shows only here
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise DocumentError(f"a certificate cannot be read: {error}") from error
    return loaded


def issuer_and_serial(certificate: bytes) -> bytes:
    """Return the DER of IssuerAndSerialNumber of a certificate, byte for byte as the certificate has them."""
    body = Reader(certificate).only(SEQUENCE).enter(SEQUENCE)
    if body.peek() == _CONTEXT_0:
        body.raw(_CONTEXT_0)
    serial = body.raw(INTEGER)
    body.raw(SEQUENCE)
    return tlv(SEQUENCE, body.raw(SEQUENCE), serial)


def subject(certificate: bytes) -> bytes:
    """Return the DER of a certificate's subject name."""
    body = Reader(certificate).only(SEQUENCE).enter(SEQUENCE)
    if body.peek() == _CONTEXT_0:
        body.raw(_CONTEXT_0)
    body.raw(INTEGER)
    for _ in ("signature", "issuer", "validity"):
        body.raw(SEQUENCE)
    return body.raw(SEQUENCE)


def _attribute(kind: bytes, value: bytes) -> bytes:
    return tlv(SEQUENCE, kind, tlv(SET, value))


def _attribute_type(attribute: bytes) -> bytes:
    return Reader(attribute).only(SEQUENCE).raw(OID)
