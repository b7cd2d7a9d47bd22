"""竞价过程记录: every offer of a session, accepted or refused, with the rules it was judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportlab.platypus import Flowable, Spacer

from documents import words
from documents.layout import Cell, Column, Heading, grid, grid_with_end, pairs, titles
from documents.page import Drawn, compose
from documents.slots import slots_of
from documents.typeface import SANS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.model import Offer, TranscriptFacts


def draw(facts: TranscriptFacts, signers: Sequence[str] = ("centre",)) -> Drawn:
    """Draw a transcript, A4 landscape.

    Args:
        facts: the session.
        signers: names of slots (`page.SLOTS`); the centre's is always last.

    Raises:
        DocumentError: when a character has no glyph.
    """
    quota = facts.mode == "quota"
    columns = [
        Column("行", "Line", 13, "center"),
        Column("有效序号", "Seq", 18, "center"),
        Column("到达时刻（北京时间）", "Arrival", 43, "center"),
        Column("号牌", "Paddle", 18, "center"),
        Column("竞买人", "Bidder", 62),
        Column("宗地", "Parcel", 18, "center"),
        Column("加价（元/㎡）" if quota else "报价（元）", "Amount", 30, "right"),
        Column("判定", "Decision", 32, "center"),
        Column("截止时刻变为", "End becomes", 33, "center"),
    ]
    beginning, end = grid_with_end(columns, [_offer(offer) for offer in facts.offers])
    story: list[Flowable] = [
        *titles("竞价过程记录", "Auction transcript", f"{facts.session_name}（{facts.session}）"),
        *_result(facts, quota=quota),
        Spacer(1, 6),
        Heading("竞价规则", "Rules of the session"),
        pairs([(rule.name, "", rule.value) for rule in facts.rules], (34, 99.5, 34, 99.5)),
        Spacer(1, 6),
        *_parcels(facts),
        Heading("阶段", "Phases"),
        grid(
            [
                Column("阶段", "Phase", 67, "center"),
                Column("自（含）", "From", 100, "center"),
                Column("至（不含）", "Until", 100, "center"),
            ],
            [
                [
                    words.word(words.PHASE, phase.phase),
                    words.moment(phase.since),
                    words.moment(phase.until),
                ]
                for phase in facts.phases
            ],
        ),
        *_outages(facts),
        *_lags(facts),
        Spacer(1, 6),
        Heading(
            "全部报价（含被拒绝的）", "Every offer, refused ones included, in the order of decision"
        ),
        beginning,
    ]
    return compose(facts, "竞价过程记录", story, slots_of(signers), wide=True, tail=end)


def _result(facts: TranscriptFacts, *, quota: bool) -> list[Flowable]:
    people = "  ".join(
        f"{words.word(words.OFFICIAL, person.role)}：{person.name}" for person in facts.officials
    )
    won = {winner.paddle: winner for winner in facts.winners}
    sold = Cell(words.word(words.SESSION_OUTCOME, facts.outcome), tone="ink" if won else "seal")
    return [
        pairs(
            [
                ("方式", "Mode", words.word(words.MODE, facts.mode)),
                ("结果", "Outcome", sold),
                (
                    "成交时刻" if facts.outcome == "SOLD" else "结束时刻",
                    "Closed",
                    f"{words.moment(facts.closed_at)}（北京时间）",
                ),
                ("可成交宗数", "Slots", f"{facts.slots} 宗，成交 {len(facts.winners)} 宗"),
                *(
                    ("限价后竞得", "Second item", f"{winner.paddle} 号牌 {winner.second}")
                    for winner in facts.winners
                    if winner.second
                ),
                (
                    "应缴合计（元）",
                    "Total payable",
                    words.money_in_full(facts.total_payable) if won else words.NONE,
                ),
                ("人员", "Officials", people or words.NONE),
                (
                    "事件链",
                    "Event chain",
                    Cell(
                        f"{words.hash_groups(facts.chain_head)}（第 {facts.last_seq} 条）",
                        font=SANS,
                        size=7.2,
                    ),
                ),
            ],
            (26, 122, 24, 95),
        ),
        Spacer(1, 6),
        Heading("名次与成交", "Ranking and deals"),
        grid(
            [
                Column("名次", "Place", 13, "center"),
                Column("宗地", "Parcel", 18, "center"),
                Column("竞买人", "Bidder", 62),
                Column("号牌", "Paddle", 18, "center"),
                Column("加价（元/㎡）" if quota else "报价（元）", "Amount", 28, "right"),
                Column("报价时刻", "At", 40, "center"),
                Column("结果", "Result", 20, "center"),
                Column("新增面积（㎡）", "Added floor area", 28, "right"),
                Column("应缴金额（元）", "Payable", 40, "right"),
            ],
            [
                [
                    str(rank.place),
                    rank.parcel,
                    rank.holder,
                    rank.paddle,
                    words.money(rank.amount),
                    words.moment(rank.at),
                    Cell(
                        words.word(words.RANK, rank.status),
                        align="center",
                        tone="ink" if rank.status == "won" else "faint",
                    ),
                    words.money(won[rank.paddle].added_gfa)
                    if rank.status == "won" and quota
                    else words.NONE,
                    words.money(won[rank.paddle].payable) if rank.status == "won" else words.NONE,
                ]
                for rank in facts.ranking
            ],
        ),
    ]


def _parcels(facts: TranscriptFacts) -> list[Flowable]:
    if not facts.parcels:
        return []
    return [
        Heading("宗地", "Parcels and their holders"),
        grid(
            [
                Column("宗地", "Parcel", 16, "center"),
                Column("权利人", "Holder", 57),
                Column("用地面积（㎡）", "Site area", 30, "right"),
                Column("现容积率", "Base FAR", 20, "right"),
                Column("增加容积率", "Added FAR", 22, "right"),
                Column("新增面积（㎡）", "Added floor area", 30, "right"),
                Column("起始楼面地价\n（元/㎡）", "Start floor price", 26, "right"),
                Column("起始总价（元）", "Start total", 35, "right"),
                Column("保证金（元）", "Deposit", 31, "right"),
            ],
            [
                [
                    parcel.parcel,
                    Cell(parcel.holder, small=parcel.credit_code),
                    words.money(parcel.site_area),
                    parcel.base_far,
                    parcel.added_far,
                    words.money(parcel.added_gfa),
                    words.money(parcel.start_floor_price),
                    Cell(words.money(parcel.start_total), align="right"),
                    Cell(words.money(parcel.deposit), align="right"),
                ]
                for parcel in facts.parcels
            ],
        ),
        Spacer(1, 6),
    ]


def _outages(facts: TranscriptFacts) -> list[Flowable]:
    if not facts.outages:
        return []
    return [
        Spacer(1, 6),
        Heading("中断（按规则自动记载，不决定任何报价）", "Outages, journalled by rule"),
        grid(
            [
                Column("中止时刻", "Suspended", 60, "center"),
                Column("恢复时刻", "Resumed", 60, "center"),
                Column("原因", "Cause", 147),
            ],
            [
                [
                    words.moment(o.suspended_at),
                    words.moment(o.resumed_at),
                    words.word(words.CAUSE, o.cause),
                ]
                for o in facts.outages
            ],
        ),
    ]


def _lags(facts: TranscriptFacts) -> list[Flowable]:
    if not facts.lags:
        return []
    return [
        Spacer(1, 6),
        Heading(
            "服务器延迟（只作记载：按应到时刻判定，不延长竞价）",
            "Server lag, recorded: judged as of the due instant, nothing is extended",
        ),
        grid(
            [
                Column("应到时刻", "Due", 60, "center"),
                Column("延迟（毫秒）", "Late by, ms", 60, "right"),
                Column("事项", "What was due", 147),
            ],
            [
                [
                    words.moment(lag.due),
                    str(lag.late_ms),
                    "报价判定 A decision"
                    if lag.what == "OFFER"
                    else f"进入阶段 Phase：{words.word(words.PHASE, lag.what)}",
                ]
                for lag in facts.lags
            ],
        ),
    ]


def _offer(offer: Offer) -> list[Cell | str]:
    taken = offer.result == "ACCEPTED"
    code = words.word(words.RESULT, offer.result)
    return [
        str(offer.no),
        words.NONE if offer.seq is None else str(offer.seq),
        words.moment(offer.arrival),
        offer.paddle,
        offer.holder or words.NONE,
        offer.parcel,
        words.money(offer.amount),
        Cell(
            code,
            small="" if taken else offer.result,
            align="center",
            tone="ink" if taken else "seal",
        ),
        words.clock_time(offer.ends_at),
    ]
