"""The trading floor over HTTP: `router(service)` and its rows of the access table.

`shapes` what goes over the wire · `views` state to answers · `public`, `announcements`, `people`, `business` routes.
`main` puts `guard` and `http.Edge` around the whole application.
"""

from typing import Final

from fastapi import APIRouter

from trading.access import Rule
from trading.api import announcements, business, delegations, people, public
from trading.api.shapes import PROBLEMS
from trading.service import TradingService

ACCESS: Final[tuple[Rule, ...]] = (
    *public.ACCESS,
    *announcements.ACCESS,
    *people.ACCESS,
    *delegations.ACCESS,
    *business.ACCESS,
)

__all__ = ["ACCESS", "router"]


def router(service: TradingService) -> APIRouter:
    """Build the routes of this floor, under `/api/v1`."""
    made = APIRouter(prefix="/api/v1", tags=["trading"], responses=PROBLEMS)
    public.add(made, service)
    announcements.add(made, service)
    people.add(made, service)
    delegations.add(made, service)
    business.add(made, service)
    return made
