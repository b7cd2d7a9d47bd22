"""The facts of a receipt on paper 回执: what its signed JSON says, with the names that people know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from documents.model.base import Attachment, Facts, Party

RECEIPT = "receipt.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFacts(Facts):
    """A receipt of a submission or of a withdrawal; it has no leaf of its own, for leaves could be counted.

    Attributes:
        tender, tender_name, section, section_name: what was bid for.
        deadline: T as it stood, ms UTC.
        bidder: who handed in, by the name that the centre knows.
        act: submission or withdrawal; `id` its number in the section's tree.
        arrival: of its last byte, ms UTC; `slot` the second whose leaf commits to it.
        sha256, size: of the sealed file; of a withdrawal, of the file that was withdrawn.
        replaces: id of the act that this one ended, or "".
        receipt: the signed receipt itself, canonical JSON; it stands beside `record.json` in the PDF.
    """

    KIND: ClassVar[str] = "receipt"

    tender: str
    tender_name: str
    section: str
    section_name: str
    deadline: int
    bidder: Party
    act: str
    id: str
    arrival: int
    slot: int
    sha256: str
    size: int
    replaces: str
    receipt: str

    def attachments(self) -> tuple[Attachment, ...]:
        """Return `record.json` and, as a file that is checked without any PDF, `receipt.json`."""
        what = "The signed receipt, checked offline by itself, canonical JSON (RFC 8785)"
        return (*Facts.attachments(self), Attachment(RECEIPT, self.receipt.encode(), what))
