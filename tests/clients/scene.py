"""A centre's worth of keys, a real ceremony in one process, and the files that come of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from bidding.model import Custodian, SummaryField, TenderFile
from bidding.model.tender import DEFAULT_LIMITS
from clients.custodian import card
from clients.custodian.keys import Keys
from crypto import statement
from crypto.age import recipient_text
from crypto.cocktail import KeyContext, Participant, Share, SuccessCertificate
from crypto.encoding import b64
from crypto.signature import SigningKey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CENTRE = "demo-centre"
T0 = 1_800_000_000_000  # 2027-01-15, on a slot boundary
BORN = T0 - 86_400_000
ORGANISATIONS = ("公共资源交易中心", "水务行政监督处", "公证处", "电子认证机构", "招标人")
FIELDS = (
    SummaryField(name="total_price", title="投标总价", kind="amount", unit="元"),
    SummaryField(name="duration_days", title="工期", kind="integer", unit="日历天"),
)


@cache
def custodians() -> tuple[Keys, ...]:
    """Five custodians' keys, the same in every test of a process."""
    return tuple(Keys(bytes([n]) * 32) for n in range(1, 6))


@cache
def centre_key() -> SigningKey:
    return SigningKey.from_scalar(1001)


@cache
def supervisor_key() -> SigningKey:
    return SigningKey.from_scalar(1002)


@cache
def bidder_key() -> SigningKey:
    return SigningKey.from_scalar(1003)


def context(keys: Sequence[Keys], **changed: Any) -> KeyContext:
    base = KeyContext(
        centre=CENTRE,
        section="sec_a",
        ceremony="cer_a",
        purpose="live",
        earliest=T0,
        minimum=3,
        custodians=tuple(key.host.public for key in keys),
        t=3,
    )
    return replace(base, **changed)


def ceremony(
    keys: Sequence[Keys], told: KeyContext
) -> tuple[SuccessCertificate, tuple[Share, ...]]:
    """Runs a whole ceremony; every participant ends with the same certificate."""
    everyone = [
        Participant(key.host, index, told.custodians, told.t, told.to_bytes(), bytes([index]) * 32)
        for index, key in enumerate(keys, 1)
    ]
    first = [each.round1() for each in everyone]
    signatures = [each.round2(first) for each in everyone]
    ended = [each.finish(signatures) for each in everyone]
    return ended[0][0], tuple(share for _, share in ended)


@cache
def ready() -> tuple[SuccessCertificate, tuple[Share, ...]]:
    """The usual ceremony, held once."""
    return ceremony(custodians(), context(custodians()))


def tender_file(
    certificate: SuccessCertificate | None = None, shares: tuple[Share, ...] = (), **changed: Any
) -> TenderFile:
    if certificate is None:
        certificate, shares = ready()
    group = shares[0].group
    base = TenderFile(
        tender="ten_a",
        section="sec_a",
        name="石岐河东排渠整治工程（二期）施工",
        section_name="施工标段",
        version=1,
        envelope="whole",
        use="live",
        recipient=recipient_text(group.recipient),
        ceremony="cer_a",
        certificate=certificate.to_json(),
        custodians=tuple(
            Custodian(
                custodian=key.name,
                organisation=organisation,
                key=b64(key.statement.public),
                host_key=b64(key.host.public),
                witness=f"{key.name}+00000000+AAAA",
            )
            for key, organisation in zip(custodians(), ORGANISATIONS, strict=True)
        ),
        n=5,
        t=3,
        earliest_t=T0,
        deadline=T0,
        minimum_bidders=3,
        proof_of_possession="required",
        unlock_window_s=1800,
        remedy="3 of 5",
        summary_fields=FIELDS,
        limits=DEFAULT_LIMITS,
        ledger="demo-centre/ledger/log1+00000000+AAAA",
        witnesses=(),
    )
    return replace(base, **changed)


def signed_tender(told: TenderFile, key: SigningKey | None = None) -> dict[str, Any]:
    return statement.sign(key or centre_key(), TenderFile.PURPOSE, CENTRE, told.to_body())


def self_signed(key: SigningKey, name: str, unit: str = "") -> str:
    """A certificate of a key that is no custodian's, as the centre's own CA would make it."""
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if unit:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    subject = x509.Name(parts)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.private.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .sign(key.private, SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


def note_certificate(name: str, public: bytes) -> str:
    """A certificate of a note key, of a log or a witness."""
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(Ed25519PublicKey.from_public_bytes(public))
        .serial_number(8)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .sign(centre_key().private, SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


def trust_pem(keys: Sequence[Keys] | None = None) -> str:
    pem = self_signed(centre_key(), CENTRE) + self_signed(supervisor_key(), "supervisor")
    for key, organisation in zip(keys or custodians(), ORGANISATIONS, strict=True):
        pem += card.certificates(key, organisation, card.CUSTODIAN, BORN)
    return pem


@dataclass(frozen=True)
class Desk:
    """A bidder's folder: what a bidder has before it seals."""

    folder: Path
    tender: Path
    trust: Path
    key: Path
    summary: Path
    files: tuple[Path, ...]

    def options(self) -> list[str]:
        return [
            *("--tender", str(self.tender), "--trust", str(self.trust)),
            *("--key", str(self.key), "--summary", str(self.summary)),
        ]


def desk(folder: Path, told: TenderFile | None = None, sizes: Sequence[int] = (10, 70_000)) -> Desk:
    made = Desk(
        folder,
        folder / "tender.json",
        folder / "trust.pem",
        folder / "key.pem",
        folder / "summary.json",
        tuple(folder / f"文件{n}.pdf" for n in range(len(sizes))),
    )
    made.tender.write_text(json.dumps(signed_tender(told or tender_file())), encoding="utf-8")
    made.trust.write_text(trust_pem(), encoding="utf-8")
    made.key.write_text(bidder_key().to_pem(), encoding="utf-8")
    summary = {"total_price": "46382715.40", "duration_days": "340"}
    told_summary = {"bidder": "org_a", "summary": summary}
    made.summary.write_text(json.dumps(told_summary), encoding="utf-8")
    for path, size in zip(made.files, sizes, strict=True):
        path.write_bytes(bytes(n % 251 for n in range(size)))
    return made
