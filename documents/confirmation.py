"""成交确认书: what one winner has bought, at which instant, and what it owes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportlab.platypus import Flowable, Spacer

from documents import words
from documents.layout import Cell, fitted, pairs, paragraph, style, titles
from documents.page import Drawn, compose
from documents.slots import slots_of
from documents.typeface import SANS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.model import ConfirmationFacts


def draw(facts: ConfirmationFacts, signers: Sequence[str] = ("centre",)) -> Drawn:
    """Draw a deal confirmation, A4 portrait.

    Args:
        facts: the deal.
        signers: names of slots (`page.SLOTS`); the centre's is always last.

    Raises:
        DocumentError: when a character has no glyph.
    """
    body = style(size=11.5, leading=22, indent=23)
    quota = facts.mode == "quota"
    named = fitted(facts.holder, 11.5)
    story: list[Flowable] = [
        Spacer(1, 22),
        *titles("成交确认书", "Confirmation of a deal"),
        Spacer(1, 14),
        paragraph(
            f"竞得人：{facts.holder}", style(size=named, leading=22 if named > 11 else named * 1.45)
        ),
        paragraph(f"统一社会信用代码：{facts.credit_code}", style(size=11.5, leading=22)),
        paragraph(_sentence(facts, quota=quota), body),
        Spacer(1, 7),
        pairs(_far(facts) if quota else _listing(facts), (34, 56, 34, 56), air=2.5),
        pairs(
            [
                (
                    "应缴金额（元）" if quota else "成交总价（元）",
                    "Payable (CNY)",
                    Cell(
                        f"人民币{facts.payable_capital}",
                        small=f"¥ {words.money(facts.payable)}",
                        size=14,
                        small_size=10,
                    ),
                ),
                (
                    "成交时刻",
                    "The contract is formed at",
                    f"{words.moment(facts.deal_at)}（北京时间），有效报价第 {facts.winning_seq} 号",
                ),
                ("竞价过程记录", "Transcript", facts.transcript_number),
                (
                    "事件链摘要",
                    "Event chain",
                    Cell(words.hash_groups(facts.chain_head), font=SANS, size=8),
                ),
            ],
            (34, 146),
            columns=1,
            air=2.5,
        ),
    ]
    tail: list[Flowable] = [
        Spacer(1, 12),
        *(
            paragraph(f"{_ordinal(number)}{text}", style(size=11, leading=20, indent=22))
            for number, text in enumerate(facts.conditions, 1)
        ),
        Spacer(1, 24),
    ]
    return compose(facts, "成交确认书", story, slots_of(signers), wide=False, tail=tail)


def _sentence(facts: ConfirmationFacts, *, quota: bool) -> str:
    what = (
        f"竞得 {facts.parcel} 宗地调整容积率（增加 {facts.added_far}）补缴土地出让金资格"
        if quota
        else f"竞得 {facts.parcel}"
    )
    return f"贵单位于 {words.day(facts.deal_at)}在{facts.heading.centre_name}网上交易系统举行的“{facts.session_name}”中，以号牌 {facts.paddle} {what}。现确认成交结果如下："


def _far(facts: ConfirmationFacts) -> list[tuple[str, str, Cell | str]]:
    total = f"{words.money(facts.added_gfa)} ㎡"
    return [
        ("宗地编号", "Parcel", facts.parcel),
        ("用地面积", "Site area", f"{words.money(facts.site_area)} ㎡"),
        ("现容积率", "Base FAR", facts.base_far),
        ("增加容积率", "Added FAR", facts.added_far),
        ("新增建筑面积", "Added floor area", total),
        ("起始楼面地价", "Start floor price", f"{words.money(facts.start_floor_price)} 元/㎡"),
        ("竞得加价", "Surcharge", f"{words.money(facts.surcharge)} 元/㎡"),
        ("成交楼面地价", "Floor price", f"{words.money(facts.floor_price)} 元/㎡"),
        (
            "计算",
            "How it is reckoned",
            Cell(f"{words.money(facts.floor_price)} × {words.money(facts.added_gfa)}", size=8.5),
        ),
        ("竞买保证金（元）", "Deposit", words.money(facts.deposit)),
    ]


def _listing(facts: ConfirmationFacts) -> list[tuple[str, str, Cell | str]]:
    return [
        ("宗地编号", "Parcel", facts.parcel),
        ("用地面积", "Site area", _area(facts.site_area)),
        ("容积率", "FAR", facts.base_far or words.NONE),
        ("竞买保证金（元）", "Deposit", words.money(facts.deposit)),
        *([("限价后竞得", "Second item", facts.second)] if facts.second else []),
    ]


def _area(area: str) -> str:
    return f"{words.money(area)} ㎡" if area else words.NONE


def _ordinal(number: int) -> str:
    return f"{'一二三四五六七八九十'[number - 1]}、" if number <= 10 else f"{number}. "
