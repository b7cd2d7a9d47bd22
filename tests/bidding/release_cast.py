"""Who takes part in a release scene: their keys, one real ceremony of 2 of 3, and what they sign."""

from dataclasses import replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bidding.model import (
    Postponement,
    Reconciliation,
    Termination,
)
from bidding.release import TwoSigned
from crypto import statement
from crypto.certificate import GroupKey, KeyContext, SuccessCertificate, verify_certificate
from crypto.cocktail import HostKey, Participant, Share
from crypto.signature import SigningKey
from crypto.tlog import checkpoint, cosignature, note
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.evidence import Evidence

CENTRE = "test-centre"
ORIGIN = f"{CENTRE}/ledger/01"
T = 1_795_000_000_000
SEED = bytes([7]) * 32
SECTION = "sec_a"
CENTRE_KEY, SUPERVISOR, STRANGER = (SigningKey.from_scalar(n) for n in (11, 12, 13))
LOG = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
FORK = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
WITNESSES = tuple(Ed25519PrivateKey.from_private_bytes(bytes([20 + n]) * 32) for n in range(4))
HOSTS = tuple(HostKey(bytes([n]) * 32) for n in (1, 2, 3))


def vkey(number: int) -> str:
    return note.vkey(f"w{number}", WITNESSES[number], note.COSIGNATURE)


def ceremony(
    section: str = SECTION, purpose: str = "live", earliest: int = T, minimum: int = 3
) -> tuple[SuccessCertificate, GroupKey]:
    certificate, group, _ = held(section, purpose, earliest, minimum)
    return certificate, group


@cache
def held(
    section: str, purpose: str, earliest: int, minimum: int
) -> tuple[SuccessCertificate, GroupKey, tuple[Share, ...]]:
    """One ceremony, with the shares that its custodians keep."""
    roster = tuple(host.public for host in HOSTS)
    context = KeyContext(
        centre=CENTRE, section=section, ceremony="cer_a", purpose=purpose, earliest=earliest,
        minimum=minimum, custodians=roster, t=2,
    )  # fmt: skip
    people = [
        Participant(host, n, roster, 2, context.to_bytes(), bytes(32))
        for n, host in enumerate(HOSTS, 1)
    ]
    first = [person.round1() for person in people]
    signatures = [person.round2(first) for person in people]
    ended = [person.finish(signatures) for person in people]
    certificate = ended[0][0]
    group = verify_certificate(certificate, set(roster), context)
    return certificate, group, tuple(share for _, share in ended)


def both(body: Any, one: SigningKey = CENTRE_KEY, two: SigningKey = SUPERVISOR) -> TwoSigned:
    sign = lambda key: statement.sign(key, body.PURPOSE, CENTRE, body.to_body())  # noqa: E731
    return TwoSigned(centre=sign(one), supervisor=sign(two))


def postponement(deadline: int = T + 60_000, **changes: Any) -> Postponement:
    base = Postponement(
        tender="ten_a",
        section=SECTION,
        previous=T,
        deadline=deadline,
        reason="系统故障",
        at=T - 5000,
    )
    return replace(base, **changes)


def termination(**changes: Any) -> Termination:
    return replace(
        Termination(tender="ten_a", section=SECTION, reason="终止", at=T - 5000), **changes
    )


def two_histories(key: Ed25519PrivateKey = LOG, name: str = "", log: str = ORIGIN) -> Evidence:
    """Two notes of one key, the log's or a witness's, of one size and different roots."""
    notes = []
    for root in (bytes([1]) * 32, bytes([2]) * 32):
        head = Checkpoint(log, 2, root)
        if name:
            signed = cosignature.add(checkpoint.sign(head, FORK), key, name, 7)
        else:
            signed = checkpoint.sign(head, key)
        notes.append(signed)
    kind = note.COSIGNATURE if name else note.ED25519
    return Evidence(note.vkey(name or log, key, kind), notes[0], notes[1]).plain()


def published(found: Evidence) -> dict[str, Any]:
    """The leaf that publishes evidence, without its head."""
    return {
        "kind": "evidence",
        "accused": found.key.partition("+")[0],
        "sha256": found.digest,
        "evidence": found.to_json(),
    }


def reconciled(*found: Evidence, **changes: Any) -> TwoSigned:
    said = Reconciliation(
        section=SECTION, evidence=tuple(one.digest for one in found), reason="已核", at=T
    )
    return both(replace(said, **changes))
