"""How a custodian or witness introduces itself: a signed card, a fingerprint, certificates.

The card is the signed ``Enrolment`` of ``bidding.model``; a log witness without a share has one of its own
kind. Its fingerprint is what people read to each other over the telephone before anybody pins the keys.
The certificates only carry keys into ``trust.pem``, one per key: they are pinned, no issuer is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bidding.model import BiddingError, Enrolment
from clients.custodian import sentences as say
from clients.errors import ClientError
from crypto import statement
from crypto.encoding import b64, unb64
from crypto.errors import CryptoError
from crypto.signature import load_public

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.custodian.keys import Keys
    from crypto.signature import SigningKey

CUSTODIAN: Final = "custodian"
WITNESS: Final = "witness"
WITNESS_PURPOSE: Final = "witness_enrolment"

# What a certificate's key is for stands in its subject's OU; `clients.trust` reads it there.
STATEMENT_OU: Final = "kaibiao statement key"
HOST_OU: Final = "kaibiao custodian host key"
NOTE_OU: Final = "kaibiao note key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A checked card.

    Attributes:
        id: ``cus_…``; also the name of the note key.
        organisation: who stands for it.
        key: statement key, 33 bytes; ``host_key``: 33 bytes, None for a witness without a share.
        witness: the note key as verifier text ``name+hash+base64``.
        signed: the statement it was read from.
    """

    id: str
    organisation: str
    key: bytes
    host_key: bytes | None
    witness: str
    signed: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """128 bits of SHA-256 over the signed bytes, eight groups of four to be read aloud."""
        digest = statement.digest(self.signed).hex()[:32]
        return " ".join(digest[i : i + 4] for i in range(0, 32, 4))


def make(keys: Keys, centre: str, organisation: str, role: str) -> dict[str, Any]:
    """Signs a card.

    Args:
        keys: of the home.
        centre: id of the centre it will serve.
        organisation: who stands for it, as printed in notices.
        role: ``custodian`` or ``witness``.
    """
    if role == WITNESS:
        told = {
            "witness": keys.name,
            "organisation": organisation,
            "key": b64(keys.statement.public),
            "vkey": keys.witness,
        }
        return statement.sign(keys.statement, WITNESS_PURPOSE, centre, told)
    enrolment = Enrolment(
        custodian=keys.name,
        organisation=organisation,
        key=b64(keys.statement.public),
        host_key=b64(keys.host.public),
        witness=keys.witness,
    )
    return statement.sign(keys.statement, Enrolment.PURPOSE, centre, enrolment.to_body())


def read(signed: Any, centre: str) -> Card:
    """Checks a card: its form, its centre, and that the key it names has signed it.

    Raises:
        ClientError: it is no card, or its signature does not hold.
    """
    try:
        key = statement.signer(signed)
        if signed["statement"].get("purpose") == WITNESS_PURPOSE:
            told = statement.verify(signed, purpose=WITNESS_PURPOSE, centre=centre, key=key)
            same = {name: told.get(name) for name in ("organisation", "key")}
            form = {"custodian": told.get("witness"), "witness": told.get("vkey"), **same}
            who = Enrolment.from_body({**form, "host_key": told.get("key")})
            host = None
        else:
            body = statement.verify(signed, purpose=Enrolment.PURPOSE, centre=centre, key=key)
            who = Enrolment.from_body(body)
            host = unb64(who.host_key)
    except (CryptoError, BiddingError) as error:
        raise ClientError(say.NO_CARD(error=error)) from error
    if unb64(who.key) != key:
        raise ClientError(say.CARD_OF_ANOTHER_KEY(custodian=who.custodian))
    return Card(
        id=who.custodian,
        organisation=who.organisation,
        key=key,
        host_key=host,
        witness=who.witness,
        signed=signed,
    )


def plain_certificate(key: SigningKey, name: str, valid_from: int) -> str:
    """A self-signed certificate of a P-256 key without a mark: a centre's, for drills and benches.

    Args:
        key: the key.
        name: subject CN.
        valid_from: ms UTC.
    """
    from cryptography.hazmat.primitives.hashes import SHA256

    subject = {"COMMON_NAME": name}
    private = key.private
    return _issue(private.public_key(), subject, subject, private, SHA256(), 1, valid_from)


def certificates(keys: Keys, organisation: str, role: str, valid_from: int, years: int = 10) -> str:
    """Certificates of the home's keys, PEM, one per key.

    Args:
        keys: of the home.
        organisation: subject's O.
        role: a witness has no host key.
        valid_from: ms UTC.
        years: how long they last; the keys are pinned, so the date is for people.
    """
    from cryptography.hazmat.primitives.hashes import SHA256

    def issue(public: Any, unit: str, issuer: str, signer: Any, digest: Any) -> str:
        said = {"COMMON_NAME": keys.name, "ORGANIZATION_NAME": organisation[:64]}
        subject = {**said, "ORGANIZATIONAL_UNIT_NAME": unit}
        issued_by = {**said, "ORGANIZATIONAL_UNIT_NAME": issuer}
        serial = int.from_bytes(keys.host.derive(f"serial {unit}", 19)) | 1
        return _issue(public, subject, issued_by, signer, digest, serial, valid_from, years)

    own, note = keys.statement.private, keys.note
    made = [issue(own.public_key(), STATEMENT_OU, STATEMENT_OU, own, SHA256())]
    if role == CUSTODIAN:
        # The host key signs ceremonies only (Schnorr); the statement key speaks for it here.
        made.append(issue(load_public(keys.host.public), HOST_OU, STATEMENT_OU, own, SHA256()))
    made.append(issue(note.public_key(), NOTE_OU, NOTE_OU, note, None))
    return "".join(made)


def _issue(
    public: Any,
    subject: Mapping[str, str],
    issuer: Mapping[str, str],
    signer: Any,
    digest: Any,
    serial: int,
    valid_from: int,
    years: int = 10,
) -> str:
    """One certificate as PEM; names are given by the attributes of `NameOID`."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    def name(parts: Mapping[str, str]) -> x509.Name:
        return x509.Name(
            [x509.NameAttribute(getattr(NameOID, oid), text) for oid, text in parts.items()]
        )

    begin = datetime.fromtimestamp(valid_from // 1000, UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(begin.replace(year=begin.year + years, day=min(begin.day, 28)))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(signer, digest)
    )
    return made.public_bytes(Encoding.PEM).decode()
