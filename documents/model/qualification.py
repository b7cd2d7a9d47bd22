"""The facts of a letter of qualification 竞买资格确认书: what its signed JSON says, for people's eyes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from documents.model.base import Attachment, Facts, Party

LETTER = "qualification.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class QualificationFacts(Facts):
    """A letter of qualification; it has no leaf of its own, for leaves could be counted before the result.

    Attributes:
        lot, title: the auction.
        holder: who may bid, by the name that the centre knows.
        paddle: 竞买号牌, and the parcel it bids for under quota, or "".
        deposit, deposit_amount, deposit_at: the deposit that admitted it: id, 元, ms UTC.
        rules: SHA-256 of the rules as announced, hex.
        preemption: 优先购买权: `notice` or `proof` by which the seat holds it, `none`, or "" where the rules know none.
        letter: the signed letter itself, canonical JSON; it stands beside `record.json` in the PDF.
    """

    KIND: ClassVar[str] = "qualification"

    lot: str
    title: str
    holder: Party
    paddle: str
    parcel: str
    deposit: str
    deposit_amount: str
    deposit_at: int
    rules: str
    preemption: str
    letter: str

    def attachments(self) -> tuple[Attachment, ...]:
        """Return `record.json` and, as a file that is checked without any PDF, `qualification.json`."""
        what = "The signed letter, checked offline by itself, canonical JSON (RFC 8785)"
        return (Attachment(LETTER, self.letter.encode(), what), *Facts.attachments(self))
