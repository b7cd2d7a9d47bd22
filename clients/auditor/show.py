"""A report for people: Chinese first, English second, one line a check, the place of a failure beside it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from clients.auditor.sentences import told

if TYPE_CHECKING:
    from documents.checks import Check, Report

VERDICTS: Final = {
    "valid": "有效 VALID",
    "invalid": "无效 INVALID",
    "incomplete": "未能核验完全 INCOMPLETE",
}
_COLOURS: Final = {"ok": "32", "failed": "31", "not_checked": "33"}
_MARKS: Final = {"ok": "✓", "failed": "✕", "not_checked": "–"}


def text(report: Report) -> str:
    """Write a report: numbered checks, then the verdict and what made it so."""
    lines = [report.path]
    lines += [_line(number, check) for number, check in enumerate(report.checks, 1)]
    lines.append(f"  → {VERDICTS[report.verdict]}{_because(report)}")
    return "\n".join(lines)


def _line(number: int, check: Check) -> str:
    mark = _MARKS[check.status]
    if sys.stdout.isatty():
        mark = f"\033[{_COLOURS[check.status]}m{mark}\033[0m"
    aside = "" if check.essential or check.status == "ok" else " (不影响结论 not essential)"
    said = told(check)
    detail = f"\n         {said}" if said else ""
    return f"  {number:>3} {mark} {check.title} [{check.id}]{aside}{detail}"


def _because(report: Report) -> str:
    failed = [check for check in report.checks if check.status == "failed"]
    if failed:
        return f": {failed[0].id}: {told(failed[0])}"
    undone = [one for one in report.checks if one.essential and one.status == "not_checked"]
    return (
        f": {undone[0].id}: {told(undone[0])}" if undone else f" ({len(report.checks)} 项 checks)"
    )
