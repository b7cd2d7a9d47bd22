"""开标记录表: what happened when the bids were opened, also when they could not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportlab.platypus import Flowable, Spacer

from documents import companion, words
from documents.layout import Cell, Column, Heading, grid, pairs, titles
from documents.page import Drawn, compose
from documents.slots import slots_of
from documents.typeface import SANS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.model import Enclosure, OpeningFacts, OpeningRow, Party

_BIDS = (
    Column("序号", "No.", 10, "center"),
    Column("投标人", "Bidder", 64),
    Column("递交时间", "Submitted", 26, "center"),
    Column("保证金", "Deposit", 17, "center"),
    Column("解密结果", "Unlocking", 26, "center"),
    Column("投标总价（元）", "Total price (CNY)", 31, "right"),
    Column("工期\n（日历天）", "Days", 19, "center"),
    Column("质量", "Quality", 14, "center"),
    Column("项目负责人", "Project manager", 20, "center"),
    Column("委托代理人", "Representative", 20, "center"),
    Column("确认", "Confirmation", 20, "center"),
)
_OPENED = frozenset({"opened", "remedied"})


def draw(facts: OpeningFacts, signers: Sequence[str] = ("centre",)) -> Drawn:
    """Draw an opening record, A4 landscape.

    Args:
        facts: the opening.
        signers: names of slots (`page.SLOTS`); the centre's is always last.

    Raises:
        DocumentError: when a character has no glyph.
    """
    sections = _afterwards(facts)
    beginning, end = [part for section in sections[:-1] for part in section], sections[-1]
    story: list[Flowable] = [
        *titles("开标记录表", "Bid opening record"),
        _head(facts),
        Spacer(1, 8),
        grid(_BIDS, [_bid(row) for row in facts.rows]),
        Spacer(1, 6),
        Heading("未唱标的投标文件", "Bids not read out, with cause and evidence"),
        grid(
            [
                Column("投标人", "Bidder", 66),
                Column("情形", "Status", 20, "center"),
                Column("时刻（北京时间）", "At", 40, "center"),
                Column("原因", "Cause", 75),
                Column("证据摘要 SHA-256", "Evidence", 66),
            ],
            [
                [
                    _names(item.bidder),
                    Cell(words.word(words.EXCLUDED, item.status), align="center", tone="seal"),
                    words.moment(item.at),
                    item.cause,
                    _digest(item.evidence),
                ]
                for item in facts.excluded
            ],
        ),
        Spacer(1, 6),
        Heading(
            "密钥托管人应答",
            f"Custodians' answers, {facts.threshold} of {len(facts.custody)} needed",
        ),
        grid(
            [
                Column("序号", "No.", 12, "center"),
                Column("单位", "Organisation", 62),
                Column("应答", "Answer", 44, "center"),
                Column("时刻（北京时间）", "At", 44, "center"),
                Column("说明", "Detail", 105),
            ],
            [
                [
                    str(answer.index),
                    answer.organisation,
                    Cell(
                        words.word(words.CUSTODY, answer.status),
                        align="center",
                        tone="ink" if answer.status == "answered" else "seal",
                    ),
                    words.moment(answer.at),
                    answer.detail,
                ]
                for answer in facts.custody
            ],
        ),
        Spacer(1, 6),
        Heading("密文与确认", "Sealed files, confirmations and remarks"),
        grid(
            [
                Column("序号", "No.", 12, "center"),
                Column("统一社会信用代码", "Credit code", 40, "center"),
                Column("密文 SHA-256", "Sealed file", 108),
                Column("解密时刻", "Unlocked at", 30, "center"),
                Column("备注", "Remark", 77),
            ],
            [
                [
                    str(row.no),
                    Cell(row.credit_code, font=SANS, size=7.5, align="center"),
                    Cell(words.hash_groups(row.file_sha256), font=SANS, size=7.2),
                    words.clock_time(row.unlocked_at),
                    row.remark or words.NONE,
                ]
                for row in facts.rows
            ],
        ),
        *beginning,
    ]
    return compose(facts, "开标记录表", story, slots_of(signers), wide=True, tail=end)


def _head(facts: OpeningFacts) -> Flowable:
    outcome = Cell(
        words.word(words.OPENING_OUTCOME, facts.outcome),
        tone="ink" if facts.outcome == "opened" else "seal",
    )
    people = "  ".join(
        f"{words.word(words.OFFICIAL, person.role)}：{person.name}" for person in facts.officials
    )
    closing = f"{words.hash_groups(facts.closing_root)}（长度 {facts.closing_size}，见证联署 {facts.cosignatures}）"
    return pairs(
        [
            ("项目名称", "Tender", facts.tender_name),
            ("标段", "Section", facts.section_name),
            ("招标人", "Tenderer", facts.tenderer),
            ("招标代理", "Agent", facts.agent or words.NONE),
            ("开标时间", "Opening time", f"{words.moment(facts.opened_at)}（北京时间）"),
            ("开标地点", "Place", facts.place),
            (
                "控制价（元）",
                "Control price",
                words.money_in_full(facts.control_price) if facts.control_price else words.NONE,
            ),
            (
                "浮动点",
                "Float point",
                f"{facts.float_point} %" if facts.float_point else words.NONE,
            ),
            (
                "招标方式",
                "Method",
                f"{facts.method}（{words.word(words.REGIME, facts.regime)}），招标文件第 {facts.document_version} 版",
            ),
            ("标识码", "Deal code", Cell(facts.deal_code, font=SANS, size=8)),
            (
                "解密方式",
                "Unlocking",
                f"{facts.unlock_mode}（{len(facts.custody)} 取 {facts.threshold}）",
            ),
            ("结果", "Outcome", outcome),
            ("到场人员", "Officials", people or words.NONE),
            ("截标清单", "Close list", _digest(facts.close_list_digest)),
            ("截标检查点", "Closing checkpoint", Cell(closing, font=SANS, size=7.2)),
        ],
        (24, 132, 22, 89),
    )


def _delegates(row: OpeningRow) -> str:
    """The summary's representative, and beside it who acted by a delegation; one name where they agree."""
    named, acted = row.representative, "、".join(row.delegates)
    if not acted:
        return named or words.NONE
    return f"{acted}（委托书）" if named in {"", acted} else f"{named}；{acted}（委托书）"


def _bid(row: OpeningRow) -> list[Cell | str]:
    opened = row.unlock in _OPENED
    return [
        str(row.no),
        _names(row.bidder),
        _two_lines(words.moment(row.submitted_at)),
        words.word(words.DEPOSIT, row.deposit),
        Cell(
            words.word(words.UNLOCK, row.unlock),
            small=words.clock_time(row.unlocked_at) if opened else "",
            align="center",
            tone="ink" if opened else "seal",
        ),
        Cell(words.money(row.total_price), align="right"),
        words.NONE if row.duration_days is None else str(row.duration_days),
        row.quality or words.NONE,
        row.project_manager or words.NONE,
        _delegates(row),
        Cell(
            words.word(words.CONFIRMATION, row.confirmation),
            align="center",
            tone="seal" if row.confirmation == "objected" else "ink",
        ),
    ]


def _afterwards(facts: OpeningFacts) -> list[list[Flowable]]:
    """Objections and breaks: their tables stand only where there were any, but 无 is said in one line."""
    objections: list[Flowable] = [
        Spacer(1, 6),
        Heading("开标异议与答复", "Objections and answers"),
        grid(
            [
                Column("投标人", "Bidder", 66),
                Column("提出时刻", "Raised", 42, "center"),
                Column("异议", "Objection", 59),
                Column("答复时刻", "Answered", 42, "center"),
                Column("答复", "Answer", 58),
            ],
            [
                [
                    item.bidder,
                    words.moment(item.raised_at),
                    _with_files(item.text, item.files),
                    words.moment(item.answered_at),
                    _with_files(item.answer or words.NONE, item.answer_files),
                ]
                for item in facts.objections
            ],
        ),
    ]
    sections = [*companion.tables(facts), objections]
    if facts.confirmations:
        sections.append(
            [
                Spacer(1, 6),
                Heading("投标人的签名声明", "Bidders' signed statements on this opening"),
                grid(
                    [
                        Column("投标人", "Bidder", 90),
                        Column("声明", "Answer", 24, "center"),
                        Column("时刻（北京时间）", "At", 44, "center"),
                        Column("声明摘要 SHA-256", "Statement", 109),
                    ],
                    [
                        [
                            item.bidder,
                            words.word(words.CONFIRMATION, item.answer),
                            words.moment(item.at),
                            _digest(item.statement),
                        ]
                        for item in facts.confirmations
                    ],
                ),
            ]
        )
    if facts.pauses:
        sections.append(
            [
                Spacer(1, 6),
                Heading("中止与恢复", "Pauses"),
                grid(
                    [
                        Column("中止", "From", 50, "center"),
                        Column("恢复", "Until", 50, "center"),
                        Column("原因", "Reason", 167),
                    ],
                    [
                        [words.moment(p.since), words.moment(p.until), p.reason]
                        for p in facts.pauses
                    ],
                ),
            ]
        )
    return sections


def _with_files(text: str, files: tuple[Enclosure, ...]) -> Cell:
    """A text, and below it each file by its name and hash."""
    listed = [f"附件 {one.name}（{one.size} 字节）{one.sha256}" for one in files]
    return Cell("\n".join([text, *listed])) if listed else Cell(text)


def _names(parties: tuple[Party, ...]) -> Cell:
    """A bidder as a list of parties; a consortium (联合体) names its lead first."""
    if len(parties) == 1:
        return Cell(parties[0].name)
    return Cell(
        "\n".join(f"{p.name}（联合体{'牵头人' if p.role == 'lead' else '成员'}）" for p in parties),
        size=8.4,
    )


def _two_lines(text: str) -> Cell:
    date, _, time = text.partition(" ")
    return Cell(time, small=date, align="center")


def _digest(value: str) -> Cell:
    return Cell(words.hash_groups(value), font=SANS, size=7.2)
