"""Identifiers: random, never sequential, with a prefix that tells the kind.

A counter in an identifier would tell how many bids there are before the opening
(招标投标法 art. 22), so 130 random bits are all that an identifier holds.
"""

from __future__ import annotations

import re
from base64 import b32encode
from typing import Final

from crypto.random import token
from trading.ground.problems import Invalid

RANDOM_BYTES: Final = 17  # 136 bits; the first 26 base32 characters carry 130 of them
LENGTH: Final = 26

_PREFIX = re.compile(r"[a-z]{2,8}", re.ASCII)
_ID = re.compile(r"([a-z]{2,8})_([a-z2-7]{26})", re.ASCII)


def new_id(prefix: str) -> str:
    """Make a fresh identifier.

    Args:
        prefix: two to eight lower-case letters for the kind, as `sec` for a section 标段.

    Returns:
        `prefix_` and 26 characters of lower-case base32.

    Raises:
        ValueError: the prefix is none; that is a mistake in our own code.
    """
    if not _PREFIX.fullmatch(prefix):
        msg = f"not an identifier prefix: {prefix!r}"
        raise ValueError(msg)
    return f"{prefix}_{b32encode(token(RANDOM_BYTES)).decode('ascii').lower()[:LENGTH]}"


def is_id(text: str, prefix: str) -> bool:
    """Say whether a text from outside has the form of an identifier of this kind."""
    match = _ID.fullmatch(text)
    return match is not None and match.group(1) == prefix


def check_id(text: str, prefix: str) -> str:
    """Return the text if it is an identifier of this kind.

    Raises:
        Invalid: it is not; `detail` never repeats the foreign text.
    """
    if not is_id(text, prefix):
        raise Invalid(
            "identifier-malformed",
            "编号格式不正确",
            f"An identifier of this kind reads {prefix}_ and 26 characters a-z, 2-7.",
        )
    return text
