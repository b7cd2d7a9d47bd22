"""One door to the templates: facts and signers' slots in, an unsigned archive file and its fields out.

A pure function and picklable, so that it may run in another process; and since the same facts give the same bytes,
`redraws` lets an auditor compare the page in a signed record with what its own `record.json` yields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents import confirmation, notice, opening, qualification, slip, transcript
from documents.finish import finish
from documents.model import (
    ConfirmationFacts,
    DocumentError,
    Facts,
    NoticeFacts,
    OpeningFacts,
    QualificationFacts,
    ReceiptFacts,
    TranscriptFacts,
)
from documents.slots import Unsigned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.page import Drawn

PURPOSES = {
    NoticeFacts.KIND: "招标公告专用章",
    ReceiptFacts.KIND: "投标回执专用章",
    OpeningFacts.KIND: "开标专用章",
    QualificationFacts.KIND: "竞价专用章",
    TranscriptFacts.KIND: "竞价专用章",
    ConfirmationFacts.KIND: "成交确认专用章",
}


def draw(facts: Facts, slots: Sequence[str]) -> Drawn:
    """Draw the facts with the template of their kind.

    Raises:
        DocumentError: for a character without a glyph, or facts of no known kind.
    """
    match facts:
        case NoticeFacts():
            return notice.draw(facts, slots)
        case ReceiptFacts():
            return slip.draw(facts, slots)
        case OpeningFacts():
            return opening.draw(facts, slots)
        case QualificationFacts():
            return qualification.draw(facts, slots)
        case TranscriptFacts():
            return transcript.draw(facts, slots)
        case ConfirmationFacts():
            return confirmation.draw(facts, slots)
    raise DocumentError(f"there is no template for {type(facts).__name__}")


def unsigned(facts: Facts, slots: Sequence[str]) -> Unsigned:
    """Draw and finish a record (PDF/A-3b with its facts attached), ready to be signed.

    Args:
        facts: what the record says.
        slots: who will sign, among them `centre`.

    Raises:
        DocumentError: when it cannot be drawn or does not pass as PDF/A.
    """
    drawn = draw(facts, slots)
    return Unsigned(finish(drawn, facts), drawn.fields, drawn.title, PURPOSES[facts.KIND])


def redraws(pdf: bytes, facts: Facts, slots: Sequence[str]) -> bool:
    """Say whether a signed record shows exactly what its facts yield: its first revision, byte for byte.

    Only meaningful with the same version of Kaibiao and of its drawing libraries.

    Args:
        pdf: the signed record; signatures only append, so its first revision is still at its start.
        facts: from its own `record.json`.
        slots: names of its signature fields, the centre's included, in their order.
    """
    return pdf.startswith(unsigned(facts, slots).pdf)
