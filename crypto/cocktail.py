"""COCKTAIL-DKG(P-256, SHA-256): n custodians make a key that no one of them ever holds.

Three rounds of byte messages through anyone (here the centre), who can stop a ceremony and
nothing else::

    each custodian:  round1()            → first message           → all
                     round2(messages)    → signature of transcript → all
                     finish(signatures)  → certificate and own share

All a custodian must keep is its host secret and the nonce it began with; every message is
recomputed from them, so a restart in the middle changes nothing. Afterwards the share is
recomputed from host secret, certificate and its own encrypted share bundle (`recover`).

Source: C2SP cocktail-dkg.md v0.2.1 (2026-06-29), "Protocol Definition", "Share Recovery".
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from crypto import cocktail_wire as wire
from crypto import schnorr, xaes
from crypto.certificate import (
    BlameError,
    GroupKey,
    KeyContext,
    SuccessCertificate,
    bundle_extension,
    check_possession,
    check_roster,
    evaluate,
    verify_certificate,
)
from crypto.encoding import b64, sha256, unb64
from crypto.errors import AuthenticationError, CeremonyError, FormatError
from crypto.host_key import HostKey
from crypto.p256 import N, Point, Secret, parse_scalar
from crypto.random import token

__all__ = [
    "BlameError",
    "GroupKey",
    "HostKey",
    "KeyContext",
    "Participant",
    "Share",
    "SuccessCertificate",
    "recover",
    "verify_certificate",
]

PREFIX_H6: Final = b"COCKTAIL-DKG-P256-SHA256-H6"


@dataclass(frozen=True, slots=True)
class Share:
    """A custodian's share of a section's key.

    Attributes:
        index: 1 to n.
        secret: the share x; never stored, never sent.
        group: the key it belongs to.
    """

    index: int
    secret: Secret
    group: GroupKey


class Participant:
    """One custodian in one ceremony.

    It signs at most one transcript: after `round2` other messages are refused, whatever the
    centre says. Whoever wants to survive a crash stores `to_json` before each send.

    Args:
        host_key: its host key.
        index: its place 1 to n in the roster.
        roster: all static public keys, 33 bytes each, in the order all agreed on.
        t: threshold, 1 ≤ t ≤ n.
        context: context bytes (`KeyContext.to_bytes`), unique to this attempt.
        nonce: 32 random bytes, drawn afresh when absent. To be erased after the ceremony: without
            it, a host secret stolen later no longer yields this custodian's polynomial.

    Raises:
        FormatError: malformed keys or numbers.
        CeremonyError: roster, index, threshold and context do not fit each other.
    """

    def __init__(
        self,
        host_key: HostKey,
        index: int,
        roster: Sequence[bytes],
        t: int,
        context: bytes,
        nonce: bytes | None = None,
    ) -> None:
        self._host = host_key
        self._nonce = token(32) if nonce is None else nonce
        if len(self._nonce) != 32:
            raise FormatError("a ceremony nonce has 32 bytes")
        self.index = index
        self.roster = tuple(Point.parse(key) for key in roster)
        self.t = t
        self.context = context
        self._signed: bytes | None = None
        self._transcript: wire.Transcript | None = None
        self._secret: int | None = None
        if len(set(self.roster)) != len(roster) or not 1 <= t <= len(roster):
            raise CeremonyError(f"a roster of {len(roster)} distinct keys cannot have {t} open")
        if not 1 <= index <= len(roster) or roster[index - 1] != host_key.public:
            raise CeremonyError(f"place {index} of the roster is not this custodian's key")
        check_roster(wire.Transcript(context, t, self.roster, (), (), (), b""))

    @property
    def n(self) -> int:
        """Number of custodians."""
        return len(self.roster)

    def round1(self) -> bytes:
        """Return the first message; the same bytes however often it is asked."""
        # The salt binds the polynomial to everything that could tell two ceremonies apart.
        keys = wire.join_points(self.roster)
        salt = sha256(self._nonce + sha256(self.context) + keys + self.t.to_bytes(4))
        coefficients = [Secret(self._host.scalar(f"coefficient {k}", salt)) for k in range(self.t)]
        ephemeral = Secret(self._host.scalar("ephemeral", salt))
        return first_message(
            self._host.static, self.roster, self.context, coefficients, ephemeral
        ).to_bytes()

    def round2(self, messages: Sequence[bytes]) -> bytes:
        """Check everybody's first message and sign the transcript.

        Args:
            messages: n first messages in roster order, the own one among them.

        Returns:
            the signature over the transcript, 65 bytes, identical on repetition.

        Raises:
            BlameError: a message is malformed or false; its index says whose.
            CeremonyError: a message is missing, the own one was altered under way, or another
                transcript of this ceremony is already signed.
        """
        if len(messages) != self.n:
            raise CeremonyError(f"{len(messages)} first messages instead of {self.n}")
        if messages[self.index - 1] != self.round1():
            raise CeremonyError("the centre returned another first message than was sent to it")
        received = []
        for sender, message in enumerate(messages, 1):
            try:
                received.append(wire.Round1.from_bytes(message, self.n, self.t))
            except FormatError as error:
                raise BlameError(sender, str(error), public=False) from error
        bundles = [
            wire.bundle_to_bytes([each.ciphertexts[i] for each in received]) for i in range(self.n)
        ]
        transcript = transcribe(
            self.context, self.t, self.roster, received, bundle_extension(bundles)
        )
        for sender, commitment in enumerate(transcript.commitments, 1):
            check_possession(transcript, sender, commitment)
        ciphertexts = [each.ciphertexts[self.index - 1] for each in received]
        secret = open_shares(self._host.static, self.index, transcript, ciphertexts)
        signed = transcript.to_bytes()
        if self._signed is not None and self._signed != sha256(signed):
            raise CeremonyError("another transcript of this very ceremony is already signed")
        self._signed = sha256(signed)
        self._transcript, self._secret = transcript, secret
        return schnorr.sign(self._host.static, signed)

    def finish(self, signatures: Sequence[bytes]) -> tuple[SuccessCertificate, Share]:
        """Check that everybody signed the same transcript; only then is there a key.

        Args:
            signatures: n transcript signatures in roster order.

        Raises:
            BlameError: a signature fails, so its sender saw or signed something else.
            CeremonyError: `round2` has not been done, or a signature is missing.
        """
        if self._transcript is None or self._secret is None:
            raise CeremonyError("the first messages have not been checked yet")
        certificate = SuccessCertificate(self._transcript.to_bytes(), tuple(signatures))
        pinned = {point.compressed() for point in self.roster}
        group = verify_certificate(certificate, pinned, self.context)
        return certificate, Share(self.index, Secret(self._secret), group)

    def to_json(self) -> dict[str, Any]:
        """Return what must survive a crash; secret only together with the host secret."""
        return {
            "v": 1,
            "suite": wire.SUITE,
            "index": self.index,
            "roster": [b64(point.compressed()) for point in self.roster],
            "t": self.t,
            "context": b64(self.context),
            "nonce": b64(self._nonce),
            "signed": None if self._signed is None else self._signed.hex(),
        }

    @classmethod
    def from_json(cls, host_key: HostKey, value: Mapping[str, Any]) -> Self:
        """Go on after a restart; `round2` is then repeated with the same messages.

        Raises:
            FormatError: not what `to_json` wrote.
        """
        try:
            if value["v"] != 1 or value["suite"] != wire.SUITE:
                raise FormatError("a ceremony state of another version")
            state = cls(
                host_key,
                value["index"],
                [unb64(key) for key in value["roster"]],
                value["t"],
                unb64(value["context"]),
                unb64(value["nonce"]),
            )
            state._signed = None if value["signed"] is None else bytes.fromhex(value["signed"])
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError("this is no ceremony state") from error
        return state


def first_message(
    static: Secret,
    roster: Sequence[Point],
    context: bytes,
    coefficients: Sequence[Secret],
    ephemeral: Secret,
    payloads: Sequence[bytes] = (),
) -> wire.Round1:
    """Return msg₁ for given secrets (Round 1 steps 2 to 5).

    Args:
        static: the sender's static key.
        roster: static public keys.
        context: context bytes.
        coefficients: the secret polynomial, lowest first; its length is t.
        ephemeral: the sender's key for this ceremony.
        payloads: one application payload per recipient, or none; ours has none.
    """
    commitment = tuple(secret.public() for secret in coefficients)
    message = wire.proof_message(context, commitment, ephemeral.public())
    proof = schnorr.sign(coefficients[0], message)
    own = static.public()
    ciphertexts = []
    for index, recipient in enumerate(roster, 1):
        share = 0
        for secret in reversed(coefficients):
            share = (share * index + secret.scalar) % N
        payload = payloads[index - 1] if payloads else b""
        products = ephemeral.mul(recipient), static.mul(recipient)
        key, nonce = share_key(*products, ephemeral.public(), own, recipient, context)
        ciphertexts.append(xaes.encrypt(key, nonce, share.to_bytes(32) + payload))
    return wire.Round1(commitment, proof, ephemeral.public(), tuple(ciphertexts))


def share_key(
    by_ephemeral: Point,
    by_static: Point,
    ephemeral: Point,
    sender: Point,
    recipient: Point,
    context: bytes,
) -> tuple[bytes, bytes]:
    """Derive the key (32 bytes) and nonce (24) of one encrypted share (H6, Round 1 step 5.2).

    Args:
        by_ephemeral: the Diffie-Hellman point of ephemeral and recipient's key.
        by_static: that of sender's and recipient's static keys.
        ephemeral: the sender's ephemeral public key.
        sender: the sender's static public key.
        recipient: the recipient's static public key.
        context: context bytes.
    """
    prefix = PREFIX_H6 + wire.join_points([by_ephemeral, by_static, ephemeral, sender, recipient])

    def h6(label: bytes) -> bytes:
        extra = b"".join(len(part).to_bytes(8, "little") + part for part in (context, label))
        return hashlib.sha256(prefix + len(extra).to_bytes(8, "little") + extra).digest()

    return h6(b"key"), h6(b"nonce")[:24]


def transcribe(
    context: bytes,
    t: int,
    roster: Sequence[Point],
    received: Sequence[wire.Round1],
    extension: bytes,
) -> wire.Transcript:
    """Return the transcript of n first messages (Round 3 step 1)."""
    return wire.Transcript(
        context,
        t,
        tuple(roster),
        tuple(each.commitment for each in received),
        tuple(each.proof for each in received),
        tuple(each.ephemeral for each in received),
        extension,
    )


def open_shares(
    static: Secret, index: int, transcript: wire.Transcript, ciphertexts: Sequence[bytes]
) -> int:
    """Decrypt, check and add up the shares addressed to one custodian (Round 2 steps 3 and 4).

    Args:
        static: the recipient's static key.
        index: its place, 1 to n.
        transcript: commitments and keys of everybody.
        ciphertexts: n encrypted shares in sender order.

    Returns:
        the custodian's share x of the group key.

    Raises:
        BlameError: a share does not decrypt (seen by the recipient only) or does not lie on its
            sender's committed polynomial.
    """
    result = 0
    for sender, ciphertext in enumerate(ciphertexts, 1):
        peer, ephemeral = transcript.roster[sender - 1], transcript.ephemerals[sender - 1]
        products = static.mul(ephemeral), static.mul(peer)
        key, nonce = share_key(*products, ephemeral, peer, static.public(), transcript.context)
        try:
            plaintext = xaes.decrypt(key, nonce, ciphertext)
            share = parse_scalar(plaintext[:32])
            committed = Secret(share).public()
        except (AuthenticationError, FormatError) as error:
            sentence = f"its share for custodian {index} cannot be read"
            raise BlameError(sender, sentence, public=False) from error
        if committed != evaluate(transcript.commitments[sender - 1], index):
            sentence = f"its share for custodian {index} is not on its committed polynomial"
            raise BlameError(sender, sentence, public=False)
        result = (result + share) % N
    return result


def share_bundle(messages: Sequence[bytes], index: int, t: int) -> bytes:
    """Return the share bundle of custodian 1 ≤ index ≤ n out of all n first messages.

    It is what a custodian keeps, or fetches again from the centre, to `recover` its share.

    Raises:
        FormatError: a message is malformed.
    """
    received = [wire.Round1.from_bytes(message, len(messages), t) for message in messages]
    return wire.bundle_to_bytes([each.ciphertexts[index - 1] for each in received])


def recover(host_key: HostKey, certificate: SuccessCertificate, bundle: bytes) -> Share:
    """Recompute a custodian's share of a certified key: the whole of a lost home in one step.

    Args:
        host_key: the host key that took part.
        certificate: the success certificate, from anyone.
        bundle: the custodian's own share bundle, from anyone; it is bound by the certificate.

    Raises:
        FormatError: malformed, or this host key took no part.
        CeremonyError: certificate or bundle do not hold.
    """
    transcript = wire.Transcript.from_bytes(certificate.transcript)
    pinned = {point.compressed() for point in transcript.roster}
    group = verify_certificate(certificate, pinned)
    index = group.index_of(host_key.public)
    if sha256(bundle) != group.bundle_digest(index):
        raise CeremonyError("this share bundle is not the one that the ceremony certified")
    ciphertexts = wire.bundle_from_bytes(bundle, group.n)
    secret = Secret(open_shares(host_key.static, index, transcript, ciphertexts))
    if secret.public() != group.share(index):
        raise CeremonyError("the recovered share does not fit its verification share")
    return Share(index, secret, group)
