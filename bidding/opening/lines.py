"""What one line of the hall's table shows, and the lines that a change has touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bidding.opening.silence import answer
from bidding.opening.state import Phase
from bidding.opening.words import cause
from trading.ground.money import grouped, parse_amount

if TYPE_CHECKING:
    from bidding.opening.state import Bid, File, State

_CONFIRM: Final = {
    "none": "not_confirmed",
    "confirmed": "no_objection",
    "objected": "objection",
    "deemed_accepted_absent": "deemed_accepted",
}
_ASKED: Final = frozenset({Phase.CONFIRMING, Phase.SEALED})
NOTHING: Final[dict[str, Any]] = {
    "price": "",
    "of_limit": "",
    "duration_days": None,
    "quality": "",
    "project_manager": "",
    "confirmation": "",
    "reason_zh": "",
    "reason_en": "",
    "decided": None,
    "objection": None,
}


def said(kind: str, bid: Bid) -> str:
    """What was read out of a bid, or what was objected and replied: as the record will print it."""
    if kind == "read":
        price = bid.summary.get("total_price", "")
        return f"{grouped(price)} 元" if price else ""
    return {"objected": bid.text, "objection_answered": bid.reply}.get(kind, "")


def _of_limit(price: str, limit: str) -> str:
    """Say what part of the control price 最高投标限价 a price is, per cent, rounded down: 100.00 means no less."""
    if not price or not limit:
        return ""
    whole = parse_amount(limit, 2)
    part = parse_amount(price, 2) * 10_000 // whole
    return f"{part // 100}.{part % 100:02}"


def content(opening: State, bid: Bid) -> dict[str, Any]:
    """Return what the table shows of a bid: nothing of it before it is read out."""
    if bid.read_at is None:
        return {**NOTHING, "status": "sealed"}
    days, limit, opened = bid.summary.get("duration_days", ""), opening.price, bid.opened
    return {
        "status": "opened" if opened else bid.result,
        "price": bid.summary.get("total_price", ""),
        "of_limit": _of_limit(bid.summary.get("total_price", ""), limit),
        "duration_days": int(days) if days else None,
        "quality": bid.summary.get("quality", ""),
        "project_manager": bid.summary.get("project_manager", ""),
        "confirmation": _CONFIRM[answer(opening, bid)] if opening.phase in _ASKED else "",
        "reason_zh": "" if opened else cause(bid),
        "reason_en": "" if opened else f"Did not open: {bid.code}",
        "decided": None if opened else bool(bid.decided_by),
        "objection": _objection(bid) if bid.answer == "objected" else None,
    }


def _objection(bid: Bid) -> dict[str, Any]:
    return {
        "text": bid.text,
        "files": [_file(one) for one in bid.files],
        "reply": bid.reply,
        "reply_files": [_file(one) for one in bid.reply_files],
    }


def _file(one: File) -> dict[str, Any]:
    return {"name": one.name, "size": one.size, "sha256": one.sha256}


def touched(changed: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Return a change with `rows_changed`, the lines that differ, in place of all `rows` where no line came or went.

    Three hundred lines are 130 KB; whoever watches a reading-out need not be sent them with each.
    """
    rows, old = changed.get("rows"), before.get("rows")
    if not rows or not old or [r["submission"] for r in rows] != [r["submission"] for r in old]:
        return changed
    differing = [new for new, known in zip(rows, old, strict=True) if new != known]
    rest = {name: value for name, value in changed.items() if name != "rows"}
    return {**rest, "rows_changed": differing}
