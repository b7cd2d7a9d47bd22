"""The two cases as finished facts: a water-works opening and a plot-ratio session, rare names on purpose."""

from __future__ import annotations

import hashlib

from documents.model import (
    Confirmation,
    ConfirmationFacts,
    CustodyAnswer,
    Decided,
    Delivery,
    Enclosure,
    Exclusion,
    Heading,
    IdentityNote,
    Muting,
    NoticeCustodian,
    NoticeFacts,
    Objection,
    Offer,
    Official,
    OpeningFacts,
    OpeningRow,
    Outage,
    Parcel,
    Party,
    Pause,
    Phase,
    Rank,
    Reconvening,
    RuleLine,
    SignIn,
    TranscriptFacts,
    Winner,
)
from documents.model.auction import Lag

T = 1_795_482_000_000  # 2026-11-24 09:00:00.000 北京时间
CENTRE = "cn-442000-ggzy"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def heading(number: str) -> Heading:
    return Heading(
        centre=CENTRE,
        centre_name="岐江市公共资源交易中心",
        ruleset="演示",
        number=number,
        issued_at=T + 900_000,
        ledger_origin=f"{CENTRE}/ledger/k3f7q2",
        ledger_size=1482,
        ledger_root=digest("root"),
    )


def bidder(name: str, code: str) -> tuple[Party, ...]:
    return (Party(name=name, credit_code=code),)


CUSTODIANS = ("公共资源交易中心", "水务行政监督处", "公证处", "电子认证机构", "招标人")
ROWS = (
    ("广东恒𣲗水利建设集团有限公司", "46382715.40", 340, "骉志恒", "㛃晓岚", "confirmed", "paid"),
    ("㛃䶮生态环境工程有限公司", "47105600.00", 330, "昇堃", "欧阳喆", "confirmed", "e_guarantee"),
    ("中𬭚市政工程股份有限公司", "45998800.88", 350, "犇宏达", "珺玥", "none", "paid"),
    ("珠江口建筑安装工程公司", "48649999.99", 365, "赟立群", "陈思远", "objected", "paid"),
)


def row(
    no: int, name: str, price: str, days: int, manager: str, person: str, said: str, paid: str
) -> OpeningRow:
    code = f"91440000MA4W000{no}X{no}"
    return OpeningRow(
        no=no,
        bidder=bidder(name, code),
        credit_code=code,
        submitted_at=T - 172_800_000 + no * 3_601_137,
        file_sha256=digest(name),
        deposit=paid,
        unlock="opened",
        unlocked_at=T + 61_000 + no * 1_137,
        total_price=price,
        duration_days=days,
        quality="合格",
        project_manager=manager,
        representative=person,
        signed_in_at=T - 600_000,
        confirmation=said,
        remark="以第二次递交的文件为准" if no == 2 else "",
    )


def opening(rows: int = 4) -> OpeningFacts:
    bids = tuple(row(i + 1, *ROWS[i % len(ROWS)]) for i in range(rows))
    damaged = OpeningRow(
        no=rows + 1,
        bidder=(
            Party(name="岭南𬍛砺建设有限公司", credit_code="91440000MA4W0005X2"),
            Party(name="李𫖯仁测绘工作室", credit_code="91440000MA4W0009X6", role="member"),
        ),
        credit_code="91440000MA4W0005X2",
        submitted_at=T - 3_600_000,
        file_sha256=digest("damaged"),
        deposit="paid",
        unlock="deemed_revoked",
        unlocked_at=None,
        total_price="",
        duration_days=None,
        quality="",
        project_manager="",
        representative="",
        signed_in_at=None,
        confirmation="none",
        remark="文件制作时已损坏：内容与清单摘要不符",
    )
    return OpeningFacts(
        heading=heading("KB-2026-0117-KB"),
        tender="ten_4q2x6wz3n5c7a2d4e6f7g2h3i4",
        tender_name="石岐河东排渠整治工程（二期）施工",
        section="sec_7n5c3a2d4e6f7g2h3i4j5k6l7m",
        section_name="施工标段",
        deal_code="A02-91440000MA4W00007K-20261124-000117-3",
        tenderer="岐江水利建设管理中心",
        agent="粤衡招标代理有限公司",
        method="公开招标",
        control_price="48650000.00",
        float_point="0.75",
        opened_at=T,
        place="不见面开标大厅 sec_7n5c",
        document_version=1,
        unlock_mode="密钥托管人应答解密",
        threshold=3,
        custody=tuple(
            CustodyAnswer(
                index=index,
                organisation=name,
                status=("answered", "answered", "wrong", "answered", "silent")[index - 1],
                at=None if index == 5 else T + 42_000 + 113 * index,
                detail=("", "", "应答与验证份额不符，未采用", "", "解密时限内没有应答")[index - 1],
            )
            for index, name in enumerate(CUSTODIANS, 1)
        ),
        outcome="opened",
        rows=(*bids, damaged),
        excluded=(
            Exclusion(
                bidder=bidder("西江围堰工程有限公司", "91440000MA4W0006X3"),
                status="withdrawn",
                at=T - 1_800_000,
                cause="投标人在截止前撤回，保证金退还",
                evidence=digest("withdrawal"),
            ),
            Exclusion(
                bidder=bidder("横琴迟报建设有限公司", "91440000MA4W0007X4"),
                status="refused",
                at=T + 20,
                cause="最后一个字节到达时已过截止时间 20 毫秒",
                evidence=digest("refusal"),
            ),
        ),
        confirmations=(
            Confirmation(
                bidder=ROWS[0][0], answer="confirmed", at=T + 500_000, statement=digest("c1")
            ),
            Confirmation(
                bidder=ROWS[3][0], answer="objected", at=T + 520_000, statement=digest("c4")
            ),
        ),
        objections=(
            Objection(
                bidder=ROWS[3][0],
                raised_at=T + 520_000,
                text="请核对我方工期读数 <365> & 单位",
                answered_at=T + 580_000,
                answer="经核对，开标一览表所载工期为 365 日历天，读数无误。",
                files=(Enclosure(name="工期说明.pdf", size=48_213, sha256=digest("file")),),
                answer_files=(),
            ),
        ),
        pauses=(Pause(since=T + 600_000, until=T + 660_000, reason="网络核查"),),
        reconvenings=(Reconvening(set_at=T + 610_000, at=T + 660_000, reason="网络已恢复"),),
        sign_ins=(
            SignIn(bidder=ROWS[0][0], at=T - 600_000, status="signed_in"),
            SignIn(bidder=ROWS[1][0], at=T + 5_000, status="late"),
            SignIn(bidder=ROWS[2][0], at=None, status="absent"),
        ),
        deliveries=(
            Delivery(bidder=ROWS[0][0], act="submitted", at=T - 7_200_000, sha256=digest("v1")),
            Delivery(bidder=ROWS[0][0], act="replaced", at=T - 3_600_000, sha256=digest("v2")),
            Delivery(bidder="横琴迟报建设有限公司", act="refused", at=T + 20, sha256=""),
        ),
        decisions=(
            Decided(
                bidder="香山损坏市政工程有限公司",
                code="payload-tag",
                verdict="deemed_revoked",
                by="欧阳喆",
                role="supervisor",
                reason="托管人证明正确，文件自身损坏",
                at=T + 300_000,
                statement=digest("d"),
            ),
        ),
        identity=(
            IdentityNote(bidder=ROWS[1][0], at=T + 200_000, text="授权委托书日期有误，已补正"),
        ),
        mutings=(
            Muting(bidder=ROWS[2][0], since=T + 210_000, until=T + 400_000, reason="重复刷屏"),
        ),
        messages=7,
        regime="works",
        officials=(
            Official(role="host", name="王珺玥"),
            Official(role="opening_witness", name="欧阳喆"),
            Official(role="recorder", name="陈堃"),
        ),
        close_list_digest=digest("close"),
        closing_size=1441,
        closing_root=digest("closing"),
        cosignatures=6,
    )


def notice() -> NoticeFacts:
    return NoticeFacts(
        heading=heading("KB-2026-0117-GG"),
        tender="ten_4q2x6wz3n5c7a2d4e6f7g2h3i4",
        tender_name="石岐河东排渠整治工程（二期）施工",
        section="sec_7n5c3a2d4e6f7g2h3i4j5k6l7m",
        section_name="施工标段",
        deal_code="A02-91440000MA4W00007K-20261124-000117-3",
        sector="水利",
        tenderer="岐江水利建设管理中心",
        agent="粤衡招标代理有限公司",
        method="公开招标",
        evaluation="综合评分法",
        control_price="48650000.00",
        control_price_note="",
        bid_deposit="800000.00",
        duration_days_max=365,
        document_version=1,
        place="不见面开标大厅 sec_7n5c",
        deadline=T,
        minimum_bidders=3,
        float_points=("0.25", "0.50", "0.75", "1.00", "1.25", "1.50"),
        recipient="age1tag1q0u2qvx8c7k6r5t4e3w2q1azsxdcfvgbhnjmklp0o9i8u7y6t5r4e3w2q1a0s9d8",
        custodians=tuple(
            NoticeCustodian(index=index, organisation=name, fingerprint=digest(name))
            for index, name in enumerate(CUSTODIANS, 1)
        ),
        threshold=3,
        unlock_window_s=1800,
        remedy="时限内应答不足三家的，由交易中心与监督部门共同作出决定并载入存证日志，投标人签署承诺后交出本文件密钥；不签署承诺的不影响其投标效力，签署而不交出的视为撤销。",
        proof_of_possession="required",
        summary_fields=(
            "total_price",
            "duration_days",
            "quality",
            "project_manager",
            "authorised_representative",
        ),
        certificate_digest=digest("certificate"),
        published_at=T - 1_814_400_000,
        late_uploads="截止时间前未完整到达的投标文件拒收，出具载明到达时刻的签名拒收凭证；此前已递交的版本仍然有效。",
        rules=(
            "投标文件为标准 age 文件，只能加密给本公告所列收件人；制作前须以事先取得的托管人公钥核验密钥仪式证书，不符即不得制作。",
            "开标由密钥托管人应答完成，投标人无须在线，也无须携带任何介质。",
            "解密失败由投标人原因造成的视为撤销投标文件；因其他原因造成的视为撤回，其他投标文件的开标继续进行。",
        ),
    )


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
