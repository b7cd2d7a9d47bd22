"""The page of one opening hall; its state comes over the hall's own socket."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bidding.service import BiddingService
from trading.access import PUBLIC, Rule
from trading.ground.web import Pages

ACCESS: Final = (Rule("GET", "/open/{section}", PUBLIC, "开标大厅页面"),)


def router(service: BiddingService, pages: Pages) -> APIRouter:
    """Return the route of the hall's page."""
    made = APIRouter(include_in_schema=False)

    @made.get("/open/{section}", response_class=HTMLResponse)
    async def hall(request: Request, section: str) -> HTMLResponse:
        keyed = service.room.keyed(section).keyed
        assert keyed is not None
        return pages.render(
            request,
            "opening.html",
            subject=f"{keyed.tender.name} {keyed.tender.section_name}",
            hall_path=f"/api/v1/openings/{section}/live",
        )

    return made
