"""From a certificate to a trust anchor (RFC 5280, the part records need), at a given time, without a clock.

pyHanko's path building is not used: it raises on certificate names with characters newer than Unicode 3.2 (𬭚 in a
company's name), so that one odd certificate would stop the verification of a whole file. Names are compared here as
the bytes they are. Revocation is not looked at: issuing and withdrawing keys are ledger entries.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from documents.model import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEEPEST = 4
_COMMON_NAME = 64  # bytes; ub-common-name, RFC 5280 appendix A.1
_KNOWN = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)


def path(
    leaf: x509.Certificate,
    others: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    at: int,
) -> tuple[x509.Certificate, ...]:
    """Return the certificates from `leaf` to an anchor, both included.

    Args:
        leaf: the signer's certificate.
        others: what the signature carries besides; every one of them must be used.
        anchors: trusted certificates, a leaf among them is trusted itself (pinned).
        at: ms UTC at which every certificate of the path must be in its term.

    Raises:
        DocumentError: saying what is missing or wrong.
    """
    found = [leaf]
    while found[-1] not in anchors:
        if len(found) > _DEEPEST:
            raise DocumentError("the certificate chain is too long")
        issuer = _issuer(found[-1], (*others, *anchors))
        if issuer is None or issuer in found:
            raise DocumentError(f"no trusted certificate stands behind {name(found[-1])}")
        found.append(issuer)
    moment = _EPOCH + timedelta(milliseconds=at)
    for certificate in found:
        if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
            raise DocumentError(
                f"the certificate of {name(certificate)} was not in its term at {moment.isoformat()}"
            )
        unknown = [
            e.oid.dotted_string
            for e in certificate.extensions
            if e.critical and e.oid not in _KNOWN
        ]
        if unknown:
            raise DocumentError(
                f"the certificate of {name(certificate)} has unknown critical extensions"
            )
    spare = [certificate for certificate in others if certificate not in found]
    if spare:
        raise DocumentError(f"a certificate of {name(spare[0])} is in the file without need")
    return tuple(found)


def _issuer(
    certificate: x509.Certificate, candidates: Sequence[x509.Certificate]
) -> x509.Certificate | None:
    for candidate in candidates:
        if candidate == certificate or not _may_issue(candidate):
            continue
        try:
            certificate.verify_directly_issued_by(candidate)
        except (ValueError, TypeError, InvalidSignature):
            continue  # not the issuer; another candidate may be
        return candidate
    return None


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    except x509.ExtensionNotFound:
        return False
    return constraints.value.ca and usage.value.key_cert_sign


def may_sign(certificate: x509.Certificate) -> bool:
    """Say whether the certificate's key usage allows signatures on documents."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment


def may_stamp(certificate: x509.Certificate) -> bool:
    """Say whether the certificate is for time stamps and nothing else (RFC 3161 §2.3: critical EKU)."""
    usage = _extended(certificate)
    return (
        usage is not None
        and usage.critical
        and list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    )


def may_seal(chain: Sequence[x509.Certificate], centre_name: str) -> bool:
    """Say whether this is the seal of the centre: its own name, and pinned or issued under its own root.

    Without this rule any bidder certified by the centre could seal a record that names itself as the centre.

    Args:
        chain: from `path`.
        centre_name: as printed on the record.
    """
    leaf, issuer = chain[0], chain[-1]
    short = centre_name.encode()[:_COMMON_NAME].decode(errors="ignore")
    named = name(leaf) in {centre_name, short} and organisation(leaf) == centre_name
    return named and (len(chain) == 1 or organisation(issuer) == centre_name)


def _extended(certificate: x509.Certificate) -> x509.Extension[x509.ExtendedKeyUsage] | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return None


def name(certificate: x509.Certificate) -> str:
    """Return the subject's name: the pseudonym where a long name stands in full, else the common name.

    A common name holds 64 bytes (RFC 5280 appendix A.1); the authority of the ground then writes the whole name
    as pseudonym, or as organisation.
    """
    for attribute in (x509.NameOID.PSEUDONYM, x509.NameOID.COMMON_NAME):
        found = certificate.subject.get_attributes_for_oid(attribute)
        if found:
            return str(found[0].value)
    return certificate.subject.rfc4514_string()


def organisation(certificate: x509.Certificate) -> str:
    """Return the organisation attribute of the subject, "" where there is none."""
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    return str(found[0].value) if found else ""
