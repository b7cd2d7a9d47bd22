"""Whose keys the verifier has pinned, by what they may do.

`trust.pem` holds one certificate per key (contract/cli.md). What a key is for is told by its certificate:

    Ed25519                       a note key, of the log or of a witness; its subject's CN is the note's name
    P-256, OU of a host key       a custodian's, for key ceremonies only
    P-256, OU of a statement key  a custodian's or witness's
    P-256, … 声明签名              the centre's own for statements (`trading.ground.ca`), or its CN is the centre's id
    P-256, any other              the supervisor's; in a file with several centres OU `kaibiao supervisor of CENTRE`
    an authority, RSA             for paper (`documents.chain`)

A file may hold the keys of several centres. A marked key speaks for the centre whose id is its name, or whose log is
certified by the same issuer; for no other, and it is nobody's supervisor.

Where no certificate is marked as the centre's, centre and supervisor are not told apart: either may have signed, and
the check names who did.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from clients.auditor.checklist import AuditError, NotChecked
from clients.trust import HOST_OU, MARK, STATEMENT_OU, TrustedKey
from clients.trust import Trust as SealerTrust
from crypto.signature import key_id
from crypto.tlog.note import Note, VerifierKey
from documents import chain
from documents.trust import LEDGER, NOTHING, Trust

if TYPE_CHECKING:
    from collections.abc import Mapping

OVERSEES: Final = "kaibiao supervisor of "
"""Begins the OU of a supervisor's certificate in a file with several centres; the centre's id follows."""
NO_TRUST: Final = "no pinned keys were given (--trust FILE)"


@dataclass(frozen=True)
class Keys:
    """Pinned keys by their use.

    Args:
        trust: certificates of the trust file, none without one.
    """

    trust: Trust = NOTHING

    @property
    def given(self) -> bool:
        """Whether there is a trust file at all."""
        return bool(self.trust.anchors)

    @cached_property
    def statements(self) -> Mapping[bytes, str]:
        """Keys that may sign statements: 33 bytes → name."""
        return {key.public: key.name for key in self._p256 if key.unit != HOST_OU}

    @cached_property
    def custodians(self) -> frozenset[bytes]:
        """Statement keys of custodians and witnesses, 33 bytes each."""
        return frozenset(key.public for key in self._p256 if key.unit == STATEMENT_OU)

    @cached_property
    def hosts(self) -> frozenset[bytes]:
        """Host keys of custodians, 33 bytes each: the only ones a ceremony may have been held by."""
        return frozenset(key.public for key in self._p256 if key.unit == HOST_OU)

    def centres(self, centre: str) -> frozenset[bytes]:
        """Return the keys that may speak for a centre."""
        marked = self._marked(centre)
        if not marked:
            return frozenset(key.public for key in self._others)
        logs = {name.split(LEDGER)[0]: issuer for name, issuer in self._logs}
        issuers = {issuer for name, issuer in self._logs if name.startswith(centre + LEDGER)}
        return frozenset(
            key.public
            for key in marked
            if key.name == centre
            or (key.name not in logs and (not logs or self._issuers[key.public] in issuers))
        )

    def supervisors(self, centre: str) -> frozenset[bytes]:
        """Return the keys that may speak for the supervisor of a centre.

        Where the file holds several centres, only keys that name theirs (`OVERSEES`); see `whose`.
        """
        marked = {key.public for key in self._marked(centre)}
        return frozenset(
            key.public
            for key in self._others
            if key.public not in marked
            and self._overseen.get(key.public, "" if self._several else centre) == centre
        )

    def whose(self, public: bytes) -> None:
        """Refuse a supervisor's key of which the file does not say whose supervisor it is.

        Raises:
            NotChecked: the file holds several centres, and this key names none.
        """
        marked = {key.public for key in self._marked("")}
        known = any(key.public == public for key in self._others if key.public not in marked)
        if known and self._several and public not in self._overseen:
            raise NotChecked(
                f"the trust file holds several centres and does not say of which one {self.statements[public]} "
                f"is the supervisor: give its certificate the OU '{OVERSEES}CENTRE-ID', or use one file a centre"
            )

    def signed_by_centre(self, public: bytes, centre: str) -> str:
        """Say who signed, if it was the centre.

        Args:
            public: 33 bytes, of a signature that has been checked.
            centre: the id that the statement names.

        Raises:
            NotChecked: nothing is pinned.
            AuditError: the key is another's, or nobody's.
        """
        self.need()
        if public not in self.centres(centre):
            raise AuditError(
                f"it is signed by key {key_id(public)}, which the trust file does not hold for {centre}"
            )
        return f"key {key_id(public)} of {self.statements[public]}"

    def need(self) -> None:
        """Raise NotChecked where nothing is pinned."""
        if not self.given:
            raise NotChecked(NO_TRUST)

    def log_of(self, note: bytes) -> VerifierKey:
        """Return the pinned key of the log that a checkpoint says it is of.

        Raises:
            NotChecked: nothing is pinned.
            AuditError: that log is not among what is.
        """
        self.need()
        origin = Note.parse(note).text.split(b"\n", 1)[0].decode()
        key = self.trust.log(origin)
        if key is None:
            raise AuditError(f"the key of the log {origin} is not in the trust file")
        return key

    def witnesses(self, log: VerifierKey) -> list[VerifierKey]:
        """Return the pinned witnesses of a log: all note keys but the log's own."""
        return [
            key
            for key in self.trust.witnesses(log.name)
            if LEDGER not in key.name  # a log before a restore is no witness of this one
        ]

    def sealer(self) -> SealerTrust:
        """Return the same keys as `clients.tenders` wants them, to check a tender file like a sealer."""
        return SealerTrust(self._p256)

    @cached_property
    def _several(self) -> bool:
        """Whether logs of more than one centre are pinned."""
        return len({name.split(LEDGER)[0] for name, _ in self._logs}) > 1

    @cached_property
    def _overseen(self) -> dict[bytes, str]:
        """Key → id of the centre that its certificate names as overseen."""
        found = {}
        for one in self.trust.anchors:
            key, unit = one.public_key(), _subject(one, x509.NameOID.ORGANIZATIONAL_UNIT_NAME)
            if isinstance(key, EllipticCurvePublicKey) and unit.startswith(OVERSEES):
                public = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
                found[public] = unit.removeprefix(OVERSEES)
        return found

    @cached_property
    def _logs(self) -> list[tuple[str, x509.Name]]:
        """Origin and issuer of every pinned log."""
        named = ((chain.name(one), one.issuer) for one in self.trust.anchors)
        return [
            (name, issuer) for name, issuer in named if name in self.trust.notes and LEDGER in name
        ]

    @cached_property
    def _issuers(self) -> dict[bytes, x509.Name]:
        """Issuer of the certificate of every P-256 key."""
        return {
            key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint): one.issuer
            for one in self.trust.anchors
            if isinstance(key := one.public_key(), EllipticCurvePublicKey)
        }

    def _marked(self, centre: str) -> list[TrustedKey]:
        """Statement keys of centres, of this one and of any other."""
        centres = {centre, *(name.split(LEDGER)[0] for name, _ in self._logs)}
        return [key for key in self._others if _speaks(key) or key.name in centres]

    @property
    def _others(self) -> list[TrustedKey]:
        """Statement keys of centre and supervisor."""
        return [key for key in self._p256 if not key.unit]

    @cached_property
    def _p256(self) -> tuple[TrustedKey, ...]:
        """Every P-256 key but those of authorities; a unit that means nothing to us is left out."""
        found = []
        for certificate in self.trust.anchors:
            key = certificate.public_key()
            if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
                continue
            if _is_authority(certificate):
                continue
            unit = _subject(certificate, x509.NameOID.ORGANIZATIONAL_UNIT_NAME)
            found.append(
                TrustedKey(
                    name=_subject(certificate, x509.NameOID.COMMON_NAME),
                    organisation=_subject(certificate, x509.NameOID.ORGANIZATION_NAME),
                    unit=unit if unit in {HOST_OU, STATEMENT_OU} else "",
                    public=key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint),
                )
            )
        return tuple(found)


def _speaks(key: TrustedKey) -> bool:
    """Say whether a certificate is marked as a centre's for statements; a long CN is cut, an O is not."""
    return key.organisation.endswith(MARK) or key.name.endswith(MARK)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _subject(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""
