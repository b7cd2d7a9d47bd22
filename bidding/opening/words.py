"""What a record says in words about how bids were unlocked, and why one was not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bidding.opening.state import Phase

if TYPE_CHECKING:
    from bidding.opening.state import Bid, State

_CAUSES: Final = {
    "header": "密文头部损坏",
    "stanza": "密钥段无法解开",
    "payload": "密文内容已损坏",
    "package": "投标文件包不符",
    "summary": "开标一览表不符",
    "stored": "存储副本损坏，非投标人原因",
    "disclosure": "托管失效后承诺交出而未交出相符的文件密钥",
}
_OUTCOMES: Final = {
    Phase.FAILED_FEWER_THAN_3: "failed_too_few",
    Phase.FAILED_QUORUM: "failed_quorum",
}
EXCLUDED: Final = "存储副本缺失，未列入开标名单，非投标人原因"


def cause(bid: Bid) -> str:
    """Return in words why a bid did not open, and what was decided; who decided stands in its own table."""
    words = _CAUSES.get(bid.code.split("-")[0], "解密未成功")
    decided = f"；经认定：{bid.reason}" if bid.decided_by else ""
    return f"{words}（{bid.code}）{decided}"


def unlock_mode(state: State, n: int, t: int) -> str:
    """Return in words how the section was unlocked: as the tender states it, or after a failure."""
    words = f"{n} 家密钥托管人中任意 {t} 家共同解锁（招标文件规定方式）"
    if state.pledge is None:
        return words
    return f"{words}；中心与监督人双签宣布托管失效，由投标人承诺并交出本人文件密钥"


def outcome(state: State) -> str:
    """Return opened, failed_too_few or failed_quorum."""
    return _OUTCOMES.get(state.phase, "opened")
