"""One line of a checklist, in the form that `verify` prints (contract/cli.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["ok", "failed", "not_checked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A named check and what came of it.

    Attributes:
        id: stable, lower case with hyphens; the reason of a refusal.
        title: what is checked, as a statement that ought to hold.
        status: ok, failed, or not_checked (something it needs is absent or failed before).
        detail: what was found, with figures.
        essential: False where the verdict does not depend on it.
    """

    id: str
    title: str
    status: Status
    detail: str = ""
    essential: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the object of the `checks` list of `verify --json`."""
        return {
            "id": self.id,
            "title": self.title,
            "essential": self.essential,
            "status": self.status,
            "detail": self.detail,
        }


def passed(id_: str, title: str, detail: str = "", *, essential: bool = True) -> Check:
    """A check that holds."""
    return Check(id=id_, title=title, status="ok", detail=detail, essential=essential)


def failed(id_: str, title: str, detail: str, *, essential: bool = True) -> Check:
    """A check that does not hold; `detail` says why."""
    return Check(id=id_, title=title, status="failed", detail=detail, essential=essential)


def unchecked(id_: str, title: str, detail: str, *, essential: bool = True) -> Check:
    """A check that could not be made; `detail` says what it lacked."""
    return Check(id=id_, title=title, status="not_checked", detail=detail, essential=essential)
