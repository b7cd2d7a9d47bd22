"""Words, dates and figures as they stand on the records: Chinese first, English small beside it."""

from __future__ import annotations

from documents.model import DocumentError
from trading.ground.clock import beijing
from trading.ground.money import capital, grouped, parse_amount

NONE = "—"

OPENING_OUTCOME = {
    "opened": "开标完成",
    "failed_too_few": "投标人少于法定数，未予解密，开标失败",
    "failed_quorum": "托管失效且投标人未全部承诺交出文件密钥，未予解密，开标失败",
}
DEPOSIT = {"paid": "已缴纳", "e_guarantee": "电子保函", "unpaid": "未缴纳"}
UNLOCK = {
    "opened": "已解密",
    "remedied": "补救后解密",
    "deemed_revoked": "视为撤销",
    "deemed_withdrawn": "视为撤回",
    "undetermined": "待监督裁定",
}
CONFIRMATION = {
    "confirmed": "无异议",
    "objected": "有异议",
    "none": "未确认",
    "deemed_accepted_absent": "未参加，视同认可",
}
DELIVERY = {"submitted": "递交", "replaced": "替换", "withdrawn": "撤回", "refused": "拒收"}
SIGN_IN = {"signed_in": "已签到", "late": "迟到", "absent": "未签到"}
ROLE = {"supervisor": "监督人", "tenderer": "招标人"}
REGIME = {"works": "招标投标法", "procurement": "政府采购法"}
CUSTODY = {"answered": "已应答，证明有效", "wrong": "应答错误，证明不成立", "silent": "未应答"}
EXCLUDED = {"refused": "拒收", "withdrawn": "撤回", "superseded": "被替换", "failed": "解密失败"}
OFFICIAL = {"host": "主持人", "opening_witness": "监标人", "recorder": "记录人"}
POSSESSION = {
    "required": "必须提交（防止他人搬用密文）",
    "waived": "免交：可用通用加密工具制作，代价见规则",
}
PHASE = {
    "LISTING": "自由报价",
    "FROZEN": "冻结期",
    "ANNOUNCED": "公告期",
    "CONFIRMING": "询问期",
    "TIMED": "限时竞价",
    "WAITING": "等待期",
    "ASKING": "征询期",
    "QUOTING": "一次报价",
    "REVEALING": "揭示期",
    "SECOND_ITEM": "第二竞价",
    "MATCHING": "优先购买权",
    "SUSPENDED": "中止",
    "CLOSED": "结束",
    "SOLD": "成交",
    "UNSOLD": "流拍",
    "TERMINATED": "终止",
}
SESSION_OUTCOME = {"SOLD": "成交", "UNSOLD": "流拍", "TERMINATED": "终止"}
CAUSE = {"outage": "服务中断，按规则顺延"}
RANK = {"won": "竞得", "lost": "未竞得"}
MODE = {"quota": "限额地块加价竞价", "listing": "挂牌竞价"}
RESULT = {
    "ACCEPTED": "有效",
    "NOT_OPEN": "未开始",
    "CLOSED": "已截止",
    "FROZEN": "冻结期内",
    "BELOW_MIN_NEXT": "未达有效报价",
    "NOT_MULTIPLE": "不是规定幅度的整数倍",
    "ABOVE_CAP": "超出限价",
    "NO_DEPOSIT": "保证金未到账",
    "NOT_CONFIRMED": "未确认参加",
    "SELF_RAISE": "自己已领先",
    "SUSPENDED": "中止期间",
    "BAD_SIGNATURE": "签名不成立",
    "REPLAY": "编号重复而内容不同",
    "BAD_AMOUNT": "金额格式不符",
    "ALREADY_CONFIRMED": "已确认过",
    "ALREADY_JOINED": "已参加过",
    "ALREADY_QUOTED": "已报过价",
    "NOT_JOINED": "未参加征询",
    "NOT_ENTITLED": "无优先购买权",
}
SUMMARY = {
    "total_price": "投标总价",
    "duration_days": "工期",
    "quality": "质量",
    "project_manager": "项目负责人",
    "authorised_representative": "委托代理人",
}


def word(table: dict[str, str], code: str) -> str:
    """Return the Chinese word for a code; a code without a word is printed as it is, never hidden."""
    return table.get(code, code)


def moment(ms: int | None) -> str:
    """Return 北京时间 to the millisecond, or a dash for an instant that did not come."""
    return NONE if ms is None else beijing(ms)


def clock_time(ms: int | None) -> str:
    """Return the time of day only (北京时间, to the millisecond), where the date stands in the head."""
    return NONE if ms is None else beijing(ms).split(" ")[1]


def day(ms: int) -> str:
    """Return 2026 年 11 月 24 日."""
    year, month, date = beijing(ms).split(" ")[0].split("-")
    return f"{year} 年 {int(month)} 月 {int(date)} 日"


def money(amount: str) -> str:
    """Return an amount in 元 with thousands separators, or a dash for none."""
    return grouped(amount) if amount else NONE


def money_in_full(amount: str) -> str:
    """Return 48,650,000.00（肆仟捌佰陆拾伍万元整), the way a price is written where it binds.

    Raises:
        DocumentError: when `amount` is not a decimal string with at most two places.
    """
    try:
        fen = parse_amount(amount, 2)
    except Exception as error:
        raise DocumentError(f"not an amount of money: {amount!r}") from error
    return f"{grouped(amount)}（{capital(fen)}）"


def hash_groups(digest: str, size: int = 8) -> str:
    """Return a hex digest in groups that an eye can compare."""
    return " ".join(digest[i : i + size] for i in range(0, len(digest), size)) or NONE


def span(seconds: int) -> str:
    """Return a length of time in 分 and 秒."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} 分" * bool(minutes) + f"{rest} 秒" * bool(rest or not minutes)
