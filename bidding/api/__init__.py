"""Bids, ceremonies, custody and openings over HTTP and WebSocket, under `/api/v1`.

`routes` uploads, bids, ceremonies, custody · `openings` the hall · `orders` what takes two signatures, and
what follows a quorum failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bidding.api import clarifications, openings, orders, routes
from bidding.service.trees import Departures

if TYPE_CHECKING:
    from fastapi import APIRouter

    from bidding.service import BiddingService

__all__ = ["ACCESS", "Departures", "router"]

ACCESS: Final = (*routes.ACCESS, *openings.ACCESS, *clarifications.ACCESS, *orders.ACCESS)


def router(service: BiddingService) -> APIRouter:
    """Return the routes of this room."""
    made = routes.router(service)
    openings.add(made, service)
    clarifications.add(made, service)
    orders.add(made, service)
    return made
