"""What custodians and the supervisor sign: enrolment, ceremony, release, hold, postponement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from bidding.model.shapes import (
    Body,
    Bytes64,
    Code,
    Hex32,
    Ident,
    LongText,
    Ms,
    Name,
    Point33,
    Point65,
    Positive,
    SlotMs,
    Small,
    Text,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment(Body):
    """A custodian introduces itself, signed by the statement key it names (`custodian join`)."""

    PURPOSE: ClassVar[str] = "enrolment"

    custodian: Ident
    organisation: Name
    key: Point33
    host_key: Point33
    witness: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyMessage(Body):
    """One message of one custodian in one round of a key ceremony; `message` is the DKG's own form.

    A round is handed on when all n are in. The same custodian's second, different message for a
    round is refused: a participant that says two things has made the ceremony fail, by name.
    """

    PURPOSE: ClassVar[str] = "ceremony_message"

    ceremony: Ident
    custodian: Ident
    round: Small
    message: LongText


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Body):
    """A custodian's answer: one partial decryption for each encapsulation of the close list.

    Attributes:
        index: its DKG index, 1…n.
        close_list: SHA-256 of the close list's ledger leaf (its canonical bytes).
        encapsulations: in the order of the list, each once; `partials`: share · encapsulation.
        proof: one RFC 9497 batch proof for all, against its verification share.
        head_size, head_root: the checkpoint it judged by.
    """

    PURPOSE: ClassVar[str] = "release"

    section: Ident
    custodian: Ident
    ceremony: Ident
    index: Small
    close_list: Hex32
    encapsulations: tuple[Point65, ...]
    partials: tuple[Point33, ...]
    proof: Bytes64
    head_size: Positive
    head_root: Hex32


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRefusal(Body):
    """A custodian refuses, lawfully: `check` is the id of the first check that failed."""

    PURPOSE: ClassVar[str] = "release_refusal"

    section: Ident
    custodian: Ident
    close_list: Text
    check: Code
    detail: Text
    at: Ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Body):
    """`custodian hold SECTION`: this custodian's own veto, kept in its home."""

    PURPOSE: ClassVar[str] = "hold"

    section: Ident
    custodian: Ident
    reason: Text
    at: Ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponement(Body):
    """延期: T moves later. The same body signed by centre and supervisor; may be handed directly."""

    PURPOSE: ClassVar[str] = "postponement"

    tender: Ident
    section: Ident
    previous: SlotMs
    deadline: SlotMs
    reason: Name
    at: Ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination(Body):
    """终止: nothing of this section is opened, ever. Signed by centre and supervisor."""

    PURPOSE: ClassVar[str] = "termination"

    tender: Ident
    section: Ident
    reason: Name
    at: Ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplement(Body):
    """补充名单: names bids whose logged reason of exclusion is mended; by centre and supervisor."""

    PURPOSE: ClassVar[str] = "supplement"

    section: Ident
    close_list: Hex32
    submissions: tuple[Ident, ...]
    reason: Name
    at: Ms


@dataclass(frozen=True, slots=True, kw_only=True)
class LateWitness(Body):
    """After an outage over T, cosignatures stamped after T + 60 s count too.

    Signed by the supervisor, before any partial is answered.
    """

    PURPOSE: ClassVar[str] = "late_witness"

    section: Ident
    closing_size: Positive
    closing_root: Hex32
    reason: Name
    at: Ms


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumFailure(Body):
    """托管失效: too few custodians can answer; release ends for this key. By centre and supervisor.

    Taken before any price is imported. A lawful refusal is no failure.
    """

    PURPOSE: ClassVar[str] = "quorum_failure"

    section: Ident
    close_list: Hex32
    reason: Name
    at: Ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation(Body):
    """核对双史: centre and supervisor have looked at evidence of two histories; this section may go on.

    `evidence`: SHA-256 of each piece of evidence that they answer, hex.
    """

    PURPOSE: ClassVar[str] = "reconciliation"

    section: Ident
    evidence: tuple[Hex32, ...]
    reason: Name
    at: Ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconvening(Body):
    """复会: a paused opening goes on, or a sealed one meets again, at `time` and not before. By centre and supervisor."""

    PURPOSE: ClassVar[str] = "reconvening"

    section: Ident
    time: Ms
    reason: Name
    at: Ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery(Body):
    """A custodian whose home was lost asks for its own earlier words; `at` is its own clock."""

    PURPOSE: ClassVar[str] = "recovery"

    custodian: Ident
    at: Ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Body):
    """A named person decides whose cause a failure is (办法 Art. 31); the system only proposes."""

    PURPOSE: ClassVar[str] = "decision"

    section: Ident
    submission: Ident
    verdict: Literal["deemed_revoked", "deemed_withdrawn", "remedied"]
    reason: Name
    at: Ms
