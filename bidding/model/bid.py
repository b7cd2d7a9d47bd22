"""What bidders sign and what they get back: submission, withdrawal, receipt, refusal, manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from bidding.model.shapes import (
    Body,
    Bytes16,
    Code,
    Count,
    Envelope,
    Hex32,
    HexOrNone,
    Ident,
    IdentOrNone,
    LongText,
    Ms,
    Name,
    Point65,
    Positive,
    Recipient,
    SlotMs,
    Text,
)
from crypto.canonical import canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(Body):
    """A bidder hands in a sealed file.

    Signed by the bidder's key; the proof of possession is made by the HPKE ephemeral key over the
    canonical bytes of the same statement, and stands beside it: {"submission": signed form,
    "possession": base64 of 64 bytes, or "" where the tender waives it}.

    Attributes:
        recipient: the section's age1tag1….
        bidder: id of the lead organisation; `parties`: all of them, lead first (联合体).
        encapsulation: `enc` of the p256tag stanza, 65 bytes.
        version, tender_file: version and digest (`crypto.statement.digest`) of the tender file that
            the bid was made and sealed for; a later addendum makes another.
        sha256: of the sealed file; `size` its bytes.
        supersedes: id of the submission it replaces, or nothing.
    """

    PURPOSE: ClassVar[str] = "submission"

    tender: Ident
    section: Ident
    envelope: Envelope
    version: Positive
    tender_file: Hex32
    recipient: Recipient
    bidder: Ident
    parties: tuple[Ident, ...]
    encapsulation: Point65
    sha256: Hex32
    size: Positive
    supersedes: IdentOrNone


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal(Body):
    """撤回 before the deadline, signed by the key that submitted."""

    PURPOSE: ClassVar[str] = "withdrawal"

    tender: Ident
    section: Ident
    bidder: Ident
    submission: Ident


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Body):
    """What the section's tree holds for one accepted act; nothing else decides who is in.

    Attributes:
        kind: submission or withdrawal.
        id: of this act, random.
        slot: the one-second slot under which it was first committed, ≥ that of `arrival`.
        arrival: stamp of the last body byte, ms UTC.
        statement: SHA-256 of the statement's signed bytes (`crypto.statement.digest`).
        replaces: the live submission this act ended: the replaced or withdrawn one, or nothing.
        delegation: digest of the signed delegation 授权委托 by which its signer acted for the bidder,
            or nothing where it was the bidder's own key. So nobody can write one afterwards.
    """

    PURPOSE: ClassVar[str] = "entry"

    section: Ident
    kind: Literal["submission", "withdrawal"]
    id: Ident
    slot: Count
    arrival: Ms
    statement: Hex32
    replaces: IdentOrNone
    delegation: HexOrNone

    def to_bytes(self, centre: str) -> bytes:
        """Return the bytes that stand in the tree: canonical JSON with v, purpose and centre."""
        head = {"v": 1, "purpose": self.PURPOSE, "centre": centre}
        return canonical({**head, **self.to_body()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Body):
    """回执: proof, checkable offline, that the act was in the section's tree at `entry.slot`.

    Attributes:
        version: of the tender file that the bid was sealed for; of a withdrawal: the withdrawn bid.
        newest: the version that stood when the act arrived. A later one than `version` is no
            reason to refuse: whether the bid still answers to the documents, the committee says.
        index: place in the tree, random; `path`: its hashes, leaf to root, hex.
        salt: of the slot, hex; SHA-256(salt ‖ root) stands in `leaf`.
        leaf: the slot's ledger leaf, its canonical text; `leaf_index` its place in the ledger.
        inclusion: hashes that prove the leaf under `checkpoint` (a signed note).
        issued: when the centre signed this, ms UTC.
    """

    PURPOSE: ClassVar[str] = "receipt"

    tender: Ident
    section: Ident
    bidder: Ident
    sha256: Hex32
    size: Count
    version: Positive
    newest: Positive
    entry: Entry
    index: Count
    path: tuple[Hex32, ...]
    salt: Hex32
    leaf: LongText
    leaf_index: Count
    inclusion: tuple[Hex32, ...]
    checkpoint: LongText
    issued: Ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Body):
    """拒收: the centre's signed answer to an act it did not take, stating when it arrived.

    Attributes:
        statement: SHA-256 of the refused statement's signed bytes.
        code: stable reason; `arrival` of the last body byte; `deadline`: T then, ms UTC.
    """

    PURPOSE: ClassVar[str] = "refusal"

    tender: Ident
    section: Ident
    statement: Hex32
    code: Code
    reason: Text
    arrival: Ms
    deadline: SlotMs


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry(Body):
    """One file of the package as the manifest lists it."""

    name: Name
    size: Count
    sha256: Hex32


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest(Body):
    """`manifest.json`, the last file of a package, signed by the bidder's key.

    Attributes:
        summary: 开标一览表, field name → value as text, exactly the section's fields.
        files: every other file of the package, in their order.
    """

    PURPOSE: ClassVar[str] = "manifest"

    tender: Ident
    section: Ident
    envelope: Envelope
    bidder: Ident
    parties: tuple[Ident, ...]
    summary: dict[Code, Text]
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation(Body):
    """A bidder's answer to what was read out: no objection 无异议. Locks; silence is no consent."""

    PURPOSE: ClassVar[str] = "confirmation"

    section: Ident
    bidder: Ident
    reading: Hex32


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection(Body):
    """开标异议, raised in the hall and answered at once (实施条例 Art. 44).

    Attributes:
        files: what comes with it, uploaded beforehand by the same organisation (tus).
    """

    PURPOSE: ClassVar[str] = "objection"

    section: Ident
    bidder: Ident
    text: Name
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pledge(Body):
    """承诺交出: after a declared quorum failure a bidder binds itself to hand over its file key.

    Nobody hands over before all have pledged, so that nobody can wait for others' prices. Signed by
    the key that submitted. `failure`: SHA-256 of the ledger leaf that declared it.
    """

    PURPOSE: ClassVar[str] = "disclosure_pledge"

    section: Ident
    bidder: Ident
    submission: Ident
    failure: Hex32


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure(Body):
    """交出文件密钥: the file key of one's own bid, 16 bytes, signed by the key that submitted."""

    PURPOSE: ClassVar[str] = "disclosure"

    section: Ident
    bidder: Ident
    submission: Ident
    failure: Hex32
    file_key: Bytes16
