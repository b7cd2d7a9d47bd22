"""Numbered checks and the verdict they add up to, exactly as `contract/cli.md` has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Status = Literal["ok", "failed", "not_checked"]
Verdict = Literal["valid", "invalid", "incomplete"]

VALID: Verdict = "valid"
INVALID: Verdict = "invalid"
INCOMPLETE: Verdict = "incomplete"


class NotChecked(Exception):  # noqa: N818 # no error: the check could not be done with what was given
    """Raised by a check that lacks something; the text says what, and where to get it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `title` is Chinese · English; a not essential one may stay undone without harm."""

    id: str
    title: str
    essential: bool
    status: Status
    detail: str

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the contract."""
        return {
            "id": self.id,
            "title": self.title,
            "essential": self.essential,
            "status": self.status,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked of one input."""

    path: str
    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        """Invalid if a check failed; incomplete if an essential one was not done; else valid."""
        if any(check.status == "failed" for check in self.checks) or not self.checks:
            return INVALID
        if any(check.essential and check.status == "not_checked" for check in self.checks):
            return INCOMPLETE
        return VALID

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the contract."""
        return {
            "path": self.path,
            "verdict": self.verdict,
            "checks": [check.to_json() for check in self.checks],
        }

    def also(self, more: Iterable[Check]) -> Report:
        """Return this report with further checks, which count for the verdict like the others."""
        return Report(self.path, (*self.checks, *more))


def run(id_: str, title: str, work: Callable[[], str], *, essential: bool = True) -> Check:
    """Do one check and record how it went.

    Args:
        id_: stable name of the check.
        title: Chinese · English.
        work: returns the detail, raises NotChecked for lack of means, anything else for failure.
        essential: whether the verdict needs it.
    """
    try:
        return Check(id_, title, essential, "ok", work())
    except NotChecked as reason:
        return Check(id_, title, essential, "not_checked", str(reason))
    except Exception as error:  # noqa: BLE001 # foreign bytes make readers raise anything; all of it means: not valid
        kind = (
            ""
            if type(error).__module__.startswith(("documents", "crypto"))
            else f"{type(error).__name__}: "
        )
        return Check(id_, title, essential, "failed", f"{kind}{error}")
