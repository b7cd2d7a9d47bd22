"""投标回执: a receipt for people's eyes; its truth is the signed JSON attached, which proves itself offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportlab.platypus import Flowable, Spacer

from crypto.canonical import parse
from crypto.errors import CryptoError
from documents import words
from documents.layout import FAINT, Cell, pairs, paragraph, style, titles
from documents.model import DocumentError
from documents.page import Drawn, compose
from documents.slots import slots_of
from documents.typeface import SANS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.model import ReceiptFacts

TITLE = {
    "submission": ("投标回执", "Receipt of a sealed bid"),
    "withdrawal": ("撤回投标回执", "Receipt of a withdrawal"),
}
NOTE = (
    "本回执以所附 receipt.json 为准：它证明该行为已列入标段的隐数树并已存证，不表明投标人数。以电子签名为准，打印件仅供阅读。"
    "任何人可离线核验本文件及其附件：verify 本文件 --trust 信任文件。"
)
NOTE_EN = (
    "What counts is the receipt.json attached: it proves that the act stands in the section's hidden-number tree and in "
    "the log, and tells nothing of how many bid. The electronic signature is decisive; a print is for reading only. "
    "Anybody can check this file and what is attached to it offline: verify FILE --trust TRUST."
)
SENTENCE = {
    "submission": (
        "上述密文已于截止前完整收到并存证。开标时由托管人解锁，投标人无需到场、无需插件；未能解密时，凭密文与公开的证明可判定是谁的原因。",
        (
            "The sealed file above was received whole before the deadline and entered in the log. Custodians unlock it at the "
            "opening; the bidder need not attend and needs no plug-in. Should it not open, the sealed file and the public proofs "
            "show whose fault that is."
        ),
    ),
    "withdrawal": (
        "上述投标已于截止前撤回，开标时不予解密。截止前可另行递交。",
        "The bid above was withdrawn before the deadline and will not be opened. Until the deadline another may be handed in.",
    ),
}
"""What the paper says in a sentence, Chinese and English, by act."""
_WIDTHS = (34, 146)


def draw(facts: ReceiptFacts, signers: Sequence[str] = ("centre",)) -> Drawn:
    """Draw a receipt, A4 portrait.

    Args:
        facts: what was received.
        signers: names of slots (`slots.SLOTS`); the centre's is always last.

    Raises:
        DocumentError: a part does not fit the page.
    """
    zh, en = TITLE[facts.act]
    withdrawn = facts.act == "withdrawal"
    told, told_en = SENTENCE[facts.act]
    rows: list[tuple[str, str, Cell | str]] = [
        ("招标项目", "Tender", Cell(facts.tender_name, small=facts.tender, small_size=7)),
        ("标段", "Section", Cell(facts.section_name, small=facts.section, small_size=7)),
        ("投标人", "Bidder", Cell(facts.bidder.name, small=facts.bidder.credit_code)),
        ("编号", "Number of the act", Cell(facts.id, font=SANS, size=9)),
        (
            "到达时刻（北京时间）",
            "Arrived",
            Cell(words.moment(facts.arrival), small=f"末字节到达 · 时段 {facts.slot}", size=12),
        ),
        ("投标截止（北京时间）", "Deadline", words.moment(facts.deadline)),
        (
            "被撤回的密文" if withdrawn else "密文",
            "Sealed file",
            Cell(words.hash_groups(facts.sha256), small=f"SHA-256 · {facts.size} 字节", font=SANS, size=8),
        ),
    ]  # fmt: skip
    if not withdrawn:
        rows += versions(facts)
    if facts.replaces:
        ended = ("所撤回的投标" if withdrawn else "所替换的投标", "Ends")
        rows.append((*ended, Cell(facts.replaces, font=SANS, size=9)))
    story: list[Flowable] = [
        Spacer(1, 16),
        *titles(zh, en),
        Spacer(1, 10),
        pairs(rows, _WIDTHS, columns=1, air=3),
        Spacer(1, 12),
        paragraph(told, style(size=11, leading=20, indent=22)),
        paragraph(told_en, style(SANS, 7.5, leading=11, colour=FAINT, before=3)),
    ]
    return compose(facts, zh, story, slots_of(signers), wide=False, note=NOTE, note_en=NOTE_EN)


def versions(facts: ReceiptFacts) -> list[tuple[str, str, Cell | str]]:
    """Return the row of the tender file that was bid for, as the signed receipt has it (ADR 0012).

    It is read from the receipt in the paper, so that page and receipt cannot differ; a receipt without
    versions has no such line.

    Raises:
        DocumentError: what stands in for the receipt is none.
    """
    try:
        said = parse(facts.receipt.encode())["statement"]
        version, newest = said.get("version"), said.get("newest")
    except (AttributeError, CryptoError, KeyError, TypeError) as error:
        raise DocumentError("the facts of a receipt hold no signed receipt") from error
    if version is None or newest is None:
        return []
    late = (
        "到达时最新"
        if version == newest
        else f"到达时最新为第 {newest} 版，是否影响由评标委员会认定"
    )
    return [("招标文件版本", "Document version", Cell(f"第 {version} 版", small=late))]
