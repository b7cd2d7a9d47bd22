"""Reading and checking time-stamp tokens (RFC 3161), without a clock: the time is in the token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from crypto.encoding import sha256
from documents import cms
from documents.der import INTEGER, OCTETS, OID, SEQUENCE, Reader, oid
from documents.model import DocumentError

if TYPE_CHECKING:
    from cryptography import x509

# An arc under 2.25 (UUID-derived, ITU-T X.667) made for this purpose: "development time stamp, no third party".
DEVELOPMENT_POLICY = "2.25.96711357841903716208465573829465120377"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GENERALIZED_TIME = 0x18
_TIME = re.compile(rb"(\d{14})(?:\.(\d{0,5}[1-9]))?Z")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a token says: `at` ms UTC, the authority's certificate and those it came with, whether it is ours."""

    at: int
    certificate: x509.Certificate
    others: tuple[x509.Certificate, ...]
    development: bool


def check(token: bytes, digest: bytes) -> Stamp:
    """Check a token against what it must have stamped; the authority's chain is checked by `documents.chain`.

    Args:
        token: DER of the token's ContentInfo.
        digest: SHA-256 of the stamped bytes.

    Raises:
        DocumentError: when anything about it does not fit.
    """
    parts = cms.take_apart(token)
    if parts.content_type != cms.TST_INFO or parts.content is None or parts.token is not None:
        raise DocumentError("this is no time-stamp token")
    certificate = cms.check(parts, sha256(parts.content))
    info = Reader(parts.content).only(SEQUENCE)
    if info.take(INTEGER) != b"\x01":
        raise DocumentError("this time-stamp token has an unknown version")
    policy = info.raw(OID)
    imprint = info.enter(SEQUENCE)
    imprint.raw(SEQUENCE)
    if imprint.take(OCTETS) != digest:
        raise DocumentError("the time stamp was made for something else")
    info.raw(INTEGER)
    match = _TIME.fullmatch(info.take(_GENERALIZED_TIME))
    if match is None:
        raise DocumentError("the time stamp's time is not in DER form")
    try:
        moment = datetime.strptime(match[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise DocumentError("the time stamp's time is no time") from error
    micro = int((match[2] or b"0").decode().ljust(6, "0"))
    at = (moment - _EPOCH) // timedelta(milliseconds=1) + micro // 1000
    others = tuple(cms.load(one) for one in parts.certificates[1:])
    return Stamp(at, certificate, others, policy == oid(DEVELOPMENT_POLICY))
