"""The second case as finished facts: a plot-ratio session with transcript and confirmation."""

from __future__ import annotations

from documents.model import (
    ConfirmationFacts,
    Offer,
    Official,
    Outage,
    Parcel,
    Phase,
    Rank,
    RuleLine,
    TranscriptFacts,
    Winner,
)
from documents.model.auction import Lag
from tests.documents.samples import T, digest, heading, notice, opening

PARCELS = (
    (
        "L1",
        "石岐实业发展公司",
        "10000.00",
        "1.50",
        "1.00",
        "10000.00",
        "1200",
        "12000000.00",
        "1200000.00",
    ),
    (
        "L2",
        "东𬍛制衣厂有限公司",
        "8000.00",
        "1.20",
        "0.80",
        "6400.00",
        "1500",
        "9600000.00",
        "960000.00",
    ),
    ("L3", "小榄五金集团", "15000.00", "1.00", "0.50", "7500.00", "900", "6750000.00", "675000.00"),
    (
        "L4",
        "翠亨置业有限公司",
        "5000.00",
        "2.00",
        "1.20",
        "6000.00",
        "2100",
        "12600000.00",
        "1260000.00",
    ),
    (
        "L5",
        "横栏照明园区公司",
        "20000.00",
        "1.00",
        "0.50",
        "10000.00",
        "800",
        "8000000.00",
        "800000.00",
    ),
    (
        "L6",
        "火炬科创有限公司",
        "6000.00",
        "1.80",
        "1.00",
        "6000.00",
        "1750",
        "10500000.00",
        "1050000.00",
    ),
)
_BIDS = (  # parcel, amount, result, milliseconds after 09:00
    ("L1", "20", "ACCEPTED", 300_000),
    ("L2", "20", "ACCEPTED", 360_000),
    ("L3", "20", "ACCEPTED", 420_000),
    ("L4", "20", "ACCEPTED", 480_000),
    ("L5", "20", "ACCEPTED", 540_000),
    ("L6", "10", "BELOW_MIN_NEXT", 600_000),
    ("L6", "20", "ACCEPTED", 660_000),
    ("L6", "30", "BELOW_MIN_NEXT", 3_660_000),
    ("L6", "40", "ACCEPTED", 3_670_000),
    ("L5", "50", "BELOW_MIN_NEXT", 3_840_000),
    ("L5", "60", "ACCEPTED", 3_870_000),
    ("L4", "80", "ACCEPTED", 4_169_999),
    ("L3", "100", "CLOSED", 4_470_001),
)
_WON = (
    ("L4", "80", "2180", "13080000.00"),
    ("L5", "60", "860", "8600000.00"),
    ("L6", "40", "1790", "10740000.00"),
    ("L1", "20", "1220", "12200000.00"),
    ("L2", "20", "1520", "9728000.00"),
)


def transcript(repeat: int = 1) -> TranscriptFacts:
    holder = {parcel[0]: parcel[1] for parcel in PARCELS}
    gfa = {parcel[0]: parcel[5] for parcel in PARCELS}
    offers: list[Offer] = []
    seq = 0
    for parcel, amount, result, after in _BIDS * repeat:
        seq += result == "ACCEPTED"
        timed = after >= 3_600_000 and result == "ACCEPTED"
        offers.append(
            Offer(
                no=len(offers) + 1,
                seq=seq if result == "ACCEPTED" else None,
                arrival=T + after,
                paddle=f"8{parcel[1]}",
                holder=holder[parcel],
                parcel=parcel,
                amount=amount,
                result=result,
                ends_at=T + after + 300_000 if timed else None,
            )
        )
    ranked = [*((parcel, amount, "won") for parcel, amount, *_ in _WON), ("L3", "20", "lost")]
    return TranscriptFacts(
        heading=heading("KB-2026-R22-01-JL"),
        session="R22-01",
        session_name="国有协议出让建设用地调整容积率上网竞价",
        mode="quota",
        rules=(
            RuleLine(name="可成交宗数", value="5 宗（共 6 宗）"),
            RuleLine(name="增幅", value="20 元/㎡，不低于当前最高报价加增幅"),
            RuleLine(name="比较基准", value="全场最高（global_high）"),
            RuleLine(name="延时", value="限时竞价中每次有效报价后重新计时 300 秒"),
            RuleLine(name="同价", value="先到达者在前"),
            RuleLine(name="应缴", value="（起始楼面地价 + 加价）× 新增建筑面积"),
        ),
        slots=5,
        parcels=tuple(
            Parcel(
                parcel=p[0],
                holder=p[1],
                credit_code="91442000MA4W0000XX",
                site_area=p[2],
                base_far=p[3],
                added_far=p[4],
                added_gfa=p[5],
                start_floor_price=p[6],
                start_total=p[7],
                deposit=p[8],
            )
            for p in PARCELS
        ),
        phases=(
            Phase(phase="LISTING", since=T, until=T + 3_600_000),
            Phase(phase="TIMED", since=T + 3_600_000, until=T + 4_469_999),
        ),
        offers=tuple(offers),
        outages=(
            Outage(
                suspended_at=T + 3_900_000, resumed_at=T + 3_903_120, cause="服务器中断，按规则恢复"
            ),
        ),
        lags=(
            Lag(what="TIMED", due=T + 3_600_000, late_ms=61),
            Lag(what="OFFER", due=T + 3_601_000, late_ms=140),
        ),
        ranking=tuple(
            Rank(
                place=place,
                parcel=parcel,
                holder=holder[parcel],
                paddle=f"8{parcel[1]}",
                amount=amount,
                at=T + 300_000 * place,
                status=status,
            )
            for place, (parcel, amount, status) in enumerate(ranked, 1)
        ),
        winners=tuple(
            Winner(
                parcel=parcel,
                holder=holder[parcel],
                paddle=f"8{parcel[1]}",
                surcharge=amount,
                floor_price=price,
                added_gfa=gfa[parcel],
                payable=payable,
                second="",
            )
            for parcel, amount, price, payable in _WON
        ),
        total_payable="54348000.00",
        outcome="SOLD",
        closed_at=T + 4_469_999,
        officials=(Official(role="host", name="王珺玥"),),
        chain_head=digest("chain"),
        last_seq=41,
    )


def confirmation() -> ConfirmationFacts:
    return ConfirmationFacts(
        heading=heading("KB-2026-R22-01-QR-L2"),
        session="R22-01",
        session_name="国有协议出让建设用地调整容积率上网竞价",
        mode="quota",
        holder="东𬍛制衣厂有限公司",
        credit_code="91442000MA4W0002XY",
        paddle="82",
        parcel="L2",
        site_area="8000.00",
        base_far="1.20",
        added_far="0.80",
        added_gfa="6400.00",
        start_floor_price="1500",
        surcharge="20",
        floor_price="1520",
        payable="9728000.00",
        second="",
        payable_capital="玖佰柒拾贰万捌仟元整",
        deposit="960000.00",
        deal_at=T + 4_469_999,
        winning_seq=2,
        conditions=(
            "请自本确认书签发之日起 10 个工作日内，持本确认书与自然资源主管部门签订补充协议。",
            "逾期不签订的视为放弃竞得资格，竞买保证金不予退还，名额不递补。",
            "竞买保证金在签订补充协议后抵作应缴价款。",
        ),
        transcript_number="KB-2026-R22-01-JL",
        chain_head=digest("chain"),
    )


BY_KIND = {
    "notice": notice,
    "opening": opening,
    "transcript": transcript,
    "confirmation": confirmation,
}
