"""竞买资格确认书: a letter of qualification for people's eyes; its truth is the signed JSON attached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportlab.platypus import Flowable, Spacer

from documents import words
from documents.layout import Cell, pairs, paragraph, style, titles
from documents.page import Drawn, compose
from documents.slots import slots_of
from documents.typeface import SANS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.model.qualification import QualificationFacts

NOTE = (
    "本确认书以所附 qualification.json 为准。结果公布前仅向本单位出具，请妥善保管：它载明号牌与单位的对应关系。"
    "以电子签名为准，打印件仅供阅读。任何人可离线核验：verify 本文件 --trust 信任文件。"
)
PREEMPTION = {
    "notice": "享有（公告载明）；价高者产生后，可在行使期内以同等价格购买",
    "proof": "享有（经认定）；价高者产生后，可在行使期内以同等价格购买",
    "none": "不享有",
}
_WIDTHS = (34, 146)


def draw(facts: QualificationFacts, signers: Sequence[str] = ("centre",)) -> Drawn:
    """Draw a letter of qualification, A4 portrait.

    Args:
        facts: who may bid, under which paddle.
        signers: names of slots (`slots.SLOTS`); the centre's is always last.

    Raises:
        DocumentError: a part does not fit the page.
    """
    rows: list[tuple[str, str, Cell | str]] = [
        ("竞价标的", "Auction", Cell(facts.title, small=facts.lot, small_size=7)),
        *([("宗地编号", "Parcel", facts.parcel)] if facts.parcel else []),
        ("竞买人", "Bidder", Cell(facts.holder.name, small=facts.holder.credit_code)),
        ("竞买号牌", "Paddle", Cell(facts.paddle, size=20)),
        *(
            [("优先购买权", "First refusal", PREEMPTION[facts.preemption])]
            if facts.preemption
            else []
        ),
        (
            "竞买保证金（元）",
            "Deposit",
            Cell(words.money(facts.deposit_amount), small=facts.deposit, small_size=7),
        ),
        ("到账确认（北京时间）", "Confirmed", words.moment(facts.deposit_at)),
        (
            "竞价规则摘要",
            "Rules as announced",
            Cell(words.hash_groups(facts.rules), small="SHA-256", font=SANS, size=8),
        ),
    ]
    story: list[Flowable] = [
        Spacer(1, 16),
        *titles("竞买资格确认书", "Letter of qualification"),
        Spacer(1, 10),
        pairs(rows, _WIDTHS, columns=1, air=3),
        Spacer(1, 12),
        paragraph(
            "贵单位竞买保证金已到账，经确认取得上述标的的竞买资格，可凭本单位数字证书以上列号牌参加网上竞价。"
            "保证金退还或资格撤销之时起，本确认书不再有效。",
            style(size=11, leading=20, indent=22),
        ),
    ]
    return compose(facts, "竞买资格确认书", story, slots_of(signers), wide=False, note=NOTE)
