"""The first case as finished facts: a water-works opening and its notice, rare names on purpose."""

from __future__ import annotations

import hashlib

from documents.model import (
    Confirmation,
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
    Official,
    OpeningFacts,
    OpeningRow,
    Party,
    Pause,
    Reconvening,
    SignIn,
)

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
        delegates=(person,) if no == 3 else (),
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
        delegates=(),
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
