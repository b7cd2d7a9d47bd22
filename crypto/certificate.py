"""The success certificate of a key ceremony: what a sealer checks before trusting a recipient.

A certificate is the ceremony's transcript with the signatures of *all* its participants. Its
context names the centre, the section, the purpose, the earliest opening and the custodians, so
that neither the key nor its terms can be slipped in by whoever hands out the tender file.

Source: C2SP cocktail-dkg.md v0.2.1, "Round 3: Certification", "Share Recovery" steps 1, 2 and 8.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final, Literal, Self

from crypto import schnorr
from crypto.canonical import canonical, parse
from crypto.cocktail_wire import MAX_PARTICIPANTS, SUITE, Transcript, proof_message
from crypto.encoding import b64, sha256, unb64
from crypto.errors import CeremonyError, FormatError, SignatureError
from crypto.p256 import Point, multiply_sum, total

Purpose = Literal["live", "rehearsal"]
BUNDLES: Final = b"kaibiao/dkg-bundles/v1\n"
"""Domain of the transcript's extension, which binds the encrypted shares."""


class BlameError(CeremonyError):
    """A ceremony failed through one participant.

    Attributes:
        index: 1 to n, the participant whose message is wrong.
        public: whether anyone can check the accusation from first messages and context alone. A
            share that cannot be decrypted is seen by its recipient only, and a malformed message
            may have been altered by whoever carried it, unless it came as a signed statement.
    """

    def __init__(self, index: int, sentence: str, *, public: bool) -> None:
        super().__init__(f"custodian {index}: {sentence}")
        self.index = index
        self.public = public


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyContext:
    """What a section's key is for: the session context of its ceremony.

    Attributes:
        centre: id of the trading centre.
        section: id of the section; with ``ceremony`` it makes the context unique.
        ceremony: id of this attempt; a failed ceremony is repeated under another one.
        purpose: ``live``, or ``rehearsal`` for a key that may never meet a real bid.
        earliest: opening time T in ms UTC before which no custodian answers.
        minimum: fewest distinct bidders with which the section is opened.
        custodians: n static public keys, 33 bytes each, in roster order.
        t: threshold.

    Raises:
        FormatError: a value out of its range.
    """

    centre: str
    section: str
    ceremony: str
    purpose: Purpose
    earliest: int
    minimum: int
    custodians: tuple[bytes, ...]
    t: int

    def __post_init__(self) -> None:
        if self.purpose not in {"live", "rehearsal"}:
            raise FormatError("a key is for 'live' or for 'rehearsal'")
        if not 1 <= self.t <= len(self.custodians) <= MAX_PARTICIPANTS:
            raise FormatError(f"{self.t} of {len(self.custodians)} custodians is not possible")
        if len(set(self.custodians)) != len(self.custodians):
            raise FormatError("a custodian's key stands twice in the roster")
        if self.earliest < 0 or self.minimum < 1:
            raise FormatError("an opening time or a minimum of bidders is out of range")

    def to_bytes(self) -> bytes:
        """Return the context bytes: canonical JSON that also names suite and version."""
        body: dict[str, Any] = {**asdict(self), "v": 1, "suite": SUITE, "n": len(self.custodians)}
        body["custodians"] = [b64(key) for key in self.custodians]
        return canonical(body)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read context bytes; exactly what `to_bytes` wrote is accepted.

        Raises:
            FormatError: anything else.
        """
        body = parse(data)
        try:
            texts = [body[key] for key in ("centre", "section", "ceremony", "purpose")]
            numbers = [body[key] for key in ("earliest", "minimum", "t")]
            if not all(type(text) is str for text in texts):
                raise FormatError("an id in the key's context is not text")
            if not all(type(number) is int for number in numbers):
                raise FormatError("a number in the key's context is not an integer")
            context = cls(
                centre=body["centre"],
                section=body["section"],
                ceremony=body["ceremony"],
                purpose=body["purpose"],
                earliest=body["earliest"],
                minimum=body["minimum"],
                custodians=tuple(unb64(key) for key in body["custodians"]),
                t=body["t"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise FormatError("the key's context lacks a field") from error
        if context.to_bytes() != data:
            raise FormatError("the key's context is not in its canonical form")
        return context


@dataclass(frozen=True)
class GroupKey:
    """A section's key as everyone may know it.

    Attributes:
        transcript: the certified transcript.
    """

    transcript: Transcript

    @cached_property
    def public(self) -> Point:
        """The key that bids are sealed to: Σ C[j][0]."""
        return total(commitment[0] for commitment in self.transcript.commitments)

    @cached_property
    def shares(self) -> tuple[Point, ...]:
        """The verification shares Y₁ … Yₙ: share i times the base point."""
        columns = [total(column) for column in zip(*self.transcript.commitments, strict=True)]
        return tuple(evaluate(columns, index) for index in range(1, self.n + 1))

    def share(self, index: int) -> Point:
        """Return the verification share of custodian 1 ≤ index ≤ n.

        Raises:
            FormatError: there is no such custodian.
        """
        if not 1 <= index <= self.n:
            raise FormatError(f"there is no custodian {index} among {self.n}")
        return self.shares[index - 1]

    @property
    def n(self) -> int:
        """Number of custodians."""
        return self.transcript.n

    @property
    def t(self) -> int:
        """How many custodians open."""
        return self.transcript.t

    @property
    def context(self) -> bytes:
        """The context bytes that all custodians signed."""
        return self.transcript.context

    @cached_property
    def key_context(self) -> KeyContext:
        """The context in readable form.

        Raises:
            FormatError: the ceremony was not run for a section of ours.
        """
        return KeyContext.from_bytes(self.context)

    @cached_property
    def recipient(self) -> bytes:
        """The public key as 65 bytes, as HPKE and ``p256tag`` take it."""
        return self.public.uncompressed()

    def index_of(self, public: bytes) -> int:
        """Return the index 1 to n of a custodian's static public key (33 bytes).

        Raises:
            FormatError: that key took no part.
        """
        for index, point in enumerate(self.transcript.roster, 1):
            if point.compressed() == public:
                return index
        raise FormatError("this custodian key took no part in the ceremony")

    def bundle_digest(self, index: int) -> bytes:
        """Return the certified SHA-256 of the share bundle of custodian 1 ≤ index ≤ n.

        Raises:
            FormatError: the ceremony's extension does not bind bundles as ours do.
        """
        extension = self.transcript.extension
        if not extension.startswith(BUNDLES) or len(extension) != len(BUNDLES) + 32 * self.n:
            raise FormatError("the transcript does not bind the encrypted shares")
        start = len(BUNDLES) + 32 * (index - 1)
        return extension[start : start + 32]


def bundle_extension(bundles: Sequence[bytes]) -> bytes:
    """Return the transcript extension that binds each recipient's share bundle.

    COCKTAIL's transcript leaves the encrypted shares out, so a stored bundle could be exchanged
    unseen. With this (the specification's Option 1, one digest per recipient) a custodian that
    holds only its own bundle can tell, and a ciphertext in dispute is a certified one.
    """
    return BUNDLES + b"".join(map(sha256, bundles))


def evaluate(coefficients: Sequence[Point], index: int) -> Point:
    """Return Σ index^k · coefficients[k]: a committed polynomial in the exponent, in public."""
    powers = [index**k for k in range(len(coefficients))]
    return multiply_sum(powers, coefficients)


@dataclass(frozen=True, slots=True)
class SuccessCertificate:
    """A transcript with the signatures of all participants over it.

    Attributes:
        transcript: the bytes T.
        signatures: n signatures of 65 bytes, in roster order.
    """

    transcript: bytes
    signatures: tuple[bytes, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the certificate as a JSON value."""
        return {
            "v": 1,
            "suite": SUITE,
            "transcript": b64(self.transcript),
            "signatures": [b64(signature) for signature in self.signatures],
        }

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read what `to_json` wrote.

        Raises:
            FormatError: another version, suite or shape.
        """
        match value:
            case {
                "v": 1,
                "suite": str(suite),
                "transcript": str(transcript),
                "signatures": [*signatures],
            } if (
                type(value["v"]) is int
                and suite == SUITE
                and len(value) == 4
                and all(type(s) is str for s in signatures)
            ):
                return cls(unb64(transcript), tuple(unb64(text) for text in signatures))
        raise FormatError("this is not a success certificate of version 1")

    def sha256(self) -> bytes:
        """Return the SHA-256 of the transcript: the ceremony's fingerprint."""
        return sha256(self.transcript)


def verify_certificate(
    certificate: SuccessCertificate,
    pinned: Collection[bytes],
    context: bytes | KeyContext | None = None,
) -> GroupKey:
    """Check a certificate and return the key it certifies.

    1. the transcript parses and is canonical;
    2. every participant's key is pinned, and none stands twice;
    3. the context is the expected one, if one is given, and names this roster and threshold;
    4. every proof of possession holds;
    5. every participant signed the transcript.

    Args:
        certificate: as it came with the tender file.
        pinned: custodians' static public keys (33 bytes) that were learned beforehand.
        context: the exact context to insist on. Without it the caller compares
            ``key_context`` of the answer with the tender itself.

    Raises:
        FormatError: the certificate is malformed.
        CeremonyError: a participant is not pinned, the context differs.
        BlameError: a proof or signature fails; its index says whose.
    """
    # 1
    transcript = Transcript.from_bytes(certificate.transcript)
    if transcript.to_bytes() != certificate.transcript:
        raise FormatError("the transcript is not in its canonical form")
    # 2
    roster = [point.compressed() for point in transcript.roster]
    if len(set(roster)) != len(roster):
        raise CeremonyError("a custodian's key stands twice in the ceremony")
    for index, key in enumerate(roster, 1):
        if key not in pinned:
            raise CeremonyError(
                f"custodian {index} of this ceremony is none of those pinned beforehand; "
                "compare the custodians' fingerprints with the published ones"
            )
    # 3
    group = GroupKey(transcript)
    if isinstance(context, KeyContext):
        context = context.to_bytes()
    if context is not None and context != transcript.context:
        raise CeremonyError("the ceremony was held for another context than expected")
    check_roster(transcript)
    # 4
    for index, commitment in enumerate(transcript.commitments, 1):
        check_possession(transcript, index, commitment)
    # 5
    if len(certificate.signatures) != transcript.n:
        raise CeremonyError(f"{len(certificate.signatures)} of {transcript.n} custodians signed")
    for index, signature in enumerate(certificate.signatures, 1):
        try:
            schnorr.verify(transcript.roster[index - 1], certificate.transcript, signature)
        except SignatureError as error:
            raise BlameError(index, "its signature over the ceremony fails", public=True) from error
    if group.public.is_infinity:
        raise CeremonyError("the ceremony's contributions cancel out")
    return group


def check_roster(transcript: Transcript) -> None:
    """Hold a context of ours against the roster and threshold that were really used.

    Contexts that are not ours (the outside vectors' 32-byte hashes) bind the roster themselves.

    Raises:
        CeremonyError: they differ.
    """
    if not transcript.context.startswith(b"{"):
        return
    context = KeyContext.from_bytes(transcript.context)
    roster = tuple(point.compressed() for point in transcript.roster)
    if context.custodians != roster or context.t != transcript.t:
        raise CeremonyError("roster or threshold differ from those in the key's context")


def check_possession(transcript: Transcript, index: int, commitment: Sequence[Point]) -> None:
    """Check one participant's proof that it knows its contribution (no rogue key).

    Raises:
        BlameError: it fails, publicly.
    """
    message = proof_message(transcript.context, commitment, transcript.ephemerals[index - 1])
    try:
        schnorr.verify(commitment[0], message, transcript.proofs[index - 1])
    except SignatureError as error:
        raise BlameError(index, "its proof of possession fails", public=True) from error
