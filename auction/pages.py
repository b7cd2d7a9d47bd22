"""The page of one auction hall; its state comes over the hall's own socket."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from auction.service import AuctionService
from trading.access import PUBLIC, Rule
from trading.ground.web import Pages

ACCESS: Final = (Rule("GET", "/auction/{lot}", PUBLIC, "竞价大厅页面"),)


def router(service: AuctionService, pages: Pages) -> APIRouter:
    """Build the route of the hall's page."""
    made = APIRouter(include_in_schema=False)

    @made.get("/auction/{lot}", response_class=HTMLResponse)
    async def hall(request: Request, lot: str) -> HTMLResponse:
        return pages.render(
            request,
            "auction.html",
            subject=service.writer(lot).book.title,
            hall_path=f"/api/v1/lots/{lot}/live",
        )

    return made
