"""招标公告: the notice of a tender, and the lock under which its bids will lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportlab.platypus import Flowable, Spacer

from documents import words
from documents.layout import Cell, Column, Heading, grid, pairs, paragraph, style, titles
from documents.page import Drawn, compose
from documents.slots import slots_of
from documents.typeface import SANS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.model import NoticeDocument, NoticeFacts

_WIDTHS = (28, 66, 26, 60)
_FULL = (28, 152)


def draw(facts: NoticeFacts, signers: Sequence[str] = ("centre",)) -> Drawn:
    """Draw a notice, A4 portrait.

    Args:
        facts: what is tendered.
        signers: names of slots (`page.SLOTS`); the centre's is always last.

    Raises:
        DocumentError: when a character has no glyph.
    """
    price = (
        words.money_in_full(facts.control_price)
        if facts.control_price
        else facts.control_price_note
    )
    version = facts.document_version
    later = f"（第 {version} 版）" if version > 1 else ""
    story: list[Flowable] = [
        *titles(
            f"招标公告{later}",
            f"Tender notice{f', version {version}' if later else ''}",
            f"{facts.tender_name} · {facts.section_name}",
        ),
        *_changes(facts),
        pairs(
            [
                ("招标人", "Tenderer", facts.tenderer),
                ("招标代理", "Agent", facts.agent or words.NONE),
                ("招标方式", "Method", facts.method),
                ("评标办法", "Evaluation", facts.evaluation),
                ("统一交易标识码", "Deal code", Cell(facts.deal_code, font=SANS, size=7.5)),
                ("行业", "Sector", facts.sector),
                ("招标项目编号", "Tender", Cell(facts.tender, font=SANS, size=8)),
                ("标段编号", "Section", Cell(facts.section, font=SANS, size=8)),
            ],
            _WIDTHS,
        ),
        pairs([("控制价（元）", "Control price (CNY)", price)], _FULL, columns=1),
        pairs(
            [
                ("投标保证金（元）", "Bid deposit (CNY)", words.money(facts.bid_deposit)),
                ("工期上限", "Longest duration", _days(facts.duration_days_max)),
                ("招标文件版本", "Document version", f"第 {facts.document_version} 版"),
                ("开标地点", "Place", facts.place),
                ("最少投标人", "Minimum bidders", f"{facts.minimum_bidders} 家（不足则不解密）"),
                ("浮动点备选", "Float points (%)", "、".join(facts.float_points) or words.NONE),
                ("公告时间", "Published", words.moment(facts.published_at)),
                (
                    "开标一览表",
                    "Bid summary",
                    "、".join(words.word(words.SUMMARY, name) for name in facts.summary_fields),
                ),
            ],
            _WIDTHS,
        ),
        pairs(
            [
                (
                    "投标截止\n即开标时间",
                    "Deadline = opening",
                    Cell(
                        f"{words.moment(facts.deadline)}（北京时间）",
                        small="到达时刻等于或晚于此刻的一律拒收；以服务器收到最后一个字节的时刻为准。",
                        small_size=7,
                        size=11,
                    ),
                )
            ],
            _FULL,
            columns=1,
        ),
        *_documents("招标文件", "Tender documents", facts.documents),
        Spacer(1, 6),
        Heading("投标文件怎样加密", "How bids are sealed"),
        pairs(
            [
                ("加密收件人", "age recipient", Cell(facts.recipient, font=SANS, size=8)),
                (
                    "密钥仪式证书",
                    "Ceremony certificate",
                    Cell(words.hash_groups(facts.certificate_digest), font=SANS, size=8),
                ),
                (
                    "解密方式",
                    "Unlocking",
                    (
                        f"密钥由 {len(facts.custodians)} 家密钥托管人共同生成并分别保管，任何 {facts.threshold} 家应答即可解密；"
                        f"少于 {facts.threshold} 家不能解密。交易中心不持有密钥，投标人开标时无须在场。"
                    ),
                ),
                ("解密时限", "Unlock window", f"自开标时间起 {words.span(facts.unlock_window_s)}"),
                ("补救方案", "Remedy", facts.remedy),
                (
                    "持有证明",
                    "Proof of possession",
                    words.word(words.POSSESSION, facts.proof_of_possession),
                ),
            ],
            _FULL,
            columns=1,
        ),
        Spacer(1, 6),
        Heading("密钥托管人", f"Custodians, {facts.threshold} of {len(facts.custodians)}"),
        grid(
            [
                Column("序号", "No.", 12, "center"),
                Column("单位", "Organisation", 50),
                Column(
                    "公钥指纹 SHA-256（制作投标文件前应与事先取得的指纹核对）",
                    "Key fingerprint, to be pinned beforehand",
                    118,
                ),
            ],
            [
                [
                    str(custodian.index),
                    custodian.organisation,
                    Cell(words.hash_groups(custodian.fingerprint), font=SANS, size=7.5),
                ]
                for custodian in facts.custodians
            ],
        ),
    ]
    tail: list[Flowable] = [
        Spacer(1, 6),
        Heading("规则", "Rules"),
        *(
            paragraph(f"{number}. {rule}", style(size=9, leading=13.5, after=1.5))
            for number, rule in enumerate((facts.late_uploads, *facts.rules), 1)
        ),
    ]
    return compose(facts, f"招标公告{later}", story, slots_of(signers), wide=False, tail=tail)


def _changes(facts: NoticeFacts) -> list[Flowable]:
    """What changed since the first version, the newest first: it is what a reader looks for."""
    if not facts.changes:
        return []
    story: list[Flowable] = [Heading("变更内容", "What changed since the first notice")]
    for change in reversed(facts.changes):
        moved = change.deadline != change.previous
        until = (
            f"{words.moment(change.previous)} → {words.moment(change.deadline)}"
            if moved
            else f"{words.moment(change.deadline)}（不变）"
        )
        story += [
            pairs(
                [
                    (f"第 {change.version} 版", f"Version {change.version}", change.title),
                    ("发布时间", "Published", words.moment(change.at)),
                    ("投标截止", "Deadline", until),
                    ("影响投标文件编制", "Affects bids", "是" if change.effect == "bids" else "否"),
                ],
                _FULL,
                columns=1,
            ),
            Spacer(1, 4),
            *(
                paragraph(line, style(size=9, leading=13.5, after=1.5))
                for line in change.text.split("\n")
                if line.strip()
            ),
            *_documents("随附文件", "Documents with it", change.documents),
            Spacer(1, 6),
        ]
    return story


def _documents(title: str, english: str, documents: Sequence[NoticeDocument]) -> list[Flowable]:
    if not documents:
        return []
    return [
        Spacer(1, 6),
        Heading(title, english),
        grid(
            [
                Column("文件", "File", 62),
                Column("字节", "Bytes", 24, "right"),
                Column("SHA-256", "SHA-256", 94),
            ],
            [
                [
                    one.name,
                    f"{one.size:,}",
                    Cell(words.hash_groups(one.sha256), font=SANS, size=6.5),
                ]
                for one in documents
            ],
        ),
    ]


def _days(days: int | None) -> str:
    return words.NONE if days is None else f"{days} 日历天"
