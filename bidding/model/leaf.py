"""What the centre writes into the ledger about a section: one class a leaf kind.

A leaf's bytes are the canonical JSON of {"v", "centre", "kind", …fields}. Before the opening only
acts of the centre are leaves of their own; bids show as one commitment a slot (ledger-v1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from bidding.model.errors import MalformedError
from bidding.model.shapes import (
    Amount,
    Body,
    Code,
    Count,
    Hex32,
    HexOrNone,
    Ident,
    Json,
    Ms,
    Name,
    Point33,
    Point65,
    Positive,
    Recipient,
    SlotMs,
    Text,
    Use,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf(Body):
    """A leaf about one section; `PURPOSE` is its kind."""

    section: Ident

    def to_leaf(self, centre: str) -> dict[str, Any]:
        """Return the leaf's JSON object."""
        return {"v": 1, "centre": centre, "kind": self.PURPOSE, **self.to_body()}

    @classmethod
    def from_leaf(cls, leaf: Any, centre: str) -> Self:
        """Read a leaf's JSON object back.

        Raises:
            MalformedError: another version, centre or kind, or fields that do not fit.
        """
        body = dict(leaf) if isinstance(leaf, dict) else {}
        head = {name: body.pop(name, None) for name in ("v", "centre", "kind")}
        if head != {"v": 1, "centre": centre, "kind": cls.PURPOSE}:
            raise MalformedError(
                "leaf-foreign", "日志条目不符", f"No {cls.PURPOSE} leaf of this centre."
            )
        return cls.from_body(body)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAssign(Leaf):
    """A ceremony's key is given to a section, once.

    Attributes:
        certificate: SHA-256 of the success certificate's canonical form.
        seed: SHA-256 of the section's 32-byte seed, which stays closed until T.
        deadline: T as announced, ms UTC.
        proof_of_possession: required, or waived by the tender.
    """

    PURPOSE: ClassVar[str] = "key_assign"

    tender: Ident
    ceremony: Ident
    recipient: Recipient
    certificate: Hex32
    seed: Hex32
    use: Use
    earliest_t: SlotMs
    deadline: SlotMs
    proof_of_possession: Literal["required", "waived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced(Leaf):
    """A statement by two that moves, mends or ends: postponement, supplement, quorum failure, termination.

    `statements`: the same statement signed by the centre and by the supervisor, in this order.
    """

    PURPOSE: ClassVar[str] = "announced"

    statements: tuple[Json, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedBid(Body):
    """A bid on the close list, in the order of arrival of the counting submission."""

    submission: Ident
    encapsulation: Point65
    sha256: Hex32
    size: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded(Body):
    """A live bid that is not put up for opening, with the logged reason."""

    submission: Ident
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseList(Leaf):
    """The bids that count at T, and the one closing checkpoint that all judge by.

    Attributes:
        deadline: T, ms UTC; `slot`: T / 1000 − 1, the last slot before it.
        closing_size, closing_root: the smallest tree that holds this slot's leaf.
    """

    PURPOSE: ClassVar[str] = "close_list"

    tender: Ident
    use: Use
    deadline: SlotMs
    slot: Count
    closing_size: Positive
    closing_root: Hex32
    bids: tuple[ListedBid, ...]
    excluded: tuple[Excluded, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPrice(Leaf):
    """最高投标限价, 元; empty where the tender has none."""

    PURPOSE: ClassVar[str] = "control_price"

    value: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatCommitment(Body):
    """A party binds itself before T to a nonce of 32 bytes; signed by a key that was issued to it.

    Attributes:
        ceremony: of the section's key: one key, one opening.
        party: `centre`, or an organisation.
        digest: SHA-256 of the nonce.
        parties: who may commit in this section. The centre names them with its own commitment, before all
            others; each that commits signs the same list.
    """

    PURPOSE: ClassVar[str] = "float_commitment"

    section: Ident
    ceremony: Ident
    party: Ident
    digest: Hex32
    parties: tuple[Ident, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatReveal(Body):
    """The nonce behind a commitment, signed by the same key after the close."""

    PURPOSE: ClassVar[str] = "float_reveal"

    section: Ident
    ceremony: Ident
    party: Ident
    nonce: Hex32


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatCommit(Leaf):
    """A signed `FloatCommitment`."""

    PURPOSE: ClassVar[str] = "float_commit"

    signed: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatResult(Leaf):
    """浮动点 drawn by commit and reveal before any price is known.

    `value` = points[SHA-256(tag ‖ section ‖ nonces by party) mod len(points)], empty without points.
    `reveals`: signed `FloatReveal`s of all that committed, in the order of their ids.
    """

    PURPOSE: ClassVar[str] = "float_result"

    points: tuple[Amount, ...]
    reveals: tuple[Json, ...]
    value: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Published(Body):
    """One line of 投标人名单. `deposit`: paid, e_guarantee, unpaid; `status`: listed, withdrawn."""

    submission: Ident
    bidder: Ident
    names: tuple[Name, ...]
    credit_codes: tuple[Text, ...]
    arrival: Ms
    deposit: Code
    status: Literal["listed", "withdrawn", "excluded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedBidders(Leaf):
    """公布投标人名单: the first disclosure of who bids; before any partial."""

    PURPOSE: ClassVar[str] = "published_bidders"

    bidders: tuple[Published, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationLine(Body):
    """A delegation 授权委托 by which somebody acted in the section.

    Attributes:
        granted: digest of the bidder's signed delegation.
        ended: digest of the signed word that ended it early, or nothing.
    """

    bidder: Ident
    person: Ident
    granted: Hex32
    ended: HexOrNone


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegations(Leaf):
    """Delegations opened: with the published bidders those used so far, later ones with their use or end.

    Before the publication there is none, for it would tell who takes part.
    """

    PURPOSE: ClassVar[str] = "delegations"

    delegations: tuple[DelegationLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedBid(Body):
    """What came of one bid.

    Attributes:
        dh: combined Diffie-Hellman point; with it, whoever holds the sealed file re-derives this.
        result: opened, or the code of the first check that failed.
        manifest: SHA-256 of manifest.json, or nothing.
    """

    submission: Ident
    sha256: Hex32
    encapsulation: Point65
    dh: Point33
    result: Code
    manifest: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Leaf):
    """All bids of the section, opened at once.

    Attributes:
        custodians: whose partials were combined.
        releases: SHA-256 of each one's signed answer, in the same order.
        wrong: who was proved to have answered wrongly.
    """

    PURPOSE: ClassVar[str] = "opened"

    custodians: tuple[Ident, ...]
    releases: tuple[Hex32, ...]
    wrong: tuple[Ident, ...]
    bids: tuple[OpenedBid, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedBid(Body):
    """What came of one bid after a quorum failure.

    Attributes:
        file_key: base64 as its bidder handed it over, "" where none was that fits the header's MAC;
            whoever holds the sealed file re-derives this result from it.
        result: opened, disclosure-missing, or the code of the first check that failed.
    """

    submission: Ident
    sha256: Hex32
    file_key: Text
    result: Code
    manifest: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed(Leaf):
    """All bids of the section, opened at once with their bidders' own file keys.

    `failure`: SHA-256 of the announced leaf that declared the quorum failure.
    """

    PURPOSE: ClassVar[str] = "disclosed"

    failure: Hex32
    bids: tuple[DisclosedBid, ...]
