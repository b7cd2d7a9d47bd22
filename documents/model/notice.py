"""The facts of a tender notice 招标公告."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from documents.model.base import Facts
from documents.model.codec import DocumentError


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeCustodian:
    """A custodian as the notice prints it. `fingerprint`: SHA-256 of its pinned public key, hex."""

    index: int
    organisation: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDocument:
    """A tender document 招标文件 as the notice names it: `size` in bytes, `sha256` in hex."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeChange:
    """An addendum 补遗 or postponement 延期: what made a later version of the notice.

    Attributes:
        version: that it made.
        effect: bids, when it can affect how they are made, or none.
        previous, deadline: T before and after it, ms UTC.
    """

    version: int
    at: int
    title: str
    text: str
    effect: str
    previous: int
    deadline: int
    documents: tuple[NoticeDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts(Facts):
    """招标公告 of one section: what is tendered, and the lock under which bids lie until the opening.

    Attributes:
        deadline: bid deadline and opening time T, ms UTC, one and the same instant.
        control_price: 最高投标限价 or "" when `control_price_note` says why there is none yet.
        recipient: age1tag1… that bids are sealed to.
        threshold: t of the n `custodians` needed to open.
        unlock_window_s: seconds after T in which custodians answer.
        remedy: what happens when fewer than t answer (quorum failure).
        proof_of_possession: required or waived.
        certificate_digest: SHA-256 of the key ceremony's success certificate.
        late_uploads: the rule for uploads not complete before T.
        rules: further rules printed word by word.
        documents: tender documents of the first version; later ones stand with their change.
        changes: since the first version, in order; `document_version` is 1 more than their number.
    """

    KIND: ClassVar[str] = "notice"

    tender: str
    tender_name: str
    section: str
    section_name: str
    deal_code: str
    sector: str
    tenderer: str
    agent: str
    method: str
    evaluation: str
    control_price: str
    control_price_note: str
    bid_deposit: str
    duration_days_max: int | None
    document_version: int
    place: str
    deadline: int
    minimum_bidders: int
    float_points: tuple[str, ...]
    recipient: str
    custodians: tuple[NoticeCustodian, ...]
    threshold: int
    unlock_window_s: int
    remedy: str
    proof_of_possession: str
    summary_fields: tuple[str, ...]
    certificate_digest: str
    published_at: int
    late_uploads: str
    rules: tuple[str, ...]
    documents: tuple[NoticeDocument, ...] = ()
    changes: tuple[NoticeChange, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a quorum that cannot be: 1 <= t <= n."""
        if not 1 <= self.threshold <= len(self.custodians):
            raise DocumentError(
                f"a quorum of {self.threshold} among {len(self.custodians)} custodians cannot be"
            )
