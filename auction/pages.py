"""The auction hall as a page: read only, fed by the public socket."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from auction.service import AuctionService
from trading.access import PUBLIC, Rule
from trading.ground.web import Pages

ACCESS = (Rule("GET", "/auction/{lot}", PUBLIC, "竞价大厅页面"),)
"""The page's row of the access table."""


def router(service: AuctionService, pages: Pages) -> APIRouter:
    """Build the page."""
    made = APIRouter(include_in_schema=False)

    @made.get("/auction/{lot}", response_class=HTMLResponse)
    async def hall(request: Request, lot: str) -> HTMLResponse:
        title = service.writer(lot).book.title
        path = f"/api/v1/lots/{lot}/live"
        return pages.render(request, "auction.html", subject=title, hall_path=path)

    return made
