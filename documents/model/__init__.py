"""The facts that become paper: notice, receipt, opening record, qualification, transcript, deal confirmation.

Every fact is a frozen dataclass of strings, whole numbers and tuples. Units: times are milliseconds UTC; money is a
decimal string in 元 with two places ("46382715.40"); areas are decimal strings in 平方米 with two places; plot ratios
are decimal strings; digests are lower-case hex of SHA-256. An absent text is "", an absent number is None.
`facts.to_json()` is what `record.json` inside the PDF holds, in canonical form (RFC 8785); `facts_from_json` reads
any of them back. The column list of the opening record is that of reference domain.md §1.5.
"""

from __future__ import annotations

from typing import Any

from documents.model.auction import (
    ConfirmationFacts,
    Offer,
    Outage,
    Parcel,
    Phase,
    Rank,
    TranscriptFacts,
    Winner,
)
from documents.model.base import (
    SUITE,
    VERSION,
    Attachment,
    Facts,
    Heading,
    Official,
    Party,
    RuleLine,
)
from documents.model.codec import DocumentError
from documents.model.notice import (
    NoticeChange,
    NoticeCustodian,
    NoticeDocument,
    NoticeFacts,
)
from documents.model.opening import (
    Confirmation,
    CustodyAnswer,
    Decided,
    Delivery,
    Enclosure,
    Exclusion,
    IdentityNote,
    Muting,
    Objection,
    OpeningFacts,
    OpeningRow,
    Pause,
    Reconvening,
    SignIn,
)
from documents.model.qualification import QualificationFacts
from documents.model.receipt import ReceiptFacts

__all__ = [
    "SUITE",
    "VERSION",
    "Attachment",
    "Confirmation",
    "ConfirmationFacts",
    "CustodyAnswer",
    "Decided",
    "Delivery",
    "DocumentError",
    "Enclosure",
    "Exclusion",
    "Facts",
    "Heading",
    "IdentityNote",
    "Muting",
    "NoticeChange",
    "NoticeCustodian",
    "NoticeDocument",
    "NoticeFacts",
    "Objection",
    "Offer",
    "Official",
    "OpeningFacts",
    "OpeningRow",
    "Outage",
    "Parcel",
    "Party",
    "Pause",
    "Phase",
    "QualificationFacts",
    "Rank",
    "ReceiptFacts",
    "Reconvening",
    "RuleLine",
    "SignIn",
    "TranscriptFacts",
    "Winner",
    "facts_from_json",
]

KINDS: dict[str, type[Facts]] = {
    kind.KIND: kind
    for kind in (
        NoticeFacts,
        ReceiptFacts,
        OpeningFacts,
        QualificationFacts,
        TranscriptFacts,
        ConfirmationFacts,
    )
}


def facts_from_json(data: Any) -> Facts:
    """Read the facts of whichever kind `data` says it is.

    Raises:
        DocumentError: for an unknown kind or facts that do not fit it.
    """
    kind = KINDS.get(data.get("kind", "")) if isinstance(data, dict) else None
    if kind is None:
        raise DocumentError("this record's kind is not known to this version")
    return kind.from_json(data)
