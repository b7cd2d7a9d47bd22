"""The page of one opening hall; its state comes over the hall's own socket. The portal is told how far each is."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bidding.opening import Phase
from bidding.service import BiddingService
from trading.access import PUBLIC, Rule
from trading.ground.problems import Problem
from trading.ground.web import Pages

ACCESS: Final = (Rule("GET", "/open/{section}", PUBLIC, "开标大厅页面"),)

STATES: Final = {
    Phase.BIDDING: "state.bidding",
    Phase.SEALED: "state.opened",
    Phase.FAILED_FEWER_THAN_3: "state.too_few",
    Phase.FAILED_QUORUM: "state.no_quorum",
    Phase.TERMINATED: "state.terminated",
}
"""What the portal says of an opening; every phase between is `state.opening`."""


def router(service: BiddingService, pages: Pages) -> APIRouter:
    """Return the route of the hall's page."""
    made = APIRouter(include_in_schema=False)

    def opening(section: str) -> str | None:
        book = service.room.shelf.books.get(section)
        if book is None or book.opening is None:
            return None
        return STATES.get(book.opening.phase, "state.opening")

    pages.tell("opening", opening)

    @made.get("/open/{section}", response_class=HTMLResponse)
    async def hall(request: Request, section: str) -> HTMLResponse:
        try:
            keyed = service.room.announced(section).keyed
        except Problem as problem:
            return pages.problem(request, problem)
        assert keyed is not None
        return pages.render(
            request,
            "opening.html",
            name=keyed.tender.name,
            section_name=keyed.tender.section_name,
            hall_path=f"/api/v1/openings/{section}/live",
            about=section,
        )

    return made
