"""The page of one auction hall; its state comes over the hall's own socket. The portal is told how far each is."""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from auction.model import Phase
from auction.service import AuctionService
from trading.access import PUBLIC, Rule
from trading.ground.problems import Problem
from trading.ground.web import Pages

ACCESS: Final = (Rule("GET", "/auction/{lot}", PUBLIC, "竞价大厅页面"),)

STATES: Final = {
    Phase.ANNOUNCED: "state.announced",
    Phase.SUSPENDED: "state.suspended",
    Phase.SOLD: "state.sold",
    Phase.UNSOLD: "state.unsold",
    Phase.TERMINATED: "state.terminated",
}
"""What the portal says of an auction; every phase between is `state.running`."""


def router(service: AuctionService, pages: Pages) -> APIRouter:
    """Build the route of the hall's page."""
    made = APIRouter(include_in_schema=False)

    def auctions(session: str) -> list[dict[str, Any]]:
        """What a session's auctions are called and how far they are: durable states only."""
        return [
            {
                "id": lot,
                "title": writer.book.title,
                "rule": f"mode.{writer.book.mode}",
                "state": STATES.get(writer.durable.phase, "state.running"),
            }
            for lot, writer in service.writers.items()
            if writer.book.session == session
        ]

    pages.tell("auctions", auctions)

    @made.get("/auction/{lot}", response_class=HTMLResponse)
    async def hall(request: Request, lot: str) -> HTMLResponse:
        try:
            title = service.writer(lot).book.title
        except Problem as problem:
            return pages.problem(request, problem)
        return pages.render(
            request,
            "auction.html",
            name=title,
            hall_path=f"/api/v1/lots/{lot}/live",
            about=lot,
        )

    return made
