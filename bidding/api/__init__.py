"""Bids, ceremonies, custody and openings over HTTP and WebSocket, under `/api/v1`.

`routes` uploads, bids, ceremonies, custody · `openings` the hall · `orders` what takes two signatures, and
what follows a quorum failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter

from bidding.api import clarifications, openings, orders, routes, slips
from bidding.service.trees import Departures

if TYPE_CHECKING:
    from bidding.service import BiddingService

__all__ = ["ACCESS", "Departures", "router"]

ACCESS: Final = (
    *routes.ACCESS,
    *openings.ACCESS,
    *slips.ACCESS,
    *clarifications.ACCESS,
    *orders.ACCESS,
)


def router(service: BiddingService) -> APIRouter:
    """Return the routes of this room."""
    made = APIRouter()
    made.include_router(slips.router(service))
    daily = routes.router(service)
    receipts = openings.add(daily, service)
    clarifications.add(daily, service)
    orders.add(daily, service, receipts)
    made.include_router(daily)
    return made
