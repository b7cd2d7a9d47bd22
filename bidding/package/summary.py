"""The bid summary 开标一览表: exactly the section's fields, each in its grammar."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from bidding.model import PackageError, SummaryField
from trading.ground.money import FEN, parse_amount
from trading.ground.problems import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_TEXT: Final = 500
_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)

# What the trade's usual fields are; a tender may name others, which are texts.
STANDARD: Final = {
    "total_price": SummaryField(name="total_price", title="投标总价", kind="amount", unit="元"),
    "duration_days": SummaryField(
        name="duration_days", title="工期", kind="integer", unit="日历天"
    ),
    "quality": SummaryField(name="quality", title="质量", kind="text", unit=""),
    "project_manager": SummaryField(
        name="project_manager", title="项目负责人", kind="text", unit=""
    ),
    "authorised_representative": SummaryField(
        name="authorised_representative", title="委托代理人", kind="text", unit=""
    ),
}


def field_named(name: str) -> SummaryField:
    """Return the field of that name; one that the trade does not know is a text."""
    return STANDARD.get(name) or SummaryField(name=name, title=name, kind="text", unit="")


def check_summary(summary: Mapping[str, str], fields: Sequence[SummaryField]) -> dict[str, str]:
    """Return a bid summary in the section's order if it fits the section's definition.

    Args:
        summary: field name → value as text.
        fields: of the tender file.

    Raises:
        PackageError: `summary-fields` for a missing or unknown field, `summary-value` for a value
            outside its grammar (the value is not repeated).
    """
    names = [field.name for field in fields]
    if sorted(summary) != sorted(names):
        raise PackageError(
            "summary-fields",
            "开标一览表栏目不符",
            f"The summary holds exactly these fields: {', '.join(names)}.",
        )
    for field in fields:
        if not _fits(summary[field.name], field.kind):
            raise PackageError(
                "summary-value",
                "开标一览表数值不符",
                f"{field.name} ({field.title}) is not a valid {field.kind}.",
            )
    return {name: summary[name] for name in names}


def _fits(value: str, kind: str) -> bool:
    if kind == "amount":
        try:
            return parse_amount(value, FEN) > 0
        except Invalid:
            return False
    if kind == "integer":
        return _INTEGER.fullmatch(value) is not None
    return (
        1 <= len(value) <= MAX_TEXT
        and bool(value.strip())
        and not any(unicodedata.category(character) in {"Cc", "Cs"} for character in value)
    )
