"""Amounts: decimal strings on the wire, integers inside, never a float.

One strict grammar for every number that a bidder may send: `0|[1-9][0-9]{0,14}`, then at most
`scale` decimals; no sign, no exponent, no separator, no leading zero, ASCII digits only
(spec/auction.md §1). Money has scale 2 (分); a plot ratio 容积率 has the scale its rules say.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from trading.ground.problems import Invalid

FEN: Final = 2  # decimals of 元
MAX_SCALE: Final = 6
MAX_INTEGER_DIGITS: Final = 15

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "拾", "佰", "仟")


def parse_amount(text: object, scale: int) -> int:
    """Read a decimal string as an integer of its smallest unit.

    Args:
        text: as `48650000.00`; trailing decimals may be left out.
        scale: how many decimals the unit has, 0 to 6.

    Returns:
        The amount × 10^scale, ≥ 0.

    Raises:
        Invalid: anything outside the grammar, also a value that is no string.
    """
    match = _grammar(scale).fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Invalid(
            "amount-malformed",
            "金额或数值格式不正确",
            f"Write at most 15 digits and {scale} decimals, no sign, separator or exponent.",
        )
    return int(match.group(1) + (match.group(2) or "").ljust(scale, "0"))


def format_amount(value: int, scale: int) -> str:
    """Write an integer of the smallest unit as a decimal string with all its decimals.

    Raises:
        ValueError: a negative value; no amount of ours is one.
    """
    if value < 0:
        msg = "amounts are not negative"
        raise ValueError(msg)
    whole, part = divmod(value, 10**scale)
    return f"{whole}.{part:0{scale}d}" if scale else str(whole)


def grouped(text: str) -> str:
    """Set thousands separators for people: `48650000.00` → `48,650,000.00`."""
    whole, dot, part = text.partition(".")
    return f"{int(whole):,}{dot}{part}"


def capital(fen: int) -> str:
    """Write an amount in capital numerals 大写: `4865000000` → `肆仟捌佰陆拾伍万元整`.

    Args:
        fen: integer 分, 0 ≤ fen < 10^17.

    Source: 支付结算办法 附一 三、四 (整 only after 元; one 零 for a run of zeros and between
    元 and 分 where 角 is 0).
    """
    if not 0 <= fen < 10**17:
        msg = "no amount of ours"
        raise ValueError(msg)
    yuan, cents = divmod(fen, 100)
    jiao, rest = divmod(cents, 10)
    if not cents:
        return f"{_spelled(yuan) or '零'}元整"
    text = f"{_spelled(yuan)}元" if yuan else ""
    if yuan and (not jiao or not yuan % 10):
        text += "零"
    text += f"{_DIGITS[jiao]}角" if jiao else ""
    return text + (f"{_DIGITS[rest]}分" if rest else "")


@lru_cache(maxsize=MAX_SCALE + 1)
def _grammar(scale: int) -> re.Pattern[str]:
    if not 0 <= scale <= MAX_SCALE:
        msg = f"no such scale: {scale}"
        raise ValueError(msg)
    decimals = rf"(?:\.([0-9]{{1,{scale}}}))?" if scale else "()"
    return re.compile(rf"(0|[1-9][0-9]{{0,{MAX_INTEGER_DIGITS - 1}}}){decimals}", re.ASCII)


def _spelled(number: int) -> str:
    for base, unit in ((10**8, "亿"), (10**4, "万")):
        if number >= base:
            high, low = divmod(number, base)
            gap = "零" if 0 < low < base // 10 else ""
            return _spelled(high) + unit + gap + _spelled(low)
    text = ""
    for power in (3, 2, 1, 0):
        digit = number // 10**power % 10
        if digit:
            text += _DIGITS[digit] + _UNITS[power]
        elif text and not text.endswith("零"):
            text += "零"
    return text.rstrip("零")
