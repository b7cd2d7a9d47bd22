"""What tests of the time between notice and opening say: addenda, postponements, and letting time pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crypto import statement
from tests.trading.world import CENTRE
from trading.model import Role

if TYPE_CHECKING:
    import httpx

    from tests.bidding.centre import Centre


def order(
    centre: Centre, deadline: int, by: Role = Role.SUPERVISOR, **changes: Any
) -> dict[str, Any]:
    """A postponement of the section to a new T, signed by the supervisor unless said otherwise."""
    said = {
        "tender": centre.service.section(centre.section).tender, "section": centre.section,
        "previous": centre.service.section(centre.section).deadline, "deadline": deadline,
        "reason": "补遗", "at": centre.clock.now(),
    }  # fmt: skip
    return statement.sign(centre.one(by).key, "postponement", CENTRE, {**said, **changes})


def addendum(centre: Centre, **changes: Any) -> dict[str, Any]:
    """The body of `section.amend`: an addendum that can affect bids and leaves T."""
    return {
        "section": centre.section, "title": "第一号补遗", "text": "工期由 365 日历天改为 300 日历天。",
        "affects_bids": True, "documents": [], "deadline": None, "postponement": None, **changes,
    }  # fmt: skip


def amend(
    centre: Centre,
    first: Role = Role.TENDERER,
    second: Role = Role.REVIEWER,
    **changes: Any,
) -> httpx.Response:
    """Propose and confirm an addendum; the answer of the first step that was refused, or of the second."""
    proposed = centre.propose(centre.one(first), "section.amend", addendum(centre, **changes))
    if proposed.status_code != 201:
        return proposed
    return centre.confirm(centre.one(second), proposed.json())


def moved(centre: Centre, ms: int, **changes: Any) -> httpx.Response:
    """An addendum that moves T later by so many milliseconds."""
    deadline = centre.service.section(centre.section).deadline + ms
    return amend(centre, deadline=deadline, postponement=order(centre, deadline), **changes)
